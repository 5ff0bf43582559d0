using System.Globalization;
using System.Text.RegularExpressions;

namespace HostGw.Tests.Status;

/// <summary>A strict reader of Prometheus' text format: names, types, escapes, no family twice, no sample twice.</summary>
internal static partial class Exposition
{
    public static Dictionary<string, double> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Dictionary<string, double> samples = [];
        HashSet<string> families = [];
        string family = "", type = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                family = help.Groups["name"].Value;
                type = "";
                Assert.True(families.Add(family), $"family {family} comes twice");
            }
            else if (Type().Match(line) is { Success: true } typed)
            {
                Assert.Equal(family, typed.Groups["name"].Value);
                Assert.Equal("", type);
                type = typed.Groups["type"].Value;
                Assert.True(type != "counter" || family.EndsWith("_total", StringComparison.Ordinal), $"counter {family} does not end in _total");
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, $"'{line}' is no sample");
                Assert.NotEqual("", type);
                string[] suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""];
                Assert.Contains(sample.Groups["name"].Value, suffixes.Select(s => family + s));
                Assert.True(samples.TryAdd(sample.Groups["series"].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)), $"'{line}' comes twice");
            }
        }
        return samples;
    }

    /// <summary>Whether the series may only grow.</summary>
    public static bool IsCounter(string text, string series)
    {
        string name = series.Split('{')[0];
        return text.Contains($"# TYPE {name} counter\n", StringComparison.Ordinal) || name.EndsWith("_count", StringComparison.Ordinal) || name.EndsWith("_sum", StringComparison.Ordinal) || name.EndsWith("_bucket", StringComparison.Ordinal);
    }

    [GeneratedRegex("^# HELP (?<name>hostgw_[a-z0-9_]+) [^\\\\]+$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>hostgw_[a-z0-9_]+) (?<type>counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex("""^(?<series>(?<name>hostgw_[a-z0-9_]+)(\{[a-z]+="([^"\\\n]|\\[\\"n])*"(,[a-z]+="([^"\\\n]|\\[\\"n])*")*\})?) (?<value>-?[0-9.]+(E[+-]?[0-9]+)?)$""")]
    private static partial Regex Sample();
}
