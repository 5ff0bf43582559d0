using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HostGw;

/// <summary>How the JSON that we write looks.</summary>
internal static class JsonForm
{
    /// <summary>For people.</summary>
    // Relaxed: quotes and "+" as they are. What it does not escape is dangerous only inside HTML, where this never lands.
    public static JsonWriterOptions Readable { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An object with these members, in UTF-8.</summary>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members, JsonWriterOptions options = default) => Write(members, options, []);

    /// <summary>The same for people, as a file that ends its last line.</summary>
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
