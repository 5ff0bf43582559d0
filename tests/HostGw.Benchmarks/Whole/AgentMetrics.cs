using System.Globalization;

namespace HostGw.Benchmarks.Whole;

/// <summary>What the agent counts of itself.</summary>
/// <param name="Resyncs">Passes whose cause was that the time for one had come.</param>
/// <param name="Reachable">podCIDRs that its probes reach.</param>
internal readonly record struct AgentMetrics(double Passes, double Resyncs, double Writes, double Reachable)
{
    public static AgentMetrics Parse(string text)
    {
        string[] lines = text.Split('\n');
        return new(
            Value(lines, "hostgw_pass_duration_seconds_count "),
            Value(lines, "hostgw_passes_total{cause=\"resync\"} "),
            Value(lines, "hostgw_netlink_writes_total "),
            Value(lines, "hostgw_peers{family=\"ipv4\",reachability=\"reachable\"} "));
    }

    public static AgentMetrics operator -(AgentMetrics a, AgentMetrics b) =>
        new(a.Passes - b.Passes, a.Resyncs - b.Resyncs, a.Writes - b.Writes, a.Reachable - b.Reachable);

    // A cause that has not occurred yet has no line.
    private static double Value(string[] lines, string start) =>
        lines.FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal)) is { } line ? double.Parse(line[start.Length..], CultureInfo.InvariantCulture) : 0;
}
