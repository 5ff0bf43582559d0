using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Status;

namespace HostGw.Chart.Tests;

/// <summary>Alerts ask for what the agent says.</summary>
public sealed partial class RulesTests
{
    private static readonly string Rules = Chart.Object("PrometheusRule", "hostgw", "rules.enabled=true").ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    [Fact]
    public void Every_metric_of_a_rule_is_one_of_the_agents()
    {
        string source = File.ReadAllText(Tool.PathTo("src/HostGw/Status/MetricsText.cs"));
        string[] names = [.. Metric().Matches(Rules).Select(m => m.Value).Distinct()];
        Assert.True(names.Length >= 6, string.Join(", ", names));
        Assert.All(names, n => Assert.Contains($"\"{n}\"", source, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_verdict_that_a_rule_leaves_out_exists()
    {
        string[] verdicts = Verdicts().Match(Rules).Groups[1].Value.Split('|');
        string[] known = [.. Enum.GetValues<VerdictKind>().Select(VerdictNames.Of)];
        Assert.Equal(4, verdicts.Length);
        Assert.All(verdicts, v => Assert.Contains(v, known));
    }

    [GeneratedRegex(@"\bhostgw_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"verdict!~\\""([A-Za-z|]+)\\""")]
    private static partial Regex Verdicts();
}
