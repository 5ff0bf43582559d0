using System.Collections.Immutable;
using HostGw.Lab.Network;

namespace HostGw.Lab.Topology;

/// <summary>An Ethernet between nodes: a bridge in a namespace of its own. On the first the API server listens, too.</summary>
public sealed class Segment : IDisposable
{
    private const string Bridge = "lan0";

    private readonly Func<int, ImmutableArray<IPAddress>> _addressesOf;

    private Segment(string name, ImmutableArray<IPAddress> router, Func<int, ImmutableArray<IPAddress>> addressesOf)
    {
        (Network, Router, _addressesOf) = (new(name), router, addressesOf);
        NetworkNamespace.Create([name]);
        // Without an address of its own a bridge takes the lowest of its ports': it would change when that node leaves.
        Network.Configure([$"link add {Bridge} address 02:00:00:00:ff:01 type bridge", $"link set {Bridge} up"]);
    }

    public NetworkNamespace Network { get; }

    /// <summary>The default gateway of the nodes.</summary>
    public ImmutableArray<IPAddress> Router { get; }

    public static Segment Create()
    {
        var segment = new Segment("lan", Addressing.Router, Addressing.Node);
        segment.Network.Configure(Addressing.ApiServer.Select(address => $"address add {OnLan(address)} dev {Bridge} {NoDad(address)}"));
        return segment;
    }

    internal static Segment CreateSecond() => new("lan2", Addressing.SecondRouter, Addressing.NodeOnSecond);

    /// <summary>Of the node with this number, if it is plugged in here.</summary>
    public ImmutableArray<IPAddress> AddressesOf(int node) => _addressesOf(node);

    /// <summary>Plugs a namespace in as its <c>eth0</c>, with these addresses.</summary>
    public void Attach(NetworkNamespace host, IEnumerable<IPAddress> addresses)
    {
        Ip.Batch([$"link add eth0 netns {host.Name} type veth peer name {host.Name} netns {Network.Name}"]);
        Network.Configure([$"link set {host.Name} master {Bridge} up"]);
        host.Configure([
            .. addresses.Select(address => $"address add {OnLan(address)} dev eth0 {NoDad(address)}"),
            "link set eth0 up",
        ]);
    }

    /// <summary>Drops what comes from or goes to a pod's address, as clouds with a check of source and destination do.</summary>
    public void DropPodAddresses() => Drop([.. PodAddresses("saddr", ""), .. PodAddresses("daddr", "")]);

    /// <summary>Drops what this node sends from a pod's address, and nothing else: a check of the source at one port.</summary>
    public void DropPodAddressesFrom(Node node) => Drop(PodAddresses("saddr", $"iifname {node.Name} "));

    /// <summary>Drops what one of these nodes sends to the other from a pod's address.</summary>
    public void DropPodAddressesBetween(Node one, Node other) => Drop(
    [
        .. PodAddresses("saddr", $"iifname {one.Name} oifname {other.Name} "),
        .. PodAddresses("saddr", $"iifname {other.Name} oifname {one.Name} "),
    ]);

    /// <summary>Drops UDP from pods' addresses: probes find that pods' packets are dropped, and pings still arrive.</summary>
    public void DropPodsDatagrams() =>
        Drop(PodAddresses("saddr", "").Select(rule => rule.Replace(" drop", " meta l4proto udp drop", StringComparison.Ordinal)));

    /// <summary>Ends all of these.</summary>
    public void DropNothing() => Drop([]);

    public void Dispose() => NetworkNamespace.Delete([Network.Name]);

    /// <summary>An address on the LAN with its prefix length.</summary>
    public static string OnLan(IPAddress address) => address.IsV6() ? $"{address}/64" : $"{address}/24";

    internal static string NoDad(IPAddress address) => address.IsV6() ? "nodad" : "";

    private static IEnumerable<string> PodAddresses(string side, string port) =>
        Addressing.ClusterCidrs.Select(cidr => $"{port}{(cidr.IsV6() ? "ip6" : "ip")} {side} {cidr} drop");

    private void Drop(IEnumerable<string> rules) => Network.Exec(
        "nft", "table bridge check; delete table bridge check; table bridge check { chain forward { type filter hook forward priority 0; " +
        string.Concat(rules.Select(rule => $"{rule}; ")) + "}; }");
}
