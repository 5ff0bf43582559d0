using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>A table of iptables, of one flavour and address family.</summary>
/// <param name="mentions">Receives the addresses that rules name.</param>
internal sealed class IptablesForeignTable(
    IptablesPrograms programs, bool ipv4, string table, SavedTable saved, List<AddressRange> mentions) : ForeignTable
{
    // Of flannel, kind and kubernetes-sigs/ip-masq-agent: they make the chain again whenever they run.
    private static readonly string[] AgentChains = ["FLANNEL-POSTRTG", "KIND-MASQ-AGENT", "IP-MASQ-AGENT"];

    private readonly Dictionary<string, IReadOnlyList<ForeignRule>> _rules = [];

    public bool IsIPv4 => ipv4;

    /// <summary>Without family and flavour.</summary>
    public string Table => table;

    public override string Name => $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}, table {table}";

    private string Program =>
        $"{(ipv4 ? "iptables" : "ip6tables")}-{(programs.Flavour == IptablesFlavour.Nft ? "nft" : "legacy")} -t {table}";

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
        ? $"{Program} -I {chain.Name} {(chain.Hook is Hook.Output or Hook.Postrouting ? "-o" : "-i")} {match.Link} -p icmpv6 -j ACCEPT"
        : $"{Program} -I {chain.Name} -s {match.Pods} -j ACCEPT; {Program} -I {chain.Name} -d {match.Pods} -j ACCEPT";

    public override Action Removal(string chain, ForeignRule rule)
    {
        string[] lines = AgentChains.Contains(chain) ? [$":{chain} - [0:0]", .. Jumps(chain), $"-X {chain}"]
            : rule is IptablesForeignRule found ? [$"-D {chain} {found.Rule}"]
            : [];
        return Restoring(programs, ipv4, table, $"*{table}\n{string.Concat(lines.Select(l => l + "\n"))}COMMIT\n");
    }

    private static Action Restoring(IptablesPrograms programs, bool ipv4, string table, string text) =>
        () => programs.Restore(ipv4, table, text);

    private IEnumerable<string> Jumps(string target) =>
        saved.All.Where(r => RuleTokens.Target(r.Rule) == target).Select(r => $"-D {r.Chain} {r.Rule}");
}

/// <summary>The chains of iptables at which packets enter, and their order. Pure.</summary>
internal static class BuiltInChains
{
    private static readonly Dictionary<string, (Hook Hook, string Chain)[]> Tables = new()
    {
        ["raw"] = [(Hook.Prerouting, "PREROUTING"), (Hook.Output, "OUTPUT")],
        ["mangle"] =
        [
            (Hook.Prerouting, "PREROUTING"), (Hook.Input, "INPUT"), (Hook.Forward, "FORWARD"), (Hook.Output, "OUTPUT"),
            (Hook.Postrouting, "POSTROUTING"),
        ],
        ["nat"] = [(Hook.Prerouting, "PREROUTING"), (Hook.Postrouting, "POSTROUTING")],
        ["filter"] = [(Hook.Input, "INPUT"), (Hook.Forward, "FORWARD"), (Hook.Output, "OUTPUT")],
        ["security"] = [(Hook.Input, "INPUT"), (Hook.Forward, "FORWARD"), (Hook.Output, "OUTPUT")],
    };

    public static bool HasTable(string table) => Tables.ContainsKey(table);

    public static bool Has(string table, string chain) =>
        Tables.TryGetValue(table, out (Hook, string Chain)[]? found) && found.Any(c => c.Chain == chain);

    /// <summary>HostGw inserts its accept in this chain if it drops everything.</summary>
    public static bool IsForward(string table, string chain) => table == OwnChain.Forward.Table && chain == OwnChain.Forward.Parent;

    public static IEnumerable<BaseChain> Of(IptablesForeignTable table, SavedTable saved, bool forwardAccept) =>
        from builtIn in Tables[table.Table]
        where saved.Has(builtIn.Chain)
        select new BaseChain(
            table, builtIn.Chain, table.IsIPv4 ? NftFamily.IPv4 : NftFamily.IPv6, builtIn.Hook, PriorityOf(table.Table, builtIn.Hook))
        {
            IsNat = table.Table == "nat",
            IsOfIptables = true,
            DropsByPolicy = saved.Policy(builtIn.Chain) == "DROP",
            IsHandledByForwardAccept = forwardAccept && IsForward(table.Table, builtIn.Chain),
        };

    private static int PriorityOf(string table, Hook hook) => table switch
    {
        "raw" => -300,
        "mangle" => -150,
        "nat" => hook == Hook.Prerouting ? -100 : 100,
        "security" => 50,
        _ => 0,
    };
}
