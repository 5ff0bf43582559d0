using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The nodes of the cluster at one moment. A new one is made only if planning would see a difference.</summary>
/// <param name="Nodes">Sorted by name, ordinal.</param>
/// <param name="ResourceVersion">The store's when the snapshot was made: bookmarks alone make no new snapshot.</param>
/// <param name="IsComplete">
/// False until the first list has arrived or was read from disk: an absent node may only be unknown. Also while what
/// <see cref="Awaited"/> names is being read for the first time.
/// </param>
internal sealed record NodeSnapshot(ImmutableArray<ClusterNode> Nodes, string ResourceVersion, bool IsComplete)
{
    public static NodeSnapshot Nothing { get; } = new([], "", false);

    /// <summary>When these nodes were saved; null if they came from the API server.</summary>
    public DateTimeOffset? SavedAt { get; init; }

    /// <summary>The service networks that the API named. The same array as long as they do not change.</summary>
    public ImmutableArray<Prefix> ServiceCidrs { get; init; } = [];

    /// <summary>How many lists by quorum (from etcd, not from a cache) had been read since the start.</summary>
    public int QuorumReads { get; init; }

    /// <summary>Null: the nodes do not come from the digest.</summary>
    public DigestHealth? Digest { get; init; }

    /// <summary>Nodes may exist that are not among these: a part of the digest was never read.</summary>
    public bool IsPartial => Digest is { IsPartial: true };
}

/// <summary>What the first pass needs in addition to the nodes: podCIDRs that overlap it get no route.</summary>
[Flags]
internal enum Awaited
{
    None = 0,
    ServiceCidrs = 1,
    ApiServers = 2,
}

/// <summary>The nodes as last received. One writer (the reflector), any number of readers.</summary>
internal sealed class NodeStore : IReflectorStore<NodeDraft>
{
    private readonly Lock _lock = new();
    private readonly TextBuffer _resourceVersion = new();
    private Dictionary<string, Entry> _nodes = NewNodes(count: 0);

    // The same nodes by name: a new one is inserted, because sorting thousands again takes too long. Null: not sorted yet.
    private List<ClusterNode>? _byName;

    // The list that is arriving; only the writer uses it.
    private Dictionary<string, Entry>? _listing;

    // Null: the nodes have changed since the last snapshot.
    private NodeSnapshot? _snapshot = NodeSnapshot.Nothing;
    private bool _isComplete;
    private Awaited _awaited;
    private ImmutableArray<Prefix> _serviceCidrs = [];
    private DateTimeOffset? _savedAt;
    private int _quorumReads;
    private DigestHealth? _digest;

    /// <summary>Made on the first read after a change.</summary>
    public NodeSnapshot Snapshot
    {
        get
        {
            lock (_lock)
                return _snapshot ??= MakeSnapshot();
        }
    }

    /// <summary>How many nodes there are; 0 before the first list, or before saved nodes are used.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _nodes.Count;
        }
    }

    /// <summary>The latest received, bookmarks included, or the saved one; empty before the first list.</summary>
    public string ResourceVersion
    {
        get
        {
            lock (_lock)
                return _resourceVersion.ToString();
        }
    }

    /// <inheritdoc/>
    public void BeginList() => _listing = NewNodes(Count);

    public void AddListed(NodeDraft draft)
    {
        if (draft.Name.IsEmpty || _listing is null)
            return;
        // A node that did not change keeps its record: none is held twice while a list arrives.
        ref Entry known = ref Find(_nodes, draft);
        bool same = !IsNull(ref known) && draft.Matches(known.Node);
        ClusterNode node = same ? known.Node : draft.Build();
        _listing[node.Name] = new(node, draft.ResourceVersion.AsNumber());
    }

    /// <inheritdoc/>
    public void RemoveListed(NodeDraft draft)
    {
        if (_listing is not null)
            Remove(_listing, draft);
    }

    /// <summary>Uses saved nodes, unless a list has arrived by now; returns whether it did.</summary>
    public bool Restore(SavedNodes saved)
    {
        Dictionary<string, Entry> nodes = NewNodes(saved.Nodes.Length);
        foreach (ClusterNode node in saved.Nodes)
            nodes[node.Name] = new(node, ResourceVersion: 0);
        lock (_lock)
        {
            if (_isComplete)
                return false;
            (_nodes, _byName, _isComplete, _savedAt, _snapshot) = (nodes, null, true, saved.At, null);
            (_serviceCidrs, _awaited) = (saved.ServiceCidrs, Awaited.None);
            if (saved.PartialFrom is not null)
                _digest ??= new([], IsPartial: true, 0);
            _resourceVersion.Set(saved.ResourceVersion);
            return true;
        }
    }

    /// <summary>The store is not complete before this has arrived, or before saved nodes are used.</summary>
    public void Await(Awaited what)
    {
        lock (_lock)
            (_awaited, _snapshot) = (_awaited | what, null);
    }

    /// <summary>It is known, or cannot be read. Returns whether the store was waiting for it.</summary>
    public bool Arrived(Awaited what)
    {
        lock (_lock)
        {
            if (!_awaited.HasFlag(what))
                return false;
            (_awaited, _snapshot) = (_awaited & ~what, null);
            return true;
        }
    }

    /// <summary>Returns whether planning would see a difference.</summary>
    /// <param name="found">Null: they could not be read; what is known stays.</param>
    public bool TakeServiceCidrs(ImmutableArray<Prefix>? found)
    {
        lock (_lock)
        {
            bool isNew = found is { } cidrs && !cidrs.SequenceEqual(_serviceCidrs);
            if (isNew)
                (_serviceCidrs, _snapshot) = (found!.Value, null);
            return Arrived(Awaited.ServiceCidrs) || isNew;
        }
    }

    /// <summary>Replaces the contents; returns whether planning would see a difference, or the list was by quorum.</summary>
    public bool CompleteList(string resourceVersion, bool byQuorum = false)
    {
        Dictionary<string, Entry> listing = _listing ?? throw new InvalidOperationException("No list was begun");
        _listing = null;
        // It doubled as it grew.
        listing.TrimExcess();
        lock (_lock)
        {
            // All Nodes: what was saved may have been a part of the digest.
            _digest = null;
            return TakeAll(listing, resourceVersion, byQuorum);
        }
    }

    /// <summary>The same for the node digest: the nodes of all shards, and how far they can be followed.</summary>
    public bool TakeAll(
        IEnumerable<ClusterNode> nodes, string resourceVersion, bool byQuorum, Func<DigestHealth?, DigestHealth> health)
    {
        Dictionary<string, Entry> all = NewNodes(Count);
        foreach (ClusterNode node in nodes)
            all[node.Name] = new(node, ResourceVersion: 0);
        lock (_lock)
            return TakeAll(all, resourceVersion, byQuorum) | UpdateDigest(health);
    }

    /// <summary>One shard, or the own Node, has changed. Returns whether planning or problems would see a difference.</summary>
    /// <param name="before">The nodes of the shard until now.</param>
    /// <param name="health">Null: as before.</param>
    public bool Replace(
        IReadOnlyList<ClusterNode> before, IReadOnlyList<ClusterNode> after, Func<DigestHealth?, DigestHealth>? health = null)
    {
        lock (_lock)
            return Exchange(before, after) | (health is not null && UpdateDigest(health));
    }

    /// <summary>An event or a bookmark of the node digest.</summary>
    public void Advance(TextBuffer resourceVersion)
    {
        lock (_lock)
            _resourceVersion.Advance(resourceVersion);
    }

    /// <summary>Replaces what is known of the digest. Returns whether problems or the hold on removals change.</summary>
    public bool UpdateDigest(Func<DigestHealth?, DigestHealth> next)
    {
        lock (_lock)
        {
            DigestHealth health = next(_digest);
            bool isOther = health.IsOtherThan(_digest);
            // The same nodes: nothing is planned again.
            (_digest, _snapshot) = (health, _snapshot is null ? null : _snapshot with { Digest = health });
            return isOther;
        }
    }

    private bool TakeAll(Dictionary<string, Entry> listing, string resourceVersion, bool byQuorum)
    {
        lock (_lock)
        {
            bool changed = !_isComplete || _savedAt is not null || byQuorum || listing.Count != _nodes.Count;
            foreach ((string name, Entry entry) in listing)
            {
                if (changed)
                    break;
                changed = !_nodes.TryGetValue(name, out Entry known) || !ReferenceEquals(known.Node, entry.Node);
            }
            (_nodes, _byName) = (listing, null);
            (_isComplete, _savedAt) = (true, null);
            _quorumReads += byQuorum ? 1 : 0;
            _resourceVersion.Set(resourceVersion);
            if (changed)
                _snapshot = null;
            return changed;
        }
    }

    /// <summary>Returns whether planning would see a difference. Late and repeated events change nothing.</summary>
    public bool Apply(WatchEventType type, NodeDraft draft)
    {
        lock (_lock)
        {
            bool changed = type switch
            {
                WatchEventType.Added or WatchEventType.Modified => AddOrUpdate(draft),
                WatchEventType.Deleted => Delete(draft),
                _ => false,
            };
            _resourceVersion.Advance(draft.ResourceVersion);
            if (changed)
                _snapshot = null;
            return changed;
        }
    }

    private bool Exchange(IReadOnlyList<ClusterNode> before, IReadOnlyList<ClusterNode> after)
    {
        HashSet<string> kept = [.. after.Select(n => n.Name)];
        bool changed = false;
        foreach (ClusterNode node in before)
        {
            if (kept.Contains(node.Name) || !_nodes.Remove(node.Name))
                continue;
            _byName?.RemoveAt(_byName.BinarySearch(node, ByName));
            changed = true;
        }
        foreach (ClusterNode node in after)
        {
            if (_nodes.TryGetValue(node.Name, out Entry known) && ReferenceEquals(known.Node, node))
                continue;
            _nodes[node.Name] = new(node, ResourceVersion: 0);
            Place(node);
            changed = true;
        }
        if (changed)
            _snapshot = null;
        return changed;
    }

    private bool AddOrUpdate(NodeDraft draft)
    {
        if (draft.Name.IsEmpty)
            return false;
        ulong version = draft.ResourceVersion.AsNumber();
        ref Entry known = ref Find(_nodes, draft);
        if (IsNull(ref known))
        {
            ClusterNode added = draft.Build();
            _nodes.Add(added.Name, new(added, version));
            Place(added);
            return true;
        }
        if (version != 0 && version < known.ResourceVersion)
            return false;

        known.ResourceVersion = version;
        if (draft.Matches(known.Node))
            return false;
        known.Node = draft.Build();
        Place(known.Node);
        return true;
    }

    private bool Delete(NodeDraft draft)
    {
        if (Remove(_nodes, draft) is not { } removed)
            return false;
        _byName?.RemoveAt(_byName.BinarySearch(removed, ByName));
        return true;
    }

    private void Place(ClusterNode node)
    {
        int index = _byName?.BinarySearch(node, ByName) ?? 0;
        if (index < 0)
            _byName!.Insert(~index, node);
        else if (_byName is not null)
            _byName[index] = node;
    }

    // The deletion of a node does not concern a later one of the same name, which only the UID tells, where both have one.
    private static ClusterNode? Remove(Dictionary<string, Entry> nodes, NodeDraft draft)
    {
        ref Entry known = ref Find(nodes, draft);
        bool same = !IsNull(ref known) && (draft.Uid.IsEmpty || known.Node.Uid.IsEmpty || known.Node.Uid.Is(draft.Uid.Span));
        ClusterNode? node = same ? known.Node : null;
        return node is not null && nodes.Remove(node.Name) ? node : null;
    }

    private NodeSnapshot MakeSnapshot()
    {
        if (_byName is null)
        {
            _byName = new(_nodes.Count);
            foreach (Entry entry in _nodes.Values)
                _byName.Add(entry.Node);
            _byName.Sort(ByName);
        }
        return new([.. _byName], _resourceVersion.ToString(), _isComplete && _awaited == Awaited.None)
        {
            ServiceCidrs = _serviceCidrs,
            SavedAt = _savedAt,
            QuorumReads = _quorumReads,
            Digest = _digest,
        };
    }

    private static Comparer<ClusterNode> ByName { get; } =
        Comparer<ClusterNode>.Create(static (a, b) => string.CompareOrdinal(a.Name, b.Name));

    private static Dictionary<string, Entry> NewNodes(int count) => new(count, StringComparer.Ordinal);

    private static ref Entry Find(Dictionary<string, Entry> nodes, NodeDraft draft) =>
        ref CollectionsMarshal.GetValueRefOrNullRef(nodes.GetAlternateLookup<ReadOnlySpan<char>>(), draft.Name.Span);

    private static bool IsNull(ref Entry entry) => Unsafe.IsNullRef(ref entry);

    /// <param name="ResourceVersion">As a number, 0 if it is none: of two reports of a node the higher is the later one.</param>
    private record struct Entry(ClusterNode Node, ulong ResourceVersion);
}
