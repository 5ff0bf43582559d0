using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests;

/// <summary>What an agent and the node digest say of themselves, as their own tests keep it.</summary>
internal static partial class AgentMetrics
{
    private static readonly string Text = File.ReadAllText(Tool.PathTo("tests/HostGw.Tests/Status/Golden/metrics.txt")) +
        File.ReadAllText(Tool.PathTo("tests/HostGw.Tests/Status/Golden/digest-metrics.txt"));

    /// <summary>A family, or a series of a histogram.</summary>
    public static bool Has(string name) => Text.Contains($"# TYPE {name} ", StringComparison.Ordinal) ||
        Text.Contains($"# TYPE {Suffix().Replace(name, "")} histogram\n", StringComparison.Ordinal);

    /// <summary>Whether a series of that name has the label, with that value where one is given.</summary>
    public static bool Has(string name, string label, string value) =>
        Regex.IsMatch(Text, $@"^{name}\{{.*\b{label}=""{Regex.Escape(value)}""", RegexOptions.Multiline);

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
