using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace HostGw.Chart.Tests;

/// <summary>The pages name what exists.</summary>
public sealed partial class DocsTests
{
    public static TheoryData<string> Pages =>
        [.. Directory.EnumerateFiles(Tool.PathTo("docs"), "*.md").Append(Tool.PathTo("README.md")).Select(p => Path.GetRelativePath(Tool.Root, p))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_link_leads_to_a_file(string page) => Assert.All(
        Link().Matches(Text(page)).Select(m => m.Groups[1].Value).Where(l => !l.Contains("://", StringComparison.Ordinal)),
        link => Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(Tool.PathTo(page))!, link)), $"{page}: {link}"));

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

    [GeneratedRegex(@"\]\(([^)#]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"--set(?:-json)? '?([\w.]+)=")]
    private static partial Regex Set();

    [GeneratedRegex(@"clusterCidrs(?:=\{|: \[)[^}\]]*")]
    private static partial Regex PodNetworks();

    [GeneratedRegex(@"> /etc/cni/net\.d/(\S+)")]
    private static partial Regex Written();

    [GeneratedRegex(@"\bhostgw_[a-z]+_[a-z_]+\b")]
    private static partial Regex Metric();
}
