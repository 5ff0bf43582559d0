using System.Collections.Immutable;
using System.Text.Json.Nodes;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>What the API says of a node: as much of a real Node object as matters here.</summary>
public sealed record NodeObject(string Name)
{
    public string OperatingSystem { get; init; } = "linux";

    public ImmutableArray<string> Addresses { get; init; } = [];

    public ImmutableArray<string> PodCidrs { get; init; } = [];

    public ImmutableDictionary<string, string> Labels { get; init; } = ImmutableDictionary<string, string>.Empty;

    public ImmutableDictionary<string, string> Annotations { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The truth about a node of the lab.</summary>
    public static NodeObject Of(Node node) => new(node.Name)
    {
        OperatingSystem = node.IsWindows ? "windows" : "linux",
        Addresses = [.. node.Addresses.Select(address => address.ToString())],
        PodCidrs = [.. node.PodCidrs.Select(cidr => cidr.ToString())],
    };

    public JsonObject ToJson() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject
        {
            ["name"] = Name,
            ["labels"] = Map(Labels.Add("kubernetes.io/os", OperatingSystem).Add("kubernetes.io/hostname", Name)),
            ["annotations"] = Map(Annotations),
        },
        ["spec"] = PodCidrs.IsEmpty
            ? new JsonObject()
            : new JsonObject { ["podCIDR"] = PodCidrs[0], ["podCIDRs"] = new JsonArray([.. PodCidrs.Select(cidr => JsonValue.Create(cidr))]) },
        ["status"] = new JsonObject
        {
            ["addresses"] = new JsonArray([
                .. Addresses.Select(address => new JsonObject { ["type"] = "InternalIP", ["address"] = address }),
                new JsonObject { ["type"] = "Hostname", ["address"] = Name },
            ]),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            ["nodeInfo"] = new JsonObject { ["operatingSystem"] = OperatingSystem },
        },
    };

    private static JsonObject Map(ImmutableDictionary<string, string> values) =>
        new(values.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value)));
}
