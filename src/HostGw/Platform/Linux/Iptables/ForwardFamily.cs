using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The accept for our pods' traffic in the FORWARD chain of one flavour and family, where that chain drops.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForwardFamily(IptablesPrograms programs, IptablesFlavour flavour, IptablesPresence presence, bool ipv4)
{
    private static readonly OwnChain Chain = OwnChain.Forward;

    private ImmutableArray<string> _written;
    private ImmutableArray<string> _asPrinted;
    private bool _hasNone;

    public string Name => $"{programs.Name} {(ipv4 ? "IPv4" : "IPv6")}";

    /// <param name="accept">Whose traffic; none: nothing of ours should stand.</param>
    /// <param name="mayDrop">False: it is known that this chain drops nothing of itself.</param>
    /// <returns>Null: there is nothing to do.</returns>
    /// <exception cref="IptablesException">The rules cannot be read.</exception>
    public ChainChange? Compare(ImmutableArray<Prefix> accept, bool mayDrop)
    {
        ImmutableArray<string> rules = [.. accept.Where(p => p.IsIPv4 == ipv4).SelectMany(p => (string[])[$"-s {p} -j ACCEPT", $"-d {p} -j ACCEPT"])];
        bool isWanted = !rules.IsEmpty && mayDrop;
        if (!isWanted && (_hasNone || !presence.MayHave(flavour, ipv4, Chain)))
            return null;
        if (!isWanted && flavour == IptablesFlavour.Legacy && !programs.AreInstalled(ipv4))
            return null; // no program, so none of ours was made by it

        if (_written.IsDefault || !rules.SequenceEqual(_written))
            (_written, _asPrinted) = (rules, default);
        SavedTable saved = Read();
        isWanted = isWanted && Drops(saved);
        ChainChange? change = ChainDifference.Between(Chain, isWanted ? rules : default, saved, _asPrinted);
        _hasNone = !isWanted && change is null && flavour == IptablesFlavour.Legacy && rules.IsEmpty;
        return change;
    }

    /// <exception cref="IptablesException">It was refused.</exception>
    public void Apply(ChainChange change)
    {
        programs.Restore(ipv4, change.Text(Chain.Table));
        // Versions of iptables-save print the same rule differently: what it says of what was just written is that.
        IReadOnlyList<string> printed = Read().Rules(Chain.Name);
        _asPrinted = printed.Count == _written.Length ? [.. printed] : default;
    }

    private SavedTable Read() => programs.Read(ipv4, Chain.Table, Chain.CreateTable());

    private static bool Drops(SavedTable saved) =>
        saved.Policy(Chain.Parent) == "DROP" || saved.Rules(Chain.Parent).Any(RuleTokens.DropsEverything);
}
