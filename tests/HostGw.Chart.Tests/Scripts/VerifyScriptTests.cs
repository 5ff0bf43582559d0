using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests.Scripts;

/// <summary>tests/windows/verify.ps1, by a grammar of PowerShell that we did not write: no PowerShell is here to run it.</summary>
public sealed partial class VerifyScriptTests
{
    private static readonly Lazy<string> Runtime = new(() => Tool.Script("npm-package.sh", "web-tree-sitter", "0.27.2"));
    private static readonly Lazy<string> Grammar = new(() => Tool.Script("npm-package.sh", "tree-sitter-powershell", "0.26.4"));
    private static readonly string Script = File.ReadAllText(Tool.PathTo("tests/windows/verify.ps1"));

    [Fact]
    public void It_is_powershell() => Assert.Equal("", Parse(Script));

    [Theory]
    [InlineData("if (-not $NoBuild) {", "if (-not $NoBuild {", "not understood")]
    [InlineData("Stop-WithReason 'Nothing was done.'", "Stop-WithReason 'Nothing was done.", "not understood")]
    public void A_slip_is_found(string right, string wrong, string expected)
    {
        Assert.Contains(right, Script, StringComparison.Ordinal);
        Assert.Contains(expected, Parse(Script.Replace(right, wrong, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    // 5.1 reads a file without a byte order mark as ANSI, and knows neither of these operators.
    [Fact]
    public void Windows_powershell_5_1_reads_it_too()
    {
        Assert.DoesNotContain(Script, c => c > '\x7F');
        Assert.DoesNotMatch(NewOperators(), Script);
    }

    private static string Parse(string script) => new Tool("node").Ask(script, Tool.PathTo("tests/HostGw.Chart.Tests/Scripts/parse.mjs"), Runtime.Value, Grammar.Value);

    [GeneratedRegex(@"&&|\|\||\?\?|\s\?\s|\?\.")]
    private static partial Regex NewOperators();
}
