using System.Collections.Immutable;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The clusters the tests use.</summary>
internal static class Clusters
{
    public static readonly ImmutableArray<string> Nftables = ["--nat-backend", "nftables"];

    // Longer than any test waits.
    private const int ResyncSeconds = 3600;

    /// <summary>To the letter: PodGateway, IPv4, clusterCidrs 192.168.0.0/16, the first of four nodes plays Windows with 192.168.1.0/24.</summary>
    public static ClusterSettings Seed => new()
    {
        Nodes = 4,
        WindowsNode = 1,
        DualStack = false,
        Agents = new("PodGateway", [Addressing.ClusterCidrs[0]], Nftables) { ResyncSeconds = ResyncSeconds },
    };

    /// <summary>Dual stack, Linux only, next hops are the nodes' addresses.</summary>
    public static ClusterSettings ByNodeAddress(int nodes) => new()
    {
        Nodes = nodes,
        WindowsNode = 0,
        Agents = new("NodeAddress", Addressing.ClusterCidrs, Nftables) { ResyncSeconds = ResyncSeconds },
    };
}
