using System.Buffers.Binary;
using HostGw.Digest;
using HostGw.Kubernetes;

namespace HostGw.Storms.Readers;

/// <summary>
/// What an agent would know of the shards, as one number of 64 bits for each: 10,000 agents with all nodes of a cluster would take 40 GB.
/// As in the agent, a shard that is invalid, missing or deleted keeps its last content.
/// </summary>
internal sealed class ShardHashes : IReflectorStore<ShardDraft>
{
    private readonly Shard[] _shards = new Shard[ShardFormat.Count];
    private readonly TextBuffer _resourceVersion = new();
    private Dictionary<int, Shard>? _listing;
    private ulong _hash;
    private int _missing = ShardFormat.Count;

    /// <summary>Of all shards; two readers with the same have the same content.</summary>
    public ulong Hash => Volatile.Read(ref _hash);

    /// <summary>Every shard was valid once.</summary>
    public bool IsComplete => Volatile.Read(ref _missing) == 0;

    /// <summary>Of nodes, by which the reflector spreads its lists.</summary>
    public int Count { get; private set; }

    public string ResourceVersion => _resourceVersion.ToString();

    /// <summary>The part of one shard in <see cref="Hash"/>.</summary>
    public static ulong Of(int shard, ReadOnlySpan<byte> nodes) => StableHash.Of(nodes) * (ulong)(2 * shard + 1);

    public void BeginList() => _listing = [];

    public void AddListed(ShardDraft draft)
    {
        if (ShardFormat.TryParseName(draft.Name.Span, out int shard) && Read(shard, draft) is { } valid)
            _listing![shard] = valid;
    }

    public void RemoveListed(ShardDraft draft)
    {
        if (ShardFormat.TryParseName(draft.Name.Span, out int shard))
            _listing!.Remove(shard);
    }

    public bool CompleteList(string resourceVersion, bool byQuorum)
    {
        foreach ((int shard, Shard valid) in _listing ?? throw new InvalidOperationException("No list was begun"))
            Take(shard, valid);
        _listing = null;
        _resourceVersion.Set(resourceVersion);
        return true;
    }

    public bool Apply(WatchEventType type, ShardDraft draft)
    {
        _resourceVersion.Advance(draft.ResourceVersion);
        if (type is not (WatchEventType.Added or WatchEventType.Modified) || !ShardFormat.TryParseName(draft.Name.Span, out int shard) ||
            Read(shard, draft) is not { } valid || valid.Version < _shards[shard].Version)
            return false;
        Take(shard, valid);
        return true;
    }

    // Null: it is not valid.
    private static Shard? Read(int shard, ShardDraft draft) => draft.Rejection(shard) is null
        ? new(Of(shard, draft.Nodes), draft.Nodes.Count((byte)'\n'), draft.ResourceVersion.AsNumber())
        : null;

    private void Take(int shard, Shard valid)
    {
        Shard before = _shards[shard];
        _shards[shard] = valid;
        Count += valid.Nodes - before.Nodes;
        if (before.Version == 0)
            Interlocked.Decrement(ref _missing);
        Volatile.Write(ref _hash, _hash - before.Hash + valid.Hash);
    }

    /// <param name="Version">Of the ConfigMap; 0: the shard was never valid.</param>
    private readonly record struct Shard(ulong Hash, int Nodes, ulong Version);
}

/// <summary>A hash that is the same in every process, for comparison only.</summary>
internal static class StableHash
{
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Mix((ulong)bytes.Length + 1);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        ulong rest = 0;
        foreach (byte b in bytes)
            rest = (rest << 8) | b;
        return Mix(hash ^ rest);
    }

    // A step of MurmurHash3's finalizer: https://github.com/aappleby/smhasher/wiki/MurmurHash3
    private static ulong Mix(ulong value)
    {
        value *= 0xff51afd7ed558ccd;
        return value ^ (value >> 32);
    }
}
