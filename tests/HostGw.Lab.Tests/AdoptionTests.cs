using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Routes that flannel's host-gw or the seed's script made are taken over in place, under a ping flood.</summary>
public sealed class AdoptionTests : IAsyncDisposable
{
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);

    private Cluster? _cluster;

    [Fact]
    public async Task Flannels_routes_are_retagged_without_losing_a_packet()
    {
        _cluster = await Cluster.CreateAsync(Clusters.ByNodeAddress(3));
        Route(node => from peer in Others(node) from i in new[] { 0, 1 } select $"route add {peer.PodCidrs[i]} via {peer.Addresses[i]} dev eth0");

        await AdoptUnderFloodAsync(families: 2);

        foreach (Node node in _cluster.Nodes)
        {
            foreach (Node peer in Others(node))
            {
                Assert.Equal("157", Assert.Single(KernelRoute.To(node.Network, peer.PodCidrs[0])).Protocol);
                Assert.Equal("157", Assert.Single(KernelRoute.To(node.Network, peer.PodCidrs[1])).Protocol);
            }
        }
    }

    [Fact]
    public async Task The_seed_scripts_routes_are_retagged_without_losing_a_packet()
    {
        _cluster = await Cluster.CreateAsync(Clusters.Seed);
        Route(node =>
        [
            "route add 192.168.0.0/16 dev eth0",
            .. Others(node).Select(peer => $"route add {peer.PodCidrs[0]} via {peer.PodGateways[0]} dev eth0"),
        ]);

        await AdoptUnderFloodAsync(families: 1);

        foreach (Node node in _cluster.Nodes)
            Assert.Equal(_cluster.Nodes.Count, KernelRoute.All(node.Network).Count(route => route.Protocol == "157" && !route.Destination.IsV6()));
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }

    private IEnumerable<Node> Others(Node node) => _cluster!.Nodes.Where(other => other != node);

    private void Route(Func<Node, IEnumerable<string>> commands)
    {
        foreach (Node node in _cluster!.Nodes)
        {
            node.Network.Sysctl("ipv4/ip_forward", "1");
            node.Network.Sysctl("ipv6/conf/all/forwarding", "1");
            node.Network.Configure(commands(node));
        }
    }

    private async Task AdoptUnderFloodAsync(int families)
    {
        RouteEvents[] kernels = [.. _cluster!.Nodes.Select(node => RouteEvents.Listen(node.Network))];
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(_cluster).Where(path => families == 2 || !path.To.IsV6()), FloodInterval);

        await _cluster.StartAgentsAsync();
        await Eventually.TrueAsync(
            () => _cluster.Nodes.All(node => Others(node).All(peer => KernelRoute.To(node.Network, peer.PodCidrs[0]) is [{ Protocol: "157" }])),
            () => string.Join('\n', KernelRoute.All(_cluster.Node(1).Network)));

        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        Assert.All(kernels, kernel => Assert.All(_cluster.Nodes, node => Assert.False(kernel.Removed(node.PodCidrs[0]))));
        Array.ForEach(kernels, kernel => kernel.Dispose());
    }
}
