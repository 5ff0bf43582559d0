using System.Collections.Immutable;
using HostGw.Lab.Network;

namespace HostGw.Lab.Topology;

/// <summary>A machine of the cluster: a namespace on the segment, with a bridge for its pods unless they come by CNI, and nothing configured beyond that.</summary>
public sealed class Node : IDisposable
{
    public const string Bridge = "cni0";

    private Node(Segment segment, int number, bool windows)
    {
        Segment = segment;
        Number = number;
        IsWindows = windows;
        Network = new($"node{number}");
    }

    /// <summary>Where it is plugged in.</summary>
    public Segment Segment { get; }

    public int Number { get; }

    /// <summary>Whether it plays Windows: the API says so, and its bridge holds .2 instead of .1.</summary>
    public bool IsWindows { get; }

    public string Name => Network.Name;

    public NetworkNamespace Network { get; }

    public ImmutableArray<IPAddress> Addresses => Segment.AddressesOf(Number);

    public ImmutableArray<IPNetwork> PodCidrs => Addressing.PodCidrs(Number);

    public ImmutableArray<IPAddress> PodGateways => Addressing.PodGateway(Number, IsWindows);

    public ImmutableArray<Pod> Pods { get; private set; } = [];

    /// <summary>Builds a node as a fresh host is: forwarding off, reverse path filter strict, only the default route.</summary>
    public static Node Create(Segment segment, int number, bool windows, bool bridge, int pods)
    {
        var node = new Node(segment, number, windows);
        NetworkNamespace.Create([node.Name]);
        node.BeLikeAFreshHost();
        segment.Attach(node.Network, node.Addresses);
        node.Network.Configure(segment.Router.Select(router => $"route add default via {router}"));
        if (bridge)
            node.AddBridge();
        node.Pods = [.. Enumerable.Range(1, pods).Select(pod => Pod.Create(node, pod))];
        return node;
    }

    private void AddBridge() => Network.Configure([
        $"link add {Bridge} type bridge",
        $"address add {PodGateways[0]}/24 dev {Bridge}",
        $"address add {PodGateways[1]}/64 dev {Bridge} nodad",
        $"link set {Bridge} up",
    ]);

    public void Dispose()
    {
        foreach (Pod pod in Pods)
            pod.Dispose();
        NetworkNamespace.Delete([Name, .. Pods.Select(pod => pod.Name)]);
    }

    // A namespace may inherit these from the machine it is on.
    private void BeLikeAFreshHost()
    {
        Network.Sysctl("ipv4/ip_forward", "0");
        Network.Sysctl("ipv6/conf/all/forwarding", "0");
        Network.Sysctl("ipv4/conf/all/rp_filter", "1");
        Network.Sysctl("ipv4/conf/default/rp_filter", "1");
    }
}
