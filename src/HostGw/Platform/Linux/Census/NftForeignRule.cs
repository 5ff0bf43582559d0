using System.Collections.Immutable;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>A rule of nf_tables, run on classes of packets as the kernel runs it on packets.</summary>
internal sealed class NftForeignRule(ulong handle, ImmutableArray<NftExpression> expressions, NftRuleContext context) : ForeignRule
{
    public ulong Handle => handle;

    public override string Text => NftRuleText.Of(expressions, context.Sets);

    private KnownBits Registers => context.Registers;

    public override bool IsUnconditional => NftExpressionParser.HaveNoCondition(expressions);

    public override void Apply(PacketClass packet, Match level, List<RuleOutcome> outcomes)
    {
        Match match = Match.All;
        foreach (NftExpression e in expressions)
        {
            if (Verdicts(e, packet, match, outcomes))
                return;
            match = match.And(Condition(e, packet));
            if (match == Match.None)
                return;
            if (!SetsMark(e, packet, level.And(match)))
                Load(e, packet);
        }
    }

    // True: the rule ends here.
    private bool Verdicts(NftExpression e, PacketClass packet, Match match, List<RuleOutcome> outcomes)
    {
        if (e is { Kind: NftKind.Lookup, Destination: -1, Key: 1 })
        {
            foreach ((Match share, NftVerdict found) in context.Sets(e.Set)?.Find(Registers, e.Source) ?? [])
                outcomes.Add(Outcome(match.And(share), found));
            return true;
        }
        RuleVerdict verdict = VerdictOf(e, packet);
        if (e is { Kind: NftKind.Immediate, Verdict: { } fixedVerdict })
            outcomes.Add(Outcome(match, fixedVerdict));
        else if (verdict != RuleVerdict.Continue)
            outcomes.Add(new(match, verdict));
        // A changed address is noted, and the rule goes on.
        return (e.Kind == NftKind.Immediate && e.Verdict is not null) || verdict is RuleVerdict.Drop or RuleVerdict.Queue;
    }

    private static RuleOutcome Outcome(Match match, NftVerdict verdict) => verdict.Code switch
    {
        NftVerdict.Drop => new(match, RuleVerdict.Drop),
        NftVerdict.Accept => new(match, RuleVerdict.Accept),
        NftVerdict.Jump => new(match, RuleVerdict.Jump, verdict.Chain),
        NftVerdict.Goto => new(match, RuleVerdict.Goto, verdict.Chain),
        NftVerdict.Return => new(match, RuleVerdict.Return),
        NftVerdict.Continue or NftVerdict.Break => new(match, RuleVerdict.Continue),
        _ => new(match, (verdict.Code & 0xFF) == NftVerdict.Queue ? RuleVerdict.Queue : RuleVerdict.Continue),
    };

    private static RuleVerdict VerdictOf(NftExpression e, PacketClass packet) => e switch
    {
        { Kind: NftKind.Reject or NftKind.Forward } => RuleVerdict.Drop,
        { Kind: NftKind.Queue } => RuleVerdict.Queue,
        { Kind: NftKind.Masquerade } or { Kind: NftKind.Nat, Key: 0 } => RuleVerdict.RewriteSource,
        { Kind: NftKind.Nat or NftKind.Redirect } => RuleVerdict.RewriteDestination,
        { Kind: NftKind.Payload, Source: >= 0 } => Rewritten(e, packet.IsIPv4),
        { Kind: NftKind.Target } => OfTarget(e.Name),
        _ => RuleVerdict.Continue,
    };

    private static RuleVerdict Rewritten(NftExpression e, bool ipv4)
    {
        (int source, int destination, int length) = ipv4 ? (12, 16, 4) : (8, 24, 16);
        return e.Key != NftLoad.NetworkHeader ? RuleVerdict.Continue
            : e.Offset < source + length && e.Offset + e.Length > source ? RuleVerdict.RewriteSource
            : e.Offset < destination + length && e.Offset + e.Length > destination ? RuleVerdict.RewriteDestination
            : RuleVerdict.Continue;
    }

    private static RuleVerdict OfTarget(string name) => name switch
    {
        "REJECT" => RuleVerdict.Drop,
        "MASQUERADE" or "SNAT" => RuleVerdict.RewriteSource,
        "DNAT" or "REDIRECT" or "TPROXY" => RuleVerdict.RewriteDestination,
        "NFQUEUE" => RuleVerdict.Queue,
        _ => RuleVerdict.Continue,
    };

    private Match Condition(NftExpression e, PacketClass packet) => e.Kind switch
    {
        NftKind.Ct when e is { Destination: >= 0, Key: not NftLoad.CtStateKey } && !packet.HasConnection => Match.None,
        NftKind.Compare when e.Source >= 0 => Compared(e),
        NftKind.Range when e.Source >= 0 => Negated(Registers.IsWithin(e.Source, e.Data, e.SecondData), e.Key == 1),
        NftKind.Lookup when e is { Key: 0, Source: >= 0 } =>
            Negated(context.Sets(e.Set)?.Contains(Registers, e.Source) ?? Match.Some, (e.Flags & 1) != 0),
        NftKind.Match => e.Name == "comment" ? Match.All : Match.Some,
        NftKind.Limit => Match.Some,
        NftKind.Other when e.Destination < 0 => Match.Some,
        _ => Match.All,
    };

    private Match Compared(NftExpression e) => e.Key switch
    {
        0 => Registers.IsEqual(e.Source, e.Data),
        1 => Registers.IsEqual(e.Source, e.Data).Not(),
        2 => Registers.IsWithin(e.Source, e.Data, Bytes(e, 0xFF)).Not(),
        3 => Registers.IsWithin(e.Source, Bytes(e, 0), e.Data),
        4 => Registers.IsWithin(e.Source, Bytes(e, 0), e.Data).Not(),
        _ => Registers.IsWithin(e.Source, e.Data, Bytes(e, 0xFF)),
    };

    private static byte[] Bytes(NftExpression e, byte value) => [.. Enumerable.Repeat(value, e.Data.Length)];

    private static Match Negated(Match match, bool negated) => negated ? match.Not() : match;

    // False: the expression changes no mark.
    private bool SetsMark(NftExpression e, PacketClass packet, Match level)
    {
        switch (e)
        {
            case { Kind: NftKind.NoTrack }:
                packet.Untrack(level);
                return true;
            case { Kind: NftKind.Meta, Source: >= 0, Key: NftLoad.MetaMark }:
                (uint mark, uint known) = Registers.Read(e.Source);
                packet.SetMark(mark, known, level);
                return true;
            case { Kind: NftKind.Ct, Source: >= 0, Key: NftLoad.CtMark }:
                (uint connectionMark, uint knownMark) = Registers.Read(e.Source);
                packet.SetConnectionMark(connectionMark, knownMark, level);
                return true;
            case { Kind: NftKind.Target, Name: "MARK" or "CONNMARK" }:
                packet.SetMark(0, 0, Match.All);
                return true;
            default:
                return false;
        }
    }

    private void Load(NftExpression e, PacketClass packet)
    {
        switch (e)
        {
            case { Kind: NftKind.Immediate, Destination: >= 0 }:
                Registers.Set(e.Destination, e.Data);
                break;
            case { Kind: NftKind.Bitwise, Destination: >= 0, Source: >= 0 }:
                Bitwise(e);
                break;
            case { Kind: NftKind.ByteOrder, Destination: >= 0, Source: >= 0 }:
                Registers.Copy(Registers, e.Source, e.Destination, e.Length);
                Registers.Reverse(e.Destination, e.Length, e.Offset);
                break;
            case { Kind: NftKind.Lookup, Key: 1, Destination: >= 0 }:
                Registers.Clear(e.Destination, 16, doubtful: true);
                break;
            // It may load anything anywhere.
            case { Kind: NftKind.Other, Destination: < 0 }:
                Registers.Clear(0, Registers.Length, doubtful: true);
                break;
            case { Destination: >= 0 }:
                NftLoad.Into(Registers, e, packet, context.Family);
                break;
        }
    }

    private void Bitwise(NftExpression e)
    {
        Registers.Copy(Registers, e.Source, e.Destination, e.Length);
        if (e.Key == 0)
            Registers.MaskAndXor(e.Destination, e.Data, e.SecondData);
        else
            Registers.Clear(e.Destination, e.Length, doubtful: true);
    }
}

/// <summary>What the rules of a table have in common.</summary>
/// <param name="Sets">The sets and maps of the table; null for one that cannot be read.</param>
internal sealed record NftRuleContext(NftFamily Family, Func<string, NftElementSet?> Sets)
{
    public KnownBits Registers { get; } = new(NftExpressionParser.RegistersLength);
}

/// <summary>What the kernel loads into a register from a packet.</summary>
internal static class NftLoad
{
    public const uint LinkHeader = 0, NetworkHeader = 1, TransportHeader = 2;
    public const uint MetaProtocol = 1, MetaMark = 3, MetaIif = 4, MetaOif = 5, MetaIifName = 6, MetaOifName = 7;
    public const uint MetaNfProto = 15, MetaL4Proto = 16, MetaBridgeIifName = 17, MetaBridgeOifName = 18, MetaPacketType = 19;
    public const uint CtStateKey = 0, CtDirection = 1, CtStatus = 2, CtMark = 3;
    public const uint FibAddressType = 3;
    private const uint SourceNat = 0x10, DestinationNat = 0x20, ExpectedAndLocal = 1;
    private const byte Unicast = 1, PacketHost = 0;
    private const uint FibSource = 1, FibDestination = 2, FibPresent = 32;
    private const int NameLength = 16;

    public static void Into(KnownBits registers, NftExpression e, PacketClass packet, NftFamily family)
    {
        switch (e.Kind)
        {
            case NftKind.Payload:
                Payload(registers, e, packet);
                break;
            case NftKind.Meta:
                Meta(registers, e, packet, family);
                break;
            case NftKind.Ct:
                Ct(registers, e, packet);
                break;
            case NftKind.Fib:
                Fib(registers, e, packet);
                break;
            default:
                registers.Clear(e.Destination, NameLength, doubtful: true);
                break;
        }
    }

    private static void Payload(KnownBits registers, NftExpression e, PacketClass packet)
    {
        KnownBits? header = e.Key switch
        {
            LinkHeader => packet.Link,
            NetworkHeader => packet.Network,
            TransportHeader => packet.Transport,
            _ => null,
        };
        // The kernel fills whole words with zeros.
        registers.Set(e.Destination, stackalloc byte[Math.Min((e.Length + 3) & ~3, registers.Length)]);
        if (header is null)
            registers.Clear(e.Destination, e.Length, doubtful: true);
        else
            registers.Copy(header, e.Offset, e.Destination, e.Length);
    }

    private static void Meta(KnownBits registers, NftExpression e, PacketClass packet, NftFamily family)
    {
        int to = e.Destination;
        switch (e.Key)
        {
            case MetaProtocol:
                registers.Set(to, [(byte)(packet.EtherType >> 8), (byte)packet.EtherType, 0, 0]);
                break;
            case MetaMark:
                registers.Set(to, packet.Mark, packet.KnownMark);
                break;
            case MetaIif or MetaOif:
                LinkName link = e.Key == MetaIif ? packet.In : packet.Out;
                registers.Set(to, (uint)link.Index, link.IsUnknown ? 0 : uint.MaxValue);
                break;
            case MetaIifName or MetaOifName:
                // In the chains of bridges these are ports.
                Name(registers, to, e.Key == MetaIifName ? packet.In : packet.Out, family == NftFamily.Bridge);
                break;
            case MetaBridgeIifName or MetaBridgeOifName:
                Name(registers, to, e.Key == MetaBridgeIifName ? packet.In : packet.Out, isPort: false);
                break;
            case MetaNfProto or MetaL4Proto or MetaPacketType:
                registers.Set(to, [MetaByte(e.Key, packet, family), 0, 0, 0]);
                break;
            default:
                registers.Clear(to, NameLength, doubtful: true);
                break;
        }
    }

    private static byte MetaByte(uint key, PacketClass packet, NftFamily family) => key switch
    {
        MetaL4Proto => packet.Protocol,
        MetaPacketType => PacketHost,
        _ when family != NftFamily.Inet => (byte)family,
        _ => (byte)(packet.IsIPv4 ? NftFamily.IPv4 : NftFamily.IPv6),
    };

    private static void Ct(KnownBits registers, NftExpression e, PacketClass packet)
    {
        switch (e.Key)
        {
            case CtStateKey:
                registers.Set(e.Destination, (uint)packet.State, uint.MaxValue);
                break;
            case CtDirection:
                registers.Set(e.Destination, [(byte)(packet.IsReply ? 1 : 0), 0, 0, 0]);
                break;
            case CtMark:
                registers.Set(e.Destination, packet.ConnectionMark, packet.KnownConnectionMark);
                break;
            // What leaves the cluster is masqueraded.
            case CtStatus when packet.Flow is not (PodFlow.OwnToOutside or PodFlow.OutsideToOwn):
                registers.Set(e.Destination, 0, SourceNat | DestinationNat | ExpectedAndLocal);
                break;
            case CtStatus:
                registers.Set(e.Destination, 0, DestinationNat | ExpectedAndLocal);
                break;
            default:
                registers.Clear(e.Destination, NameLength, doubtful: true);
                break;
        }
    }

    // Pods' addresses are not this host's, and the reverse path is as the route tables have it: rp_filter is another rule's matter.
    private static void Fib(KnownBits registers, NftExpression e, PacketClass packet)
    {
        if ((e.Flags & FibPresent) != 0)
            registers.Set(e.Destination, [1, 0, 0, 0]);
        else if (e.Key == FibAddressType && packet.Flow != PodFlow.Neighbours)
            registers.Set(e.Destination, [Unicast, 0, 0, 0]);
        else if (e.Key < FibAddressType && (e.Flags & (FibSource | FibDestination)) == FibSource && !packet.In.IsUnknown)
            registers.Set(e.Destination, e.Key == 1 ? BitConverter.GetBytes(packet.In.Index) : packet.In.Padded());
        else
            registers.Clear(e.Destination, NameLength, doubtful: true);
    }

    private static void Name(KnownBits registers, int to, LinkName link, bool isPort)
    {
        if (isPort || link.IsUnknown)
            registers.Clear(to, NameLength, doubtful: true);
        else
            registers.Set(to, link.Padded());
    }
}
