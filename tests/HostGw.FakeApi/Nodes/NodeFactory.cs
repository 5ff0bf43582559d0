namespace HostGw.FakeApi;

/// <summary>Numbered nodes of a cluster: node i has the i-th pod subnet and the i-th address.</summary>
public static class NodeFactory
{
    /// <summary>At most 65,535 nodes, from 1: 10.X.Y.0/24 at 172.16+.X.Y; dual stack adds fd00:10:N::/64 at fd00:172::N.</summary>
    public static NodeSpec Node(int number, bool dualStack = false, bool realistic = false)
    {
        (int high, int low) = (number >> 8, number & 255);
        List<string> podCidrs = [$"10.{high}.{low}.0/24"], addresses = [$"172.{16 + (high >> 4)}.{high & 15}.{low}"];
        if (dualStack)
        {
            podCidrs.Add($"fd00:10:0:{number:x}::/64");
            addresses.Add($"fd00:172::{number:x}");
        }
        return new NodeSpec($"node-{number:d5}") { PodCidrs = podCidrs, InternalIPs = addresses, Realistic = realistic };
    }

    public static IEnumerable<NodeSpec> Cluster(int count, bool dualStack = false, bool realistic = false) =>
        Enumerable.Range(1, count).Select(i => Node(i, dualStack, realistic));
}
