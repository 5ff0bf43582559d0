using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Nodes without any network for pods but what the agents' CNI configuration makes, with a directory for it each.</summary>
public abstract class CniCluster : LabTest
{
    private readonly List<(CniRuntime Runtime, Pod Pod)> _pods = [];

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2) with { Bridges = false, PodsPerNode = 0 };

    private protected Node One => Cluster.Node(1);

    private protected Agent Agent => Cluster.Agent(One);

    private protected static string Directory(Node node) => $"{Box.Directory}/cni-{node.Name}";

    private protected static string File(Node node) => $"{Directory(node)}/10-hostgw.conflist";

    private protected static string[] Flags(Node node, bool install = true) =>
    [
        .. Clusters.Nftables, "--cni-install", install ? "true" : "false", "--cni-config-directory", Directory(node), "--cni-bin-directory", CniRuntime.Plugins,
    ];

    /// <summary>Every agent runs, and every node has its configuration.</summary>
    private protected async Task StartAsync()
    {
        foreach (Node node in Cluster.Nodes)
        {
            System.IO.Directory.CreateDirectory(Directory(node));
            Cluster.Agent(node).Settings = Cluster.Agent(node).Settings with { More = [.. Flags(node)] };
        }
        await Cluster.StartAgentsAsync();
        Assert.All(Cluster.Nodes, n => Assert.True(System.IO.File.Exists(File(n))));
    }

    private protected Pod AddPod(Node node, string name, int? hostPort = null, Action<NetworkNamespace>? prepare = null)
    {
        CniRuntime runtime = new(node, File(node));
        Pod pod = runtime.Add(name, hostPort, prepare);
        _pods.Add((runtime, pod));
        return pod;
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach ((CniRuntime runtime, Pod pod) in _pods.Where(_ => System.IO.File.Exists(File(One))))
            runtime.Delete(pod);
        await base.DisposeAsync();
        // Not before the agents are gone, which would write them again.
        foreach (Node node in Cluster.Nodes.Where(n => System.IO.Directory.Exists(Directory(n))))
            System.IO.Directory.Delete(Directory(node), recursive: true);
    }
}
