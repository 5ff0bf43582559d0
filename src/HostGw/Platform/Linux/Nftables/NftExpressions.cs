using System.Collections.Immutable;
using System.Text;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Encodes the expressions of one rule, with attributes in the order in which the kernel dumps them.</summary>
internal sealed class NftExpressions
{
    private const uint VerdictRegister = 0, Register = 1;
    private const uint EqualTo = 0, NotEqualTo = 1; // NFT_CMP_EQ, NFT_CMP_NEQ
    private const uint NetworkHeader = 1;           // NFT_PAYLOAD_NETWORK_HEADER
    private const uint TransportHeader = 2;         // NFT_PAYLOAD_TRANSPORT_HEADER
    private const uint NFT_META_IIFNAME = 6;
    private const uint NFT_META_IIFGROUP = 21;
    private const uint NFT_META_NFPROTO = 15;
    private const uint NFT_CT_STATUS = 2;
    private const uint IPS_DST_NAT = 0x20;
    private const uint NFT_FIB_RESULT_ADDRTYPE = 3;
    private const uint NFT_META_L4PROTO = 16;
    private const uint NFTA_FIB_F_SADDR = 1, NFTA_FIB_F_DADDR = 2;
    private const byte IPPROTO_UDP = 17;
    private const int InterfaceNameLength = 16; // IFNAMSIZ
    private const uint NFT_LOOKUP_F_INV = 1;
    private const uint NF_NAT_RANGE_PROTO_RANDOM_FULLY = 0x10;

    private readonly NetlinkWriter _writer = new();

    /// <summary>meta nfproto FAMILY</summary>
    public NftExpressions PacketIs(NftFamily family)
    {
        Expression("meta", new(2, NFT_META_NFPROTO), new(1, Register));
        return Compare(EqualTo, [(byte)family]);
    }

    /// <summary>iifname NAME</summary>
    public NftExpressions ComesFrom(string link)
    {
        Expression("meta", new(2, NFT_META_IIFNAME), new(1, Register));
        Span<byte> name = stackalloc byte[InterfaceNameLength];
        Encoding.UTF8.GetBytes(link, name);
        return Compare(EqualTo, name);
    }

    /// <summary>iifgroup GROUP</summary>
    public NftExpressions ComesFromGroup(uint group)
    {
        Expression("meta", new(2, NFT_META_IIFGROUP), new(1, Register));
        return Compare(EqualTo, BitConverter.GetBytes(group));
    }

    /// <summary>ct status dnat; without a match where connection tracking does not know the packet.</summary>
    public NftExpressions IsTranslated()
    {
        Expression("ct", new(2, NFT_CT_STATUS), new(1, Register));
        (int element, int data) = Begin("bitwise");
        _writer.AttributeBigEndian(1, Register);
        _writer.AttributeBigEndian(2, Register);
        _writer.AttributeBigEndian(3, sizeof(uint));
        Data(4, BitConverter.GetBytes(IPS_DST_NAT));
        Data(5, BitConverter.GetBytes(0u));
        End(element, data);
        return Compare(NotEqualTo, BitConverter.GetBytes(0u));
    }

    /// <summary>udp dport PORT</summary>
    public NftExpressions IsUdpTo(int port)
    {
        Expression("meta", new(2, NFT_META_L4PROTO), new(1, Register));
        Compare(EqualTo, [IPPROTO_UDP]);
        Expression("payload", new(1, Register), new(2, TransportHeader), new(3, 2), new(4, sizeof(ushort)));
        return Compare(EqualTo, [(byte)(port >> 8), (byte)port]);
    }

    /// <summary>@th,OFFSET,LENGTH VALUE; without a match where the packet is shorter.</summary>
    /// <param name="offset">In bytes, from the beginning of the UDP header.</param>
    public NftExpressions TransportHolds(uint offset, ReadOnlySpan<byte> value)
    {
        Expression("payload", new(1, Register), new(2, TransportHeader), new(3, offset), new(4, (uint)value.Length));
        return Compare(EqualTo, value);
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

    /// <summary>fib saddr type TYPE</summary>
    /// <param name="type">RTN_* of rtnetlink.h.</param>
    public NftExpressions SourceTypeIs(uint type)
    {
        Expression("fib", new(1, Register), new(2, NFT_FIB_RESULT_ADDRTYPE), new(3, NFTA_FIB_F_SADDR));
        return Compare(EqualTo, BitConverter.GetBytes(type));
    }

    /// <summary>fib daddr type != TYPE</summary>
    /// <inheritdoc cref="SourceTypeIs"/>
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

    /// <summary>notrack</summary>
    public NftExpressions NoTrack()
    {
        Expression("notrack");
        return this;
    }

    /// <summary>counter</summary>
    public NftExpressions Count()
    {
        Expression("counter");
        return this;
    }

    /// <summary>drop, accept, return, jump CHAIN, goto CHAIN</summary>
    /// <param name="code">One of <see cref="NftVerdict"/>.</param>
    public NftExpressions Decide(int code, string chain = "")
    {
        (int element, int data) = Begin("immediate");
        _writer.AttributeBigEndian(1, VerdictRegister);
        int nested = _writer.BeginNested(NFTA_IMMEDIATE_DATA);
        int verdict = _writer.BeginNested(NFTA_DATA_VERDICT);
        _writer.AttributeBigEndian(NFTA_VERDICT_CODE, (uint)code);
        if (chain.Length > 0)
            _writer.Attribute(NFTA_VERDICT_CHAIN, chain);
        _writer.EndNested(verdict);
        _writer.EndNested(nested);
        return End(element, data);
    }

    public ImmutableArray<byte> ToImmutable() => [.. _writer.Written];

    private NftExpressions Compare(uint operation, ReadOnlySpan<byte> value)
    {
        (int element, int data) = Begin("cmp");
        _writer.AttributeBigEndian(1, Register);
        _writer.AttributeBigEndian(2, operation);
        Data(3, value);
        return End(element, data);
    }

    private void Data(ushort type, ReadOnlySpan<byte> value)
    {
        int nested = _writer.BeginNested(type);
        _writer.Attribute(NFTA_DATA_VALUE, value);
        _writer.EndNested(nested);
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
