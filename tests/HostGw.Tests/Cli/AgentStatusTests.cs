using System.Net.Sockets;
using System.Text;
using HostGw.Cli;
using HostGw.Planning;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Status;

namespace HostGw.Tests.Cli;

/// <summary>What `hostgw doctor` and `hostgw plan` learn of the running agent.</summary>
public sealed class AgentStatusTests : IAsyncDisposable
{
    private readonly RunningServer _agent = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_learn_the_verdicts_of_its_probes()
    {
        _agent.Board.Record(Reports.First());
        _agent.Probes = Reports.Probes;
        await StartAsync();

        Reachability told = await AgentStatus.AskReachabilityAsync(_agent.EndPoint, Cancel);

        Assert.True(told.IsOn);
        string[] podCidrs = ["10.244.2.0/24", "fd00:10:244:2::/64", "10.244.3.0/24", "10.244.11.0/24", "10.244.12.0/24", "10.244.13.0/24"];
        Assert.Equal(
            podCidrs.Select(p => Reports.Probed.Of(Prefix.Parse(p)).Kind), podCidrs.Select(p => told.Of(Prefix.Parse(p)).Kind));
    }

    [Fact]
    public async Task They_learn_why_peers_do_not_reach_it()
    {
        _agent.Board.Record(Reports.First());
        _agent.Probes = Reports.Probes with { Reachability = new([]) { Fault = "Address already in use" } };
        await StartAsync();

        Assert.Equal("Address already in use", (await AgentStatus.AskReachabilityAsync(_agent.EndPoint, Cancel)).Fault);
    }

    [Fact]
    public async Task Of_an_agent_without_probes_they_learn_nothing()
    {
        _agent.Board.Record(Reports.InOrder());
        await StartAsync();

        Assert.False((await AgentStatus.AskReachabilityAsync(_agent.EndPoint, Cancel)).IsOn);
    }

    [Fact]
    public async Task Without_an_agent_they_learn_nothing() =>
        Assert.False((await AgentStatus.AskReachabilityAsync(_agent.EndPoint, Cancel)).IsOn);

    [Theory]
    [InlineData("hello", false)]
    [InlineData("[1]", false)]
    [InlineData("{\"schemaVersion\": 2, \"probes\": true}", false)]
    [InlineData("{\"schemaVersion\": 1}", false)]
    [InlineData("{\"schemaVersion\": 1, \"\\ud800probes1234567\": true}", false)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": true, \"nodes\": [{\"podCidrs\": [{\"podCidr\": \"\\ud800\"}]}]}", false)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": \"yes\"}", false)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": true}", true)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": true, \"nodes\": 7}", true)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": true, \"nodes\": [7, {}, {\"podCidrs\": {}}, {\"podCidrs\": [[], {\"podCidr\": 7}]}]}", true)]
    [InlineData("{\"schemaVersion\": 1, \"probes\": true, \"nodes\": [{\"podCidrs\": [{\"podCidr\": \"10.244.2.0/24\", \"reachability\": \"new\"}]}]}", true)]
    public async Task Whatever_answers_the_doctor_goes_on(string body, bool isOn)
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(_agent.EndPoint);
        other.Listen();
        Task answering = AnswerAsync(other, $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");

        Reachability told = await AgentStatus.AskReachabilityAsync(_agent.EndPoint, Cancel);
        await answering;

        Assert.Equal((isOn, ReachKind.Unknown), (told.IsOn, told.Of(Prefix.Parse("10.244.2.0/24")).Kind));
    }

    public ValueTask DisposeAsync() => _agent.DisposeAsync();

    // It listens a moment later.
    private async Task StartAsync()
    {
        await _agent.StartAsync();
        await _agent.GetAsync("/healthz");
    }

    private static async Task AnswerAsync(Socket listener, string answer)
    {
        using Socket connection = await listener.AcceptAsync(Cancel);
        await connection.ReceiveAsync(new byte[4096], SocketFlags.None, Cancel);
        await connection.SendAsync(Encoding.ASCII.GetBytes(answer), SocketFlags.None, Cancel);
        connection.Shutdown(SocketShutdown.Both);
    }
}
