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

/// <summary>What a pass would change now, and what it would report.</summary>
internal sealed record Preview(PassReport Pass)
{
    /// <summary>The setting tunnel.mode.</summary>
    public TunnelMode Tunnel { get; init; }

    public Plan Plan => Pass.Plan!;

    public HostChanges Changes => Pass.Changes;

    /// <summary>Foreign rules that masquerade traffic from pod to pod.</summary>
    public IReadOnlyList<Leftover> Leftovers => Pass.Result.Leftovers ?? [];

    /// <summary>Nothing would change, and no desired route is missing.</summary>
    public bool IsInOrder =>
        !Pass.Changed && Pass.Routes.Conflicts.Count == 0 && Pass.Result.ProbeObstacles.Count == 0 && Plan.Faults.IsEmpty;

    public static async Task<Preview> TakeAsync(AgentSettings settings, IHostNetwork host, CancellationToken cancellationToken)
    {
        (NodeSnapshot nodes, IReadOnlyList<Ip> apiServers) = await ApiAccess.ListAsync(settings, cancellationToken);
        HostState state = host.Read(apiServers);
        // The running agent's probes decide the paths, and which peers need no route.
        Reachability reachability = await AgentStatus.AskReachabilityAsync(settings.Listen, cancellationToken);
        DryPass pass = new(host, settings.Policy, settings.Adopt);
        PassReport report = pass.Preview(pass.Compare(nodes, state, reachability));
        if (report.Failures.Count > 0)
            throw report.Failures[0].Error;
        return new(report) { Tunnel = settings.Policy.Tunnel.Mode };
    }
}

/// <summary>
/// A preview as text: "+" is added, "~" changed, "-" removed; "=" needs nothing, "!" is a problem, with its cure, "?" to be looked at.
/// </summary>
internal static class PreviewText
{
    public static void Write(Preview preview, TextWriter output)
    {
        foreach (string fault in preview.Plan.Faults)
            output.WriteLine($"! {Quoted.Visible(fault)}");
        WriteRoutes(preview, output);
        WriteHost(preview, output);
        WriteProblems(preview, output);
        if (!preview.Pass.Changed)
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
    }

    private static void WriteHost(Preview preview, TextWriter output)
    {
        HostChanges changes = preview.Changes;
        ApplyResult result = preview.Pass.Result;
        string[] lines =
        [
            .. changes.PolicyRules.Add.Select(r => $"+ policy rule {r.Preference}: {r}"),
            .. changes.PolicyRules.Delete.Select(r => $"- policy rule {r.Preference}: {r}"),
            .. changes.ProbeRoutes.Add.Select(a => $"+ local route of probe address {a}"),
            .. changes.ProbeRoutes.Delete.Select(r => $"- local route {r.Destination} of a probe address"),
            .. Changed("link hostgw0", $"{changes.Tunnel}"),
            .. Changed("masquerade rule", result.NatChange),
            .. Changed("accept in chain FORWARD", result.ForwardChange),
            .. Changed("guards of probes and tunnel", result.GuardChange),
            .. changes.EnableForwardingIPv4 ? ["~ turn IPv4 forwarding on"] : Array.Empty<string>(),
            .. changes.EnableForwardingIPv6 ? ["~ turn IPv6 forwarding on"] : Array.Empty<string>(),
            .. changes.AcceptRa.Select(a => $"~ set net.ipv6.conf.{SysctlName.Of(a.Interface)}.accept_ra to {a.Value}"),
            .. Changed("CNI configuration", Quoted.Visible(result.CniChange)),
        ];
        foreach (string line in lines)
            output.WriteLine(line);

        static string[] Changed(string what, string how) => how.Length > 0 ? [$"~ {what}: {how}"] : [];
    }

    private static void WriteProblems(Preview preview, TextWriter output)
    {
        // A thousand peers may have one cure.
        HashSet<string> cures = [""];
        foreach (Problem problem in ProblemCatalog.OfHost(preview.Pass))
            Write('!', problem.Text, problem.Cure);
        foreach (RuleDoubt doubt in preview.Pass.Result.Doubts)
            output.WriteLine($"? {Quoted.Visible(doubt.What)}: {Quoted.Visible(doubt.Check)}");
        foreach (Verdict verdict in preview.Plan.Verdicts.Where(v => v.Kind != VerdictKind.Self && v.Reason.Length > 0))
        {
            string text = ProblemCatalog.Describe(verdict with { Reason = ReachText.Reason(verdict, preview.Pass.Reachability) });
            bool needsNothing = NeedsNothing(verdict, preview.Pass.Reachability);
            bool hasCure = !needsNothing && verdict.Fault != VerdictFault.Self;
            Write(needsNothing ? '=' : '!', text, hasCure ? Cures.Of(verdict, preview.Plan.Policy) : "");
        }
        if (!preview.Pass.Reachability.IsOn && preview.Plan.Verdicts.Any(v => v.Kind == VerdictKind.NotAdjacent))
        {
            string tunnel = preview.Tunnel == TunnelMode.Auto ? "through the tunnel once probes answer. " : "";
            output.WriteLine($"? notAdjacent: {tunnel}{Cures.RoutedByNetwork}");
        }

        void Write(char sign, string text, string cure)
        {
            output.WriteLine($"{sign} {Quoted.Visible(text)}");
            if (cures.Add(cure))
                output.WriteLine($"    {Quoted.Visible(cure)}");
        }
    }

    private static bool NeedsNothing(in Verdict verdict, Reachability reachability) =>
        verdict is { Kind: VerdictKind.Skipped } or { Tunnel: not null } or { AwaitsTunnel: true } ||
        reachability.IsRoutedByNetwork(verdict);

    private static string Summary(Preview preview) =>
        preview.Plan.Scope == PlanScope.Nothing ? "Nothing is changed until that is solved."
        : ProblemCatalog.All(preview.Pass).Any() ? "Nothing to change."
        : "Nothing to change: this host is as it should be.";

    private static string Describe(Preview preview, PodRoute route) =>
        $"{route.Destination} {NextHopText.Of(route.NextHop, route.Tunnel)} dev {Device(preview, route.Interface)}";

    private static string Device(Preview preview, int index) => preview.Changes.Host.Interface(index)?.Name ?? $"#{index}";
}

/// <summary>A preview as JSON.</summary>
internal static class PreviewJson
{
    private const int SchemaVersion = 1;

    public static string Write(Preview preview)
    {
        return Encoding.UTF8.GetString(JsonText.Object(json =>
        {
            PassReport pass = preview.Pass;
            (RouteChanges routes, HostChanges changes, ApplyResult result) = (pass.Routes, pass.Changes, pass.Result);
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteBoolean("different", pass.Changed);
            WriteArray(json, "faults", preview.Plan.Faults);
            WriteArray(json, "problems", ProblemCatalog.Texts(pass));
            WriteArray(json, "add", routes.Add, r => WriteRoute(json, preview, r));
            WriteArray(json, "correct", routes.Replace, c => WriteRoute(json, preview, c.Route, c.Cause.ToString()));
            WriteArray(json, "remove", routes.Delete,
                r => WriteRoute(json, preview, new(r.Destination, r.Metric, r.NextHop, r.Interface) { Tunnel = r.Tunnel }));
            WriteArray(json, "conflicts", routes.Conflicts.Select(c => ProblemCatalog.Describe(preview.Plan, c)));
            WriteArray(json, "leftovers", preview.Leftovers.Select(l => l.What));
            WriteArray(json, "doubts", result.Doubts.Select(d => $"{d.What}: {d.Check}"));
            WriteArray(json, "addPolicyRules", changes.PolicyRules.Add.Select(r => $"{r.Preference}: {r}"));
            WriteArray(json, "removePolicyRules", changes.PolicyRules.Delete.Select(r => $"{r.Preference}: {r}"));
            WriteArray(json, "addProbeAddresses", changes.ProbeRoutes.Add.Select(a => a.ToString()));
            WriteArray(json, "removeProbeRoutes", changes.ProbeRoutes.Delete.Select(r => r.Destination.ToString()));
            WriteArray(json, "probeAddressConflicts", result.ProbeObstacles.Select(o => ProblemCatalog.Of(o).Text));
            WriteArray(json, "overridden", result.Overrides.Select(OverrideProblems.Reason));
            json.WriteString("tunnelLink", $"{changes.Tunnel}");
            json.WriteString("nat", result.NatChange);
            json.WriteString("forwardAccept", result.ForwardChange);
            json.WriteString("guards", result.GuardChange);
            json.WriteString("cni", result.CniChange);
            json.WriteBoolean("enableForwardingIPv4", changes.EnableForwardingIPv4);
            json.WriteBoolean("enableForwardingIPv6", changes.EnableForwardingIPv6);
            WriteArray(json, "acceptRa", changes.AcceptRa.Select(c => $"{c.Interface}={c.Value}"));
            WriteArray(json, "verdicts", preview.Plan.Verdicts, v => WriteVerdict(json, v));
        }, JsonText.Readable).Span);
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<string> texts) =>
        WriteArray(json, name, texts, json.WriteStringValue);

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
        json.WriteString("interface", preview.Changes.Host.Interface(route.Interface)?.Name ?? "");
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
