using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public sealed class StatusServerTests : IAsyncDisposable
{
    private readonly RunningServer _server = new();

    [Theory]
    [InlineData("/healthz", "200 OK", "text/plain; charset=utf-8", "ok\n")]
    [InlineData("/readyz", "503 Service Unavailable", "text/plain; charset=utf-8",
        "no complete list of nodes yet: waiting for the API server\n")]
    [InlineData("/metrics", "200 OK", "text/plain; version=0.0.4; charset=utf-8", "hostgw_ready 0\n")]
    [InlineData("/status", "200 OK", "application/json", "\"schemaVersion\": 1")]
    [InlineData("/status?pretty", "200 OK", "application/json", "\"schemaVersion\": 1")]
    [InlineData("/", "200 OK", "text/html; charset=utf-8", "<h1>self: <span class=error>not ready</span></h1>")]
    [InlineData("/?node=a+b%2Fc&x=y", "200 OK", "text/html; charset=utf-8", "<input name=node value=\"a b/c\"")]
    [InlineData("/nothing", "404 Not Found", "text/plain; charset=utf-8",
        "not found; the paths are /, /healthz, /readyz, /metrics and /status\n")]
    [InlineData("/healthz/..", "404 Not Found", "text/plain; charset=utf-8", "not found")]
    public async Task Pages(string path, string status, string type, string body)
    {
        await _server.StartAsync();

        string answer = await _server.AskAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.Contains(body, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_IPv6_addresses_are_all_addresses_of_both_families()
    {
        await using RunningServer server = new(IPAddress.IPv6Any);
        await server.StartAsync();
        Assert.StartsWith("HTTP/1.1 200 ", await server.GetAsync("/healthz"), StringComparison.Ordinal);

        using var client = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(IPAddress.IPv6Loopback, server.EndPoint.Port, TestContext.Current.CancellationToken);
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
    public async Task A_pass_that_hangs_fails_the_liveness_probe()
    {
        await _server.StartAsync();
        _server.Clock.Begin();
        Assert.EndsWith("\r\n\r\nok\n", await _server.GetAsync("/healthz"), StringComparison.Ordinal);

        _server.Time.Advance(TimeSpan.FromSeconds(121));
        string answer = await _server.GetAsync("/healthz");
        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("a pass began 121 s ago", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_fails_is_logged_and_answered_and_the_others_go_on()
    {
        await _server.StartAsync();
        _server.ApiFailure = new InvalidOperationException("a fault in a page");

        Assert.StartsWith("HTTP/1.1 500 Internal Server Error\r\n", await _server.GetAsync("/status"), StringComparison.Ordinal);
        Assert.Contains("Error 507 The status page /status failed", _server.Log.Take());
        Assert.StartsWith("HTTP/1.1 200 ", await _server.GetAsync("/healthz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_the_first_list_it_says_why_the_API_server_cannot_be_followed()
    {
        await _server.StartAsync();
        _server.ApiProblem = "Cannot connect to 192.0.2.1:6443";

        Assert.EndsWith(
            "waiting for the API server\nCannot connect to 192.0.2.1:6443\n", await _server.GetAsync("/readyz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_may_run_the_script_of_the_page_and_nothing_else()
    {
        await _server.StartAsync();

        string page = await _server.GetAsync("/");
        Dictionary<string, string> policy = Policy(page);
        Assert.Equal("'none'", policy["default-src"]);
        Assert.Equal(Hash(page, "style"), policy["style-src"]);
        Assert.Equal(Hash(page, "script"), policy["script-src"]);
        Assert.Equal("'none'", policy["frame-ancestors"]);
        Assert.Equal("'none'", Policy(await _server.GetAsync("/status"))["default-src"]);
        Assert.DoesNotContain("unsafe", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HEAD_is_GET_without_the_body()
    {
        await _server.StartAsync();

        Assert.EndsWith("Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            await _server.AskAsync("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("CONNECT")]
    [InlineData("TRACE")]
    [InlineData("OPTIONS")]
    public async Task Nothing_but_GET_and_HEAD(string method)
    {
        await _server.StartAsync();

        foreach (string path in new[] { "/", "/healthz", "/readyz", "/metrics", "/status", "/nothing" })
        {
            Assert.StartsWith("HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n",
                await _server.AskAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"),
                StringComparison.Ordinal);
        }
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

    private static Dictionary<string, string> Policy(string answer) =>
        Regex.Match(answer, "^Content-Security-Policy: (.*)\r$", RegexOptions.Multiline).Groups[1].Value.Split("; ")
            .ToDictionary(d => d[..d.IndexOf(' ')], d => d[(d.IndexOf(' ') + 1)..]);

    private static string Hash(string page, string element)
    {
        string text = Regex.Match(page, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline).Groups[1].Value;
        return $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
