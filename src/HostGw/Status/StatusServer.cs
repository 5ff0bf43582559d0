using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>
/// The HTTP server for probes, metrics, status and the page: one request per connection, GET or HEAD. HttpListener fails to start
/// on Linux while a client tries to connect, and Kestrel costs 5 MB on every node.
/// </summary>
/// <param name="get">What is served. An exception of it is logged and answered with 500.</param>
internal sealed class StatusServer(
    IPEndPoint listen, Func<HttpRequest, HttpResponse> get, TimeProvider time, ILogger<StatusServer> logger) : BackgroundService
{
    public const int MaxConnections = 256;

    private static readonly TimeSpan ListenRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ConnectionTimeout = TimeSpan.FromSeconds(5);

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
                await AcceptAllAsync(listener, stoppingToken);
            }
            catch (SocketException e)
            {
                if (!failed)
                    logger.StatusUnavailable(listen.ToString(), e.Message);
                failed = true;
                await Task.Delay(ListenRetry, time, stoppingToken);
            }
        }
    }

    private Socket Listen()
    {
        var listener = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // [::] means all addresses of the host, of both families.
        if (listen.Address.Equals(IPAddress.IPv6Any))
            listener.DualMode = true;
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

    private async Task AcceptAllAsync(Socket listener, CancellationToken stoppingToken)
    {
        HashSet<Task> running = [];
        try
        {
            while (true)
            {
                if (await TryAcceptAsync(listener, stoppingToken) is { } connection)
                    running.Add(ServeAsync(connection, stoppingToken));
                else
                    await Task.Delay(AcceptRetry, time, stoppingToken);
                running.RemoveWhere(r => r.IsCompletedSuccessfully);
            }
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    // A client that disconnects before it is accepted, or a lack of file descriptors, does not end the listener.
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

    private async Task ServeAsync(Socket connection, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(ConnectionTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        LinkedListNode<CancellationTokenSource> entry = Register(timeout);
        try
        {
            using (connection)
                await RespondAsync(connection, either.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The client disconnected or was too slow.
        }
        finally
        {
            lock (_lock)
                entry.List?.Remove(entry);
        }
    }

    // Idle connections must not keep probes out: the oldest one is closed.
    private LinkedListNode<CancellationTokenSource> Register(CancellationTokenSource connection)
    {
        lock (_lock)
        {
            if (_connections is { Count: >= MaxConnections, First: { } oldest })
            {
                _connections.Remove(oldest);
                oldest.Value.Cancel(); // within the lock: its owner cannot have disposed of it
            }
            return _connections.AddLast(connection);
        }
    }

    private async Task RespondAsync(Socket connection, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[HttpRequest.MaxBytes];
        int length = await ReceiveHeadAsync(connection, buffer, cancellationToken);
        bool isComplete = HttpRequest.IsComplete(buffer.AsSpan(0, length));
        HttpRequest? request = isComplete ? HttpRequest.Parse(buffer.AsSpan(0, length)) : null;
        HttpResponse response = request is { } valid ? Respond(valid)
            : length == buffer.Length && !isComplete ? HttpResponse.Text("the request is too long", 431)
            : HttpResponse.Text("this is not an HTTP/1.1 request", 400);

        await SendAsync(connection, Encoding.ASCII.GetBytes(response.Head), cancellationToken);
        if (request?.Method != "HEAD")
            await SendAsync(connection, response.Body, cancellationToken);
        connection.Shutdown(SocketShutdown.Send);

        // Closing with unread bytes resets the connection, and the client may lose the response (RFC 9112 9.6).
        for (int reads = 0; reads < 64; reads++)
        {
            if (await connection.ReceiveAsync(buffer, SocketFlags.None, cancellationToken) == 0)
                break;
        }
    }

    // A web page could make its name resolve to 127.0.0.1 and read the status through the browser (DNS rebinding).
    private HttpResponse Respond(HttpRequest request)
    {
        if (IPAddress.IsLoopback(listen.Address) && !request.IsForLoopback)
            return HttpResponse.Text("use an IP address or localhost", 421);
        try
        {
            return get(request);
        }
        catch (Exception e)
        {
            // An error in one page must not end the program.
            logger.PageFailed(request.Path, e);
            return HttpResponse.Text("this page failed: see the log", 500);
        }
    }

    private static async Task<int> ReceiveHeadAsync(Socket connection, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = 0;
        while (length < buffer.Length && !HttpRequest.IsComplete(buffer.AsSpan(0, length)))
        {
            int received = await connection.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken);
            if (received == 0)
                break;
            length += received;
        }
        return length;
    }

    private static async Task SendAsync(Socket connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await connection.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }
}

/// <summary>The head of an HTTP/1.1 request; a body is ignored.</summary>
/// <param name="Path">Without the query.</param>
/// <param name="Search">The field "node" of the page's search form.</param>
/// <remarks>https://www.rfc-editor.org/rfc/rfc9112</remarks>
internal readonly record struct HttpRequest(string Method, string Path, string Search, string Host)
{
    public const int MaxBytes = 8192;
    private const int MaxSearch = 100;

    /// <summary>The host, without its port, is a loopback address or "localhost".</summary>
    public bool IsForLoopback
    {
        get
        {
            int port = Host.LastIndexOf(':');
            string name = port > Host.LastIndexOf(']') ? Host[..port] : Host;
            return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
                (IPAddress.TryParse(name.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
        }
    }

    /// <summary>The blank line that ends the headers is there.</summary>
    public static bool IsComplete(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\r\n\r\n"u8) >= 0;

    /// <summary>Null if it is not a valid request.</summary>
    /// <param name="bytes">A complete head; what follows it is ignored.</param>
    public static HttpRequest? Parse(ReadOnlySpan<byte> bytes)
    {
        string[] lines = Encoding.Latin1.GetString(bytes[..bytes.IndexOf("\r\n\r\n"u8)]).Split("\r\n");
        if (lines[0].Split(' ') is not [var method, ['/', ..] target, "HTTP/1.0" or "HTTP/1.1"] || !method.All(char.IsAsciiLetterUpper))
            return null;

        string[] headers = lines[1..];
        string[] hosts = [.. headers.Where(h => h.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))];
        if (hosts.Length != 1 || !headers.All(IsHeader))
            return null;
        string[] parts = target.Split('?', 2);
        return new(method, parts[0], parts.Length > 1 ? SearchIn(parts[1]) : "", hosts[0]["Host:".Length..].Trim());
    }

    // As a browser sends a form: https://url.spec.whatwg.org/#urlencoded-serializing
    private static string SearchIn(string query)
    {
        string? field = query.Split('&').FirstOrDefault(f => f.StartsWith("node=", StringComparison.Ordinal));
        string text = field is null ? "" : Uri.UnescapeDataString(field["node=".Length..].Replace('+', ' ')).Trim();
        return text.Length > MaxSearch ? text[..MaxSearch] : text;
    }

    // Programs disagree on how to read a space before the colon and folded lines: both are refused.
    private static bool IsHeader(string line) => line.IndexOf(':') is > 0 and int colon && !line.AsSpan(0, colon).ContainsAny(' ', '\t');
}

/// <summary>An HTTP/1.1 response; the connection closes after it.</summary>
internal sealed record HttpResponse(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>The Content-Security-Policy: a browser loads and runs nothing, except on the page.</summary>
    public string SecurityPolicy { get; init; } = "default-src 'none'; frame-ancestors 'none'";

    public string Head =>
        $"HTTP/1.1 {Status} {Reason}\r\n{(Status == 405 ? "Allow: GET, HEAD\r\n" : "")}" +
        $"Content-Type: {ContentType}\r\nContent-Length: {Body.Length}\r\nContent-Security-Policy: {SecurityPolicy}\r\n" +
        "Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n" +
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";

    private string Reason => Status switch
    {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    };

    public static HttpResponse Text(string text, int status = 200) =>
        new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text + "\n"));
}
