using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using HostGw.FakeApi.Encoders;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

/// <summary>A Node with any text in any field, in the words of who sends it, and what should be read of it.</summary>
internal sealed record AnyNode
{
    private static readonly string[] Keys = ["pool", "zone", NodeDraft.OsLabel, "other"];

    public required string Name { get; init; }

    public required string Uid { get; init; }

    public required long CreatedAt { get; init; }

    /// <summary>Keys and values; of a key that comes twice the last counts.</summary>
    public required (string Key, string Value)[] Labels { get; init; }

    public required (string Key, string Value)[] Annotations { get; init; }

    public required string PodCidr { get; init; }

    public required string[] PodCidrs { get; init; }

    public required (string Type, string Address)[] Addresses { get; init; }

    public required string OperatingSystem { get; init; }

    /// <summary>Text of every sort: usual text, control characters, astral and half characters, byte order marks.</summary>
    public static Gen<string> Text { get; } =
        from pieces in Gen.Frequency(
            (6, Gen.Choose(' ', '~').Select(c => $"{(char)c}")),
            (2, Gen.Choose(0, 0x9F).Select(c => $"{(char)c}")),
            (2, Gen.Choose(0xA0, 0xD7FF).Select(c => $"{(char)c}")),
            (2, Gen.Choose(0x10000, 0x10FFFF).Select(char.ConvertFromUtf32)),
            (1, Gen.Choose(0xD800, 0xDFFF).Select(c => $"{(char)c}")),
            (1, Gen.Choose(0xE000, 0xFFFF).Select(c => $"{(char)c}"))).ListOf()
        from times in Gen.Frequency((9, Gen.Constant(1)), (1, Gen.Constant(4)))
        select Sent(string.Concat(Enumerable.Repeat(string.Concat(pieces), times)));

    public static Gen<AnyNode> Any { get; } =
        from name in Text
        from uid in Text
        from createdAt in Gen.Choose(0, int.MaxValue)
        from labels in Gen.Elements(Keys).Zip(Text).ArrayOf(4)
        from annotations in Gen.OneOf(NextHop, Skip, Text.Zip(Text)).ArrayOf(3)
        from podCidr in Cidr
        from podCidrs in Cidr.ArrayOf().Resize(4)
        from addresses in Address.ArrayOf().Resize(5)
        from os in Gen.OneOf(Gen.Elements("", "linux", "Windows"), Text)
        select new AnyNode
        {
            Name = name,
            Uid = uid,
            CreatedAt = createdAt,
            Labels = labels,
            Annotations = annotations,
            PodCidr = podCidr,
            PodCidrs = podCidrs,
            Addresses = addresses,
            OperatingSystem = os,
        };

    // What is no address or CIDR begins with an x.
    private static Gen<string> NotAnAddress => Text.Select(t => Sent("x" + t));

    private static Gen<string> Cidr => Gen.OneOf(
        NotAnAddress, Gen.Choose(0, 255).Select(i => $"10.244.{i}.0/24"), Gen.Choose(1, 0xFFFF).Select(i => $"fd00:{i:x}::/64"));

    private static Gen<string> Ip => Gen.OneOf(
        Gen.Choose(0, 255).Select(i => $"192.0.2.{i}"), Gen.Choose(1, 0xFFFF).Select(i => $"2001:db8::{i:x}"));

    private static Gen<(string, string)> Address =>
        from type in Gen.OneOf(Gen.Elements("InternalIP", "ExternalIP", "Hostname"), Text)
        from address in Gen.OneOf(Ip, NotAnAddress)
        select (type, address);

    private static Gen<(string, string)> NextHop => Gen.OneOf(Ip, NotAnAddress).Select(t => (NodeDraft.NextHopAnnotation, t));

    private static Gen<(string, string)> Skip => Gen.OneOf(Gen.Elements("true", "false"), Text).Select(t => (NodeDraft.SkipAnnotation, t));

    /// <summary>What is read, in the form of <see cref="NodeText.Text"/>.</summary>
    public string Expected()
    {
        var line = new StringBuilder(Name);
        Add("uid", Uid);
        Add("at", $"{CreatedAt}");
        Add("os", OsText());
        string[] cidrs = PodCidrs.Length > 0 ? PodCidrs : PodCidr.Length > 0 ? [PodCidr] : [];
        Add("cidrs", string.Join(',', cidrs.Where(c => !c.StartsWith('x'))));
        Add("bad", string.Join('|', cidrs.Where(c => c.StartsWith('x')).Select(Beginning)));
        Add("int", string.Join(',', Addresses.Where(a => a.Type == "InternalIP" && !a.Address.StartsWith('x')).Select(a => a.Address)));
        Add("ext", string.Join(',', Addresses.Where(a => a.Type == "ExternalIP" && !a.Address.StartsWith('x')).Select(a => a.Address)));
        if (Last(Annotations, NodeDraft.NextHopAnnotation) is { } hop)
            line.Append(" hop=").Append(hop.StartsWith('x') ? "" : hop);
        Add("skip", Last(Annotations, NodeDraft.SkipAnnotation) switch { null or "false" => "", "true" => "yes", _ => "unreadable" });
        Add("labels", string.Join(',', Keys[..2].Where(k => Last(Labels, k) is not null).Select(k => $"{k}:{Last(Labels, k)}")));
        return line.ToString();

        void Add(string key, string value) => line.Append(value.Length > 0 ? $" {key}={value}" : "");
    }

    public string ToJson() => new JsonObject
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = Name,
            ["uid"] = Uid,
            ["creationTimestamp"] = DateTimeOffset.FromUnixTimeSeconds(CreatedAt).ToString("s", CultureInfo.InvariantCulture) + "Z",
            ["labels"] = Map(Labels),
            ["annotations"] = Map(Annotations),
        },
        ["spec"] = new JsonObject { ["podCIDR"] = PodCidr, ["podCIDRs"] = new JsonArray([.. PodCidrs]) },
        ["status"] = new JsonObject
        {
            ["addresses"] = new JsonArray([.. Addresses.Select(a => new JsonObject { ["type"] = a.Type, ["address"] = a.Address })]),
            ["nodeInfo"] = new JsonObject { ["operatingSystem"] = OperatingSystem },
        },
    }.ToJsonString();

    // Half characters cannot be sent in UTF-8.
    private static string Sent(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private string OsText()
    {
        string os = Beginning(OperatingSystem.Length > 0 ? OperatingSystem : Last(Labels, NodeDraft.OsLabel) ?? "");
        return os.ToUpperInvariant() switch { "" or "LINUX" => "", "WINDOWS" => "windows", _ => os };
    }

    // 64 characters, and never half of one.
    private static string Beginning(string text) => text.Length <= 64 ? text : text[..(char.IsHighSurrogate(text[63]) ? 63 : 64)];

    private static string? Last((string Key, string Value)[] pairs, string key) => pairs.LastOrDefault(p => p.Key == key).Value;

    private static JsonObject Map((string Key, string Value)[] pairs)
    {
        var map = new JsonObject();
        foreach ((string key, string value) in pairs)
            map[key] = value;
        return map;
    }
}

/// <summary>
/// Writes an <see cref="AnyNode"/> as protobuf allows it and kube-apiserver never does: fields in any order, singular texts with others
/// before the one that counts, messages in two parts, and fields that nobody knows.
/// </summary>
internal sealed class ShuffledProtobuf(int seed)
{
    private readonly Random _random = new(seed);

    public byte[] Encode(AnyNode node) => Message(
        InParts(
            1, Single(1, node.Name), Single(5, node.Uid), Time(8, node.CreatedAt),
            Each(11, node.Labels.Select(Entry)), Each(12, node.Annotations.Select(Entry))),
        InParts(2, Single(1, node.PodCidr), Each(7, node.PodCidrs.Select(Encoding.UTF8.GetBytes))),
        InParts(
            3, Each(5, node.Addresses.Select(a => Message(Single(1, a.Type), Single(2, a.Address)))), InParts(7, Single(9, node.OperatingSystem))));

    // The key of a map's entry comes first, as in everything that Go's generated code writes.
    private static byte[] Entry((string Key, string Value) pair) => Write(entry =>
    {
        entry.WriteText(1, pair.Key);
        entry.WriteText(2, pair.Value);
    });

    private byte[][] Single(int field, string value) => OneOrTwo(Field(field, "decoy"u8), Field(field, Encoding.UTF8.GetBytes(value)));

    private byte[][] Time(int field, long seconds) =>
        OneOrTwo(Field(field, Write(time => time.WriteNumber(1, 7))), Field(field, Write(time => time.WriteNumber(1, seconds))));

    private byte[][] OneOrTwo(byte[] decoy, byte[] field) => _random.Next(3) == 0 ? [decoy, field] : [field];

    private static byte[][] Each(int field, IEnumerable<byte[]> values) => [.. values.Select(v => Field(field, v))];

    // Parts of a message are merged.
    private byte[][] InParts(int field, params byte[][][] content)
    {
        if (_random.Next(2) == 0)
            return [Field(field, Message(content))];
        int[] cuts = [.. content.Select(c => _random.Next(c.Length + 1))];
        byte[] first = Message([.. content.Select((c, i) => c[..cuts[i]])]), second = Message([.. content.Select((c, i) => c[cuts[i]..])]);
        return [Field(field, first), Field(field, second)];
    }

    // Occurrences of one field keep their order; everything else is shuffled.
    private byte[] Message(params byte[][][] fields)
    {
        List<Queue<byte[]>> waiting = [.. fields.Select(f => new Queue<byte[]>(f))];
        using var message = new MemoryStream();
        for (; waiting.Count > 0; waiting.RemoveAll(q => q.Count == 0))
        {
            if (_random.Next(3) == 0)
                message.Write(Unknown());
            if (waiting[_random.Next(waiting.Count)].TryDequeue(out byte[]? field))
                message.Write(field);
        }
        return message.ToArray();
    }

    // Of each wire type: a number, 64 bits, bytes, 32 bits.
    private byte[] Unknown()
    {
        int number = _random.Next(1000, 100_000);
        byte[] bytes = new byte[_random.Next(300)];
        _random.NextBytes(bytes);
        return _random.Next(4) switch
        {
            0 => Write(w => w.WriteNumber(number, _random.NextInt64())),
            1 => [.. Tag(number, wireType: 1), 1, 2, 3, 4, 5, 6, 7, 8],
            2 => Field(number, bytes),
            _ => [.. Tag(number, wireType: 5), 1, 2, 3, 4],
        };
    }

    private static byte[] Tag(int number, byte wireType)
    {
        byte[] tag = Write(w => w.WriteNumber(number, 0))[..^1];
        tag[0] |= wireType;
        return tag;
    }

    private static byte[] Field(int field, ReadOnlySpan<byte> value)
    {
        var writer = new ProtobufWriter();
        writer.WriteBytes(field, value);
        return writer.Written.ToArray();
    }

    private static byte[] Write(Action<ProtobufWriter> write)
    {
        var writer = new ProtobufWriter();
        write(writer);
        return writer.Written.ToArray();
    }
}
