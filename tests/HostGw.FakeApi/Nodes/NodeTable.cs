using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Patching;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>The nodes, changed from inside: no validation, so that a Node may be anything.</summary>
public sealed class NodeTable
{
    private readonly ResourceTable _table;
    private readonly TimeProvider _time;
    private readonly ObjectTable _objects;

    internal NodeTable(Store store, TimeProvider time) =>
        (_table, _time, _objects) = (store[Kinds.Node], time, new(store, time));

    public int Count => _table.Count;

    public IReadOnlyList<string> Names => [.. _table.Read().Objects.Select(o => o.Key)];

    /// <summary>Null when there is no such node.</summary>
    public string? Get(string name) =>
        _table.Read().Find(name) is { } found ? Encoding.UTF8.GetString(found.Json.Span) : null;

    /// <summary>Adds or replaces a node. The resourceVersion is the server's; uid and creationTimestamp are kept or made unless given.</summary>
    /// <returns>The resourceVersion of the write.</returns>
    public long Put(NodeSpec spec) => Put(spec.ToJsonObject());

    /// <summary>Adds or replaces many.</summary>
    public void Put(IEnumerable<NodeSpec> specs)
    {
        foreach (NodeSpec spec in specs)
            Put(spec);
    }

    /// <summary>The same from JSON with a metadata.name.</summary>
    public long Put(string json) => Put(JsonNode.Parse(json, documentOptions: ObjectJson.Deep)!.AsObject());

    public long Put(JsonObject node)
    {
        node["kind"] = Kinds.Node.Kind;
        return _objects.Put(node);
    }

    /// <summary>Stores bytes as they are, JSON or not: they appear so in lists and watches, without a resourceVersion of ours.</summary>
    public void PutRaw(string name, string text) => _table.WriteRaw(name, Encoding.UTF8.GetBytes(text));

    /// <summary>A JSON merge patch, to spec and status alike.</summary>
    /// <exception cref="KeyNotFoundException">There is no such node.</exception>
    public long Patch(string name, string mergePatch)
    {
        JsonObject patch = JsonNode.Parse(mergePatch, documentOptions: ObjectJson.Deep)!.AsObject();
        return Change(name, node => MergePatch.Apply(node, patch));
    }

    /// <summary>False when there was none.</summary>
    public bool Delete(string name) => _table.Delete(name) is not null;

    /// <summary>What a kubelet does every few minutes: new lastHeartbeatTime in every condition, nothing else.</summary>
    public long Heartbeat(string name)
    {
        string now = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture);
        return Change(name, node =>
        {
            foreach (JsonNode? condition in node["status"]?["conditions"] as JsonArray ?? [])
                condition!["lastHeartbeatTime"] = now;
            return node;
        });
    }

    public NodeSnapshot Snapshot() => new(_table.Read());

    private long Change(string name, Func<JsonObject, JsonObject> change) =>
        _table.Write(name, old => change(old ?? throw new KeyNotFoundException($"no node {name}"))).Revision;
}

/// <summary>All nodes as they stood at one resourceVersion.</summary>
public sealed class NodeSnapshot
{
    internal NodeSnapshot(TableSnapshot table) => Table = table;

    public long ResourceVersion => Table.Revision;

    public int Count => Table.Objects.Count;

    internal TableSnapshot Table { get; }
}
