namespace HostGw.Lab.Tests;

/// <summary>The seed documents' example with every agent running and ready.</summary>
public sealed class SeedCluster : IAsyncLifetime
{
    public Cluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Cluster = await Cluster.CreateAsync(Clusters.Seed);
        try
        {
            await Cluster.StartAgentsAsync();
        }
        catch
        {
            // Nobody disposes of a fixture that failed.
            await DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
