using System.Globalization;

namespace HostGw.Kubernetes;

/// <summary>An object of one kind while it is decoded. One draft serves a whole stream, so that decoding allocates nothing.</summary>
/// <remarks>
/// The decoder knows metadata; the rest of the object is the draft's. The draft gives each nested message that it reads a number of its
/// own above 0, by which the decoder then names it: <c>message</c> below, where 0 is the object itself. <c>field</c> is the field number
/// of the protobuf definition.
/// </remarks>
internal abstract class ObjectDraft
{
    /// <summary>Of the objects in a list; null: any.</summary>
    public abstract string? Kind { get; }

    public TextBuffer Name { get; } = new();

    public TextBuffer Uid { get; } = new();

    public TextBuffer ResourceVersion { get; } = new();

    /// <summary>Unix seconds; an object whose age is unknown counts as the youngest.</summary>
    public long CreatedAt { get; set; } = long.MaxValue;

    public virtual void Clear()
    {
        Name.Clear();
        Uid.Clear();
        ResourceVersion.Clear();
        CreatedAt = long.MaxValue;
    }

    /// <summary>The draft's number for the message in this field of <paramref name="message"/>; 0: it is skipped.</summary>
    public virtual int Child(int message, int field) => 0;

    /// <summary>Whether this field is passed to <see cref="Text"/>; else it is skipped.</summary>
    public virtual bool IsText(int message, int field) => false;

    /// <param name="isCut">Only the beginning of a text that is longer than <see cref="ListWatchDecoder.MaxText"/>.</param>
    public virtual void Text(int message, int field, ReadOnlySpan<char> text, bool isCut)
    {
    }

    /// <summary>Whether the bytes of this field, which may be many, are passed to <see cref="Bytes"/> in pieces as they arrive.</summary>
    public virtual bool IsStreamed(int message, int field) => false;

    public virtual void Bytes(ReadOnlySpan<byte> piece)
    {
    }

    /// <summary>The fields of this nested message follow.</summary>
    public virtual void Begin(int message)
    {
    }

    /// <summary>All fields of this nested message have been read.</summary>
    public virtual void End(int message)
    {
    }

    /// <summary>Whether this annotation is passed to <see cref="SetAnnotation"/>; else it is skipped.</summary>
    public virtual bool ReadsAnnotation(ReadOnlySpan<char> key) => false;

    public virtual void SetAnnotation(ReadOnlySpan<char> key, ReadOnlySpan<char> value, bool isCut)
    {
    }

    public virtual void SetLabel(ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
    }

    /// <summary>All fields of the object have been read.</summary>
    public virtual void Complete()
    {
    }
}

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
    public ulong AsNumber() => NumberOf(Span);

    /// <inheritdoc cref="AsNumber"/>
    public static ulong NumberOf(ReadOnlySpan<char> resourceVersion) =>
        ulong.TryParse(resourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : 0;

    /// <summary>Of two resource versions keeps the later one.</summary>
    public void Advance(TextBuffer version)
    {
        ulong number = version.AsNumber();
        bool isLate = number != 0 && number < AsNumber();
        if (!version.IsEmpty && !isLate)
            Set(version.Span);
    }

    public override string ToString() => Span.ToString();
}
