using System.Net.Sockets;
using HostGw.Status;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public sealed class StatusServerTests : IAsyncDisposable
{
    private readonly RunningServer _server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz", "200 OK", "text/plain; charset=utf-8", "ok\n")]
    [InlineData("/readyz", "503 Service Unavailable", "text/plain; charset=utf-8", "no complete list of nodes yet: waiting for the API server\n")]
    [InlineData("/metrics", "200 OK", "text/plain; version=0.0.4; charset=utf-8", "hostgw_ready 0\n")]
    [InlineData("/status", "200 OK", "application/json", "\"schemaVersion\": 1")]
    [InlineData("/status?pretty", "200 OK", "application/json", "\"schemaVersion\": 1")]
    [InlineData("/", "404 Not Found", "text/plain; charset=utf-8", "there are /healthz, /readyz, /metrics and /status\n")]
    [InlineData("/healthz/..", "404 Not Found", "text/plain; charset=utf-8", "there are")]
    public async Task Pages(string path, string status, string type, string body)
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.Contains(body, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_once_a_pass_was_in_order_and_not_while_one_failed()
    {
        await _server.StartAsync();

        _server.Board.Record(Reports.InOrder());
        Assert.EndsWith("\r\n\r\nok\n", await _server.GetAsync("/readyz"), StringComparison.Ordinal);

        _server.Board.Record(Reports.Failed("No buffer space available"));
        string answer = await _server.GetAsync("/readyz");
        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nread the host: No buffer space available\n", answer, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_the_first_list_it_says_why_the_API_server_cannot_be_followed()
    {
        await _server.StartAsync();
        _server.ApiProblem = "Cannot connect to 192.0.2.1:6443";

        Assert.EndsWith("waiting for the API server\nCannot connect to 192.0.2.1:6443\n", await _server.GetAsync("/readyz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HEAD_is_GET_without_the_body()
    {
        await _server.StartAsync();

        Assert.EndsWith("Content-Length: 3\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
            await _server.AskAsync("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Nothing_but_GET_and_HEAD(string method)
    {
        await _server.StartAsync();

        Assert.StartsWith("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n",
            await _server.AskAsync($"{method} /status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GARBAGE\r\n\r\n")]
    [InlineData("GET /healthz\r\n\r\n")]
    [InlineData("GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n")]
    [InlineData("get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /healthz HTTP/1.1\r\n\r\n")]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n")]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Odd : 1\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    [InlineData("\0\0\0\0\r\n\r\n")]
    public async Task What_is_no_request_is_told_so_at_once(string request)
    {
        await _server.StartAsync();

        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", await _server.AskAsync(request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:9157", true)]
    [InlineData("127.0.0.1:9157", true)]
    [InlineData("[::1]:9157", true)]
    [InlineData("[::1]", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example:9157", false)]
    [InlineData("10.0.0.1:9157", false)]
    [InlineData("", false)]
    public async Task On_loopback_only_names_of_loopback_are_served(string host, bool served)
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync($"GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n");

        Assert.StartsWith(served ? "HTTP/1.1 200 " : "HTTP/1.1 421 Misdirected Request\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_head_that_does_not_end_is_refused_and_the_refusal_arrives()
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync("GET / HTTP/1.1\r\nX: " + new string('a', 100_000));

        Assert.StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_the_first_request_is_ignored()
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + string.Concat(Enumerable.Repeat("GET /status HTTP/1.1\r\n\r\n\0garbage", 1000)));

        Assert.EndsWith("\r\n\r\nok\n", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("HTTP/1.1").Length - 1);
    }

    [Fact]
    public async Task A_request_may_come_byte_by_byte()
    {
        await _server.StartAsync();
        using Socket client = await _server.ConnectAsync();

        foreach (byte b in "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray())
            await client.SendAsync(new[] { b }, SocketFlags.None, Cancelled);

        Assert.EndsWith("ok\n", await RunningServer.ReadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_says_nothing_is_hung_up_on_after_five_seconds()
    {
        await _server.StartAsync();
        using Socket client = await _server.ConnectAsync();
        await _server.Time.AwaitedAsync(TimeSpan.FromSeconds(5));

        _server.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("", await RunningServer.ReadAsync(client));
    }

    [Fact]
    public async Task A_hundred_at_once_are_all_answered()
    {
        await _server.StartAsync();

        string[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => _server.GetAsync("/status")));

        Assert.All(answers, a => Assert.StartsWith("HTTP/1.1 200 ", a, StringComparison.Ordinal));
    }

    [Fact]
    public async Task However_many_connect_and_ask_nothing_a_probe_is_answered()
    {
        await _server.StartAsync();
        List<Socket> idle = [];
        for (int i = 0; i < StatusServer.MaxConnections + 50; i++)
            idle.Add(await _server.ConnectAsync());

        // No time passes: nobody's patience ends.
        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
        Assert.Equal("", await RunningServer.ReadAsync(idle[0]));
        idle.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task Who_hangs_up_early_disturbs_nobody()
    {
        await _server.StartAsync();
        for (int i = 0; i < 50; i++)
        {
            using Socket client = await _server.ConnectAsync();
            await client.SendAsync("GET /status HT"u8.ToArray(), SocketFlags.None, Cancelled);
            client.LingerState = new(true, 0); // a reset
        }

        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_said_once_and_taken_when_it_is_free()
    {
        using (var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            other.Bind(_server.EndPoint);
            other.Listen();
            await _server.StartAsync();
            await _server.Time.AwaitedAsync(TimeSpan.FromSeconds(10));
            _server.Time.Advance(TimeSpan.FromSeconds(10));
            await _server.Time.AwaitedAsync(TimeSpan.FromSeconds(10));
        }
        Assert.StartsWith("Error 501 No status endpoint on 127.0.0.1:", Assert.Single(_server.Log.Take()), StringComparison.Ordinal);

        _server.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
        Assert.StartsWith("Information 502 ", Assert.Single(_server.Log.Take()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_agent_takes_the_port_of_the_old_one_at_once()
    {
        await _server.StartAsync();
        await _server.GetAsync("/healthz"); // the server closes first: its side stays in TIME_WAIT
        await _server.RestartAsync();

        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
        Assert.Empty(_server.Log.Take());
    }

    [Fact]
    public async Task It_stops_at_once_with_connections_open()
    {
        await _server.StartAsync();
        using Socket client = await _server.ConnectAsync();
        await _server.StopAsync();

        Assert.Equal("", await RunningServer.ReadAsync(client));
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
