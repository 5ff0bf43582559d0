using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests;

/// <summary>What can be known of the workflows without GitHub.</summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows => [.. Files.Select(f => Path.GetFileName(f))];

    [Fact]
    public void Actionlint_finds_nothing() => Lint.Run([Script, .. Files]);

    [Fact]
    public void Actionlint_finds_what_is_wrong()
    {
        (string Right, string Wrong, string Found)[] mistakes =
        [
            ("    runs-on: ubuntu-24.04-arm\n", "    runs-on: ubuntu-24.04-arm64\n", "label \"ubuntu-24.04-arm64\" is unknown"),
            ("    timeout-minutes: 20\n", "    timeout: 20\n", "unexpected key \"timeout\""),
            ("${{ matrix.os }}", "${{ matrix.system }}", "property \"system\" is not defined"),
            ("      - run: make release-images\n", "      - run: echo ${{ github.head_ref }}\n", "potentially untrusted"),
        ];
        using var folder = new TemporaryFolder();
        string broken = folder.Write("ci.yml", Text("ci.yml"));
        foreach ((string right, string wrong, _) in mistakes)
            folder.Replace("ci.yml", right, wrong);
        string said = Lint.Fail(Script, broken);
        Assert.All(mistakes, m => Assert.Contains(m.Found, said, StringComparison.Ordinal));
    }

    // An expression in a command is pasted into it before the shell reads it: who names a branch could write commands.
    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_step_runs_one_target_of_the_Makefile_or_the_Windows_script_and_contains_no_expression(string workflow)
    {
        string[] commands = [.. Steps(workflow).Select(s => (string?)s["run"]).OfType<string>()];
        Assert.NotEmpty(commands);
        Assert.True(File.Exists(Tool.PathTo("tests/windows/verify.ps1")));
        Assert.All(commands.Where(c => c != "pwsh tests/windows/verify.ps1"), command =>
        {
            Assert.Matches(Make(), command);
            Assert.Contains(Make().Match(command).Groups[1].Value, Targets);
        });
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Each_action_is_pinned_by_the_commit_of_a_named_version(string workflow)
    {
        string[] uses = [.. Uses().Matches(Text(workflow)).Select(m => m.Groups[1].Value)];
        Assert.Equal(Steps(workflow).Concat(Jobs(workflow)).Count(s => s["uses"] is not null), uses.Length);
        Assert.All(uses, u => Assert.True(
            Pinned().IsMatch(u) || u.StartsWith("./", StringComparison.Ordinal) && File.Exists(Tool.PathTo(u)), u));
    }

    [Fact]
    public void An_action_is_pinned_once() => Assert.All(
        Files.SelectMany(f => Pinned().Matches(File.ReadAllText(f))).GroupBy(m => m.Groups[1].Value, m => m.Value),
        pins => Assert.Single(pins.Distinct()));

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Rights_are_to_read_and_a_job_names_what_it_needs_more(string workflow)
    {
        Assert.Equal("""{"contents":"read"}""", Document(workflow)["permissions"]!.ToJsonString());
        Assert.All(Steps(workflow).Where(s => ((string?)s["uses"])?.StartsWith("actions/checkout@", StringComparison.Ordinal) == true),
            s => Assert.False((bool)s["with"]!["persist-credentials"]!));
    }

    [Fact]
    public void Only_the_jobs_that_publish_may_write()
    {
        Assert.All(Jobs("ci.yml"), j => Assert.Null(j["permissions"]));
        var jobs = Document("release.yml")["jobs"]!.AsObject();
        Assert.Equal(["images", "files"], jobs.Where(j => j.Value!["permissions"] is not null).Select(j => j.Key));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_job_that_has_steps_ends_in_time(string workflow) =>
        Assert.All(Jobs(workflow).Where(j => j["uses"] is null), j => Assert.InRange((int)j["timeout-minutes"]!, 1, 120));

    [Fact]
    public void Nothing_is_published_before_the_check_of_the_version_and_all_tests()
    {
        JsonNode jobs = Document("release.yml")["jobs"]!;
        Assert.Equal(["test", "check"], [(string?)jobs["images"]!["needs"], (string?)jobs["test"]!["needs"]]);
        Assert.Equal("images", (string?)jobs["files"]!["needs"]);
        Assert.Equal("./.github/workflows/ci.yml", (string?)jobs["test"]!["uses"]);
        Assert.Equal("make release-check", (string?)jobs["check"]!["steps"]!.AsArray()[^1]!["run"]);
    }

    private static IEnumerable<string> Files => Directory.EnumerateFiles(Tool.PathTo(".github/workflows"));

    private static readonly Tool Lint = new("sh");

    private static readonly string Script = Tool.PathTo("tests/tools/lint-workflows.sh");

    private static readonly string[] Targets = Phony().Match(File.ReadAllText(Tool.PathTo("Makefile"))).Groups[1].Value
        .Split([' ', '\\', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static string PathTo(string workflow) => Tool.PathTo($".github/workflows/{workflow}");

    private static string Text(string workflow) => File.ReadAllText(PathTo(workflow));

    private static JsonNode Document(string workflow) => Yaml.Documents(Text(workflow)).Single()!;

    private static JsonNode[] Jobs(string workflow) => [.. Document(workflow)["jobs"]!.AsObject().Select(j => j.Value!)];

    private static JsonNode[] Steps(string workflow) => [.. Jobs(workflow).SelectMany(j => j["steps"]?.AsArray() ?? []).Select(s => s!)];

    [GeneratedRegex("""^(?:sudo --preserve-env env "PATH=\$PATH" )?make ([a-z0-9-]+)$""")]
    private static partial Regex Make();

    [GeneratedRegex(@"^\.PHONY: ((?:[^\n]*\\\n)*[^\n]*)", RegexOptions.Multiline)]
    private static partial Regex Phony();

    [GeneratedRegex(@"^ *(?:- )?uses: (.*)$", RegexOptions.Multiline)]
    private static partial Regex Uses();

    [GeneratedRegex(@"\b([\w-]+/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$", RegexOptions.Multiline)]
    private static partial Regex Pinned();
}
