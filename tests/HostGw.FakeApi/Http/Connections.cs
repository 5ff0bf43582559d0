using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace HostGw.FakeApi.Http;

/// <summary>Every open TCP connection, below TLS.</summary>
internal sealed class Connections(Faults faults)
{
    private readonly ConcurrentDictionary<string, ConnectionContext> _open = new(StringComparer.Ordinal);

    public int Count => _open.Count;

    public async Task HandleAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        _open[connection.ConnectionId] = connection;
        try
        {
            while (faults.HangConnections)
                await Task.Delay(20, connection.ConnectionClosed);
            await next(connection);
        }
        catch (OperationCanceledException) when (connection.ConnectionClosed.IsCancellationRequested)
        {
            // Cut while it hung.
        }
        finally
        {
            _open.TryRemove(connection.ConnectionId, out _);
        }
    }

    /// <summary>Resets all of them: the peer sees ECONNRESET, not an orderly end.</summary>
    public void Cut()
    {
        foreach (ConnectionContext connection in _open.Values)
        {
            ResetOnClose(connection);
            connection.Abort();
        }
    }

    private static void ResetOnClose(ConnectionContext connection)
    {
        try
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                socket.LingerState = new(true, 0);
        }
        catch (ObjectDisposedException)
        {
            // The peer was faster.
        }
    }
}
