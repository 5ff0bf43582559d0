using HostGw.Lab.Agents;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Which of its own addresses and interfaces a host uses, and that it is not ready without any.</summary>
public sealed class OwnAddressTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task Where_Nodes_list_ExternalIPs_alone_these_are_used_and_without_any_address_a_host_is_not_ready()
    {
        foreach (Node node in Cluster.Nodes)
        {
            string[] addresses = [.. node.Addresses.Select(a => $"{a}")];
            Cluster.Api.Server.Nodes.Put(Cluster.Describe(node) with { InternalIPs = [], ExternalIPs = addresses });
        }
        await Cluster.StartAgentsAsync();
        await ReachesAsync();

        Cluster.Api.Server.Nodes.Put(Cluster.Describe(One) with { InternalIPs = [] });
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(Two) with { InternalIPs = ["172.31.0.9", "fd00:99::9"] });
        await NotReadyAsync("this node's Node lists no address");
    }

    [Fact]
    public async Task Of_interfaces_in_a_CIDR_the_one_with_this_nodes_address_is_used_and_while_it_has_none_the_host_is_not_ready()
    {
        One.Network.Configure([
            "link add lb0 type veth peer name lb0p", "link set lb0 up", "link set lb0p up", "address add 10.0.0.100/32 dev lb0",
        ]);
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--interface", "10.0.0.0/24"] };
        await Cluster.StartAgentsAsync();
        await ReachesAsync();
        Assert.Empty(Agent.Diagnose());

        One.Network.Configure(["address delete 10.0.0.11/24 dev eth0", "address delete fd00:10::11/64 dev eth0"]);
        await NotReadyAsync("this node's address 10.0.0.11 is on no interface");

        One.Network.Configure(["address add 10.0.0.11/24 dev eth0", "address add fd00:10::11/64 dev eth0 nodad"]);
        await Agent.WaitReadyAsync();
        await ReachesAsync();
    }

    private async Task ReachesAsync()
    {
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Two));
        Assert.Empty((await Agent.StatusAsync()).GetProperty("problems").EnumerateArray());
        foreach (IPAddress pod in Two.Pods[0].Addresses)
            Assert.NotNull(Ping.Once(One.Pods[0].Network, pod, Expect.Patience));
    }

    private async Task NotReadyAsync(string why)
    {
        string told = "";
        await Eventually.TrueAsync(
            async () => await Agent.IsAnsweringAsync() && (told = await ToldAsync()).Contains(why, StringComparison.Ordinal), () => told);
        Assert.False(await Agent.IsReadyAsync());
    }

    private async Task<string> ToldAsync() =>
        string.Join('\n', (await Agent.StatusAsync()).GetProperty("notReady").EnumerateArray().Select(n => n.GetString()));
}
