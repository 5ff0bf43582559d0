using System.Collections.Immutable;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Digest;

/// <summary>
/// What the node store holds with nodes.source: digest: the nodes of the shards, each by itself, and this node's own Node. A shard that is
/// invalid, missing or deleted keeps its last content; a node is removed only if its valid home shard no longer lists it. Two reflectors
/// write, one to <see cref="Shards"/> and one to <see cref="OwnNode"/>.
/// </summary>
internal sealed class DigestNodes
{
    private readonly Lock _lock = new();
    private readonly NodeStore _nodes;
    private readonly Func<IReadOnlyList<ClusterNode>> _lastKnown;
    private readonly ShardReader _reader;
    private readonly Shard[] _shards = [.. Enumerable.Range(0, ShardFormat.Count).Select(_ => new Shard())];
    private IReadOnlyList<ClusterNode> _own = [];
    private bool _hasShards, _hasOwn;
    private string _listVersion = "";

    /// <param name="ownNode">This node's name.</param>
    /// <param name="lastKnown">The saved nodes, sorted by name: for shards that are not valid at the start.</param>
    public DigestNodes(NodeStore nodes, string ownNode, NodeSelector selector, Func<IReadOnlyList<ClusterNode>> lastKnown)
    {
        (_nodes, _lastKnown, _reader) = (nodes, lastKnown, new(ownNode, selector));
        Shards = new(this);
        OwnNode = new(this);
    }

    public ShardStore Shards { get; }

    public OwnNodeStore OwnNode { get; }

    private bool IsKnown => _hasShards && _hasOwn;

    private bool CompleteShards(IReadOnlyDictionary<int, Listed> listed, string version, bool byQuorum)
    {
        lock (_lock)
        {
            if (!_hasShards && listed.Values.Count(l => l.Nodes is not null) < ShardFormat.Count)
                TakeLastKnown();
            for (int i = 0; i < _shards.Length; i++)
            {
                if (listed.TryGetValue(i, out Listed found))
                    _shards[i].Take(found);
                else
                    _shards[i].Reject("missing", version: 0);
            }
            (_hasShards, _listVersion) = (true, version);
            return Publish(version, byQuorum);
        }
    }

    private bool CompleteOwn(IReadOnlyList<ClusterNode> own)
    {
        lock (_lock)
        {
            bool isFirst = !_hasOwn;
            IReadOnlyList<ClusterNode> before = _own;
            (_own, _hasOwn) = (own, true);
            return IsKnown && (isFirst ? Publish(_listVersion, byQuorum: false) : _nodes.Replace(before, own));
        }
    }

    private bool Apply(int index, WatchEventType type, ShardDraft draft)
    {
        lock (_lock)
        {
            Shard shard = _shards[index];
            ulong version = draft.ResourceVersion.AsNumber();
            if (version != 0 && version < shard.Version)
                return false;
            IReadOnlyList<ClusterNode> before = shard.Nodes;
            if (type == WatchEventType.Deleted)
                shard.Reject("deleted", version);
            else
                shard.Take(Read(index, draft));
            if (IsKnown)
                return _nodes.Replace(before, shard.Nodes, Health);
            _nodes.UpdateDigest(Health);
            return false;
        }
    }

    private Listed Read(int index, ShardDraft draft)
    {
        (IReadOnlyList<ClusterNode>? nodes, string rejection) = _reader.Read(draft, index, _shards[index].Nodes);
        return new(nodes, rejection, draft.ResourceVersion.AsNumber(), TextBuffer.NumberOf(draft.Source));
    }

    private bool Publish(string version, bool byQuorum)
    {
        if (IsKnown)
            return _nodes.TakeAll(_shards.SelectMany(s => s.Nodes).Concat(_own), version, byQuorum, Health);
        _nodes.UpdateDigest(Health);
        return false;
    }

    private DigestHealth Health(DigestHealth? before) => new(
        [
            .. from shard in _shards.Index()
               where shard.Item.Rejection.Length > 0
               select new RejectedShard(ShardFormat.Name(shard.Index), shard.Item.Rejection),
        ],
        // Until both are known the store holds saved nodes, or none.
        IsPartial: !IsKnown || _shards.Any(s => !s.WasValid), _shards.Max(s => s.Source))
    {
        RenewedAt = before?.RenewedAt,
        Stale = before?.Stale,
    };

    // A store that holds saved nodes holds those that were read first.
    private void TakeLastKnown()
    {
        NodeSnapshot present = _nodes.Snapshot;
        foreach (ClusterNode node in present.SavedAt is null ? _lastKnown() : present.Nodes)
        {
            if (!_reader.IsOwn(node.Name))
                _shards[ShardFormat.Home(node.Name)].Remember(node);
        }
    }

    /// <summary>What a list says of a shard.</summary>
    private readonly record struct Listed(IReadOnlyList<ClusterNode>? Nodes, string Rejection, ulong Version, ulong Source);

    private sealed class Shard
    {
        /// <summary>Sorted by name; without the own node.</summary>
        public IReadOnlyList<ClusterNode> Nodes { get; private set; } = [];

        /// <summary>Why the latest state is not used; empty: it is.</summary>
        public string Rejection { get; private set; } = "missing";

        /// <summary>Of the ConfigMap, valid or not: what comes late changes nothing.</summary>
        public ulong Version { get; private set; }

        /// <summary>The resourceVersion of Nodes that it reflects; 0: unknown.</summary>
        public ulong Source { get; private set; }

        public bool WasValid { get; private set; }

        public void Take(Listed state)
        {
            if (state.Nodes is null)
                Reject(state.Rejection, state.Version);
            else
                (Nodes, Rejection, Version, Source, WasValid) = (state.Nodes, "", state.Version, state.Source, true);
        }

        public void Reject(string reason, ulong version) => (Rejection, Version) = (reason, version);

        /// <summary>Nodes come in the order of their names.</summary>
        public void Remember(ClusterNode node) => Nodes = [.. Nodes, node];
    }

    /// <summary>Where the reflector of the shards puts them. Other ConfigMaps are ignored.</summary>
    public sealed class ShardStore(DigestNodes digest) : IReflectorStore<ShardDraft>
    {
        private readonly TextBuffer _resourceVersion = new();
        private Dictionary<int, Listed>? _listing;

        public int Count => digest._shards.Count(s => s.Rejection.Length == 0);

        public string ResourceVersion => _resourceVersion.ToString();

        public void BeginList() => _listing = [];

        public void AddListed(ShardDraft draft)
        {
            if (ShardFormat.TryParseName(draft.Name.Span, out int index))
                _listing![index] = digest.Read(index, draft);
        }

        public void RemoveListed(ShardDraft draft)
        {
            if (ShardFormat.TryParseName(draft.Name.Span, out int index))
                _listing!.Remove(index);
        }

        public bool CompleteList(string resourceVersion, bool byQuorum)
        {
            Dictionary<int, Listed> listing = _listing ?? throw new InvalidOperationException("No list was begun");
            _listing = null;
            _resourceVersion.Set(resourceVersion);
            return digest.CompleteShards(listing, resourceVersion, byQuorum);
        }

        public bool Apply(WatchEventType type, ShardDraft draft)
        {
            _resourceVersion.Advance(draft.ResourceVersion);
            if (digest.IsKnown)
                digest._nodes.Advance(draft.ResourceVersion);
            return type is WatchEventType.Added or WatchEventType.Modified or WatchEventType.Deleted &&
                ShardFormat.TryParseName(draft.Name.Span, out int index) && digest.Apply(index, type, draft);
        }
    }

    /// <summary>Where the reflector of this node's own Node puts it.</summary>
    public sealed class OwnNodeStore(DigestNodes digest) : IReflectorStore<NodeDraft>
    {
        private readonly NodeStore _own = new();

        public int Count => _own.Count;

        public string ResourceVersion => _own.ResourceVersion;

        public void BeginList() => _own.BeginList();

        public void AddListed(NodeDraft draft) => _own.AddListed(draft);

        public void RemoveListed(NodeDraft draft) => _own.RemoveListed(draft);

        public bool CompleteList(string resourceVersion, bool byQuorum)
        {
            _own.CompleteList(resourceVersion, byQuorum);
            return digest.CompleteOwn(_own.Snapshot.Nodes);
        }

        public bool Apply(WatchEventType type, NodeDraft draft) =>
            _own.Apply(type, draft) && digest.CompleteOwn(_own.Snapshot.Nodes);
    }
}
