using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>A cluster in which everything that can be claimed twice, nested or forged is, in the text of <see cref="Given"/>.</summary>
internal sealed record NastyCluster(string Policy, string Host, string[] Nodes)
{
    private static readonly string[] PodCidrs =
    [
        "10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", "10.244.2.0/25", "10.244.2.128/25", "10.244.2.64/26",
            "10.244.2.0/23",
        "10.244.3.4/30", "10.244.1.128/25", "10.244.0.0/16", "10.244.0.0/15", "10.244.2.1/24", "10.245.7.0/24", "10.96.1.0/24",
            "192.168.9.0/24",
        "10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/16", "10.50.0.0/24", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "127.0.0.0/16",
            "169.254.0.0/16",
        "224.0.0.0/24", "8.8.8.0/24", "10.7.7.0/24", "10.6.0.0/24", "10.20.0.0/24", "10.0.0.254/32", "banana", "10.244.2.0",
            "10.244.02.0/24",
        "fd00:10:244::/64", "fd00:10:244:1::/64", "fd00:10:244:2::/64", "fd00:10:244:2::/65", "fd00:10:244:2:8000::/65", "fd00:10:244::/48",
        "fd00:10:244:1:1::/80", "fd00:aaaa::/64", "fd00:aaaa::/48", "::/0", "::/48", "fe80::/64", "ff02::/64", "::ffff:10.244.2.0/120",
        "2001:db8::/64", "fd00:10:244:3::1/64",
    ];

    private static readonly string[] Addresses =
    [
        "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.1", "10.0.0.0", "10.0.0.255", "10.0.0.254", "10.9.9.9", "10.20.0.5", "10.244.1.7",
            "10.244.2.7",
        "10.244.3.9", "10.50.0.7", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "8.8.8.8", "fd00:aaaa::2", "fd00:aaaa::3",
            "fd00:aaaa::1",
        "fd00:aaaa::", "fe80::2", "::", "::1", "ff02::1", "::ffff:10.0.0.2", "fd00:10:244:2::7", "2001:db8::2",
    ];

    private static readonly string[] Hosts =
    [
        "eth0 10.0.0.1/24 fd00:aaaa::1/64",
        "eth0 10.0.0.1/24 fd00:aaaa::1/64; default via 10.0.0.254 dev eth0; resolver 10.7.7.7; api 10.6.0.10",
        "eth0 10.0.0.1/24 fd00:aaaa::1/64 fe80::1/64; stor0 10.50.0.1/24; cni0 10.244.1.1/24 fd00:10:244:1::1/64; veth1 10.244.1.9/32",
        "eth0 10.0.0.1/24 down; eth1 172.16.0.1/24; default via 172.16.0.254 dev eth1",
        "eth0 10.0.0.1/24",
        "eth0 192.168.9.1/32 fd00:aaaa::1/64; default via 10.0.0.254 dev eth0; tun0 10.20.0.5>10.21.0.1/32",
    ];

    private static readonly string[] Policies =
    [
        "", "PodGateway", "clusterCidrs=10.244.0.0/16,fd00:10:244::/48", "PodGateway clusterCidrs=10.244.0.0/16,fd00:10:244::/48",
        "PodGateway clusterCidrs=10.0.0.0/8,10.244.2.0/25,fd00::/8", "clusterCidrs=0.0.0.0/0,::/0 clusterRoute=on",
            "serviceCidrs=10.96.0.0/12",
        "PodGateway interface=eth*", "selector=zone!=b", "clusterCidrs=10.244.0.0/16 clusterRoute=on nat.any",
    ];

    private static readonly string[] Selves =
    [
        Given.Self, Given.Self, Given.Self, "self 10.244.1.0/24 10.0.0.1", "self 10.244.1.0/24,10.244.1.128/25,10.244.0.0/23 10.0.0.1",
        "self - 10.0.0.1", "self 0.0.0.0/0,::/0 10.0.0.1", "self banana,10.244.1.0/24 10.0.0.1", "self 10.244.1.0/24,8.8.8.0/24 10.0.0.1",
            "self 10.244.1.1/24 -",
    ];

    public static Gen<string> PodCidr => Gen.Elements(PodCidrs);

    public static Gen<string> Address => Gen.Elements(Addresses);

    public static Arbitrary<NastyCluster> Any { get; } = Arb.From(
        from policy in Gen.Elements(Policies)
        from host in Gen.Elements(Hosts)
        from self in Gen.Elements(Selves)
        from hasSelf in Gen.Choose(0, 9)
        from peers in Peer.ListOf()
        select new NastyCluster(policy, host, [.. hasSelf > 0 ? [self] : Array.Empty<string>(), .. peers.Select((p, i) => $"n{i} {p}")]),
        Smaller);

    /// <summary>A peer without its name.</summary>
    public static Gen<string> Peer =>
        from podCidrs in AtMost(3, Gen.Elements(PodCidrs))
        from addresses in AtMost(3, Gen.Elements(Addresses))
        from external in AtMost(1, Gen.Elements(Addresses))
        from age in Gen.Choose(-2, 3)
        from uid in Gen.Choose(0, 3)
        from options in Gen.Elements("", "", "", "", " windows", " skip", " labels=zone:b", " hop=10.0.0.4",
            " hop=10.244.3.9,fd00:aaaa::3", " hop=-")
        select $"{podCidrs} {addresses} external={external} age={age.ToString(CultureInfo.InvariantCulture)} uid={uid}{options}";

    public IReadOnlyList<ClusterNode> AllNodes => Given.Nodes(Nodes);

    public HostState HostState => Given.Host(Host);

    public Plan Plan() => Planner.Plan(AllNodes, HostState, Given.Policy(Policy));

    public override string ToString() => $"policy: {Policy}\nhost: {Host}\n{string.Join("\n", Nodes)}\n";

    private static Gen<string> AtMost(int count, Gen<string> words) =>
        from n in Gen.Choose(0, count)
        from list in Gen.ArrayOf(words, n)
        select n == 0 ? "-" : string.Join(',', list);

    private static IEnumerable<NastyCluster> Smaller(NastyCluster cluster) =>
        cluster.Nodes.Select((_, i) => cluster with { Nodes = [.. cluster.Nodes.Where((_, j) => j != i)] })
            .Concat(cluster.Policy.Length > 0 ? [cluster with { Policy = "" }] : []);
}
