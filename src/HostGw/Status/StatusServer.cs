using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>
/// Serves health, readiness, metrics, status and the page for people: one GET a connection, nothing else. HttpListener will not do: on
/// Linux it fails at its start when a probe is already knocking, and Kestrel costs 11 MB on every node.
/// </summary>
internal sealed class StatusServer(IPEndPoint listen, StatusPages pages, TimeProvider time, ILogger<StatusServer> logger) : BackgroundService
{
    public const int MaxConnections = 256;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailedAccept = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly LinkedList<CancellationTokenSource> _connections = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (bool failed = false; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                using Socket listener = Listen();
                if (failed)
                    logger.StatusAvailable(listen.ToString());
                failed = false;
                await AcceptAsync(listener, stoppingToken);
            }
            catch (SocketException e)
            {
                if (!failed)
                    logger.StatusUnavailable(listen.ToString(), e.Message);
                failed = true;
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }

    // A connection that is gone before it is accepted, or a moment without file descriptors, is no reason to stop listening.
    private async Task AcceptAsync(Socket listener, CancellationToken stoppingToken)
    {
        HashSet<Task> answers = [];
        try
        {
            while (true)
            {
                Socket? connection = await TryAcceptAsync(listener, stoppingToken);
                if (connection is null)
                    await Task.Delay(AfterFailedAccept, time, stoppingToken);
                else
                    answers.Add(AnswerAsync(connection, stoppingToken));
                answers.RemoveWhere(a => a.IsCompletedSuccessfully);
            }
        }
        finally
        {
            await Task.WhenAll(answers);
        }
    }

    private static async Task<Socket?> TryAcceptAsync(Socket listener, CancellationToken stoppingToken)
    {
        try
        {
            return await listener.AcceptAsync(stoppingToken);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private Socket Listen()
    {
        var listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(listen);
            listener.Listen();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken stoppingToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken);
        LinkedListNode<CancellationTokenSource> place = TakePlace(patience);
        try
        {
            using (connection)
                await HttpExchange.RunAsync(connection, Answer, either.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Whoever asked is gone, or too slow.
        }
        finally
        {
            lock (_lock)
                place.List?.Remove(place);
        }
    }

    // Who connects and asks nothing must not keep the probes out: the oldest makes room.
    private LinkedListNode<CancellationTokenSource> TakePlace(CancellationTokenSource patience)
    {
        lock (_lock)
        {
            if (_connections is { Count: >= MaxConnections, First: { } oldest })
            {
                _connections.Remove(oldest);
                oldest.Value.Cancel(); // within the lock: its owner cannot have disposed of it
            }
            return _connections.AddLast(patience);
        }
    }

    // Under a name of its own a web page could read us through its visitor's browser (DNS rebinding).
    private HttpAnswer Answer(RequestHead head)
    {
        if (IPAddress.IsLoopback(listen.Address) && !head.IsForLoopback)
            return HttpAnswer.Text("use an IP address or localhost", 421);
        try
        {
            return pages.Get(head.Method, head.Path, head.Search);
        }
        catch (Exception e)
        {
            // A fault of one page must neither end the agent nor go unnoticed.
            logger.PageFailed(head.Path, e);
            return HttpAnswer.Text("this page failed; the agent's log says why", 500);
        }
    }
}
