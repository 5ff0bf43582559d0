using System.Text.Json;
using System.Text.RegularExpressions;
using HostGw.Lab.Network;
using HostGw.Lab.Tests.Image;

namespace HostGw.Lab.Tests;

/// <summary>What Prometheus' own tool says of our metrics, alerts and dashboard.</summary>
public sealed partial class PrometheusTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    [Fact]
    public async Task It_has_nothing_to_say_against_the_metrics_of_a_running_agent()
    {
        await StartFirstAgentAsync();
        string metrics = await Cluster.Agent(Cluster.Node(1)).MetricsAsync();

        Assert.Contains("hostgw_reaction_seconds_bucket", metrics, StringComparison.Ordinal);
        // Complaints that are no errors end with exit code 3, which is thrown, too.
        Command.RunWithInput(metrics, "promtool", "check", "metrics");
    }

    [Fact]
    public void It_can_read_every_expression_of_the_alerts_and_the_dashboard()
    {
        string rules = File.ReadAllText(Path.Combine(BuiltImage.Repository, "charts/hostgw/templates/rules.yaml"));
        string dashboard = File.ReadAllText(Path.Combine(BuiltImage.Repository, "charts/hostgw/dashboard.json"));
        string[] expressions =
        [
            .. AlertExpression().Matches(rules).Select(m => m.Groups[1].Value),
            .. JsonDocument.Parse(dashboard).RootElement.GetProperty("panels").EnumerateArray()
                .SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!.Replace("$__rate_interval", "5m", StringComparison.Ordinal)),
        ];
        Assert.True(expressions.Length > 25);
        string list = string.Join(",\n", expressions.Select((e, i) => $"{{\"record\": \"e{i}\", \"expr\": {JsonSerializer.Serialize(e)}}}"));
        string file = Path.GetTempFileName();
        File.WriteAllText(file, $"{{\"groups\": [{{\"name\": \"all\", \"rules\": [{list}]}}]}}");
        Command.Run("promtool", "check", "rules", file);
        File.Delete(file);
    }

    [GeneratedRegex("^ +expr: (.*)$", RegexOptions.Multiline)]
    private static partial Regex AlertExpression();
}
