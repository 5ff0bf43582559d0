using HostGw.Digest;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Storms.Readers;

/// <summary>
/// An agent with nodes.source: digest, without a host: the agent's own client and reflectors, over connections of its own. It follows the
/// shards by label and its own Node.
/// </summary>
internal abstract class Reader : IDisposable
{
    private readonly ApiClient _client;
    private readonly CancellationToken _stop;
    private readonly List<BackgroundService> _reflectors = [];
    private readonly List<Task> _running = [];

    /// <param name="node">The name of its Node.</param>
    protected Reader(ApiConfiguration api, string node, CancellationToken stop)
    {
        (Node, _stop) = (node, stop);
        _client = new(api, AgentVersion.Number, TimeProvider.System);
    }

    protected string Node { get; }

    /// <summary>What of its knowledge is not as expected; null: nothing.</summary>
    public string? Differs(ExpectedState expected) => _running.Find(r => r.IsCompleted) is { } ended
        ? $"{Node}: its reflector has ended: {ended.Exception?.InnerException?.Message}"
        : Difference(expected) is { } difference ? $"{Node}: {difference}" : null;

    public void Dispose()
    {
        _reflectors.ForEach(r => r.Dispose());
        _client.Dispose();
    }

    protected abstract string? Difference(ExpectedState expected);

    protected void Follow(IReflectorStore<ShardDraft> shards)
    {
        Reflector<ShardDraft> reflector = new(
            ApiAccess.Shards(_client), shards, static () => { }, TimeProvider.System, NullLogger.Instance, "shards");
        Run(reflector, reflector.RunAsync(_stop));
    }

    protected void Follow(IReflectorStore<NodeDraft> own)
    {
        ListWatch<NodeDraft> api = new(_client, "/api/v1/nodes", new(NodeSelector.Everything), NamedObject.Node(Node), TimeProvider.System)
        {
            Selector = NamedObject.Selector(Node),
        };
        Reflector<NodeDraft> reflector = new(api, own, static () => { }, TimeProvider.System, NullLogger.Instance);
        Run(reflector, reflector.RunAsync(_stop));
    }

    private void Run(BackgroundService reflector, Task running)
    {
        _reflectors.Add(reflector);
        _running.Add(running);
    }
}

/// <summary>Keeps hashes of the shards only, and its own Node.</summary>
internal sealed class ThinReader : Reader
{
    private readonly ShardHashes _shards = new();
    private readonly NodeStore? _own;

    /// <param name="watchesOwn">False where the API server's process may not have so many connections.</param>
    public ThinReader(ApiConfiguration api, string node, bool watchesOwn, CancellationToken stop)
        : base(api, node, stop)
    {
        Follow(_shards);
        if (watchesOwn)
            Follow(_own = new());
    }

    protected override string? Difference(ExpectedState expected) =>
        !_shards.IsComplete ? "not every shard has arrived"
        : _shards.Hash != expected.Shards ? "the shards are others"
        : _own is null || (_own.Snapshot.Nodes is [var own] && expected.Has(own)) ? null
        : "its own Node is another";
}

/// <summary>Keeps all nodes, by the agent's own code.</summary>
internal sealed class WholeReader : Reader
{
    private readonly NodeStore _nodes = new();

    public WholeReader(ApiConfiguration api, string node, CancellationToken stop)
        : base(api, node, stop)
    {
        DigestNodes digest = new(_nodes, node, NodeSelector.Everything, static () => []);
        Follow(digest.Shards);
        Follow(digest.OwnNode);
    }

    protected override string? Difference(ExpectedState expected)
    {
        NodeSnapshot snapshot = _nodes.Snapshot;
        return snapshot.Digest is not { IsPartial: false } ? "not every shard has arrived"
            : snapshot.Nodes.Length != expected.Nodes.Count ? $"it knows {snapshot.Nodes.Length} nodes of {expected.Nodes.Count}"
            : snapshot.Nodes.FirstOrDefault(n => !expected.Has(n)) is { } other ? $"{other.Name} is another"
            : null;
    }
}
