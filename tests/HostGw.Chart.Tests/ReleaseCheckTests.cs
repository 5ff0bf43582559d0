namespace HostGw.Chart.Tests;

/// <summary>`make release-check` and `make version`, in copies of the files that name the version.</summary>
public sealed class ReleaseCheckTests : IDisposable
{
    private const string Day = "2026-01-31";

    private static readonly string Version = Tool.Script("version.sh");

    private readonly TemporaryFolder _tree = new();

    public ReleaseCheckTests()
    {
        _tree.Copy("Directory.Build.props", "charts", "deploy", "Dockerfile.linux", "Dockerfile.windows", "README.md", "docs/install.md",
            "tests/tools/version.sh", "tests/tools/release-check.sh", "tests/tools/manifests.sh", "tests/tools/kubectl.sh");
        _tree.Write("CHANGELOG.md", $"# Changelog\n\n## {Version}, {Day}\n\n- Something.\n\n## 0.0.1, 2025-01-31\n\n- The first.\n");
    }

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void The_version_that_all_files_name_may_be_released() => Assert.Equal("", Check(Version));

    [Fact]
    public void A_tag_names_the_version_with_a_v() => Assert.Equal("", Say("env", $"TAG=v{Version}", "sh", Script("release-check.sh")));

    [Theory]
    [InlineData("")]
    [InlineData("1.2")]
    [InlineData("1.2.3-rc.1")]
    [InlineData("newest")]
    public void What_is_no_version_is_refused_with_an_example(string version)
    {
        string[] arguments = version.Length == 0 ? [] : [version];
        Assert.Equal(
            $"'{version}' is no version of three numbers: make release-check VERSION=1.2.3, or a tag such as v1.2.3.\n",
            Say(["env", "TAG=", "sh", Script("release-check.sh"), .. arguments]));
    }

    [Fact]
    public void A_tag_of_another_version_is_refused_with_each_file_that_says_otherwise()
    {
        string[] lines = Check("9.8.7").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(Different("Directory.Build.props", "Version", Version, "9.8.7"), lines);
        Assert.Contains(lines, l => l.StartsWith("CHANGELOG.md has no section for 9.8.7: add '## 9.8.7, ", StringComparison.Ordinal));
        Assert.Equal(10, lines.Length);
    }

    [Theory]
    [InlineData("Directory.Build.props", "<Version>#<", "Version")]
    [InlineData("charts/hostgw/Chart.yaml", "\nversion: #\n", "version")]
    [InlineData("charts/hostgw/Chart.yaml", "\nappVersion: #\n", "appVersion")]
    [InlineData("Dockerfile.linux", "image.version=\"#\"", "the label org.opencontainers.image.version")]
    [InlineData("Dockerfile.windows", "image.version=\"#\"", "the label org.opencontainers.image.version")]
    [InlineData("deploy/hostgw.yaml", "image: localhost/hostgw:#\n", "the image's tag")]
    [InlineData("deploy/hostgw-windows.yaml", "image: localhost/hostgw-windows:#\n", "the image's tag")]
    [InlineData("deploy/digest/digest.yaml", "image: localhost/hostgw:#\n", "the image's tag")]
    [InlineData("deploy/cleanup.yaml", "image: localhost/hostgw:#\n", "the image's tag")]
    public void A_file_that_names_another_version_is_refused(string file, string text, string what)
    {
        _tree.Replace(file, text.Replace("#", Version, StringComparison.Ordinal), text.Replace("#", "9.8.7", StringComparison.Ordinal));
        Assert.Equal(Different(file, what, "9.8.7", Version) + "\n", Check(Version));
    }

    [Theory]
    [InlineData("9.8.7, 2026-01-31", "CHANGELOG.md has no section for {0}: add '## {0}, ")]
    [InlineData("{0}, not released", "CHANGELOG.md says '{0}, not released': write the day of the release, '## {0}, ")]
    [InlineData("{0}", "CHANGELOG.md has no section for {0}: add '## {0}, ")]
    [InlineData("9.8.7, not released\n\n## {0}, 2026-01-31", "CHANGELOG.md begins with '9.8.7, not released', but the release is {0}: ")]
    public void The_changelog_must_begin_with_the_dated_section_of_the_version(string heading, string says)
    {
        _tree.Replace("CHANGELOG.md", $"## {Version}, {Day}", $"## {heading.Replace("{0}", Version, StringComparison.Ordinal)}");
        Assert.StartsWith(says.Replace("{0}", Version, StringComparison.Ordinal), Check(Version), StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_is_changed_everywhere_at_once()
    {
        string helm = Path.GetDirectoryName(Chart.Helm.Program)!;
        new Tool("env").Run($"PATH={helm}:{Environment.GetEnvironmentVariable("PATH")}", "sh", Script("version.sh"), "9.8.7");
        _tree.Replace("CHANGELOG.md", $"## {Version}, {Day}", $"## 9.8.7, {Day}");
        Assert.Equal("", Check("9.8.7"));
        Assert.All(Directory.EnumerateFiles(_tree.Root, "*", SearchOption.AllDirectories),
            f => Assert.DoesNotContain(Version, File.ReadAllText(f), StringComparison.Ordinal));
    }

    private static string Different(string file, string what, string found, string must) =>
        $"{file}: {what} is {found}, not {must}: make version VERSION={must}, commit, tag that commit v{must}.";

    private string Check(string version) => Say("sh", Script("release-check.sh"), version);

    /// <summary>Everything that a command says; what succeeds says nothing.</summary>
    private static string Say(params string[] command)
    {
        (bool succeeds, string text) = new Tool(command[0]).Try(command[1..]);
        Assert.Equal(succeeds, text.Length == 0);
        return text;
    }

    private string Script(string name) => _tree.PathTo($"tests/tools/{name}");
}
