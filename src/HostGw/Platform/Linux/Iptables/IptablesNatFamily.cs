using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The masquerade rule of one family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesNatFamily(IptablesPrograms programs, IptablesFlavour flavour, IptablesPresence presence, bool ipv4)
{
    private static readonly OwnChain Chain = OwnChain.Masquerade;

    private ImmutableArray<string> _written;
    private ImmutableArray<string> _asPrinted;

    // Nobody else makes chains of ours: legacy tables, which only a program can read, are looked through once.
    private bool _hasNone;

    /// <exception cref="IptablesException">It cannot be read, or has more exempt prefixes than a chain should.</exception>
    public NatWork? Compare(NatPlan? desired)
    {
        ImmutableArray<string> rules = MasqueradeRules.Of(desired, ipv4);
        if (rules.IsDefault && (_hasNone || !presence.MayHave(flavour, ipv4, Chain)))
            return null;
        if (rules.IsDefault && flavour == IptablesFlavour.Legacy && !programs.AreInstalled(ipv4))
            return null; // no program, so none of ours was made by it
        if (rules.IsDefault && flavour == IptablesFlavour.Legacy)
            return TryRead() is { } legacy && Difference(rules, legacy) is { } leftover ? Removal(leftover) : NothingStands();

        SavedTable saved = Read();
        ChainChange? change = Difference(rules, saved);
        return change is null ? null : rules.IsDefault ? Removal(change) : Work(desired!, rules, saved, change);
    }

    private NatWork? NothingStands()
    {
        _hasNone = true;
        return null;
    }

    // It takes rights (NET_RAW) that an agent which does not use legacy rules need not have.
    private SavedTable? TryRead()
    {
        try
        {
            return Read();
        }
        catch (IptablesException)
        {
            return null;
        }
    }

    private NatWork Removal(ChainChange change) => new(change.Reason, null, () => Restore(change), static () => { });

    private NatWork Work(NatPlan desired, ImmutableArray<string> rules, SavedTable saved, ChainChange change)
    {
        IReadOnlyList<string> standing = saved.Rules(Chain.Name);
        ImmutableArray<string> middle = saved.Has(Chain.Name) ? MasqueradeRules.Build(MasqueradeRules.Union(desired, standing), ipv4) : rules;
        ChainChange? before = Difference(middle, saved);
        bool isWhole = change.JumpIsRight && MasqueradeRules.MasqueradeAlike(rules, _asPrinted.IsDefault || !standing.SequenceEqual(_asPrinted) ? standing : _written);
        return new(
            isWhole ? "prefixes changed" : change.Reason, isWhole ? null : desired,
            () => Restore(before),
            () =>
            {
                Restore(middle.SequenceEqual(rules) ? null : ChainDifference.Between(Chain, rules, Read()));
                Learn(rules);
            });
    }

    private ChainChange? Difference(ImmutableArray<string> rules, SavedTable saved) => ChainDifference.Between(
        Chain, rules, saved, !_written.IsDefault && !rules.IsDefault && rules.SequenceEqual(_written) ? _asPrinted : default);

    // Versions of iptables-save print the same rule differently: what it says of what was just written is that.
    private void Learn(ImmutableArray<string> rules)
    {
        IReadOnlyList<string> printed = Read().Rules(Chain.Name);
        _written = rules;
        _asPrinted = printed.Count == rules.Length ? [.. printed] : default;
    }

    private SavedTable Read() => programs.Read(ipv4, Chain.Table, Chain.CreateTable());

    private void Restore(ChainChange? change)
    {
        if (change is not null)
            programs.Restore(ipv4, change.Text(Chain.Table));
    }
}
