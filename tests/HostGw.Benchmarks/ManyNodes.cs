using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Tests.Planning;

namespace HostGw.Benchmarks;

/// <summary>The nodes of a cluster as the planner sees them, and the host of one of them.</summary>
internal static class ManyNodes
{
    private const string Self = "node-00000";

    /// <summary>Of the host itself, with prefix length 12 on its only interface.</summary>
    public const string Address = "172.16.0.1";

    private static readonly Ip FirstPeer = Ip.Parse("172.16.0.2");
    private static readonly Ip FirstPodCidr = Ip.Parse("10.0.0.0");

    // 10.0.0.0/8 holds 65,536 pod subnets: this node's own lies elsewhere.
    public static Policy Policy { get; } = new() { NodeName = Self, ClusterCidrs = [Prefix.Parse("10.0.0.0/8"), Prefix.Parse("192.168.0.0/16")] };

    /// <summary>This node and so many peers, each with a /24 and an address of its own; annotated where there are to be fewer next hops.</summary>
    public static ImmutableArray<ClusterNode> Of(int peers, int nextHops = int.MaxValue) =>
    [
        Node(0, Prefix.Parse("192.168.0.0/24"), Ip.Parse(Address)),
        .. Enumerable.Range(0, peers).Select(i => Node(i + 1, PodCidr(i), FirstPeer.Plus((uint)i)) with
        {
            NextHopOverride = i < nextHops ? null : [FirstPeer.Plus((uint)(i % nextHops))],
        }),
    ];

    /// <summary>The host with these routes, and nothing to do.</summary>
    public static HostState Host(IEnumerable<PodRoute> routes) => new()
    {
        Interfaces = [new(2, "eth0", IsUp: true, IsLoopback: false)],
        Addresses = [new(Ip.Parse(Address), Prefix.Parse("172.16.0.0/12"), 2)],
        Routes = [.. routes.Select(route => route.InstalledBy(157)), Connected],
        Forwarding = new(true, true),
    };

    private static HostRoute Connected { get; } = new()
    {
        Destination = Prefix.Parse("172.16.0.0/12"),
        Interface = 2,
        NextHopCount = 1,
        IsUnicast = true,
        Protocol = 2,
        IsConnected = true,
    };

    /// <summary>The routes to the peers, sorted.</summary>
    public static ImmutableArray<PodRoute> Routes(int peers) =>
        [.. Enumerable.Range(0, peers).Select(i => new PodRoute(PodCidr(i), 0, FirstPeer.Plus((uint)i), 2))];

    private static ClusterNode Node(int number, Prefix podCidr, Ip address) => new()
    {
        Name = $"node-{number:d5}",
        Uid = $"0f3c8e0e-8d5c-4f0e-9c53-{number:d12}",
        CreatedAt = number,
        PodCidrs = [podCidr],
        InternalIPs = [address],
    };

    private static Prefix PodCidr(int index) => new(FirstPodCidr.Plus((uint)index << 8), 24);
}
