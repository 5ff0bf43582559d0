using System.Text.RegularExpressions;

namespace HostGw.Tests.Architecture;

public partial class DependencyTests
{
    // Folder → what of ours it may see. Data flows one way: Kubernetes → Nodes → Planning → Reconciliation → Platform.
    // Every folder may see Net, which is a global using.
    private static readonly Dictionary<string, string[]> MaySee = new()
    {
        ["Net"] = [],
        ["Planning"] = [],
        ["Kubernetes"] = [],
        ["Settings"] = ["Planning"],
        ["Platform"] = ["Planning"],
        ["Nodes"] = ["Kubernetes", "Planning"],
        ["Reconciliation"] = ["Planning", "Platform", "Nodes"],
        ["Diagnosis"] = ["Planning", "Platform", "Reconciliation"],
        ["Status"] = ["Planning", "Platform", "Reconciliation", "Kubernetes"],
        ["Hosting"] = ["Planning", "Platform", "Nodes", "Kubernetes", "Reconciliation", "Diagnosis", "Status", "Settings"],
        ["Cli"] = ["Planning", "Platform", "Nodes", "Kubernetes", "Reconciliation", "Diagnosis", "Status", "Settings", "Hosting"],
    };

    public static TheoryData<string> Folders => [.. MaySee.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_sees_only_what_it_may(string folder)
    {
        (string Path, string Text)[] files = [.. Repository.Sources().Where(f => f.Path.StartsWith(folder + "/", StringComparison.Ordinal))];
        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
            from seen in Seen(file.Text)
            where seen != folder && seen != "Net" && MaySee.ContainsKey(seen) && !MaySee[folder].Contains(seen)
            select $"{file.Path} sees {seen}");
    }

    [Fact]
    public void The_log_takes_primitives_and_planning_types() => Assert.Empty(
        from file in Repository.Sources()
        where file.Path.StartsWith("Log.", StringComparison.Ordinal)
        from seen in Seen(file.Text)
        where seen is not "Planning" and not "Net"
        select $"{file.Path} sees {seen}");

    [Fact]
    public void Every_folder_has_its_place() => Assert.Equal(
        MaySee.Keys.Order(StringComparer.Ordinal),
        Repository.Sources().Select(f => f.Path).Where(p => p.Contains('/')).Select(p => p.Split('/')[0]).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void A_file_is_in_the_namespace_of_its_folder() => Assert.Empty(
        from file in Repository.Sources()
        let folder = Path.GetDirectoryName(file.Path)!.Replace('/', '.')
        let wanted = folder.Length == 0 ? "HostGw" : "HostGw." + folder
        let actual = NamespaceLine().Match(file.Text).Groups[1].Value
        where file.Path != "Program.cs" && actual != wanted
        select $"{file.Path}: {actual}");

    // Also where a name is written out or half written out in the text, as in HostGw.Nodes.NodeStore.
    private static IEnumerable<string> Seen(string text)
    {
        string code = Comment().Replace(text, "");
        return FullName().Matches(code).Concat(HalfName().Matches(code)).Select(m => m.Groups[1].Value).Distinct();
    }

    [GeneratedRegex(@"\bHostGw\.([A-Za-z]+)")]
    private static partial Regex FullName();

    // Inside namespace HostGw, Nodes.NodeStore needs no HostGw before it.
    [GeneratedRegex(@"(?<![\w.""])(Net|Planning|Kubernetes|Settings|Platform|Nodes|Reconciliation|Diagnosis|Status|Hosting|Cli)\.[A-Z]")]
    private static partial Regex HalfName();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^namespace ([A-Za-z.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
