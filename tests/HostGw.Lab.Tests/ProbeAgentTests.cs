using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Agents with probes: they send them, a change of a verdict wakes a pass, and the setting turns them off.</summary>
public sealed class ProbeAgentTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task A_verdict_wakes_a_pass_that_changes_nothing()
    {
        foreach (Node node in Cluster.Nodes)
        {
            node.Network.Configure(node.PodCidrs.Select(
                p => $"route prepend local {p.BaseAddress}/{(p.IsV6() ? 128 : 32)} dev lo table local proto 157"));
        }
        await Cluster.StartAgentsAsync();
        await Eventually.TrueAsync(
            async () => await Agent.MetricAsync("hostgw_passes_total", "cause=\"reachability\"") > 0, () => "no verdict changed");
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Empty((await Agent.StatusAsync()).GetProperty("problems").EnumerateArray());
    }

    [Fact]
    public async Task With_another_port_or_without_probes_the_usual_port_is_closed()
    {
        await Cluster.StartAgentsAsync();
        await ListensAsync(":9158", 2);

        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--probe-port", "9999"] };
        await Agent.StartAndWaitAsync();
        await ListensAsync(":9999", 2);
        await ListensAsync(":9158", 0);

        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--probe-enabled", "false"] };
        await Agent.StartAndWaitAsync();
        await ListensAsync(":", 0);
    }

    [Fact]
    public async Task A_taken_port_is_a_problem_and_the_node_is_ready()
    {
        using System.Net.Sockets.Socket taken = One.Network.Run(() =>
        {
            System.Net.Sockets.Socket socket = new(
                System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Any, 9158));
            return socket;
        });
        await Cluster.StartAgentsAsync();
        await Eventually.TrueAsync(
            async () => (await Agent.StatusAsync()).GetProperty("problems").ToString().Contains("probes are not received", StringComparison.Ordinal),
            () => string.Join('\n', Agent.Log.LastWords(10)));
        Assert.True(await Agent.IsReadyAsync());
    }

    private Task<TimeSpan> ListensAsync(string port, int sockets) => Eventually.TrueAsync(
        () => Sockets().Count(s => s.Contains(port, StringComparison.Ordinal)) == sockets, () => string.Join('\n', Sockets()));

    private string[] Sockets() => One.Network.Exec("ss", "-Hluanp").Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(s => s.Contains("hostgw", StringComparison.Ordinal)).ToArray();
}
