using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>How a JSON value is written into a field; null where the JSON has none.</summary>
internal delegate void ProtobufForm(ProtobufWriter output, int field, JsonNode? value);

/// <summary>A message: the JSON name, number and form of each field. What the JSON has besides is left out.</summary>
internal sealed class ProtobufMessage(params (string Name, int Number, ProtobufForm Form)[] fields)
{
    public byte[] Encode(JsonObject? content)
    {
        var output = new ProtobufWriter();
        Write(output, content);
        return output.Written.ToArray();
    }

    public void Write(ProtobufWriter output, JsonNode? content)
    {
        foreach ((string name, int number, ProtobufForm form) in fields)
            form(output, number, (content as JsonObject)?[name]);
    }
}

/// <summary>The forms that fields take. As in the real server, a field that is no pointer in Go is written even when it is empty.</summary>
internal static class ProtobufForms
{
    public static void Text(ProtobufWriter output, int field, JsonNode? value) => output.WriteText(field, JsonFields.Text(value) ?? "");

    public static void Texts(ProtobufWriter output, int field, JsonNode? value)
    {
        foreach (JsonNode? item in value as JsonArray ?? [])
            Text(output, field, item);
    }

    public static void Number(ProtobufWriter output, int field, JsonNode? value) => output.WriteNumber(field, Whole(value) ?? 0);

    public static void NumberIfAny(ProtobufWriter output, int field, JsonNode? value)
    {
        if (Whole(value) is { } number)
            output.WriteNumber(field, number);
    }

    public static void Flag(ProtobufWriter output, int field, JsonNode? value) => output.WriteNumber(field, IsTrue(value) ? 1 : 0);

    public static void FlagIfAny(ProtobufWriter output, int field, JsonNode? value)
    {
        if (value is not null)
            Flag(output, field, value);
    }

    public static void TextIfAny(ProtobufWriter output, int field, JsonNode? value)
    {
        if (value is not null)
            Text(output, field, value);
    }

    /// <summary>meta/v1 Time, which drops fractions; the zero time is an empty message.</summary>
    public static void Time(ProtobufWriter output, int field, JsonNode? value) => output.WriteMessage(field, time =>
    {
        if (!DateTimeOffset.TryParse(JsonFields.Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
            return;
        time.WriteNumber(1, at.ToUnixTimeSeconds());
        time.WriteNumber(2, 0);
    });

    public static void TimeIfAny(ProtobufWriter output, int field, JsonNode? value)
    {
        if (value is not null)
            Time(output, field, value);
    }

    /// <summary>meta/v1 MicroTime, to the microsecond.</summary>
    public static void MicroTimeIfAny(ProtobufWriter output, int field, JsonNode? value)
    {
        if (!DateTimeOffset.TryParse(JsonFields.Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at))
            return;
        output.WriteMessage(field, time =>
        {
            time.WriteNumber(1, at.ToUnixTimeSeconds());
            time.WriteNumber(2, at.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
        });
    }

    /// <summary>Bytes, which are base64 in JSON.</summary>
    public static void Bytes(ProtobufWriter output, int field, JsonNode? value) =>
        output.WriteBytes(field, Convert.FromBase64String(JsonFields.Text(value) ?? ""));

    /// <summary>A message with the value's JSON in its only field: meta/v1 FieldsV1.</summary>
    public static void RawJson(ProtobufWriter output, int field, JsonNode? value)
    {
        if (value is not null)
            output.WriteMessage(field, raw => raw.WriteBytes(1, ObjectJson.Serialize(value)));
    }

    public static void Quantity(ProtobufWriter output, int field, JsonNode? value) => output.WriteMessage(field, quantity => Text(quantity, 1, value));

    /// <summary>A map, in the order of its keys.</summary>
    public static ProtobufForm Map(ProtobufForm form) => (output, field, value) =>
    {
        foreach ((string key, JsonNode? item) in (value as JsonObject ?? []).OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            output.WriteMessage(field, entry =>
            {
                entry.WriteText(1, key);
                form(entry, 2, item);
            });
        }
    };

    public static ProtobufForm One(ProtobufMessage message) => (output, field, value) => output.WriteMessage(field, inner => message.Write(inner, value));

    public static ProtobufForm OneIfAny(ProtobufMessage message) => (output, field, value) =>
    {
        if (value is not null)
            One(message)(output, field, value);
    };

    public static ProtobufForm Many(ProtobufMessage message) => (output, field, value) =>
    {
        foreach (JsonNode? item in value as JsonArray ?? [])
            One(message)(output, field, item);
    };

    private static bool IsTrue(JsonNode? value) => value is JsonValue flag && flag.TryGetValue(out bool isTrue) && isTrue;

    // A number that was not parsed but assigned is of the very type that it was assigned from: only its text tells.
    private static long? Whole(JsonNode? value) =>
        value?.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out long whole) ? whole : null;
}

/// <summary>Writes fields in the wire form of protocol buffers.</summary>
/// <remarks>https://protobuf.dev/programming-guides/encoding/</remarks>
internal sealed class ProtobufWriter
{
    private const int Number = 0, Length = 2;

    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public void WriteNumber(int field, long value)
    {
        Varint(_output, Tag(field, Number));
        Varint(_output, (ulong)value);
    }

    public void WriteText(int field, string value) => WriteBytes(field, Encoding.UTF8.GetBytes(value));

    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        Header(_output, field, value.Length);
        _output.Write(value);
    }

    public void WriteMessage(int field, Action<ProtobufWriter> content)
    {
        var inner = new ProtobufWriter();
        content(inner);
        WriteBytes(field, inner.Written);
    }

    /// <summary>What stands before the bytes of a text, a message or a map entry.</summary>
    public static void Header(IBufferWriter<byte> output, int field, long length)
    {
        Varint(output, Tag(field, Length));
        Varint(output, (ulong)length);
    }

    /// <summary>Bytes that a field takes with its header; its number is below 16.</summary>
    public static long SizeOf(long length)
    {
        int header = 2;
        for (long rest = length >> 7; rest > 0; rest >>= 7)
            header++;
        return header + length;
    }

    private static ulong Tag(int field, int kind) => ((ulong)field << 3) | (uint)kind;

    private static void Varint(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int count = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        output.Write(bytes[..count]);
    }
}
