using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>Writes a rule of nf_tables about as nft lists it: enough to recognize it. Pure.</summary>
internal static class NftRuleText
{
    private const int MaxElements = 3;
    private static readonly string[] Operators = ["", "!= ", "< ", "<= ", "> ", ">= "];
    private static readonly string[] States = ["invalid", "established", "related", "new", "", "", "untracked"];

    private static readonly Dictionary<uint, string> MetaNames = new()
    {
        [1] = "meta protocol",
        [3] = "meta mark",
        [4] = "iif",
        [5] = "oif",
        [6] = "iifname",
        [7] = "oifname",
        [10] = "meta skuid",
        [15] = "meta nfproto",
        [16] = "meta l4proto",
        [17] = "ibrname",
        [18] = "obrname",
        [19] = "meta pkttype",
    };

    /// <summary>What a register holds.</summary>
    private readonly record struct Loaded(string Name, byte[] Mask);

    public static string Of(ImmutableArray<NftExpression> expressions, Func<string, NftElementSet?> sets)
    {
        Dictionary<int, Loaded> registers = [];
        List<string> words = [];
        foreach (NftExpression e in expressions)
        {
            if (Word(e, registers, sets) is { Length: > 0 } word)
                words.Add(word);
        }
        return string.Join(' ', words);
    }

    private static string Word(NftExpression e, Dictionary<int, Loaded> registers, Func<string, NftElementSet?> sets)
    {
        switch (e.Kind)
        {
            case NftKind.Payload when e.Source >= 0:
                return $"{FieldName(e)} set {Value(FieldName(e), registers.GetValueOrDefault(e.Source).Mask ?? [], null)}";
            case NftKind.Payload or NftKind.Meta or NftKind.Ct or NftKind.Fib when e.Destination >= 0:
                registers[e.Destination] = new(FieldName(e), []);
                return "";
            case NftKind.Meta or NftKind.Ct:
                return $"{FieldName(e)} set {Value(FieldName(e), registers.GetValueOrDefault(e.Source).Mask ?? [], null)}";
            case NftKind.Immediate when e.Verdict is null:
                registers[e.Destination] = new("", e.Data);
                return "";
            case NftKind.Bitwise:
                registers[e.Destination] = registers.GetValueOrDefault(e.Source) with { Mask = e.Data };
                return "";
            case NftKind.ByteOrder:
                registers[e.Destination] = registers.GetValueOrDefault(e.Source);
                return "";
            case NftKind.Compare:
                Loaded compared = registers.GetValueOrDefault(e.Source);
                return $"{compared.Name} {Comparison(e, compared)}";
            case NftKind.Range:
                string field = registers.GetValueOrDefault(e.Source).Name;
                return $"{field} {(e.Key == 1 ? "!= " : "")}{Value(field, e.Data, null)}-{Value(field, e.SecondData, null)}";
            case NftKind.Lookup:
                string name = registers.GetValueOrDefault(e.Source).Name;
                return $"{name} {((e.Flags & 1) != 0 ? "!= " : "")}{(e.Key == 1 ? "vmap " : "")}{SetText(e.Set, name, sets)}";
            default:
                return Statement(e);
        }
    }

    private static string Statement(NftExpression e) => e switch
    {
        { Kind: NftKind.Immediate, Verdict: { } verdict } => verdict.Code switch
        {
            NftVerdict.Drop => "drop",
            NftVerdict.Accept => "accept",
            NftVerdict.Jump => $"jump {verdict.Chain}",
            NftVerdict.Goto => $"goto {verdict.Chain}",
            NftVerdict.Return => "return",
            _ => "continue",
        },
        { Kind: NftKind.Masquerade } => "masquerade",
        { Kind: NftKind.Nat, Key: 0 } => "snat",
        { Kind: NftKind.Nat } => "dnat",
        { Kind: NftKind.Match, Name: not "comment" } => $"xt match {e.Name}",
        { Kind: NftKind.Target } => $"xt target {e.Name}",
        { Kind: NftKind.Match } or { Name: "objref" } => "",
        _ => e.Name,
    };

    private static string Comparison(NftExpression e, Loaded compared)
    {
        string operation = e.Key < Operators.Length ? Operators[e.Key] : "";
        // A single bit of a state is compared with zero: nft writes the state itself.
        if (compared is { Name: "ct state", Mask.Length: 4 } && e.Data.All(b => b == 0))
            return (e.Key == 0 ? "!= " : "") + Value(compared.Name, compared.Mask, null);
        return operation + Value(compared.Name, e.Data, compared.Mask is { Length: > 0 } mask ? mask : null);
    }

    private static string FieldName(NftExpression e) => e.Kind switch
    {
        NftKind.Meta => MetaNames.GetValueOrDefault(e.Key, $"meta {e.Key}"),
        NftKind.Ct => e.Key switch { 0 => "ct state", 1 => "ct direction", 2 => "ct status", 3 => "ct mark", _ => $"ct {e.Key}" },
        NftKind.Fib => "fib",
        _ => (e.Key, e.Offset, e.Length) switch
        {
            (NftLoad.NetworkHeader, 12, <= 4) => "ip saddr",
            (NftLoad.NetworkHeader, 16, <= 4) => "ip daddr",
            (NftLoad.NetworkHeader, 9, 1) => "ip protocol",
            (NftLoad.NetworkHeader, 8, > 1) => "ip6 saddr",
            (NftLoad.NetworkHeader, 24, _) => "ip6 daddr",
            (NftLoad.NetworkHeader, 6, 1) => "ip6 nexthdr",
            (NftLoad.TransportHeader, 0, 2) => "th sport",
            (NftLoad.TransportHeader, 2, 2) => "th dport",
            (NftLoad.TransportHeader, 13, 1) => "tcp flags",
            (NftLoad.TransportHeader, 0, 1) => "icmp type",
            _ => $"@{(e.Key == 0 ? "ll" : e.Key == 1 ? "nh" : "th")},{e.Offset * 8},{e.Length * 8}",
        },
    };

    private static string Value(string field, byte[] data, byte[]? mask) => field switch
    {
        "ip saddr" or "ip daddr" => Address(data, mask, 4),
        "ip6 saddr" or "ip6 daddr" => Address(data, mask, 16),
        "iifname" or "oifname" or "ibrname" or "obrname" => InterfaceName(data),
        "meta l4proto" or "ip protocol" or "ip6 nexthdr" => data is [var number, ..] ? Protocol(number) : "",
        "meta nfproto" => data is [2, ..] ? "ipv4" : data is [10, ..] ? "ipv6" : "other",
        "meta protocol" => data is [8, 0, ..] ? "ip" : data is [8, 6, ..] ? "arp" : data is [0x86, 0xDD, ..] ? "ip6" : Hex(data),
        "ct state" when data.Length == 4 => string.Join(',', States.Where((_, i) => (BitConverter.ToUInt32(data) >> i & 1) != 0)),
        "th sport" or "th dport" when data.Length == 2 => $"{(data[0] << 8) | data[1]}",
        "iif" or "oif" when data.Length == 4 => BitConverter.ToUInt32(data).ToString(CultureInfo.InvariantCulture),
        _ => Hex(data) + (mask is null ? "" : $"/{Hex(mask)}"),
    };

    private static string Address(byte[] data, byte[]? mask, int length)
    {
        byte[] bytes = new byte[length];
        data.AsSpan(0, Math.Min(length, data.Length)).CopyTo(bytes);
        int bits = mask is null ? data.Length * 8 : mask.Sum(b => System.Numerics.BitOperations.PopCount(b));
        return bits >= length * 8 ? $"{Ip.FromBytes(bytes)}" : $"{Ip.FromBytes(bytes)}/{bits}";
    }

    private static string InterfaceName(byte[] data)
    {
        string name = Encoding.UTF8.GetString(data.AsSpan().TrimEnd((byte)0));
        return data is [.., not 0] ? $"\"{name}*\"" : $"\"{name}\"";
    }

    private static string Protocol(byte number) => number switch
    {
        ProtocolNumber.Icmp => "icmp",
        ProtocolNumber.Tcp => "tcp",
        ProtocolNumber.Udp => "udp",
        ProtocolNumber.Icmp6 => "ipv6-icmp",
        _ => number.ToString(CultureInfo.InvariantCulture),
    };

    private static string SetText(string set, string field, Func<string, NftElementSet?> sets)
    {
        if (!set.StartsWith("__", StringComparison.Ordinal) || sets(set) is not { Fields.Length: 1 } found)
            return set.StartsWith("__", StringComparison.Ordinal) ? "{ … }" : $"@{set}";
        IEnumerable<string> shown = found.Elements.Take(MaxElements).Select(
            e => Value(field, e.First, null) + (e.First.AsSpan().SequenceEqual(e.Last) ? "" : $"-{Value(field, e.Last, null)}"));
        return $"{{ {string.Join(", ", shown)}{(found.Elements.Count > MaxElements ? ", …" : "")} }}";
    }

    private static string Hex(byte[] data) => $"0x{Convert.ToHexStringLower(data)}";
}
