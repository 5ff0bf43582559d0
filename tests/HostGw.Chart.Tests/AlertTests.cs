using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests;

/// <summary>When the alerts on reachability, guards and the node digest fire, as Prometheus' own tool evaluates them.</summary>
public sealed class AlertTests
{
    private const string Dropped = """hostgw_peers{node="a",family="ipv4",reachability="podTrafficDropped"}""";
    private const string Unreachable = """hostgw_peers{node="a",family="ipv6",reachability="unreachable"}""";
    private const string Routed = """hostgw_peers{node="a",family="ipv4",reachability="routedByNetwork"}""";
    private const string NotAdjacent = """hostgw_podcidrs{node="a",family="ipv4",verdict="notAdjacent"}""";
    private const string Renewed = """hostgw_digest_lease_renewed_timestamp_seconds{node="a"}""";
    private const string Ready = """hostgw_ready{node="a"}""";
    private const string Rejected = """hostgw_podcidrs{node="a",family="ipv4",verdict="rejected"}""";

    private static readonly (string Name, string Value) Node = ("node", "a");

    [Theory]
    [InlineData("HostGwPodTrafficDropped", Dropped, 3, 0, false)]
    [InlineData("HostGwPodTrafficDropped", Dropped, 3, 1, true)]
    [InlineData("HostGwPodTrafficDropped", Dropped, 0, 9, false)]
    [InlineData("HostGwPeersUnreachable", Unreachable, 1, 4, false)]
    [InlineData("HostGwPeersUnreachable", Unreachable, 1, 5, true)]
    [InlineData("HostGwPeersUnreachable", Unreachable, 0, 30, false)]
    public void It_fires_when_some_peer_is_so_for_long_enough(string alert, string series, int peers, int minutes, bool fires) =>
        Check(alert, minutes, fires, [Node], (series, Always(peers)));

    [Theory]
    [InlineData("0+1x100", 29, false)]
    [InlineData("0+1x100", 31, true)]
    [InlineData("0x20 900x80", 19, false)]
    [InlineData("0x20 900x80", 45, false)]
    public void A_guard_that_drops_for_half_an_hour_is_told_of_and_one_burst_is_not(string values, int minutes, bool fires) =>
        Check("HostGwGuardDrops", minutes, fires, [Node, ("guard", "outer")], ("""hostgw_guard_drops_total{node="a",guard="outer"}""", values));

    [Theory]
    [InlineData(2, null, "notAdjacent")]
    [InlineData(2, 0, "notAdjacent")]
    [InlineData(2, 1, "notAdjacent")]
    [InlineData(2, 2, null)]
    public void A_podCIDR_without_a_route_is_told_of_unless_the_network_routes_it(int notAdjacent, int? routed, string? verdict) =>
        Check("HostGwPodCidrNotRouted", 10, verdict is not null, [Node, ("verdict", verdict ?? "")],
            [(NotAdjacent, Always(notAdjacent)), .. routed is { } known ? [(Routed, Always(known))] : ((string, string)[])[]]);

    [Fact]
    public void A_podCIDR_that_is_rejected_is_told_of_whatever_the_network_routes() =>
        Check("HostGwPodCidrNotRouted", 10, fires: true, [Node, ("verdict", "rejected")],
            (NotAdjacent, Always(1)), (Routed, Always(1)), (Rejected, Always(1)));

    // Renewed every 30 s for 10 minutes, then never; or all the time; or there is none.
    [Theory]
    [InlineData(Renewed, "0+30x20 600x80", 24, false)]
    [InlineData(Renewed, "0+30x20 600x80", 26, true)]
    [InlineData(Renewed, "0+30x100", 45, false)]
    [InlineData(Ready, "1x100", 4, false)]
    [InlineData(Ready, "1x100", 6, true)]
    public void A_digest_that_is_not_renewed_is_told_of_once(string series, string values, int minutes, bool fires) =>
        Check("HostGwDigestNotAdvancing", minutes, fires, [], (series, values));

    // Agents read the Lease every 5 minutes: what the latest reader knows counts.
    [Fact]
    public void One_agent_that_does_not_read_the_Lease_does_not_make_the_digest_old() =>
        Check("HostGwDigestNotAdvancing", 45, fires: false, [], ("""hostgw_digest_lease_renewed_timestamp_seconds{node="b"}""", Always(0)), (Renewed, "0+30x100"));

    [Theory]
    [InlineData("HostGwDigestShardsNotWritten", """hostgw_digest_shards{node="a",state="refused"}""", 2, 9, false)]
    [InlineData("HostGwDigestShardsNotWritten", """hostgw_digest_shards{node="a",state="refused"}""", 2, 10, true)]
    [InlineData("HostGwDigestShardsNotWritten", """hostgw_digest_shards{node="a",state="waiting"}""", 2, 10, true)]
    [InlineData("HostGwDigestShardsNotWritten", """hostgw_digest_shards{node="a",state="current"}""", 512, 30, false)]
    [InlineData("HostGwDigestShardRejected", """hostgw_digest_shards_rejected{node="a"}""", 1, 4, false)]
    [InlineData("HostGwDigestShardRejected", """hostgw_digest_shards_rejected{node="a"}""", 1, 5, true)]
    [InlineData("HostGwDigestShardRejected", """hostgw_digest_shards_rejected{node="a"}""", 0, 30, false)]
    [InlineData("HostGwDigestStale", """hostgw_digest_stale{node="a"}""", 1, 4, false)]
    [InlineData("HostGwDigestStale", """hostgw_digest_stale{node="a"}""", 1, 5, true)]
    [InlineData("HostGwDigestStale", """hostgw_digest_stale{node="a"}""", 0, 30, false)]
    public void What_all_agents_see_of_the_digest_is_told_of_once(string alert, string series, int value, int minutes, bool fires) =>
        Check(alert, minutes, fires, [], (series, Always(value)));

    // Every 30 s, in promtool's notation.
    private static string Always(int value) => $"{value}x100";

    /// <summary>That after this time the alert fires, once, or does not.</summary>
    /// <param name="labels">What the alert has beside severity.</param>
    private static void Check(
        string alert, int minutes, bool fires, (string Name, string Value)[] labels, params (string Series, string Values)[] given)
    {
        JsonObject rule = Chart.Object("PrometheusRule", "hostgw", "rules.enabled=true", "digest.enabled=true")["spec"]!["groups"]!.AsArray()
            .SelectMany(g => g!["rules"]!.AsArray()).Select(r => r!.AsObject()).Single(r => (string)r["alert"]! == alert);
        JsonArray expected = fires ? [Expected(rule, given[0].Values, labels)] : [];
        string folder = Directory.CreateTempSubdirectory("hostgw-alerts-").FullName;
        try
        {
            Write(folder, "rules.yaml", new() { ["groups"] = new JsonArray(new JsonObject { ["name"] = "one", ["rules"] = new JsonArray(rule.DeepClone()) }) });
            Write(folder, "test.yaml", new()
            {
                ["rule_files"] = new JsonArray("rules.yaml"),
                ["evaluation_interval"] = "30s",
                ["tests"] = new JsonArray(new JsonObject
                {
                    ["interval"] = "30s",
                    ["input_series"] = new JsonArray([.. given.Select(g => new JsonObject { ["series"] = g.Series, ["values"] = g.Values })]),
                    ["alert_rule_test"] = new JsonArray(new JsonObject { ["eval_time"] = $"{minutes}m", ["alertname"] = alert, ["exp_alerts"] = expected }),
                }),
            });
            new Tool("promtool").Run("test", "rules", Path.Combine(folder, "test.yaml"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static JsonObject Expected(JsonObject rule, string values, (string Name, string Value)[] labels)
    {
        JsonObject expected = new() { ["severity"] = (string)rule["labels"]!["severity"]! };
        string summary = ((string)rule["annotations"]!["summary"]!).Replace("{{ $value }}", values.Split('x')[0], StringComparison.Ordinal);
        foreach ((string name, string value) in labels)
        {
            expected[name] = value;
            summary = summary.Replace($"{{{{ $labels.{name} }}}}", value, StringComparison.Ordinal);
        }
        return new()
        {
            ["exp_labels"] = expected,
            ["exp_annotations"] = new JsonObject { ["summary"] = summary, ["description"] = (string)rule["annotations"]!["description"]! },
        };
    }

    private static void Write(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString());
}
