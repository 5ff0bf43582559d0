using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The status as JSON: every node, what became of it, and whether its route stands.</summary>
internal static class StatusJson
{
    public const int SchemaVersion = 1;

    public static ReadOnlyMemory<byte> Write(string version, string node, PassReport? last, StatusCounters counters, string? apiProblem)
    {
        return JsonForm.Document(json =>
        {
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteString("version", version);
            json.WriteString("node", node);
            IReadOnlyList<string> notReady = StatusBoard.NotReady(last);
            json.WriteBoolean("ready", notReady.Count == 0);
            Strings(json, "notReady", notReady);
            json.WriteString("apiServerProblem", apiProblem ?? "");
            json.WriteString("resourceVersion", last?.ResourceVersion ?? "");
            if (last?.Plan is { } plan)
                WritePlan(json, plan, last);
            WritePasses(json, last, counters);
        });
    }

    private static void WritePlan(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        Strings(json, "podCidrs", plan.OwnPodCidrs.Select(p => p.ToString()));
        json.WriteStartObject("interfaces");
        json.WriteString("ipv4", plan.InterfaceIPv4.Interface?.Name ?? "");
        json.WriteString("ipv6", plan.InterfaceIPv6.Interface?.Name ?? "");
        json.WriteEndObject();
        Strings(json, "problems", Problems.Of(report));
        WriteNodes(json, plan, new RouteStates(report));
        WriteClusterRoutes(json, plan, new RouteStates(report));
        RuleStates.Write(json, plan, report);
        WriteCni(json, plan, report);
        json.WriteStartObject("forwarding");
        Flag(json, "ipv4", report.Forwarding.IPv4);
        Flag(json, "ipv6", report.Forwarding.IPv6);
        json.WriteEndObject();
    }

    private static void WriteNodes(Utf8JsonWriter json, Plan plan, RouteStates states)
    {
        json.WriteStartArray("nodes");
        for (int i = 0; i < plan.Verdicts.Length;)
        {
            ClusterNode node = plan.Verdicts[i].Node;
            int end = i;
            VerdictKind worst = VerdictKind.Self;
            while (end < plan.Verdicts.Length && ReferenceEquals(plan.Verdicts[end].Node, node))
                worst = (VerdictKind)Math.Max((int)worst, (int)plan.Verdicts[end++].Kind);

            json.WriteStartObject();
            json.WriteString("name", node.Name);
            json.WriteString("uid", node.Uid);
            json.WriteString("os", node.OperatingSystem);
            json.WriteString("verdict", VerdictNames.Of(worst));
            json.WriteStartArray("podCidrs");
            for (; i < end; i++)
                WriteVerdict(json, plan, plan.Verdicts[i], states);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteVerdict(Utf8JsonWriter json, Plan plan, Verdict verdict, RouteStates states)
    {
        bool routed = verdict.Kind == VerdictKind.Routed;
        InterfaceChoice choice = verdict.PodCidr.IsIPv4 ? plan.InterfaceIPv4 : plan.InterfaceIPv6;
        json.WriteStartObject();
        json.WriteString("podCidr", verdict.PodCidr.ToString());
        json.WriteString("verdict", VerdictNames.Of(verdict.Kind));
        json.WriteString("reason", verdict.Reason.Length > 0 || !routed ? verdict.Reason : states.Why(verdict.PodCidr));
        json.WriteString("nextHop", verdict.NextHop.ToString());
        json.WriteString("interface", routed ? choice.Interface?.Name ?? "" : "");
        json.WriteString("route", routed ? states.Of(verdict.PodCidr) : "");
        json.WriteEndObject();
    }

    private static void WriteClusterRoutes(Utf8JsonWriter json, Plan plan, RouteStates states)
    {
        json.WriteStartArray("clusterRoutes");
        foreach (ClusterRoute route in plan.ClusterRoutes)
        {
            json.WriteStartObject();
            json.WriteString("destination", route.Destination.ToString());
            json.WriteString("reason", route.Refusal ?? "");
            json.WriteString("route", route.Refusal is null ? states.Of(route.Destination) : "refused");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteCni(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        json.WriteStartObject("cni");
        json.WriteString("state", CniState.Of(plan, report));
        json.WriteString("file", report.Cni?.File ?? "");
        json.WriteEndObject();
    }

    private static void WritePasses(Utf8JsonWriter json, PassReport? last, StatusCounters counters)
    {
        json.WriteStartObject("passes");
        json.WriteNumber("count", counters.Passes);
        json.WriteNumber("changed", counters.Changed);
        json.WriteNumber("failed", counters.Failed);
        if (last is not null)
        {
            json.WriteString("lastAt", last.At.UtcDateTime);
            json.WriteNumber("lastMilliseconds", Math.Round(last.Elapsed.TotalMilliseconds, 3));
            json.WriteString("lastCause", WakeCauseNames.Of(last.Causes));
        }
        json.WriteEndObject();
    }

    public static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Flag(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } known)
            json.WriteBoolean(name, known);
        else
            json.WriteNull(name);
    }
}
