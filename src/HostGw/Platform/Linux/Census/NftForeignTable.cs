using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Census;

/// <summary>Reads a table of nf_tables, a chain and a set at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftForeignTable : ForeignTable
{
    private readonly NftFamily _family;
    private readonly string _name;
    private readonly ForeignTables _reader;
    private readonly NftRuleContext _context;
    private readonly List<AddressRange> _mentions;
    private readonly Dictionary<string, IReadOnlyList<ForeignRule>?> _rules = [];
    private readonly Dictionary<string, NftElementSet?> _sets = [];

    /// <param name="mentions">Receives the addresses that rules and sets name.</param>
    public NftForeignTable(NftFamily family, string name, ForeignTables reader, List<AddressRange> mentions)
    {
        (_family, _name, _reader, _mentions) = (family, name, reader, mentions);
        _context = new(family, Set);
    }

    private string Path => $"{NftNames.Of(_family)} {_name}";

    public override string Name => $"nftables table {Path}";

    public override bool IsOurs(string chain) => _name is MasqueradeRuleset.TableName or GuardRuleset.TableName;

    public override IReadOnlyList<ForeignRule>? Rules(string chain)
    {
        if (!_rules.TryGetValue(chain, out IReadOnlyList<ForeignRule>? rules))
        {
            List<NftListedRule> listed = _reader.Rules(_family, _name, chain);
            _rules[chain] = rules = [.. listed.Select(r => new NftForeignRule(r.Handle, r.Expressions, _context))];
            foreach (NftListedRule rule in listed)
                NftMentions.Collect(rule.Expressions, _mentions);
        }
        return rules;
    }

    public override string RemoveCommand(string chain, ForeignRule? rule) => AgentTables.Contain(_name) ? $"nft delete table {Path}"
        : rule is NftForeignRule found
        ? string.Create(CultureInfo.InvariantCulture, $"nft delete rule {Path} {chain} handle {found.Handle}")
        : $"nft 'add chain {Path} {chain} {{ policy accept; }}'";

    public override string AcceptCommand(BaseChain chain, AcceptMatch match)
    {
        string insert = $"nft insert rule {Path} {chain.Name}";
        if (match.Pods.IsNone)
        {
            return _family == NftFamily.Arp ? $"{insert} accept"
                : match.IsArp ? $"{insert} meta protocol arp accept"
                : $"{insert} icmpv6 type '{{ nd-neighbor-solicit, nd-neighbor-advert }}' accept";
        }
        if (_name == "firewalld")
            return $"firewall-cmd --permanent --zone=trusted --add-source={match.Pods}; firewall-cmd --reload";
        string ip = match.Pods.IsIPv4 ? "ip" : "ip6";
        return $"{insert} {ip} saddr {match.Pods} accept; {insert} {ip} daddr {match.Pods} accept";
    }

    public override Action Removal(string chain, ForeignRule rule) => AgentTables.Contain(_name)
        ? DeletingTable(_reader, _family, _name)
        : DeletingRule(_reader, _family, _name, chain, rule is NftForeignRule found ? found.Handle : 0);

    private static Action DeletingTable(ForeignTables tables, NftFamily family, string table) => () => tables.DeleteTable(family, table);

    private static Action DeletingRule(ForeignTables tables, NftFamily family, string table, string chain, ulong handle) =>
        () => tables.DeleteRule(family, table, chain, handle);

    private NftElementSet? Set(string name)
    {
        if (_sets.TryGetValue(name, out NftElementSet? set))
            return set;
        set = _reader.Set(_family, _name, name);
        _sets[name] = set;
        if (set is not null)
            NftMentions.Collect(set, _mentions);
        return set;
    }
}

/// <summary>Tables in which flannel and kindnet masquerade, and nothing else is.</summary>
internal static class AgentTables
{
    public static bool Contain(string table) => table is "flannel-ipv4" or "flannel-ipv6" or "kindnet-ipmasq";
}

/// <param name="Handle">Identifies it in its table.</param>
internal readonly record struct NftListedRule(ulong Handle, ImmutableArray<NftExpression> Expressions)
{
    /// <param name="payload">A message of a rule dump.</param>
    /// <returns>Null: it is another chain's.</returns>
    public static NftListedRule? Parse(ReadOnlySpan<byte> payload, string chain)
    {
        ReadOnlySpan<byte> attributes = NfGenMsg.AttributesOf(payload);
        if (NetlinkAttributes.ReadString(NetlinkAttributes.Find(attributes, NFTA_RULE_CHAIN)) != chain)
            return null;
        BinaryPrimitives.TryReadUInt64BigEndian(NetlinkAttributes.Find(attributes, NFTA_RULE_HANDLE), out ulong handle);
        return new(handle, NftExpressionParser.Parse(NetlinkAttributes.Find(attributes, NFTA_RULE_EXPRESSIONS)));
    }
}

/// <summary>Finds the addresses that rules name, for pods of some of them may be treated in another way. Pure.</summary>
internal static class NftMentions
{
    private const uint NotAbove = 3, NotBelow = 5;

    public static void Collect(ImmutableArray<NftExpression> expressions, List<AddressRange> mentions)
    {
        Dictionary<int, (int Length, int MaskBits)> addresses = [];
        byte[] from = [];
        foreach (NftExpression e in expressions)
        {
            if (e.Kind == NftKind.Payload && e.Destination >= 0 && AddressLength(e) is var length and not 0)
                addresses[e.Destination] = (length, length * 8);
            else if (e.Kind == NftKind.Bitwise && addresses.TryGetValue(e.Source, out (int Length, int) masked))
                addresses[e.Destination] = (masked.Length, e.Data.Sum(b => System.Numerics.BitOperations.PopCount(b)));
            else if (e is { Kind: NftKind.Compare, Key: NotBelow } && addresses.ContainsKey(e.Source))
                from = e.Data;
            else if (e is { Kind: NftKind.Compare, Key: NotAbove } && addresses.ContainsKey(e.Source))
                Add(from, e.Data, mentions);
            else if (e.Kind == NftKind.Compare && addresses.TryGetValue(e.Source, out (int Length, int MaskBits) compared))
                Add(e.Data, compared.Length, Math.Min(compared.MaskBits, e.Data.Length * 8), mentions);
            else if (e.Kind == NftKind.Range && addresses.ContainsKey(e.Source))
                Add(e.Data, e.SecondData, mentions);
        }
    }

    public static void Collect(NftElementSet set, List<AddressRange> mentions)
    {
        int at = 0;
        foreach (int length in set.Fields)
        {
            foreach (NftElement element in length is 4 or 16 ? set.Elements : [])
            {
                if (at + length <= element.First.Length && at + length <= element.Last.Length)
                    Add(element.First.AsSpan(at, length), element.Last.AsSpan(at, length), mentions);
            }
            at += (length + 3) & ~3;
        }
    }

    private static int AddressLength(NftExpression e) => (e.Key, e.Offset, e.Length) switch
    {
        (NftLoad.NetworkHeader, 12 or 16, <= 4) => 4,
        (NftLoad.NetworkHeader, 8 or 24, > 1 and <= 16) => 16,
        _ => 0,
    };

    private static void Add(byte[] data, int length, int bits, List<AddressRange> mentions)
    {
        byte[] bytes = new byte[length];
        data.AsSpan(0, Math.Min(data.Length, length)).CopyTo(bytes);
        mentions.Add(AddressRange.Of(new Prefix(Ip.FromBytes(bytes), (byte)bits).Aligned));
    }

    private static void Add(ReadOnlySpan<byte> first, ReadOnlySpan<byte> last, List<AddressRange> mentions)
    {
        if (first.Length == last.Length && first.Length is 4 or 16)
            mentions.Add(new(Ip.FromBytes(first), Ip.FromBytes(last)));
    }
}
