using System.Globalization;
using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The status as JSON: every node with its verdicts and routes, the rules, and the passes.</summary>
internal static class StatusJson
{
    public const int SchemaVersion = 1;

    public static ReadOnlyMemory<byte> Write(string version, string node, StatusView view, string? apiProblem)
    {
        return JsonText.Document(json =>
        {
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteString("version", version);
            json.WriteString("node", node);
            IReadOnlyList<string> notReady = view.NotReady;
            json.WriteBoolean("ready", notReady.Count == 0);
            WriteStrings(json, "notReady", notReady);
            json.WriteString("apiServerProblem", apiProblem ?? "");
            json.WriteString("resourceVersion", view.Last?.ResourceVersion ?? "");
            if (view.Last is { Plan: { } plan } last)
                WritePlan(json, plan, last, view.Probes.Reachability);
            WritePasses(json, view.Last, view.Counters);
        });
    }

    private static void WritePlan(Utf8JsonWriter json, Plan plan, PassReport report, Reachability reachability)
    {
        WriteStrings(json, "podCidrs", plan.OwnPodCidrs.Select(p => p.ToString()));
        WriteTunnel(json, plan);
        WriteStrings(json, "probeAddresses", plan.ProbeAddresses.Concat(plan.EndpointAddresses).Select(a => a.ToString()));
        json.WriteStartObject("interfaces");
        json.WriteString("ipv4", plan.InterfaceIPv4.Interface?.Name ?? "");
        json.WriteString("ipv6", plan.InterfaceIPv6.Interface?.Name ?? "");
        json.WriteEndObject();
        WriteStrings(json, "problems", ProblemCatalog.Texts(report));
        if (report.Digest is { } digest)
            WriteDigest(json, digest);
        RouteStates routes = new(report);
        json.WriteBoolean("probes", reachability.IsOn);
        json.WriteString("probeFault", reachability.Fault);
        WriteNodes(json, plan, routes, reachability);
        WriteClusterRoutes(json, plan, routes);
        WriteRules(json, plan, report);
        WriteHost(json, plan, report);
    }

    private static void WriteDigest(Utf8JsonWriter json, DigestHealth digest)
    {
        json.WriteStartObject("digest");
        json.WriteString("source", digest.Source.ToString(CultureInfo.InvariantCulture));
        if (digest.RenewedAt is { } at)
            json.WriteString("renewedAt", at.UtcDateTime);
        else
            json.WriteNull("renewedAt");
        json.WriteString("stale", digest.Stale ?? "");
        json.WriteBoolean("partial", digest.IsPartial);
        json.WriteStartArray("rejected");
        foreach (RejectedShard shard in digest.Rejected)
        {
            json.WriteStartObject();
            json.WriteString("shard", shard.Name);
            json.WriteString("reason", shard.Reason);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTunnel(Utf8JsonWriter json, Plan plan)
    {
        json.WriteStartObject("tunnel");
        json.WriteString("interface", plan.Tunnel is null ? "" : TunnelPlan.LinkName);
        WriteStrings(json, "sources", plan.Tunnel is null ? [] : plan.Tunnel.Sources.Select(s => s.ToString()));
        json.WriteString("refused", plan.TunnelFault);
        json.WriteEndObject();
    }

    // The verdicts of one node follow each other.
    private static void WriteNodes(Utf8JsonWriter json, Plan plan, RouteStates routes, Reachability reachability)
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
            json.WriteString("uid", node.Uid.ToString());
            json.WriteString("os", node.OperatingSystem);
            json.WriteString("verdict", VerdictNames.Of(worst));
            json.WriteStartArray("podCidrs");
            for (; i < end; i++)
            {
                json.WriteStartObject();
                WriteVerdict(json, plan, plan.Verdicts[i], routes, reachability);
                WriteReach(json, reachability.Of(plan.Verdicts[i]));
                WritePath(json, plan.Verdicts[i], reachability);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteVerdict(Utf8JsonWriter json, Plan plan, in Verdict verdict, RouteStates routes, Reachability reachability)
    {
        bool isRouted = verdict is { Kind: VerdictKind.Routed, AwaitsTunnel: false };
        json.WriteString("podCidr", verdict.PodCidr.ToString());
        json.WriteString("verdict", VerdictNames.Of(verdict.Kind));
        json.WriteString("reason", routes.Reason(verdict, reachability));
        json.WriteString("nextHop", verdict.NextHop.ToString());
        json.WriteString("interface", isRouted ? plan.Uplink(verdict)?.Name ?? "" : "");
        json.WriteString("route", isRouted ? routes.Of(verdict.PodCidr).Name() : "");
    }

    // Without probes it is empty, as other names of what there is not.
    private static void WriteReach(Utf8JsonWriter json, Reach? reach)
    {
        json.WriteString("reachability", reach is { } probed ? ReachNames.Of(probed.Kind) : "");
        if (reach?.Since is { } since)
            json.WriteString("since", since.UtcDateTime);
        else
            json.WriteNull("since");
        json.WriteBoolean("podsFellSilent", reach is { PodsFellSilent: true });
        if (reach?.Milliseconds is { } milliseconds)
            json.WriteNumber("roundTripMs", milliseconds);
        else
            json.WriteNull("roundTripMs");
    }

    private static void WritePath(Utf8JsonWriter json, in Verdict verdict, Reachability reachability)
    {
        json.WriteString("path", PathNames.Of(verdict, reachability));
        bool isMeasured = reachability.Of(verdict) is { Path: PeerPath.Tunnel };
        json.WriteString("nativeReachability", isMeasured ? ReachNames.Of(reachability.Of(verdict.PodCidr).Native) : "");
    }

    private static void WriteClusterRoutes(Utf8JsonWriter json, Plan plan, RouteStates routes)
    {
        json.WriteStartArray("clusterRoutes");
        foreach (ClusterRoute route in plan.ClusterRoutes)
        {
            json.WriteStartObject();
            json.WriteString("destination", route.Destination.ToString());
            json.WriteString("reason", route.Refusal ?? "");
            json.WriteString("route", route.Refusal is null ? routes.Of(route.Destination).Name() : "refused");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteRules(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        json.WriteStartObject("nat");
        json.WriteString("backend", RuleStatus.NatBackend(plan, report));
        json.WriteString("why", plan.Nat is null ? "" : report.Result.NatBackend?.Why ?? "");
        WriteRule(json, RuleStatus.OfNat(plan, report));
        WriteStrings(json, "sources", plan.Nat is null ? [] : plan.Nat.Sources.Select(p => p.ToString()));
        WriteStrings(json, "exempt", plan.Nat is null ? [] : plan.Nat.Exempt.Select(p => p.ToString()));
        json.WriteEndObject();

        json.WriteStartObject("forwardAccept");
        WriteRule(json, RuleStatus.OfForward(plan, report));
        json.WriteEndObject();
    }

    private static void WriteRule(Utf8JsonWriter json, RuleStatus rule)
    {
        json.WriteString("state", rule.State.Name());
        json.WriteString("reason", rule.Reason);
        if (rule.HeldUntil is { } until)
            json.WriteString("heldUntil", until.UtcDateTime);
        else
            json.WriteNull("heldUntil");
    }

    private static void WriteHost(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        json.WriteStartObject("cni");
        json.WriteString("state", RuleStates.OfCni(plan, report).Name());
        json.WriteString("file", report.Result.Cni?.File ?? "");
        json.WriteEndObject();

        // Whether they match is decided by what marks packets, or by users and other things that packets do not say.
        WriteStrings(json, "policyRulesNotJudged",
            report.Changes.Host.PolicyRules.Where(r => r.IsUndecidable).Select(r => $"{r.Preference}: {(r.IsIPv6 ? "IPv6 " : "")}{r}"));

        json.WriteStartObject("forwarding");
        WriteFlag(json, "ipv4", report.Changes.Forwarding.IPv4);
        WriteFlag(json, "ipv6", report.Changes.Forwarding.IPv6);
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

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WriteFlag(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } known)
            json.WriteBoolean(name, known);
        else
            json.WriteNull(name);
    }
}
