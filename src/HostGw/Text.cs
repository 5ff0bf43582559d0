using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HostGw;

/// <summary>Makes untrusted text safe to print on a terminal and in a log.</summary>
internal static class Quoted
{
    private const int MaxValue = 80;
    private const int MaxSentence = 240;

    /// <summary>In quotes, at most 80 characters, control and invisible characters escaped.</summary>
    public static string From(string text) => $"'{Escape(text, MaxValue)}'";

    /// <summary>The same for a sentence or a path: without quotes, at most 240 characters.</summary>
    public static string Plain(string text) => Escape(text, MaxSentence);

    /// <summary>The same, without a limit.</summary>
    public static string Visible(string text) => Escape(text, int.MaxValue);

    /// <summary>False for control, format and other invisible characters.</summary>
    // Format covers the bidirectional overrides, which change the order in which a line reads.
    public static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static string Escape(string text, int most)
    {
        var escaped = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (escaped.Length >= most)
                return escaped.Append('…').ToString();
            if (IsVisible(rune))
                escaped.Append(rune);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }
        return escaped.ToString();
    }
}

/// <summary>Text in commands for PowerShell.</summary>
internal static class PowerShell
{
    /// <summary>A string in single quotes, in which nothing is expanded.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}

/// <summary>Times as the Kubernetes API writes them.</summary>
/// <remarks>https://www.rfc-editor.org/rfc/rfc3339</remarks>
internal static class Rfc3339
{
    /// <summary>In UTC, to the second.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private const string MicroFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>In UTC, to the microsecond.</summary>
    public static string MicroText(DateTimeOffset at) => at.UtcDateTime.ToString(MicroFormat, CultureInfo.InvariantCulture);
}

/// <summary>JSON objects as UTF-8.</summary>
internal static class JsonText
{
    /// <summary>For people.</summary>
    // Relaxed: quotes and "+" are not escaped, which is safe outside HTML.
    public static JsonWriterOptions Readable { get; } = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> members, JsonWriterOptions options = default) =>
        Write(members, options, []);

    /// <summary>Readable and with a final line feed, for files.</summary>
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
