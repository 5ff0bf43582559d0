using System.Collections.Immutable;
using System.Text;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Splits a rule as iptables-save prints it: words, or text in double quotes with backslash escapes. Pure.</summary>
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
                Take();
        }
        if (open)
            Take();
        return tokens.ToImmutable();

        void Take()
        {
            tokens.Add(token.ToString());
            token.Clear();
            open = false;
        }
    }

    /// <summary>The chain or target that the rule leads to; empty where it only counts.</summary>
    public static string Target(string rule)
    {
        ImmutableArray<string> tokens = Of(rule);
        int option = tokens.FindIndex(t => t is "-j" or "-g");
        return option >= 0 && option + 1 < tokens.Length ? tokens[option + 1] : "";
    }

    /// <summary>Whether every packet that comes here is dropped or refused: a comment narrows nothing.</summary>
    public static bool DropsEverything(string rule)
    {
        ReadOnlySpan<string> tokens = Of(rule).AsSpan();
        if (tokens is ["-m", "comment", "--comment", _, ..])
            tokens = tokens[4..];
        return tokens is ["-j", "DROP"] or ["-j", "REJECT", ..];
    }

    private static int FindIndex(this ImmutableArray<string> tokens, Predicate<string> match)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            if (match(tokens[i]))
                return i;
        }
        return -1;
    }
}
