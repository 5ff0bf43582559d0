using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The accept for our pods' traffic in the FORWARD chain of one flavour and family, where that chain drops.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForwardFamily(KeptChain chain)
{
    public string Name => chain.Name;

    /// <param name="accept">Whose traffic; none: nothing of ours should stand.</param>
    /// <param name="mayDrop">False: it is known that this chain drops nothing of itself.</param>
    /// <returns>What is to be done, and how; null: nothing.</returns>
    /// <exception cref="IptablesException">The rules cannot be read.</exception>
    public (string What, Action Apply)? Compare(ImmutableArray<Prefix> accept, bool mayDrop)
    {
        ImmutableArray<string> rules = [.. accept.Where(p => p.IsIPv4 == chain.IsIPv4).SelectMany(p => (string[])[$"-s {p} -j ACCEPT", $"-d {p} -j ACCEPT"])];
        if (rules.IsEmpty || !mayDrop)
            return chain.Leftover() is { } leftover ? (leftover.Reason, () => chain.Restore(leftover)) : null;

        SavedTable saved = chain.Read();
        bool drops = Drops(saved);
        return chain.Difference(drops ? rules : default, saved) is { } change ? (change.Reason, Apply) : null;

        void Apply()
        {
            chain.Restore(change);
            if (drops)
                chain.Learn(rules);
        }
    }

    private bool Drops(SavedTable saved) =>
        saved.Policy(chain.Chain.Parent) == "DROP" || saved.Rules(chain.Chain.Parent).Any(RuleTokens.DropsEverything);
}
