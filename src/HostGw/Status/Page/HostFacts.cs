using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Status.Page;

/// <summary>This host: its rules, forwarding, CNI, and how well it is informed.</summary>
internal static class HostFacts
{
    public static void Add(Html html, PageInput input)
    {
        html.Add($"<section id=host data-live>\n<h2>This node</h2>\n<dl>\n");
        if (input is { View.Last: { Plan: { } plan } last })
            AddRules(html, plan, last);
        AddApi(html, input);
        html.Add($"</dl>\n</section>\n");
    }

    private static void AddRules(Html html, Plan plan, PassReport last)
    {
        html.Add($"<dt>podCIDRs<dd>{(plan.OwnPodCidrs.IsEmpty ? "none" : string.Join(", ", plan.OwnPodCidrs))}\n")
            .Add($"<dt>Routes go out of<dd>{Interface("IPv4", plan.InterfaceIPv4)}; {Interface("IPv6", plan.InterfaceIPv6)}\n");
        AddRule(html, "Masquerade", RuleStates.OfNat(plan, last), $"{NatBy(plan, last)}{Why(last, last.HeldRules.Nat)}");
        if (plan.Nat is { } nat)
            html.Add($"<dt>… of packets from<dd>{(nat.Source == NatSource.Any ? "any source" : string.Join(", ", nat.Sources))}; {nat.Exempt.Length} destinations are exempt\n");
        AddRule(html, "Accept in FORWARD", RuleStates.OfForward(plan, last), Why(last, last.HeldRules.Forward));
        html.Add($"<dt>Forwarding<dd>IPv4 {Forwarding(last.Forwarding.IPv4)}, IPv6 {Forwarding(last.Forwarding.IPv6)}\n");
        AddRule(html, "CNI configuration", CniState.Of(plan, last), last.Cni?.File ?? "");
        foreach (ClusterRoute route in plan.ClusterRoutes)
            html.Add($"<dt>Cluster route<dd>{route.Destination} {(route.Refusal is null ? "" : $"refused: it {route.Refusal}")}\n");
    }

    private static void AddApi(Html html, PageInput input)
    {
        html.Add($"<dt>API server<dd><span class={(input.Api.Problem is null ? "good" : "wrong")}>{(input.Api.Problem is null ? "followed" : "not followed")}</span>");
        if (input.Api.HeardAt is { } heard)
            html.Add($", last heard ").AddTime(heard, input.Now);
        html.Add($", resource version {input.Api.ResourceVersion}, {input.Api.Failures} failed attempts\n");
    }

    private static void AddRule(Html html, string name, string state, string more)
    {
        string look = state switch { "failed" => "wrong", "held" or "waiting" => "waits", "applied" => "good", _ => "asked" };
        html.Add($"<dt>{name}<dd><span class={look}>{state}</span> {more}\n");
    }

    private static string NatBy(Plan plan, PassReport last) =>
        plan.Nat is null ? "" : $"by {RuleStates.Backend(plan, last)} ({last.NatBackend?.Why})";

    private static string Why(PassReport last, string? held) => held is null ? "" : $" to be done: {held}; somebody keeps undoing our rules ({last.ContestedRules})";

    private static string Interface(string family, InterfaceChoice choice) => $"{family} {(choice.IsUsable ? choice.Interface!.Name : $"none ({choice.Reason})")}";

    private static string Forwarding(bool? isOn) => isOn switch { true => "on", false => "off", null => "unknown" };
}
