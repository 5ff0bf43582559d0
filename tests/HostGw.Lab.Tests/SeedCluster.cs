namespace HostGw.Lab.Tests;

/// <summary>The seed documents' example with every agent running and ready.</summary>
public sealed class SeedCluster : IAsyncLifetime
{
    public Cluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await Cluster.CreateAsync(Clusters.Seed);
        await Cluster.StartAgentsAsync();
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
