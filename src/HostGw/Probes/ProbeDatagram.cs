using System.Buffers.Binary;

namespace HostGw.Probes;

/// <summary>
/// A question or its answer. No answer is longer than its question, so that nobody gains by making a node answer to a forged address.
/// </summary>
/// <remarks>
/// Bytes: 0 "hgwp", 4 version, 5 kind, 6 flags, 8 number of the peer, 12 nonce, 28 zeros to 64, in a long question to its end. Numbers
/// are big-endian.
/// </remarks>
/// <param name="Peer">The asker's number of the peer. The answer repeats it, as it does the nonce.</param>
internal readonly record struct ProbeDatagram(ProbeKind Kind, ProbeFlags Flags, uint Peer, ProbeNonce Nonce)
{
    public const int Size = 64;

    /// <summary>The hops to live of a question on the node path: one that arrives with all of them has met no router (RFC 5082).</summary>
    public const int AllHops = 255;

    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "hgwp"u8;

    public void Write(Span<byte> bytes)
    {
        bytes = bytes[..Size];
        bytes.Clear();
        Magic.CopyTo(bytes);
        (bytes[4], bytes[5], bytes[6]) = (Version, (byte)Kind, (byte)Flags);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Peer);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[12..], Nonce.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[20..], Nonce.Low);
    }

    /// <param name="fault">Why these bytes are none.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ProbeDatagram datagram, out ProbeResult fault)
    {
        datagram = default;
        fault = ProbeResult.Malformed;
        bool isLong = bytes.Length > Size && bytes[5] == (byte)ProbeKind.LongQuestion;
        if ((bytes.Length != Size && !isLong) || !bytes.StartsWith(Magic))
            return false;
        fault = ProbeResult.UnknownVersion;
        bool isKnown = isLong || (ProbeKind)bytes[5] is ProbeKind.Question or ProbeKind.Answer;
        if (bytes[4] != Version || !isKnown)
            return false;
        datagram = new(
            (ProbeKind)bytes[5], (ProbeFlags)bytes[6], BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]),
            new(BinaryPrimitives.ReadUInt64BigEndian(bytes[12..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[20..])));
        return true;
    }
}

internal enum ProbeKind : byte
{
    Question = 1,
    Answer = 2,

    /// <summary>Longer than any other, to see whether the network carries that. Its answer is of the usual size.</summary>
    LongQuestion = 3,
}

/// <summary>What a receiver should know of the way. It ignores bits that it does not know.</summary>
[Flags]
internal enum ProbeFlags : byte
{
    /// <summary>Native routes.</summary>
    None = 0,

    /// <summary>This datagram took the tunnel.</summary>
    ThroughTunnel = 1,

    /// <summary>Packets to the receiver's pods take the tunnel.</summary>
    TunnelsToYou = 2,

    /// <summary>In an answer: the question met no router.</summary>
    MetNoRouter = 4,

    /// <summary>The sender needs the tunnel, or has not seen for long enough that it does not.</summary>
    WantsTunnel = 8,

    /// <summary>
    /// The datagram says nothing of the path: in an answer, two Nodes list the address that asked; in a question, it is about the peer's
    /// pods of the other family.
    /// </summary>
    Undetermined = 16,
}

/// <summary>16 random bytes: only who received the question can answer it.</summary>
internal readonly record struct ProbeNonce(ulong High, ulong Low);

/// <summary>The ways on which a peer is asked.</summary>
[Flags]
internal enum ProbePaths : byte
{
    None = 0,

    /// <summary>Node address → node address.</summary>
    Node = 1,

    /// <summary>Probe address → probe address, where the peer's agent answers.</summary>
    Echo = 2,

    /// <summary>Probe address → an address that the peer forwards to, with one hop to live: its kernel answers 'time exceeded'.</summary>
    OneHop = 4,

    Pod = Echo | OneHop,

    /// <summary>SOURCE → SOURCE, through the tunnel.</summary>
    Tunnel = 8,
}

/// <summary>A question that is due.</summary>
/// <param name="Peer">The number of the peer.</param>
/// <param name="Port">Which of the source ports.</param>
internal readonly record struct ProbeQuestion(uint Peer, ProbePaths Path, int Port, Ip Source, Ip Destination, ProbeNonce Nonce)
{
    public ProbeFlags Flags { get; init; }
}
