using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

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

/// <summary>A merge patch that merges some lists by key and knows the $patch, $deleteFromPrimitiveList and $setElementOrder directives.</summary>
/// <remarks>https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md</remarks>
internal sealed class StrategicMergePatch(IReadOnlyDictionary<string, string> mergeKeys)
{
    private const string Directive = "$patch";
    private const string DeletePrefix = "$deleteFromPrimitiveList/";

    public JsonObject Apply(JsonObject target, JsonObject patch) => Merge(target, patch, "");

    private JsonObject Merge(JsonObject target, JsonObject patch, string path)
    {
        if (JsonFields.Text(patch[Directive]) == "replace")
            target = [];
        foreach ((string name, JsonNode? value) in patch)
        {
            if (name.StartsWith(DeletePrefix, StringComparison.Ordinal))
                RemoveValues(target[name[DeletePrefix.Length..]] as JsonArray, value as JsonArray);
            else if (name.StartsWith('$'))
                continue;
            else if (value is null || JsonFields.Text((value as JsonObject)?[Directive]) == "delete")
                target.Remove(name);
            else
                target[name] = MergeValue(target[name], value, path.Length == 0 ? name : $"{path}.{name}");
        }
        return target;
    }

    private JsonNode MergeValue(JsonNode? target, JsonNode patch, string path) => patch switch
    {
        JsonObject inner => Merge(target is JsonObject child ? (JsonObject)child.DeepClone() : [], inner, path),
        JsonArray items when mergeKeys.TryGetValue(path, out string? key) =>
            MergeList(target is JsonArray list ? (JsonArray)list.DeepClone() : [], items, key, path),
        _ => patch.DeepClone(),
    };

    private JsonArray MergeList(JsonArray target, JsonArray patch, string key, string path)
    {
        if (patch.Any(p => JsonFields.Text((p as JsonObject)?[Directive]) == "replace"))
            target = [];
        int next = 0; // a new element comes before those that the patch does not name (recording status-patched)
        foreach (JsonNode? item in patch)
        {
            if (item is JsonObject element && key.Length > 0)
                MergeElement(target, element, (key, path), ref next);
            else if (!target.Any(t => JsonNode.DeepEquals(t, item)))
                target.Add(item?.DeepClone());
        }
        return target;
    }

    private void MergeElement(JsonArray target, JsonObject element, (string Key, string Path) list, ref int next)
    {
        (string key, string path) = list;
        string? directive = JsonFields.Text(element[Directive]);
        if (directive == "replace")
            return;
        int at = target.TakeWhile(t => !JsonNode.DeepEquals((t as JsonObject)?[key], element[key])).Count();
        if (directive == "delete")
        {
            if (at < target.Count)
                target.RemoveAt(at);
        }
        else if (at < target.Count)
        {
            target[at] = Merge((JsonObject)target[at]!.DeepClone(), element, path);
            next = at + 1;
        }
        else
        {
            target.Insert(Math.Min(next++, target.Count), Merge([], element, path));
        }
    }

    private static void RemoveValues(JsonArray? target, JsonArray? values)
    {
        for (int i = (target?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (values?.Any(v => JsonNode.DeepEquals(v, target![i])) == true)
                target!.RemoveAt(i);
        }
    }
}
