using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Nodes;

/// <summary>What a real Node carries besides what we read: most of its bytes.</summary>
internal static class RealisticNode
{
    /// <summary>The kubelet's default nodeStatusMaxImages.</summary>
    public const int MaxImages = 50;

    private static readonly string[] CloudLabels =
    [
        "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone", "node.kubernetes.io/instance-type", "topology.kubernetes.io/region", "topology.kubernetes.io/zone",
        "eks.amazonaws.com/capacityType", "eks.amazonaws.com/nodegroup", "karpenter.sh/nodepool", "topology.ebs.csi.aws.com/zone",
    ];

    public static void Fill(JsonObject node, string name)
    {
        JsonObject metadata = JsonFields.Metadata(node);
        JsonObject labels = JsonFields.Child(metadata, "labels");
        foreach (string label in CloudLabels)
            labels[label] ??= $"value-of-{label.Split('/')[^1]}";
        JsonObject annotations = JsonFields.Child(metadata, "annotations");
        annotations["node.alpha.kubernetes.io/ttl"] ??= "0";
        annotations["volumes.kubernetes.io/controller-managed-attach-detach"] ??= "true";
        annotations["csi.volume.kubernetes.io/nodeid"] ??= $"{{\"ebs.csi.aws.com\":\"i-{Digest(name)[..17]}\"}}";
        JsonFields.Child(node, "spec")["providerID"] ??= $"aws:///eu-central-1a/i-{Digest(name)[..17]}";
        metadata["managedFields"] = new JsonArray(
            Managed("kubelet", "metadata", node), Managed("kube-controller-manager", "spec", node), Managed("kubelet", "status", node));
    }

    public static JsonArray Images(int count) => new([.. Enumerable.Range(0, count).Select(Image)]);

    private static JsonObject Image(int index)
    {
        string repository = $"registry.example.com/platform/team-{index % 7}/component-{index}";
        return new JsonObject
        {
            ["names"] = new JsonArray($"{repository}@sha256:{Digest(repository)}", $"{repository}:v1.{index}.0"),
            ["sizeBytes"] = 10_000_000L + (index * 1_234_567L),
        };
    }

    private static JsonObject Managed(string manager, string part, JsonObject node)
    {
        var entry = new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = "Update",
            ["apiVersion"] = "v1",
            ["time"] = "2026-01-02T03:04:05Z",
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = new JsonObject { [$"f:{part}"] = Fields(node[part]) },
        };
        if (part == "status")
            entry["subresource"] = part;
        return entry;
    }

    // The elements of a list that has keys are managed one by one: conditions and addresses, by their type.
    private static JsonObject Fields(JsonNode? owner) => owner switch
    {
        JsonObject content => new(content.Select(field => KeyValuePair.Create<string, JsonNode?>($"f:{field.Key}", Fields(field.Value)))),
        JsonArray items when items is [JsonObject first, ..] && first.ContainsKey("type") => new(items.Select(Keyed).DistinctBy(entry => entry.Key)),
        _ => [],
    };

    private static KeyValuePair<string, JsonNode?> Keyed(JsonNode? item)
    {
        JsonObject fields = Fields(item);
        fields["."] = new JsonObject();
        return new($"k:{{\"type\":\"{JsonFields.Text(item?["type"])}\"}}", fields);
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
