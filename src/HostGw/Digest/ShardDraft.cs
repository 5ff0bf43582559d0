using System.Globalization;
using System.Text;
using HostGw.Kubernetes;
using k8s.Models;

namespace HostGw.Digest;

/// <summary>A ConfigMap of the digest while it is decoded; its `nodes` may be long, and arrive in pieces.</summary>
/// <remarks>Field numbers: staging/src/k8s.io/api/core/v1/generated.proto of Kubernetes.</remarks>
internal sealed class ShardDraft : ObjectDraft
{
    private const int Data = 1;

    // Larger than shards of clusters that exist: what a larger one took is given back.
    private const int UsualBytes = 64 * 1024;

    private readonly TextBuffer _key = new();
    private readonly TextBuffer _format = new(), _shard = new(), _source = new(), _labels = new(), _sum = new();
    private byte[] _nodes = new byte[4096];
    private int _length;
    private bool _isCut;

    public override string Kind => "ConfigMap";

    /// <summary>The resourceVersion of Nodes that it reflects.</summary>
    public string Source => _source.ToString();

    /// <summary>As <see cref="ShardFormat.Labels"/> writes them.</summary>
    public ReadOnlySpan<char> Labels => _labels.Span;

    /// <summary>As it is stored; <see cref="Rejection"/> compares it with <see cref="Nodes"/>.</summary>
    public string Sum => _sum.ToString();

    /// <summary>The lines, in UTF-8.</summary>
    public ReadOnlySpan<byte> Nodes => _nodes.AsSpan(0, _length);

    /// <summary>From an answer in JSON, as if it were received by a watch.</summary>
    public static ShardDraft Of(V1ConfigMap map)
    {
        ShardDraft draft = new();
        draft.Name.Set(map.Metadata.Name);
        draft.ResourceVersion.Set(map.Metadata.ResourceVersion);
        foreach ((string key, string value) in map.Data ?? new Dictionary<string, string>())
        {
            draft._key.Set(key);
            if (key == ShardFormat.NodesKey)
                draft.Bytes(Encoding.UTF8.GetBytes(value));
            else if (draft.Value() is not null)
                draft.Text(Data, 2, value, isCut: value.Length > ListWatchDecoder.MaxText);
        }
        return draft;
    }

    public override void Clear()
    {
        base.Clear();
        foreach (TextBuffer text in (ReadOnlySpan<TextBuffer>)[_format, _shard, _source, _labels, _sum])
            text.Clear();
        (_length, _isCut) = (0, false);
        if (_nodes.Length > UsualBytes)
            _nodes = new byte[UsualBytes];
    }

    public override int Child(int message, int field) => message == 0 && field == 2 ? Data : 0;

    public override bool IsText(int message, int field) => message == Data && (field == 1 || (field == 2 && Value() is not null));

    public override bool IsStreamed(int message, int field) => message == Data && field == 2 && _key.Is(ShardFormat.NodesKey);

    public override void Begin(int message) => _key.Clear();

    public override void Text(int message, int field, ReadOnlySpan<char> text, bool isCut)
    {
        if (field == 1)
            _key.Set(isCut ? "" : text);
        else
            Value()!.Set(text);
        _isCut |= isCut && field == 2;
    }

    public override void Bytes(ReadOnlySpan<byte> piece)
    {
        if (_length + piece.Length > ShardFormat.MaxNodes)
        {
            _isCut = true;
            return;
        }
        if (_length + piece.Length > _nodes.Length)
            Array.Resize(ref _nodes, Math.Max(_nodes.Length * 2, _length + piece.Length));
        piece.CopyTo(_nodes.AsSpan(_length));
        _length += piece.Length;
    }

    /// <summary>Why it is not valid as this shard; null: it is, and its lines may be read.</summary>
    public string? Rejection(int shard) =>
        _isCut ? "a value is too long"
        : !_format.Is(ShardFormat.Version) ? $"its format is '{Printable(_format)}' and not {ShardFormat.Version}"
        : !_shard.Is(ShardFormat.Number(shard)) ? $"it says that it is shard '{Printable(_shard)}'"
        : !ulong.TryParse(_source.Span, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? "its source is no resource version"
        : !_sum.Is(ShardFormat.Sum(Nodes)) ? "its sum is not that of its nodes: it was edited"
        : null;

    // Its text may be anybody's.
    private static string Printable(TextBuffer text) => ApiStatus.OneLine(text.ToString());

    private TextBuffer? Value() => _key.Span switch
    {
        ShardFormat.FormatKey => _format,
        ShardFormat.ShardKey => _shard,
        ShardFormat.SourceKey => _source,
        ShardFormat.LabelsKey => _labels,
        ShardFormat.SumKey => _sum,
        _ => null,
    };
}

/// <summary>The lines of a shard, one by one.</summary>
internal ref struct ShardLines(ReadOnlySpan<byte> nodes)
{
    // Longer than any real Node's line: bounds what a hostile shard can allocate.
    private const int LongestLine = 32 * 1024;

    private int _count;

    private ReadOnlySpan<byte> _rest = nodes;
    private char[] _line = new char[512];

    /// <summary>Of the last line, without its end; valid until the next is read.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Why the lines cannot be read on; null: they could be until now.</summary>
    public string? Fault { get; private set; }

    public bool Read()
    {
        if (_rest.IsEmpty)
            return false;
        int end = _rest.IndexOf((byte)'\n');
        if (end is < 0 or > LongestLine || _count++ == ShardFormat.MaxLines)
        {
            Fault = end < 0 ? "its last line breaks off" : end > LongestLine ? "a line is too long" : "it has too many lines";
            return false;
        }
        if (end > _line.Length)
            _line = new char[end];
        Current = _line.AsSpan(0, Encoding.UTF8.GetChars(_rest[..end], _line));
        _rest = _rest[(end + 1)..];
        return true;
    }
}
