using System.Globalization;
using HostGw.Platform;
using HostGw.Reconciliation;
using static HostGw.Status.MetricsWriter;

namespace HostGw.Status;

/// <summary>The metrics in Prometheus' text format. What grows with the cluster is counted here, when asked for, and not in every pass.</summary>
internal static class MetricsText
{
    public static string Write(string version, PassReport? last, StatusCounters counters, ApiHealth api)
    {
        MetricsWriter metrics = new();
        metrics.Gauge("hostgw_build_info", "1, labelled with the version.", (Labels(("version", version)), 1));
        metrics.Gauge("hostgw_ready", "1 while the last pass succeeded and this node is in order.", StatusBoard.NotReady(last).Count == 0 ? 1 : 0);
        WriteApi(metrics, api);
        WritePasses(metrics, last, counters);
        WriteChanges(metrics, counters);
        if (last?.Plan is { } plan)
            PlanMetrics.Write(metrics, plan, last);
        return metrics.ToString();
    }

    private static void WriteApi(MetricsWriter metrics, ApiHealth api)
    {
        metrics.Gauge("hostgw_api_server_followed", "1 while the API server can be followed; while not, what stands stays.", api.Problem is null ? 1 : 0);
        metrics.Counter("hostgw_api_server_failures_total", "Failed attempts to list or watch nodes.", api.Failures);
        if (api.HeardAt is { } heard)
            metrics.Gauge("hostgw_api_server_heard_timestamp_seconds", "When the last list, event or bookmark came.", Seconds(heard));
        if (api.ListedAt is { } listed)
            metrics.Gauge("hostgw_nodes_listed_timestamp_seconds", "When the last full list of nodes was complete.", Seconds(listed));
        if (ulong.TryParse(api.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number))
            metrics.Gauge("hostgw_resource_version", "The latest resource version heard of; behind other agents by more than a minute of changes means a watch that lags.", number);
    }

    private static void WritePasses(MetricsWriter metrics, PassReport? last, StatusCounters counters)
    {
        metrics.Counter("hostgw_passes_total", "Passes by what caused them; one with several causes counts for each.",
            [.. counters.ByCause.Select(c => (Labels(("cause", WakeCauseNames.Of(c.Key))), (double)c.Value))]);
        metrics.Counter("hostgw_passes_failed_total", "Passes in which an operation failed.", counters.Failed);
        metrics.Counter("hostgw_operations_failed_total", "What the host refused (netlink, rules, /proc, files), by what it concerned.",
            [.. Enum.GetValues<HostPart>().Select(p => (Labels(("part", PartNames.Of(p))), (double)counters.FailuresOf(p)))]);
        metrics.Histogram("hostgw_pass_duration_seconds", "Time that passes took.", ([], counters.Durations));
        metrics.Histogram("hostgw_reaction_seconds", "From the first news (an event of the watch, a message of the kernel) to the end of the pass that changed the host for it.",
            ([("source", "nodes")], counters.NodeReactions), ([("source", "host")], counters.HostReactions));
        if (last is not null)
            metrics.Gauge("hostgw_last_pass_timestamp_seconds", "When the last pass began.", Seconds(last.At));
    }

    private static void WriteChanges(MetricsWriter metrics, StatusCounters counters)
    {
        metrics.Counter("hostgw_routes_changed_total", "Routes by what was done to them.",
            (Change("added"), counters.RoutesAdded), (Change("corrected"), counters.RoutesCorrected), (Change("removed"), counters.RoutesRemoved));
        metrics.Counter("hostgw_nat_changes_total", "Changes of the masquerade rule.", counters.NatChanges);
        Repairs repairs = counters.Repairs;
        metrics.Counter("hostgw_repairs_total", "What was put right though neither nodes nor settings had changed, by what had happened.",
            (Cause("route_removed"), repairs.RoutesRemoved), (Cause("route_changed"), repairs.RoutesChanged), (Cause("route_overwritten"), repairs.RoutesOverwritten),
            (Cause("masquerade_undone"), repairs.Masquerade), (Cause("forward_accept_undone"), repairs.ForwardAccept),
            (Cause("forwarding_off"), repairs.Forwarding), (Cause("cni_undone"), repairs.Cni));
        metrics.Counter("hostgw_netlink_writes_total", "Netlink messages sent that change something.", counters.NetlinkWrites);
    }

    private static string Change(string change) => Labels(("change", change));

    private static string Cause(string cause) => Labels(("cause", cause));

    private static double Seconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 1000.0;
}
