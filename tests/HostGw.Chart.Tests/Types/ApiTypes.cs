using System.Text.Json;
using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests.Types;

/// <summary>The fields that the objects of the Kubernetes API have.</summary>
internal sealed class ApiTypes
{
    // Of Kubernetes 1.30, the first with ValidatingAdmissionPolicy v1. Kinds that are not Kubernetes' own are beside this file.
    private static readonly Lazy<ApiTypes> Loaded = new(() => new(
        Tool.Script("npm-package.sh", "kubernetes-types", "1.30.0"), Path.Combine(AppContext.BaseDirectory, "Types")));

    private readonly Dictionary<string, TypeFile> _files = [];

    private readonly Dictionary<(string? ApiVersion, string? Kind), (TypeFile File, TypeBody Body)> _kinds = [];

    private ApiTypes(params string[] folders)
    {
        foreach (string path in folders.SelectMany(f => Directory.EnumerateFiles(f, "*.d.ts", SearchOption.AllDirectories)))
        {
            var file = new TypeFile(path);
            _files[path] = file;
            foreach (TypeBody body in file.Interfaces.Values.Where(b => b.Literal("apiVersion") is not null))
                _kinds[(body.Literal("apiVersion"), body.Literal("kind"))] = (file, body);
        }
    }

    public static ApiTypes Kubernetes => Loaded.Value;

    /// <summary>What is wrong with an object: fields that its kind does not have, or needs and lacks, and values of another type.</summary>
    public IReadOnlyList<string> Faults(JsonObject item)
    {
        List<string> faults = [];
        if (_kinds.TryGetValue(((string?)item["apiVersion"], (string?)item["kind"]), out (TypeFile File, TypeBody Body) found))
            CheckFields(item, found.Body, found.File, $"{item["kind"]}", faults);
        else
            faults.Add($"{item["apiVersion"]} {item["kind"]} is no kind that is known");
        return faults;
    }

    private void CheckFields(JsonObject item, TypeBody body, TypeFile file, string at, List<string> faults)
    {
        foreach ((string name, JsonNode? value) in item)
        {
            if (body.Fields.TryGetValue(name, out TypeField? field))
                Check(value, field.Type, file, $"{at}.{name}", faults);
            else
                faults.Add($"{at}: no field {name}");
        }
        faults.AddRange(body.Fields.Where(f => f.Value.IsRequired && !item.ContainsKey(f.Key)).Select(f => $"{at}: {f.Key} is missing"));
    }

    private void Check(JsonNode? value, string type, TypeFile file, string at, List<string> faults)
    {
        if (TypeField.ElementOfList(type) is { } element && value is JsonArray list)
            Each(list.Select((item, i) => ($"{at}[{i}]", item)), element, file, faults);
        else if (TypeField.ElementOfMap(type) is { } inner && value is JsonObject map)
            Each(map.Select(m => ($"{at}.{m.Key}", m.Value)), inner, file, faults);
        else if (Find(type, file) is var (where, body) && value is JsonObject item)
            CheckFields(item, body, where, at, faults);
        else if (!IsPlain(value, Alias(type, file)))
            faults.Add($"{at}: {value?.ToJsonString() ?? "null"} is no {type}");
    }

    private void Each(IEnumerable<(string At, JsonNode? Value)> items, string type, TypeFile file, List<string> faults)
    {
        foreach ((string at, JsonNode? value) in items)
            Check(value, type, file, at, faults);
    }

    private static bool IsPlain(JsonNode? value, string type) => value?.GetValueKind() switch
    {
        JsonValueKind.String => type == "string" || type == "number | string" || type == $"\"{value}\"",
        JsonValueKind.Number => type is "number" or "number | string",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        _ => false,
    };

    private (TypeFile File, TypeBody Body)? Find(string type, TypeFile file) =>
        file.Interfaces.TryGetValue(type, out TypeBody? body) ? (file, body)
        : file.Imports.TryGetValue(type, out string? other) && _files.TryGetValue(other, out TypeFile? from) && from.Interfaces.TryGetValue(type, out body) ? (from, body)
        : null;

    private string Alias(string type, TypeFile file) =>
        file.Aliases.TryGetValue(type, out string? alias) ? alias
        : file.Imports.TryGetValue(type, out string? other) && _files.TryGetValue(other, out TypeFile? from) ? from.Aliases.GetValueOrDefault(type, type)
        : type;
}
