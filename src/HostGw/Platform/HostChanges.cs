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

    /// <summary>HostGw's policy rules to add and to delete.</summary>
    public PolicyRuleChanges PolicyRules { get; init; } = PolicyRuleChanges.None;

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

    /// <summary>On Linux: the interfaces on which it is off, in /proc/sys/net/ipv4/conf.</summary>
    public IReadOnlyList<string> ForwardIPv4On { get; init; } = [];

    /// <summary>The interface towards the peers; null: none at the moment.</summary>
    public string? UplinkIPv4 { get; init; }

    public bool EnableForwardingIPv6 { get; init; }

    /// <inheritdoc cref="UplinkIPv4"/>
    public string? UplinkIPv6 { get; init; }

    /// <summary>Settings of router advertisements, written before forwarding is turned on.</summary>
    public IReadOnlyList<AcceptRaChange> AcceptRa { get; init; } = [];

    /// <summary>New interfaces of pods on which duplicate address detection is turned off.</summary>
    public IReadOnlyList<string> WithoutDad { get; init; } = [];

    /// <summary>Next hops whose MAC address may have moved to another node.</summary>
    public IReadOnlyList<Neighbour> ForgetNeighbours { get; init; } = [];

    /// <summary>How many peers the neighbour table must have room for.</summary>
    public int Peers { get; init; }

    /// <summary>Search for foreign rules that masquerade traffic between pods. Reads all rules of the host.</summary>
    public bool FindsLeftovers { get; init; }

    /// <summary>Whether this host forwards once these changes are made; null where it cannot be read.</summary>
    public ForwardingState Forwarding => new(
        EnableForwardingIPv4 ? true : Host.Forwarding.IPv4, EnableForwardingIPv6 ? true : Host.Forwarding.IPv6);

    /// <summary>The changes that were made: without those that the host refused.</summary>
    public HostChanges Without(ApplyResult refusals) => refusals.Failures.Count == 0 ? this : this with
    {
        Routes = Routes.Without(refusals.RefusedRoutes),
        PolicyRules = refusals.Refused(HostPart.PolicyRules) ? PolicyRuleChanges.None : PolicyRules,
        EnableForwardingIPv4 = EnableForwardingIPv4 && !refusals.Refused(HostPart.ForwardingIPv4),
        EnableForwardingIPv6 = EnableForwardingIPv6 && !refusals.Refused(HostPart.ForwardingIPv6),
        AcceptRa = refusals.Refused(HostPart.ForwardingIPv6) ? [] : AcceptRa,
    };

    /// <summary>What is kept after the pass: without most of the host's state and the changed routes, which may be thousands.</summary>
    public HostChanges Lasting() => this with
    {
        Routes = Routes.Lasting(),
        Host = new() { Forwarding = Host.Forwarding, PolicyRules = Host.PolicyRules },
    };
}

/// <summary>The value that accept_ra of an interface gets.</summary>
internal readonly record struct AcceptRaChange(string Interface, int Value);

/// <summary>An interface in a command: sysctl(8) takes dots for separators, and a slash for a dot in a name, as in eth1/100.</summary>
internal static class SysctlName
{
    public static string Of(string link) => link.Replace('.', '/');
}
