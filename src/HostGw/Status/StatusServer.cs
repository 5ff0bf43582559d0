using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>
/// Serves health, readiness, metrics and status: one GET a connection, nothing else. HttpListener will not do: on
/// Linux it fails at its start when a probe is already knocking, and Kestrel costs 11 MB on every node.
/// </summary>
internal sealed class StatusServer(IPEndPoint listen, StatusPages pages, TimeProvider time, ILogger<StatusServer> logger) : BackgroundService
{
    private const int MaxConnections = 16;
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _places = new(MaxConnections);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (bool said = false; !stoppingToken.IsCancellationRequested; said = true)
        {
            try
            {
                await ServeAsync(stoppingToken);
            }
            catch (SocketException e)
            {
                if (!said)
                    logger.StatusUnavailable(listen.ToString(), e.Message);
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }

    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    private async Task ServeAsync(CancellationToken stoppingToken)
    {
        using var listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(listen);
        listener.Listen();
        while (true)
        {
            await _places.WaitAsync(stoppingToken);
            Socket connection = await listener.AcceptAsync(stoppingToken);
            _ = AnswerAsync(connection, stoppingToken);
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken stoppingToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken);
        try
        {
            using (connection)
            {
                RequestHead? request = await ReadAsync(connection, either.Token);
                await SendAsync(connection, request is { } head ? Answer(head) : HttpAnswer.Text("that is no request", 400), request?.Method != "HEAD", either.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Whoever asked is gone, or too slow.
        }
        finally
        {
            _places.Release();
        }
    }

    // Under a name of its own a web page could read us through its visitor's browser (DNS rebinding).
    private HttpAnswer Answer(RequestHead head) => IPAddress.IsLoopback(listen.Address) && !head.IsForLoopback
        ? HttpAnswer.Text("ask by address, or as localhost", 421)
        : pages.Get(head.Method, head.Path);

    private static async Task<RequestHead?> ReadAsync(Socket connection, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[RequestHead.MaxBytes];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await connection.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken);
            length += read;
            if (RequestHead.TryParse(buffer.AsSpan(0, length), out RequestHead head))
                return head;
            if (read == 0)
                break;
        }
        return null;
    }

    private static async Task SendAsync(Socket connection, HttpAnswer answer, bool withBody, CancellationToken cancellationToken)
    {
        byte[] head = Encoding.ASCII.GetBytes(answer.Head);
        await SendAllAsync(connection, head, cancellationToken);
        if (withBody)
            await SendAllAsync(connection, answer.Body, cancellationToken);
        connection.Shutdown(SocketShutdown.Send);
    }

    private static async Task SendAllAsync(Socket connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await connection.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }
}
