using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests.Policy;

/// <summary>What an admission policy of the chart says, by an evaluator of CEL that we did not write.</summary>
/// <param name="name">The policy's name.</param>
/// <param name="values">With which the chart makes it.</param>
internal sealed class PolicyJudge(string name, params string[] values)
{
    private static readonly Lazy<string> Evaluator = new(() => Tool.Script("npm-package.sh", "@marcbachmann/cel-js", "8.0.0"));

    private readonly Lazy<JsonNode> _policy = new(() => Chart.Object("ValidatingAdmissionPolicy", name, values)["spec"]!);

    /// <param name="questions">What an expression knows of each: request, object, oldObject, namespaceObject.</param>
    /// <returns>For each `allowed`, `not concerned`, or the message of the first rule that does not hold. matchConstraints are not evaluated.</returns>
    public string[] Ask(params JsonObject[] questions)
    {
        var input = new JsonObject { ["policy"] = _policy.Value.DeepClone(), ["requests"] = new JsonArray([.. questions]) };
        string answers = new Tool("node").Ask(input.ToJsonString(), Tool.PathTo("tests/HostGw.Chart.Tests/Policy/judge.mjs"), Evaluator.Value);
        return answers.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
