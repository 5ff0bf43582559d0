using System.Collections.Immutable;
using System.Runtime.InteropServices;
using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The podCIDRs of a node draft: the readable ones, and the beginnings of the others.</summary>
internal sealed class DraftPodCidrs
{
    private readonly List<Prefix> _prefixes = [];
    private readonly TextList _unreadable = new();
    private readonly TextBuffer _single = new();

    private int Count => _prefixes.Count + _unreadable.Count;

    public void Clear()
    {
        _prefixes.Clear();
        _unreadable.Clear();
        _single.Clear();
    }

    /// <summary>An entry of spec.podCIDRs.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        if (Count >= NodeDraft.MaxEntries)
            return;
        if (text.Length <= NodeDraft.MaxText && Prefix.TryParse(text, out Prefix prefix))
            _prefixes.Add(prefix);
        else
            _unreadable.Add(NodeDraft.Cut(text));
    }

    /// <summary>spec.podCIDR, which counts only where podCIDRs is absent.</summary>
    public void SetSingle(ReadOnlySpan<char> text) => _single.Set(NodeDraft.Cut(text));

    public void Complete()
    {
        if (Count == 0 && !_single.IsEmpty)
            Add(_single.Span);
    }

    public bool Matches(ClusterNode node) =>
        CollectionsMarshal.AsSpan(_prefixes).SequenceEqual(node.PodCidrs.AsSpan()) && _unreadable.SequenceEqual(node.UnreadablePodCidrs);

    public ImmutableArray<Prefix> Prefixes() => [.. _prefixes];

    public ImmutableArray<string> Unreadable() => _unreadable.ToImmutable();
}

/// <summary>The labels of a node draft: only those whose keys the node selector names.</summary>
internal sealed class DraftLabels(NodeSelector selector)
{
    private readonly string[] _keys = [.. selector.Requirements.Select(r => r.Key).Distinct(StringComparer.Ordinal)];
    private readonly TextBuffer?[] _values = new TextBuffer?[selector.Requirements.Length];
    private readonly bool[] _present = new bool[selector.Requirements.Length];

    public void Clear() => Array.Clear(_present);

    public void Set(ReadOnlySpan<char> key, ReadOnlySpan<char> value)
    {
        for (int i = 0; i < _keys.Length; i++)
        {
            if (!key.SequenceEqual(_keys[i]))
                continue;
            (_values[i] ??= new()).Set(value);
            _present[i] = true;
        }
    }

    public bool SequenceEqual(ImmutableArray<KeyValuePair<string, string>> labels)
    {
        int next = 0;
        for (int i = 0; i < _keys.Length; i++)
        {
            if (!_present[i])
                continue;
            if (next == labels.Length || labels[next].Key != _keys[i] || !_values[i]!.Is(labels[next].Value))
                return false;
            next++;
        }
        return next == labels.Length;
    }

    public ImmutableArray<KeyValuePair<string, string>> ToImmutable()
    {
        if (_keys.Length == 0)
            return [];
        var labels = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>(_keys.Length);
        for (int i = 0; i < _keys.Length; i++)
        {
            if (_present[i])
                labels.Add(new(_keys[i], _values[i]!.ToString()));
        }
        return labels.DrainToImmutable();
    }
}

/// <summary>A list of short texts that is refilled without allocating.</summary>
internal sealed class TextList
{
    private char[] _chars = new char[64];
    private int[] _ends = new int[4];

    public int Count { get; private set; }

    public ReadOnlySpan<char> this[int index] => _chars.AsSpan(Start(index), _ends[index] - Start(index));

    public void Clear() => Count = 0;

    public void Add(ReadOnlySpan<char> text)
    {
        int start = Start(Count);
        if (start + text.Length > _chars.Length)
            Array.Resize(ref _chars, Math.Max(_chars.Length * 2, start + text.Length));
        if (Count == _ends.Length)
            Array.Resize(ref _ends, Count * 2);

        text.CopyTo(_chars.AsSpan(start));
        _ends[Count++] = start + text.Length;
    }

    public bool SequenceEqual(ImmutableArray<string> texts)
    {
        if (texts.Length != Count)
            return false;
        for (int i = 0; i < Count; i++)
        {
            if (!this[i].SequenceEqual(texts[i]))
                return false;
        }
        return true;
    }

    public ImmutableArray<string> ToImmutable()
    {
        if (Count == 0)
            return [];
        var texts = ImmutableArray.CreateBuilder<string>(Count);
        for (int i = 0; i < Count; i++)
            texts.Add(this[i].ToString());
        return texts.MoveToImmutable();
    }

    private int Start(int index) => index == 0 ? 0 : _ends[index - 1];
}
