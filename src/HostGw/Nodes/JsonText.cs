using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace HostGw.Nodes;

/// <summary>Decodes short JSON strings into one reused buffer. What it returns is valid until the next call.</summary>
internal sealed class JsonText
{
    /// <summary>Longest string that is decoded, in bytes of JSON: all that we read is far shorter.</summary>
    public const int MaxBytes = 1024;

    private readonly char[] _chars = new char[MaxBytes];
    private readonly byte[] _bytes = new byte[MaxBytes];

    /// <summary>False for anything but a valid string of bearable length.</summary>
    public bool TryRead(ref readonly Utf8JsonReader reader, out ReadOnlySpan<char> text)
    {
        text = default;
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || reader.ValueSpan.Length > MaxBytes)
            return false;

        ReadOnlySpan<byte> utf8 = Unescaped(in reader);
        if (Utf8.ToUtf16(utf8, _chars, out _, out int length, replaceInvalidSequences: false) != OperationStatus.Done)
            return false;
        text = _chars.AsSpan(0, length);
        return utf8.Length > 0 || reader.ValueSpan.IsEmpty;
    }

    /// <summary>The beginning of any value as it stands, to show to people; not valid JSON or Unicode need not be.</summary>
    public ReadOnlySpan<char> Excerpt(ref readonly Utf8JsonReader reader)
    {
        ReadOnlySpan<byte> start = reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, 4 * NodeDraft.MaxText)];
        Utf8.ToUtf16(start, _chars, out _, out int length, replaceInvalidSequences: true);
        return _chars.AsSpan(0, length);
    }

    /// <summary>The property's name without escapes; empty if it is too long or no text.</summary>
    public ReadOnlySpan<byte> Unescaped(ref readonly Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        if (reader.ValueSpan.Length > MaxBytes)
            return default;
        try
        {
            return _bytes.AsSpan(0, reader.CopyString(_bytes));
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair ("\ud800"): well-formed JSON, but no text.
            return default;
        }
    }
}
