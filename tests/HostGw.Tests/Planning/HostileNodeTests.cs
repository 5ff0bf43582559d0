using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
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

    // A Node with hostile values in every field, younger than all others, in any cluster. Whoever lists an address that it lists, too, may
    // be reached by another one of its own.
    [Fact]
    public void Whatever_a_Node_says_the_plan_is_the_same_but_for_its_own_routes() => Always.Holds(
        (from cluster in NastyCluster.Any.Generator
         from more in Gen.Elements("", " cni=on", " nat.exemptNodes", " clusterRoute=on policyRule=on")
         from node in AnyHostileNode
         select (Cluster: cluster with { Policy = cluster.Policy + more }, Node: node)).ToArbitrary(),
        given => CheckOthers(given.Cluster, given.Node),
        count: 3000);

    private static void CheckOthers(NastyCluster cluster, string json)
    {
        (HostState host, Policy policy) = (cluster.HostState, Given.Policy(cluster.Policy));
        ClusterNode hostile = Read(Encoding.UTF8.GetBytes(json), policy.NodeSelector);
        ClusterNode[] others = [.. cluster.AllNodes];
        Plan before = Planner.Plan(others, host, policy);
        Plan after = Planner.Plan([.. others.Append(hostile).OrderBy(n => n.Name, StringComparer.Ordinal)], host, policy);

        Verdict[] its = [.. after.Verdicts.Where(v => ReferenceEquals(v.Node, hostile))];
        Prefix[] granted = [.. its.Where(v => v.Kind != VerdictKind.Rejected && !v.PodCidr.IsNone).Select(v => v.PodCidr)];
        Ip[] listed = [.. Addresses(hostile)];
        HashSet<ClusterNode> sharing = [.. others.Where(n => Addresses(n).Intersect(listed).Any())];
        // No next hop of before, but for another reason.
        HashSet<Prefix> withHopInItsPods =
            [.. others.Where(n => Hops(n).Any(a => IsInItsPods(Prefix.Host(a)))).SelectMany(n => n.PodCidrs)];
        HashSet<Prefix> theirs = [.. others.Where(sharing.Contains).SelectMany(n => n.PodCidrs)];

        Assert.Equal(OfTheHost(before), OfTheHost(after));
        Assert.Equal(
            before.ClusterRoutes.Where(c => !IsInItsPods(c.Destination)), after.ClusterRoutes.Where(c => !IsInItsPods(c.Destination)));
        Assert.Equal(
            before.Routes.Where(r => !theirs.Contains(r.Destination) && !IsInItsPods(r.Destination)),
            after.Routes.Where(r => !theirs.Contains(r.Destination) && !IsInItsPods(r.Destination)));
        Assert.Equal(Waiting(before), Waiting(after));
        Assert.Equal(Said(before), Said(after));
        Assert.Equal(
            before.Verdicts.Where(v => sharing.Contains(v.Node)).Select(v => (v.Node.Name, v.PodCidr, v.Kind == VerdictKind.Routed)),
            after.Verdicts.Where(v => sharing.Contains(v.Node)).Select(v => (v.Node.Name, v.PodCidr, v.Kind == VerdictKind.Routed)));
        Assert.All(
            after.Verdicts.Where(v => sharing.Contains(v.Node) && v.Kind == VerdictKind.Routed),
            v => Assert.True(v.PodCidr.Contains(v.NextHop) || Hops(v.Node).Contains(v.NextHop)));
        Ip[] exempt = policy.Nat.ExemptNodes ? listed : [];
        Assert.Equal(Exempt(before, granted, exempt), Exempt(after, [], exempt));

        bool IsInItsPods(Prefix prefix) => granted.Any(p => p.Contains(prefix));

        Prefix[] Waiting(Plan plan) => [.. plan.Waiting.Where(p => !IsInItsPods(p) && !withHopInItsPods.Contains(p))];

        string[] Said(Plan plan) => [.. plan.Verdicts.Where(v => !ReferenceEquals(v.Node, hostile) && !sharing.Contains(v.Node))
            .Select(v => (withHopInItsPods.Contains(v.PodCidr) ? $"{v.PodCidr}" : Shown.Verdict(v)) +
                $" {v.NextHop} {v.Interface} {v.Fault}")];
    }

    // All that a plan says of the host itself.
    private static object?[] OfTheHost(Plan plan) =>
    [
        plan.Scope, plan.KnowsSelf, string.Join('|', plan.Faults), plan.ApiServerRoute,
        plan.Nat! with { Exempt = [] }, string.Join('|', plan.ForwardAccept), plan.Cni, plan.ForwardIPv4, plan.ForwardIPv6,
        string.Join('|', plan.PolicyRules), plan.InterfaceIPv4, plan.InterfaceIPv6, string.Join('|', plan.OwnPodCidrs),
    ];

    // What is not masqueraded, with these prefixes and addresses.
    private static Prefix[] Exempt(Plan plan, Prefix[] podCidrs, Ip[] addresses)
    {
        IEnumerable<Prefix> more = podCidrs.Select(p => p.Aligned).Concat(addresses.Select(Prefix.Host));
        return [.. new PrefixForest(plan.Nat!.Exempt.Concat(more.Where(p => p.IsIPv4 ? plan.Nat.IPv4 : plan.Nat.IPv6))).Roots()];
    }

    private static IEnumerable<Ip> Hops(ClusterNode node) => Addresses(node).Concat(node.NextHopOverride ?? []);

    private static Ip[] Addresses(ClusterNode node) => [.. node.InternalIPs, .. node.ExternalIPs];

    private static Gen<string> AnyHostileNode { get; } =
        from name in Gen.OneOf(Gen.Elements("0", "SELF", "self ", "self\n", "zz", "${self}", "../self"), AnyNode.Text.Select(t => $"x{t}"))
        from uid in Gen.OneOf(Gen.Elements("", "0", "uid-self", "uid-n0"), AnyNode.Text)
        from podCidrs in Gen.OneOf(NastyCluster.PodCidr, NastyCluster.PodCidr, NastyCluster.PodCidr, AnyNode.Text).ArrayOf().Resize(4)
        from addresses in Gen.Elements("InternalIP", "InternalIP", "ExternalIP", "Hostname", "")
            .Zip(Text(NastyCluster.Address)).ArrayOf().Resize(5)
        from hop in Text(NastyCluster.Address)
        from skip in Text(Gen.Elements("true", "false", "yes", ""))
        from annotated in Gen.Choose(0, 3)
        from zone in Text(Gen.Elements("a", "b"))
        from os in Text(Gen.Elements("linux", "windows", ""))
        select new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["uid"] = uid,
                ["creationTimestamp"] = "2090-01-01T00:00:00Z",
                ["labels"] = new JsonObject { ["zone"] = zone, ["kubernetes.io/os"] = os },
                ["annotations"] = new JsonObject
                {
                    [(annotated & 1) == 0 ? "other" : NodeDraft.NextHopAnnotation] = hop,
                    [(annotated & 2) == 0 ? "another" : NodeDraft.SkipAnnotation] = skip,
                },
            },
            ["spec"] = new JsonObject { ["podCIDRs"] = new JsonArray([.. podCidrs]) },
            ["status"] = new JsonObject
            {
                ["addresses"] = new JsonArray([.. addresses.Select(a => new JsonObject { ["type"] = a.Item1, ["address"] = a.Item2 })]),
                ["nodeInfo"] = new JsonObject { ["operatingSystem"] = os },
            },
        }.ToJsonString();

    private static Gen<string> Text(Gen<string> usual) => Gen.Frequency((4, usual), (1, AnyNode.Text));

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

    private static ClusterNode Read(byte[] json, NodeSelector? selector = null)
    {
        List<ClusterNode> nodes = [];
        NodeDraft draft = new(selector ?? NodeSelector.Everything);
        ListWatchDecoder decoder = new(isWatch: false, draft, _ => nodes.Add(draft.Build()));
        decoder.Decode(NodeProtobuf.ListOf("5", Encoding.UTF8.GetString(json)), isFinal: true);
        return Assert.Single(nodes);
    }
}
