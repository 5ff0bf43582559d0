using System.Collections.Immutable;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The kinds of expressions that HostGw understands. All others are <see cref="Other"/>.</summary>
internal enum NftKind : byte
{
    Other,

    /// <summary>It decides nothing: counter, log.</summary>
    Statement,

    /// <summary>It lets some packets pass to the rest of the rule.</summary>
    Limit,
    Payload,
    Meta,
    Ct,
    Fib,
    Immediate,
    Compare,
    Range,
    Bitwise,
    ByteOrder,
    Lookup,
    Nat,
    Masquerade,
    Redirect,
    Reject,
    NoTrack,
    Queue,
    Forward,
    Match,
    Target,
}

/// <summary>An expression of a rule: what it reads, from which register to which, and with what.</summary>
internal sealed record NftExpression
{
    public required NftKind Kind { get; init; }

    /// <summary>The kernel's name; for an extension of iptables that of the extension.</summary>
    public required string Name { get; init; }

    /// <summary>Registers in bytes; -1: none. A destination of -1 is the verdict.</summary>
    public int Source { get; init; } = -1;

    public int Destination { get; init; } = -1;

    /// <summary>What to load, or how to compare.</summary>
    public uint Key { get; init; }

    public uint Flags { get; init; }

    public int Offset { get; init; }

    public int Length { get; init; }

    public byte[] Data { get; init; } = [];

    public byte[] SecondData { get; init; } = [];

    public string Set { get; init; } = "";

    public NftVerdict? Verdict { get; init; }
}

/// <param name="Code">NF_* or NFT_*: negative for jumps.</param>
internal readonly record struct NftVerdict(int Code, string Chain)
{
    public const int Drop = 0, Accept = 1, Queue = 3, Continue = -1, Break = -2, Jump = -3, Goto = -4, Return = -5;

    /// <param name="data">The value of NFTA_DATA_VERDICT.</param>
    public static NftVerdict Parse(ReadOnlySpan<byte> data) => new(
        (int)NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(data, NFTA_VERDICT_CODE)),
        NetlinkAttributes.ReadString(NetlinkAttributes.Find(data, NFTA_VERDICT_CHAIN)));
}

/// <summary>Decodes the expressions of a rule. What is missing or malformed is empty. Pure.</summary>
/// <remarks>linux/netfilter/nf_tables.h</remarks>
internal static class NftExpressionParser
{
    /// <summary>All registers, in bytes.</summary>
    public const int RegistersLength = 64;

    private const int WordLength = 4;
    private const uint FirstWord = 8; // NFT_REG32_00; 1 to 4 are the same memory in pieces of 16 bytes

    // Payload and range have two registers or data of one kind under different numbers; others follow the same order.
    private const ushort A1 = 1, A2 = 2, A3 = 3, A4 = 4, A5 = 5, A6 = 6, A7 = 7, A10 = 10;

    // NFT_OBJECT_*
    private const uint ObjectQuota = 2, ObjectLimit = 4, ObjectConnlimit = 5;

    private delegate NftExpression Decoder(NftExpression draft, ReadOnlySpan<byte> data);

    private static readonly Dictionary<string, (NftKind Kind, Decoder Decode)> Decoders = new()
    {
        ["payload"] = (NftKind.Payload, static (e, d) => e with
        {
            Destination = Register(d, A1),
            Key = Number(d, A2),
            Offset = Small(d, A3),
            Length = Small(d, A4),
            Source = Register(d, A5),
        }),
        ["meta"] = (NftKind.Meta, static (e, d) => e with { Destination = Register(d, A1), Key = Number(d, A2), Source = Register(d, A3) }),
        ["ct"] = (NftKind.Ct, static (e, d) => e with { Destination = Register(d, A1), Key = Number(d, A2), Source = Register(d, A4) }),
        ["fib"] = (NftKind.Fib, static (e, d) => e with { Destination = Register(d, A1), Key = Number(d, A2), Flags = Number(d, A3) }),
        ["immediate"] = (NftKind.Immediate, static (e, d) => e with
        {
            Destination = Register(d, A1),
            Data = Value(d, A2),
            Verdict = VerdictOf(NetlinkAttributes.Find(d, A2)),
        }),
        ["cmp"] = (NftKind.Compare, static (e, d) => e with { Source = Register(d, A1), Key = Number(d, A2), Data = Value(d, A3) }),
        ["range"] = (NftKind.Range, static (e, d) => e with
        {
            Source = Register(d, A1),
            Key = Number(d, A2),
            Data = Value(d, A3),
            SecondData = Value(d, A4),
        }),
        ["bitwise"] = (NftKind.Bitwise, static (e, d) => e with
        {
            Source = Register(d, A1),
            Destination = Register(d, A2),
            Length = Small(d, A3),
            Data = Value(d, A4),
            SecondData = Value(d, A5),
            Key = Number(d, A6),
        }),
        ["byteorder"] = (NftKind.ByteOrder, static (e, d) => e with
        {
            Source = Register(d, A1),
            Destination = Register(d, A2),
            Length = Small(d, A4),
            Offset = Small(d, A5),
        }),
        ["lookup"] = (NftKind.Lookup, static (e, d) => e with
        {
            Set = NetlinkAttributes.ReadString(NetlinkAttributes.Find(d, A1)),
            Source = Register(d, A2),
            Destination = Register(d, A3),
            Flags = Number(d, A5),
            Key = NetlinkAttributes.Find(d, A3).IsEmpty ? 0u : 1u,
        }),
        ["nat"] = (NftKind.Nat, static (e, d) => e with { Key = Number(d, A1), Source = Register(d, A3) }),
        ["masq"] = (NftKind.Masquerade, AsItIs),
        ["redir"] = (NftKind.Redirect, AsItIs),
        ["tproxy"] = (NftKind.Redirect, AsItIs),
        ["reject"] = (NftKind.Reject, AsItIs),
        ["notrack"] = (NftKind.NoTrack, AsItIs),
        ["queue"] = (NftKind.Queue, AsItIs),
        ["fwd"] = (NftKind.Forward, AsItIs),
        ["match"] = (NftKind.Match, Extension),
        ["target"] = (NftKind.Target, Extension),
        ["counter"] = (NftKind.Statement, AsItIs),
        ["log"] = (NftKind.Statement, AsItIs),
        ["limit"] = (NftKind.Limit, AsItIs),
        ["quota"] = (NftKind.Limit, AsItIs),
        ["connlimit"] = (NftKind.Limit, AsItIs),
        // With an expression of its own, such as a limit, it is one for each element.
        ["dynset"] = (NftKind.Statement, static (e, d) =>
            NetlinkAttributes.Find(d, A7).IsEmpty && NetlinkAttributes.Find(d, A10).IsEmpty ? e : e with { Kind = NftKind.Limit }),
        ["dup"] = (NftKind.Statement, AsItIs),
        // Of a map it may be any object.
        ["objref"] = (NftKind.Statement, static (e, d) =>
            Number(d, A1) is ObjectQuota or ObjectLimit or ObjectConnlimit || !NetlinkAttributes.Find(d, A4).IsEmpty
                ? e with { Kind = NftKind.Limit }
                : e),
        // What they load is not known here.
        ["numgen"] = (NftKind.Other, IntoFirst),
        ["rt"] = (NftKind.Other, IntoFirst),
        ["osf"] = (NftKind.Other, IntoFirst),
        ["xfrm"] = (NftKind.Other, IntoFirst),
        ["exthdr"] = (NftKind.Other, IntoFirst),
        ["socket"] = (NftKind.Other, IntoSecond),
        ["hash"] = (NftKind.Other, IntoSecond),
        ["tunnel"] = (NftKind.Other, IntoSecond),
        ["last"] = (NftKind.Statement, AsItIs),
        ["flow_offload"] = (NftKind.Statement, AsItIs),
    };

    /// <param name="expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
    public static ImmutableArray<NftExpression> Parse(ReadOnlySpan<byte> expressions)
    {
        var all = ImmutableArray.CreateBuilder<NftExpression>();
        var list = new NetlinkAttributes(expressions);
        while (list.Next())
        {
            string name = NetlinkAttributes.ReadString(NetlinkAttributes.Find(list.Value, NFTA_EXPR_NAME));
            ReadOnlySpan<byte> data = NetlinkAttributes.Find(list.Value, NFTA_EXPR_DATA);
            all.Add(Decoders.TryGetValue(name, out (NftKind Kind, Decoder Decode) known)
                ? known.Decode(new() { Kind = known.Kind, Name = name }, data)
                : new() { Kind = NftKind.Other, Name = name });
        }
        return all.ToImmutable();
    }

    /// <summary>Whether they drop or reject every packet.</summary>
    public static bool DropEverything(ImmutableArray<NftExpression> expressions) => HaveNoCondition(expressions) && expressions.Any(
        e => e is { Kind: NftKind.Reject } or { Kind: NftKind.Target, Name: "REJECT" } or { Verdict.Code: NftVerdict.Drop });

    /// <summary>The chain to which they send every packet; null: none.</summary>
    public static string? JumpOfAll(ImmutableArray<NftExpression> expressions) => HaveNoCondition(expressions)
        ? expressions.FirstOrDefault(e => e.Verdict is { Code: NftVerdict.Jump or NftVerdict.Goto })?.Verdict?.Chain : null;

    /// <summary>Whether they concern every packet.</summary>
    public static bool HaveNoCondition(ImmutableArray<NftExpression> expressions) => expressions.All(
        e => e.Kind is NftKind.Statement or NftKind.Immediate or NftKind.Reject or NftKind.Target or NftKind.Match &&
            (e.Kind != NftKind.Match || e.Name == "comment"));

    /// <summary>NFTA_DATA_VALUE of a nested attribute.</summary>
    public static byte[] Value(ReadOnlySpan<byte> data, ushort attribute) =>
        NetlinkAttributes.Find(NetlinkAttributes.Find(data, attribute), NFTA_DATA_VALUE).ToArray();

    /// <param name="data">A nested attribute with NFTA_DATA_VERDICT.</param>
    public static NftVerdict? VerdictOf(ReadOnlySpan<byte> data) =>
        NetlinkAttributes.Find(data, NFTA_DATA_VERDICT) is { IsEmpty: false } verdict ? NftVerdict.Parse(verdict) : null;

    private static NftExpression AsItIs(NftExpression draft, ReadOnlySpan<byte> data) => draft;

    // Attribute 1, or 2, is the register that it loads.
    private static NftExpression IntoFirst(NftExpression draft, ReadOnlySpan<byte> data) => draft with { Destination = Register(data, A1) };

    private static NftExpression IntoSecond(NftExpression draft, ReadOnlySpan<byte> data) =>
        draft with { Destination = Register(data, A2) };

    private static NftExpression Extension(NftExpression draft, ReadOnlySpan<byte> data) => draft with
    {
        Name = NetlinkAttributes.ReadString(NetlinkAttributes.Find(data, A1)),
    };

    private static uint Number(ReadOnlySpan<byte> data, ushort attribute) =>
        NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(data, attribute));

    private static int Small(ReadOnlySpan<byte> data, ushort attribute) => (int)Math.Min(Number(data, attribute), ushort.MaxValue);

    private static int Register(ReadOnlySpan<byte> data, ushort attribute) => Number(data, attribute) switch
    {
        0 => -1,
        < FirstWord and var quarter => Math.Min((int)(quarter - 1) * 4 * WordLength, RegistersLength),
        var word => (int)Math.Min((word - FirstWord) * WordLength, RegistersLength),
    };
}
