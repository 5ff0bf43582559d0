using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>The API server as the settings name it.</summary>
internal static class ApiAccess
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <exception cref="KubernetesConfigurationException">It is not named, or not in a way that can be used.</exception>
    public static KubernetesClient Connect(AgentSettings settings)
    {
        KubernetesClientConfiguration configuration = Configuration(settings);
        if (configuration.CertificateAuthority is not null)
            SystemAuthorities.LeaveOut();
        return new(configuration, AgentVersion.Number, TimeProvider.System);
    }

    public static KubernetesClientConfiguration Configuration(AgentSettings settings) => settings.Kubeconfig is { } path
        ? KubernetesClientConfiguration.BuildConfigFromConfigFile(path, settings.ApiServer?.ToString())
        : KubernetesClientConfiguration.InClusterConfig(settings.ApiServer?.ToString());

    /// <summary>All nodes, once.</summary>
    /// <exception cref="KubernetesException">Refused or not reached.</exception>
    /// <exception cref="NodeStreamException">The answer is broken.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<(NodeSnapshot Nodes, Ip ApiServer)> ListAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using KubernetesClient client = Connect(settings);
        NodeStore store = new();
        try
        {
            await new NodeLister(client, new(settings.Policy.NodeSelector), store, TimeProvider.System).ListAsync(patience.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new KubernetesException($"The API server did not list its nodes within {Patience.TotalSeconds:0} s", e);
        }
        return (store.Snapshot, Ip.From(client.RemoteAddress));
    }
}
