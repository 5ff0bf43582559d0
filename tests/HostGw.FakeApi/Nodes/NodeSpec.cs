using System.Text.Json.Nodes;
using HostGw.FakeApi.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>A Node in the words of those who care about routes. What is left out gets a kubelet's usual values.</summary>
public sealed record NodeSpec(string Name)
{
    /// <summary>The first also becomes podCIDR.</summary>
    public IReadOnlyList<string> PodCidrs { get; init; } = [];

    public IReadOnlyList<string> InternalIPs { get; init; } = [];

    public IReadOnlyList<string> ExternalIPs { get; init; } = [];

    public string OperatingSystem { get; init; } = "linux";

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>Null: the server makes one, or keeps the one it has.</summary>
    public string? Uid { get; init; }

    /// <summary>Null: now, or kept.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    public bool Ready { get; init; } = true;

    public bool Unschedulable { get; init; }

    /// <summary>With images, managed fields and the labels of a cloud: 15 KB and more of JSON.</summary>
    public bool Realistic { get; init; }

    public string ToJson() => ToJsonObject().ToJsonString();

    public JsonObject ToJsonObject()
    {
        var node = new JsonObject { ["metadata"] = Metadata(), ["spec"] = Spec(), ["status"] = NodeStatus.Of(this) };
        if (Realistic)
            RealisticNode.Fill(node, Name);
        return node;
    }

    private JsonObject Metadata()
    {
        var labels = new JsonObject
        {
            ["kubernetes.io/arch"] = "amd64",
            ["kubernetes.io/hostname"] = Name,
            ["kubernetes.io/os"] = OperatingSystem,
        };
        foreach ((string key, string value) in Labels)
            labels[key] = value;
        var metadata = new JsonObject { ["name"] = Name, ["labels"] = labels };
        if (Annotations.Count > 0)
            metadata["annotations"] = new JsonObject(Annotations.Select(a => KeyValuePair.Create<string, JsonNode?>(a.Key, a.Value)));
        if (Uid is not null)
            metadata["uid"] = Uid;
        if (CreatedAt is { } created)
            metadata["creationTimestamp"] = JsonFields.Time(created);
        return metadata;
    }

    private JsonObject Spec()
    {
        var spec = new JsonObject();
        if (PodCidrs.Count > 0)
        {
            spec["podCIDR"] = PodCidrs[0];
            spec["podCIDRs"] = new JsonArray([.. PodCidrs]);
        }
        if (Unschedulable)
            spec["unschedulable"] = true;
        return spec;
    }
}
