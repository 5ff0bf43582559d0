using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Hosting;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Settings;
using HostGw.Status;

namespace HostGw.Cli;

/// <summary>Shows what the agent would change on this host. Changes nothing.</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Option<bool> exitCode = new("--exit-code")
        {
            Description = $"End with exit code {ExitCodes.Difference} if something would change or a route cannot be installed",
        };
        Command command = CommandLine.Create(
            "plan", "Show what the agent would change on this host, and why some nodes get no route. Changes nothing.", UsedBy.Plan,
            async (settings, parsed, cancellationToken) =>
            {
                using IHostNetwork host = HostPlatform.Open(settings);
                Preview preview = await Preview.TakeAsync(settings, host, cancellationToken);
                TextWriter console = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) == OutputOption.Json)
                    console.WriteLine(PreviewJson.Write(preview));
                else
                    PreviewText.Write(preview, console);
                return parsed.GetValue(exitCode) && !preview.IsInOrder ? ExitCodes.Difference : ExitCodes.Done;
            });
        command.Options.Add(output);
        command.Options.Add(exitCode);
        return command;
    }
}

/// <summary>What a pass would change now.</summary>
internal sealed record Preview(
    Plan Plan, HostChanges Changes, HostState Host, string NatChange, string ForwardChange = "", string CniChange = "")
{
    /// <inheritdoc cref="ApplyResult.GuardChange"/>
    public string GuardChange { get; init; } = "";

    public bool IsEmpty => Changes.Routes.IsEmpty && NatChange.Length == 0 && ForwardChange.Length == 0 && CniChange.Length == 0
        && Changes.PolicyRules.IsEmpty && Changes.Tunnel.IsEmpty && GuardChange.Length == 0
        && Changes.ProbeRoutes.Without(ProbeObstacles).IsEmpty
        && !Changes.EnableForwardingIPv4 && !Changes.EnableForwardingIPv6 && Changes.AcceptRa.Count == 0;

    /// <summary>Foreign rules that masquerade traffic from pod to pod.</summary>
    public IReadOnlyList<Leftover> Leftovers { get; init; } = [];

    /// <inheritdoc cref="ApplyResult.Doubts"/>
    public IReadOnlyList<RuleDoubt> Doubts { get; init; } = [];

    /// <summary>What keeps packets from taking the installed routes.</summary>
    public IReadOnlyList<RouteOverride> Overrides { get; init; } = [];

    /// <inheritdoc cref="ApplyResult.ProbeObstacles"/>
    public IReadOnlyList<ProbeObstacle> ProbeObstacles { get; init; } = [];

    /// <summary>What the agent on this host says of peers that are on no segment of it; off: none answers, or there are none.</summary>
    public Reachability Reachability { get; init; } = Reachability.Off;

    /// <summary>Null where the nodes do not come from the digest.</summary>
    public DigestHealth? Digest { get; init; }

    /// <summary>The setting tunnel.mode.</summary>
    public TunnelMode Tunnel { get; init; }

    /// <summary>Nothing would change, and no desired route is missing.</summary>
    public bool IsInOrder => IsEmpty && Changes.Routes.Conflicts.Count == 0 && ProbeObstacles.Count == 0 && Plan.Faults.IsEmpty;

    public static async Task<Preview> TakeAsync(AgentSettings settings, IHostNetwork host, CancellationToken cancellationToken)
    {
        (NodeSnapshot nodes, IReadOnlyList<Ip> apiServers) = await ApiAccess.ListAsync(settings, cancellationToken);
        HostState state = host.Read(apiServers);
        // The running agent's probes decide the paths, and which peers need no route.
        Reachability reachability = await AgentStatus.AskReachabilityAsync(settings.Listen, cancellationToken);
        Plan plan = Planner.Plan(nodes.Nodes, state, settings.Policy.WithFound(nodes.ServiceCidrs), null, reachability);
        HostChanges changes = HostDiff.Between(plan, state, new HashSet<RouteKey>(), settings.Adopt);
        if (nodes.IsPartial)
            (changes, _) = new RemovalBrake(TimeProvider.System).Hold(changes, nodes.QuorumReads, isPartial: true);
        ApplyResult result = host.Apply(changes with { FindsLeftovers = changes.ChangesNat }, ApplyMode.Preview);
        if (result.Failures.Count > 0)
            throw result.Failures[0].Error;
        return new(plan, changes, state, result.NatChange, result.ForwardChange, result.CniChange)
        {
            Reachability = reachability,
            Tunnel = settings.Policy.Tunnel.Mode,
            Digest = nodes.Digest,
            Leftovers = result.Leftovers ?? [],
            Doubts = result.Doubts,
            Overrides = result.Overrides,
            ProbeObstacles = result.ProbeObstacles,
            GuardChange = result.GuardChange,
        };
    }
}

/// <summary>A preview as text: "+" is added, "~" changed, "-" removed; "=" needs nothing, "!" is a problem, "?" to be looked at.</summary>
internal static class PreviewText
{
    public static void Write(Preview preview, TextWriter output)
    {
        foreach (string fault in preview.Plan.Faults)
            output.WriteLine($"! {Quoted.Visible(fault)}");
        WriteRoutes(preview, output);
        WriteHost(preview, output);
        WriteProblems(preview, output);
        if (preview.IsEmpty)
            output.WriteLine(Summary(preview));
    }

    /// <summary>The route and what it replaces.</summary>
    public static string Describe(Preview preview, RouteCorrection correction)
    {
        HostRoute before = correction.Instead;
        string owner = before.IsOurs ? "" : $", protocol {RouteProtocols.Name(before.Protocol)}";
        string now = $"{NextHopText.Of(before.NextHop, before.Tunnel)} dev {Device(preview, before.Interface)}{owner}";
        return $"{Describe(preview, correction.Route)} (now {now})";
    }

    private static void WriteRoutes(Preview preview, TextWriter output)
    {
        RouteChanges routes = preview.Changes.Routes;
        foreach (PodRoute route in routes.Add)
            output.WriteLine($"+ {Describe(preview, route)}");
        foreach (RouteCorrection correction in routes.Replace)
            output.WriteLine($"~ {Describe(preview, correction)}");
        foreach (HostRoute route in routes.Delete)
            output.WriteLine($"- {route.Destination} {NextHopText.Of(route.NextHop, route.Tunnel)} dev {Device(preview, route.Interface)}");
        foreach (RouteConflict conflict in routes.Conflicts)
            output.WriteLine($"! {Quoted.Visible(ProblemCatalog.Describe(preview.Plan, conflict))}");
    }

    private static void WriteHost(Preview preview, TextWriter output)
    {
        HostChanges changes = preview.Changes;
        string[] lines =
        [
            .. changes.PolicyRules.Add.Select(r => $"+ policy rule {r.Preference}: {r}"),
            .. changes.PolicyRules.Delete.Select(r => $"- policy rule {r.Preference}: {r}"),
            .. changes.ProbeRoutes.Without(preview.ProbeObstacles).Add.Select(a => $"+ local route of probe address {a}"),
            .. changes.ProbeRoutes.Delete.Select(r => $"- local route {r.Destination} of a probe address"),
            .. Changed("link hostgw0", $"{changes.Tunnel}"),
            .. Changed("masquerade rule", preview.NatChange),
            .. Changed("accept in chain FORWARD", preview.ForwardChange),
            .. Changed("guards of probes and tunnel", preview.GuardChange),
            .. changes.EnableForwardingIPv4 ? ["~ turn IPv4 forwarding on"] : Array.Empty<string>(),
            .. changes.EnableForwardingIPv6 ? ["~ turn IPv6 forwarding on"] : Array.Empty<string>(),
            .. changes.AcceptRa.Select(a => $"~ set net.ipv6.conf.{SysctlName.Of(a.Interface)}.accept_ra to {a.Value}"),
            .. Changed("CNI configuration", Quoted.Visible(preview.CniChange)),
        ];
        foreach (string line in lines)
            output.WriteLine(line);

        static string[] Changed(string what, string how) => how.Length > 0 ? [$"~ {what}: {how}"] : [];
    }

    private static void WriteProblems(Preview preview, TextWriter output)
    {
        foreach (Problem problem in DigestProblems.Of(preview.Digest)
            .Concat(ProblemCatalog.Tunnel(preview.Plan))
            .Concat(OverrideProblems.Shadowed(preview.Plan, preview.Changes.Routes.Shadows))
            .Concat(OverrideProblems.Overridden(preview.Plan, preview.Overrides))
            .Concat(preview.ProbeObstacles.Select(ProblemCatalog.Of)))
            output.WriteLine($"! {Quoted.Visible(problem.Text)}");
        foreach (Leftover leftover in preview.Leftovers)
            output.WriteLine($"! {Quoted.Visible(leftover.Problem)}");
        foreach (RuleDoubt doubt in preview.Doubts)
            output.WriteLine($"? {Quoted.Visible(doubt.What)}: {Quoted.Visible(doubt.Check)}");
        foreach (ClusterRoute route in preview.Plan.ClusterRoutes.Where(c => c.Refusal is not null))
            output.WriteLine($"! no cluster route {route.Destination}: it {Quoted.Visible(route.Refusal!)}");
        foreach (Verdict verdict in preview.Plan.Verdicts.Where(v => v.Kind != VerdictKind.Self && v.Reason.Length > 0))
        {
            string sign = verdict.Tunnel is not null || preview.Reachability.IsRoutedByNetwork(verdict) ? "=" : "!";
            string text = ProblemCatalog.Describe(verdict with { Reason = ReachText.Reason(verdict, preview.Reachability) });
            output.WriteLine($"{sign} {Quoted.Visible(text)}");
        }
        if (!preview.Reachability.IsOn && preview.Plan.Verdicts.Any(v => v.Kind == VerdictKind.NotAdjacent))
        {
            string tunnel = preview.Tunnel == TunnelMode.Auto ? "through the tunnel once probes answer. " : "";
            output.WriteLine($"? notAdjacent: {tunnel}{Cures.RoutedByNetwork}");
        }
    }

    private static string Summary(Preview preview) => preview.Plan switch
    {
        { Scope: PlanScope.Nothing } => "Nothing is changed until that is solved.",
        { Faults.IsEmpty: true } plan when preview.Changes.Routes is { Conflicts.Count: 0, Shadows.Count: 0 }
            && preview is { Overrides.Count: 0, ProbeObstacles.Count: 0 }
            && plan.Verdicts.All(v => v.Kind < VerdictKind.Waiting || preview.Reachability.IsRoutedByNetwork(v))
            => "Nothing to change: this host is as it should be.",
        _ => "Nothing to change.",
    };

    private static string Describe(Preview preview, PodRoute route) =>
        $"{route.Destination} {NextHopText.Of(route.NextHop, route.Tunnel)} dev {Device(preview, route.Interface)}";

    private static string Device(Preview preview, int index) => preview.Host.Interface(index)?.Name ?? $"#{index}";
}

/// <summary>A preview as JSON.</summary>
internal static class PreviewJson
{
    private const int SchemaVersion = 1;

    public static string Write(Preview preview)
    {
        return Encoding.UTF8.GetString(JsonText.Object(json =>
        {
            RouteChanges routes = preview.Changes.Routes;
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteBoolean("different", !preview.IsEmpty);
            WriteArray(json, "faults", preview.Plan.Faults, json.WriteStringValue);
            WriteArray(json, "add", routes.Add, r => WriteRoute(json, preview, r));
            WriteArray(json, "correct", routes.Replace, c => WriteRoute(json, preview, c.Route, c.Cause.ToString()));
            WriteArray(json, "remove", routes.Delete,
                r => WriteRoute(json, preview, new(r.Destination, r.Metric, r.NextHop, r.Interface) { Tunnel = r.Tunnel }));
            WriteArray(json, "conflicts", routes.Conflicts, c => json.WriteStringValue(ProblemCatalog.Describe(preview.Plan, c)));
            WriteArray(json, "leftovers", preview.Leftovers, l => json.WriteStringValue(l.What));
            WriteArray(json, "doubts", preview.Doubts, d => json.WriteStringValue($"{d.What}: {d.Check}"));
            WriteArray(json, "addPolicyRules", preview.Changes.PolicyRules.Add, r => json.WriteStringValue($"{r.Preference}: {r}"));
            WriteArray(json, "removePolicyRules", preview.Changes.PolicyRules.Delete, r => json.WriteStringValue($"{r.Preference}: {r}"));
            WriteArray(json, "addProbeAddresses", preview.Changes.ProbeRoutes.Without(preview.ProbeObstacles).Add,
                a => json.WriteStringValue(a.ToString()));
            WriteArray(json, "removeProbeRoutes", preview.Changes.ProbeRoutes.Delete, r => json.WriteStringValue(r.Destination.ToString()));
            WriteArray(json, "probeAddressConflicts", preview.ProbeObstacles, o => json.WriteStringValue(ProblemCatalog.Of(o).Text));
            WriteArray(json, "overridden", preview.Overrides, o => json.WriteStringValue(OverrideProblems.Reason(o)));
            json.WriteString("tunnelLink", $"{preview.Changes.Tunnel}");
            json.WriteString("nat", preview.NatChange);
            json.WriteString("forwardAccept", preview.ForwardChange);
            json.WriteString("guards", preview.GuardChange);
            json.WriteString("cni", preview.CniChange);
            json.WriteBoolean("enableForwardingIPv4", preview.Changes.EnableForwardingIPv4);
            json.WriteBoolean("enableForwardingIPv6", preview.Changes.EnableForwardingIPv6);
            WriteArray(json, "acceptRa", preview.Changes.AcceptRa, c => json.WriteStringValue($"{c.Interface}={c.Value}"));
            WriteArray(json, "verdicts", preview.Plan.Verdicts, v => WriteVerdict(json, v));
        }, JsonText.Readable).Span);
    }

    private static void WriteArray<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (T item in items)
            write(item);
        json.WriteEndArray();
    }

    private static void WriteRoute(Utf8JsonWriter json, Preview preview, PodRoute route, string? cause = null)
    {
        json.WriteStartObject();
        json.WriteString("destination", route.Destination.ToString());
        json.WriteString("nextHop", route.NextHop.ToString());
        json.WriteString("interface", preview.Host.Interface(route.Interface)?.Name ?? "");
        if (route.Tunnel is { } tunnel)
            json.WriteString("encap", TunnelText.Of(tunnel));
        if (cause is not null)
            json.WriteString("cause", JsonNamingPolicy.CamelCase.ConvertName(cause));
        json.WriteEndObject();
    }

    private static void WriteVerdict(Utf8JsonWriter json, Verdict verdict)
    {
        json.WriteStartObject();
        json.WriteString("node", verdict.Node.Name);
        json.WriteString("podCidr", verdict.PodCidr.ToString());
        json.WriteString("verdict", VerdictNames.Of(verdict.Kind));
        json.WriteString("reason", verdict.Reason);
        json.WriteString("nextHop", verdict.NextHop.ToString());
        json.WriteEndObject();
    }
}
