using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Two nodes whose only way to each other has no link-layer addresses, as WireGuard's: the tunnel alone carries pods' packets.</summary>
public sealed class TunnelUplinkTests : TunnelTest
{
    private const string Behind = "10.8.0.2";

    private protected override ClusterSettings Settings => Tunnelled(2);

    // Node 1 is known by its address on the segment, and node 2 by that on the VPN.
    [Theory]
    [InlineData("auto")]
    [InlineData("always")]
    public async Task Datagrams_of_a_peer_behind_a_VPN_are_let_in(string mode)
    {
        // Without ARP the kernel sends to its own link-layer address: both ends have the same.
        One.Network.Configure(
        [
            $"link add wg0 address 02:00:00:00:08:01 type veth peer name wg0 address 02:00:00:00:08:01 netns {Two.Name}",
            "link set wg0 arp off up", $"route add 10.8.0.0/24 dev wg0 src {One.Addresses[0]}",
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
        foreach ((Node from, Node to) in (((Node, Node)[])[(One, Two), (Two, One)]))
        {
            foreach (IPAddress pod in to.Pods[0].Addresses)
                await ArrivesAsync(from.Pods[0].Network, pod);
            await Verdicts.BecomesAsync(Cluster.Agent(from), to, "reachable");
        }
    }
}
