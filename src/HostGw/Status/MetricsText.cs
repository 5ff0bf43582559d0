using System.Globalization;
using System.Text;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The metrics in Prometheus' text format.</summary>
/// <remarks>https://prometheus.io/docs/instrumenting/exposition_formats/</remarks>
internal static class MetricsText
{
    public static string Write(string version, PassReport? last, StatusCounters counters, bool followsApiServer, long writes)
    {
        var text = new StringBuilder(2048);
        Family(text, "hostgw_build_info", "gauge", "1, labelled with the version.", (Label("version", version), 1));
        Family(text, "hostgw_ready", "gauge", "1 while the last pass succeeded and this node is in order.", ("", StatusBoard.NotReady(last).Count == 0 ? 1 : 0));
        Family(text, "hostgw_api_server_followed", "gauge", "1 while the API server can be followed; while not, what stands stays.", ("", followsApiServer ? 1 : 0));
        Family(text, "hostgw_passes_total", "counter", "Passes by what caused them; one with several causes counts for each.",
            [.. counters.ByCause.Select(c => (Label("cause", WakeCauseNames.Of(c.Key)), (double)c.Value))]);
        Family(text, "hostgw_passes_failed_total", "counter", "Passes in which an operation failed.", ("", counters.Failed));
        Family(text, "hostgw_pass_duration_seconds", "summary", "Time that passes took.",
            ("_sum", counters.Elapsed.TotalSeconds), ("_count", counters.Passes));
        Family(text, "hostgw_routes_changed_total", "counter", "Routes by what was done to them.",
            (Label("change", "added"), counters.RoutesAdded), (Label("change", "corrected"), counters.RoutesCorrected), (Label("change", "removed"), counters.RoutesRemoved));
        Family(text, "hostgw_nat_changes_total", "counter", "Changes of the masquerade rule.", ("", counters.NatChanges));
        Family(text, "hostgw_netlink_writes_total", "counter", "Netlink messages sent that change something.", ("", writes));
        if (last?.Plan is { } plan)
            WritePlan(text, plan, last);
        return text.ToString();
    }

    private static void WritePlan(StringBuilder text, Plan plan, PassReport last)
    {
        Family(text, "hostgw_routes_desired", "gauge", "Routes that should stand.",
            (Label("family", "ipv4"), plan.Routes.Count(r => r.Destination.IsIPv4)), (Label("family", "ipv6"), plan.Routes.Count(r => r.Destination.IsIPv6)));
        Family(text, "hostgw_routes_conflicting", "gauge", "Routes whose place somebody else's route holds.", ("", last.Routes.Conflicts.Count));
        Family(text, "hostgw_podcidrs", "gauge", "podCIDRs of all nodes by what became of them.",
            [.. Enum.GetValues<VerdictKind>().Select(k => (Label("verdict", VerdictNames.Of(k)), (double)plan.Verdicts.Count(v => v.Kind == k)))]);
    }

    private static string Label(string name, string value) =>
        $"{{{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"}}";

    private static void Family(StringBuilder text, string name, string type, string help, params ReadOnlySpan<(string Suffix, double Value)> samples)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        foreach ((string suffix, double value) in samples)
            text.Append(name).Append(suffix).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
