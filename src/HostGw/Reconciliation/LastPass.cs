using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>How the last pass left the host: what has to be done to it again, though nobody asked for anything else, is a repair.</summary>
/// <param name="RulesStand">No rule was refused.</param>
/// <param name="CniStands">Our CNI configuration is there, or is only held back.</param>
internal sealed record LastPass(Plan Plan, bool RulesStand, bool CniStands, ForwardingState Forwarding)
{
    private bool IsWhole => Plan.Scope == PlanScope.Everything;

    /// <summary>The same rules were wanted, and stood.</summary>
    public bool HadRules(NatPlan? nat, Plan plan) =>
        IsWhole && RulesStand && Equals(Plan.Nat, nat) && Plan.ForwardAccept.SequenceEqual(plan.ForwardAccept);

    /// <summary>The same CNI configuration was wanted, and stood.</summary>
    public bool HadCni(CniPlan? cni) => IsWhole && CniStands && Equals(Plan.Cni, cni);

    public bool HadRoute(PodRoute route) => Plan.TryGetRoute(route.Key, out PodRoute before) && before == route;

    public bool ForwardedIPv4 => Plan.ForwardIPv4 && Forwarding.IPv4 == true;

    public bool ForwardedIPv6 => Plan.ForwardIPv6 && Forwarding.IPv6 == true;
}
