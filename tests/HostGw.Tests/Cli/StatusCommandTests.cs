using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using HostGw.Cli;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;
using HostGw.Tests.Status;

namespace HostGw.Tests.Cli;

public sealed class StatusCommandTests : IAsyncDisposable
{
    private readonly RunningServer _agent = new();

    [Fact]
    public async Task It_shows_every_node_and_every_problem()
    {
        _agent.Board.Record(Reports.First());
        _agent.Probes = Reports.Probes;

        CommandRun ran = await AskAsync();

        Assert.Equal((ExitCodes.Done, ""), (ran.ExitCode, ran.Error));
        Golden.Equal("tests/HostGw.Tests/Cli/Golden/status.txt", ran.Output);
    }

    [Fact]
    public async Task An_agent_that_has_not_begun_says_what_it_waits_for()
    {
        CommandRun ran = await AskAsync();

        Assert.Equal(
            "self  NOT READY  (hostgw 0.1.0+abc)\n  ! no complete list of nodes yet: waiting for the API server\n", ran.Output);
    }

    [Fact]
    public async Task An_API_server_that_cannot_be_followed_is_said_to_whoever_asks()
    {
        _agent.Board.Record(Reports.InOrder());
        _agent.ApiProblem = "Cannot connect to 192.0.2.1:6443";

        CommandRun ran = await AskAsync();

        Assert.StartsWith(
            "self  ready  (hostgw 0.1.0+abc, resource version 42)\n" +
            "  ! cannot watch nodes, existing routes are kept: Cannot connect to 192.0.2.1:6443\n",
            ran.Output, StringComparison.Ordinal);
        Assert.Contains("hostgw_api_server_followed 0\n", await _agent.GetAsync("/metrics"), StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nok\n", await _agent.GetAsync("/readyz"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policy_rules_that_are_not_judged_are_listed()
    {
        Agent agent = new();
        agent.Host.SetRules(Planning.Given.PolicyRules("5210 fwmark 0x80000 lookup 52; 5270 lookup 52"));
        _agent.Board.Record(agent.Pass());

        CommandRun ran = await AskAsync();

        Assert.EndsWith(
            "\n? policy rule 5210: from all fwmark 0x80000/0xffffffff lookup 52: it cannot be known beforehand which packets match\n",
            ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_JSON_it_is_what_the_agent_says()
    {
        _agent.Board.Record(Reports.InOrder());

        CommandRun ran = await AskAsync("-o", "json");

        Assert.True(JsonDocument.Parse(ran.Output).RootElement.GetProperty("ready").GetBoolean());
    }

    [Fact]
    public async Task When_nobody_answers_it_ends_with_1()
    {
        CommandRun ran = await CommandRun.OfAsync("status", "--listen", _agent.EndPoint.ToString());

        Assert.Equal((ExitCodes.Failed, ""), (ran.ExitCode, ran.Output));
        Assert.StartsWith($"No agent answers on {_agent.EndPoint} (", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("200 OK", "<html>hello</html>")]
    [InlineData("200 OK", "[1]")]
    [InlineData("200 OK", "{\"schemaVersion\": 2}")]
    [InlineData("200 OK", "{\"schemaVersion\": \"1\"}")]
    [InlineData("200 OK", "{}")]
    [InlineData("200 OK", "")]
    [InlineData("200 OK", "{\"schemaVersion\": 1, \"version\": \"0.2.0\", \"ready\": true, \"notReady\": \"\", \"nodes\": 3}")] // the node digest's
    [InlineData("200 OK", "{\"schemaVersion\": 1}")]
    [InlineData("404 Not Found", "nothing here")]
    public async Task When_somebody_else_answers_it_ends_with_1_and_says_so(string status, string body)
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(_agent.EndPoint);
        other.Listen();
        Task answering = AnswerAsync(other, $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");

        CommandRun ran = await CommandRun.OfAsync("status", "--listen", _agent.EndPoint.ToString());
        await answering;

        Assert.Equal((ExitCodes.Failed, ""), (ran.ExitCode, ran.Output));
        Assert.Matches("^The program that answers on [^\n]* is not a compatible agent [^\n]*\n$", ran.Error);
    }

    public ValueTask DisposeAsync() => _agent.DisposeAsync();

    private async Task<CommandRun> AskAsync(params string[] args)
    {
        await _agent.StartAsync();
        await _agent.GetAsync("/healthz");
        return await CommandRun.OfAsync(["status", "--listen", _agent.EndPoint.ToString(), .. args]);
    }

    private static async Task AnswerAsync(Socket listener, string answer)
    {
        using Socket connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await connection.ReceiveAsync(new byte[4096], SocketFlags.None, TestContext.Current.CancellationToken);
        await connection.SendAsync(Encoding.ASCII.GetBytes(answer), SocketFlags.None, TestContext.Current.CancellationToken);
        connection.Shutdown(SocketShutdown.Both);
    }
}
