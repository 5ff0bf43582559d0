using System.Globalization;

namespace HostGw.Kubernetes;

/// <summary>Text that is overwritten again and again without allocating; it becomes a string only on ToString.</summary>
internal sealed class TextBuffer
{
    private char[] _chars = new char[64];
    private int _length;

    public ReadOnlySpan<char> Span => _chars.AsSpan(0, _length);

    public bool IsEmpty => _length == 0;

    public void Clear() => _length = 0;

    public void Set(ReadOnlySpan<char> text)
    {
        if (text.Length > _chars.Length)
            _chars = new char[text.Length];
        text.CopyTo(_chars);
        _length = text.Length;
    }

    public bool Is(string text) => Span.SequenceEqual(text);

    /// <summary>The text as a resource version; 0 if it is no number (it need not be one).</summary>
    public ulong AsNumber() => ulong.TryParse(Span, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;

    public override string ToString() => Span.ToString();
}
