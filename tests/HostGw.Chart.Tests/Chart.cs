using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests;

/// <summary>The chart, rendered by the real helm.</summary>
internal static class Chart
{
    public const string Namespace = "hostgw-system";

    public static string Folder { get; } = Tool.PathTo("charts/hostgw");

    public static Tool Helm { get; } = new(Tool.Script("kubectl.sh", "helm"));

    /// <summary>Values such as config.nextHop=PodGateway, as flags.</summary>
    public static string[] With(params string[] values) => [.. values.SelectMany(v => new[] { "--set", v })];

    public static string Template(params string[] values) => Helm.Run(["template", "hostgw", Folder, "--namespace", Namespace, .. With(values)]);

    public static string Refusal(params string[] values) => Helm.Fail(["template", "hostgw", Folder, "--namespace", Namespace, .. With(values)]);

    public static JsonObject[] Objects(params string[] values) => [.. Yaml.Documents(Template(values)).OfType<JsonObject>()];

    /// <summary>The one object of that kind and name.</summary>
    public static JsonObject Object(string kind, string name, params string[] values) => Assert.Single(
        Objects(values), o => (string?)o["kind"] == kind && (string?)o["metadata"]!["name"] == name);

    public static JsonNode Pod(string daemonSet, params string[] values) => Object("DaemonSet", daemonSet, values)["spec"]!["template"]!["spec"]!;

    public static JsonNode Container(params string[] values) => Pod("hostgw", values)["containers"]![0]!;

    /// <summary>The agent's file.</summary>
    public static string Config(params string[] values) => (string)Object("ConfigMap", "hostgw", values)["data"]!["config.yaml"]!;

    /// <summary>values.yaml.</summary>
    public static JsonObject Values { get; } = (JsonObject)Yaml.Documents(File.ReadAllText(Path.Combine(Folder, "values.yaml"))).Single()!;

    /// <summary>Every value that is no group, by its path with dots. A group that is empty is a value.</summary>
    public static IEnumerable<(string Path, JsonNode? Value)> Leaves(JsonObject? group = null, string prefix = "") =>
        (group ?? Values).SelectMany(member => member.Value is JsonObject { Count: > 0 } inner
            ? Leaves(inner, $"{prefix}{member.Key}.")
            : [($"{prefix}{member.Key}", member.Value)]);
}
