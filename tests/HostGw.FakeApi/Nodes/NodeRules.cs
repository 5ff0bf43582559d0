using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Nodes;

/// <summary>What the real server does to a Node on its way in.</summary>
/// <remarks>Strategy: kubernetes pkg/registry/core/node/strategy.go; checks: pkg/apis/core/validation, ValidateNode and ValidateNodeUpdate.</remarks>
internal sealed class NodeRules : WriteRules
{
    private const string PodCidrChange = "node updates may not change podCIDR except from \"\" to valid";
    private const string OtherChange =
        "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)";

    private static readonly string[] FrozenSpec = ["externalID"];

    // From the patchStrategy tags of core/v1 Node. Taints have none: kubectl taint sends the whole list.
    public override IReadOnlyDictionary<string, string> MergeKeys { get; } = new Dictionary<string, string>
    {
        ["status.addresses"] = "type",
        ["status.conditions"] = "type",
        ["spec.podCIDRs"] = "",
        ["metadata.finalizers"] = "",
        ["metadata.ownerReferences"] = "uid",
    };

    public override void Prepare(JsonObject incoming, JsonObject? old, bool statusEndpoint)
    {
        if (old is not null)
        {
            string kept = statusEndpoint ? "spec" : "status";
            incoming[kept] = old[kept]?.DeepClone();
        }
        FillPodCidr(JsonFields.Child(incoming, "spec"));
        foreach (JsonObject condition in (JsonFields.Child(incoming, "status")["conditions"] as JsonArray ?? []).OfType<JsonObject>())
        {
            condition.TryAdd("lastHeartbeatTime", null);
            condition.TryAdd("lastTransitionTime", null);
        }
    }

    public override IEnumerable<FieldError> Validate(JsonObject incoming, JsonObject? old)
    {
        string[] podCidrs = PodCidrs(incoming), before = old is null ? [] : PodCidrs(old);
        foreach (FieldError error in PodCidrRules.Check(podCidrs))
            yield return error;

        if (before.Length > 0 && !before.SequenceEqual(podCidrs))
            yield return new("spec.podCIDRs", "FieldValueForbidden", $"Forbidden: {PodCidrChange}");
        if (old is null)
            yield break;

        string provider = JsonFields.At(old, "spec.providerID");
        if (provider.Length > 0 && provider != JsonFields.At(incoming, "spec.providerID"))
            yield return new("spec.providerID", "FieldValueForbidden", "Forbidden: node updates may not change providerID except from \"\" to valid");
        if (FrozenSpec.Any(f => JsonFields.At(old, $"spec.{f}") != JsonFields.At(incoming, $"spec.{f}")))
            yield return new("spec", "FieldValueForbidden", $"Forbidden: {OtherChange}");
        foreach (string address in DuplicateAddresses(incoming))
            yield return new("status.addresses", "FieldValueDuplicate", $"Duplicate value: {address}");
    }

    // The conversion between podCIDR and podCIDRs: the single one wins where they differ.
    private static void FillPodCidr(JsonObject spec)
    {
        string? first = JsonFields.Text(spec["podCIDR"]);
        JsonArray? all = spec["podCIDRs"] as JsonArray;
        if (!string.IsNullOrEmpty(first) && (all is null || all.Count == 0 || JsonFields.Text(all[0]) != first))
            spec["podCIDRs"] = new JsonArray(first);
        else if (string.IsNullOrEmpty(first) && all is { Count: > 0 })
            spec["podCIDR"] = all[0]?.DeepClone();
    }

    private static string[] PodCidrs(JsonObject node) =>
        node["spec"]?["podCIDRs"] is JsonArray all ? [.. all.Select(c => JsonFields.Text(c) ?? "")] : [];

    private static IEnumerable<string> DuplicateAddresses(JsonObject node) =>
        node["status"]?["addresses"] is JsonArray addresses
            ? addresses.GroupBy(a => a?.ToJsonString() ?? "").Where(g => g.Count() > 1).Select(g => g.Key)
            : [];
}

/// <summary>Which podCIDRs the real server lets into a Node. It lets in far more than is sensible: 0.0.0.0/0 passes.</summary>
internal static class PodCidrRules
{
    public static IEnumerable<FieldError> Check(string[] podCidrs)
    {
        for (int i = 0; i < podCidrs.Length; i++)
        {
            if (FamilyOf(podCidrs[i]) is null)
                yield return Invalid($"spec.podCIDRs[{i}]", podCidrs[i], "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
        }
        if (podCidrs.Length > 2)
            yield return Invalid("spec.podCIDRs", Shown(podCidrs), "may specify no more than one CIDR for each IP family");
        else if (podCidrs.Length == 2 && FamilyOf(podCidrs[0]) is { } first && FamilyOf(podCidrs[1]) == first)
            yield return Invalid("spec.podCIDRs", Shown(podCidrs), "may specify no more than one CIDR for each IP family");
    }

    private static AddressFamily? FamilyOf(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out IPAddress? address))
            return null;
        int most = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        bool valid = int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int bits) && bits <= most;
        return valid ? address.AddressFamily : null;
    }

    private static string Shown(string[] podCidrs) => $"[{string.Join(",", podCidrs.Select(c => $"\"{c}\""))}]";

    private static FieldError Invalid(string field, string value, string why) =>
        new(field, "FieldValueInvalid", $"Invalid value: {(value.StartsWith('[') ? value : $"\"{value}\"")}: {why}");
}
