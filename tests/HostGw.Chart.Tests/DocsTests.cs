using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace HostGw.Chart.Tests;

/// <summary>The pages name what exists.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(Tool.PathTo("docs"), "*.md").Concat(Directory.EnumerateFiles(Tool.Root, "*.md"))
            .Select(p => Path.GetRelativePath(Tool.Root, p)),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_link_leads_to_a_file_and_to_a_heading_of_it(string page)
    {
        string folder = Path.GetDirectoryName(Tool.PathTo(page))!;
        foreach (Match link in Link().Matches(Text(page)).Where(m => !m.Value.Contains("://", StringComparison.Ordinal)))
        {
            string file = link.Groups[1].Length == 0 ? Tool.PathTo(page) : Path.Combine(folder, link.Groups[1].Value);
            Assert.True(Path.Exists(file), $"{page}: {link.Value}");
            if (link.Groups[2].Success)
                Assert.True(Anchors(File.ReadAllText(file)).Contains(link.Groups[2].Value), $"{page}: {link.Value}");
        }
    }

    [Fact]
    public void Every_page_is_in_the_index()
    {
        string[] indexed = [.. Link().Matches(Text("README.md")).Select(m => m.Groups[1].Value)];
        Assert.All(Pages.Select(p => p.Data).Where(p => p != "README.md"), page => Assert.Contains(page, indexed));
    }

    // A step of the demo that was renamed or is gone: make demo-picture.
    [Fact]
    public void The_picture_of_the_demo_is_what_the_script_makes_of_its_text_and_its_steps_are_those_of_the_demo()
    {
        Assert.Equal(Text("docs/images/demo.svg").Trim(), Tool.Script("demo-picture.sh"));
        string demo = string.Concat(Directory.EnumerateFiles(Tool.PathTo("tests/HostGw.Lab/Demo"), "*.cs").Select(File.ReadAllText));
        string[] steps = [.. Step().Matches(Text("docs/images/demo.txt")).Select(m => m.Groups[1].Value)];
        Assert.Equal(StepOfDemo().Count(demo), steps.Length);
        Assert.All(steps, step => Assert.Contains($"\"{step}\"", demo, StringComparison.Ordinal));
    }

    [Fact]
    public void The_pictures_are_XML_with_a_title()
    {
        string[] pictures = Directory.GetFiles(Tool.PathTo("docs/images"), "*.svg");
        Assert.Equal(4, pictures.Length);
        Assert.All(pictures, p => Assert.NotNull(XDocument.Load(p).Root!.Element(XName.Get("title", "http://www.w3.org/2000/svg"))));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_value_that_is_set_exists(string page)
    {
        string[] values = [.. Chart.Leaves().Select(l => l.Path)];
        Assert.All(Set().Matches(Text(page)).Select(m => m.Groups[1].Value), name => Assert.Contains(name, values));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_metric_exists(string page) => Assert.All(Metric().Matches(Text(page)).Select(m => m.Value), name => Assert.True(AgentMetrics.Has(name), name));

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_CNI_configuration_that_people_are_told_to_write_comes_before_ours(string page) => Assert.All(
        Written().Matches(Text(page)).Select(m => m.Groups[1].Value), name => Assert.True(string.CompareOrdinal(name, "10-hostgw.conflist") < 0, name));

    // helm 4 refuses to upgrade what was edited, and with --logs prints the log of a test once for each of its objects.
    [Theory]
    [MemberData(nameof(Pages))]
    public void No_command_edits_what_helm_applies_or_prints_one_log_four_times(string page) => Assert.All(
        Text(page).Split("```").Where((_, i) => i % 2 == 1),
        commands => Assert.DoesNotMatch(@"kubectl .*\b(edit|patch) |helm .*test .*--logs", commands));

    // A podCIDR of a family that clusterCidrs does not name may be any private one, also another cluster's.
    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/install.md")]
    public void The_quick_start_names_the_pod_networks_of_both_families(string page)
    {
        string[] set = [.. PodNetworks().Matches(Text(page)).Select(m => m.Value)];
        Assert.NotEmpty(set);
        Assert.All(set, s => Assert.Matches(@"\d+\.\d+.*::/", s));
    }

    [Fact]
    public void The_page_of_measurements_explains_the_charts_memory()
    {
        JsonNode resources = Chart.Values["resources"]!;
        string page = Text("docs/performance.md");
        Assert.Contains($"The request, {resources["requests"]!["memory"]}, ", page, StringComparison.Ordinal);
        Assert.Contains($"The limit, {resources["limits"]!["memory"]}, ", page, StringComparison.Ordinal);
    }

    private static string Text(string page) => File.ReadAllText(Tool.PathTo(page));

    // As GitHub makes them: small letters, blanks as hyphens, without punctuation.
    private static IEnumerable<string> Anchors(string page) =>
        from Match heading in Heading().Matches(page)
        select NoAnchor().Replace(heading.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\(([^)#]*)(?:#([^)]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"^\e\[1m\d+\. (.+)\e\[0m", RegexOptions.Multiline)]
    private static partial Regex Step();

    [GeneratedRegex(@"screen\.Step\(")]
    private static partial Regex StepOfDemo();

    [GeneratedRegex(@"--set(?:-json)? '?([\w.]+)=")]
    private static partial Regex Set();

    [GeneratedRegex(@"clusterCidrs(?:=\{|: \[)[^}\]]*")]
    private static partial Regex PodNetworks();

    [GeneratedRegex(@"> /etc/cni/net\.d/(\S+)")]
    private static partial Regex Written();

    [GeneratedRegex(@"\bhostgw_[a-z]+_[a-z_]+\b")]
    private static partial Regex Metric();
}
