using System.Text.Json.Nodes;

namespace HostGw.FakeApi.Patching;

/// <summary>JSON merge patch, RFC 7386: null removes, objects merge, anything else replaces.</summary>
internal static class MergePatch
{
    public static JsonObject Apply(JsonObject target, JsonObject patch)
    {
        foreach ((string name, JsonNode? value) in patch)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner)
                target[name] = Apply(target[name] is JsonObject child ? (JsonObject)child.DeepClone() : [], inner);
            else
                target[name] = value.DeepClone();
        }
        return target;
    }
}
