using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HostGw;

/// <summary>Writes JSON objects.</summary>
internal static class JsonForm
{
    /// <summary>For people.</summary>
    // Relaxed: quotes and "+" are not escaped, which is safe outside HTML.
    public static JsonWriterOptions Readable { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object with these members, in UTF-8.</summary>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members, JsonWriterOptions options = default) =>
        Write(members, options, []);

    /// <summary>The same, indented and with a final line feed, for files.</summary>
    public static ReadOnlyMemory<byte> Document(Action<Utf8JsonWriter> members) => Write(members, Readable, "\n"u8);

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> members, JsonWriterOptions options, ReadOnlySpan<byte> end)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, options);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        buffer.Write(end);
        return buffer.WrittenMemory;
    }
}
