using System.Text.RegularExpressions;

namespace HostGw.Tests.Architecture;

/// <summary>docs/json.md explains each member that the sources write, and no other.</summary>
public partial class JsonPageTests
{
    [Theory]
    [InlineData("Status", "Status/StatusJson.cs")]
    [InlineData("Plan", "Cli/PlanCommand.cs")]
    [InlineData("Doctor", "Cli/DoctorCommand.cs")]
    [InlineData("The node digest", "Status/DigestPages.cs")]
    public void Each_member_is_explained(string section, string source)
    {
        string text = Repository.Sources().Single(f => f.Path == source).Text;
        string page = File.ReadAllText(Repository.PathTo("docs/json.md")).Split("\n## ").Single(s => s.StartsWith(section, StringComparison.Ordinal));
        string[] written = [.. Member().Matches(text).Select(m => m.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];
        Assert.NotEmpty(written);
        Assert.Equal(
            written,
            page.Split('\n').Where(row => row.StartsWith("| `", StringComparison.Ordinal)).Select(row => row.Split('|')[1])
                .SelectMany(names => Name().Matches(names).Select(m => m.Value)).Distinct().Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("""(?:json\.Write\w+\(|\bWrite\w+\(json, )"(\w+)""")]
    private static partial Regex Member();

    [GeneratedRegex("[a-zA-Z0-9]+")]
    private static partial Regex Name();
}
