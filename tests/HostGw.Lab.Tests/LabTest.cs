namespace HostGw.Lab.Tests;

/// <summary>A test with a cluster of its own, on which agents start when the test says so.</summary>
public abstract class LabTest : IAsyncLifetime
{
    private protected Cluster Cluster { get; private set; } = null!;

    private protected abstract ClusterSettings Settings { get; }

    public async ValueTask InitializeAsync() => Cluster = await Cluster.CreateAsync(Settings);

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        // The last words are what one asks for when a test failed.
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            foreach (Agents.Agent agent in Cluster.Agents)
                TestContext.Current.TestOutputHelper?.WriteLine($"{agent.Node}:\n{string.Join('\n', agent.Log.LastWords(30))}");
        }
        await Cluster.DisposeAsync();
    }

    /// <summary>Starts the agent of node 1 and waits until its routes to all others stand.</summary>
    private protected async Task StartFirstAgentAsync()
    {
        await Cluster.Agent(Cluster.Node(1)).StartAndWaitAsync();
        await Expect.RoutesAsync(Cluster.Node(1), Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
    }
}
