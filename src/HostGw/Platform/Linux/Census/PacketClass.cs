using System.Buffers.Binary;
using System.Text;

namespace HostGw.Platform.Linux.Census;

/// <summary>States of a tracked connection, as nf_tables numbers them.</summary>
[Flags]
internal enum CtState : uint
{
    None = 0,
    Invalid = 1,
    Established = 2,
    Related = 4,
    New = 8,
    Untracked = 64,
}

/// <summary>Packets that foreign rules should treat alike: one way, one protocol, one state of their connection.</summary>
internal sealed class PacketClass
{
    private const int IPv4Header = 20, IPv6Header = 40, TransportHeader = 20, LinkHeader = 14;
    private const byte SynFlag = 2, AckFlag = 16;

    /// <summary>Of neighbour discovery: a router would have made it less.</summary>
    public const byte HighestHopLimit = 255;

    /// <summary>The layout of a packet whose addresses mean nothing to rules on IP: an ARP packet.</summary>
    public const byte NoProtocol = 255;

    private KnownBits? _network, _transport, _link;
    private CtState _state;

    public required PodFlow Flow { get; init; }

    /// <summary>None: any source.</summary>
    public required Prefix Source { get; init; }

    /// <inheritdoc cref="Source"/>
    public required Prefix Destination { get; init; }

    public required bool IsIPv4 { get; init; }

    /// <summary>IPPROTO_*.</summary>
    public required byte Protocol { get; init; }

    /// <summary>The type of an ICMP message, or the operation of an ARP packet.</summary>
    public byte IcmpType { get; init; }

    public required LinkName In { get; init; }

    public required LinkName Out { get; init; }

    /// <summary>As rules see it.</summary>
    public CtState State => IsTracked ? _state : CtState.Invalid;

    /// <summary>Connection tracking has seen it: earlier hooks take every packet for invalid.</summary>
    public bool IsTracked { get; set; }

    /// <summary>It belongs to a connection that is known.</summary>
    public bool HasConnection => IsTracked && _state != CtState.Untracked;

    public required CtState FirstState { get; init; }

    /// <summary>It is an answer: addresses are the other way round than in the packet that began the connection.</summary>
    public bool IsReply => FirstState == CtState.Established && Flow is PodFlow.PeerToOwn or PodFlow.OutsideToOwn;

    public uint Mark { get; private set; }

    public uint KnownMark { get; private set; }

    public uint ConnectionMark { get; private set; }

    public uint KnownConnectionMark { get; private set; }

    public KnownBits Network => _network ??= NetworkHeader();

    public KnownBits Transport => _transport ??= TransportHeaderBits();

    public KnownBits Link => _link ??= LinkHeaderBits();

    public ushort EtherType => (ushort)(Protocol == NoProtocol ? 0x0806 : IsIPv4 ? 0x0800 : 0x86DD);

    /// <summary>As it comes from the wire: nothing has marked it.</summary>
    public void Begin()
    {
        (_state, Mark, KnownMark) = (FirstState, 0, uint.MaxValue);
        (ConnectionMark, KnownConnectionMark) = (0, uint.MaxValue);
    }

    /// <param name="level">How many of the packets get this mark.</param>
    public void SetMark(uint value, uint known, Match level) =>
        (Mark, KnownMark) = level == Match.All ? (value & known, known) : (Mark, KnownMark & known & ~(value ^ Mark));

    /// <inheritdoc cref="SetMark"/>
    public void SetConnectionMark(uint value, uint known, Match level) => (ConnectionMark, KnownConnectionMark) = level == Match.All
        ? (value & known, known)
        : (ConnectionMark, KnownConnectionMark & known & ~(value ^ ConnectionMark));

    /// <summary>Connection tracking leaves it alone from now on.</summary>
    public void Untrack(Match level) => _state = level == Match.All ? CtState.Untracked : _state;

    private KnownBits NetworkHeader()
    {
        KnownBits header = new(IsIPv4 ? IPv4Header : IPv6Header);
        header.Clear(0, header.Length, doubtful: true);
        if (Protocol == NoProtocol)
        {
            header.Set(0, [0, 1, 8, 0, 6, 4, 0, IcmpType]); // Ethernet, IPv4
            return header;
        }
        (int source, int destination, int protocol) = IsIPv4 ? (12, 16, 9) : (8, 24, 6);
        header.Set(0, [(byte)(IsIPv4 ? 0x45 : 0x60)]);
        if (IsIPv4)
        {
            header.Set(6, 0, known: 0xFF3F); // no fragment: two bytes in network order, and the two that follow are set below
            header.Clear(8, 1, doubtful: true);
        }
        else if (Flow == PodFlow.Neighbours)
            header.Set(7, [HighestHopLimit]);
        header.Set(protocol, [Protocol]);
        if (!Source.IsNone)
            header.Set(source, Source);
        if (!Destination.IsNone)
            header.Set(destination, Destination);
        return header;
    }

    private KnownBits TransportHeaderBits()
    {
        KnownBits header = new(TransportHeader);
        header.Clear(0, header.Length, doubtful: true);
        if (Protocol is ProtocolNumber.Tcp or ProtocolNumber.Udp)
            header.Clear(0, 4, doubtful: false);
        if (Protocol == ProtocolNumber.Tcp)
            header.Set(13, [FirstState == CtState.New ? SynFlag : AckFlag]);
        if (Protocol is ProtocolNumber.Icmp or ProtocolNumber.Icmp6)
            header.Set(0, [IcmpType, 0]);
        return header;
    }

    private KnownBits LinkHeaderBits()
    {
        KnownBits header = new(LinkHeader);
        header.Clear(0, LinkHeader, doubtful: true);
        byte[] type = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(type, EtherType);
        header.Set(12, type);
        return header;
    }
}

/// <summary>IPPROTO_*.</summary>
internal static class ProtocolNumber
{
    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Icmp6 = 58;
}

/// <summary>An interface that packets pass.</summary>
/// <param name="Name">Empty: not known which.</param>
internal readonly record struct LinkName(string Name, int Index)
{
    private const int NameSize = 16;

    /// <summary>A bridge: frames also pass the chains of its ports.</summary>
    public bool IsBridge { get; init; }

    public bool IsUnknown => string.IsNullOrEmpty(Name);

    /// <summary>As the kernel compares names: padded with zeros.</summary>
    public byte[] Padded()
    {
        byte[] padded = new byte[NameSize];
        ReadOnlySpan<byte> name = Encoding.UTF8.GetBytes(Name);
        name[..Math.Min(name.Length, NameSize - 1)].CopyTo(padded);
        return padded;
    }
}

/// <summary>Which traffic of pods.</summary>
internal enum PodFlow
{
    OwnToPeer,
    PeerToOwn,
    OwnToOwn,
    OwnToOutside,

    /// <summary>Answers only.</summary>
    OutsideToOwn,

    /// <summary>ARP and neighbour discovery, by which nodes find each other.</summary>
    Neighbours,
}
