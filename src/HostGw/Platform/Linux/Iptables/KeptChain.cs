using System.Collections.Immutable;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>A chain of ours in one flavour and family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class KeptChain(IptablesPrograms programs, IptablesPresence presence, OwnChain chain, bool ipv4)
{
    // Versions of iptables-save print the same rule differently: what it says of what was just written is that.
    private ImmutableArray<string> _written;
    private ImmutableArray<string> _asPrinted;

    // Nobody else makes chains of ours: legacy tables, which only a program can read, are looked through once.
    private bool _hasNone;

    public string Name => $"{programs.Name} {(ipv4 ? "IPv4" : "IPv6")}";

    public OwnChain Chain => chain;

    public bool IsIPv4 => ipv4;

    private bool IsLegacy => programs.Flavour == IptablesFlavour.Legacy;

    /// <exception cref="IptablesException">The table cannot be read.</exception>
    public SavedTable Read() => programs.Read(ipv4, chain.Table, chain.CreateTable());

    /// <param name="rules">What it should hold; default: no such chain.</param>
    /// <returns>Null where all is as it should be.</returns>
    public ChainChange? Difference(ImmutableArray<string> rules, SavedTable saved) =>
        ChainDifference.Between(chain, rules, saved, IsWritten(rules) ? _asPrinted : default);

    /// <summary>What removes the chain where it is not wanted; null where there is none.</summary>
    /// <exception cref="IptablesException">It cannot be read.</exception>
    public ChainChange? Leftover()
    {
        // Where no program is, none of ours was made by it.
        if (_hasNone || !presence.MayHave(programs.Flavour, ipv4, chain) || (IsLegacy && !programs.AreInstalled(ipv4)))
            return null;
        if (TryRead() is not { } saved)
            return null;
        ChainChange? change = Difference(default, saved);
        _hasNone = IsLegacy && change is null;
        return change;
    }

    /// <summary>Whether rules that stand are those last written, however they are printed.</summary>
    public bool IsAsWritten(IReadOnlyList<string> standing) => !_asPrinted.IsDefault && standing.SequenceEqual(_asPrinted);

    /// <summary>What was last written.</summary>
    public ImmutableArray<string> Written => _written;

    /// <exception cref="IptablesException">It was refused.</exception>
    public void Restore(ChainChange? change)
    {
        if (change is null)
            return;
        _hasNone = false;
        programs.Restore(ipv4, change.Text(chain.Table));
    }

    /// <summary>Learns how these rules, which have just been written, are printed.</summary>
    /// <exception cref="IptablesException">They cannot be read.</exception>
    public void Learn(ImmutableArray<string> rules)
    {
        IReadOnlyList<string> printed = Read().Rules(chain.Name);
        _written = rules;
        _asPrinted = printed.Count == rules.Length ? [.. printed] : default;
    }

    private bool IsWritten(ImmutableArray<string> rules) => !_written.IsDefault && !rules.IsDefault && rules.SequenceEqual(_written);

    // It takes rights (NET_RAW) that an agent which does not use legacy rules need not have.
    private SavedTable? TryRead()
    {
        try
        {
            return Read();
        }
        catch (IptablesException) when (IsLegacy)
        {
            return null;
        }
    }
}
