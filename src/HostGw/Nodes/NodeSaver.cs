using HostGw.Planning;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>Keeps on disk what the API server last said of the nodes: written when that changed, and once an hour to say that it still holds.</summary>
/// <param name="nodeName">Of this node: a list without it is not worth keeping.</param>
/// <param name="feed">How fresh the nodes are.</param>
/// <param name="apiServer">The address of the API server.</param>
internal sealed class NodeSaver(
    SavedNodesFile file, NodeStore store, NodeSelector selector, string nodeName, Func<NodeFeed> feed, Func<Ip> apiServer,
    TimeProvider time, ILogger<NodeSaver> logger) : BackgroundService
{
    // Many changes in a moment are written once.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StillHolds = TimeSpan.FromHours(1);

    private NodeSnapshot? _saved;
    private DateTimeOffset _savedAt;
    private bool _failed;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(_failed ? AfterFailure : Period, time, stoppingToken);
            Look();
        }
    }

    private void Look()
    {
        NodeSnapshot nodes = store.Snapshot;
        if (!nodes.IsComplete || nodes.SavedAt is not null || feed() is not { HeardAt: { } at })
            return;
        bool isNew = _saved is null || nodes.Nodes != _saved.Nodes;
        if ((isNew && nodes.Nodes.Any(n => n.Name == nodeName)) || (!isNew && at - _savedAt >= StillHolds))
            Save(nodes, at);
    }

    private void Save(NodeSnapshot nodes, DateTimeOffset at)
    {
        try
        {
            file.Write(stream => SavedNodesForm.Write(stream, new(nodes.Nodes, nodes.ResourceVersion, at, apiServer()), selector));
            (_saved, _savedAt) = (nodes, at);
            if (_failed)
                logger.NodesSavedAgain(file.Path);
            _failed = false;
        }
        catch (SavedNodesException e)
        {
            // Once, however long it lasts.
            if (!_failed)
                logger.NodesNotSaved(file.Path, e.Message);
            _failed = true;
        }
    }
}
