using HostGw.Planning;

namespace HostGw.Platform;

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
            // One that somebody else installed, or of which an old kernel does not keep the protocol, will do.
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
