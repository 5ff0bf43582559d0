using System.Globalization;
using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Probes;

public class ProberScheduleTests
{
    private const string A = "10.244.2.0/24";
    private const string Elsewhere = "a 10.244.2.0/24 198.51.100.7";
    private const string OnLink = "a 10.244.2.0/24 10.0.0.2";
    private const ProbePaths All = ProbePaths.Node | ProbePaths.Pod;

    [Theory]
    [InlineData(1, 10, 10)]
    [InlineData(40, 10, 10)]
    [InlineData(40, 1, 1)]
    [InlineData(200, 1, 4)]
    [InlineData(600, 10, 12)]
    public void Rounds_are_spread_evenly_and_not_more_than_50_a_second(int peers, double interval, double actual)
    {
        ProbedNetwork network = new(interval);
        network.Follow(Peers(peers));
        network.Run(30);
        network.Asked.Clear();
        network.Run(10 * actual);

        // A peer that answers is asked so in each round.
        TimeSpan[] rounds = [.. network.Asked.Where(a => a.Question.Path == ProbePaths.OneHop).Select(a => a.At)];
        Assert.InRange(rounds.Length, (10 * peers) - 1, (10 * peers) + 1);
        // Those that are due within 200 ms are asked together.
        Assert.All(Enumerable.Range(0, rounds.Length), i => Assert.InRange(
            (rounds[i] - rounds[0]).TotalSeconds, (i * actual / peers) - 0.201, (i * actual / peers) + 0.201));
        Assert.All(network.Asked.Where(a => a.Question.Path == ProbePaths.OneHop).GroupBy(a => a.Question.Peer), g => Assert.InRange(g.Count(), 9, 11));
    }

    [Fact]
    public void New_peers_are_asked_first_and_at_once()
    {
        ProbedNetwork network = new(3600);
        network.Follow(Peers(10));
        network.Run(1);
        Assert.Equal(10, network.Asked.Count(a => a.Question.Path == ProbePaths.Node));
        network.Follow(Peers(12));
        network.Run(0.2);
        Assert.Equal(12, network.Asked.Count(a => a.Question.Path == ProbePaths.Node));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_large_cluster_is_met_at_50_peers_a_second(bool answers)
    {
        ProbedNetwork network = new() { Answering = answers ? All : ProbePaths.None };
        network.Follow(Peers(1000));
        network.Run(10);
        Assert.InRange(network.Asked.Select(a => a.Question.Peer).Distinct().Count(), 490, 510);
        network.Run(10.5);
        Assert.Equal(1000, network.Asked.Select(a => a.Question.Peer).Distinct().Count());
    }

    // As many changes at peers as turns, or more: each asks for a round before its turn.
    [Fact]
    public void Peers_whose_path_changes_all_the_time_do_not_take_the_others_turns()
    {
        ProbedNetwork network = new(tunnel: TunnelMode.Auto);
        network.Follow(Peers(100));
        network.Run(30);
        network.Asked.Clear();
        for (int i = 0; i < 400; i++)
        {
            for (int peer = 2; peer < 62; peer++)
                _ = network.Prober.Questioned(Ip.Parse($"10.0.0.{peer}"), ProbeFlags.WantsTunnel);
            network.Run(0.1);
        }
        // Their ten turns a second remain.
        int[] rounds = [.. network.Asked.Where(a => a.Question.Path == ProbePaths.OneHop).CountBy(a => a.Question.Peer).Select(p => p.Value)];
        Assert.Equal(100, rounds.Length);
        Assert.All(rounds, r => Assert.InRange(r, 3, int.MaxValue));
    }

    [Fact]
    public void A_cluster_that_fails_altogether_is_asked_six_times_as_often_at_most()
    {
        ProbedNetwork network = new();
        network.Follow(Peers(600));
        network.Run(30);
        network.Asked.Clear();
        network.Answering = ProbePaths.None;
        for (int second = 0; second < 30; second++)
        {
            int before = network.Asked.Count;
            network.Run(1);
            Assert.InRange(network.Asked.Count - before, 1, 310);
        }
        network.Run(20);
        network.Asked.Clear();
        network.Run(1);
        Assert.InRange(network.Asked.Count, 49, 51);
    }

    [Fact]
    public void Where_all_peers_need_the_tunnel_the_rounds_that_tell_them_so_are_not_more_than_50_a_second()
    {
        ProbedNetwork network = new(tunnel: TunnelMode.Auto);
        network.Follow(Peers(600));
        network.Run(30);
        network.Asked.Clear();
        network.Answering = ProbePaths.Node;
        for (int second = 0; second < 40; second++)
        {
            int before = network.Asked.Count;
            network.Run(1);
            // 300 rounds where five answers are missing, and 50 that tell.
            Assert.InRange(network.Asked.Skip(before).Count(a => a.Question.Path == ProbePaths.Node), 1, 350);
        }
        Assert.Equal(600, network.Asked.Where(a => a.Question.Flags == ProbeFlags.WantsTunnel).Select(a => a.Question.Peer).Distinct().Count());
        network.Asked.Clear();
        network.Run(1);
        Assert.InRange(network.Asked.Count(a => a.Question.Path == ProbePaths.Node), 49, 51);
    }

    [Fact]
    public void After_a_loss_a_peer_is_asked_again_every_0_8_seconds_until_five_are_missing()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(15);
        network.Answering = ProbePaths.None;
        network.Asked.Clear();
        network.Run(30);
        Assert.Equal(
            ["OneHop 0", "Node 0.8", "Node 1.6", "Node 2.4", "Node 3.2", "Node 4", "Node 10", "Node 20"],
            network.Asked.Take(8).Select(a => string.Create(
                CultureInfo.InvariantCulture, $"{a.Question.Path} {Math.Round((a.At - network.Asked[0].At).TotalSeconds, 2)}")));
    }

    [Fact]
    public void An_address_that_never_answers_is_asked_five_times_in_3_2_seconds_and_then_once_in_six_intervals_and_its_pods_never()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.None };
        network.Follow(Elsewhere);
        network.Run(3600);
        Assert.All(network.Asked, a => Assert.Equal(ProbePaths.Node, a.Question.Path));
        Assert.InRange(network.Asked.Count, 64, 66);
    }

    [Fact]
    public void Losses_are_found_at_the_ticks_at_which_others_are_asked()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.None, Lateness = static wake => TimeSpan.FromMilliseconds(wake % 5) };
        network.Follow(Peers(600));
        network.Run(30);
        int before = network.Wakes;
        network.Run(60);
        Assert.InRange(network.Wakes - before, 299, 301);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_asked_of_a_peer_in_every_sixth_interval_is_asked_of_a_sixth_of_them_in_each(bool answers)
    {
        ProbePaths path = answers ? ProbePaths.Echo : ProbePaths.Node;
        ProbedNetwork network = new() { Answering = answers ? All : ProbePaths.None };
        network.Follow(Peers(600));
        network.Run(30);
        for (int interval = 0; interval < 12; interval++)
        {
            network.Asked.Clear();
            network.Run(12);
            Assert.InRange(network.Asked.Count(a => a.Question.Path == path), 97, 103);
        }
    }

    // Ten whose turns follow each other, which a tick may part.
    [Fact]
    public void Absent_peers_are_asked_ten_at_a_time()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.None };
        network.Follow(Peers(600));
        network.Run(30);
        network.Asked.Clear();
        network.Run(72);
        Assert.Equal(600, network.Asked.Count);
        Assert.InRange(network.Asked.CountBy(a => a.At).Count(), 60, 120);
    }

    [Fact]
    public void A_path_that_never_answers_does_not_hasten_the_rounds_for_ever()
    {
        ProbedNetwork network = new() { Answering = ProbePaths.Node | ProbePaths.OneHop };
        network.Follow(OnLink);
        network.Run(20);
        network.Asked.Clear();
        network.Run(100);
        Assert.InRange(network.Asked.Count, 11, 12);
    }

    [Fact]
    public void Rounds_use_the_eight_source_ports_in_turn()
    {
        ProbedNetwork network = new(1);
        network.Follow(Peers(16));
        network.Run(20);
        var ofOne = network.Asked.Where(a => a.Question.Peer == 5).Select(a => a.Question).ToArray();
        Assert.Equal(
            [7, 7, 7, 0, 1, 2, 3, 4, 4, 5, 6, 7, 0, 1, 2, 2, 3], ofOne.Take(17).Select(q => q.Port));
    }

    [Fact]
    public void Addresses_are_those_of_the_way()
    {
        ProbedNetwork network = new();
        network.Follow("a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2");
        network.Run(1);
        Assert.Equal(
            [
                "Node 10.0.0.1 10.0.0.2", "Echo 10.244.1.0 10.244.2.0", "OneHop 10.244.1.0 10.244.2.254",
                "Node fd00:aaaa::1 fd00:aaaa::2", "Echo fd00:10:244:1:: fd00:10:244:2::",
                "OneHop fd00:10:244:1:: fd00:10:244:2:ffff:ffff:ffff:ffff",
            ],
            network.Asked.Select(a => $"{a.Question.Path} {a.Question.Source} {a.Question.Destination}").Order(Comparer<string>.Create(ByFamily)));

        static int ByFamily(string a, string b) => a.Contains(':', StringComparison.Ordinal).CompareTo(b.Contains(':', StringComparison.Ordinal)) is not 0 and var family
            ? family : "NEO".IndexOf(a[0], StringComparison.Ordinal).CompareTo("NEO".IndexOf(b[0], StringComparison.Ordinal));
    }

    [Fact]
    public void After_a_time_without_processor_the_missed_rounds_are_not_made_up()
    {
        ProbedNetwork network = new();
        network.Follow(Peers(100));
        network.Run(30);
        network.Asked.Clear();
        network.Time.Advance(TimeSpan.FromHours(1));
        network.Run(1);
        // Those of a tick, and those that were being asked.
        Assert.InRange(network.Asked.Count(a => a.Question.Path == ProbePaths.OneHop), 9, 15);
    }

    [Fact]
    public void Passes_during_a_storm_of_Nodes_do_not_keep_a_loss_from_being_counted()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(15);
        network.Answering = ProbePaths.Node;
        for (int i = 0; i < 150; i++)
        {
            network.Follow(OnLink, $"z{i % 7} 10.244.{10 + (i % 7)}.0/24 10.0.0.{10 + (i % 7)}");
            network.Run(0.1);
        }
        Assert.Equal(ReachKind.PodTrafficDropped, network.Of(A));
    }

    [Fact]
    public void Changes_are_signalled_at_once_and_then_once_a_second()
    {
        ProbedNetwork network = new();
        network.Follow(Peers(100));
        network.Run(5);
        Assert.InRange(network.Signals[0].TotalSeconds, 0, 0.1);
        Assert.InRange(network.Signals.Count, 3, 4);
        Assert.All(network.Signals.Zip(network.Signals.Skip(1)), pair => Assert.InRange((pair.Second - pair.First).TotalSeconds, 1, 1.1));
        network.Run(100);
        Assert.InRange(network.Signals.Count, 3, 4);
    }

    [Fact]
    public void The_wait_ends_when_a_signal_or_a_round_is_due_that_was_put_off()
    {
        ProbedNetwork network = new(3600, tunnel: TunnelMode.Auto);
        network.Follow(OnLink);
        network.Run(15);
        TimeSpan second = TimeSpan.FromSeconds(1);
        foreach (string fault in (string[])["one", "another"])
        {
            network.Prober.Report(fault);
            Assert.InRange(network.Prober.Wait, TimeSpan.Zero, second);
            _ = network.Prober.TryTake(out _);
        }
        network.Run(15);
        Assert.True(network.Prober.Wait > second);
        for (int i = 0; i < 2; i++)
        {
            _ = network.Prober.Questioned(Ip.Parse("10.0.0.2"), ProbeFlags.WantsTunnel);
            Assert.InRange(network.Prober.Wait, TimeSpan.Zero, second);
            network.Run(0.2);
        }
    }

    [Fact]
    public void A_tunnel_that_is_left_because_this_host_has_none_is_signalled()
    {
        ManualTime time = new();
        int signals = 0;
        Prober prober = new(
            new(9158, TimeSpan.FromHours(1)) { Tunnel = ProbedPair.Auto }, new(), static () => default, () => signals++, time);
        ProbeTarget target = new(Given.Node(OnLink, 0), 1, Ip.Parse("10.0.0.2"), IsOnLink: true, IsNextHop: true)
        {
            Routes = PeerRoutes.Tunnelled | PeerRoutes.Tunnel,
        };
        ProbeSource source = new(Ip.Parse("10.244.1.0"), IsHeld: true) { Tunnel = Ip.Parse("10.244.1.1") };
        foreach ((ProbeSource from, int expected) in (((ProbeSource, int)[])[(source, 0), (source with { Tunnel = default }, 1)]))
        {
            prober.Follow(new(from, default, [target], KnownAddresses.None));
            time.Advance(TimeSpan.FromSeconds(2));
            while (prober.TryTake(out _))
            {
                // Nobody answers.
            }
            Assert.Equal(expected, signals);
        }
    }

    [Fact]
    public void The_verdicts_are_the_same_instance_until_one_changes_and_the_latest_are_of_this_second()
    {
        ProbedNetwork network = new();
        network.Follow(OnLink);
        network.Run(15);
        Reachability verdicts = network.Prober.Verdicts, latest = network.Prober.Latest;
        Assert.True(verdicts.IsOn);
        Assert.Same(latest, network.Prober.Latest);
        // The latest are not made when the verdict changes.
        network.Run(30.35);
        Assert.Same(verdicts, network.Prober.Verdicts);
        Assert.NotSame(latest, network.Prober.Latest);
        network.Answering = ProbePaths.None;
        while (network.Counters[ProbeResult.Lost] < 7)
        {
            Assert.Equal(ReachKind.Reachable, network.Prober.Latest.Of(Prefix.Parse(A)).Kind);
            network.Run(0.01);
        }
        Assert.Equal(ReachKind.Unreachable, network.Prober.Latest.Of(Prefix.Parse(A)).Kind);
        Assert.NotSame(verdicts, network.Prober.Verdicts);
    }

    [Fact]
    public void Datagrams_and_round_trips_are_counted()
    {
        ProbedNetwork network = new(delaySeconds: 0.002);
        network.Follow(OnLink);
        network.Run(5);
        network.Answering = ProbePaths.None;
        network.Run(13);
        Assert.Equal((3, 6), (network.Counters[ProbeResult.Answered], network.Counters[ProbeResult.Lost]));
        Assert.Equal([0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], network.Counters.RoundTrips.Counts);
        Assert.Equal(0.004, network.Counters.RoundTrips.SumSeconds, 0.0001);
        Assert.Contains(("answered", 3), network.Counters.Datagrams);
        Assert.Equal(Enum.GetValues<ProbeResult>().Length, network.Counters.Datagrams.Length);
    }

    [Fact]
    public void A_round_allocates_nothing()
    {
        ProbedNetwork network = new();
        network.Follow(Peers(50));
        network.Run(60);
        Prober prober = network.Prober;
        TimeSpan step = TimeSpan.FromMilliseconds(200);
        byte[] bytes = new byte[ProbeDatagram.Size];
        Rounds(10);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Rounds(100);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before - Advancing(100));

        void Rounds(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Round();
                network.Time.Advance(step);
            }
        }

        void Round()
        {
            while (prober.TryTake(out ProbeQuestion question))
            {
                new ProbeDatagram(ProbeKind.Question, ProbeFlags.None, question.Peer, question.Nonce).Write(bytes);
                Assert.True(ProbeDatagram.TryRead(bytes, out ProbeDatagram datagram, out _));
                if (question.Path == ProbePaths.OneHop)
                    prober.Expired(datagram, question.Destination);
                else
                    prober.Answered(datagram with { Kind = ProbeKind.Answer }, question.Destination);
                _ = prober.Wait;
            }
        }

        // What the clock of the tests allocates.
        long Advancing(int count)
        {
            long start = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++)
                network.Time.Advance(TimeSpan.Zero);
            return GC.GetAllocatedBytesForCurrentThread() - start;
        }
    }

    [Fact]
    public void A_peer_takes_145_bytes_in_a_family_with_the_addresses_that_are_answered()
    {
        const int perIPv4 = 3 * (sizeof(uint) + sizeof(int) + 1), perIPv6 = 3 * (16 + sizeof(int) + 1);
        int state = System.Runtime.CompilerServices.Unsafe.SizeOf<ProbedPeer>();
        Assert.InRange(state + ((perIPv4 + perIPv6) / 2), 1, 145);
    }

    private static string[] Peers(int count) =>
        [.. Enumerable.Range(2, count).Select(i => $"p{i:000} 10.{244 + (i / 200)}.{i % 200}.0/24 10.0.{i / 200}.{i % 200}")];
}
