using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.Tests.Architecture;

namespace HostGw.Tests.FakeApi;

/// <summary>One answer of a real API server, and the request that it answered (tests/fixtures/README.md).</summary>
internal sealed record Recording(string Name, string Method, string Path, string Accept, string Head, byte[] Body)
{
    private static readonly string Folder = System.IO.Path.Combine(Repository.Root, "tests", "fixtures", "kubernetes-1.36.2");

    public bool IsWatch => Path.Contains("watch=true", StringComparison.Ordinal) && Head.Contains(" 200 ", StringComparison.Ordinal);

    public bool IsProtobuf => Head.Contains("vnd.kubernetes.protobuf", StringComparison.Ordinal);

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.request")
        .Select(f => System.IO.Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    public static Recording Read(string name)
    {
        string file = System.IO.Path.Combine(Folder, name);
        string[] request = File.ReadAllLines(file + ".request");
        string[] first = request[0].Split(' ');
        return new(name, first[0], first[1], request[1].Split(": ")[1], File.ReadAllText(file + ".head"), File.ReadAllBytes(file + ".body"));
    }
}

/// <summary>An answer as path → value: status line, the headers that matter and every field of the body, in JSON as in protobuf.</summary>
/// <remarks>Protobuf is read without a schema, so that nothing depends on what FakeApi knows: fields are numbers, and bytes that
/// are not text are read as a message.</remarks>
internal static partial class AnswerFields
{
    private static readonly string[] Headers = ["Content-Type", "Cache-Control", "Retry-After", "X-Content-Type-Options"];

    public static SortedDictionary<string, string> Of(Recording answer)
    {
        var fields = new SortedDictionary<string, string>(StringComparer.Ordinal);
        string[] lines = answer.Head.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        fields["status"] = lines[0];
        foreach (string[] header in lines.Skip(1).Select(l => l.Split(": ", 2)).Where(h => Headers.Contains(h[0], StringComparer.OrdinalIgnoreCase)))
            fields[header[0].ToLowerInvariant()] = header[1];
        if (answer.IsWatch)
            AddFrames(fields, answer.IsProtobuf ? [.. ProtobufFrames(answer.Body)] : [.. JsonFrames(answer.Body)]);
        else if (answer.IsProtobuf)
            AddMessage(fields, "body", answer.Body.AsSpan(4));
        else
            AddJson(fields, "body", JsonNode.Parse(answer.Body));
        return fields;
    }

    /// <summary>Versions, times and UIDs differ between two servers: each becomes one word. What does not look like one stays.</summary>
    public static SortedDictionary<string, string> Normalised(SortedDictionary<string, string> fields) =>
        new(fields.ToDictionary(f => f.Key, f => Normalised(f.Key, f.Value)), StringComparer.Ordinal);

    /// <summary>One line per field that differs.</summary>
    public static string[] Differences(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual) =>
    [
        .. expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal)
            .Where(k => expected.GetValueOrDefault(k) != actual.GetValueOrDefault(k))
            .Select(k => $"{k}: recorded {expected.GetValueOrDefault(k, "nothing")}, FakeApi {actual.GetValueOrDefault(k, "nothing")}"),
    ];

    private static string Normalised(string path, string value)
    {
        if (VersionPath().IsMatch(path) && Version().IsMatch(value))
            return "VERSION";
        if (Guid.TryParseExact(value, "D", out _))
            return "UID";
        if (Time().IsMatch(value) || (path.StartsWith("body", StringComparison.Ordinal) && EpochSeconds().IsMatch(value)))
            return "TIME";
        return VersionInText().Replace(value, "$1VERSION");
    }

    // How many bookmarks a server sends before a watch ends depends on the clock: their form is compared, not their number.
    private static void AddFrames(SortedDictionary<string, string> fields, List<SortedDictionary<string, string>> frames)
    {
        int index = 0;
        foreach (SortedDictionary<string, string> frame in frames)
        {
            bool isBookmark = frame.ContainsValue("BOOKMARK") && !frame.Any(f => f.Key.Contains("initial-events-end", StringComparison.Ordinal)
                || f.Value == "k8s.io/initial-events-end");
            string prefix = isBookmark ? "body.bookmark" : $"body[{index++:d3}]";
            foreach ((string path, string value) in frame)
                fields[prefix + path] = value;
        }
    }

    private static IEnumerable<SortedDictionary<string, string>> JsonFrames(byte[] body)
    {
        foreach (string line in Encoding.UTF8.GetString(body).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var frame = new SortedDictionary<string, string>(StringComparer.Ordinal);
            AddJson(frame, "", JsonNode.Parse(line));
            yield return frame;
        }
    }

    private static IEnumerable<SortedDictionary<string, string>> ProtobufFrames(byte[] body)
    {
        for (int at = 0; at < body.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(at));
            var frame = new SortedDictionary<string, string>(StringComparer.Ordinal);
            AddMessage(frame, "", body.AsSpan(at + 4, length));
            yield return frame;
            at += 4 + length;
        }
    }

    private static void AddJson(SortedDictionary<string, string> fields, string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } content:
                foreach ((string name, JsonNode? value) in content)
                    AddJson(fields, $"{path}.{name}", value);
                break;
            case JsonArray { Count: > 0 } list:
                for (int i = 0; i < list.Count; i++)
                    AddJson(fields, $"{path}[{i}]", list[i]);
                break;
            case JsonValue value when value.TryGetValue(out string? text):
                fields[path] = text;
                break;
            default:
                fields[path] = node?.ToJsonString() ?? "null";
                break;
        }
    }

    private static void AddMessage(SortedDictionary<string, string> fields, string path, ReadOnlySpan<byte> message)
    {
        if (!TryAddMessage(fields, path, message))
            throw new FormatException($"{path} is no protobuf message");
    }

    private static bool TryAddMessage(SortedDictionary<string, string> fields, string path, ReadOnlySpan<byte> message)
    {
        Dictionary<ulong, int> seen = [];
        while (!message.IsEmpty)
        {
            if (!TryVarint(ref message, out ulong tag) || tag >> 3 == 0 || (tag & 7) is not (0 or 2) || !TryVarint(ref message, out ulong value))
                return false;
            int nth = seen[tag >> 3] = seen.GetValueOrDefault(tag >> 3) + 1;
            string below = string.Create(CultureInfo.InvariantCulture, $"{path}.{tag >> 3}[{nth}]");
            if ((tag & 7) == 0)
            {
                fields[below] = value.ToString(CultureInfo.InvariantCulture);
                continue;
            }
            if (value > (ulong)message.Length)
                return false;
            AddBytes(fields, below, message[..(int)value]);
            message = message[(int)value..];
        }
        return true;
    }

    private static void AddBytes(SortedDictionary<string, string> fields, string path, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> content = bytes.StartsWith("k8s\0"u8) ? bytes[4..] : bytes;
        var inner = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (content.IndexOfAnyExceptInRange((byte)' ', (byte)'~') >= 0 && TryAddMessage(inner, path, content))
        {
            foreach ((string below, string value) in inner)
                fields[below] = value;
        }
        else
        {
            fields[path] = Encoding.UTF8.GetString(bytes);
        }
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (int i = 0; i < Math.Min(10, bytes.Length); i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return true;
        }
        return false;
    }

    [GeneratedRegex(@"resourceVersion$|\.6\[1\]$|\.1\[1\]\.2\[1\]$")]
    private static partial Regex VersionPath();

    [GeneratedRegex(@"^\d{3,}$")]
    private static partial Regex Version();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
    private static partial Regex Time();

    [GeneratedRegex(@"^1[789]\d{8}$")]
    private static partial Regex EpochSeconds();

    [GeneratedRegex(@"(resource version: \d+ \(|current: )\d+")]
    private static partial Regex VersionInText();
}
