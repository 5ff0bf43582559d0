using System.Runtime.Versioning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>A table of iptables, of one flavour and address family.</summary>
/// <param name="mentions">Receives the addresses that rules name.</param>
[SupportedOSPlatform("linux")]
internal sealed class IptablesForeignTable(
    IptablesPrograms programs, bool ipv4, string table, SavedTable saved, List<AddressRange> mentions) : ForeignTable
{
    // Of flannel, kind and kubernetes-sigs/ip-masq-agent: they make the chain again whenever they run.
    private static readonly string[] AgentChains = ["FLANNEL-POSTRTG", "KIND-MASQ-AGENT", "IP-MASQ-AGENT"];

    private readonly Dictionary<string, IReadOnlyList<ForeignRule>> _rules = [];

    public override string Name => $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}, table {table}";

    private string Program => $"{(ipv4 ? "iptables" : "ip6tables")}-{(programs.Flavour == IptablesFlavour.Nft ? "nft" : "legacy")} -t {table}";

    public override bool IsOurs(string chain) => chain.StartsWith("HOSTGW-", StringComparison.Ordinal);

    public override IReadOnlyList<ForeignRule>? Rules(string chain)
    {
        if (!saved.Has(chain))
            return null;
        if (!_rules.TryGetValue(chain, out IReadOnlyList<ForeignRule>? rules))
            _rules[chain] = rules = [.. saved.Rules(chain).Select(r => IptablesForeignRule.Parse(chain, r, saved.Has, mentions))];
        return rules;
    }

    public override string RemoveCommand(string chain, ForeignRule? rule) => rule is IptablesForeignRule found
        ? $"{Program} -D {chain} {found.Rule}"
        : $"{Program} -P {chain} ACCEPT";

    public override string AcceptCommand(BaseChain chain, AcceptMatch match) => match.Pods.IsNone
        ? $"{Program} -I {chain.Name} -i {match.Link} -p icmpv6 -j ACCEPT"
        : $"{Program} -I {chain.Name} -s {match.Pods} -j ACCEPT; {Program} -I {chain.Name} -d {match.Pods} -j ACCEPT";

    public override void Remove(string chain, ForeignRule rule)
    {
        if (rule is not IptablesForeignRule found)
            return;
        string[] lines = AgentChains.Contains(chain)
            ? [$":{chain} - [0:0]", .. Jumps(chain), $"-X {chain}"]
            : [$"-D {chain} {found.Rule}"];
        programs.Restore(ipv4, $"*{table}\n{string.Concat(lines.Select(l => l + "\n"))}COMMIT\n");
    }

    private IEnumerable<string> Jumps(string target) =>
        saved.All.Where(r => RuleTokens.Target(r.Rule) == target).Select(r => $"-D {r.Chain} {r.Rule}");
}
