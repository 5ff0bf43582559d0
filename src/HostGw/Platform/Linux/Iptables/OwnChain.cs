using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>A chain of ours in a table of others, and the one rule in a built-in chain that leads to it.</summary>
/// <param name="Parent">The built-in chain.</param>
/// <param name="BeforeDrops">It must stand before the parent's first rule that drops everything.</param>
internal sealed record OwnChain(string Table, string Parent, string Name, bool BeforeDrops)
{
    public static readonly OwnChain Masquerade = new("nat", "POSTROUTING", "HOSTGW-POSTROUTING", BeforeDrops: false);
    public static readonly OwnChain Forward = new("filter", "FORWARD", "HOSTGW-FORWARD", BeforeDrops: true);

    public string Jump => $"-m comment --comment \"kept by hostgw\" -j {Name}";

    /// <summary>Whether a rule matters to us, wherever it stands.</summary>
    public bool IsConcernedBy(string chain, string rule) =>
        chain == Parent || chain == Name || (rule.Contains(Name, StringComparison.Ordinal) && RuleTokens.Target(rule) == Name);

    public SavedTable CreateTable() => new(Table, IsConcernedBy);
}

/// <summary>What iptables-restore is to be told, and why.</summary>
/// <param name="Reason">In words.</param>
/// <param name="Lines">Those between the table's name and COMMIT.</param>
/// <param name="JumpIsRight">Packets reach the chain as it stands.</param>
internal sealed record ChainChange(string Reason, ImmutableArray<string> Lines, bool JumpIsRight)
{
    /// <summary>The input of iptables-restore --noflush: a chain named in it is emptied, every other stays as it is.</summary>
    public string Text(string table) => $"*{table}\n{string.Concat(Lines.Select(l => l + "\n"))}COMMIT\n";
}
