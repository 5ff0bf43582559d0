using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Cli;

/// <summary>A preview as text.</summary>
internal static class PreviewText
{
    public static void Write(Preview preview, TextWriter output)
    {
        foreach (string fault in preview.Plan.Faults)
            output.WriteLine($"! {Quoted.Visible(fault)}");
        WriteRoutes(preview, output);
        if (preview.NatChange.Length > 0)
            output.WriteLine($"~ masquerade rule: {preview.NatChange}");
        if (preview.ForwardChange.Length > 0)
            output.WriteLine($"~ accept in chain FORWARD: {preview.ForwardChange}");
        if (preview.Changes.EnableForwardingIPv4)
            output.WriteLine("~ turn IPv4 forwarding on");
        if (preview.Changes.EnableForwardingIPv6)
            output.WriteLine("~ turn IPv6 forwarding on");
        foreach ((string link, int value) in preview.Changes.AcceptRa)
            output.WriteLine($"~ set net.ipv6.conf.{link}.accept_ra to {value}");
        if (preview.CniChange.Length > 0)
            output.WriteLine($"~ CNI configuration: {Quoted.Visible(preview.CniChange)}");
        WriteOthers(preview, output);
        if (preview.IsEmpty)
            output.WriteLine(Summary(preview));
    }

    public static string Describe(Preview preview, RouteCorrection correction)
    {
        HostRoute before = correction.Instead;
        string owner = before.IsOurs ? "" : $", protocol {RouteProtocols.Name(before.Protocol)}";
        return $"{Describe(preview, correction.Route)} (now {Hop(before.NextHop)} dev {Device(preview, before.Interface)}{owner})";
    }

    private static void WriteRoutes(Preview preview, TextWriter output)
    {
        RouteChanges routes = preview.Changes.Routes;
        foreach (PodRoute route in routes.Add)
            output.WriteLine($"+ {Describe(preview, route)}");
        foreach (RouteCorrection correction in routes.Replace)
            output.WriteLine($"~ {Describe(preview, correction)}");
        foreach (HostRoute route in routes.Delete)
            output.WriteLine($"- {route.Destination} {Hop(route.NextHop)} dev {Device(preview, route.Interface)}");
        foreach (RouteConflict conflict in routes.Conflicts)
            output.WriteLine($"! {Quoted.Visible(Problems.Describe(preview.Plan, conflict))}");
    }

    private static void WriteOthers(Preview preview, TextWriter output)
    {
        foreach (Leftover leftover in preview.Leftovers)
            output.WriteLine($"! {Quoted.Visible(leftover.Problem)}");
        foreach (ClusterRoute route in preview.Plan.ClusterRoutes.Where(c => c.Refusal is not null))
            output.WriteLine($"! no cluster route {route.Destination}: it {Quoted.Visible(route.Refusal!)}");
        foreach (Verdict verdict in preview.Plan.Verdicts.Where(v => v.Kind != VerdictKind.Self && v.Reason.Length > 0))
            output.WriteLine($"! {Quoted.Visible(Problems.Describe(verdict))}");
    }

    private static string Summary(Preview preview) => preview.Plan switch
    {
        { Scope: PlanScope.Nothing } => "Nothing would be changed until that is solved.",
        { Faults.IsEmpty: true } plan when preview.Changes.Routes.Conflicts.Count == 0
            && plan.Verdicts.All(v => v.Kind < VerdictKind.Waiting) => "Nothing to change: this host is as it should be.",
        _ => "Nothing to change.",
    };

    private static string Describe(Preview preview, PodRoute route) =>
        $"{route.Destination} {Hop(route.NextHop)} dev {Device(preview, route.Interface)}";

    private static string Hop(Ip nextHop) => nextHop.IsNone ? "on-link" : $"via {nextHop}";

    private static string Device(Preview preview, int index) => preview.Host.Interface(index)?.Name ?? $"#{index}";
}
