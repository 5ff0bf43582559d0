using System.Net.Sockets;
using HostGw.Status;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public sealed class StatusConnectionTests : IAsyncDisposable
{
    private readonly RunningServer _server = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_head_that_does_not_end_is_refused_and_the_refusal_arrives()
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync("GET / HTTP/1.1\r\nX: " + new string('a', 100_000));

        Assert.StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_still_sends_when_the_answer_is_there_can_end_and_read_it()
    {
        await _server.StartAsync();
        using Socket client = await _server.ConnectAsync();
        byte[] part = new byte[8192];
        await client.SendAsync(part, SocketFlags.None, Cancelled);
        while (client.Available == 0)
            await Task.Yield();

        for (int i = 0; i < 10; i++)
        {
            await client.SendAsync(part, SocketFlags.None, Cancelled);
            await Task.Yield();
        }

        Assert.StartsWith("HTTP/1.1 431 ", await RunningServer.ReadAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_the_first_request_is_ignored()
    {
        await _server.StartAsync();

        string more = string.Concat(Enumerable.Repeat("GET /status HTTP/1.1\r\n\r\n\0garbage", 1000));
        string answer = await _server.AskAsync("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + more);

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
