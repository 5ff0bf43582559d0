using HostGw.Planning;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>Where the API server does not answer soon after the start, the nodes that were saved stand in for it until it does.</summary>
/// <param name="nodeName">Of this node: a list without it is of no use.</param>
/// <param name="changed">Called when they do.</param>
internal sealed class LastKnownGood(
    SavedNodesFile file, NodeStore store, NodeSelector selector, string nodeName, Action changed, TimeProvider time, ILogger<LastKnownGood> logger) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private volatile SavedNodes? _nodes;

    /// <summary>The API server's address as it was saved; none where nothing was needed.</summary>
    public Ip ApiServer => _nodes?.ApiServer ?? default;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(Patience, time, stoppingToken);
        if (store.Snapshot.IsComplete)
            return;
        try
        {
            if (Read() is not { } saved)
                return;
            _nodes = saved;
            if (store.Restore(saved))
                changed();
        }
        catch (SavedNodesException e)
        {
            logger.SavedNodesUnusable(file.Path, e.Message);
        }
    }

    private SavedNodes? Read()
    {
        if (file.Read() is not { } content)
            return null;
        SavedNodes saved = SavedNodesForm.Read(content, selector, time.GetUtcNow());
        return saved.Nodes.Any(n => n.Name == nodeName) ? saved : throw new SavedNodesException($"it has no node '{nodeName}'");
    }
}
