using HostGw.Kubernetes;
using k8s.Models;

namespace HostGw.Digest;

/// <summary>What the API server holds of one shard, without its nodes. Each answer and event makes a new one.</summary>
internal sealed class StoredShard
{
    /// <summary>Of the ConfigMap; empty: there is none.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>The resourceVersion of Nodes that it reflects, 0 if it is no number. Without a ConfigMap that of the last one.</summary>
    public ulong Source { get; init; }

    public string Labels { get; init; } = "";

    /// <summary>SHA-256 of its nodes; empty unless <see cref="IsValid"/>.</summary>
    public string Sum { get; init; } = "";

    /// <summary>How many lines it has.</summary>
    public int Lines { get; init; }

    /// <summary>False where there is none, or agents reject it or do not receive it.</summary>
    public bool IsValid { get; init; }

    public bool IsAbsent => ResourceVersion.Length == 0;

    public static StoredShard Of(int shard, ShardDraft draft) => Of(shard, draft, isLabelled: true);

    /// <summary>Of an answer in JSON, which may lack the label by which lists and watches select.</summary>
    public static StoredShard Of(int shard, V1ConfigMap map) => Of(
        shard, ShardDraft.Of(map),
        map.Metadata.Labels?.TryGetValue(ShardFormat.LabelKey, out string? part) == true && part == ShardFormat.LabelValue);

    /// <summary>After its deletion. What it reflected is remembered: a digest that lags must not bring older content back.</summary>
    public StoredShard Gone() => new() { Source = Source };

    private static StoredShard Of(int shard, ShardDraft draft, bool isLabelled)
    {
        bool isValid = isLabelled && draft.Rejection(shard) is null;
        return new()
        {
            ResourceVersion = draft.ResourceVersion.ToString(),
            Source = TextBuffer.NumberOf(draft.Source),
            Labels = draft.Labels.ToString(),
            Sum = isValid ? draft.Sum : "",
            Lines = draft.Nodes.Count((byte)'\n'),
            IsValid = isValid,
        };
    }
}

/// <summary>The shards as last received. The reflector writes, and the writer what it was answered.</summary>
internal sealed class StoredShards : IReflectorStore<ShardDraft>
{
    private readonly Lock _lock = new();
    private readonly StoredShard[] _shards = [.. Enumerable.Range(0, ShardFormat.Count).Select(_ => new StoredShard())];
    private readonly TextBuffer _resourceVersion = new();

    // The list that is arriving; only the reflector uses it.
    private StoredShard?[]? _listing;
    private volatile bool _isComplete;

    /// <summary>How many there are.</summary>
    public int Count => _shards.Count(s => !s.IsAbsent);

    /// <summary>A list of them was complete: what is absent is known to be absent.</summary>
    public bool IsComplete => _isComplete;

    /// <summary>How many lines they have together.</summary>
    public int Lines => _shards.Sum(s => s.Lines);

    public string ResourceVersion
    {
        get
        {
            lock (_lock)
                return _resourceVersion.ToString();
        }
    }

    public StoredShard this[int shard] => Volatile.Read(ref _shards[shard]);

    public void BeginList() => _listing = new StoredShard?[ShardFormat.Count];

    public void AddListed(ShardDraft draft)
    {
        if (_listing is not null && ShardFormat.TryParseName(draft.Name.Span, out int shard))
            _listing[shard] = StoredShard.Of(shard, draft);
    }

    public void RemoveListed(ShardDraft draft)
    {
        if (_listing is not null && ShardFormat.TryParseName(draft.Name.Span, out int shard))
            _listing[shard] = null;
    }

    /// <summary>
    /// Replaces the contents, and always says that they changed: after a restore of the server's store the same resource version may
    /// be that of other content.
    /// </summary>
    public bool CompleteList(string resourceVersion, bool byQuorum)
    {
        StoredShard?[] listing = _listing ?? throw new InvalidOperationException("No list was begun");
        _listing = null;
        lock (_lock)
        {
            for (int shard = 0; shard < ShardFormat.Count; shard++)
                _shards[shard] = listing[shard] ?? _shards[shard].Gone();
            _resourceVersion.Set(resourceVersion);
            _isComplete = true;
        }
        return true;
    }

    public bool Apply(WatchEventType type, ShardDraft draft)
    {
        lock (_lock)
        {
            _resourceVersion.Advance(draft.ResourceVersion);
            // Also other ConfigMaps may carry the label.
            return type is WatchEventType.Added or WatchEventType.Modified or WatchEventType.Deleted &&
                ShardFormat.TryParseName(draft.Name.Span, out int shard) && Apply(shard, type, draft);
        }
    }

    /// <summary>Takes what a request was answered, unless something else was received since it was sent.</summary>
    public void Replace(int shard, StoredShard before, StoredShard after)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_shards[shard], before))
                _shards[shard] = after;
        }
    }

    // An event may come after the answer to a later request.
    private bool Apply(int shard, WatchEventType type, ShardDraft draft)
    {
        StoredShard known = _shards[shard];
        string version = draft.ResourceVersion.ToString();
        if (version == known.ResourceVersion || ListWatch<ShardDraft>.IsOlder(version, known.ResourceVersion))
            return false;
        _shards[shard] = type == WatchEventType.Deleted ? known.Gone() : StoredShard.Of(shard, draft);
        return true;
    }
}
