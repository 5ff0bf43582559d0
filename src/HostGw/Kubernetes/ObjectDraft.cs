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
