using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RouteDiffTests
{
    private const string Lan = "eth0 10.0.0.1/24 fd00:aaaa::1/64";
    private const string Peer = "peer 10.244.2.0/24 10.0.0.2 external=10.0.0.3";
    private const string PeerV6 = "peer fd00:10:244:2::/64 fd00:aaaa::2";

    // What should stand for one peer, what stands, then what is done. The peer's route is "10.244.2.0/24 via 10.0.0.2 dev 2".
    public static TheoryData<string, string, string[], string[]> Cases => new()
    {
        { "absent", Peer, [], ["add 10.244.2.0/24 via 10.0.0.2 dev 2"] },
        { "ours and right", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours"], [] },
        { "ours over another next hop", Peer, ["10.244.2.0/24 via 10.0.0.9 onlink ours"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours out of another device", Peer, ["10.244.2.0/24 via 10.0.0.2 dev 3 onlink ours"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours without onlink", Peer, ["10.244.2.0/24 via 10.0.0.2 ours"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours without a next hop", Peer, ["10.244.2.0/24 ours"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours with a source address", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours src"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours with an mtu", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours mtu"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours with an encapsulation", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours encap"], ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"] },
        { "ours with another metric", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours metric 50"],
            ["add 10.244.2.0/24 via 10.0.0.2 dev 2", "delete 10.244.2.0/24 via 10.0.0.2 dev 2 proto 157 metric 50"] },
        { "ours, right, and a leftover with another metric", Peer,
            ["10.244.2.0/24 via 10.0.0.2 onlink ours", "10.244.2.0/24 via 10.0.0.2 onlink ours metric 4294967295"],
            ["delete 10.244.2.0/24 via 10.0.0.2 dev 2 proto 157 metric 4294967295"] },
        { "ours for nobody", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours", "10.244.9.0/24 via 10.0.0.9 onlink ours"],
            ["delete 10.244.9.0/24 via 10.0.0.9 dev 2 proto 157"] },
        { "ours for nobody, before and behind", Peer, ["10.200.0.0/24 via 10.0.0.9 onlink ours", "192.168.9.0/24 via 10.0.0.9 onlink ours"],
            ["add 10.244.2.0/24 via 10.0.0.2 dev 2", "delete 10.200.0.0/24 via 10.0.0.9 dev 2 proto 157", "delete 192.168.9.0/24 via 10.0.0.9 dev 2 proto 157"] },
        { "ours around and inside the podCIDR is not on its key", Peer,
            ["10.244.0.0/16 ours", "10.244.2.0/24 via 10.0.0.2 onlink ours", "10.244.2.0/25 via 10.0.0.9 onlink ours"],
            ["delete 10.244.0.0/16 dev 2 proto 157", "delete 10.244.2.0/25 via 10.0.0.9 dev 2 proto 157"] },
        { "somebody else's for nobody of ours", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours", "10.99.0.0/16 via 10.0.0.9"], [] },
        { "somebody else's on our key", Peer, ["10.244.2.0/24 via 10.0.0.77"], ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "a blackhole on our key", Peer, ["10.244.2.0/24 blackhole dev 0"], ["conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 0 proto 4"] },
        { "a blackhole with our mark is not ours", Peer, ["10.244.2.0/24 blackhole dev 0 ours"], ["conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 0 proto 157"] },
        { "somebody else's with a higher metric stands behind ours", Peer, ["10.244.2.0/24 via 10.0.0.77 metric 100"], ["add 10.244.2.0/24 via 10.0.0.2 dev 2"] },
        { "somebody else's with a type of service stands beside ours", Peer, ["10.244.2.0/24 via 10.0.0.77 tos 16"], ["add 10.244.2.0/24 via 10.0.0.2 dev 2"] },
        { "ours with a type of service goes", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours tos 16"],
            ["add 10.244.2.0/24 via 10.0.0.2 dev 2", "delete 10.244.2.0/24 via 10.0.0.2 dev 2 proto 157 tos 16"] },
        { "two of ours, one right", Peer, ["10.244.2.0/24 via 10.0.0.9 onlink ours", "10.244.2.0/24 via 10.0.0.2 onlink ours"],
            ["delete 10.244.2.0/24 via 10.0.0.9 dev 2 proto 157"] },
        { "two of ours, both wrong: one goes now, the other is put right in the next pass", Peer,
            ["10.244.2.0/24 via 10.0.0.8 onlink ours", "10.244.2.0/24 via 10.0.0.9 onlink ours"],
            ["delete 10.244.2.0/24 via 10.0.0.9 dev 2 proto 157", "unfinished"] },
        { "ours, right, and somebody else's on one key", Peer, ["10.244.2.0/24 via 10.0.0.2 onlink ours", "10.244.2.0/24 via 10.0.0.77"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "ours, wrong, and somebody else's on one key: no replace, it would hit the first", Peer,
            ["10.244.2.0/24 via 10.0.0.77", "10.244.2.0/24 via 10.0.0.9 onlink ours"],
            ["delete 10.244.2.0/24 via 10.0.0.9 dev 2 proto 157", "conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "v6 absent", PeerV6, [], ["add fd00:10:244:2::/64 via fd00:aaaa::2 dev 2"] },
        { "v6 ours and right", PeerV6, ["fd00:10:244:2::/64 via fd00:aaaa::2 onlink ours"], [] },
        { "v6 ours made multipath by an append", PeerV6, ["fd00:10:244:2::/64 via fd00:aaaa::2 onlink ours hops 2"],
            ["replace fd00:10:244:2::/64 via fd00:aaaa::2 dev 2 (Differs)"] },
        { "v6 ours, shadowed by somebody else's lower metric", PeerV6,
            ["fd00:10:244:2::/64 via fd00:aaaa::7 metric 100", "fd00:10:244:2::/64 via fd00:aaaa::2 onlink ours"],
            ["conflict fd00:10:244:2::/64 held by fd00:10:244:2::/64 via fd00:aaaa::7 dev 2 proto 4 metric 100"] },
        { "v6 absent and shadowed: it is added all the same", PeerV6, ["fd00:10:244:2::/64 via fd00:aaaa::7 metric 100"],
            ["add fd00:10:244:2::/64 via fd00:aaaa::2 dev 2", "conflict fd00:10:244:2::/64 held by fd00:10:244:2::/64 via fd00:aaaa::7 dev 2 proto 4 metric 100"] },
        { "v6 ours with a lower metric goes", PeerV6,
            ["fd00:10:244:2::/64 via fd00:aaaa::2 onlink ours metric 100", "fd00:10:244:2::/64 via fd00:aaaa::2 onlink ours"],
            ["delete fd00:10:244:2::/64 via fd00:aaaa::2 dev 2 proto 157 metric 100"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_stands_becomes_what_should(string because, string peer, string[] standing, string[] expected) =>
        Check(because, Plan("", peer), standing, [], AdoptMode.None, expected);

    // As above, with what was ours when this process last looked, and the setting adopt.
    public static TheoryData<string, string, string, string[], string[], string[]> TakeOvers => new()
    {
        { "overwritten by hand is put right", Peer, "none", ["10.244.2.0/24"], ["10.244.2.0/24 via 10.0.0.77 proto 3"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Overwritten)"] },
        { "overwritten by a blackhole is put right", Peer, "none", ["10.244.2.0/24"], ["10.244.2.0/24 blackhole dev 0"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Overwritten)"] },
        { "overwritten by two is a conflict: a replace would hit one of them", Peer, "none", ["10.244.2.0/24"],
            ["10.244.2.0/24 via 10.0.0.77", "10.244.2.0/24 via 10.0.0.78"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "the ledger never decides what is installed", Peer, "none", ["10.244.2.0/24", "10.244.7.0/24"], ["10.244.7.0/24 via 10.0.0.77"],
            ["add 10.244.2.0/24 via 10.0.0.2 dev 2"] },
        { "flannel's route is adopted", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.2 proto 3"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "the script's route over the gateway inside the pod subnet is adopted", Peer, "equivalent", [], ["10.244.2.0/24 via 10.244.2.1"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "the Windows gateway is not that of a Linux peer", Peer, "equivalent", [], ["10.244.2.0/24 via 10.244.2.2"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.244.2.2 dev 2 proto 4"] },
        { "but it is that of a Windows peer", "peer 10.244.2.0/24 10.0.0.2 windows", "equivalent", [], ["10.244.2.0/24 via 10.244.2.2"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "over the peer's external address is adopted", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.3"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "with a source address for the host's own packets is adopted", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.2 proto 3 src"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "with an encapsulation is not", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.2 encap"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.2 dev 2 proto 4"] },
        { "over a stranger's address is not", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.77"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "out of another device is not", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.2 dev 3"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.2 dev 3 proto 4"] },
        { "multipath is not", Peer, "equivalent", [], ["10.244.2.0/24 via 10.0.0.2 hops 2"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.2 dev 2 proto 4"] },
        { "a blackhole is not", Peer, "equivalent", [], ["10.244.2.0/24 blackhole dev 2"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 2 proto 4"] },
        { "on-link is not", Peer, "equivalent", [], ["10.244.2.0/24"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 2 proto 4"] },
        { "adopt all takes a stranger's", Peer, "all", [], ["10.244.2.0/24 via 10.0.0.77 dev 3"],
            ["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Adopted)"] },
        { "adopt all leaves what no peer of ours concerns", Peer, "all", [], ["10.99.0.0/16 via 10.0.0.77", "10.244.2.0/24 via 10.0.0.2 onlink ours"], [] },
        { "adopt all leaves two on one key", Peer, "all", [], ["10.244.2.0/24 via 10.0.0.77", "10.244.2.0/24 via 10.0.0.78"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4"] },
        { "adopt none takes nothing", Peer, "none", [], ["10.244.2.0/24 via 10.0.0.2 proto 3"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.2 dev 2 proto 3"] },
        { "what the kernel installed for an address of this host is never taken", Peer, "all", [], ["10.244.2.0/24 proto 2"],
            ["conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 2 proto 2"] },
    };

    [Theory]
    [MemberData(nameof(TakeOvers))]
    public void Routes_of_others_are_taken_over_only_on_purpose(
        string because, string peer, string adopt, string[] ledger, string[] standing, string[] expected) =>
        Check(because, Plan("", peer), standing, ledger, Enum.Parse<AdoptMode>(adopt, ignoreCase: true), expected);

    [Theory]
    [InlineData("10.244.0.0/16 proto 3", "replace 10.244.0.0/16 dev 2 (Adopted)")]
    [InlineData("10.244.0.0/16 proto 3 dev 3", "conflict 10.244.0.0/16 held by 10.244.0.0/16 dev 3 proto 3")]
    [InlineData("10.244.0.0/16 proto 3 via 10.0.0.2", "conflict 10.244.0.0/16 held by 10.244.0.0/16 via 10.0.0.2 dev 2 proto 3")]
    [InlineData("10.244.0.0/16 proto 2", "conflict 10.244.0.0/16 held by 10.244.0.0/16 dev 2 proto 2")]
    [InlineData("10.244.0.0/16 ours onlink", "replace 10.244.0.0/16 dev 2 (Differs)")]
    public void The_seeds_cluster_route_is_adopted_where_it_is_the_same(string standing, string expected) =>
        Check(
            standing, Plan("PodGateway clusterCidrs=10.244.0.0/16", "peer 10.244.2.0/24 10.0.0.2", self: "self 10.244.1.0/24 10.0.0.1"),
            [standing, "10.244.2.0/24 via 10.244.2.1 onlink ours"], [], AdoptMode.Equivalent, [expected]);

    [Fact]
    public void In_PodGateway_mode_flannels_route_over_the_node_is_adopted_and_moved() =>
        Check(
            "", Plan("PodGateway", "peer 10.244.2.0/24 10.0.0.2"), ["10.244.2.0/24 via 10.0.0.2 proto 3"], [], AdoptMode.Equivalent,
            ["replace 10.244.2.0/24 via 10.244.2.1 dev 2 (Adopted)"]);

    [Fact]
    public void What_is_waited_for_stays_as_it_stands()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.244.2.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24 down"), Given.Policy(""));
        Check(
            "", plan, ["10.244.2.0/24 via 10.0.0.9 onlink ours", "10.244.2.0/24 via 10.0.0.9 onlink ours metric 9", "10.244.3.0/24 via 10.0.0.3 onlink ours"],
            [], AdoptMode.All, ["delete 10.244.3.0/24 via 10.0.0.3 dev 2 proto 157"]);
    }

    [Theory]
    [InlineData("10.244.9.0/24 via 10.0.0.9 onlink ours")]
    [InlineData("10.244.2.0/24 via 10.0.0.2 onlink ours;10.244.2.0/24 via 10.0.0.9 onlink ours")]
    [InlineData("10.244.2.0/24 via 10.0.0.8 onlink ours;10.244.2.0/24 via 10.0.0.9 onlink ours")]
    [InlineData("10.244.2.0/24 via 10.0.0.77;10.244.2.0/24 via 10.0.0.9 onlink ours")]
    public void Without_a_podCIDR_of_our_own_nothing_is_removed(string standing)
    {
        RouteChanges changes = Diff(Plan("", Peer, self: "self - 10.0.0.1"), standing.Split(';'), [], AdoptMode.None);
        Assert.Empty(changes.Delete);
        Assert.False(changes.IsUnfinished);
    }

    [Fact]
    public void Without_a_podCIDR_of_our_own_routes_are_added_and_put_right() =>
        Check(
            "", Plan("", Peer + ";b 10.244.3.0/24 10.0.0.3", self: "self - 10.0.0.1"), ["10.244.2.0/24 via 10.0.0.9 onlink ours"], [], AdoptMode.None,
            ["add 10.244.3.0/24 via 10.0.0.3 dev 2", "replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"]);

    [Fact]
    public void Without_our_own_node_nothing_is_changed_at_all() =>
        Check(
            "", Plan("interface=eth0", Peer, self: "other 10.244.7.0/24 10.0.0.7"),
            ["10.244.2.0/24 via 10.0.0.9 onlink ours", "10.244.9.0/24 via 10.0.0.9 onlink ours"], ["10.244.2.0/24"], AdoptMode.All, []);

    private static Plan Plan(string policy, string peers, string self = "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1") =>
        Planner.Plan(Given.Nodes([self, .. peers.Split(';')]), Given.Host(Lan), Given.Policy(policy));

    private static void Check(string because, Plan plan, string[] standing, string[] ledger, AdoptMode adopt, string[] expected)
    {
        string[] actual = RouteText.Of(Diff(plan, standing, ledger, adopt));
        Assert.True(expected.SequenceEqual(actual), $"{because}: got\n{string.Join("\n", actual)}");
    }

    private static RouteChanges Diff(Plan plan, string[] standing, string[] ledger, AdoptMode adopt)
    {
        HashSet<RouteKey> keys = [.. ledger.Select(l => new RouteKey(Prefix.Parse(l), 0))];
        return RouteDiff.Between(plan, [.. standing.Select(RouteText.Standing).OrderBy(r => r.Key)], keys, adopt);
    }
}
