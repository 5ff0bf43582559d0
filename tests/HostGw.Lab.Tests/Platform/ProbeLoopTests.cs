using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Probes;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Probes on real kernels: what a network or a firewall does to packets, and what the probes make of it.</summary>
[SupportedOSPlatform("linux")]
[Trait("Speed", "slow")]
public sealed class ProbeLoopTests : IDisposable
{
    private readonly ProbeNetwork _network = new(3);

    private ProbingHost One => _network[1];

    private ProbingHost Two => _network[2];

    private ProbingHost Three => _network[3];

    public void Dispose() => _network.Dispose();

    [Fact]
    public async Task On_a_healthy_network_peers_are_reachable_in_both_families()
    {
        await AllReachableAsync();
        await Eventually.TrueAsync(() => One.Changes > 0, () => "no change was announced");

        Reach reach = One.Loop.ReadLatest().Of(Two.PodCidrIPv6);
        Assert.InRange(reach.RoundTripMicroseconds, 1u, 800_000u);
        Assert.InRange(reach.SinceSeconds, 1_700_000_000u, uint.MaxValue);
        // Both pod answers arrive, one of the peer's agent and one of its kernel, on all eight ports.
        await Eventually.TrueAsync(
            () => One.Loop.Counters.RoundTrips.Counts.Sum() >= 2 * 2 * 2 * Prober.Ports, () => string.Join(", ", One.Loop.Counters.Datagrams));
        Assert.Equal(
            (0, 0, 0), (Count(ProbeResult.NotSent), Count(ProbeResult.NotAsked), Count(ProbeResult.UnknownSender)));
        Assert.Equal("", One.Loop.Read().Fault);
    }

    [Fact]
    public async Task A_network_that_drops_pod_addresses_is_found_and_so_is_its_repair()
    {
        await AllReachableAsync();
        _network.DropPodAddresses();
        await One.BecomesAsync(Two, ReachKind.PodTrafficDropped);
        await Two.BecomesAsync(One, ReachKind.PodTrafficDropped);
        _network.DropNothing();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        await Two.BecomesAsync(One, ReachKind.Reachable);
    }

    [Fact]
    public async Task A_peers_firewall_that_drops_what_comes_from_pods_is_no_fault_of_the_network()
    {
        await AllReachableAsync();
        DropPodsAt(Two);
        await One.BecomesAsync(Two, ReachKind.ProbeFiltered);
        Assert.Equal((ReachKind.Reachable, ReachKind.Reachable), One.Of(Three));
    }

    [Fact]
    public async Task A_peers_kernel_may_answer_from_an_address_that_its_Node_does_not_list()
    {
        Two.Network.Configure([
            "address add 10.0.0.92/24 dev eth0", "address add fd00:aaaa::92/64 dev eth0 nodad",
            "route replace 10.244.1.0/24 via 10.0.0.1 dev eth0 src 10.0.0.92",
            "route replace fd00:10:244:1::/64 via fd00:aaaa::1 dev eth0 src fd00:aaaa::92",
        ]);
        DropPodsAt(Two);
        StartAll();
        await One.BecomesAsync(Two, ReachKind.ProbeFiltered);
    }

    [Fact]
    public async Task A_router_that_answers_ARP_for_a_peer_is_not_taken_for_it()
    {
        // Host 3 is that router.
        string mac = Mac(Three);
        Three.Network.Sysctl("ipv4/conf/all/send_redirects", "0");
        Three.Network.Sysctl("ipv4/conf/eth0/send_redirects", "0");
        One.Network.Configure([
            $"neigh replace 10.0.0.2 lladdr {mac} dev eth0 nud permanent", $"neigh replace fd00:aaaa::2 lladdr {mac} dev eth0 nud permanent",
        ]);
        // An answer to neighbour discovery that a router has forwarded is none.
        Two.Network.Configure([$"neigh replace fd00:aaaa::1 lladdr {Mac(One)} dev eth0 nud permanent"]);
        DropPodsAt(Two);
        StartAll();
        await One.BecomesAsync(Two, ReachKind.PodTrafficDropped);
        await Two.BecomesAsync(Three, ReachKind.ProbeFiltered);
    }

    [Fact]
    public async Task A_peer_that_does_not_forward_gets_no_packets_to_its_pods()
    {
        await AllReachableAsync();
        Two.Network.Sysctl("ipv4/ip_forward", "0");
        Two.Network.Exec("nft",
            "add table inet fw; add chain inet fw input { type filter hook input priority 0; }; add rule inet fw input ip saddr 10.244.0.0/16 drop");
        await Eventually.TrueAsync(
            () => One.Of(Two) == (ReachKind.PodTrafficDropped, ReachKind.Reachable), () => $"{One.Of(Two)}", TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task An_agent_that_ends_leaves_a_kernel_that_answers_and_one_that_never_ran_is_unknown()
    {
        One.Start();
        Two.Start();
        _network.FollowAll();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        // The refusals of host 3, which the kernel reports at the next call of a socket, make no other datagram fail.
        // Five in each family would show something of a peer that has answered before; host 2 is asked on all ports meanwhile.
        await One.CountsAsync(ProbeResult.Lost, 2 * 5);
        Assert.Equal((ReachKind.Unknown, ReachKind.Unknown), One.Of(Three));
        Assert.Equal(0, Count(ProbeResult.NotSent));

        Two.Stop();
        await One.BecomesAsync(Two, ReachKind.ProbeFiltered);
        Two.Start();
        _network.FollowAll();
        await One.BecomesAsync(Two, ReachKind.Reachable);
    }

    [Fact]
    public async Task Without_its_own_probe_address_a_host_says_nothing_about_the_network()
    {
        One.DeleteProbeAddresses();
        StartAll();
        await One.CountsAsync(ProbeResult.Answered, 24);
        Assert.Equal((ReachKind.Unknown, ReachKind.Unknown), One.Of(Two));
        One.AddProbeAddresses();
        One.Follow([One, Two, Three]);
        await One.BecomesAsync(Two, ReachKind.Reachable);
    }

    [Fact]
    public async Task A_question_that_the_host_cannot_send_says_nothing_about_the_network()
    {
        // As before the pass that repairs it.
        One.Network.Configure(["route delete local 10.244.1.0/32 dev lo table local"]);
        StartAll();
        await One.CountsAsync(ProbeResult.NotSent, 24);
        Assert.Equal(ReachKind.Unknown, One.Of(Two).IPv4);
    }

    [Fact]
    public async Task A_peer_to_whose_pods_this_host_cannot_send_any_more_is_unknown_and_its_node_is_asked_on()
    {
        await AllReachableAsync();
        One.Network.Configure(["route del 10.244.2.0/24", "route add blackhole 10.244.2.0/24"]);
        await Eventually.TrueAsync(
            () => One.Of(Two) == (ReachKind.Unknown, ReachKind.Reachable), () => $"{One.Of(Two)}", TimeSpan.FromSeconds(60));

        One.Network.Configure(["route del blackhole 10.244.2.0/24", "route add 10.244.2.0/24 via 10.0.0.2"]);
        await One.BecomesAsync(Two, ReachKind.Reachable);
    }

    [Fact]
    public async Task Behind_a_router_that_knows_pod_networks_a_peer_is_routed_by_the_network()
    {
        // Host 2 routes between two segments, and knows the pod networks on both.
        One.Network.Configure([
            "route replace 10.0.0.3/32 via 10.0.0.2", "route replace 10.244.3.0/24 via 10.0.0.2",
            "route replace fd00:aaaa::3/128 via fd00:aaaa::2", "route del fd00:10:244:3::/64",
            "route add fd00:10:244:3::/64 via fd00:aaaa::2",
        ]);
        StartAll();
        One.Follow([One, Two, Three], isOnLink: h => h == Two);
        await One.BecomesAsync(Three, ReachKind.RoutedByNetwork);
        await One.BecomesAsync(Two, ReachKind.Reachable);
    }

    [Fact]
    public async Task Forged_datagrams_are_counted_and_change_nothing()
    {
        One.Start();
        Two.Start();
        One.Follow([One, Two]);
        Two.Follow([One, Two]);
        await One.BecomesAsync(Two, ReachKind.Reachable);
        Two.Stop();

        byte[] question = Bytes(ProbeKind.Question), version2 = Bytes(ProbeKind.Question);
        version2[4] = 2;
        using Socket stranger = Three.Socket("10.0.0.3", 0), known = Two.Socket("10.0.0.2", 0), service = Two.Socket("10.0.0.2", 53);
        // While its kernel answers, a peer is asked at its probe address alone.
        using Socket responder = Two.Socket("10.244.2.0", ProbingHost.Port);
        responder.ReceiveTimeout = 60_000;
        await SendAsync(stranger, question, ProbeResult.UnknownSender);
        await SendAsync(known, question[..63], ProbeResult.Malformed);
        await SendAsync(known, [.. question, 0], ProbeResult.Malformed, 2);
        await SendAsync(known, [], ProbeResult.Malformed, 3);
        await SendAsync(known, new byte[9000], ProbeResult.Malformed, 4);
        await SendAsync(known, version2, ProbeResult.UnknownVersion);
        await SendAsync(service, question, ProbeResult.PrivilegedPort);
        await SendAsync(known, Bytes(ProbeKind.Answer), ProbeResult.NotAsked);
        Assert.Equal(0, known.Available + service.Available + stranger.Available);

        // Answers with a guessed nonce, from the right address and port, to the port that asked.
        byte[] asked = new byte[64];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        long notAsked = Count(ProbeResult.NotAsked);
        Assert.Equal(64, responder.ReceiveFrom(asked, ref from));
        Assert.True(ProbeDatagram.TryRead(asked, out ProbeDatagram datagram, out _));
        (datagram with { Kind = ProbeKind.Answer, Nonce = new(1, 2) }).Write(asked);
        responder.SendTo(asked, from);
        await One.CountsAsync(ProbeResult.NotAsked, notAsked + 1);
        await One.BecomesAsync(Two, ReachKind.ProbeFiltered);
    }

    [Fact]
    public async Task Where_the_network_drops_large_packets_agents_answer_the_short_questions_only()
    {
        Two.Start();
        Three.Start();
        _network.FollowAll();
        _network.Limit(Two, 1400);
        // The last have one byte too many for this host's interface.
        SizeQuestion[] questions =
        [
            .. One.SizeQuestions(Two), .. One.SizeQuestions(Three), .. One.SizeQuestions(Three).Select(q => q with { Mtu = 1501 }),
        ];

        IReadOnlyList<SizeAnswer> answers = await One.Network.Run(
            () => SizeProbe.AskAsync(questions, ProbingHost.Port, TestContext.Current.CancellationToken));

        Assert.Equal(
            [(true, false), (true, false), (true, true), (true, true), (true, false), (true, false)], answers.Select(a => (a.Short, a.Long)));
    }

    [Fact]
    public async Task A_host_that_answers_nothing_says_nothing_about_sizes()
    {
        IReadOnlyList<SizeAnswer> answers = await One.Network.Run(
            () => SizeProbe.AskAsync([.. One.SizeQuestions(Two)], ProbingHost.Port, TestContext.Current.CancellationToken));
        Assert.Equal([(false, false), (false, false)], answers.Select(a => (a.Short, a.Long)));
    }

    [Fact]
    public async Task A_flood_of_questions_hides_no_answer()
    {
        StartAll();
        One.Follow([One, Two]);
        Two.Follow([One, Two]);
        await One.BecomesAsync(Two, ReachKind.Reachable);
        using CancellationTokenSource end = new();
        using Socket flood = Three.Socket("10.0.0.3", 0);
        byte[] question = Bytes(ProbeKind.Question);
        Task flooding = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
                flood.SendTo(question, new IPEndPoint(IPAddress.Parse("10.0.0.1"), ProbingHost.Port));
        }, TestContext.Current.CancellationToken);
        await One.CountsAsync(ProbeResult.UnknownSender, 5000);
        long answered = Count(ProbeResult.Answered);
        await One.CountsAsync(ProbeResult.Answered, answered + 30);
        Assert.Equal((ReachKind.Reachable, ReachKind.Reachable), One.Of(Two));
        await end.CancelAsync();
        await flooding;
    }

    [Fact]
    public async Task A_taken_port_is_reported_and_tried_again_and_the_others_are_probed_meanwhile()
    {
        Socket taken = One.Socket("0.0.0.0", ProbingHost.Port), takenIPv6 = One.Socket("::", ProbingHost.Port);
        StartAll();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        Assert.Equal("Address already in use", One.Loop.Read().Fault);
        Assert.Equal((ReachKind.Unknown, ReachKind.Unknown), Two.Of(One));

        int changes = One.Changes;
        taken.Dispose();
        takenIPv6.Dispose();
        One.Time.Advance(TimeSpan.FromMinutes(1));
        await Two.BecomesAsync(One, ReachKind.Reachable);
        await Eventually.TrueAsync(() => One.Loop.Read().Fault.Length == 0 && One.Changes > changes, () => One.Loop.Read().Fault);
    }

    [Fact]
    public async Task Without_IPv6_there_are_probes_of_IPv4()
    {
        foreach (ProbingHost host in (ProbingHost[])[One, Two])
            host.Network.Sysctl("ipv6/conf/all/disable_ipv6", "1");
        StartAll();
        await Eventually.TrueAsync(
            () => One.Of(Two) == (ReachKind.Reachable, ReachKind.Unknown), () => $"{One.Of(Two)}", TimeSpan.FromSeconds(60));
    }

    private long Count(ProbeResult result) => One.Loop.Counters[result];

    private void StartAll()
    {
        One.Start();
        Two.Start();
        Three.Start();
        _network.FollowAll();
    }

    private static string Mac(ProbingHost host) => host.Network.Exec("cat", "/sys/class/net/eth0/address").Trim();

    private static void DropPodsAt(ProbingHost host) => host.Network.Exec("nft",
        "add table inet fw; add chain inet fw input { type filter hook input priority 0; }; " +
        "add rule inet fw input ip saddr 10.244.0.0/16 drop; add rule inet fw input ip6 saddr fd00:10:244::/48 drop");

    private async Task AllReachableAsync()
    {
        StartAll();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        await One.BecomesAsync(Three, ReachKind.Reachable);
        await Two.BecomesAsync(One, ReachKind.Reachable);
    }

    private async Task SendAsync(Socket from, byte[] bytes, ProbeResult counted, int times = 1)
    {
        from.SendTo(bytes, new IPEndPoint(IPAddress.Parse("10.0.0.1"), ProbingHost.Port));
        await One.CountsAsync(counted, times);
        Assert.Equal(times, Count(counted));
    }

    private static byte[] Bytes(ProbeKind kind)
    {
        byte[] bytes = new byte[ProbeDatagram.Size];
        new ProbeDatagram(kind, ProbeFlags.None, 0, new(1, 2)).Write(bytes);
        return bytes;
    }
}
