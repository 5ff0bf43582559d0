using System.Text.Json.Nodes;
using HostGw.Chart.Tests;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Image;

/// <summary>What the chart makes of some values, rendered by the real helm.</summary>
internal sealed class ChartPods(params string[] values)
{
    private readonly JsonObject[] _objects = [.. Yaml.Documents(Render(values)).OfType<JsonObject>()];

    /// <summary>A volume's file by its name.</summary>
    public IEnumerable<KeyValuePair<string, string>> ConfigMap(string name) =>
        Find(kind => kind == "ConfigMap", name)["data"]!.AsObject().Select(file => KeyValuePair.Create(file.Key, (string)file.Value!));

    /// <summary>Of the DaemonSet or Deployment of that name.</summary>
    public JsonNode Pod(string name) => Find(kind => kind is "DaemonSet" or "Deployment", name)["spec"]!["template"]!["spec"]!;

    private JsonObject Find(Predicate<string> isKind, string name) => Assert.Single(
        _objects, o => isKind((string)o["kind"]!) && (string?)o["metadata"]!["name"] == name);

    private static string Render(string[] values)
    {
        string helm = Command.Run("sh", Path.Combine(BuiltImage.Repository, "tests/tools/kubectl.sh"), "helm").Trim();
        return Command.Run(
            helm, ["template", "hostgw", Path.Combine(BuiltImage.Repository, "charts/hostgw"), "--namespace", "hostgw-system", .. values.SelectMany(v => new[] { "--set", v })]);
    }
}
