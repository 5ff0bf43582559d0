using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Compares a chain of ours with what stands. Pure.</summary>
internal static class ChainDifference
{
    /// <param name="rules">What the chain should hold; default: no such chain.</param>
    /// <param name="asPrinted">How iptables-save printed these rules when we had just written them: versions differ.</param>
    /// <returns>Null where all is as it should be.</returns>
    public static ChainChange? Between(OwnChain chain, ImmutableArray<string> rules, SavedTable saved, ImmutableArray<string> asPrinted = default)
    {
        List<string> reasons = [], lines = [];
        bool isJumpRight = false;
        if (rules.IsDefault)
            Remove(chain, saved, reasons, lines);
        else
        {
            CompareRules(chain, rules, saved, asPrinted, reasons, lines);
            isJumpRight = CompareJump(chain, saved, reasons, lines);
        }
        return lines.Count == 0 ? null : new(string.Join(", ", reasons), [.. lines], isJumpRight);
    }

    private static void Remove(OwnChain chain, SavedTable saved, List<string> reasons, List<string> lines)
    {
        if (!saved.Has(chain.Name))
            return;
        reasons.Add($"chain {chain.Name} is not wanted");
        lines.Add($":{chain.Name} - [0:0]");
        lines.AddRange(JumpsIn(chain, saved).Select(j => $"-D {j.Chain} {j.Rule}"));
        lines.Add($"-X {chain.Name}");
    }

    private static void CompareRules(
        OwnChain chain, ImmutableArray<string> rules, SavedTable saved, ImmutableArray<string> asPrinted, List<string> reasons, List<string> lines)
    {
        IReadOnlyList<string> standing = saved.Rules(chain.Name);
        if (saved.Has(chain.Name) && (standing.SequenceEqual(rules) || (!asPrinted.IsDefault && standing.SequenceEqual(asPrinted))))
            return;
        reasons.Add(saved.Has(chain.Name) ? $"chain {chain.Name} differs" : $"chain {chain.Name} is missing");
        lines.Add($":{chain.Name} - [0:0]");
        lines.AddRange(rules.Select(r => $"-A {chain.Name} {r}"));
    }

    private static bool CompareJump(OwnChain chain, SavedTable saved, List<string> reasons, List<string> lines)
    {
        (string Chain, string Rule)[] jumps = [.. JumpsIn(chain, saved)];
        IReadOnlyList<string> parent = saved.Rules(chain.Parent);
        int firstDrop = chain.BeforeDrops ? FindDrop(parent) : -1;
        bool single = jumps.Length == 1 && jumps[0] == (chain.Parent, chain.Jump);
        if (single && (firstDrop < 0 || IndexOf(parent, chain.Jump) < firstDrop))
            return true;

        reasons.Add(jumps.Length == 0 ? $"no rule of {chain.Parent} leads to {chain.Name}"
            : single ? $"the rule that leads to {chain.Name} stands behind one that drops everything"
            : $"other rules than ours lead to {chain.Name}");
        lines.AddRange(jumps.Select(j => $"-D {j.Chain} {j.Rule}"));

        // Where it goes once the others have gone.
        string[] remaining = [.. parent.Where(r => RuleTokens.Target(r) != chain.Name)];
        int drop = chain.BeforeDrops ? FindDrop(remaining) : -1;
        lines.Add(drop < 0 ? $"-A {chain.Parent} {chain.Jump}" : $"-I {chain.Parent} {drop + 1} {chain.Jump}");
        return false;
    }

    private static IEnumerable<(string Chain, string Rule)> JumpsIn(OwnChain chain, SavedTable saved) =>
        saved.All.Where(r => RuleTokens.Target(r.Rule) == chain.Name);

    private static int FindDrop(IReadOnlyList<string> rules) => IndexOf(rules, RuleTokens.DropsEverything);

    private static int IndexOf(IReadOnlyList<string> rules, string rule) => IndexOf(rules, r => r == rule);

    private static int IndexOf(IReadOnlyList<string> rules, Predicate<string> match)
    {
        for (int i = 0; i < rules.Count; i++)
        {
            if (match(rules[i]))
                return i;
        }
        return -1;
    }
}
