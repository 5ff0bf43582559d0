using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Where floods go.</summary>
internal static class Paths
{
    /// <summary>From every node's first pod to the next node's, in both families.</summary>
    public static IEnumerable<(NetworkNamespace From, IPAddress To)> BetweenNeighbours(Cluster cluster) =>
        from i in Enumerable.Range(0, cluster.Nodes.Count)
        from address in cluster.Nodes[(i + 1) % cluster.Nodes.Count].Pods[0].Addresses
        select (cluster.Nodes[i].Pods[0].Network, address);
}
