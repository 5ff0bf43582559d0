using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The tables that `nft list table inet hostgw` should show for a plan. Pure.</summary>
internal static class MasqueradeRuleset
{
    public const string TableName = "hostgw";
    public const string ChainName = "postrouting";
    private const string CommentPrefix = "kept by hostgw, ";
    private const uint RTN_LOCAL = 2;
    private const uint RTN_BROADCAST = 3;

    private static readonly IpFamily V4 = new(NftFamily.IPv4, "pods4", "exempt4", TYPE_IPADDR, 4, SourceOffset: 12, DestinationOffset: 16);
    private static readonly IpFamily V6 = new(NftFamily.IPv6, "pods6", "exempt6", TYPE_IP6ADDR, 16, SourceOffset: 8, DestinationOffset: 24);

    /// <summary>The sets of pod subnets whose packets are masqueraded.</summary>
    public static bool HoldsSources(string set) => set == V4.Sources || set == V6.Sources;

    /// <summary>The sets of destinations that are exempt.</summary>
    public static bool HoldsDestinations(string set) => set == V4.Exempt || set == V6.Exempt;

    public static ImmutableArray<NftTable> Of(NatPlan plan, NftLayout layout)
    {
        IpFamily[] families = [.. plan.IPv4 ? [V4] : Array.Empty<IpFamily>(), .. plan.IPv6 ? [V6] : Array.Empty<IpFamily>()];
        return layout == NftLayout.Inet
            ? [Table(NftFamily.Inet, plan, families)]
            : [.. families.Select(f => Table(f.Family, plan, f))];
    }

    private static NftTable Table(NftFamily family, NatPlan plan, params IpFamily[] families) => new(
        family, Flags: 0, Others: 0,
        [new(ChainName, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC, NF_ACCEPT,
            [.. families.Select(f => Rule(f, plan, isMixed: family == NftFamily.Inet))])],
        [.. families.SelectMany(f => Sets(f, plan))]);

    private static IEnumerable<NftSet> Sets(IpFamily family, NatPlan plan)
    {
        yield return Set(family, family.Exempt, plan.Exempt);
        if (plan.Source == NatSource.Pods)
            yield return Set(family, family.Sources, plan.Sources);
    }

    private static NftSet Set(IpFamily family, string name, ImmutableArray<Prefix> prefixes)
    {
        var elements = prefixes.Where(p => p.IsIPv4 == (family.Family == NftFamily.IPv4)).Select(AddressRange.Of);
        return new(name, family.KeyType, family.Length, NFT_SET_INTERVAL, [.. elements.Order()]);
    }

    private static NftRule Rule(IpFamily family, NatPlan plan, bool isMixed)
    {
        var expressions = new NftExpressions();
        if (isMixed)
            expressions.PacketIs(family.Family);
        if (plan.Source == NatSource.Pods)
            expressions.Address(family.SourceOffset, family.Length, family.Sources, isIn: true);
        expressions.Address(family.DestinationOffset, family.Length, family.Exempt, isIn: false).DestinationTypeIsNot(RTN_LOCAL);
        // Without a source match the host's own DHCP broadcasts reach the rule.
        if (plan.Source == NatSource.Any && family.Family == NftFamily.IPv4)
            expressions.DestinationTypeIsNot(RTN_BROADCAST);

        ImmutableArray<byte> bytes = expressions.Masquerade(plan.RandomFully).ToImmutable();
        return new(CommentPrefix + Fingerprint(bytes.AsSpan()), bytes);
    }

    // FNV-1a: enough to distinguish HostGw's own encodings, without loading a cryptography library.
    private static string Fingerprint(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
            hash = unchecked((hash ^ b) * 16777619);
        return hash.ToString("x8", CultureInfo.InvariantCulture);
    }

    private sealed record IpFamily(
        NftFamily Family, string Sources, string Exempt, uint KeyType, uint Length, uint SourceOffset, uint DestinationOffset);
}

/// <summary>Encodes the expressions of one rule, with attributes in the order in which the kernel dumps them.</summary>
internal sealed class NftExpressions
{
    private const uint Register = 1;
    private const uint EqualTo = 0, NotEqualTo = 1; // NFT_CMP_EQ, NFT_CMP_NEQ
    private const uint NetworkHeader = 1;           // NFT_PAYLOAD_NETWORK_HEADER
    private const uint NFT_META_NFPROTO = 15;
    private const uint NFT_FIB_RESULT_ADDRTYPE = 3;
    private const uint NFTA_FIB_F_DADDR = 2;
    private const uint NFT_LOOKUP_F_INV = 1;
    private const uint NF_NAT_RANGE_PROTO_RANDOM_FULLY = 0x10;

    private readonly NetlinkWriter _writer = new();

    /// <summary>meta nfproto FAMILY</summary>
    public NftExpressions PacketIs(NftFamily family)
    {
        Expression("meta", new(2, NFT_META_NFPROTO), new(1, Register));
        return Compare(EqualTo, [(byte)family]);
    }

    /// <summary>ip saddr @SET, ip6 daddr != @SET and so on.</summary>
    /// <param name="offset">Of the address in the IP header.</param>
    public NftExpressions Address(uint offset, uint length, string set, bool isIn)
    {
        Expression("payload", new(1, Register), new(2, NetworkHeader), new(3, offset), new(4, length));

        (int element, int data) = Begin("lookup");
        _writer.Attribute(1, set);
        _writer.AttributeBigEndian(2, Register);
        _writer.AttributeBigEndian(5, isIn ? 0 : NFT_LOOKUP_F_INV);
        return End(element, data);
    }

    /// <summary>fib daddr type != TYPE</summary>
    /// <param name="type">RTN_* of rtnetlink.h.</param>
    public NftExpressions DestinationTypeIsNot(uint type)
    {
        Expression("fib", new(1, Register), new(2, NFT_FIB_RESULT_ADDRTYPE), new(3, NFTA_FIB_F_DADDR));
        return Compare(NotEqualTo, BitConverter.GetBytes(type));
    }

    /// <summary>masquerade [fully-random]</summary>
    public NftExpressions Masquerade(bool randomFully)
    {
        if (randomFully)
            Expression("masq", [new(1, NF_NAT_RANGE_PROTO_RANDOM_FULLY)]);
        else
            Expression("masq");
        return this;
    }

    public ImmutableArray<byte> ToImmutable() => [.. _writer.Written];

    private NftExpressions Compare(uint operation, ReadOnlySpan<byte> value)
    {
        (int element, int data) = Begin("cmp");
        _writer.AttributeBigEndian(1, Register);
        _writer.AttributeBigEndian(2, operation);
        int nested = _writer.BeginNested(3);
        _writer.Attribute(NFTA_DATA_VALUE, value);
        _writer.EndNested(nested);
        return End(element, data);
    }

    private void Expression(string name, params ReadOnlySpan<KeyValuePair<ushort, uint>> attributes)
    {
        (int element, int data) = Begin(name);
        foreach ((ushort type, uint value) in attributes)
            _writer.AttributeBigEndian(type, value);
        End(element, data);
    }

    private (int Element, int Data) Begin(string name)
    {
        int element = _writer.BeginNested(NFTA_LIST_ELEM);
        _writer.Attribute(NFTA_EXPR_NAME, name);
        return (element, _writer.BeginNested(NFTA_EXPR_DATA));
    }

    private NftExpressions End(int element, int data)
    {
        _writer.EndNested(data);
        _writer.EndNested(element);
        return this;
    }
}
