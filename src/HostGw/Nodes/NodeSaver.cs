using System.Collections.Immutable;
using HostGw.Kubernetes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>
/// Keeps the nodes on disk: written when they, the service networks or the API servers' addresses changed, and hourly to renew their time.
/// </summary>
/// <param name="nodeName">This node's: a list without it is not saved.</param>
internal sealed class NodeSaver(
    SavedNodesFile file, NodeStore store, string nodeName, SavedNodesSources sources, TimeProvider time, ILogger<NodeSaver> logger)
    : BackgroundService
{
    // Changes in quick succession are written once.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RenewAfter = TimeSpan.FromHours(1);

    private NodeSnapshot? _saved;
    private ImmutableArray<IPEndPoint> _savedServers = [];
    private DateTimeOffset _savedAt;

    // SavedNodes.PartialFrom, as long as the digest is partial.
    private DateTimeOffset? _partialFrom;
    private bool _failed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(_failed ? AfterFailure : Period, time, stoppingToken);
            SaveIfDue();
        }
    }

    private void SaveIfDue()
    {
        NodeSnapshot nodes = store.Snapshot;
        if (!nodes.IsComplete || nodes.SavedAt is not null || sources.Health() is not { ReceivedAt: { } at })
            return;
        bool isNew = _saved is null || nodes.Nodes != _saved.Nodes || nodes.ServiceCidrs != _saved.ServiceCidrs ||
            nodes.IsPartial != _saved.IsPartial || sources.ApiServers() != _savedServers;
        if ((isNew && nodes.Nodes.Any(n => n.Name == nodeName)) || (!isNew && at - _savedAt >= RenewAfter))
            Save(nodes, at);
    }

    private void Save(NodeSnapshot nodes, DateTimeOffset at)
    {
        try
        {
            ImmutableArray<IPEndPoint> servers = sources.ApiServers();
            _partialFrom = nodes.IsPartial ? _partialFrom ?? Oldest(at) : null;
            file.Write(new SavedNodes(nodes.Nodes, nodes.ResourceVersion, at, sources.ApiServer())
            {
                ApiServers = servers,
                ServiceCidrs = nodes.ServiceCidrs,
                PartialFrom = _partialFrom,
            });
            (_saved, _savedServers, _savedAt) = (nodes, servers, at);
            if (_failed)
                logger.NodesSavedAgain(file.Path);
            _failed = false;
        }
        catch (SavedNodesException e)
        {
            // Logged once, however long it lasts.
            if (!_failed)
                logger.NodesNotSaved(file.Path, e.Message);
            _failed = true;
        }
    }

    // The digest has taken the nodes of the file that is replaced for those that it cannot read.
    private DateTimeOffset Oldest(DateTimeOffset at) =>
        file.LastKnown(time) is { } before ? before.PartialFrom ?? before.At : at;
}

/// <summary>What is saved with the nodes.</summary>
/// <param name="Health">How current the nodes are.</param>
/// <param name="ApiServer">The API server's address.</param>
/// <param name="ApiServers">Further addresses of the API servers: the same array as long as they do not change.</param>
internal sealed record SavedNodesSources(
    Func<ReflectorHealth> Health, Func<Ip> ApiServer, Func<ImmutableArray<IPEndPoint>> ApiServers);

/// <summary>If the API server does not answer within 10 s of the start, the saved nodes are used until it does.</summary>
/// <param name="nodeName">This node's: saved nodes without it are not used.</param>
/// <param name="restored">Called when they are used.</param>
internal sealed class SavedNodesFallback(
    SavedNodesFile file, NodeStore store, string nodeName, Action restored, TimeProvider time, ILogger<SavedNodesFallback> logger)
    : BackgroundService
{
    private static readonly TimeSpan WaitForApiServer = TimeSpan.FromSeconds(10);

    private volatile SavedNodes? _nodes;

    /// <summary>The API server's saved address; none if the saved nodes are not used.</summary>
    public Ip ApiServer => _nodes?.ApiServer ?? default;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(WaitForApiServer, time, stoppingToken);
        if (store.Snapshot.IsComplete)
            return;
        try
        {
            if (Read() is not { } saved)
                return;
            // Before the nodes: the pass that they wake asks for the address.
            _nodes = saved;
            if (store.Restore(saved))
                restored();
        }
        catch (SavedNodesException e)
        {
            logger.SavedNodesUnusable(file.Path, e.Message);
        }
    }

    private SavedNodes? Read()
    {
        SavedNodes? saved = file.Read(time.GetUtcNow());
        return saved is null || saved.Nodes.Any(n => n.Name == nodeName)
            ? saved
            : throw new SavedNodesException($"it has no node '{nodeName}'");
    }
}
