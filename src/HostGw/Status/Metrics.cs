using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using static HostGw.Status.MetricsWriter;

namespace HostGw.Status;

/// <summary>The metrics of the agent, as text for Prometheus. What grows with the cluster is counted here, not in every pass.</summary>
internal static class Metrics
{
    private const string NoFamily = "none";

    private static readonly string[] RouteFamilies = ["ipv4", "ipv6"];
    private static readonly string[] Families = [.. RouteFamilies, NoFamily];
    private static readonly ReachKind[] ReachKinds = Enum.GetValues<ReachKind>();
    private static readonly VerdictKind[] VerdictKinds = Enum.GetValues<VerdictKind>();

    private static readonly (RouteState State, string Name, string Help)[] RouteGauges =
    [
        (RouteState.Shadowed, "hostgw_routes_shadowed",
            "Installed routes, and own podCIDRs, of which a foreign route, more specific or for a type of service, takes a part of the " +
            "packets."),
        (RouteState.Overridden, "hostgw_routes_overridden",
            "Installed routes, and own podCIDRs, that packets do not take, because of policy rules or a route that is tried before " +
            "table main."),
        (RouteState.Conflict, "hostgw_routes_conflicting",
            "Desired routes that are not installed because a foreign route is in their place."),
        (RouteState.Failed, "hostgw_routes_failed", "Desired routes that the host refused."),
        (RouteState.Missing, "hostgw_routes_missing",
            "Desired routes that are not repaired at once because another program keeps changing them."),
        (RouteState.Held, "hostgw_routes_held",
            "Desired routes that are left as they are: this node's Node object has a fault, or shards of the node digest were never " +
            "valid."),
    ];

    public static string Write(string version, StatusView view, ApiHealth api)
    {
        MetricsWriter metrics = new();
        metrics.Gauge("hostgw_build_info", "Always 1; the label is the version.", (Labels(("version", version)), 1));
        metrics.Gauge("hostgw_ready", "1 while this host is ready, that is while /readyz answers ok.",
            view.NotReady.Count == 0 ? 1 : 0);
        WriteApi(metrics, api);
        WritePasses(metrics, view.Last, view.Counters);
        WriteChanges(metrics, view.Counters);
        if (view.Last is { Plan: { } plan } last)
        {
            WriteRoutes(metrics, plan, last);
            WriteNodes(metrics, plan);
            WriteHost(metrics, plan, last);
            if (!view.GuardDrops.IsEmpty)
            {
                metrics.Counter("hostgw_guard_drops_total",
                    "Packets that the guards of probes and tunnel dropped since their rules were written; docs/security.md explains them.",
                    [.. view.GuardDrops.Select(d => (Labels(("guard", d.Guard)), (double)d.Packets))]);
            }
            if (view.Probes.Reachability.IsOn)
                WriteProbes(metrics, plan, view.Probes);
        }
        return metrics.ToString();
    }

    private static void WriteApi(MetricsWriter metrics, ApiHealth api)
    {
        metrics.Gauge("hostgw_api_server_followed", "1 while nodes can be watched; while it is 0, existing routes are kept.",
            api.Problem is null ? 1 : 0);
        metrics.Counter("hostgw_api_server_failures_total", "Failed attempts to list or watch nodes.", api.Failures);
        if (api.ReceivedAt is { } received)
        {
            metrics.Gauge("hostgw_api_server_heard_timestamp_seconds", "When the last list, event or bookmark was received.",
                Seconds(received));
        }
        if (api.ListedAt is { } listed)
        {
            metrics.Gauge("hostgw_nodes_listed_timestamp_seconds", "When the last complete list of nodes was received.",
                Seconds(listed));
        }
        if (ulong.TryParse(api.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
        {
            metrics.Gauge("hostgw_resource_version",
                "The latest resource version received; one that stays behind that of other agents means a watch that lags.", number);
        }
    }

    private static void WritePasses(MetricsWriter metrics, PassReport? last, StatusCounters counters)
    {
        metrics.Counter("hostgw_passes_total", "Passes by cause; a pass with several causes counts once for each.",
            [.. counters.ByCause.Select(c => (Labels(("cause", WakeCauseNames.Of(c.Key))), (double)c.Value))]);
        metrics.Counter("hostgw_passes_failed_total", "Passes in which an operation failed.", counters.Failed);
        metrics.Counter("hostgw_operations_failed_total",
            "Operations that the host refused (netlink, rules, /proc, files), by the part of the host.",
            [.. Enum.GetValues<HostPart>().Select(p => (Labels(("part", NameOf(p))), (double)counters.FailuresOf(p)))]);
        metrics.Histogram("hostgw_pass_duration_seconds", "How long passes took.", ([], counters.Durations));
        metrics.Histogram("hostgw_reaction_seconds",
            "From the first notification (an event of the watch, a message of the kernel) to the end of the pass that changed the host " +
            "for it.",
            ([("source", "nodes")], counters.NodeReactions), ([("source", "host")], counters.HostReactions));
        if (last is not null)
            metrics.Gauge("hostgw_last_pass_timestamp_seconds", "When the last pass began.", Seconds(last.At));
    }

    private static void WriteChanges(MetricsWriter metrics, StatusCounters counters)
    {
        metrics.Counter("hostgw_routes_changed_total", "Routes that were added, corrected or removed.",
            (Change("added"), counters.RoutesAdded), (Change("corrected"), counters.RoutesCorrected),
            (Change("removed"), counters.RoutesRemoved));
        metrics.Counter("hostgw_nat_changes_total", "Changes of the masquerade rule.", counters.NatChanges);
        Repairs repairs = counters.Repairs;
        metrics.Counter("hostgw_repairs_total", "Repairs of what was changed on the host though neither nodes nor settings had changed.",
            (Cause("route_removed"), repairs.RoutesRemoved), (Cause("route_changed"), repairs.RoutesChanged),
            (Cause("route_overwritten"), repairs.RoutesOverwritten), (Cause("masquerade_undone"), repairs.Masquerade),
            (Cause("forward_accept_undone"), repairs.ForwardAccept), (Cause("forwarding_off"), repairs.Forwarding),
            (Cause("cni_undone"), repairs.Cni), (Cause("policy_rule_undone"), repairs.PolicyRules),
            (Cause("probe_address_undone"), repairs.ProbeAddress), (Cause("tunnel_undone"), repairs.Tunnel),
            (Cause("guards_undone"), repairs.Guards));
        metrics.Counter("hostgw_netlink_writes_total", "Netlink requests sent that change something.", counters.NetlinkWrites);

        static string Change(string change) => Labels(("change", change));

        static string Cause(string cause) => Labels(("cause", cause));
    }

    private static void WriteRoutes(MetricsWriter metrics, Plan plan, PassReport report)
    {
        RouteStates routes = new(report);
        Dictionary<RouteState, int>[] counts = [.. RouteFamilies.Select(_ => new Dictionary<RouteState, int>())];
        foreach (PodRoute route in plan.Routes)
            CollectionsMarshal.GetValueRefOrAddDefault(counts[IndexOf(route.Destination)], routes.Of(route.Destination), out _)++;

        metrics.Gauge("hostgw_routes_desired", "Routes that should be installed.", ByFamily(c => c.Values.Sum()));
        metrics.Gauge("hostgw_routes_installed", "Desired routes that are installed.", ByFamily(c =>
            c.GetValueOrDefault(RouteState.Installed) + c.GetValueOrDefault(RouteState.Shadowed) +
            c.GetValueOrDefault(RouteState.Overridden)));
        foreach ((RouteState state, string name, string help) in RouteGauges)
            metrics.Gauge(name, help, ByFamily(c => c.GetValueOrDefault(state), OwnPodCidrs(state, plan, report)));

        (string, double)[] ByFamily(Func<Dictionary<RouteState, int>, int> count, params IEnumerable<Prefix> more) =>
        [
            .. RouteFamilies.Select((family, i) =>
                (Labels(("family", family)), (double)(count(counts[i]) + more.Count(p => IndexOf(p) == i)))),
        ];
    }

    // HostGw has no routes to them, but others may take their packets all the same.
    private static IEnumerable<Prefix> OwnPodCidrs(RouteState state, Plan plan, PassReport report)
    {
        IEnumerable<Prefix> taken = state switch
        {
            RouteState.Shadowed => report.Routes.Shadows.Select(s => s.Route.Destination),
            RouteState.Overridden => report.Result.Overrides.SelectMany(o => o.Affected),
            _ => [],
        };
        return taken.Where(d => !plan.Wants(d)).Distinct();
    }

    private static void WriteNodes(MetricsWriter metrics, Plan plan)
    {
        int[,] podCidrs = new int[Families.Length, VerdictKinds.Length];
        int[] nodes = new int[VerdictKinds.Length];
        VerdictKind worst = default;
        for (int i = 0; i < plan.Verdicts.Length; i++)
        {
            Verdict verdict = plan.Verdicts[i];
            podCidrs[IndexOf(verdict.PodCidr), (int)verdict.Kind]++;
            // The verdicts of one node follow each other.
            bool isFirst = i == 0 || plan.Verdicts[i - 1].Node != verdict.Node;
            bool isLast = i == plan.Verdicts.Length - 1 || plan.Verdicts[i + 1].Node != verdict.Node;
            worst = isFirst || verdict.Kind > worst ? verdict.Kind : worst;
            nodes[(int)worst] += isLast ? 1 : 0;
        }
        // Only a podCIDR that is missing or is no CIDR has no family.
        metrics.Gauge("hostgw_podcidrs", "podCIDRs of all nodes by verdict.",
            [.. from kind in VerdictKinds
                from family in kind is VerdictKind.NoPodCidr ? [NoFamily] : kind is VerdictKind.Rejected ? Families : RouteFamilies
                let count = podCidrs[Families.IndexOf(family), (int)kind]
                select (Labels(("family", family), ("verdict", VerdictNames.Of(kind))), (double)count)]);
        metrics.Gauge("hostgw_tunnelled_peers", "podCIDRs of peers whose packets take the tunnel.",
            [.. RouteFamilies.Select((family, i) =>
                (Labels(("family", family)), (double)plan.Verdicts.Count(v => v.Tunnel is not null && IndexOf(v.PodCidr) == i)))]);
        metrics.Gauge("hostgw_nodes", "Nodes by the worst verdict of their podCIDRs.",
            [.. VerdictKinds.Select(k => (Labels(("verdict", VerdictNames.Of(k))), (double)nodes[(int)k]))]);
    }

    private static void WriteHost(MetricsWriter metrics, Plan plan, PassReport last)
    {
        metrics.Gauge("hostgw_problems", "Problems of this host; `hostgw status` lists them.", ProblemCatalog.Texts(last).Count());
        metrics.Gauge("hostgw_removals_held",
            "Routes that are kept although they would be removed: most of HostGw's at once (until a quorum read), or while shards of the " +
            "node digest were never valid; then also those that lead to no Node in it.",
            last.HeldRemovals?.Routes ?? 0);
        if (last.Digest is { } digest)
            WriteDigest(metrics, digest);
        metrics.Gauge("hostgw_nat_info", "Always 1; the label is the backend of the masquerade rule.",
            (Labels(("backend", RuleStatus.NatBackend(plan, last))), 1));
        string[] rules = [.. Enum.GetValues<RuleState>().Select(s => s.Name())];
        metrics.State("hostgw_nat_state", "1 for the present state of the masquerade rule.",
            RuleStatus.OfNat(plan, last).State.Name(), rules);
        metrics.State("hostgw_forward_accept_state", "1 for the present state of the rules that accept pods' packets in chain FORWARD.",
            RuleStatus.OfForward(plan, last).State.Name(), rules);
        metrics.State("hostgw_cni_state", "1 for the present state of HostGw's CNI configuration.",
            RuleStates.OfCni(plan, last).Name(), [.. Enum.GetValues<CniState>().Select(s => s.Name())]);
        metrics.Gauge("hostgw_forwarding", "1 while this host forwards packets of the family.",
            [.. Forwarding("ipv4", last.Changes.Forwarding.IPv4), .. Forwarding("ipv6", last.Changes.Forwarding.IPv6)]);

        static IEnumerable<(string, double)> Forwarding(string family, bool? isOn) =>
            isOn is { } known ? [(Labels(("family", family)), known ? 1 : 0)] : [];
    }

    private static void WriteDigest(MetricsWriter metrics, DigestHealth digest)
    {
        metrics.Gauge("hostgw_digest_shards_rejected", "Shards of the node digest that are not used as they are.", digest.Rejected.Length);
        metrics.Gauge("hostgw_digest_stale", "1 while the node digest is not renewed.", digest.Stale is null ? 0 : 1);
        if (digest.RenewedAt is { } at)
            metrics.Gauge("hostgw_digest_lease_renewed_timestamp_seconds", "When the node digest last renewed its Lease.", Seconds(at));
    }

    private static void WriteProbes(MetricsWriter metrics, Plan plan, ProbeStatus probes)
    {
        int[,] counts = new int[RouteFamilies.Length, ReachKinds.Length];
        foreach (Verdict verdict in plan.Verdicts)
        {
            if (probes.Reachability.Of(verdict) is { } reach)
                counts[IndexOf(verdict.PodCidr), (int)reach.Kind]++;
        }
        metrics.Gauge("hostgw_peers", "podCIDRs of the peers that are probed, by what the probes say; docs/networks.md explains it.",
            [.. from family in RouteFamilies
                from kind in ReachKinds
                let count = counts[RouteFamilies.IndexOf(family), (int)kind]
                select (Labels(("family", family), ("reachability", ReachNames.Of(kind))), (double)count)]);
        metrics.Counter("hostgw_probe_datagrams_total", "Datagrams of probes, by what became of them.",
            [.. probes.Datagrams.Select(d => (Labels(("result", d.Result)), (double)d.Count))]);
        metrics.Histogram("hostgw_probe_round_trip_seconds", "From a probe between pod addresses to its answer.", ([], probes.RoundTrips));
    }

    // Its index in Families.
    private static int IndexOf(Prefix prefix) => prefix.IsNone ? 2 : prefix.IsIPv4 ? 0 : 1;

    private static double Seconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 1000.0;

    private static string NameOf(HostPart part) => part switch
    {
        HostPart.State => "state",
        HostPart.ForwardingIPv4 => "forwarding_ipv4",
        HostPart.ForwardingIPv6 => "forwarding_ipv6",
        HostPart.NeighbourThresholds => "neighbour_thresholds",
        HostPart.Neighbours => "neighbours",
        HostPart.Nat => "nat",
        HostPart.Forward => "forward_accept",
        HostPart.Routes => "routes",
        HostPart.PolicyRules => "policy_rules",
        HostPart.ProbeAddress => "probe_address",
        HostPart.Guards => "guards",
        HostPart.Tunnel => "tunnel",
        HostPart.Ownership => "ownership",
        HostPart.PodNetwork => "pod_network",
        _ => "cni",
    };
}

/// <summary>Writes metrics in Prometheus' text format.</summary>
/// <remarks>https://prometheus.io/docs/instrumenting/exposition_formats/</remarks>
internal sealed class MetricsWriter
{
    private readonly StringBuilder _text = new(12 * 1024);

    public void Gauge(string name, string help, double value) => Gauge(name, help, ("", value));

    public void Gauge(string name, string help, params ReadOnlySpan<(string Labels, double Value)> samples) =>
        WriteFamily(name, "gauge", help, samples);

    public void Counter(string name, string help, double value) => Counter(name, help, ("", value));

    public void Counter(string name, string help, params ReadOnlySpan<(string Labels, double Value)> samples) =>
        WriteFamily(name, "counter", help, samples);

    /// <summary>One series for each possible state: 1 for the current one, 0 for the others.</summary>
    public void State(string name, string help, string current, ReadOnlySpan<string> all)
    {
        WriteHead(name, "gauge", help);
        foreach (string state in all)
            WriteSample(name, Labels(("state", state)), state == current ? 1 : 0);
    }

    public void Histogram(
        string name, string help, params ReadOnlySpan<((string Name, string Value)[] Labels, Histogram Histogram)> series)
    {
        WriteHead(name, "histogram", help);
        foreach (((string Name, string Value)[] labels, Histogram histogram) in series)
        {
            long cumulative = 0;
            for (int i = 0; i < histogram.Bounds.Length; i++)
            {
                cumulative += histogram.Counts[i];
                WriteSample($"{name}_bucket", Labels([.. labels, ("le", Number(histogram.Bounds[i]))]), cumulative);
            }
            WriteSample($"{name}_bucket", Labels([.. labels, ("le", "+Inf")]), histogram.Count);
            WriteSample($"{name}_sum", Labels(labels), histogram.SumSeconds);
            WriteSample($"{name}_count", Labels(labels), histogram.Count);
        }
    }

    public static string Labels(params ReadOnlySpan<(string Name, string Value)> labels)
    {
        if (labels.IsEmpty)
            return "";
        var text = new StringBuilder("{");
        foreach ((string name, string value) in labels)
            text.Append(text.Length > 1 ? "," : "").Append(name).Append("=\"").Append(Escape(value)).Append('"');
        return text.Append('}').ToString();
    }

    public override string ToString() => _text.ToString();

    private void WriteFamily(string name, string type, string help, ReadOnlySpan<(string Labels, double Value)> samples)
    {
        WriteHead(name, type, help);
        foreach ((string labels, double value) in samples)
            WriteSample(name, labels, value);
    }

    private void WriteHead(string name, string type, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    private void WriteSample(string name, string labels, double value) =>
        _text.Append(name).Append(labels).Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
