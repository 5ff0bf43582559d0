using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Reports of passes over a cluster in which there is one of everything.</summary>
internal static class Reports
{
    public const string Host = Given.Lan + "; 10.244.4.0/24 via 10.0.0.99 dev eth0 proto 12; resolver 10.244.9.53; " +
        "hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp";

    public static readonly string[] Nodes =
    [
        Given.Self,
        "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2",
        "c 10.244.3.0/24 10.0.0.3 windows",
        "d 10.244.4.0/24 10.0.0.4",
        "e - 10.0.0.5",
        "f 10.244.6.0/24 192.0.2.6",
        "g rubbish 10.0.0.7",
        "h 10.244.8.0/24 10.0.0.8 skip",
        "i 10.244.9.0/24 10.0.0.9",
        "j 10.244.10.0/24 10.0.0.254",
        "k 10.244.11.0/24 192.0.2.11",
        "l 10.244.12.0/24 10.0.0.12",
        "m 10.244.13.0/24 10.0.0.13",
        "n 10.244.14.0/24 192.0.2.14",
        "o 10.244.15.0/24 10.0.0.15",
    ];

    private static readonly string[] TunnelledPeers = ["10.244.14.0/24", "10.244.15.0/24"];

    /// <summary>One verdict of the probes of each kind; unknown of those that are not named.</summary>
    public static Reachability Probed { get; } = Of(
        ("10.244.2.0/24", ReachKind.Reachable, 310u), ("fd00:10:244:2::/64", ReachKind.ProbeFiltered, 0u),
        ("10.244.11.0/24", ReachKind.RoutedByNetwork, 12_345u), ("10.244.12.0/24", ReachKind.PodTrafficDropped, 0u),
        ("10.244.13.0/24", ReachKind.Unreachable, 290u), ("10.244.14.0/24", ReachKind.Reachable, 410u),
        ("10.244.15.0/24", ReachKind.Reachable, 420u));

    public static ProbeStatus Probes { get; } = new(
        Probed,
        [
            ("sent", 700), ("not_sent", 1), ("answered", 650), ("lost", 49), ("echoed", 640), ("malformed", 2), ("unknown_version", 3),
            ("unknown_sender", 4), ("privileged_port", 5), ("rate_limited", 6), ("not_asked", 7),
        ],
        new([0, 20, 300, 250, 40, 20, 10, 5, 3, 1, 1, 0, 0], 0.4)
        {
            Bounds = [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.5, 1],
        });

    public static Agent Agent() =>
        new("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 tunnel=auto", Host) { Nodes = Nodes, Reachability = Probed };

    /// <summary>The first pass, in which "add 10.244.3.0/24" was refused.</summary>
    public static PassReport First()
    {
        Agent agent = Agent();
        agent.Host.Refusal = what =>
            what == "add 10.244.3.0/24" ? new HostRefusal("add route 10.244.3.0/24: Network is unreachable") : null;
        return agent.Pass(WakeCauses.Start | WakeCauses.Nodes) with { Elapsed = TimeSpan.FromMilliseconds(1.25), Reachability = Probed };
    }

    /// <summary>Verdicts that began on 2026-01-02 at 02:00.</summary>
    public static Reachability Of(params ReadOnlySpan<(string PodCidr, ReachKind Kind, uint Microseconds)> verdicts)
    {
        const uint Since = 1_767_319_200;
        List<(Prefix, Reach)> all = [];
        foreach ((string podCidr, ReachKind kind, uint microseconds) in verdicts)
            all.Add((Prefix.Parse(podCidr), new(kind, Since, microseconds)
            {
                Path = TunnelledPeers.Contains(podCidr) ? PeerPath.Tunnel : PeerPath.Native,
                Native = ReachKind.PodTrafficDropped,
            }));
        return new(all);
    }

    /// <summary>A Windows node whose pod network answered, and answers no more since 2026-01-02 at 02:00.</summary>
    public static Reachability Silent(params IEnumerable<string> podCidrs) =>
        new(podCidrs.Select(p => (Prefix.Parse(p), new Reach(ReachKind.Unknown, 1_767_319_200, 0) { PodsFellSilent = true })));

    public static PassReport Failed(string why) => new()
    {
        At = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Causes = WakeCauses.Retry,
        Result = new() { Failures = [new(HostPart.State, "read the host", null, new HostRefusal(why))] },
    };

    public static PassReport InOrder() => new Agent().Pass();

    /// <summary>What the status shows after this pass, which was the first; null: after none.</summary>
    public static StatusView View(PassReport? report) =>
        report is null ? StatusView.Empty : StatusView.Empty with
        {
            Last = report,
            Counters = new StatusCounters().After(report),
            Probes = report.Reachability.IsOn ? Probes : ProbeStatus.Off,
        };

    /// <summary>The same pass, had it left the host so.</summary>
    public static PassReport With(this PassReport report, ForwardingState forwarding) => report with
    {
        Changes = report.Changes with
        {
            Host = report.Changes.Host with { Forwarding = forwarding },
            EnableForwardingIPv4 = false,
            EnableForwardingIPv6 = false,
        },
    };
}
