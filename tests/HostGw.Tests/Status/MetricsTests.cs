using System.Globalization;
using System.Text.RegularExpressions;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Architecture;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;

namespace HostGw.Tests.Status;

public class MetricsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
    private static readonly ApiHealth Followed = new(null, "42", Noon, Noon.AddSeconds(30.5), Failures: 3);

    [Fact]
    public void The_metrics_of_a_cluster_with_one_of_everything()
    {
        string text = Everything();

        Golden.Equal("tests/HostGw.Tests/Status/Golden/metrics.txt", text);
        Exposition.Parse(text);
    }

    [Fact]
    public void Before_the_first_pass_they_are_valid_too()
    {
        Dictionary<string, double> samples = Exposition.Parse(Metrics.Write("0.1.0", StatusView.Empty, new("no answer")));

        Assert.Equal(0, samples["hostgw_ready"]);
        Assert.Equal(0, samples["hostgw_pass_duration_seconds_count"]);
    }

    [Fact]
    public void Without_probes_there_are_no_metrics_of_them()
    {
        string text = Metrics.Write("0.1.0", Reports.View(Reports.InOrder()), Followed);
        Assert.DoesNotContain("hostgw_probe", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hostgw_peers", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_guards_there_are_no_drops_of_them() => Assert.DoesNotContain(
        "hostgw_guard", Metrics.Write("0.1.0", Reports.View(Reports.InOrder()), Followed), StringComparison.Ordinal);

    [Fact]
    public void Without_the_node_digest_there_are_no_metrics_of_it() => Assert.DoesNotContain(
        "hostgw_digest", Metrics.Write("0.1.0", Reports.View(Reports.InOrder()), Followed), StringComparison.Ordinal);

    [Fact]
    public void Label_values_are_escaped() =>
        Assert.Contains(
            "hostgw_build_info{version=\"a\\\\b\\\"c\\nd\"} 1\n",
            Metrics.Write("a\\b\"c\nd", StatusView.Empty, new("no answer")), StringComparison.Ordinal);

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

            string text = Metrics.Write("0.1.0", board.View, Followed);
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

    [Fact]
    public void What_was_put_right_is_counted_by_what_had_happened()
    {
        Agent agent = new();
        StatusBoard board = new();
        Board(WakeCauses.Start);
        agent.Host.Remove("10.244.2.0/24");
        agent.Host.Overwrite("10.244.3.0/24 via 10.0.0.9 dev eth0");
        agent.Host.LoseNat();
        agent.Host.State = agent.Host.State with { Forwarding = new(false, false) };
        Board(WakeCauses.Routes | WakeCauses.Nat | WakeCauses.Forwarding);

        Dictionary<string, double> samples = Samples(board);
        Assert.Equal(1, samples["hostgw_repairs_total{cause=\"route_removed\"}"]);
        Assert.Equal(1, samples["hostgw_repairs_total{cause=\"route_overwritten\"}"]);
        Assert.Equal(1, samples["hostgw_repairs_total{cause=\"masquerade_undone\"}"]);
        Assert.Equal(1, samples["hostgw_repairs_total{cause=\"forwarding_off\"}"]);
        Assert.Equal(0, samples["hostgw_repairs_total{cause=\"route_changed\"}"]);

        // A node that joins or leaves is no repair.
        agent.Nodes = agent.Nodes[..^1];
        Board(WakeCauses.Nodes);
        agent.Nodes = Agent.ThreeNodes;
        Board(WakeCauses.Nodes);
        Assert.Equal(4, Samples(board).Where(s => s.Key.StartsWith("hostgw_repairs_total", StringComparison.Ordinal)).Sum(s => s.Value));

        void Board(WakeCauses causes) => board.Record(agent.Pass(causes));
    }

    [Fact]
    public void A_pass_is_counted_in_the_bucket_of_its_time()
    {
        StatusBoard board = new();
        foreach (double seconds in (double[])[0.0005, 0.002, 0.002, 99])
            board.Record(Reports.InOrder() with { Elapsed = TimeSpan.FromSeconds(seconds) });

        Dictionary<string, double> samples = Samples(board);
        Assert.Equal(1, Bucket("0.0005"));
        Assert.Equal(1, Bucket("0.001"));
        Assert.Equal(3, Bucket("0.0025"));
        Assert.Equal(3, Bucket("10"));
        Assert.Equal(4, Bucket("+Inf"));
        Assert.Equal(99.0045, samples["hostgw_pass_duration_seconds_sum"], 1e-9);

        double Bucket(string bound) => samples[$"hostgw_pass_duration_seconds_bucket{{le=\"{bound}\"}}"];
    }

    [Theory]
    [InlineData("Nodes, Links", 1, 0)]
    [InlineData("Routes", 0, 1)]
    [InlineData("Start, Nodes", 0, 0)]
    public void The_time_from_the_news_to_the_kernel_is_counted_by_who_brought_it(string causes, int nodes, int host)
    {
        StatusBoard board = new();
        board.Record(new Agent().Pass(Enum.Parse<WakeCauses>(causes)), TimeSpan.FromMilliseconds(3));
        Dictionary<string, double> samples = Samples(board);
        Assert.Equal(nodes, samples["hostgw_reaction_seconds_bucket{source=\"nodes\",le=\"0.005\"}"]);
        Assert.Equal(host, samples["hostgw_reaction_seconds_bucket{source=\"host\",le=\"0.005\"}"]);
        Assert.Equal(0, samples["hostgw_reaction_seconds_bucket{source=\"host\",le=\"0.0025\"}"]);
    }

    [Fact]
    public void A_pass_that_changed_nothing_or_failed_is_no_reaction()
    {
        StatusBoard board = new();
        Agent agent = new();
        agent.Host.Refusal = what => what == "add 10.244.3.0/24" ? new HostRefusal("no") : null;
        board.Record(agent.Pass(), TimeSpan.FromMilliseconds(3));
        agent.Host.Refusal = _ => null;
        board.Record(agent.Pass(), TimeSpan.FromMilliseconds(3));
        board.Record(agent.Pass(), TimeSpan.FromMilliseconds(3));
        Assert.Equal(1, Samples(board)["hostgw_reaction_seconds_count{source=\"nodes\"}"]);
    }

    [Fact]
    public void Every_cause_of_a_pass_has_a_name()
    {
        WakeCauses[] causes = [.. Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None)];
        Assert.Equal(causes.Select(c => c.ToString().ToLower(CultureInfo.InvariantCulture)), causes.Select(WakeCauseNames.Of));
    }

    [Fact]
    public void The_documented_metrics_are_the_metrics() => Golden.Equal(
        "docs/metrics.md",
        MetricsPage.Of(Everything(), Text("tests/HostGw.Tests/Status/Golden/digest-metrics.txt"), Text("charts/hostgw/templates/rules.yaml")));

    private static string Text(string path) => File.ReadAllText(Repository.PathTo(path));

    private static string Everything()
    {
        StatusView view = Reports.View(Reports.First() with { Digest = new([], IsPartial: false, 42) { RenewedAt = Noon } }) with
        {
            GuardDrops = [new("port", 7), new("outer", 0), new("vni", 1), new("inner", 2), new("translated", 0), new("relayed", 0)],
        };
        return Metrics.Write("0.1.0+abc", view, Followed);
    }

    private static Dictionary<string, double> Samples(StatusBoard board) =>
        Exposition.Parse(Metrics.Write("0.1.0", board.View, Followed));
}

/// <summary>A strict reader of Prometheus' text format: names, types, escapes, no family twice, no sample twice.</summary>
internal static partial class Exposition
{
    private const string OneLabel = @"[a-z]+=""([^""\\\n]|\\[\\""n])*""";

    public static Dictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Dictionary<string, double> samples = [];
        HashSet<string> families = [];
        string family = "", type = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                family = help.Groups["name"].Value;
                type = "";
                Assert.True(families.Add(family), $"family {family} comes twice");
            }
            else if (Type().Match(line) is { Success: true } typed)
            {
                Assert.Equal(family, typed.Groups["name"].Value);
                Assert.Equal("", type);
                type = typed.Groups["type"].Value;
                Assert.True(
                    type != "counter" || family.EndsWith("_total", StringComparison.Ordinal), $"counter {family} does not end in _total");
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, $"'{line}' is no sample");
                Assert.NotEqual("", type);
                string[] suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""];
                Assert.Contains(sample.Groups["name"].Value, suffixes.Select(s => family + s));
                double value = double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture);
                Assert.True(samples.TryAdd(sample.Groups["series"].Value, value), $"'{line}' comes twice");
            }
        }
        return samples;
    }

    /// <summary>Whether the series may only grow.</summary>
    public static bool IsCounter(string text, string series)
    {
        string name = series.Split('{')[0];
        return text.Contains($"# TYPE {name} counter\n", StringComparison.Ordinal)
            || ((string[])["_count", "_sum", "_bucket"]).Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal));
    }

    [GeneratedRegex("^# HELP (?<name>hostgw_[a-z0-9_]+) [^\\\\]+$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>hostgw_[a-z0-9_]+) (?<type>counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex(@$"^(?<series>(?<name>hostgw_[a-z0-9_]+)(\{{{OneLabel}(,{OneLabel})*\}})?) (?<value>-?[0-9.]+(E[+-]?[0-9]+)?)$")]
    private static partial Regex Sample();
}
