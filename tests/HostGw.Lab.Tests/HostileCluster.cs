using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Two honest nodes, every hostile one, and the agent of node1, which met them first in its list and then again in its watch.</summary>
public sealed class HostileCluster : IAsyncLifetime
{
    public Cluster Cluster { get; private set; } = null!;

    public Node One => Cluster.Node(1);

    public Agent Agent => Cluster.Agent(One);

    /// <summary>A good node with 100,000 labels.</summary>
    public static NodeSpec Laden { get; } = new("laden")
    {
        PodCidrs = ["192.168.80.0/24"],
        InternalIPs = ["10.0.0.80"],
        Labels = Enumerable.Range(0, 100_000).ToDictionary(i => $"example.com/label-{i}", i => $"{i}"),
    };

    /// <summary>A good node that comes after all the others.</summary>
    public static NodeSpec Last { get; } = new("last") { PodCidrs = ["192.168.81.0/24"], InternalIPs = ["10.0.0.81"] };

    public async ValueTask InitializeAsync()
    {
        // Without clusterCidrs everything private is allowed, so the other guards have to hold.
        ClusterSettings settings = Clusters.ByNodeAddress(2);
        Cluster = await Cluster.CreateAsync(settings with { Agents = settings.Agents with { ClusterCidrs = [] } });
        try
        {
            await MeetThemAllAsync();
        }
        catch
        {
            // Nobody disposes of a fixture that failed.
            await DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    private async Task MeetThemAllAsync()
    {
        PutAll("listed");
        await Agent.StartAndWaitAsync();
        PutAll("watched");
        Cluster.Api.Server.Nodes.Put(Laden);
        Cluster.Api.Server.Nodes.Put(Last);
        await Expect.OnlyRouteAsync(One, "192.168.81.0/24 via 10.0.0.81 dev eth0 proto 157 onlink");
    }

    private void PutAll(string label)
    {
        foreach (JsonObject node in HostileNodes.All.Values)
        {
            var copy = node.DeepClone().AsObject();
            copy["metadata"]!["labels"] = new JsonObject { ["round"] = label };
            Cluster.Api.Server.Nodes.Put(copy);
        }
    }
}
