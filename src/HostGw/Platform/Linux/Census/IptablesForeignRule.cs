using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>A rule as iptables-save prints it, understood as far as it concerns pods' packets. Pure.</summary>
internal sealed class IptablesForeignRule : ForeignRule
{
    private readonly string _chain;
    private readonly ImmutableArray<Func<PacketClass, Match>> _conditions;
    private readonly IptablesTarget _target;
    private List<IpsetCondition> _sets = [];

    private IptablesForeignRule(string chain, string rule, ImmutableArray<Func<PacketClass, Match>> conditions, IptablesTarget target) =>
        (_chain, Rule, _conditions, _target) = (chain, rule, conditions, target);

    /// <summary>Without "-A CHAIN".</summary>
    public string Rule { get; }

    public override string Text => $"-A {_chain} {Rule}";

    public override bool IsUnconditional => _conditions.IsEmpty && _sets.Count == 0;

    /// <param name="hasChain">Whether the table has a chain of this name.</param>
    /// <param name="mentions">Receives the addresses that it names.</param>
    public static IptablesForeignRule Parse(string chain, string rule, Func<string, bool> hasChain, List<AddressRange> mentions)
    {
        ImmutableArray<string> tokens = RuleTokens.Of(rule);
        var conditions = ImmutableArray.CreateBuilder<Func<PacketClass, Match>>();
        string module = "";
        List<IpsetCondition> sets = [];
        int i = 0;
        while (i < tokens.Length && tokens[i] is not ("-j" or "-g"))
        {
            bool negated = tokens[i] == "!";
            i += negated ? 1 : 0;
            string option = i < tokens.Length ? tokens[i++] : "";
            int first = i;
            if (IsText(option))
                i = Math.Min(i + 1, tokens.Length);
            while (i < tokens.Length && tokens[i] != "!" && !IsOption(tokens[i]))
                i++;
            if (option == "-m" && first < i)
                module = tokens[first];
            if (option == "--match-set" && first < i)
                sets.Add(new(tokens[first], negated));
            else if (IptablesCondition.Parse(module, option, tokens.AsSpan()[first..i], mentions) is { } condition)
                conditions.Add(negated ? p => condition(p).Not() : condition);
        }
        return new(chain, rule, conditions.ToImmutable(), IptablesTarget.Parse(tokens.AsSpan()[i..], hasChain)) { _sets = sets };
    }

    public override void Apply(PacketClass packet, Match level, List<RuleOutcome> outcomes)
    {
        Match match = Match.All;
        foreach (Func<PacketClass, Match> condition in _conditions)
        {
            match = match.And(condition(packet));
            if (match == Match.None)
                return;
        }
        Match ifInSets = match;
        // Their contents are not read.
        if (_sets.Count > 0)
            match = match.And(Match.Some);
        _target.Mark?.Invoke(packet, level.And(match));
        outcomes.Add(new(match, _target.Verdict, _target.Chain) { Sets = _sets, MatchIfInSets = ifInSets });
    }

    // Its value may look like an option.
    private static bool IsText(string option) => option is "--comment" or "--string" or "--hex-string";

    private static bool IsOption(string token) => token.Length > 1 && token[0] == '-' && !char.IsAsciiDigit(token[1]);
}

/// <summary>What a rule of iptables does.</summary>
/// <param name="Mark">Changes marks; null: it does not.</param>
internal sealed record IptablesTarget(RuleVerdict Verdict, string Chain, Action<PacketClass, Match>? Mark)
{
    /// <param name="tokens">From -j or -g on; empty: the rule only counts.</param>
    public static IptablesTarget Parse(ReadOnlySpan<string> tokens, Func<string, bool> hasChain)
    {
        if (tokens.Length < 2)
            return new(RuleVerdict.Continue, "", null);
        string target = tokens[1];
        if (hasChain(target))
            return new(tokens[0] == "-g" ? RuleVerdict.Goto : RuleVerdict.Jump, target, null);
        RuleVerdict verdict = target switch
        {
            "ACCEPT" => RuleVerdict.Accept,
            "DROP" or "REJECT" => RuleVerdict.Drop,
            "RETURN" => RuleVerdict.Return,
            "MASQUERADE" or "SNAT" or "NETMAP" or "SAME" => RuleVerdict.RewriteSource,
            "DNAT" or "REDIRECT" or "TPROXY" => RuleVerdict.RewriteDestination,
            "QUEUE" or "NFQUEUE" => RuleVerdict.Queue,
            _ => RuleVerdict.Continue,
        };
        return new(verdict, "", MarkOf(target, tokens.Length > 2 ? tokens[2] : "", tokens.Length > 3 ? tokens[3] : ""));
    }

    private static Action<PacketClass, Match>? MarkOf(string target, string option, string value)
    {
        (uint bits, uint mask) = IptablesNumber.WithMask(value);
        return (target, option) switch
        {
            // --set-xmark clears the bits of the mask and flips those of the value.
            ("MARK", "--set-xmark" or "--set-mark") => (p, level) =>
                p.SetMark((p.Mark & ~mask) ^ bits, p.KnownMark | mask, level),
            ("MARK", _) => static (p, level) => p.SetMark(0, 0, level),
            ("CONNMARK", "--restore-mark") => static (p, level) => p.SetMark(p.ConnectionMark, p.KnownConnectionMark, level),
            ("CONNMARK", "--save-mark") => static (p, level) => p.SetConnectionMark(p.Mark, p.KnownMark, level),
            ("CONNMARK", _) => static (p, level) => p.SetConnectionMark(0, 0, level),
            ("CT", "--notrack") or ("NOTRACK", _) => static (p, level) => p.Untrack(level),
            _ => null,
        };
    }
}

/// <summary>Numbers as iptables prints them.</summary>
internal static class IptablesNumber
{
    public static bool TryParse(ReadOnlySpan<char> text, out uint value) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>VALUE/MASK; without a mask all bits.</summary>
    public static (uint Value, uint Mask) WithMask(string text)
    {
        int slash = text.IndexOf('/');
        uint value = TryParse(slash < 0 ? text : text.AsSpan(0, slash), out uint parsed) ? parsed : 0;
        return (value, slash >= 0 && TryParse(text.AsSpan(slash + 1), out uint mask) ? mask : uint.MaxValue);
    }
}

/// <summary>The conditions of iptables. One that is not known here matches some packets.</summary>
internal static class IptablesCondition
{
    private const int SourcePort = 0, DestinationPort = 2;

    /// <param name="module">Whose option it is, unless it is one of iptables itself.</param>
    /// <returns>Null: it matches every packet.</returns>
    public static Func<PacketClass, Match>? Parse(string module, string option, ReadOnlySpan<string> values, List<AddressRange> mentions)
    {
        string value = values.Length > 0 ? values[0] : "";
        switch (option)
        {
            case "-m":
                return OfModule(value);
            case "--comment" or "--icmp-type-any" or "--limit-iface-in" or "--limit-iface-out":
                return null;
            case "-s" or "-d":
                return OfPrefix(isSource: option == "-s", value, mentions);
            case "--src-range" or "--dst-range":
                return OfRange(isSource: option == "--src-range", value, mentions);
            case "-i":
                return p => Link(p.In, value);
            case "-o":
                return p => Link(p.Out, value);
            case "-p":
                return Protocol(value) is { } protocol ? p => p.Protocol == protocol ? Match.All : Match.None : Unknown;
            case "--sport" or "--sports" or "--source-port":
                return Ports(SourcePort, value);
            case "--dport" or "--dports" or "--destination-port":
                return Ports(DestinationPort, value);
            case "--ctstate" or "--state":
                return States(value);
            case "--mark":
                (uint bits, uint mask) = IptablesNumber.WithMask(value);
                return module == "connmark"
                    ? p => Marked(p.ConnectionMark, p.KnownConnectionMark, bits, mask)
                    : p => Marked(p.Mark, p.KnownMark, bits, mask);
            default:
                return OfOption(option, value);
        }
    }

    private static Func<PacketClass, Match> OfOption(string option, string value) => option switch
    {
        "--dst-type" => p => Type(p, isSource: false, value),
        "--src-type" => p => Type(p, isSource: true, value),
        "--pkt-type" => _ => value == "unicast" ? Match.All : Match.None,
        "--syn" => p => p.FirstState == CtState.New ? Match.All : Match.None,
        "--tcp-flags" or "--ctstatus" => Unknown,
        "--ctdir" => p => p.IsReply == (value == "REPLY") ? Match.All : Match.None,
        "--icmp-type" or "--icmpv6-type" => p => IcmpType(p, value),
        "--hl-eq" => p => p.Flow != PodFlow.Neighbours ? Match.Some : value == $"{PacketClass.HighestHopLimit}" ? Match.All : Match.None,
        "--physdev-is-bridged" => static _ => Match.None,
        "--pol" => _ => value == "none" ? Match.All : Match.None,
        // rpfilter matches a packet that passes the test, and with --invert one that fails it.
        "--invert" => static _ => Match.None,
        _ => Unknown,
    };

    // What a module's own options say is judged there; some say something by themselves.
    private static Func<PacketClass, Match>? OfModule(string module) => module switch
    {
        "owner" or "socket" => static _ => Match.None,
        "bpf" or "u32" or "string" or "time" or "statistic" or "limit" or "hashlimit" or "recent" or "quota" => Unknown,
        _ => null,
    };

    private static Match Unknown(PacketClass packet) => Match.Some;

    private static Func<PacketClass, Match> OfPrefix(bool isSource, string value, List<AddressRange> mentions)
    {
        if (!Prefix.TryParse(value, out Prefix prefix))
            return Unknown;
        mentions.Add(AddressRange.Of(prefix.Aligned));
        return p => Within(isSource ? p.Source : p.Destination, AddressRange.Of(prefix.Aligned));
    }

    private static Func<PacketClass, Match> OfRange(bool isSource, string value, List<AddressRange> mentions)
    {
        int dash = value.IndexOf('-');
        if (dash < 0 || !Ip.TryParse(value.AsSpan(0, dash), out Ip first) || !Ip.TryParse(value.AsSpan(dash + 1), out Ip last))
            return Unknown;
        AddressRange range = new(first, last);
        mentions.Add(range);
        return p => Within(isSource ? p.Source : p.Destination, range);
    }

    private static Match Within(Prefix prefix, AddressRange range) => prefix.IsNone ? Match.Some
        : prefix.IsIPv4 != range.First.IsIPv4 ? Match.None
        : Matches.OfShare(new NumberRange(prefix.Address.Value, prefix.Last.Value).ShareWithin(new(range.First.Value, range.Last.Value)));

    private static Match Link(LinkName link, string pattern) => pattern == "+" ? Match.All
        : link.IsUnknown ? Match.Some
        : pattern.EndsWith('+') ? link.Name.StartsWith(pattern[..^1], StringComparison.Ordinal) ? Match.All : Match.None
        : link.Name == pattern ? Match.All : Match.None;

    private static byte? Protocol(string name) => name switch
    {
        "tcp" => ProtocolNumber.Tcp,
        "udp" => ProtocolNumber.Udp,
        "icmp" => ProtocolNumber.Icmp,
        "ipv6-icmp" or "icmpv6" => ProtocolNumber.Icmp6,
        _ => IptablesNumber.TryParse(name, out uint number) && number <= byte.MaxValue ? (byte)number : null,
    };

    private static Func<PacketClass, Match> Ports(int offset, string value)
    {
        List<(byte[] First, byte[] Last)> ranges = [];
        foreach (string part in value.Split(','))
        {
            string[] ends = part.Split(':');
            if (!IptablesNumber.TryParse(ends[0].Length > 0 ? ends[0] : "0", out uint first) ||
                !IptablesNumber.TryParse(ends[^1].Length > 0 ? ends[^1] : "65535", out uint last))
                return Unknown;
            ranges.Add((Port(first), Port(last)));
        }
        return p => ranges.Max(r => p.Transport.IsWithin(offset, r.First, r.Last));
    }

    private static byte[] Port(uint port)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)port);
        return bytes;
    }

    private static Func<PacketClass, Match> States(string value)
    {
        CtState states = CtState.None;
        foreach (string name in value.Split(','))
            states |= Enum.TryParse(name, ignoreCase: true, out CtState state) ? state : CtState.None;
        return p => (p.State & states) != 0 ? Match.All : Match.None;
    }

    private static Match Marked(uint mark, uint known, uint value, uint mask) => ((mark ^ value) & mask & known) != 0 ? Match.None
        : (mask & ~known) != 0 ? Match.Some : (value & ~mask) != 0 ? Match.None : Match.All;

    private static Match Type(PacketClass packet, bool isSource, string value) =>
        packet.Flow == PodFlow.Neighbours || (isSource ? packet.Source : packet.Destination).IsNone ? Match.Some
        : value.Split(',').Contains("UNICAST") ? Match.All : Match.None;

    private static Match IcmpType(PacketClass packet, string value) => value is "any" or "255" ? Match.All
        : IptablesNumber.TryParse(value.Split('/')[0], out uint type) ? type == packet.IcmpType ? Match.All : Match.None
        : Match.Some;
}
