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

    /// <summary>The local routes of probe addresses to add and to delete.</summary>
    public ProbeRouteChanges ProbeRoutes { get; init; } = ProbeRouteChanges.None;

    /// <summary>The changes of the link hostgw0.</summary>
    public TunnelChanges Tunnel { get; init; } = TunnelChanges.None;

    /// <summary>False: leave the guards of probes and tunnel as they are.</summary>
    public bool ChangesGuards { get; init; }

    /// <summary>The desired guards; null: none.</summary>
    public GuardPlan? Guards { get; init; }

    /// <summary>Rules are compared and not changed: their repair must wait.</summary>
    public bool HoldsRules { get; init; }

    /// <summary>False: leave the masquerade rule as it is.</summary>
    public bool ChangesNat { get; init; }

    /// <summary>False: rules that an earlier pass found right are not read again where that would start a program.</summary>
    public bool ReadsRulesAgain { get; init; } = true;

    /// <summary>False: of guards that an earlier pass found right, only changed parts are read again.</summary>
    public bool ReadsGuardsAgain { get; init; } = true;

    /// <summary>The desired masquerade rule; null: none.</summary>
    public NatPlan? Nat { get; init; }

    /// <summary>False: leave chain FORWARD as it is.</summary>
    public bool ChangesForward { get; init; }

    /// <summary>The prefixes whose packets are accepted where chain FORWARD drops them; empty: HostGw has no rule.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; init; } = [];

    /// <summary>This node's own.</summary>
    public ImmutableArray<Prefix> PodCidrs => Plan.OwnPodCidrs;

    /// <summary>False: leave the CNI configuration as it is.</summary>
    public bool ChangesCni { get; init; }

    /// <summary>The desired CNI configuration; null: HostGw writes none.</summary>
    public CniPlan? Cni { get; init; }

    public bool EnableForwardingIPv4 { get; init; }

    /// <summary>On Linux: the interfaces on which it is off, in /proc/sys/net/ipv4/conf.</summary>
    public IReadOnlyList<string> ForwardIPv4On { get; init; } = [];

    /// <summary>The interface towards the peers; null: none at the moment.</summary>
    public string? UplinkIPv4 => Plan.InterfaceIPv4.Interface?.Name;

    public bool EnableForwardingIPv6 { get; init; }

    /// <inheritdoc cref="UplinkIPv4"/>
    public string? UplinkIPv6 => Plan.InterfaceIPv6.Interface?.Name;

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

    /// <summary>Search for routes that packets do not take because of policy rules. Asks for the route to each peer.</summary>
    public bool FindsOverrides { get; init; } = true;

    /// <summary>Whether this host forwards once these changes are made; null where it cannot be read.</summary>
    public ForwardingState Forwarding => new(
        EnableForwardingIPv4 ? true : Host.Forwarding.IPv4, EnableForwardingIPv6 ? true : Host.Forwarding.IPv6);

    /// <summary>The changes that were made: without those that the host refused.</summary>
    public HostChanges Without(ApplyResult refusals) => refusals is { Failures.Count: 0, ProbeObstacles.Count: 0 } ? this : this with
    {
        Routes = Routes.Without(refusals.RefusedRoutes),
        PolicyRules = refusals.Refused(HostPart.PolicyRules) ? PolicyRuleChanges.None : PolicyRules,
        ProbeRoutes = refusals.Refused(HostPart.ProbeAddress) ? ProbeRouteChanges.None : ProbeRoutes.Without(refusals.ProbeObstacles),
        Tunnel = Tunnel.Without(refusals),
        EnableForwardingIPv4 = EnableForwardingIPv4 && !refusals.Refused(HostPart.ForwardingIPv4),
        EnableForwardingIPv6 = EnableForwardingIPv6 && !refusals.Refused(HostPart.ForwardingIPv6),
        AcceptRa = refusals.Refused(HostPart.ForwardingIPv6) ? [] : AcceptRa,
    };

    /// <summary>What is kept after the pass: without most of the host's state and the changed routes, which may be thousands.</summary>
    public HostChanges Lasting() => this with
    {
        Routes = Routes.Lasting(),
        Host = new()
        {
            Forwarding = Host.Forwarding,
            PolicyRules = Host.PolicyRules,
            DuplicateAddresses = Host.DuplicateAddresses,
        },
    };
}

/// <summary>The value that accept_ra of an interface gets.</summary>
internal readonly record struct AcceptRaChange(string Interface, int Value);

/// <summary>An interface in a command: sysctl(8) takes dots for separators, and a slash for a dot in a name, as in eth1/100.</summary>
internal static class SysctlName
{
    public static string Of(string link) => link.Replace('.', '/');
}

/// <summary>
/// The changes of HostGw's policy rules: `to CLUSTERCIDR lookup main suppress_prefixlength LENGTH-1`. The suppression lets packets to pod
/// addresses that no node has go on to the following rules, as they would without it, instead of to main's default route.
/// </summary>
internal sealed record PolicyRuleChanges(IReadOnlyList<PolicyRule> Add, IReadOnlyList<PolicyRule> Delete)
{
    /// <summary>Where foreign rules allow it.</summary>
    private const uint UsualPreference = 100;

    public static PolicyRuleChanges None { get; } = new([], []);

    public bool IsEmpty => Add.Count == 0 && Delete.Count == 0;

    public static PolicyRuleChanges Between(Plan plan, HostState host)
    {
        if (plan.Scope != PlanScope.Everything || (plan.PolicyRules.IsEmpty && host.PolicyRules.IsEmpty))
            return None;
        List<PolicyRule> add = [];
        HashSet<PolicyRule> keep = [];
        foreach (Prefix cluster in plan.PolicyRules)
        {
            PolicyRule[] family = [.. host.PolicyRules.Where(r => r.IsIPv6 == cluster.IsIPv6)];
            (int first, int end) = Place(family, cluster);
            if (end < first)
                continue;
            // A rule of another program suffices, and so does one whose protocol an old kernel has not kept.
            PolicyRule[] present = [.. family[first..end].Where(r => LeadsTo(r, cluster))];
            if (present.Length > 0)
                keep.Add(present.FirstOrDefault(r => r.IsOurs) ?? present[0]);
            else if (Preference(family, first, end) is { } preference)
                add.Add(Rule(cluster, preference));
        }
        PolicyRule[] delete = [.. host.PolicyRules.Where(r => r.IsOurs && !keep.Contains(r))];
        return add.Count == 0 && delete.Length == 0 ? None : new(add, delete);
    }

    // After the rule that finds this host's own addresses, and before the first that may interfere: there may be no such place.
    private static (int First, int End) Place(PolicyRule[] family, Prefix cluster)
    {
        int first = Array.FindIndex(family, r => r.IsPlain && r.Table == RoutingTables.Local) + 1;
        int end = Array.FindIndex(family, r => Overrides.MayInterfere(r) && (r.IsInverted || r.To.IsNone || r.To.Overlaps(cluster)));
        int main = Array.FindIndex(family, first, r => r.IsDefault && r.Table == RoutingTables.Main);
        return (first, end >= 0 ? end : main >= 0 ? main : family.Length);
    }

    // The kernel puts a rule after those of the same preference. Null: there is no room.
    private static uint? Preference(PolicyRule[] family, int first, int end)
    {
        uint least = first > 0 ? family[first - 1].Preference : 0;
        uint most = end < family.Length ? family[end].Preference : 32766;
        return most <= least ? null : Math.Min(Math.Max(least, UsualPreference), most - 1);
    }

    private static PolicyRule Rule(Prefix cluster, uint preference) => new()
    {
        IsIPv6 = cluster.IsIPv6,
        Preference = preference,
        To = cluster,
        Table = RoutingTables.Main,
        SuppressPrefixLength = cluster.Length - 1,
        IsOurs = true,
    };

    private static bool LeadsTo(PolicyRule rule, Prefix cluster) =>
        rule.IsPlain && rule.Table == RoutingTables.Main && rule.From.IsNone && rule.To == cluster &&
        rule.SuppressPrefixLength == cluster.Length - 1;
}
