using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Two nodes with addresses and interfaces by which peers' guards must know their datagrams.</summary>
public sealed class TunnelUplinkTests : TunnelTest
{
    private const string Behind = "10.8.0.2";

    private protected override ClusterSettings Settings => Tunnelled(2);

    // Node 1 lists its address on the segment, and node 2 that on the VPN.
    [Theory]
    [InlineData("auto")]
    [InlineData("always")]
    public async Task Datagrams_of_a_peer_behind_a_VPN_are_let_in(string mode)
    {
        // Without ARP the kernel sends to its own link-layer address: both ends have the same.
        One.Network.Configure(
        [
            $"link add wg0 address 02:00:00:00:08:01 type veth peer name wg0 address 02:00:00:00:08:01 netns {Two.Name}",
            "link set wg0 arp off up", "address add 10.8.0.1/24 dev wg0",
        ]);
        Two.Network.Configure(
        [
            "link set wg0 arp off up", $"address add {Behind}/24 dev wg0", $"route add {One.Addresses[0]}/32 dev wg0 src {Behind}",
        ]);
        foreach ((Node node, string address) in (((Node, string)[])[(One, $"{One.Addresses[0]}"), (Two, Behind)]))
        {
            SetMode(node, mode);
            Cluster.Api.Server.Nodes.Put(Cluster.Describe(node) with { InternalIPs = [address] });
        }
        await Cluster.StartAgentsAsync();
        await ArriveAsync([0]);
    }

    // The kernel chooses the first address of a segment, and none that is deprecated.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Datagrams_come_from_the_address_that_the_Node_lists(int family)
    {
        string[] more = ["10.0.0.111/24", "fd00:10::111/64"];
        string listed = more[family].Split('/')[0];
        One.Network.Configure([$"address add {more[0]} dev eth0", $"address add {more[1]} dev eth0 nodad preferred_lft 0"]);
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(One) with { InternalIPs = [listed] });
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(Two) with { InternalIPs = [$"{Two.Addresses[family]}"] });
        SetMode(One, "always");
        SetMode(Two, "always");
        await Cluster.StartAgentsAsync();
        await ArriveAsync([0, 1]);
        Assert.Contains(
            $" id 157 src {listed} dst {Two.Addresses[family]} ", One.Network.Exec("ip", "route", "show", $"{Two.PodCidrs[0]}"),
            StringComparison.Ordinal);
    }

    private async Task ArriveAsync(int[] families)
    {
        foreach ((Node from, Node to) in (((Node, Node)[])[(One, Two), (Two, One)]))
        {
            foreach (int family in families)
                await ArrivesAsync(from.Pods[0].Network, to.Pods[0].Addresses[family]);
        }
    }
}
