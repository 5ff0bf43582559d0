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

    /// <summary>How many container images it lists; null: none, or the most that kubelet lists where it is realistic.</summary>
    public int? Images { get; init; }

    public string ToJson() => ToJsonObject().ToJsonString();

    public JsonObject ToJsonObject()
    {
        var node = new JsonObject { ["metadata"] = Metadata(), ["spec"] = Spec(), ["status"] = NodeStatus.Of(this) };
        if (Realistic)
            RealisticNode.Fill(node, Name);
        int images = Images ?? (Realistic ? RealisticNode.MaxImages : 0);
        if (images > 0)
            JsonFields.Child(node, "status")["images"] = RealisticNode.Images(images);
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

/// <summary>The status a kubelet reports.</summary>
internal static class NodeStatus
{
    public static JsonObject Of(NodeSpec spec) => new()
    {
        ["capacity"] = Capacity(),
        ["allocatable"] = Capacity(),
        ["conditions"] = new JsonArray(
            Condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            Condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            Condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            spec.Ready
                ? Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
                : Condition("Ready", "False", "KubeletNotReady", "container runtime network not ready")),
        ["addresses"] = Addresses(spec),
        ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 10250 } },
        ["nodeInfo"] = NodeInfo(spec),
    };

    private static JsonArray Addresses(NodeSpec spec) =>
    [
        .. spec.InternalIPs.Select(a => Address("InternalIP", a)),
        .. spec.ExternalIPs.Select(a => Address("ExternalIP", a)),
        Address("Hostname", spec.Name),
    ];

    private static JsonObject Address(string type, string address) => new() { ["type"] = type, ["address"] = address };

    private static JsonObject Capacity() => new()
    {
        ["cpu"] = "4",
        ["ephemeral-storage"] = "101430960Ki",
        ["hugepages-2Mi"] = "0",
        ["memory"] = "16265868Ki",
        ["pods"] = "110",
    };

    private static JsonObject Condition(string type, string status, string reason, string message)
    {
        string now = JsonFields.Time(DateTimeOffset.UtcNow);
        return new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastHeartbeatTime"] = now,
            ["lastTransitionTime"] = now,
            ["reason"] = reason,
            ["message"] = message,
        };
    }

    private static JsonObject NodeInfo(NodeSpec spec)
    {
        bool windows = spec.OperatingSystem == "windows";
        return new JsonObject
        {
            ["machineID"] = "3b6ec1f1b1d14c5aa9d0a3ffb5d7b1c2",
            ["systemUUID"] = "3b6ec1f1-b1d1-4c5a-a9d0-a3ffb5d7b1c2",
            ["bootID"] = "5a8d5cf0-0b5c-4f5d-8f0e-6f2f4f3f2c11",
            ["kernelVersion"] = windows ? "10.0.20348.2700" : "6.8.0-45-generic",
            ["osImage"] = windows ? "Windows Server 2022 Datacenter" : "Ubuntu 24.04.1 LTS",
            ["containerRuntimeVersion"] = "containerd://1.7.22",
            ["kubeletVersion"] = "v1.34.0",
            ["kubeProxyVersion"] = "",
            ["operatingSystem"] = spec.OperatingSystem,
            ["architecture"] = "amd64",
        };
    }
}

/// <summary>Numbered nodes of a cluster: node i has the i-th pod subnet and the i-th address.</summary>
public static class NodeFactory
{
    /// <summary>At most 65,535 nodes, from 1: 10.X.Y.0/24 at 172.16+.X.Y; dual stack adds fd00:10:N::/64 at fd00:172::N.</summary>
    public static NodeSpec Node(int number, bool dualStack = false, bool realistic = false)
    {
        (int high, int low) = (number >> 8, number & 255);
        List<string> podCidrs = [$"10.{high}.{low}.0/24"], addresses = [$"172.{16 + (high >> 4)}.{high & 15}.{low}"];
        if (dualStack)
        {
            podCidrs.Add($"fd00:10:0:{number:x}::/64");
            addresses.Add($"fd00:172::{number:x}");
        }
        return new NodeSpec($"node-{number:d5}") { PodCidrs = podCidrs, InternalIPs = addresses, Realistic = realistic };
    }

    public static IEnumerable<NodeSpec> Cluster(int count, bool dualStack = false, bool realistic = false) =>
        Enumerable.Range(1, count).Select(i => Node(i, dualStack, realistic));
}
