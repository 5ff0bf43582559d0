using HostGw.Lab.Network;

namespace HostGw.Lab.Topology;

/// <summary>
/// A segment behind two routers: the first segment's ('outside') and its own, with a link between them. They know no pod network.
/// </summary>
public sealed class SecondSegment : IDisposable
{
    private const string Link = "wan";

    private static readonly string[] Near = ["172.30.0.1", "fd00:10:0:ff::1"], Far = ["172.30.0.2", "fd00:10:0:ff::2"];

    private readonly NetworkNamespace _near;

    private SecondSegment(NetworkNamespace near) => _near = near;

    public Segment Segment { get; } = Segment.CreateSecond();

    public NetworkNamespace Router { get; } = new("router2");

    /// <param name="first">Its API server learns the way to the second.</param>
    public static SecondSegment Create(Segment first, Outside outside)
    {
        var second = new SecondSegment(outside.Network);
        NetworkNamespace.Create([second.Router.Name]);
        second.Segment.Attach(second.Router, Addressing.SecondRouter);
        Ip.Batch([$"link add {Link} netns {outside.Network.Name} type veth peer name {Link} netns {second.Router.Name}"]);
        Connect(outside.Network, Near);
        Connect(second.Router, Far);
        second.Router.Configure(Near.Select(near => $"route add default via {near}"));
        string[] prefixes = [.. Addressing.SecondRouter.Select(router => $"{IPNetwork.Parse(Segment.OnLan(router))}")];
        outside.Network.Configure(prefixes.Zip(Far, (prefix, far) => $"route add {prefix} via {far}"));
        first.Network.Configure(prefixes.Zip(first.Router, (prefix, router) => $"route add {prefix} via {router}"));
        return second;
    }

    /// <summary>Both routers know from here on where these nodes' pods are.</summary>
    public void LearnPodNetworks(IEnumerable<Node> nodes) => ChangePodNetworks("add", nodes);

    /// <summary>Undoes <see cref="LearnPodNetworks"/>.</summary>
    public void ForgetPodNetworks(IEnumerable<Node> nodes) => ChangePodNetworks("delete", nodes);

    /// <summary>The link between the routers takes packets up to this size. Routers say so to whom they drop.</summary>
    public void SetMtu(int mtu)
    {
        foreach (NetworkNamespace router in (NetworkNamespace[])[_near, Router])
            router.Configure([$"link set {Link} mtu {mtu}"]);
    }

    /// <summary>Routers drop what is too big without a word, as firewalls make it.</summary>
    public void DropTooBigMessages() => Routers("table inet silent { chain output { type filter hook output priority 0; " +
        "icmp type destination-unreachable icmp code frag-needed drop; icmpv6 type packet-too-big drop; }; }");

    /// <summary>Undoes <see cref="DropTooBigMessages"/>.</summary>
    public void SendTooBigMessages() => Routers("delete table inet silent");

    public void Dispose()
    {
        NetworkNamespace.Delete([Router.Name]);
        Segment.Dispose();
    }

    private void Routers(string rules)
    {
        foreach (NetworkNamespace router in (NetworkNamespace[])[_near, Router])
            router.Exec("nft", rules);
    }

    private static void Connect(NetworkNamespace router, string[] addresses)
    {
        router.Sysctl("ipv4/conf/all/rp_filter", "0");
        router.Sysctl("ipv4/conf/default/rp_filter", "0");
        router.Sysctl("ipv4/ip_forward", "1");
        router.Sysctl("ipv6/conf/all/forwarding", "1");
        router.Configure([
            $"address add {addresses[0]}/30 dev {Link}", $"address add {addresses[1]}/64 dev {Link} nodad", $"link set {Link} up",
        ]);
    }

    private void ChangePodNetworks(string change, IEnumerable<Node> nodes)
    {
        foreach (Node node in nodes)
        {
            foreach ((IPNetwork podCidr, IPAddress address) in node.PodCidrs.Zip(node.Addresses))
            {
                int family = podCidr.IsV6() ? 1 : 0;
                bool isHere = node.Segment == Segment;
                _near.Configure([$"route {change} {podCidr} via {(isHere ? Far[family] : address)}"]);
                Router.Configure([$"route {change} {podCidr} via {(isHere ? address : Near[family])}"]);
            }
        }
    }
}
