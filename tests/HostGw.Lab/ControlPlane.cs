using System.Text.Json.Nodes;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>The Kubernetes API server of the lab, on the nodes' segment.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private readonly Dictionary<string, JsonObject> _nodes = [];
    public string Kubeconfig { get; } = $"{Box.Directory}/kubeconfig";

    public static Task<ControlPlane> StartAsync(Segment segment) => Task.FromResult(new ControlPlane());

    public void Put(NodeObject node) => _nodes[node.Name] = node.ToJson();

    public void Delete(string node) => _nodes.Remove(node);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
