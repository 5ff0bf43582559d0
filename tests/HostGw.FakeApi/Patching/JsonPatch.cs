using System.Globalization;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Patching;

/// <summary>JSON patch, RFC 6902.</summary>
internal static class JsonPatch
{
    /// <exception cref="ApiException">422, the patch does not fit the object.</exception>
    public static JsonObject Apply(JsonObject target, JsonArray operations)
    {
        foreach (JsonNode? operation in operations)
        {
            string name = JsonFields.Text(operation?["op"]) ?? "";
            string path = JsonFields.Text(operation?["path"]) ?? throw Unfit("an operation has no path");
            switch (name)
            {
                case "add": Add(target, path, operation!["value"]?.DeepClone()); break;
                case "replace": Remove(target, path); Add(target, path, operation!["value"]?.DeepClone()); break;
                case "remove": Remove(target, path); break;
                case "copy": Add(target, path, Read(target, From(operation))?.DeepClone()); break;
                case "move": Add(target, path, Remove(target, From(operation))); break;
                case "test" when JsonNode.DeepEquals(Read(target, path), operation!["value"]): break;
                case "test": throw Unfit($"testing path {path} failed: test failed");
                default: throw Unfit($"Unexpected kind: {name}");
            }
        }
        return target;
    }

    private static string From(JsonNode? operation) => JsonFields.Text(operation?["from"]) ?? throw Unfit("an operation has no from");

    private static JsonNode? Read(JsonObject target, string path)
    {
        (JsonNode parent, string last) = Parent(target, path);
        return parent is JsonArray list ? list[Index(list, last, list.Count - 1)] : ((JsonObject)parent)[last];
    }

    private static void Add(JsonObject target, string path, JsonNode? value)
    {
        (JsonNode parent, string last) = Parent(target, path);
        if (parent is JsonArray list)
            list.Insert(last == "-" ? list.Count : Index(list, last, list.Count), value);
        else
            ((JsonObject)parent)[last] = value;
    }

    private static JsonNode? Remove(JsonObject target, string path)
    {
        (JsonNode parent, string last) = Parent(target, path);
        if (parent is JsonArray list)
        {
            int index = Index(list, last, list.Count - 1);
            JsonNode? item = list[index];
            list.RemoveAt(index);
            return item;
        }
        var owner = (JsonObject)parent;
        if (!owner.TryGetPropertyValue(last, out JsonNode? value))
            throw Unfit($"Unable to remove nonexistent key: {last}: missing value");
        owner.Remove(last);
        return value;
    }

    private static (JsonNode Parent, string Last) Parent(JsonObject target, string path)
    {
        string[] steps = [.. path.Split('/').Skip(1).Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
        if (steps.Length == 0)
            throw Unfit($"path '{path}' is the whole object");
        JsonNode? node = target;
        foreach (string step in steps[..^1])
            node = node is JsonArray list ? list[Index(list, step, list.Count - 1)] : (node as JsonObject)?[step];
        return node is JsonArray or JsonObject ? (node, steps[^1]) : throw Unfit($"doc is missing path: {path}: missing value");
    }

    private static int Index(JsonArray list, string step, int most) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index <= most
            ? index
            : throw Unfit($"Unable to access invalid index: {step} of {list.Count}");

    private static ApiException Unfit(string message) => new(422, "Invalid", $"the server rejected our request due to an error in our request: {message}");
}
