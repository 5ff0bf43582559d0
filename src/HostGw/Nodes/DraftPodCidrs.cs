using System.Collections.Immutable;
using System.Runtime.InteropServices;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The podCIDRs of a node draft: those that can be read, and the beginnings of those that cannot.</summary>
internal sealed class DraftPodCidrs
{
    private readonly List<Prefix> _prefixes = [];
    private readonly TextList _unreadable = new();
    private readonly TextBuffer _single = new();

    private int Count => _prefixes.Count + _unreadable.Count;

    /// <summary>Forgets spec.podCIDRs, of which a later one counts; not spec.podCIDR.</summary>
    public void Restart()
    {
        _prefixes.Clear();
        _unreadable.Clear();
    }

    public void Clear()
    {
        Restart();
        _single.Clear();
    }

    /// <summary>An entry of spec.podCIDRs.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        if (text.Length > NodeDraft.MaxText || !Prefix.TryParse(text, out Prefix prefix))
            AddUnreadable(text);
        else if (Count < NodeDraft.MaxEntries)
            _prefixes.Add(prefix);
    }

    public void AddUnreadable(ReadOnlySpan<char> text)
    {
        if (Count < NodeDraft.MaxEntries)
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
