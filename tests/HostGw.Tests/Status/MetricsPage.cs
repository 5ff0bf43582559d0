using System.Text;
using System.Text.RegularExpressions;

namespace HostGw.Tests.Status;

/// <summary>docs/metrics.md, made of the help texts of the metrics and of the chart's alert rules.</summary>
internal static partial class MetricsPage
{
    private const string Head = """
        # Metrics

        The agent serves them in Prometheus' text format at `/metrics` of the setting `listen`; [configure.md](configure.md) says how to
        have them collected. `charts/hostgw/dashboard.json` is a Grafana dashboard of them; `rules.enabled` of the chart makes
        the [alerts](#alerts). Queries, dashboard and alerts use a label `node`, which the chart's monitor adds; where it does not collect them, add

        ```yaml
        relabel_configs:
          - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
        ```

        They contain no secrets, and the number of series does not depend on the number of nodes. In a quiet cluster they change
        only once a minute.

        | Metric | Type | Labels | Meaning |
        |---|---|---|---|

        """;

    private const string Notes = """

        ## How to read them

        - **How old is the information of the agent?** `time() - hostgw_api_server_heard_timestamp_seconds`. The API server
          sends a bookmark about every minute, also when nothing changes.
        - **Does one agent lag behind the others?** `max(hostgw_resource_version) - hostgw_resource_version`. Agents are
          compared with each other because the API server has no such metric. The series is missing if resource versions are
          not numbers.
        - **How long until a change is in the kernel?**
          `histogram_quantile(0.99, sum by (le) (rate(hostgw_reaction_seconds_bucket{source="nodes"}[1h])))`: from the event's arrival
          to the end of the pass that applied it, without the time that the API server takes to send the event. Failed passes
          and the first one are not counted.
        - **Are all routes installed?** `hostgw_routes_desired - hostgw_routes_installed` is 0. The other `hostgw_routes_…` count
          the rest: conflicts, refused by the host, missing, held.
        - **Do pods' packets arrive?** `sum by (node) (hostgw_peers{reachability=~"podTrafficDropped|unreachable"})` is 0. `unknown` is no fault:
          a peer that never answered a probe, or a Windows node of which only the node's address answers ([networks.md](networks.md)).
          `hostgw_peers` and `hostgw_probe_…` exist only where probes are on.
        - **Which peers take the tunnel?** `sum by (node) (hostgw_tunnelled_peers)` counts them, and `hostgw status` names them. That is no
          fault; a peer that is not reached there either is `podTrafficDropped`.
        - **Does somebody send what the guards drop?** `sum by (node, guard) (increase(hostgw_guard_drops_total[10m]))`. The count begins
          again when the rules of that guard are written again.
        - **Does another program undo changes of the agent?** `increase(hostgw_repairs_total[10m])`, by cause.
        - **Is the node digest alive?** `time() - max(hostgw_digest_lease_renewed_timestamp_seconds)`: agents read the Lease every 5 minutes, so
          without the digest's own metrics the age may be that much too high.
        - **Do all agents follow it?** `count(hostgw_digest_stale == 1)` and `count(hostgw_digest_shards_rejected > 0)` are empty.
          `hostgw_digest_shards_rejected`, `hostgw_digest_stale` and `hostgw_digest_lease_renewed_timestamp_seconds` of agents exist only with
          `nodes.source: digest`.

        """;

    private const string DigestHead = """

        ## The node digest

        It serves them at `/metrics` of the setting `digest.listen` ([scale.md](scale.md)).

        | Metric | Type | Labels | Meaning |
        |---|---|---|---|

        """;

    private const string AlertsHead = """

        ## Alerts

        Of `rules.enabled`; those of the digest only with one.

        | Alert | Severity | After | Meaning |
        |---|---|---|---|

        """;

    private const string Foot = """

        This page is generated from the help texts of the metrics and the chart's alert rules: `UPDATE_GOLDEN=1 make test` renews it.

        """;

    /// <param name="agent">What an agent serves.</param>
    /// <param name="digest">What the node digest serves.</param>
    /// <param name="rules">The chart's template of the alert rules.</param>
    public static string Of(string agent, string digest, string rules) =>
        $"{Head}{Rows(agent)}{Notes}{DigestHead}{Rows(digest)}{AlertsHead}{Alerts(rules)}{Foot}";

    private static string Alerts(string rules)
    {
        var rows = new StringBuilder();
        foreach (string alert in rules.Split("- alert: ")[1..])
        {
            string Value(string key) => Placeholder().Replace(
                Regex.Match(alert, $$$"""\b{{{key}}}: (?:{{ "|')?(.*?)(?:" \| quote }}|'|})?$""", RegexOptions.Multiline).Groups[1].Value,
                m => m.Groups["name"].Value.ToUpperInvariant());
            rows.Append($"| `{alert[..alert.IndexOf('\n')]}` | {Value("severity")} | {Value("for")} | {Value("summary")}. {Value("description")} |\n");
        }
        return rows.ToString();
    }

    private static string Rows(string text)
    {
        var rows = new StringBuilder();
        foreach (Match family in Family().Matches(text))
        {
            string name = family.Groups["name"].Value;
            string labels = string.Join(", ", Labels(text, name));
            rows.Append($"| `{name}` | {family.Groups["type"].Value} | {labels} | {family.Groups["help"].Value} |\n");
        }
        return rows.ToString();
    }

    // Labels in the order of the samples; with their values, where these are names of ours.
    private static IEnumerable<string> Labels(string text, string name) =>
        from sample in Regex.Matches(text, $@"^{name}(?:_bucket)?\{{(?<labels>.*)\}} ", RegexOptions.Multiline)
        from label in Label().Matches(sample.Groups["labels"].Value)
        group label.Groups["value"].Value by label.Groups["label"].Value into values
        select values.Key is "le" or "version" or "backend" ? $"`{values.Key}`" : $"`{values.Key}` ({string.Join(", ", values.Distinct())})";

    [GeneratedRegex("^# HELP (?<name>[a-z0-9_]+) (?<help>.*)\n# TYPE [a-z0-9_]+ (?<type>[a-z]+)$", RegexOptions.Multiline)]
    private static partial Regex Family();

    // {{ $labels.node }}, or {{ $value | humanizeDuration }}.
    [GeneratedRegex("""{{ \$(?:labels\.)?(?<name>\w+)[^}]*}}""")]
    private static partial Regex Placeholder();

    [GeneratedRegex("""(?<label>[a-z]+)="(?<value>[^"]*)""")]
    private static partial Regex Label();
}
