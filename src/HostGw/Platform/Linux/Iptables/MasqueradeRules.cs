using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The rules of chain HOSTGW-POSTROUTING for a plan, as iptables-save prints them. Pure.</summary>
internal static class MasqueradeRules
{
    /// <summary>Every packet of a new connection walks along them, so there is an end to it (the same as ip-masq-agent's).</summary>
    public const int MostExempt = 64;

    private const string ReturnTarget = " -j RETURN";

    /// <returns>Default where this family is not masqueraded.</returns>
    /// <exception cref="IptablesException">More exempt prefixes than a chain should have.</exception>
    public static ImmutableArray<string> Of(NatPlan? plan, bool ipv4)
    {
        if (plan is null || !(ipv4 ? plan.IPv4 : plan.IPv6))
            return default;
        int exempt = plan.Exempt.Count(p => p.IsIPv4 == ipv4);
        return exempt <= MostExempt ? Build(plan, ipv4) : throw new IptablesException(
            $"exempt {exempt} {(ipv4 ? "IPv4" : "IPv6")} prefixes with iptables: more than {MostExempt} would slow every connection; " +
            "set clusterCidrs, which stands for all podCIDRs within, or set nat.backend to nftables");
    }

    /// <summary>The plan with every prefix exempt besides that these rules exempt.</summary>
    public static NatPlan Union(NatPlan plan, IEnumerable<string> standing)
    {
        IEnumerable<Prefix> exempt = standing.Select(ExemptPrefix).OfType<Prefix>().Where(p => p.IsAligned);
        return plan with { Exempt = [.. new PrefixForest(plan.Exempt.Concat(exempt)).Roots()] };
    }

    /// <summary>Rules that masquerade differently, apart from what is exempt: connections may have begun that should be rewritten.</summary>
    public static bool MasqueradeAlike(IEnumerable<string> desired, IEnumerable<string> standing) =>
        desired.Where(r => ExemptPrefix(r) is null).SequenceEqual(standing.Where(r => ExemptPrefix(r) is null));

    public static ImmutableArray<string> Build(NatPlan plan, bool ipv4)
    {
        string target = $"-m addrtype ! --dst-type LOCAL -j MASQUERADE{(plan.RandomFully ? " --random-fully" : "")}";
        List<string> rules = [.. plan.Exempt.Where(p => p.IsIPv4 == ipv4).Select(p => $"-d {p}{ReturnTarget}")];
        if (plan.Source == NatSource.Pods)
            return [.. rules, .. plan.Sources.Where(p => p.IsIPv4 == ipv4).Select(p => $"-s {p} {target}")];

        // Without a source match the host's own DHCP broadcasts come by.
        if (ipv4)
            rules.Add($"-m addrtype --dst-type BROADCAST{ReturnTarget}");
        return [.. rules, target];
    }

    private static Prefix? ExemptPrefix(string rule) =>
        rule.StartsWith("-d ", StringComparison.Ordinal) && rule.EndsWith(ReturnTarget, StringComparison.Ordinal)
            && Prefix.TryParse(rule.AsSpan()[3..^ReturnTarget.Length], out Prefix prefix) ? prefix : null;
}
