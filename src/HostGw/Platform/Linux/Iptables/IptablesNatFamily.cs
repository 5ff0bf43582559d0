using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The masquerade rule of one family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesNatFamily(KeptChain chain)
{
    /// <exception cref="IptablesException">It cannot be read, or has more exempt prefixes than a chain should.</exception>
    public NatWork? Compare(NatPlan? desired)
    {
        ImmutableArray<string> rules = MasqueradeRules.Of(desired, chain.IsIPv4);
        if (rules.IsDefault)
            return chain.Leftover() is { } leftover ? new(leftover.Reason, null, () => chain.Restore(leftover), static () => { }) : null;

        SavedTable saved = chain.Read();
        return chain.Difference(rules, saved) is { } change ? Work(desired!, rules, saved, change) : null;
    }

    private NatWork Work(NatPlan desired, ImmutableArray<string> rules, SavedTable saved, ChainChange change)
    {
        IReadOnlyList<string> standing = saved.Rules(chain.Chain.Name);
        ImmutableArray<string> middle = saved.Has(chain.Chain.Name)
            ? MasqueradeRules.Build(MasqueradeRules.Union(desired, standing), chain.IsIPv4)
            : rules;
        ChainChange? before = chain.Difference(middle, saved);
        bool isWhole = change.JumpIsRight && MasqueradeRules.MasqueradeAlike(rules, chain.IsAsWritten(standing) ? chain.Written : standing);
        return new(
            isWhole ? "prefixes changed" : change.Reason, isWhole ? null : desired,
            () => chain.Restore(before),
            () =>
            {
                chain.Restore(middle.SequenceEqual(rules) ? null : chain.Difference(rules, chain.Read()));
                chain.Learn(rules);
            });
    }
}
