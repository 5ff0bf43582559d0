using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests.Scripts;

/// <summary>tests/windows/verify.ps1, by a grammar of PowerShell that we did not write: no PowerShell is here to run it.</summary>
public sealed partial class VerifyScriptTests
{
    private static readonly Lazy<string> Runtime = new(() => Tool.Script("npm-package.sh", "web-tree-sitter", "0.27.2"));
    private static readonly Lazy<string> Grammar = new(() => Tool.Script("npm-package.sh", "tree-sitter-powershell", "0.26.4"));
    private static readonly string Script = File.ReadAllText(Tool.PathTo("tests/windows/verify.ps1"));

    [Fact]
    public void It_is_powershell_and_slips_would_be_found()
    {
        string unbalanced = Slip("if (-not $NoBuild) {", "if (-not $NoBuild {");
        string unquoted = Slip("'Nothing was done.'", "'Nothing was done.");
        string[] answers = Parse(Script, unbalanced, unquoted);
        Assert.Equal("", answers[0]);
        Assert.All(answers[1..], a => Assert.Contains("not understood", a, StringComparison.Ordinal));
    }

    // 5.1 reads a file without a byte order mark as ANSI, and knows neither of these operators.
    [Fact]
    public void Windows_powershell_5_1_reads_it_too()
    {
        Assert.DoesNotContain(Script, c => c > '\x7F');
        Assert.DoesNotMatch(NewOperators(), Script);
    }

    private static string Slip(string right, string wrong)
    {
        Assert.Contains(right, Script, StringComparison.Ordinal);
        return Script.Replace(right, wrong, StringComparison.Ordinal);
    }

    // The grammar takes seconds to load: once for all.
    private static string[] Parse(params string[] scripts)
    {
        string parser = Tool.PathTo("tests/HostGw.Chart.Tests/Scripts/parse.mjs");
        return new Tool("node").Ask(string.Join('\0', scripts), parser, Runtime.Value, Grammar.Value).Split("---\n")[..scripts.Length];
    }

    [GeneratedRegex(@"&&|\|\||\?\?|\s\?\s|\?\.")]
    private static partial Regex NewOperators();
}
