using System.Globalization;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;

namespace HostGw.Tests.Status;

public class MetricsTextTests
{
    [Fact]
    public void The_metrics_of_a_cluster_with_one_of_everything()
    {
        PassReport report = Reports.First();

        string text = MetricsText.Write("0.1.0+abc", report, new StatusCounters().After(report), followsApiServer: true, writes: 7);

        Golden.Equal("tests/HostGw.Tests/Status/Golden/metrics.txt", text);
        Exposition.Parse(text);
    }

    [Fact]
    public void Before_the_first_pass_they_are_valid_too()
    {
        Dictionary<string, double> samples = Exposition.Parse(MetricsText.Write("0.1.0", null, new(), followsApiServer: false, writes: 0));

        Assert.Equal(0, samples["hostgw_ready"]);
        Assert.Equal(0, samples["hostgw_pass_duration_seconds_count"]);
    }

    [Fact]
    public void Label_values_are_escaped() =>
        Assert.Contains(
            "hostgw_build_info{version=\"a\\\\b\\\"c\\nd\"} 1\n", MetricsText.Write("a\\b\"c\nd", null, new(), followsApiServer: false, writes: 0), StringComparison.Ordinal);

    [Fact]
    public void Counters_only_grow_and_count_what_was_done()
    {
        Agent agent = new();
        StatusBoard board = new();
        Dictionary<string, double> before = [];
        for (int i = 0; i < 4; i++)
        {
            agent.Host.Refusal = what => i == 2 && what == "add 10.244.3.0/24" ? new HostRefusal("no") : null;
            if (i >= 1)
                agent.Host.Remove(i == 3 ? "10.244.2.0/24" : $"10.244.{i + 1}.0/24");
            board.Record(agent.Pass(WakeCauses.Routes | WakeCauses.Links));

            string text = MetricsText.Write("0.1.0", board.Last, board.Counters, true, agent.Host.Writes);
            Dictionary<string, double> after = Exposition.Parse(text);
            Assert.All(before.Where(s => Exposition.IsCounter(text, s.Key)), s => Assert.True(after[s.Key] >= s.Value, s.Key));
            before = after;
        }

        Assert.Equal(4, before["hostgw_pass_duration_seconds_count"]);
        Assert.Equal(4, before["hostgw_passes_total{cause=\"routes\"}"]);
        Assert.Equal(4, before["hostgw_passes_total{cause=\"links\"}"]);
        Assert.Equal(1, before["hostgw_passes_failed_total"]);
        // Two at first, one repaired, one refused; then both.
        Assert.Equal(5, before["hostgw_routes_changed_total{change=\"added\"}"]);
    }

    /// <summary>Every cause has a name, and only one.</summary>
    [Fact]
    public void Every_cause_is_a_series() =>
        Assert.Equal(
            Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None).Select(c => c.ToString().ToLower(CultureInfo.InvariantCulture)),
            Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None).Select(WakeCauseNames.Of));
}
