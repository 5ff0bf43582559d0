using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Finds rules that other network agents left and that masquerade traffic from pod to pod.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignMasquerade(Func<ForeignTables?> tables, IptablesPrograms[] iptables)
{
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public List<Leftover> Find(Plan plan)
    {
        List<Leftover> found = [];
        if (tables() is { } foreign)
        {
            foreach (ListedTable table in foreign.Tables().Where(t => ForeignMasqueradeRules.IsKnownTable(t.Name)))
            {
                if (!Enum.IsDefined(table.Family))
                    continue;
                found.Add(new(
                    $"the nftables table {NftNames.Of(table.Family)} {table.Name}, which may masquerade traffic from pod to pod",
                    () => foreign.DeleteTable(table.Family, table.Name)));
            }
        }
        foreach (IptablesPrograms programs in iptables)
        {
            Find(programs, ipv4: true, plan, found);
            Find(programs, ipv4: false, plan, found);
        }
        return found;
    }

    private void Find(IptablesPrograms programs, bool ipv4, Plan plan, List<Leftover> found)
    {
        OwnChain nat = OwnChain.Masquerade;
        if (!HasTable(programs.Flavour, ipv4) || !programs.AreInstalled(ipv4))
            return;

        string where = $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}";
        SavedTable saved;
        try
        {
            saved = programs.Read(ipv4, nat.Table, new(nat.Table, static (chain, _) => ForeignMasqueradeRules.IsSearched(chain)));
        }
        catch (IptablesException e)
        {
            found.Add(new($"{where}: whether a rule masquerades traffic from pod to pod is unknown ({e.Message})", null));
            return;
        }
        // Copied only if there are rules to compare: a large cluster has many podCIDRs.
        IEnumerable<Prefix> own = plan.OwnPodCidrs.Where(p => p.IsIPv4 == ipv4);
        IEnumerable<Prefix> peers = plan.Routes.Select(r => r.Destination).Where(p => p.IsIPv4 == ipv4);
        foreach (ForeignRule rule in ForeignMasqueradeRules.Find(saved, [.. own], [.. peers]))
        {
            found.Add(new(
                $"{where}: rule '-A {nat.Parent} {rule.Rule}' masquerades traffic from pod to pod",
                () => programs.Restore(ipv4, $"*{nat.Table}\n{string.Concat(rule.Removal.Select(l => l + "\n"))}COMMIT\n")));
        }
    }

    private bool HasTable(IptablesFlavour flavour, bool ipv4) => flavour == IptablesFlavour.Nft
        ? tables()?.HasChain(ForeignTables.FamilyOf(ipv4), OwnChain.Masquerade.Table, OwnChain.Masquerade.Parent) ?? false
        : IptablesPresence.HasLegacyTable(ipv4, OwnChain.Masquerade.Table);
}

/// <param name="Rule">In chain POSTROUTING, without "-A POSTROUTING".</param>
/// <param name="Removal">The lines for iptables-restore that remove it, and the chain that it jumps to.</param>
internal readonly record struct ForeignRule(string Rule, ImmutableArray<string> Removal);

/// <summary>Decides which iptables rules masquerade traffic from this node's pods to pods of other nodes. Pure.</summary>
internal static class ForeignMasqueradeRules
{
    private const string Parent = "POSTROUTING";

    // Of flannel, kind and kubernetes-sigs/ip-masq-agent.
    private static readonly string[] Chains = ["FLANNEL-POSTRTG", "KIND-MASQ-AGENT", "IP-MASQ-AGENT"];

    /// <summary>How much of the traffic between two prefixes a condition matches; a smaller value decides.</summary>
    private enum Match
    {
        None,

        /// <summary>A part, or it is not known.</summary>
        Some,
        All,
    }

    /// <summary>The nf_tables tables in which flannel and kindnet masquerade.</summary>
    public static bool IsKnownTable(string table) => table is "flannel-ipv4" or "flannel-ipv6" or "kindnet-ipmasq";

    public static bool IsSearched(string chain) => chain == Parent || Chains.Contains(chain);

    /// <param name="own">This node's podCIDRs.</param>
    /// <param name="peers">The podCIDRs of other nodes. There may be thousands, so each rule is parsed once and not per podCIDR.</param>
    public static IEnumerable<ForeignRule> Find(SavedTable saved, ImmutableArray<Prefix> own, ImmutableArray<Prefix> peers)
    {
        ILookup<string, ParsedRule> chains = Chains.SelectMany(saved.Rules, (chain, rule) => (chain, Rule: ParsedRule.Parse(rule)))
            .ToLookup(r => r.chain, r => r.Rule);
        foreach (string text in saved.Rules(Parent))
        {
            ParsedRule rule = ParsedRule.Parse(text);
            bool jumps = Chains.Contains(rule.Target);
            ParsedRule[] rules = jumps ? [.. chains[rule.Target]] : [rule];
            if (!MasqueradesAny(rule, rules, own, peers))
                continue;
            string removal = $"-D {Parent} {text}";
            yield return new(text, jumps ? [$":{rule.Target} - [0:0]", removal, $"-X {rule.Target}"] : [removal]);
        }
    }

    private static bool MasqueradesAny(ParsedRule first, ParsedRule[] rules, ImmutableArray<Prefix> own, ImmutableArray<Prefix> peers)
    {
        foreach (Prefix source in own)
        {
            foreach (Prefix destination in peers)
            {
                if (first.Matches(source, destination) != Match.None && Masquerades(rules, source, destination))
                    return true;
            }
        }
        return false;
    }

    // A RETURN or ACCEPT that matches all the traffic exempts it from the rules that follow.
    private static bool Masquerades(ParsedRule[] rules, Prefix source, Prefix destination)
    {
        foreach (ParsedRule rule in rules)
        {
            if (rule.Target is not ("MASQUERADE" or "RETURN" or "ACCEPT") || rule.Matches(source, destination) != Match.All)
                continue;
            return rule.Target == "MASQUERADE";
        }
        return false;
    }

    /// <param name="Target">The chain or target that it jumps to.</param>
    /// <param name="Others">What all conditions match that are not on addresses.</param>
    private sealed record ParsedRule(string Target, Match Others, ImmutableArray<AddressCondition> Addresses)
    {
        public static ParsedRule Parse(string rule)
        {
            ImmutableArray<string> tokens = RuleTokens.Of(rule);
            Match others = Match.All;
            var addresses = ImmutableArray.CreateBuilder<AddressCondition>();
            for (int i = 0; i < tokens.Length && tokens[i] != "-j"; i += 2)
            {
                bool negated = tokens[i] == "!";
                i += negated ? 1 : 0;
                string option = i < tokens.Length ? tokens[i] : "", value = i + 1 < tokens.Length ? tokens[i + 1] : "";
                if (option is "-s" or "-d" && Prefix.TryParse(value, out Prefix prefix))
                    addresses.Add(new(option == "-s", prefix, negated));
                else
                    others = Smaller(others, MatchOf(option, value, negated));
            }
            return new(RuleTokens.Target(tokens), others, addresses.ToImmutable());
        }

        public Match Matches(Prefix source, Prefix destination)
        {
            Match match = Others;
            foreach (AddressCondition condition in Addresses)
                match = Smaller(match, condition.Matches(condition.IsSource ? source : destination));
            return match;
        }

        private static Match MatchOf(string option, string value, bool negated) => option switch
        {
            "-m" or "--comment" => Match.All,
            "--dst-type" when value == "LOCAL" => negated ? Match.All : Match.None,
            _ => Match.Some,
        };

        private static Match Smaller(Match a, Match b) => a < b ? a : b;
    }

    private readonly record struct AddressCondition(bool IsSource, Prefix Prefix, bool IsNegated)
    {
        public Match Matches(Prefix prefix)
        {
            Match match = Prefix.Contains(prefix) ? Match.All : Prefix.Overlaps(prefix) ? Match.Some : Match.None;
            return IsNegated ? Match.All - (int)match : match;
        }
    }
}
