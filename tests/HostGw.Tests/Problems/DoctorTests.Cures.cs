using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Problems;

// Each cure: what is broken, words of what the doctor says to do, and the host or cluster after doing it, on which nothing is found.
public partial class DoctorTests
{
    private const string Foreign = Given.Lan + "; br0 10.244.1.1/24; 10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4; " +
        "10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157";

    private const string ToD = "; 10.244.4.0/24 via 10.0.0.4 dev eth0 proto 157";

    private static readonly Dictionary<string, (Func<Examination> Broken, string Cure, Func<Examination> Cured)> Cured = new()
    {
        ["an annotation next-hop that is no address: remove it"] = (
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 hop=-"),
            "kubectl annotate node d hostgw.io/next-hop-",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["an annotation next-hop that is on another segment: correct it"] = (
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 hop=192.0.2.9"),
            "kubectl annotate node d --overwrite hostgw.io/next-hop=ADDRESS",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4"])),
        ["an annotation next-hop that is this host: remove it"] = (
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 hop=10.0.0.1"),
            "kubectl annotate node d hostgw.io/next-hop-",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["an annotation skip that is neither: set it"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 skip=yes"]),
            "kubectl annotate node d --overwrite hostgw.io/skip=true",
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 skip")),
        ["an annotation skip that is neither: remove it"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 skip=yes"]),
            "kubectl annotate node d hostgw.io/skip-",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["an annotation skip that is neither, beside a right next-hop"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4 skip=yes"]),
            "kubectl annotate node d hostgw.io/skip-",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4"])),
        ["another segment: an annotation for a router"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"),
            "annotate it with hostgw.io/next-hop for a router on it",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4"])),
        ["another segment: left out"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"), "leave it out with hostgw.io/skip", () => WithPeer("d 10.244.4.0/24 192.0.2.4 skip")),
        ["another segment: an address on this one"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"),
            "put the node's address on this host's segment",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["no address: an InternalIP"] = (
            () => WithPeer("d 10.244.4.0/24 -"), "give the node an InternalIP",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["no address: an annotation"] = (
            () => WithPeer("d 10.244.4.0/24 -"), "annotate it with hostgw.io/next-hop",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 - hop=10.0.0.4"])),
        ["a duplicate podCIDR: another one"] = (
            () => WithPeer("d 10.244.2.0/24 10.0.0.4"), "re-create the Node with a podCIDR of its own",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a podCIDR outside of the cluster's: the setting"] = (
            () => Of("clusterCidrs=10.244.0.0/22", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]), "correct clusterCidrs",
            () => Of("clusterCidrs=10.244.0.0/16", Healthy + ToD, [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a podCIDR in a service network: the setting"] = (
            () => Of("serviceCidrs=10.244.4.0/22", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]), "serviceCidrs",
            () => Of("serviceCidrs=10.96.0.0/16", Healthy + ToD, [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a router's address: another one"] = (
            () => Of(host: Healthy + "; 10.244.4.0/24 via 10.0.0.254 dev eth0 proto 157", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.254"]),
            "correct the node's addresses",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["the interface is down: up again"] = (
            () => Of(host: Healthy.Replace("eth0 10", "eth0 down 10", StringComparison.Ordinal)), "bring the interface and its address up",
            () => Of()),
        ["a cluster route that would cover a resolver: narrower"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"), "narrow clusterCidrs",
            () => Of("clusterCidrs=10.244.0.0/21,fd00:10:244::/56 clusterRoute=on",
                Healthy + "; resolver 10.244.9.53; 10.244.0.0/21 dev eth0 proto 157")),
        ["a cluster route that would cover a resolver: off"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"), "clusterRoute to off",
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=off", Healthy + "; resolver 10.244.9.53")),
        ["gateways that do not answer: NodeAddress"] = (
            () => Knows("10.244.2.1 -", "PodGateway", HealthyByGateway), "set nextHop to NodeAddress", () => Of()),
        ["arp_ignore: off"] = (
            () => Of("PodGateway", HealthyByGateway) with { Facts = new() { ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 } } },
            "net.ipv4.conf.all.arp_ignore=0",
            () => Of("PodGateway", HealthyByGateway) with { Facts = new() { ArpIgnore = new Dictionary<string, int> { ["eth0"] = 0 } } }),
        ["a small neighbour table: as large as it says"] = (
            () => Facts(f => f with { NeighbourLimitIPv4 = 7 }), "net.ipv4.neigh.default.gc_thresh3=8",
            () => Facts(f => f with { NeighbourLimitIPv4 = 8 })),
        ["pods with a larger MTU: the uplink's"] = (
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)),
            "set the MTU of the CNI configuration to 1500",
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=1500", StringComparison.Ordinal))),
        ["a foreign route in front of ours: removed"] = (() => Of(host: Foreign), "ip route del 10.244.2.0/24 proto 4", () => Of()),
        ["a foreign route: taken over"] = (
            () => Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 12", StringComparison.Ordinal)),
            "adopt=all", () => Of()),
        ["a foreign route inside a peer's: removed"] = (
            () => Of(host: Healthy + "; 10.244.2.128/25 via 10.0.0.9 dev eth0 proto 4"), "ip route del 10.244.2.128/25 proto 4", () => Of()),
    };

    public static TheoryData<string> Cures => [.. Cured.Keys];

    [Theory]
    [MemberData(nameof(Cures))]
    public void Who_does_what_the_cure_says_is_cured(string what)
    {
        (Func<Examination> broken, string cure, Func<Examination> cured) = Cured[what];
        IReadOnlyList<Problem> problems = Doctor.Examine(broken());
        Assert.NotEmpty(problems);
        Assert.Contains(problems, p => p.Cure.Contains(cure, StringComparison.Ordinal));
        Assert.Empty(Doctor.Examine(cured()));
    }

    [Theory]
    [InlineData("d 10.244.4.0/24 10.0.0.4 hop=-")]
    [InlineData("d 10.244.4.0/24 10.0.0.4 hop=192.0.2.9")]
    [InlineData("d 10.244.4.0/24 10.0.0.4 skip=yes")]
    public void Where_an_annotation_is_wrong_no_other_object_is_blamed(string peer)
    {
        Examination seen = Of(host: Healthy + ToD, nodes: [.. Nodes, peer]);
        Assert.All(
            Doctor.Examine(seen).Where(p => p.Rule != "routes"),
            p => Assert.DoesNotMatch("re-create|InternalIP|put the node's address", p.Cure));
    }

    // It does not: a route that is installed beside ours would have to be removed, not replaced.
    [Fact]
    public void Adopt_is_not_advised_for_a_route_that_it_does_not_take_over()
    {
        Problem problem = Assert.Single(Doctor.Examine(Of(host: Foreign)));
        Assert.DoesNotContain("adopt", $"{problem.Text} {problem.Cure}", StringComparison.Ordinal);

        Plan plan = Planner.Plan(Given.Nodes(Nodes), Host(Foreign), Policy());
        RouteChanges all = HostDiff.Between(plan, Host(Foreign), new HashSet<RouteKey>(), AdoptMode.All).Routes;
        Assert.Single(all.Conflicts);
        Assert.True(all.IsEmpty);
    }
}
