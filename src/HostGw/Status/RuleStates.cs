using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>A rule of HostGw on this host after a pass: the masquerade rule, or those that accept pods' packets in FORWARD.</summary>
/// <param name="Reason">Why it is not as desired; empty if it is, or if a fault of the own Node explains it.</param>
/// <param name="HeldUntil">When its delayed repair is due; null if none is delayed.</param>
internal readonly record struct RuleStatus(RuleState State, string Reason, DateTimeOffset? HeldUntil)
{
    public static RuleStatus OfNat(Plan plan, PassReport report) =>
        Of(report, HostPart.Nat, plan.Nat is null, report.HeldRepairs.Rules.Nat);

    public static RuleStatus OfForward(Plan plan, PassReport report) =>
        Of(report, HostPart.Forward, plan.ForwardAccept.IsEmpty, report.HeldRepairs.Rules.Forward);

    /// <summary>The backend of the masquerade rule; "none" without one, empty if it is not known.</summary>
    public static string NatBackend(Plan plan, PassReport report) => plan.Nat is null ? "none" : report.Result.NatBackend?.Name ?? "";

    private static RuleStatus Of(PassReport report, HostPart part, bool isOff, string? held)
    {
        HostFailure? failure = report.Failures.FirstOrDefault(f => f.Part == part);
        RuleState state = report.Plan?.Scope != PlanScope.Everything ? RuleState.LeftAlone
            : failure is not null ? RuleState.Failed
            : held is not null ? RuleState.Held
            : isOff ? RuleState.Off : RuleState.Applied;
        string reason = failure is not null ? failure.Error.Message
            : held is not null ? $"pending: {held}; delayed because another program keeps undoing HostGw's rules ({report.Contests.Rules})"
            : "";
        return new(state, reason, held is null ? null : report.At + report.HeldRepairs.RulesWait);
    }
}

internal enum RuleState
{
    Applied,

    /// <summary>The host refused it.</summary>
    Failed,

    /// <summary>Another program keeps undoing it: its repair is delayed.</summary>
    Held,
    Off,

    /// <summary>Left unchanged because this node's Node object has a fault.</summary>
    LeftAlone,
}

/// <summary>What a pass did with HostGw's CNI configuration.</summary>
internal enum CniState
{
    Applied,

    /// <summary>The host refused it.</summary>
    Failed,

    /// <summary>Not written yet: it follows the routes and rules that pods need.</summary>
    Waiting,

    /// <summary>Not written: the configuration of another plugin takes precedence.</summary>
    LeftToOther,
    Off,

    /// <inheritdoc cref="RuleState.LeftAlone"/>
    LeftAlone,
}

/// <summary>The states of rules and of the CNI configuration, and how status, page and metrics name them.</summary>
internal static class RuleStates
{
    public static CniState OfCni(Plan plan, PassReport report) =>
        plan.Scope != PlanScope.Everything ? CniState.LeftAlone
        : report.Failures.Any(f => f.Part == HostPart.Cni) ? CniState.Failed
        : plan.Cni is null ? CniState.Off
        : report.Result.Cni is null ? CniState.Waiting
        : report.Result.Cni.IsOurs ? CniState.Applied : CniState.LeftToOther;

    public static string Name(this RuleState state) => state switch
    {
        RuleState.Applied => "applied",
        RuleState.Failed => "failed",
        RuleState.Held => "held",
        RuleState.Off => "off",
        _ => "left alone",
    };

    public static string Name(this CniState state) => state switch
    {
        CniState.Applied => "applied",
        CniState.Failed => "failed",
        CniState.Waiting => "waiting",
        CniState.LeftToOther => "left to another plugin",
        CniState.Off => "off",
        _ => "left alone",
    };
}
