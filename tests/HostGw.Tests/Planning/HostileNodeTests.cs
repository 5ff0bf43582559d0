using System.Text;
using System.Text.Json;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.Architecture;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Planning;

// Node objects as the API would send them: what each may not do, and that it does nothing to anybody else.
public class HostileNodeTests
{
    private const string Folder = "tests/HostGw.Tests/Planning/Hostile/";

    private const string Host =
        "eth0 10.0.0.1/24 fd00:aaaa::1/64; cni0 10.244.1.1/24; default via 10.0.0.254 dev eth0; " +
        "default via 172.31.1.1 dev eth0 metric 9; resolver 10.7.7.7; api 10.6.0.10";

    private static readonly string[] Others =
        ["self 10.244.1.0/24 10.0.0.1", "victim 10.244.3.0/24 10.0.0.3", "remote 10.244.4.0/24 10.20.0.5",
            "young 10.244.5.0/24 10.0.0.5 age=2000000000"];

    public static TheoryData<string, string, string> Cases()
    {
        TheoryData<string, string, string> cases = [];
        foreach (string line in File.ReadLines(Repository.PathTo(Folder + "verdicts.txt")).Where(l => !l.StartsWith('#')))
        {
            string[] words = [.. line.Split(' ', 3), ""];
            cases.Add(words[0], words[1], words[2]);
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_hostile_node_gets_its_verdict_and_changes_nobody_elses(string file, string verdict, string reason) =>
        Check(Read(File.ReadAllBytes(Repository.PathTo($"{Folder}{file}.json"))), verdict, reason);

    // Too long for a file: what stands in the middle of the node, how often, and what becomes of it.
    [Theory]
    [InlineData("labels", 100_000, "routed", "")]
    [InlineData("podCIDRs", 5_000, "rejected", "overlaps 10.244.3.0/24 of the older node victim")]
    [InlineData("addresses", 5_000, "notAdjacent", "203.0.113.9 is not on this host's segment (eth0)")]
    [InlineData("digits", 100_000, "rejected", "podCIDR '9999999999999999999999999999999999999999999999999999999999999999' is not a CIDR")]
    public void Size_alone_does_no_harm(string what, int count, string verdict, string reason)
    {
        string Repeated(string wanted, string item) => what == wanted ? string.Join(',', Enumerable.Repeat(item, count)) : "";
        string podCidrs = what switch
        {
            "podCIDRs" => Repeated(what, "\"10.244.3.4/30\""),
            "digits" => $"\"{new string('9', count)}\"",
            _ => "\"10.244.9.0/24\"",
        };
        string addresses = what == "addresses" ? Repeated(what, """{"type":"InternalIP","address":"203.0.113.9"}""")
            : """{"type":"InternalIP","address":"10.0.0.66"}""";
        string labels = what == "labels" ? string.Join(',', Enumerable.Range(0, count).Select(i => $"\"l{i}\":\"v\"")) : "";

        string metadata = $$$"""{"name":"hostile","uid":"9","labels":{{{{labels}}}}}""";
        string spec = $$$"""{"podCIDRs":[{{{podCidrs}}}]}""";
        string status = $$$"""{"addresses":[{{{addresses}}}]}""";
        string node = $$$"""{"metadata":{{{metadata}}},"spec":{{{spec}}},"status":{{{status}}}}""";
        Check(Read(Encoding.UTF8.GetBytes(node)), verdict, reason);
    }

    [Fact]
    public void Every_file_of_the_corpus_has_its_verdict()
    {
        string[] files = [.. Directory.EnumerateFiles(Repository.PathTo(Folder), "*.json")
            .Select(f => Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal)];
        Assert.Equal(files, Cases().Select(c => c.Data.Item1).Order(StringComparer.Ordinal));
        Assert.All(files, f => JsonDocument.Parse(File.ReadAllBytes(Repository.PathTo($"{Folder}{f}.json"))).Dispose());
    }

    private static void Check(ClusterNode hostile, string verdict, string reason)
    {
        HostState host = Given.Host(Host);
        Policy policy = Given.Policy("serviceCidrs=10.96.0.0/12,fd00:96::/112");
        Plan before = Planner.Plan(Given.Nodes(Others), host, policy);
        Plan plan = Planner.Plan([.. Given.Nodes(Others).Append(hostile).OrderBy(n => n.Name, StringComparer.Ordinal)], host, policy);

        Verdict first = plan.Verdicts.First(v => ReferenceEquals(v.Node, hostile));
        Assert.Equal(verdict, VerdictNames.Of(first.Kind));
        Assert.Contains(reason, first.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(first.Reason, char.IsControl);
        // An address that two nodes list is reported at both.
        Assert.Equal(Shown.Verdicts(before), plan.Verdicts.Where(v => !ReferenceEquals(v.Node, hostile))
            .Select(v => Shown.Verdict(v).Replace($": node hostile lists its address {v.NextHop}, too, and packets for both go to the one " +
                "that answers", "", StringComparison.Ordinal)));
        Assert.Equal(before.Routes, plan.Routes.Where(r =>
            !plan.Verdicts.Any(v => ReferenceEquals(v.Node, hostile) && v.Kind == VerdictKind.Routed && v.PodCidr == r.Destination)));
        Assert.Equal(PlanScope.Everything, plan.Scope);
    }

    private static ClusterNode Read(byte[] json)
    {
        List<ClusterNode> nodes = [];
        NodeDraft draft = new(NodeSelector.Everything);
        ListWatchDecoder decoder = new(isWatch: false, draft, _ => nodes.Add(draft.Build()));
        decoder.Decode(NodeProtobuf.ListOf("5", Encoding.UTF8.GetString(json)), isFinal: true);
        return Assert.Single(nodes);
    }
}
