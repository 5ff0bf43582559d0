using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.FakeApi;

namespace HostGw.Chart.Tests;

/// <summary>Every command in a code block of these pages is run by a test, or the page says that it is not, and why.</summary>
public sealed partial class DocsCommandsTests : IAsyncLifetime
{
    // At the end of a line it is about this command, as the first line of a block about all of it.
    private const string Mark = "# not run by us: ";

    private const string AsWritten = "DocsCommandsTests.As_written_on_a_new_cluster_they_make_the_agents";

    // What runs these tests.
    private const string TestRun = "make test";

    private static readonly string[] Pages = ["README.md", "docs/install.md"];

    private const string OnANode = "OverriddenTests.HostGws_policy_rule_is_repaired_and_goes_with_the_setting_and_with_cleanup";

    // With other names of registries and files, and other addresses.
    private static readonly Dictionary<string, string> RunBy = new()
    {
        ["make demo"] = "DemoTests.Every_check_passes",
        ["kubectl create namespace hostgw-system"] = AsWritten,
        ["kubectl label namespace hostgw-system pod-security.kubernetes.io/enforce=privileged"] = AsWritten,
        ["helm -n hostgw-system install hostgw charts/hostgw --set image.repository=REGISTRY/hostgw "
            + "--set 'config.clusterCidrs={10.244.0.0/16,fd00:10:244::/56}'"] = AsWritten,
        ["helm -n hostgw-system test hostgw"] = "ApplyTests.Helm_prints_the_log_of_its_test_once",
        ["kubectl apply -f deploy/hostgw.yaml"] = AsWritten,
        ["hostgw plan --kubeconfig /etc/hostgw/kubeconfig --cluster-cidrs 10.244.0.0/16"] = OnANode,
        ["hostgw agent --kubeconfig /etc/hostgw/kubeconfig --cluster-cidrs 10.244.0.0/16"] = OnANode,
        ["kubectl -n hostgw-system rollout status daemonset/hostgw"] = "DocsCommandsTests.The_rollout_is_over_when_every_pod_is_available",
    };

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("hostgw-docs");
    private FakeApiServer _api = null!;

    private sealed record Command(string Page, string Section, string Text, bool IsMarked);

    /// <summary>The sections with commands that run as they are written.</summary>
    public static TheoryData<string, string> Sections => [.. RunAsWritten().Select(c => (c.Page, c.Section)).Distinct()];

    public async ValueTask InitializeAsync()
    {
        _api = await FakeApiServer.StartAsync();
        _api.WriteKubeconfig(Path.Combine(_home.FullName, "kubeconfig"), new() { Token = _api.Token });
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _home.Delete(recursive: true);
    }

    [Fact]
    public void Each_is_run_by_a_test_or_the_page_says_that_it_is_not()
    {
        Command[] neither = [.. All().Where(c => c.Text != TestRun && c.IsMarked == RunBy.ContainsKey(c.Text))];
        Assert.True(neither.Length == 0, string.Join('\n', neither.Select(c => $"{c.Page}: {c.Text}")));
    }

    [Fact]
    public void The_table_has_only_commands_that_are_there_and_tests_that_exist()
    {
        string[] commands = [.. All().Select(c => c.Text)];
        Assert.All(RunBy.Keys, c => Assert.Contains(c, commands));
        HashSet<string> tests = [.. Tests()];
        Assert.All(RunBy.Values, t => Assert.Contains(t, tests));
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public void As_written_on_a_new_cluster_they_make_the_agents(string page, string section)
    {
        foreach (Command command in RunAsWritten().Where(c => (c.Page, c.Section) == (page, section)))
            Run(command.Text);

        JsonNode pod = JsonNode.Parse(_api.Objects.Get("DaemonSet", Chart.Namespace, "hostgw")!)!["spec"]!["template"]!["spec"]!;
        Assert.EndsWith($"/hostgw:{Tool.Script("version.sh")}", (string?)pod["containers"]![0]!["image"], StringComparison.Ordinal);
    }

    [Fact]
    public void The_rollout_is_over_when_every_pod_is_available()
    {
        Run("kubectl apply -f deploy/hostgw.yaml");
        JsonObject agents = JsonNode.Parse(_api.Objects.Get("DaemonSet", Chart.Namespace, "hostgw")!)!.AsObject();
        agents["status"] = new JsonObject
        {
            ["observedGeneration"] = agents["metadata"]!["generation"]?.DeepClone(),
            ["desiredNumberScheduled"] = 3,
            ["updatedNumberScheduled"] = 3,
            ["numberAvailable"] = 3,
        };
        _api.Objects.Put(agents);
        string said = Run("kubectl -n hostgw-system rollout status daemonset/hostgw");
        Assert.Contains("successfully rolled out", said, StringComparison.Ordinal);
    }

    // Where the repository is, with the real helm and kubectl, and this cluster as the only one.
    private string Run(string command)
    {
        string programs = string.Join(':', new[] { "helm", "kubectl" }.Select(p => Path.GetDirectoryName(Tool.Script("kubectl.sh", p))));
        string[] environment =
        [
            $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}",
            $"HOME={_home.FullName}",
            $"KUBECONFIG={_home.FullName}/kubeconfig",
        ];
        string substituted = command.Replace("REGISTRY", "registry.example.com", StringComparison.Ordinal);
        // A rollout that never ends must end the test.
        return new Tool("env").Run([.. environment, "timeout", "60", "sh", "-ec", $"cd '{Tool.Root}'; {substituted}"]);
    }

    private static IEnumerable<Command> RunAsWritten() => All().Where(c => RunBy.GetValueOrDefault(c.Text) == AsWritten);

    private static IEnumerable<Command> All() => Pages.SelectMany(page => Of(page, File.ReadAllLines(Tool.PathTo(page))));

    private static IEnumerable<Command> Of(string page, IEnumerable<string> lines)
    {
        string section = "";
        string? block = null;
        bool isMarked = false;
        foreach (string line in lines.Select(l => l.Trim()))
        {
            if (block is null && line.StartsWith("## ", StringComparison.Ordinal))
                section = line[3..];
            if (line.StartsWith("```", StringComparison.Ordinal))
                (block, isMarked) = (block is null ? line[3..] : null, false);
            else if (block is "" or "sh" && line.StartsWith(Mark, StringComparison.Ordinal))
                isMarked = true;
            else if (block is "" or "sh" && line.Length > 0)
            {
                bool isNotRun = isMarked || line.Contains($" {Mark}", StringComparison.Ordinal);
                yield return new(page, section, Comment().Replace(line, ""), isNotRun);
            }
        }
    }

    // Every public method below a [Fact] or [Theory], as Class.Method.
    private static IEnumerable<string> Tests() =>
        from file in Directory.EnumerateFiles(Tool.PathTo("tests"), "*Tests.cs", SearchOption.AllDirectories)
        from Match method in Method().Matches(File.ReadAllText(file))
        select $"{Path.GetFileNameWithoutExtension(file)}.{method.Groups[1].Value}";

    [GeneratedRegex(@"\s+# .*$")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\r\n]*\](?:\s*\[[^\r\n]*\]|\s*//[^\r\n]*)*\s*public (?:async )?(?:void|Task) (\w+)\(")]
    private static partial Regex Method();
}
