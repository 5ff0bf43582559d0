using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

public class ProberPathTests
{
    private static readonly TunnelPolicy Off = new();
    private static readonly TunnelPolicy Always = new() { Mode = TunnelMode.Always };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Packets_take_the_tunnel_within_20_seconds_after_the_network_begins_to_drop_them_and_both_ends_change_together(bool isIPv6)
    {
        for (double start = 0; start < 10; start += 0.7)
        {
            ProbedPair pair = new(isIPv6: isIPv6);
            pair.Start();
            pair.Run(start);
            pair.DropsPods = static _ => true;
            Assert.InRange(pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled), 4, 20);
            Assert.InRange(pair.Apart, 0, 1);
            Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Tunnel), (e.Reach.Kind, e.Reach.Path)));
            pair.Run(20);
            Assert.All(pair.Ends, e => Assert.Equal(ReachKind.PodTrafficDropped, e.Reach.Native));
        }
    }

    [Fact]
    public void A_network_that_drops_packets_every_other_minute_causes_one_change()
    {
        ProbedPair pair = new();
        pair.Start();
        for (int minute = 0; minute < 20; minute++)
        {
            pair.DropsPods = minute % 2 == 0 ? static _ => true : static _ => false;
            pair.Run(60);
        }
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
        Assert.All(pair.Ends, e => Assert.True(e.IsTunnelled));
    }

    [Fact]
    public void After_the_network_has_healed_both_ends_go_back_together_when_the_native_path_has_answered_for_300_seconds()
    {
        for (double start = 0; start < 10; start += 0.9)
        {
            ProbedPair pair = ProbedPair.Tunnelled();
            pair.Run(30 + start);
            pair.DropsPods = static _ => false;
            Assert.InRange(pair.RunUntil(() => !pair.A.IsTunnelled && !pair.B.IsTunnelled), 300, 325);
            Assert.InRange(pair.Apart, 0, 1);
            pair.Run(1000);
            Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Native), (e.Reach.Kind, e.Reach.Path)));
            Assert.All(pair.Ends, e => Assert.Equal(2, e.Changes.Count));
            Assert.All(pair.Ends, e => Assert.False(e.HasLink));
        }
    }

    [Fact]
    public void A_loss_on_the_native_path_begins_the_300_seconds_again()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.DropsPods = static _ => false;
        pair.Run(280);
        pair.DropsPods = static _ => true;
        pair.Run(10.5);
        pair.DropsPods = static _ => false;
        pair.Run(290);
        Assert.All(pair.Ends, e => Assert.True(e.IsTunnelled));
        pair.Run(40);
        Assert.All(pair.Ends, e => Assert.False(e.IsTunnelled));
    }

    // A network that looks at the source alone lets 'time exceeded' through, which a node address sends: one end alone sees the fault.
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void Packets_that_are_dropped_in_one_direction_make_both_ends_use_the_tunnel(bool fromA, bool bySource)
    {
        ProbedPair pair = new() { DropsBySource = bySource };
        pair.Start();
        pair.DropsPods = e => (e == pair.A) == fromA;
        Assert.InRange(pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled), 4, 20);
        Assert.InRange(pair.Apart, 0, 1);
        pair.Run(600);
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
        pair.DropsPods = static _ => false;
        Assert.InRange(pair.RunUntil(() => !pair.A.IsTunnelled && !pair.B.IsTunnelled), 300, 325);
        Assert.InRange(pair.Apart, 0, 1);
    }

    [Fact]
    public void Where_the_tunnel_is_blocked_the_native_route_stays_and_both_ways_are_compared()
    {
        ProbedPair pair = new() { DropsTunnel = static _ => true };
        pair.Start();
        pair.DropsPods = static _ => true;
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Equal((ReachKind.PodTrafficDropped, PeerPath.Compared), (e.Reach.Kind, e.Reach.Path)));
        Assert.All(pair.Ends, e => Assert.Empty(e.Changes));
        Assert.All(pair.Ends, e => Assert.InRange(PerMinute(pair, e), 20, 35));

        pair.DropsPods = static _ => false;
        pair.Run(290);
        Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Compared), (e.Reach.Kind, e.Reach.Path)));
        pair.Run(340);
        Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Native), (e.Reach.Kind, e.Reach.Path)));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_tunnel_that_works_in_one_direction_only_is_not_used(bool fromA, bool fromB)
    {
        ProbedPair pair = new();
        pair.DropsTunnel = e => e == pair.A ? fromA : fromB;
        pair.Start();
        pair.DropsPods = static _ => true;
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Empty(e.Changes));
        Assert.All(pair.Ends, e => Assert.InRange(PerMinute(pair, e), 20, 60));
    }

    [Fact]
    public void A_tunnel_that_fails_is_left_at_once_if_the_native_path_is_good()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.DropsPods = static _ => false;
        pair.Run(30);
        pair.DropsTunnel = static _ => true;
        Assert.InRange(pair.RunUntil(() => !pair.A.IsTunnelled && !pair.B.IsTunnelled), 4, 20);
        Assert.InRange(pair.Apart, 0, 10);
        pair.Run(1000);
        Assert.All(pair.Ends, e => Assert.Equal((2, PeerPath.Native), (e.Changes.Count, e.Reach.Path)));
    }

    // The end that the network looks at sees the fault, and the other one hears 'time exceeded' as before.
    [Fact]
    public void What_answered_before_the_tunnel_is_no_reason_to_leave_it()
    {
        ProbedPair pair = new() { DropsBySource = true };
        pair.Start();
        pair.DropsPods = e => e == pair.A;
        pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled);
        pair.DropsTunnel = static _ => true;
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
    }

    [Fact]
    public void Where_both_ways_fail_the_tunnel_stays()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.DropsTunnel = static _ => true;
        pair.Run(300);
        Assert.All(pair.Ends, e => Assert.Equal(
            (ReachKind.PodTrafficDropped, ReachKind.PodTrafficDropped, PeerPath.Tunnel), (e.Reach.Kind, e.Reach.Native, e.Reach.Path)));
        pair.DropsTunnel = static _ => false;
        pair.Run(20);
        Assert.All(pair.Ends, e => Assert.Equal(ReachKind.Reachable, e.Reach.Kind));
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_without_a_tunnel_gets_none(bool isSilent)
    {
        ProbedPair pair = new(b: Off) { DropsPods = static _ => true };
        pair.B.IsSilent = isSilent;
        pair.Start();
        pair.Run(300);
        Assert.Equal(
            isSilent ? (ReachKind.Unknown, PeerPath.Native) : (ReachKind.PodTrafficDropped, PeerPath.Compared),
            (pair.A.Reach.Kind, pair.A.Reach.Path));
        Assert.Equal(PeerPath.Undecided, pair.B.Reach.Path);
        Assert.All(pair.Ends, e => Assert.Empty(e.Changes));
        Assert.All(pair.B.Asked, q => Assert.Equal(ProbeFlags.None, q.Flags));
        Assert.InRange(PerMinute(pair, pair.B), 6, 25);
    }

    [Fact]
    public void A_firewall_on_the_peer_needs_no_tunnel()
    {
        ProbedPair pair = new();
        pair.B.FiltersPods = true;
        pair.Start();
        pair.Run(300);
        Assert.Equal((ReachKind.ProbeFiltered, PeerPath.Native), (pair.A.Reach.Kind, pair.A.Reach.Path));
        Assert.All(pair.Ends, e => Assert.False(e.HasLink));
    }

    [Fact]
    public void With_the_mode_always_packets_take_the_tunnel_at_once_and_a_peer_with_auto_follows()
    {
        ProbedPair pair = new(a: Always);
        pair.A.Start();
        pair.Run(0.2);
        Assert.True(pair.A.IsTunnelled);
        pair.B.Start();
        Assert.InRange(pair.RunUntil(() => pair.B.IsTunnelled), 0, 5);
        pair.Run(1000);
        Assert.All(pair.Ends, e => Assert.Equal(
            (ReachKind.Reachable, ReachKind.Reachable, PeerPath.Tunnel), (e.Reach.Kind, e.Reach.Native, e.Reach.Path)));
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));

        pair.A.IsRefused = true;
        pair.A.Wake();
        pair.Run(10);
        Assert.Equal(PeerPath.Tunnel, pair.A.Reach.Path);
        pair.A.IsRefused = false;
        pair.A.Start(ProbedPair.Auto);
        pair.Run(400);
        Assert.All(pair.Ends, e => Assert.False(e.IsTunnelled));
    }

    [Fact]
    public void A_tunnel_that_this_host_refuses_is_left()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.A.IsRefused = true;
        pair.A.Wake();
        pair.Run(60);
        Assert.Equal((ReachKind.PodTrafficDropped, PeerPath.Compared), (pair.A.Reach.Kind, pair.A.Reach.Path));
        pair.A.IsRefused = false;
        pair.A.Wake();
        pair.Run(60);
        Assert.All(pair.Ends, e => Assert.True(e.IsTunnelled));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_link_that_does_not_come_up_again_carries_nothing(bool isNativeGood)
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.DropsPods = _ => !isNativeGood;
        pair.Run(30);
        pair.A.LinkFails = true;
        pair.A.Wake();
        pair.Run(60);
        Assert.Equal(
            isNativeGood ? (ReachKind.Reachable, PeerPath.Compared) : (ReachKind.PodTrafficDropped, PeerPath.Tunnel),
            (pair.A.Reach.Kind, pair.A.Reach.Path));
        pair.A.LinkFails = false;
        pair.A.Wake();
        pair.Run(60);
        Assert.All(pair.Ends, e => Assert.Equal(ReachKind.Reachable, e.Reach.Kind));
    }

    [Fact]
    public void Questions_say_what_they_should_and_are_asked_only_where_they_are_needed()
    {
        ProbedPair pair = new();
        pair.Start();
        Assert.All(pair.A.Asked, q => Assert.Equal((ProbeFlags.None, false), (q.Flags, q.Path == ProbePaths.Tunnel)));
        pair.DropsPods = static _ => true;
        pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled);
        pair.Run(30);
        pair.A.Asked.Clear();
        pair.Run(10);
        Assert.Equal(
            [
                "Node 10.0.0.1 10.0.0.2 TunnelsToYou, WantsTunnel", "Echo 10.244.1.0 10.244.2.0 TunnelsToYou, WantsTunnel",
                "Tunnel 10.244.1.1 10.244.2.1 ThroughTunnel, TunnelsToYou, WantsTunnel",
            ],
            pair.A.Asked.Select(q => $"{q.Path} {q.Source} {q.Destination} {q.Flags}"));
    }

    [Fact]
    public void A_round_through_the_tunnel_allocates_nothing()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        Prober prober = pair.A.Prober;
        pair.Run(60);
        pair.A.Stop();
        TimeSpan step = TimeSpan.FromMilliseconds(500);
        Rounds(50);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Rounds(200);
        long rounds = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
            pair.Time.Advance(step);
        Assert.Equal(GC.GetAllocatedBytesForCurrentThread() - before, rounds);
        Assert.Equal(ReachKind.Reachable, pair.A.Reach.Kind);

        void Rounds(int count)
        {
            for (int i = 0; i < count; i++)
            {
                pair.Time.Advance(step);
                _ = prober.Questioned(Ip.Parse("10.244.2.1"), (ProbeFlags)(i % 8));
                while (prober.TryTake(out ProbeQuestion question))
                {
                    ProbeDatagram answer = new(ProbeKind.Answer, (ProbeFlags)6, question.Peer, question.Nonce);
                    prober.Answered(answer, question.Path == ProbePaths.Echo ? Ip.Parse("10.244.2.2") : question.Destination);
                }
            }
        }
    }

    [Fact]
    public void What_this_host_cannot_send_through_the_tunnel_makes_it_unknown_and_changes_no_path()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.A.Unsendable = ProbePaths.Tunnel;
        pair.DropsPods = static _ => false;
        pair.Run(30);
        Assert.Equal((ReachKind.Reachable, ReachKind.Reachable), (pair.A.Reach.Kind, pair.A.Reach.Native));
        pair.DropsPods = static _ => true;
        pair.Run(30);
        Assert.Equal(
            (ReachKind.Unknown, true, ReachKind.PodTrafficDropped, PeerPath.Tunnel),
            (pair.A.Reach.Kind, pair.A.Reach.IsUnsendable, pair.A.Reach.Native, pair.A.Reach.Path));
    }

    [Fact]
    public void What_this_host_cannot_send_natively_is_no_reason_to_leave_the_tunnel()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.DropsPods = static _ => false;
        pair.Run(30);
        (pair.A.Unsendable, pair.DropsPods, pair.DropsTunnel) = (ProbePaths.Echo, static _ => true, static _ => true);
        pair.Run(30);
        Assert.Equal((ReachKind.Unknown, PeerPath.Tunnel), (pair.A.Reach.Native, pair.A.Reach.Path));
    }

    // A Node that lists its address as well, which the planner does not use then.
    [Fact]
    public void A_Node_that_lists_a_peers_address_does_not_change_the_peers_path()
    {
        ProbedPair pair = ProbedPair.Tunnelled(hostile: "x 10.244.9.0/24 10.0.0.9,10.0.0.1,10.0.0.2 age=9");
        pair.DropsPods = static _ => false;
        pair.Run(250);
        Assert.All(pair.Ends, e => Assert.True(e.IsTunnelled));
        pair.Run(100);
        Assert.All(pair.Ends, e => Assert.False(e.IsTunnelled));
    }

    // From an address that the peer has, as a node on the segment can forge it.
    [Fact]
    public void Forged_questions_change_nothing_and_cause_two_rounds_a_second_at_most()
    {
        ProbedPair pair = new();
        pair.Start();
        pair.A.Asked.Clear();
        for (int i = 0; i < 6000; i++)
        {
            pair.A.Prober.Questioned(pair.B.Node.InternalIPs[0], (ProbeFlags)(i % 8));
            pair.Run(0.01);
        }
        Assert.InRange(pair.A.Asked.Count(q => q.Path == ProbePaths.Node), 60, 130);
        Assert.All(pair.Ends, e => Assert.Equal((PeerPath.Native, false), (e.Reach.Path, e.HasLink)));
    }

    private static double PerMinute(ProbedPair pair, ProbedEnd end)
    {
        end.Asked.Clear();
        pair.Run(60);
        return end.Asked.Count;
    }
}
