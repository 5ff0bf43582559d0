using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

/// <summary>Two nodes on two segments, and the router between them.</summary>
public class ProberBeyondTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_of_another_segment_is_reached_through_the_tunnel_and_only_a_routers_way_is_asked_then(bool hasRouter)
    {
        ProbedPair pair = ProbedPair.Tunnelled(isOnLink: false, hasRouter: hasRouter);
        pair.Run(60);
        pair.A.Asked.Clear();
        pair.Run(60);
        ProbePaths[] native = hasRouter ? [ProbePaths.Echo] : [];
        Assert.Equal([ProbePaths.Node, .. native, ProbePaths.Tunnel], pair.A.Asked.Select(q => q.Path).Distinct().Order());
        Assert.Equal((ReachKind.Reachable, ReachKind.PodTrafficDropped), (pair.A.Reach.Kind, pair.A.Reach.Native));
        pair.A.Stop();
        pair.A.Start();
        pair.Run(1000);
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
    }

    [Fact]
    public void Routers_that_learn_the_pod_networks_are_noticed_behind_the_tunnel_and_so_are_those_that_forget_them()
    {
        ProbedPair pair = ProbedPair.Tunnelled(isOnLink: false);
        pair.Run(100);
        pair.DropsPods = static _ => false;
        Assert.InRange(pair.RunUntil(() => !pair.A.IsTunnelled && !pair.B.IsTunnelled), 300, 325);
        Assert.InRange(pair.Apart, 0, 1);
        pair.Run(1000);
        Assert.All(pair.Ends, e => Assert.Equal(
            (2, ReachKind.RoutedByNetwork, PeerPath.Native, false), (e.Changes.Count, e.Reach.Kind, e.Reach.Path, e.HasLink)));
        pair.DropsPods = static _ => true;
        Assert.InRange(pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled), 4, 20);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Beyond_the_segment_a_tunnel_that_fails_is_left_only_for_what_has_answered(bool isRouted)
    {
        ProbedPair pair = ProbedPair.Tunnelled(isOnLink: false);
        pair.DropsPods = _ => !isRouted;
        pair.Run(30);
        pair.DropsTunnel = static _ => true;
        pair.Run(1000);
        Assert.All(pair.Ends, e => Assert.Equal(
            isRouted ? (2, ReachKind.RoutedByNetwork, PeerPath.Native) : (1, ReachKind.PodTrafficDropped, PeerPath.Tunnel),
            (e.Changes.Count, e.Reach.Kind, e.Reach.Path)));
    }

    // What the kernel says to a question that it has no route for; between nodes on one segment it means something else.
    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, false, false)]
    public void Pods_to_which_no_route_leads_take_the_tunnel_also_where_Nodes_have_addresses_of_the_other_family_only(
        bool isOnLink, bool isOfOtherFamily, bool takeTunnel)
    {
        ProbedPair pair = new(isOnLink: isOnLink, isOfOtherFamily: isOfOtherFamily) { HasRouter = false };
        foreach (ProbedEnd end in pair.Ends)
            (end.Unsendable, end.HasNoRoute) = (ProbePaths.Pod, true);
        pair.Start();
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Equal((takeTunnel, takeTunnel ? 1 : 0), (e.IsTunnelled, e.Changes.Count)));
        if (takeTunnel)
            Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Tunnel), (e.Reach.Kind, e.Reach.Path)));
    }

    [Fact]
    public void What_the_network_routes_needs_no_tunnel()
    {
        ProbedPair pair = new(isOnLink: false) { DropsTunnel = static _ => true };
        pair.Start();
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Equal(
            (ReachKind.RoutedByNetwork, PeerPath.Native, false), (e.Reach.Kind, e.Reach.Path, e.HasLink)));
    }
}
