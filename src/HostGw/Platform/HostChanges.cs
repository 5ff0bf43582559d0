using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>Everything one pass changes.</summary>
internal sealed record HostChanges
{
    public required RouteChanges Routes { get; init; }

    /// <summary>Rules are looked at and not changed: their repair must wait.</summary>
    public bool HoldsRules { get; init; }

    /// <summary>False: leave the masquerade rule as it stands.</summary>
    public bool ChangesNat { get; init; }

    /// <summary>Rules may have changed since an earlier pass saw them: they are read anew, also where that means running a program.</summary>
    public bool ReadsRulesAnew { get; init; } = true;

    /// <summary>The masquerade rule that should stand; null: none.</summary>
    public NatPlan? Nat { get; init; }

    /// <summary>False: leave chain FORWARD as it stands.</summary>
    public bool ChangesForward { get; init; }

    /// <summary>Whose packets are accepted where chain FORWARD drops them; none: nobody's.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; init; } = [];

    /// <summary>This node's own.</summary>
    public ImmutableArray<Prefix> PodCidrs { get; init; } = [];

    /// <summary>False: leave the CNI configuration as it stands.</summary>
    public bool ChangesCni { get; init; }

    /// <summary>The CNI configuration that should stand; null: none of ours.</summary>
    public CniPlan? Cni { get; init; }

    public bool EnableForwardingIPv4 { get; init; }

    /// <summary>The interface that peers' packets come in by; null: none at the moment.</summary>
    public string? UplinkIPv4 { get; init; }

    public bool EnableForwardingIPv6 { get; init; }

    /// <inheritdoc cref="UplinkIPv4"/>
    public string? UplinkIPv6 { get; init; }

    /// <summary>Settings of router advertisements, written before forwarding is turned on.</summary>
    public IReadOnlyList<AcceptRaChange> AcceptRa { get; init; } = [];

    /// <summary>Next hops whose MAC address may have changed hands.</summary>
    public IReadOnlyList<Neighbour> ForgetNeighbours { get; init; } = [];

    /// <summary>How many peers this host must be able to resolve.</summary>
    public int Peers { get; init; }
}

/// <summary>The value that accept_ra of an interface gets.</summary>
internal readonly record struct AcceptRaChange(string Interface, int Value);

/// <param name="Failures">What the host refused; everything else was done.</param>
/// <param name="NatChange">What was done to the masquerade rule, in words; empty: nothing.</param>
internal sealed record ApplyResult(IReadOnlyList<HostFailure> Failures, string NatChange)
{
    /// <summary>What keeps the masquerade rule; null where there is none.</summary>
    public NatBackendChoice? NatBackend { get; init; }

    /// <summary>What was done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What would have been done to rules, had they not been held.</summary>
    public HeldRules HeldRules { get; init; }

    /// <summary>What was done to the CNI configuration, in words; empty: nothing.</summary>
    public string CniChange { get; init; } = "";

    /// <summary>The CNI configuration that pods get their interfaces by, as far as it is known.</summary>
    public CniStanding? Cni { get; init; }

    /// <summary>What of others keeps pods' packets from passing or from keeping their address, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    /// <summary>The program that last changed rules that concern us; empty where it is not known.</summary>
    public string RulesWriter { get; init; } = "";

    public HashSet<RouteKey> RefusedRoutes => [.. Failures.Where(f => f.Part == HostPart.Routes).Select(f => f.Route).OfType<RouteKey>()];
}

/// <summary>Changes of rules that wait, in words; null: none.</summary>
internal readonly record struct HeldRules(string? Nat, string? Forward)
{
    public bool IsEmpty => Nat is null && Forward is null;
}

/// <summary>A change that the host refused, and why.</summary>
/// <param name="Route">The route concerned; null where <paramref name="Part"/> is another.</param>
internal sealed record HostFailure(HostPart Part, string What, RouteKey? Route, HostNetworkException Error);

/// <summary>What of the host a failure concerns.</summary>
internal enum HostPart
{
    /// <summary>Nothing could be read: the pass ended there.</summary>
    State,
    ForwardingIPv4,
    ForwardingIPv6,
    NeighbourThresholds,
    Neighbours,
    Nat,
    Forward,
    Routes,
    Cni,

    /// <summary>The record of which routes are ours.</summary>
    Ownership,

    /// <summary>The pods' network, where the system has a service for such things.</summary>
    PodNetwork,
}
