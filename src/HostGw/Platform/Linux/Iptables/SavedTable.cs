using System.Collections.Immutable;
using System.Text;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Parses the output of iptables-save for one table.</summary>
/// <param name="concerns">Whether to keep a rule (chain, rule); all others are ignored.</param>
/// <remarks>https://manpages.debian.org/bookworm/iptables/iptables-save.8</remarks>
internal sealed class SavedTable(string name, Func<string, string, bool> concerns)
{
    private const int MostJumps = 64;

    private readonly Dictionary<string, List<string>> _rules = [];
    private readonly Dictionary<string, string> _policies = [];
    private bool _isInTable;

    /// <summary>The rules kept.</summary>
    public IEnumerable<(string Chain, string Rule)> All => _rules.SelectMany(c => c.Value.Select(r => (c.Key, r)));

    /// <summary>The table was read from its first line to its last.</summary>
    public bool IsComplete { get; private set; }

    public bool Has(string chain) => _policies.ContainsKey(chain);

    /// <summary>ACCEPT or DROP; "-" for a chain that is not built in, empty if there is no such chain.</summary>
    public string Policy(string chain) => _policies.GetValueOrDefault(chain, "");

    /// <summary>In their order, without "-A CHAIN".</summary>
    public IReadOnlyList<string> Rules(string chain) => _rules.TryGetValue(chain, out List<string>? rules) ? rules : [];

    /// <summary>
    /// Whether the rule drops or rejects every packet, or jumps without a condition to a chain that does (ufw-reject-forward).
    /// </summary>
    public bool DropsEverything(string rule) => DropsEverything(rule, []);

    /// <summary>Parses the next line.</summary>
    public void Read(string line)
    {
        if (line.StartsWith('*'))
            _isInTable = line.AsSpan(1).SequenceEqual(name);
        else if (_isInTable && line == "COMMIT")
            (IsComplete, _isInTable) = (true, false);
        else if (_isInTable && line.Split(' ', 3) is [var head, var second, var rest])
            Read(head, second, rest);
    }

    private bool DropsEverything(string rule, HashSet<string> seen)
    {
        string target = RuleTokens.TargetOfAll(rule);
        return target is "DROP" or "REJECT" || (target.Length > 0 && seen.Count < MostJumps && seen.Add(target) &&
            ChainDropsEverything(target, seen));
    }

    private bool ChainDropsEverything(string chain, HashSet<string> seen)
    {
        foreach (string rule in Rules(chain))
        {
            if (DropsEverything(rule, seen))
                return true;
            if (RuleTokens.IsLast(rule))
                return false;
        }
        return false;
    }

    private void Read(string head, string second, string rest)
    {
        if (head.StartsWith(':'))
            _policies[head[1..]] = second;
        else if (head == "-A" && concerns(second, rest))
        {
            if (!_rules.TryGetValue(second, out List<string>? rules))
                _rules[second] = rules = [];
            rules.Add(rest);
        }
    }
}

/// <summary>Splits a rule of iptables-save into words; text in double quotes, with backslash escapes, is one word. Pure.</summary>
internal static class RuleTokens
{
    public static ImmutableArray<string> Of(string rule)
    {
        var tokens = ImmutableArray.CreateBuilder<string>();
        var token = new StringBuilder();
        bool open = false, quoted = false;
        for (int i = 0; i < rule.Length; i++)
        {
            char c = rule[i];
            if (c == '"')
                (quoted, open) = (!quoted, true);
            else if (c == '\\' && quoted && i + 1 < rule.Length)
                token.Append(rule[++i]);
            else if (c != ' ' || quoted)
                (open, _) = (true, token.Append(c));
            else if (open)
                Close();
        }
        if (open)
            Close();
        return tokens.ToImmutable();

        void Close()
        {
            tokens.Add(token.ToString());
            token.Clear();
            open = false;
        }
    }

    /// <summary>The chain or target that the rule jumps to; empty if it only counts.</summary>
    public static string Target(string rule) => Target(Of(rule));

    /// <inheritdoc cref="Target(string)"/>
    public static string Target(ImmutableArray<string> tokens)
    {
        for (int i = 0; i + 1 < tokens.Length; i++)
        {
            if (tokens[i] is "-j" or "-g")
                return tokens[i + 1];
        }
        return "";
    }

    /// <summary>The chain or target to which the rule sends every packet; empty if it has a condition. A comment is none.</summary>
    public static string TargetOfAll(string rule) => OfAll(rule) is ["-j" or "-g", var target, ..] ? target : "";

    /// <summary>Whether no packet reaches the rules after it in its chain, for another reason than that it is dropped.</summary>
    public static bool IsLast(string rule) => OfAll(rule) is ["-g", ..] or ["-j", "ACCEPT" or "RETURN"];

    private static ReadOnlySpan<string> OfAll(string rule)
    {
        // Most rules have a condition: a cluster's network policies are thousands.
        if (!rule.StartsWith("-j ", StringComparison.Ordinal) && !rule.StartsWith("-g ", StringComparison.Ordinal) &&
            !rule.StartsWith("-m comment ", StringComparison.Ordinal))
            return [];
        ReadOnlySpan<string> tokens = Of(rule).AsSpan();
        return tokens is ["-m", "comment", "--comment", _, ..] ? tokens[4..] : tokens;
    }
}
