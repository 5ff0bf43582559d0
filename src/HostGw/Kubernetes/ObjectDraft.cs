namespace HostGw.Kubernetes;

/// <summary>An object of one kind while it is decoded. One draft serves a whole stream, so that decoding allocates nothing.</summary>
/// <remarks>The draft numbers the messages in the object that it reads; 0 is the object itself.</remarks>
internal abstract class ObjectDraft
{
    /// <summary>Null: any.</summary>
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

    /// <summary>The number of the message in a field; 0: it is skipped.</summary>
    public virtual int Child(int message, int field) => 0;

    public virtual bool IsText(int message, int field) => false;

    /// <param name="isCut">Only the beginning of a text that is longer than <see cref="WatchProtobuf.MaxText"/>.</param>
    public virtual void Text(int message, int field, ReadOnlySpan<char> text, bool isCut)
    {
    }

    public virtual void Begin(int message)
    {
    }

    public virtual void End(int message)
    {
    }

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
