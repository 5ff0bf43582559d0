using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Probes;

public class ProberVerdictTests
{
    private const string A = "10.244.2.0/24";
    private const string OnLink = "a 10.244.2.0/24 10.0.0.2";
    private const string Elsewhere = "a 10.244.2.0/24 10.1.0.2";
    private const string Windows = OnLink + " windows";
    private const ProbePaths All = ProbePaths.Node | ProbePaths.Pod;

    // The peer, what answers, what it is then; what answers afterwards, what it is then.
    public static TheoryData<string, object, object, object, object> Verdicts => new()
    {
        { OnLink, All, ReachKind.Reachable, ProbePaths.Node, ReachKind.PodTrafficDropped },
        { OnLink, All, ReachKind.Reachable, ProbePaths.Node | ProbePaths.OneHop, ReachKind.ProbeFiltered },
        { OnLink, All, ReachKind.Reachable, ProbePaths.Node | ProbePaths.Echo, ReachKind.Reachable },
        { OnLink, All, ReachKind.Reachable, ProbePaths.None, ReachKind.Unreachable },
        { OnLink, All, ReachKind.Reachable, ProbePaths.Pod, ReachKind.Reachable },
        { OnLink, ProbePaths.None, ReachKind.Unknown, All, ReachKind.Reachable },
        { OnLink, ProbePaths.Pod, ReachKind.Unknown, All, ReachKind.Reachable },
        { OnLink, ProbePaths.None, ReachKind.Unknown, ProbePaths.Node, ReachKind.PodTrafficDropped },
        { OnLink, ProbePaths.Node, ReachKind.PodTrafficDropped, All, ReachKind.Reachable },
        { OnLink, ProbePaths.Node, ReachKind.PodTrafficDropped, ProbePaths.None, ReachKind.Unreachable },
        { OnLink, ProbePaths.Node, ReachKind.PodTrafficDropped, ProbePaths.Node | ProbePaths.OneHop, ReachKind.ProbeFiltered },
        { OnLink, ProbePaths.Node | ProbePaths.OneHop, ReachKind.ProbeFiltered, ProbePaths.Node, ReachKind.PodTrafficDropped },
        { OnLink, ProbePaths.Node | ProbePaths.OneHop, ReachKind.ProbeFiltered, All, ReachKind.Reachable },
        { OnLink, ProbePaths.Node | ProbePaths.Echo, ReachKind.Reachable, ProbePaths.Node, ReachKind.PodTrafficDropped },
        { Elsewhere, All, ReachKind.RoutedByNetwork, ProbePaths.Node, ReachKind.PodTrafficDropped },
        { Elsewhere, ProbePaths.Node | ProbePaths.Echo, ReachKind.RoutedByNetwork, ProbePaths.None, ReachKind.Unreachable },
        { Elsewhere, ProbePaths.Node, ReachKind.PodTrafficDropped, ProbePaths.Node | ProbePaths.Echo, ReachKind.RoutedByNetwork },
        { Elsewhere, ProbePaths.None, ReachKind.Unknown, ProbePaths.Node | ProbePaths.Echo, ReachKind.RoutedByNetwork },
        // Of these, nothing tells a network that drops pods' packets from a firewall of the peer.
        { Windows, All, ReachKind.Reachable, ProbePaths.Node | ProbePaths.OneHop, ReachKind.Unknown },
        { Windows, All, ReachKind.Reachable, ProbePaths.None, ReachKind.Unreachable },
        { Windows, ProbePaths.Node | ProbePaths.OneHop, ReachKind.Unknown, All, ReachKind.Reachable },
        { Windows, ProbePaths.Node, ReachKind.Unknown, ProbePaths.None, ReachKind.Unreachable },
        { Windows, ProbePaths.None, ReachKind.Unknown, ProbePaths.Node, ReachKind.Unknown },
        { Elsewhere + " windows", All, ReachKind.RoutedByNetwork, ProbePaths.Node | ProbePaths.OneHop, ReachKind.Unknown },
    };

    [Theory]
    [MemberData(nameof(Verdicts))]
    public void The_verdict_follows_from_what_is_answered(string peer, object before, object first, object after, object then)
    {
        ProbedNetwork network = new() { Answering = (ProbePaths)before };
        network.Follow(peer);
        Assert.Equal(ReachKind.Unknown, network.Of(A));
        network.Run(60);
        Assert.Equal(first, network.Of(A));

        network.Answering = (ProbePaths)after;
        network.Run(60);
        Assert.Equal(then, network.Of(A));
        network.Run(600);
        Assert.Equal(then, network.Of(A));
    }

    [Fact]
    public void Both_families_are_told_apart_and_the_podCIDRs_of_one_share_a_verdict()
    {
        ProbedNetwork network = new() { IsDown = static ip => ip == Ip.Parse("fd00:10:244:2::") || ip == Ip.Parse("fd00:10:244:2:ffff:ffff:ffff:ffff") };
        network.Follow("a 10.244.2.0/24,10.244.3.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2", "b 10.244.4.0/24 10.0.0.4 windows");
        network.Run(60);

        Assert.Equal(
            (ReachKind.Reachable, ReachKind.Reachable, ReachKind.PodTrafficDropped, ReachKind.Reachable),
            (network.Of(A), network.Of("10.244.3.0/24"), network.Of("fd00:10:244:2::/64"), network.Of("10.244.4.0/24")));
    }

    // A Windows node at either end, or at both.
    [Theory]
    [InlineData(Windows, false, "10.244.1.0", "10.244.2.2")]
    [InlineData(OnLink, true, "10.244.1.2", "10.244.2.0")]
    [InlineData(Windows, true, "10.244.1.2", "10.244.2.2")]
    public void With_Windows_the_echo_alone_is_asked_and_takes_no_tunnel_whatever_the_peer_says(
        string peer, bool isWindows, string from, string to)
    {
        foreach (TunnelMode mode in Enum.GetValues<TunnelMode>())
        {
            ProbedNetwork network = new(tunnel: mode)
            {
                Self = isWindows ? Given.Self + " windows" : Given.Self,
                Says = ProbeFlags.WantsTunnel | ProbeFlags.TunnelsToYou,
            };
            network.Follow(Given.Lan + "; cbr0 10.244.1.2/24", [peer]);
            network.Run(45);
            Assert.Equal((ReachKind.Reachable, PeerPath.Undecided), (network.Of(A), network.Prober.Verdicts.Of(Prefix.Parse(A)).Path));
            Assert.Equal(
                [ProbePaths.Node, ProbePaths.Echo, ProbePaths.Echo, ProbePaths.Echo, ProbePaths.Echo],
                network.Asked.Take(5).Select(a => a.Question.Path));
            Assert.All(network.Asked.Skip(1), a => Assert.Equal(ProbePaths.Echo, a.Question.Path));
            Assert.All(network.Asked, a => Assert.Equal(ProbeFlags.None, a.Question.Flags));
            Assert.Equal((Ip.Parse(from), Ip.Parse(to)), (network.Asked[1].Question.Source, network.Asked[1].Question.Destination));

            network.Answering = ProbePaths.Node;
            network.Run(600);
            Assert.Equal((ReachKind.Unknown, PeerPath.Undecided), (network.Of(A), network.Prober.Verdicts.Of(Prefix.Parse(A)).Path));
        }
    }

    // Who began without answers is no news.
    [Theory]
    [InlineData(Windows, All, ProbePaths.Node, true)]
    [InlineData(Windows, ProbePaths.Node, ProbePaths.Node, false)]
    [InlineData(Windows, ProbePaths.None, ProbePaths.Node, false)]
    [InlineData(Windows, All, ProbePaths.None, false)]
    [InlineData(OnLink, All, ProbePaths.Node, false)]
    public void Pods_that_fell_silent_are_told_from_those_that_never_answered(string peer, object before, object after, bool fellSilent)
    {
        ProbedNetwork network = new() { Answering = (ProbePaths)before };
        network.Follow(peer);
        network.Run(60);
        Assert.False(network.Prober.Verdicts.Of(Prefix.Parse(A)).PodsFellSilent);
        network.Answering = (ProbePaths)after;
        network.Run(60);
        Assert.Equal(fellSilent, network.Prober.Verdicts.Of(Prefix.Parse(A)).PodsFellSilent);
        network.Answering = All;
        network.Run(60);
        Assert.False(network.Prober.Verdicts.Of(Prefix.Parse(A)).PodsFellSilent);
    }

    [Fact]
    public void A_Node_that_is_said_to_be_Windows_from_now_on_is_another_peer()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(30);
        network.Answering = ProbePaths.Node;
        network.Follow(Windows);
        Assert.Equal(ReachKind.Unknown, network.Of(A));
        network.Run(60);
        Assert.Equal(ReachKind.Unknown, network.Of(A));
    }

    [Fact]
    public void Dropped_pod_traffic_is_found_within_15_seconds_whenever_it_begins()
    {
        for (double start = 30; start < 40; start += 0.7)
        {
            ProbedNetwork network = new();
            network.Follow([.. Enumerable.Range(2, 20).Select(i => $"p{i} 10.244.{i}.0/24 10.0.0.{i}")]);
            network.Run(start);
            Assert.Equal(ReachKind.Reachable, network.Of(A));

            network.Answering = ProbePaths.Node;
            Assert.InRange(network.RunUntil(A, ReachKind.PodTrafficDropped).TotalSeconds, 4, 15);
            network.Answering = All;
            Assert.InRange(network.RunUntil(A, ReachKind.Reachable).TotalSeconds, 0, 10.1);
        }
    }

    [Fact]
    public void Four_missing_answers_change_nothing_nor_do_any_that_do_not_follow_each_other()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(15);
        int asked = network.Asked.Count;
        for (int i = 0; i < 20; i++)
        {
            network.Answering = ProbePaths.Node;
            // Four rounds of 0.8 s begin in this time at most.
            network.Run(3.1);
            network.Answering = All;
            network.Run(10);
            Assert.Equal(ReachKind.Reachable, network.Of(A));
        }
        Assert.InRange(network.Asked.Count - asked, 60, 1000);
        Assert.Single(network.Signals);
    }

    [Fact]
    public void What_was_known_of_the_pod_path_before_a_peer_was_unreachable_proves_nothing_afterwards()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(30);
        network.Answering = ProbePaths.None;
        network.RunUntil(A, ReachKind.Unreachable);
        network.Answering = ProbePaths.Node;
        for (int i = 0; i < 2000; i++)
        {
            network.Run(0.01);
            Assert.NotEqual(ReachKind.Reachable, network.Of(A));
        }
        Assert.Equal(ReachKind.PodTrafficDropped, network.Of(A));
    }

    [Fact]
    public void A_peer_may_say_time_exceeded_from_an_address_that_its_Node_does_not_list()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.Node | ProbePaths.OneHop, Router = Ip.Parse("10.0.0.99") };
        network.Follow(OnLink);
        network.Run(60);
        Assert.Equal(ReachKind.ProbeFiltered, network.Of(A));
    }

    [Theory]
    [InlineData(OnLink, true)]
    [InlineData(OnLink + " hop=10.0.0.200", false)]
    [InlineData(Elsewhere, true)]
    [InlineData(Elsewhere, false)]
    public void A_router_that_says_time_exceeded_proves_nothing(string peer, bool hasRouter)
    {
        ProbedNetwork network = new() { Answering = ProbePaths.Node | ProbePaths.OneHop, Router = Ip.Parse("10.0.0.254"), HasRouter = hasRouter };
        network.Follow(peer);
        network.Run(60);
        Assert.Equal(ReachKind.PodTrafficDropped, network.Of(A));
        Assert.InRange(network.Counters[ProbeResult.NotAsked], 5, 100);
    }

    [Theory]
    [InlineData(ProbePaths.Node, ProbePaths.None)]
    [InlineData(ProbePaths.Echo, ProbePaths.Node)]
    [InlineData(ProbePaths.OneHop, ProbePaths.Node)]
    [InlineData(ProbePaths.Pod, ProbePaths.Node)]
    internal void A_peer_is_unknown_after_five_questions_that_this_host_could_not_send(ProbePaths unsendable, ProbePaths answering)
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(30);
        (network.Unsendable, network.Answering) = (unsendable | (unsendable == ProbePaths.Node ? ProbePaths.Pod : 0), answering);
        network.Run(35);
        Assert.Equal((ReachKind.Reachable, false), Seen());
        network.Run(65);
        Assert.Equal((ReachKind.Unknown, true), Seen());

        (network.Unsendable, network.Answering) = (ProbePaths.None, All);
        network.Run(30);
        Assert.Equal((ReachKind.Reachable, false), Seen());

        (ReachKind, bool) Seen() => (network.Of(A), network.Prober.Latest.Of(Prefix.Parse(A)).IsUnsendable);
    }

    [Fact]
    public void A_peer_that_is_silent_when_this_host_can_send_again_is_unreachable()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(30);
        network.Unsendable = All;
        network.Run(100);
        (network.Unsendable, network.Answering) = (ProbePaths.None, ProbePaths.None);
        network.Run(30);
        Assert.Equal((ReachKind.Unreachable, false), (network.Of(A), network.Prober.Latest.Of(Prefix.Parse(A)).IsUnsendable));
    }

    [Fact]
    public void Without_its_own_probe_address_a_family_is_not_judged_by_its_pod_path()
    {
        const string V6 = "fd00:10:244:2::/64", Peer = "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2";
        ProbedNetwork network = new();
        network.Follow(Peer);
        network.Run(30);

        (network.IsMissing, network.Answering) = (static a => a.IsIPv6, ProbePaths.Node);
        network.Follow(Peer);
        network.Asked.Clear();
        network.Run(100);
        Assert.Equal((ReachKind.PodTrafficDropped, ReachKind.Reachable), (network.Of(A), network.Of(V6)));
        Assert.All(network.Asked.Where(a => a.Question.Destination.IsIPv6), a => Assert.Equal(ProbePaths.Node, a.Question.Path));
        network.Answering = ProbePaths.None;
        network.Run(100);
        Assert.Equal(ReachKind.Unreachable, network.Of(V6));

        (network.IsMissing, network.Answering) = (static _ => false, ProbePaths.Node);
        network.Follow(Peer);
        network.Run(100);
        Assert.Equal(ReachKind.PodTrafficDropped, network.Of(V6));
    }

    [Fact]
    public void The_pod_path_is_asked_once_the_node_path_has_answered_and_alone_while_it_answers()
    {
        ProbedNetwork network = new(delaySeconds: 0.1) { Answering = ProbePaths.None };
        network.Follow(OnLink);
        network.Run(60);
        Assert.All(network.Asked, a => Assert.Equal(ProbePaths.Node, a.Question.Path));

        network.Asked.Clear();
        network.Answering = All;
        network.Run(30);
        Assert.Equal(
            [ProbePaths.Node, ProbePaths.Echo, ProbePaths.OneHop, ProbePaths.OneHop, ProbePaths.OneHop],
            network.Asked.Take(5).Select(a => a.Question.Path));
        Assert.Equal(TimeSpan.FromSeconds(0.1), network.Asked[1].At - network.Asked[0].At);
    }

    [Fact]
    public void A_Node_that_is_made_again_with_its_podCIDR_is_another_peer()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink + " uid=one");
        network.Run(30);
        network.Answering = ProbePaths.None;
        network.Follow(OnLink + " uid=two");
        Assert.Equal(ReachKind.Unknown, network.Of(A));
        network.Run(60);
        Assert.Equal(ReachKind.Unknown, network.Of(A));
    }

    [Fact]
    public void A_peer_that_leaves_is_forgotten_and_what_comes_from_it_too()
    {
        ProbedNetwork network = new(delaySeconds: 0.5);
        network.Follow(OnLink);
        network.Run(0.1);
        ProbeQuestion asked = Assert.Single(network.Asked).Question;
        network.Follow("b 10.244.3.0/24 10.0.0.2");
        network.Prober.Answered(ProbedNetwork.AnswerTo(asked), asked.Destination);
        Assert.Equal((1, 0), (network.Counters[ProbeResult.NotAsked], network.Counters[ProbeResult.Answered]));

        network.Run(30);
        network.Follow();
        Assert.Equal((ReachKind.Unknown, Timeout.InfiniteTimeSpan), (network.Of(A), Idle()));
        network.Follow(OnLink);
        network.Run(30);
        Assert.Equal(ReachKind.Reachable, network.Of(A));

        TimeSpan Idle()
        {
            network.Run(2);
            return network.Prober.Wait;
        }
    }

    [Fact]
    public void With_another_address_the_old_verdict_holds_until_there_is_evidence()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(30);
        network.Answering = ProbePaths.Node;
        network.Follow("a 10.244.2.0/24 10.0.0.3");
        Assert.Equal(ReachKind.Reachable, network.Of(A));
        // It is asked at once: five losses of 0.8 s.
        Assert.InRange(network.RunUntil(A, ReachKind.PodTrafficDropped).TotalSeconds, 4, 4.2);
        Assert.Equal(Ip.Parse("10.0.0.3"), network.Asked.Last(a => a.Question.Path == ProbePaths.Node).Question.Destination);
    }

    [Fact]
    public void With_another_next_hop_the_pod_path_is_judged_anew()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.Node | ProbePaths.OneHop, Router = Ip.Parse("10.0.0.99") };
        network.Follow(OnLink);
        network.Run(30);
        network.Follow(OnLink + " hop=10.0.0.200");
        Assert.InRange(network.RunUntil(A, ReachKind.PodTrafficDropped).TotalSeconds, 4, 4.2);
    }

    [Fact]
    public void A_peer_that_is_on_link_no_more_is_judged_anew_by_the_networks_routes()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(33);
        network.Follow("eth0 10.0.0.1/32 fd00:aaaa::1/64; default via 10.0.0.254 dev eth0", [OnLink]);
        network.Run(1);
        Assert.Equal(ReachKind.RoutedByNetwork, network.Of(A));
    }

    [Fact]
    public void A_verdict_says_since_when_and_how_long_an_answer_took()
    {
        ProbedNetwork network = new(delaySeconds: 0.0021);
        network.Follow(OnLink);
        Assert.Equal(default, network.Prober.Verdicts.Of(Prefix.Parse(A)));
        network.Run(30);
        network.Answering = ProbePaths.None;
        DateTimeOffset since = network.Time.GetUtcNow() + network.RunUntil(A, ReachKind.Unreachable);
        network.Run(100);
        Assert.Equal(
            new Reach(ReachKind.Unreachable, (uint)since.ToUnixTimeSeconds(), 2100), network.Prober.Verdicts.Of(Prefix.Parse(A)));
    }
}
