using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Settings;

namespace HostGw.Hosting;

/// <summary>The API server as the settings name it.</summary>
internal static class ApiAccess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="ApiConfigurationException">It is not named, or not in a way that can be used.</exception>
    public static ApiClient Connect(AgentSettings settings) => new(Configuration(settings), AgentVersion.Number, TimeProvider.System);

    public static ApiConfiguration Configuration(AgentSettings settings) => settings.Kubeconfig is { } path
        ? ApiConfiguration.BuildConfigFromConfigFile(path, settings.ApiServer?.ToString())
        : ApiConfiguration.InClusterConfig(settings.ApiServer?.ToString());

    /// <summary>All nodes, once.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    /// <exception cref="NodeStreamException">The answer is broken.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<(NodeSnapshot Nodes, Ip ApiServer)> ListAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        using ApiClient client = Connect(settings);
        return (await ListAsync(settings, client, cancellationToken), Ip.From(client.RemoteAddress));
    }

    /// <inheritdoc cref="ListAsync(AgentSettings, CancellationToken)"/>
    public static async Task<NodeSnapshot> ListAsync(AgentSettings settings, ApiClient client, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        NodeStore store = new();
        try
        {
            await new NodeLister(client, new(settings.Policy.NodeSelector), store, TimeProvider.System).ListAsync(patience.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The API server did not list its nodes within {Patience.TotalSeconds:0} s", e);
        }
        return store.Snapshot;
    }
}
