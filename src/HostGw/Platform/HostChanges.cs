using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>What one pass changes: the difference between a plan and the host's state.</summary>
internal sealed record HostChanges
{
    /// <summary>The plan that these changes lead to. From then on the watch reports changes of its destinations.</summary>
    public Plan Plan { get; init; } = new();

    /// <summary>The state that the changes were computed from.</summary>
    public HostState Host { get; init; } = new();

    public required RouteChanges Routes { get; init; }

    /// <summary>Rules are compared and not changed: their repair must wait.</summary>
    public bool HoldsRules { get; init; }

    /// <summary>False: leave the masquerade rule as it is.</summary>
    public bool ChangesNat { get; init; }

    /// <summary>False: rules that an earlier pass found right are not read again where that would start a program.</summary>
    public bool ReadsRulesAgain { get; init; } = true;

    /// <summary>The desired masquerade rule; null: none.</summary>
    public NatPlan? Nat { get; init; }

    /// <summary>False: leave chain FORWARD as it is.</summary>
    public bool ChangesForward { get; init; }

    /// <summary>The prefixes whose packets are accepted where chain FORWARD drops them; empty: no rule of ours.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; init; } = [];

    /// <summary>This node's own.</summary>
    public ImmutableArray<Prefix> PodCidrs { get; init; } = [];

    /// <summary>False: leave the CNI configuration as it is.</summary>
    public bool ChangesCni { get; init; }

    /// <summary>The desired CNI configuration; null: none of ours.</summary>
    public CniPlan? Cni { get; init; }

    public bool EnableForwardingIPv4 { get; init; }

    /// <summary>The interface towards the peers; null: none at the moment.</summary>
    public string? UplinkIPv4 { get; init; }

    public bool EnableForwardingIPv6 { get; init; }

    /// <inheritdoc cref="UplinkIPv4"/>
    public string? UplinkIPv6 { get; init; }

    /// <summary>Settings of router advertisements, written before forwarding is turned on.</summary>
    public IReadOnlyList<AcceptRaChange> AcceptRa { get; init; } = [];

    /// <summary>Next hops whose MAC address may have moved to another node.</summary>
    public IReadOnlyList<Neighbour> ForgetNeighbours { get; init; } = [];

    /// <summary>How many peers the neighbour table must have room for.</summary>
    public int Peers { get; init; }

    /// <summary>Search for foreign rules that masquerade traffic between pods. Reads all rules of the host.</summary>
    public bool FindsLeftovers { get; init; }
}

/// <summary>The value that accept_ra of an interface gets.</summary>
internal readonly record struct AcceptRaChange(string Interface, int Value);

/// <summary>What was done, or would be, and what failed.</summary>
internal sealed record ApplyResult
{
    /// <summary>What the host refused; everything else was done.</summary>
    public IReadOnlyList<HostFailure> Failures { get; init; } = [];

    /// <summary>What was done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    /// <summary>What holds the masquerade rule; null where there is none.</summary>
    public NatBackendChoice? NatBackend { get; init; }

    /// <summary>What was done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What would have been done to rules without <see cref="HostChanges.HoldsRules"/>.</summary>
    public HeldRules HeldRules { get; init; }

    /// <summary>What was done to the CNI configuration, in words; empty: nothing.</summary>
    public string CniChange { get; init; } = "";

    /// <summary>The CNI configuration that the container runtime uses, if known.</summary>
    public CniStanding? Cni { get; init; }

    /// <summary>What foreign configuration drops or rewrites pods' packets, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    /// <summary>Foreign rules that masquerade traffic between pods; null: not searched for, or rules cannot be read.</summary>
    public IReadOnlyList<Leftover>? Leftovers { get; init; }

    /// <summary>The program that last changed rules that concern us; empty where it is not known.</summary>
    public string RulesWriter { get; init; } = "";

    /// <summary>How many changing netlink requests were sent.</summary>
    public long NetlinkWrites { get; init; }

    /// <param name="nat">In words; empty: nothing.</param>
    /// <param name="forward">In words; empty: nothing.</param>
    /// <param name="held">Nothing of it was done.</param>
    public ApplyResult WithRules(string nat, string forward, bool held) => held
        ? this with { HeldRules = new(nat.Length > 0 ? nat : null, forward.Length > 0 ? forward : null) }
        : this with { NatChange = nat, ForwardChange = forward };

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
