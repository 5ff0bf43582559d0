using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests;

/// <summary>Alerts and the dashboard ask for what the agent says.</summary>
public sealed partial class RulesTests
{
    private static readonly string[] Alerts =
    [
        .. Chart.Object("PrometheusRule", "hostgw", "rules.enabled=true", "digest.enabled=true")["spec"]!["groups"]!.AsArray()
            .SelectMany(g => g!["rules"]!.AsArray()).Select(r => (string)r!["expr"]!),
    ];

    private static readonly JsonNode Dashboard = JsonNode.Parse((string)Chart.Object("ConfigMap", "hostgw-dashboard", "dashboard.enabled=true")["data"]!["hostgw.json"]!)!;

    private static readonly string[] Panels =
        [.. Dashboard["panels"]!.AsArray().SelectMany(p => p!["targets"]!.AsArray()).Select(t => (string)t!["expr"]!)];

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Expressions => [.. Alerts.Concat(Panels).Distinct()];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void An_expression_asks_for_metrics_and_labels_that_exist(string expression)
    {
        Match[] series = [.. Series().Matches(expression).Cast<Match>()];
        Assert.NotEmpty(series);
        foreach (Match one in series)
        {
            string name = one.Groups["name"].Value;
            Assert.True(AgentMetrics.Has(name), name);
            foreach (Match matcher in Matcher().Matches(one.Groups["labels"].Value).Cast<Match>().Where(m => m.Groups["label"].Value != "node"))
                Assert.All(matcher.Groups["value"].Value.Split('|'), v => Assert.True(AgentMetrics.Has(name, matcher.Groups["label"].Value, v), $"{name}: {matcher.Value}"));
        }
    }

    [Fact]
    public void There_are_alerts_and_panels()
    {
        Assert.True(Alerts.Length >= 17);
        Assert.True(Panels.Length >= 23);
    }

    [Fact]
    public void Panels_have_places_of_their_own()
    {
        (int X, int Y)[] cells = [.. Dashboard["panels"]!.AsArray().Select(p => p!["gridPos"]!).SelectMany(
            at => from x in Enumerable.Range((int)at["x"]!, (int)at["w"]!)
                  from y in Enumerable.Range((int)at["y"]!, (int)at["h"]!)
                  select (x, y))];
        Assert.Distinct(cells);
        Assert.All(cells, c => Assert.InRange(c.X, 0, 23));
        Assert.Distinct(Dashboard["panels"]!.AsArray().Select(p => (int)p!["id"]!));
    }

    [Fact]
    public void The_dashboard_names_no_data_source_of_its_makers() => Assert.DoesNotMatch(
        "\"uid\":\"(?!hostgw|\\$\\{datasource\\})", JsonSerializer.Serialize(Dashboard, Relaxed));

    [GeneratedRegex("""\b(?<name>hostgw_[a-z_]+)(\{(?<labels>[^}]*)\})?""")]
    private static partial Regex Series();

    [GeneratedRegex("(?<label>[a-z]+)[!=~]+\"(?<value>[^\"]*)\"")]
    private static partial Regex Matcher();
}
