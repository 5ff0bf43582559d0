using System.Collections.Immutable;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>A chain of HostGw's in a table that other programs use too, and the one rule in a built-in chain that jumps to it.</summary>
/// <param name="Parent">The built-in chain.</param>
/// <param name="BeforeDrops">The jump must be before the parent's first rule that drops everything.</param>
internal sealed record OwnChain(string Table, string Parent, string Name, bool BeforeDrops)
{
    public static readonly OwnChain Masquerade = new("nat", "POSTROUTING", "HOSTGW-POSTROUTING", BeforeDrops: false);
    public static readonly OwnChain Forward = new("filter", "FORWARD", "HOSTGW-FORWARD", BeforeDrops: true);

    public string Jump => $"-m comment --comment \"kept by hostgw\" -j {Name}";

    /// <summary>Receives the part of the table that concerns this chain.</summary>
    public SavedTable CreateTable() => new(Table, IsConcernedBy);

    // What drops everything may be in a chain to which the parent jumps.
    private bool IsConcernedBy(string chain, string rule) =>
        chain == Parent || chain == Name || (BeforeDrops && RuleTokens.TargetOfAll(rule).Length > 0) ||
        (rule.Contains(Name, StringComparison.Ordinal) && RuleTokens.Target(rule) == Name);
}

/// <summary>Reads, compares and changes a chain of HostGw's in one flavour and address family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ManagedChain(IptablesPrograms programs, IptablesPresence presence, OwnChain chain, bool ipv4)
{
    // Versions of iptables-save print the same rule differently. Rules read right after they were written are these rules.
    private ImmutableArray<string> _written;
    private ImmutableArray<string> _asPrinted;

    // Only HostGw creates its chains. Legacy tables, which only a program can read, are therefore searched once.
    private bool _isKnownAbsent;

    public string Name => $"{programs.Name} {(ipv4 ? "IPv4" : "IPv6")}";

    public OwnChain Chain => chain;

    public bool IsIPv4 => ipv4;

    private bool IsLegacy => programs.Flavour == IptablesFlavour.Legacy;

    /// <exception cref="IptablesException">The table cannot be read.</exception>
    public SavedTable Read() => programs.Read(ipv4, chain.Table, chain.CreateTable());

    /// <param name="rules">The desired rules; default: no chain.</param>
    /// <returns>Null: nothing to do.</returns>
    public ChainChange? Difference(ImmutableArray<string> rules, SavedTable saved)
    {
        bool isWritten = !_written.IsDefault && !rules.IsDefault && rules.SequenceEqual(_written);
        return ChainDifference.Between(chain, rules, saved, isWritten ? _asPrinted : default);
    }

    /// <summary>What removes the chain; null if there is none.</summary>
    /// <exception cref="IptablesException">The table cannot be read.</exception>
    public ChainChange? Removal()
    {
        // Without the programs HostGw cannot have created the chain.
        if (_isKnownAbsent || !presence.MayHave(programs.Flavour, ipv4, chain) || (IsLegacy && !programs.AreInstalled(ipv4)))
            return null;
        if (TryRead() is not { } saved)
            return null;
        ChainChange? change = Difference(default, saved);
        _isKnownAbsent = IsLegacy && change is null;
        return change;
    }

    /// <exception cref="IptablesException">It was refused.</exception>
    public void Restore(ChainChange? change)
    {
        if (change is null)
            return;
        _isKnownAbsent = false;
        programs.Restore(ipv4, chain.Table, change.Text(chain.Table));
    }

    /// <summary>Reads how iptables-save prints these rules, which have just been written.</summary>
    /// <exception cref="IptablesException">The table cannot be read.</exception>
    public void RememberPrinted(ImmutableArray<string> rules)
    {
        IReadOnlyList<string> printed = Read().Rules(chain.Name);
        _written = rules;
        _asPrinted = printed.Count == rules.Length ? [.. printed] : default;
    }

    /// <summary>Printed rules as they were written, if they are those last written.</summary>
    public IReadOnlyList<string> AsWritten(IReadOnlyList<string> printed) =>
        !_asPrinted.IsDefault && printed.SequenceEqual(_asPrinted) ? _written : printed;

    // Needs a capability (NET_RAW) that an agent without legacy rules need not have.
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

/// <summary>A change of one chain, as input of iptables-restore.</summary>
/// <param name="Reason">In words.</param>
/// <param name="Lines">Those between the table's name and COMMIT.</param>
/// <param name="JumpIsRight">The rule that jumps to the chain is already in place.</param>
internal sealed record ChainChange(string Reason, ImmutableArray<string> Lines, bool JumpIsRight)
{
    /// <summary>The input of iptables-restore --noflush: a chain named in it is flushed, all others remain.</summary>
    public string Text(string table) => $"*{table}\n{string.Concat(Lines.Select(l => l + "\n"))}COMMIT\n";
}

/// <summary>Compares a chain of HostGw's with the saved table. Pure.</summary>
internal static class ChainDifference
{
    /// <param name="rules">The desired rules of the chain; default: no chain.</param>
    /// <param name="asPrinted">How iptables-save printed these rules right after they were written: versions differ.</param>
    /// <returns>Null: nothing to do.</returns>
    public static ChainChange? Between(
        OwnChain chain, ImmutableArray<string> rules, SavedTable saved, ImmutableArray<string> asPrinted = default)
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
        reasons.Add($"chain {chain.Name} is not needed");
        lines.Add($":{chain.Name} - [0:0]");
        lines.AddRange(JumpsTo(chain, saved).Select(j => $"-D {j.Chain} {j.Rule}"));
        lines.Add($"-X {chain.Name}");
    }

    private static void CompareRules(
        OwnChain chain, ImmutableArray<string> rules, SavedTable saved, ImmutableArray<string> asPrinted,
        List<string> reasons, List<string> lines)
    {
        IReadOnlyList<string> printed = saved.Rules(chain.Name);
        if (saved.Has(chain.Name) && (printed.SequenceEqual(rules) || (!asPrinted.IsDefault && printed.SequenceEqual(asPrinted))))
            return;
        reasons.Add(saved.Has(chain.Name) ? $"chain {chain.Name} differs" : $"chain {chain.Name} is missing");
        lines.Add($":{chain.Name} - [0:0]");
        lines.AddRange(rules.Select(r => $"-A {chain.Name} {r}"));
    }

    private static bool CompareJump(OwnChain chain, SavedTable saved, List<string> reasons, List<string> lines)
    {
        (string Chain, string Rule)[] jumps = [.. JumpsTo(chain, saved)];
        IReadOnlyList<string> parent = saved.Rules(chain.Parent);
        int firstDrop = chain.BeforeDrops ? IndexOf(parent, saved.DropsEverything) : -1;
        bool single = jumps.Length == 1 && jumps[0] == (chain.Parent, chain.Jump);
        if (single && (firstDrop < 0 || IndexOf(parent, r => r == chain.Jump) < firstDrop))
            return true;

        reasons.Add(jumps.Length == 0 ? $"no rule of {chain.Parent} jumps to {chain.Name}"
            : single ? $"the rule that jumps to {chain.Name} is after one that drops everything"
            : $"unexpected rules jump to {chain.Name}");
        lines.AddRange(jumps.Select(j => $"-D {j.Chain} {j.Rule}"));

        // The position after these deletions.
        string[] remaining = [.. parent.Where(r => RuleTokens.Target(r) != chain.Name)];
        int drop = chain.BeforeDrops ? IndexOf(remaining, saved.DropsEverything) : -1;
        lines.Add(drop < 0 ? $"-A {chain.Parent} {chain.Jump}" : $"-I {chain.Parent} {drop + 1} {chain.Jump}");
        return false;
    }

    private static IEnumerable<(string Chain, string Rule)> JumpsTo(OwnChain chain, SavedTable saved) =>
        saved.All.Where(r => RuleTokens.Target(r.Rule) == chain.Name);

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
