using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Iptables;

/// <param name="Rule">In chain POSTROUTING.</param>
/// <param name="Removal">The lines for iptables-restore that remove it, and the chain it leads to.</param>
internal readonly record struct LeftoverRule(string Rule, ImmutableArray<string> Removal);

/// <summary>Finds the rules of others that masquerade what goes from a pod of ours to a pod of another node. Pure.</summary>
internal static class LeftoverRules
{
    private const string Parent = "POSTROUTING";

    // flannel's, kind's and kubernetes-sigs/ip-masq-agent's.
    private static readonly string[] Chains = ["FLANNEL-POSTRTG", "KIND-MASQ-AGENT", "IP-MASQ-AGENT"];

    private enum Match
    {
        None,

        /// <summary>Some packets, or it cannot be told.</summary>
        Some,
        All,
    }

    /// <summary>Tables of nf_tables in which others masquerade: flannel's and kindnet's.</summary>
    public static bool IsTableOfOthers(string table) => table is "flannel-ipv4" or "flannel-ipv6" or "kindnet-ipmasq";

    public static bool Sees(string chain) => chain == Parent || Chains.Contains(chain);

    public static IEnumerable<LeftoverRule> Find(SavedTable saved, ImmutableArray<Prefix> own, ImmutableArray<Prefix> peers)
    {
        foreach (string rule in saved.Rules(Parent))
        {
            string target = RuleTokens.Target(rule);
            bool leads = Chains.Contains(target);
            bool harms = own.Any(s => peers.Any(d => leads
                ? Matches(rule, s, d) != Match.None && Masquerades(saved.Rules(target), s, d)
                : Masquerades([rule], s, d)));
            if (harms)
                yield return new(rule, leads ? [$":{target} - [0:0]", $"-D {Parent} {rule}", $"-X {target}"] : [$"-D {Parent} {rule}"]);
        }
    }

    // What is exempt of a chain returns before it comes to the rule that masquerades.
    private static bool Masquerades(IReadOnlyList<string> rules, Prefix source, Prefix destination)
    {
        foreach (string rule in rules)
        {
            Match match = Matches(rule, source, destination);
            string target = RuleTokens.Target(rule);
            if (target == "MASQUERADE" && match == Match.All)
                return true;
            if (target is "RETURN" or "ACCEPT" && match == Match.All)
                return false;
        }
        return false;
    }

    private static Match Matches(string rule, Prefix source, Prefix destination)
    {
        Match match = Match.All;
        ImmutableArray<string> tokens = RuleTokens.Of(rule);
        for (int i = 0; i < tokens.Length && tokens[i] != "-j"; i++)
        {
            bool negated = tokens[i] == "!";
            i += negated ? 1 : 0;
            string value = i + 1 < tokens.Length ? tokens[i + 1] : "";
            Match one = i == tokens.Length ? Match.Some : tokens[i] switch
            {
                "-s" => Of(value, source, negated),
                "-d" => Of(value, destination, negated),
                "--dst-type" when value == "LOCAL" => negated ? Match.All : Match.None,
                "-m" or "--comment" => Match.All,
                _ => Match.Some,
            };
            match = one < match ? one : match;
            i++;
        }
        return match;
    }

    private static Match Of(string text, Prefix prefix, bool negated)
    {
        if (!Prefix.TryParse(text, out Prefix other))
            return Match.Some;
        Match match = other.Contains(prefix) ? Match.All : other.Overlaps(prefix) ? Match.Some : Match.None;
        return negated ? Match.All - (int)match : match;
    }
}
