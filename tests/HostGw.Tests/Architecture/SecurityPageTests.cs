using System.Text.RegularExpressions;

namespace HostGw.Tests.Architecture;

/// <summary>docs/security.md names a test for each thing that it promises.</summary>
public partial class SecurityPageTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathTo("docs/security.md"));

    [Fact]
    public void Every_test_that_it_names_exists()
    {
        string[] named = [.. Named().Matches(Page).Select(m => m.Value.Trim('`')).Distinct()];
        HashSet<string> tests = [.. Tests()];

        Assert.True(named.Length > 30, $"{named.Length} tests are named");
        Assert.Empty(named.Where(n => !tests.Contains(n)));
    }

    [Fact]
    public void Every_line_of_its_tables_names_one()
    {
        string[] lines = [.. Page.Split('\n').Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.EndsWith("the test |", StringComparison.Ordinal))];

        Assert.NotEmpty(lines);
        Assert.Empty(lines.Where(l => !Named().IsMatch(l)));
    }

    // Every public method below a [Fact] or [Theory], as Class.Method.
    private static IEnumerable<string> Tests() =>
        from file in Directory.EnumerateFiles(Repository.PathTo("tests"), "*Tests.cs", SearchOption.AllDirectories)
        let text = File.ReadAllText(file)
        from method in Method().Matches(text)
        select $"{Path.GetFileNameWithoutExtension(file)}.{method.Groups[1].Value}";

    [GeneratedRegex(@"`[A-Z]\w+Tests\.\w+`")]
    private static partial Regex Named();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\r\n]*\](?:\s*\[[^\r\n]*\]|\s*//[^\r\n]*)*\s*public (?:async )?(?:void|Task) (\w+)\(")]
    private static partial Regex Method();
}
