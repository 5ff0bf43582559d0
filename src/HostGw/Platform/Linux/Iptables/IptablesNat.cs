using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Keeps the masquerade rule in a chain of iptables, for both address families.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesNat(IptablesPrograms programs, IptablesPresence presence) : INatBackend
{
    private readonly IptablesNatFamily[] _families =
    [
        new(new(programs, presence, OwnChain.Masquerade, ipv4: true)),
        new(new(programs, presence, OwnChain.Masquerade, ipv4: false)),
    ];

    // The last verified plan. Reading starts a program, and the kernel announces no changes of legacy rules.
    private (bool IsKnown, NatPlan? Plan) _verified;

    public string Name => programs.Name;

    public long Writes => programs.Writes;

    public NatUpdate? Compare(NatPlan? desired, bool reread)
    {
        if (!reread && _verified.IsKnown && Equals(_verified.Plan, desired))
            return null;

        _verified = default;
        NatUpdate[] updates = [.. _families.Select(f => f.Compare(desired)).OfType<NatUpdate>()];
        if (updates.Length == 0)
        {
            _verified = (true, desired);
            return null;
        }
        return new(
            string.Join(", ", updates.Select(u => u.What).Distinct()), updates.FirstOrDefault(u => u.Starts is not null)?.Starts,
            () => Array.ForEach(updates, u => u.BeforeRoutes()),
            () =>
            {
                Array.ForEach(updates, u => u.AfterRoutes());
                _verified = (true, desired);
            });
    }
}

/// <summary>The masquerade rule of one address family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesNatFamily(ManagedChain chain)
{
    /// <exception cref="IptablesException">The chain cannot be read, or would have too many exempt prefixes.</exception>
    public NatUpdate? Compare(NatPlan? desired)
    {
        ImmutableArray<string> rules = MasqueradeRules.Of(desired, chain.IsIPv4);
        if (rules.IsDefault)
            return chain.Removal() is { } removal ? new(removal.Reason, null, () => chain.Restore(removal), static () => { }) : null;

        SavedTable saved = chain.Read();
        return chain.Difference(rules, saved) is { } change ? Update(desired!, rules, saved, change) : null;
    }

    private NatUpdate Update(NatPlan desired, ImmutableArray<string> rules, SavedTable saved, ChainChange change)
    {
        IReadOnlyList<string> installed = saved.Rules(chain.Chain.Name);
        ImmutableArray<string> transition = saved.Has(chain.Chain.Name)
            ? MasqueradeRules.Build(MasqueradeRules.Union(desired, installed), chain.IsIPv4)
            : rules;
        ChainChange? before = chain.Difference(transition, saved);
        bool masquerades = change.JumpIsRight && MasqueradeRules.MasqueradeAlike(rules, chain.AsWritten(installed));
        return new(
            masquerades ? "prefixes changed" : change.Reason, masquerades ? null : desired,
            () => chain.Restore(before),
            () =>
            {
                chain.Restore(transition.SequenceEqual(rules) ? null : chain.Difference(rules, chain.Read()));
                chain.RememberPrinted(rules);
            });
    }
}

/// <summary>The rules of chain HOSTGW-POSTROUTING for a plan, as iptables-save prints them. Pure.</summary>
internal static class MasqueradeRules
{
    /// <summary>The first packet of every connection traverses them, so their number is limited (the same as ip-masq-agent's).</summary>
    public const int MaxExempt = 64;

    private const string ReturnTarget = " -j RETURN";

    /// <returns>Default if this family is not masqueraded.</returns>
    /// <exception cref="IptablesException">The plan has more than <see cref="MaxExempt"/> exempt prefixes.</exception>
    public static ImmutableArray<string> Of(NatPlan? plan, bool ipv4)
    {
        if (plan is null || !(ipv4 ? plan.IPv4 : plan.IPv6))
            return default;
        int exempt = plan.Exempt.Count(p => p.IsIPv4 == ipv4);
        return exempt <= MaxExempt ? Build(plan, ipv4) : throw new IptablesException(
            $"exempt {exempt} {(ipv4 ? "IPv4" : "IPv6")} prefixes with iptables: more than {MaxExempt} would slow every connection; " +
            "set clusterCidrs, one prefix for all podCIDRs inside it, or set nat.backend to nftables");
    }

    public static ImmutableArray<string> Build(NatPlan plan, bool ipv4)
    {
        string target = $"-m addrtype ! --dst-type LOCAL -j MASQUERADE{(plan.RandomFully ? " --random-fully" : "")}";
        List<string> rules = [.. plan.Exempt.Where(p => p.IsIPv4 == ipv4).Select(p => $"-d {p}{ReturnTarget}")];
        if (plan.Source == NatSource.Pods)
            return [.. rules, .. plan.Sources.Where(p => p.IsIPv4 == ipv4).Select(p => $"-s {p} {target}")];

        // Without a source match the host's own DHCP broadcasts reach the rule.
        if (ipv4)
            rules.Add($"-m addrtype --dst-type BROADCAST{ReturnTarget}");
        return [.. rules, target];
    }

    /// <summary>The plan, with every prefix exempt in addition that these rules exempt.</summary>
    public static NatPlan Union(NatPlan plan, IEnumerable<string> installed)
    {
        IEnumerable<Prefix> exempt = installed.Select(ExemptPrefix).OfType<Prefix>().Where(p => p.IsAligned);
        return plan with { Exempt = [.. new PrefixForest(plan.Exempt.Concat(exempt)).Roots()] };
    }

    /// <summary>False if the rules differ in more than exemptions: connections may have begun that should be masqueraded.</summary>
    public static bool MasqueradeAlike(IEnumerable<string> desired, IEnumerable<string> installed) =>
        desired.Where(r => ExemptPrefix(r) is null).SequenceEqual(installed.Where(r => ExemptPrefix(r) is null));

    private static Prefix? ExemptPrefix(string rule)
    {
        bool isExemption = rule.StartsWith("-d ", StringComparison.Ordinal) && rule.EndsWith(ReturnTarget, StringComparison.Ordinal);
        return isExemption && Prefix.TryParse(rule.AsSpan()[3..^ReturnTarget.Length], out Prefix prefix) ? prefix : null;
    }
}
