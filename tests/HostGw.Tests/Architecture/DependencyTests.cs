using System.Text.RegularExpressions;

namespace HostGw.Tests.Architecture;

public partial class DependencyTests
{
    // Folder → the folders that it may use, in the order of the pipeline: data flows one way. Every folder may use Net, which is a
    // global using.
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Net"] = [],
        ["Planning"] = [],
        ["Kubernetes"] = [],
        ["Settings"] = ["Planning"],
        ["Platform"] = ["Planning"],
        ["Probes"] = ["Planning", "Platform"],
        ["Nodes"] = ["Kubernetes", "Planning"],
        ["Digest"] = ["Kubernetes", "Planning", "Nodes"],
        ["Reconciliation"] = ["Planning", "Platform", "Nodes"],
        ["Problems"] = ["Planning", "Platform", "Reconciliation"],
        ["Status"] = ["Planning", "Platform", "Reconciliation", "Problems", "Kubernetes", "Digest"],
        ["Hosting"] = ["Planning", "Platform", "Probes", "Nodes", "Digest", "Kubernetes", "Reconciliation", "Status", "Settings"],
        ["Cli"] = ["Planning", "Platform", "Nodes", "Digest", "Kubernetes", "Reconciliation", "Problems", "Status", "Settings", "Hosting"],
    };

    public static TheoryData<string> Folders => [.. MayUse.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_uses_only_what_it_may(string folder)
    {
        (string Path, string Text)[] files = In(folder);
        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
            from seen in Seen(file.Text)
            where seen != folder && seen != "Net" && MayUse.ContainsKey(seen) && !MayUse[folder].Contains(seen)
            select $"{file.Path} uses {seen}");
    }

    [Fact]
    public void No_folder_may_use_a_later_one_of_the_pipeline()
    {
        string[] order = [.. MayUse.Keys];
        Assert.Empty(
            from folder in order
            from used in MayUse[folder]
            where Array.IndexOf(order, used) >= Array.IndexOf(order, folder)
            select $"{folder} may use {used}");
    }

    // What is in no folder is used by all of them.
    [Fact]
    public void What_every_folder_uses_uses_none_but_the_log_takes_planning_types() => Assert.Empty(
        from file in Repository.Sources()
        where !file.Path.Contains('/') && file.Path != "Program.cs"
        from seen in Seen(file.Text)
        where seen != "Net" && MayUse.ContainsKey(seen) && !(file.Path == "Log.cs" && seen == "Planning")
        select $"{file.Path} uses {seen}");

    // The same nodes and the same host give the same plan, everywhere and always.
    [Theory]
    [InlineData("Net")]
    [InlineData("Planning")]
    [InlineData("Problems/Rules")]
    public void What_is_pure_knows_no_file_no_network_no_clock_and_no_chance(string folder)
    {
        (string Path, string Text)[] files = In(folder);
        Assert.NotEmpty(files);
        Assert.Empty(
            from file in files
            from match in Impure().Matches(Comment().Replace(file.Text, ""))
            select $"{file.Path} uses {match.Value}");
    }

    [Fact]
    public void Every_folder_has_its_place() => Assert.Equal(
        MayUse.Keys.Order(StringComparer.Ordinal),
        Repository.Sources().Select(f => f.Path).Where(p => p.Contains('/')).Select(p => p.Split('/')[0]).Distinct()
            .Order(StringComparer.Ordinal));

    [Fact]
    public void A_file_is_in_the_namespace_of_its_folder() => Assert.Empty(
        from file in Repository.Sources()
        let folder = Path.GetDirectoryName(file.Path)!.Replace('/', '.')
        let wanted = folder.Length == 0 ? "HostGw" : "HostGw." + folder
        let actual = NamespaceLine().Match(file.Text).Groups[1].Value
        where file.Path != "Program.cs" && actual != wanted
        select $"{file.Path}: {actual}");

    private static (string Path, string Text)[] In(string folder) =>
        [.. Repository.Sources().Where(f => f.Path.StartsWith(folder + "/", StringComparison.Ordinal))];

    // Also where a name is written out or half written out in the text, as in HostGw.Nodes.NodeStore.
    private static IEnumerable<string> Seen(string text)
    {
        string code = Comment().Replace(text, "");
        return FullName().Matches(code).Concat(HalfName().Matches(code)).Select(m => m.Groups[1].Value).Distinct();
    }

    [GeneratedRegex(@"\bHostGw\.([A-Za-z]+)")]
    private static partial Regex FullName();

    // Inside namespace HostGw, Nodes.NodeStore needs no HostGw before it.
    [GeneratedRegex(@"(?<![\w.""])(Net|Planning|Kubernetes|Settings|Platform|Probes|Nodes|Reconciliation|Problems|Status|Hosting|Cli)\.[A-Z]")]
    private static partial Regex HalfName();

    [GeneratedRegex(
        @"\bSystem\.(IO(?!\.Enumeration)|Diagnostics|Threading|Net\.(Http|NetworkInformation))\b|\busing (Microsoft|Polly|Serilog|k8s)\b|" +
        @"\b(File|Directory|Path|Stream\w*|Socket|HttpClient|Process|Environment|Console|TimeProvider|Stopwatch|ILogger|Random|Task|" +
        @"Thread|Timer)\b(?=[.?<(]| \w+[,;)=])")]
    private static partial Regex Impure();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^namespace ([A-Za-z.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
