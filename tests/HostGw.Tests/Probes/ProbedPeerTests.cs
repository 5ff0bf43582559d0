using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Probes;

/// <summary>What answers, losses and later forms of its Node make of one peer.</summary>
public class ProbedPeerTests
{
    private const ProbePaths Echo = ProbePaths.Echo, OneHop = ProbePaths.OneHop, Pod = ProbePaths.Pod, Tunnel = ProbePaths.Tunnel;
    private const PeerRoutes Both = PeerRoutes.Native | PeerRoutes.Tunnel, InTunnel = Both | PeerRoutes.Tunnelled;
    private const ProbeFlags Needs = ProbeFlags.TunnelsToYou | ProbeFlags.WantsTunnel;

    private static readonly TunnelPolicy Auto = new() { Mode = TunnelMode.Auto };

    // The proof of 300 seconds begins again; what has not changed continues it.
    [Theory]
    [InlineData("", false)]
    [InlineData("source", true)]
    [InlineData("node address", true)]
    [InlineData("on-link", true)]
    [InlineData("next hop", true)]
    public void What_is_known_of_one_way_proves_nothing_of_another(string change, bool isNew)
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, Echo, 1);
        ProbeTarget target = peer.Target;
        target = change switch
        {
            "node address" => target with { NodeAddress = Ip.Parse("10.0.0.9") },
            "on-link" => target with { IsOnLink = false },
            "next hop" => target with { IsNextHop = false },
            _ => target,
        };
        Assert.Equal(isNew, peer.Follow(target, isNewSource: change == "source"));
        Answer(ref peer, Echo, 290);
        Judge(ref peer, 310);
        Assert.Equal(isNew, (peer.Flags & ProbeFlags.WantsTunnel) != 0);
        Judge(ref peer, 600);
        Assert.Equal(ProbeFlags.TunnelsToYou, peer.Flags);
    }

    [Fact]
    public void On_another_way_a_node_that_was_silent_is_asked_again_soon()
    {
        ProbedPeer peer = new(Target(PeerRoutes.Native), TunnelMode.Auto, 0);
        for (int i = 0; i < 6; i++)
            Assert.Equal(i < 4, Lose(ref peer, ProbePaths.Node));
        peer.Follow(peer.Target with { NodeAddress = Ip.Parse("10.0.0.9") }, isNewSource: false);
        Assert.True(Lose(ref peer, ProbePaths.Node));
    }

    [Fact]
    public void A_new_route_into_the_tunnel_is_asked_at_once_and_has_shown_nothing_yet()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, Tunnel, 1);
        Assert.False(peer.IsNews(Needs | ProbeFlags.ThroughTunnel));
        Assert.False(peer.Follow(Target(InTunnel & ~PeerRoutes.Tunnel), isNewSource: false));
        Assert.True(peer.Follow(Target(InTunnel), isNewSource: false));
        Assert.True(peer.IsNews(Needs | ProbeFlags.ThroughTunnel));
        Assert.False(peer.IsNews(Needs));
    }

    [Fact]
    public void A_native_path_that_is_asked_no_more_is_not_good()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, Echo, 1);
        peer.Follow(Target(InTunnel & ~PeerRoutes.Native), isNewSource: false);
        for (int i = 0; i < 5; i++)
            Lose(ref peer, Tunnel);
        Judge(ref peer, 5);
        Assert.Equal(PeerPath.Tunnel, peer.Reach.Path);
    }

    [Fact]
    public void A_tunnel_that_this_host_has_no_more_is_wanted_and_the_native_path_is_not_proven()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, Echo, 1);
        Assert.True(peer.LeaveTunnel());
        Assert.False(peer.LeaveTunnel());
        peer.Follow(Target(Both), isNewSource: false);
        Judge(ref peer, 400);
        Assert.Equal((PeerPath.Compared, ProbeFlags.WantsTunnel), (peer.Reach.Path, peer.Flags));
    }

    // The path that is decided and the routes that are installed; what is asked once the node has answered.
    [Theory]
    [InlineData(false, PeerRoutes.Native, true, Pod)]
    [InlineData(false, Both, true, Pod)]
    [InlineData(true, InTunnel, true, Echo | Tunnel)]
    [InlineData(true, InTunnel, false, Echo)]
    [InlineData(true, InTunnel & ~PeerRoutes.Native, true, Tunnel)]
    [InlineData(true, InTunnel & ~PeerRoutes.Tunnel, true, Echo)]
    [InlineData(false, InTunnel, true, Echo)]
    internal void What_is_asked_follows_from_the_path_and_the_routes(bool isInTunnel, PeerRoutes routes, bool hasTunnel, ProbePaths expected)
    {
        ProbedPeer peer = new(Target(isInTunnel ? InTunnel : PeerRoutes.Native), TunnelMode.Auto, 0);
        peer.Follow(Target(routes), isNewSource: false);
        Assert.Equal(expected, peer.PathsAfterNode(hasTunnel));
    }

    [Fact]
    public void A_peer_is_awaited_once_and_not_before_it_was_asked()
    {
        ProbedPeer peer = Tunnelled();
        Assert.Null(peer.ScheduleEarlyTurn(TimeSpan.FromSeconds(9)));
        peer.TakeTurn(isHeld: true);
        Assert.NotNull(peer.ScheduleEarlyTurn(TimeSpan.FromSeconds(9)));
        Assert.Null(peer.ScheduleEarlyTurn(TimeSpan.FromSeconds(9)));
    }

    // A native peer whose pods' path has answered is asked there first.
    [Theory]
    [InlineData(true, PeerPath.Native, OneHop)]
    [InlineData(false, PeerPath.Native, ProbePaths.Node)]
    [InlineData(true, PeerPath.Compared, ProbePaths.Node)]
    internal void A_round_begins_at_the_node_unless_the_native_path_says_all(bool isHeld, PeerPath path, ProbePaths expected)
    {
        ProbedPeer peer = new(Target(PeerRoutes.Native), TunnelMode.Auto, 0);
        peer.TakeTurn(isHeld: true);
        peer.Ask(default, default);
        Assert.Equal(ProbePaths.None, peer.TakeTurn(isHeld: true));
        peer.Answered(ProbePaths.Node, path == PeerPath.Compared ? ProbeFlags.WantsTunnel : ProbeFlags.None, default);
        Answer(ref peer, Pod, 1, peer.PeerTunnelFlags);
        Judge(ref peer, 1);
        Assert.Equal(path, peer.Reach.Path);
        Assert.Equal(expected, peer.TakeTurn(isHeld));
    }

    [Fact]
    public void An_answer_that_says_nothing_of_the_path_changes_nothing_of_what_was_heard()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, ProbePaths.Node, 1, Needs | ProbeFlags.MetNoRouter);
        Answer(ref peer, Echo, 2, ProbeFlags.Undetermined);
        Assert.Equal((Needs, true), (peer.PeerTunnelFlags, peer.IsFirstHop));
        Answer(ref peer, ProbePaths.Node, 3, ProbeFlags.None);
        Assert.Equal((ProbeFlags.None, false), (peer.PeerTunnelFlags, peer.IsFirstHop));
    }

    // The ways that answered at 1 s, those that did not at 2 s, and whether the native path is proven at 310 s.
    [Theory]
    [InlineData(Echo, ProbePaths.None, true)]
    [InlineData(Tunnel, ProbePaths.None, false)]
    [InlineData(Echo, Echo, false)]
    [InlineData(Pod, OneHop, true)]
    [InlineData(Echo, Tunnel, true)]
    internal void Only_answers_of_pods_on_the_native_path_prove_it(ProbePaths answered, ProbePaths lost, bool expected)
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, answered, 1);
        if (lost != ProbePaths.None)
        {
            peer.Plan(lost == OneHop ? Pod : lost);
            peer.Ask(default, TimeSpan.FromSeconds(2));
            if (lost == OneHop)
                peer.Answered(Echo, Needs, TimeSpan.FromSeconds(2));
            peer.LoseWaiting();
        }
        Answer(ref peer, Echo, 305);
        Judge(ref peer, 310);
        Assert.Equal(expected, peer.Flags == ProbeFlags.TunnelsToYou);
    }

    [Fact]
    public void Of_a_node_that_is_silent_nothing_is_known_but_the_last_verdict_on_the_native_path()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, ProbePaths.Node, 1);
        Answer(ref peer, Echo | Tunnel, 1);
        Judge(ref peer, 1);
        for (int i = 0; i < 5; i++)
            Lose(ref peer, ProbePaths.Node);
        Judge(ref peer, 10);
        Assert.Equal((ReachKind.Unreachable, ReachKind.Reachable, PeerPath.Tunnel), (peer.Reach.Kind, peer.Reach.Native, peer.Reach.Path));
        Assert.True(peer.IsNews(Needs | ProbeFlags.ThroughTunnel));
        Answer(ref peer, Echo, 305);
        Judge(ref peer, 310);
        Assert.Equal(Needs, peer.Flags);
    }

    [Fact]
    public void The_round_trip_is_that_of_the_way_that_packets_take()
    {
        ProbedPeer peer = Tunnelled();
        Answer(ref peer, Tunnel, 1, delay: 0.002);
        Answer(ref peer, Echo, 2, delay: 0.007);
        Assert.Equal(2000u, peer.Reach.RoundTripMicroseconds);
    }

    [Theory]
    [InlineData("10.0.0.2", true)]
    [InlineData("10.0.0.22", true)]
    [InlineData("203.0.113.2", true)]
    [InlineData("10.244.2.77", true)]
    [InlineData("10.0.0.3", false)]
    public void A_kernel_answers_from_any_address_of_its_Node(string address, bool expected) =>
        Assert.Equal(expected, Target(PeerRoutes.None).Has(Ip.Parse(address)));

    private static ProbedPeer Tunnelled() => new(Target(InTunnel), TunnelMode.Auto, 0);

    private static ProbeTarget Target(PeerRoutes routes) =>
        new(Peer, 1, Ip.Parse("10.0.0.2"), IsOnLink: true, IsNextHop: true) { Routes = routes };

    private static readonly ClusterNode Peer = Given.Node("a 10.244.2.0/24 10.0.0.2,10.0.0.22 external=203.0.113.2", 0);

    private static void Answer(ref ProbedPeer peer, ProbePaths paths, double seconds, ProbeFlags flags = Needs, double delay = 0)
    {
        peer.Plan(paths);
        peer.Ask(default, TimeSpan.FromSeconds(seconds));
        foreach (ProbePaths path in (ReadOnlySpan<ProbePaths>)[ProbePaths.Node, Echo, OneHop, Tunnel])
        {
            if ((paths & path) != 0)
                peer.Answered(path, flags, TimeSpan.FromSeconds(seconds + delay));
        }
    }

    // Whether it should be asked again soon.
    private static bool Lose(ref ProbedPeer peer, ProbePaths path)
    {
        peer.Plan(path);
        peer.Ask(default, default);
        return peer.LoseWaiting().IsOpen;
    }

    private static void Judge(ref ProbedPeer peer, double seconds) =>
        peer.Judge(Auto, TimeSpan.FromSeconds(seconds), DateTimeOffset.UnixEpoch);
}
