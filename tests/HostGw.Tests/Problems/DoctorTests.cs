using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;
using HostGw.Tests.Architecture;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Problems;

public partial class DoctorTests
{
    private const string Healthy =
        Given.Lan + "; br0 10.244.1.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157";
    private const string HealthyByGateway =
        Given.Lan + "; 10.244.2.0/24 via 10.244.2.1 dev eth0 proto 157; 10.244.3.0/24 via 10.244.3.1 dev eth0 proto 157";

    private const string Dual = Given.Lan + "; 10.244.2.0/24 via 10.0.0.9 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.9 dev eth0 proto 157; " +
        "fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0 proto 157 metric 1024; fd00:10:244:3::/64 via fd00:aaaa::3 dev eth0 proto 157 metric 1024";

    private static readonly string[] Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.0.0.3"];

    /// <summary>What is broken, which rules find it, and a word of what they say.</summary>
    private static readonly Dictionary<string, (Func<Examination> Seen, string[] Rules, string Word)> Broken = new()
    {
        ["the API server does not answer"] = (
            () => new() { Policy = Policy(), ApiProblem = "No answer from https://192.0.2.1" },
            ["apiServer"], "192.0.2.1"),
        ["an expired token"] = (
            () => Of() with { Now = Noon, Credentials = [new("the token /t", Noon.AddHours(-2), Noon.AddHours(-1))] },
            ["credential"], "the token /t expired at 2026-01-02T11:00:00Z"),
        ["a certificate of tomorrow"] = (
            () => Of() with { Now = Noon, Credentials = [new("the certificate authority /c", Noon.AddHours(1), Noon.AddHours(2))] },
            ["credential"], "only from 2026-01-02T13:00:00Z"),
        ["a clock that is slow"] = (() => Of() with { ServerClock = TimeSpan.FromSeconds(90) }, ["clock"], "90 s behind"),
        ["a clock that is fast"] = (() => Of() with { ServerClock = TimeSpan.FromSeconds(-61) }, ["clock"], "61 s ahead of"),
        ["no rights"] = (() => Facts(f => f with { MayChangeNetwork = false }), ["rights"], "NET_ADMIN"),
        ["rules that cannot be read"] = (() => Of() with { Failures = ["list the nftables: EINVAL"] }, ["unreadable"], "EINVAL"),
        ["no Node of our own"] = (() => Of(nodes: Nodes[1..]), ["ownNode"], "'self'"),
        ["shards of the digest that are rejected"] = (
            () => Of() with { Digest = new([new("hostgw-nodes-007", "it was edited")], IsPartial: false, 42) },
            ["digestShardRejected"], "hostgw-nodes-007 in namespace hostgw-digest); the first: it was edited"),
        ["a digest that is not renewed"] = (
            () => Of() with { Digest = new([], IsPartial: false, 42) { Stale = "its Lease is old" } },
            ["digestStale"], "is not renewed: its Lease is old"),
        ["no podCIDR of our own"] = (() => Of(nodes: ["self - 10.0.0.1", .. Nodes[1..]]), ["noPodCidr"], "--pod-network-cidr"),
        ["a podCIDR of our own outside of the cluster's"] = (
            () => Of("clusterCidrs=10.99.0.0/16", nodes: [Given.Self]),
            ["ownPodCidr"], "10.244.1.0/24"),
        ["a podCIDR of our own that an older Node holds"] = (
            () => Of(nodes: ["old 10.244.1.0/24 10.0.0.9", .. Nodes]), ["ownPodCidr"], "kubectl delete node self"),
        ["the interface is down"] = (
            () => Of(host: Healthy.Replace("eth0 10", "eth0 down 10", StringComparison.Ordinal)),
            ["interface"], "eth0 is down"),
        ["an address of this node that another machine has"] = (
            () => With(Of(), h => h with { DuplicateAddresses = [new(Ip.Parse("fd00:aaaa::1"), Prefix.Parse("fd00:aaaa::/64"), 2)] }),
            ["duplicateAddress"], "ip addr add fd00:aaaa::1/64 dev eth0"),
        ["a peer on another segment"] = (() => WithPeer("d 10.244.4.0/24 192.0.2.4"), ["notAdjacent"], "hostgw.io/skip"),
        ["a peer without podCIDR"] = (() => WithPeer("d - 10.0.0.4"), ["noPodCidr"], "--allocate-node-cidrs"),
        ["clusterCidrs over the addresses of nodes"] = (
            () => Of("clusterCidrs=10.0.0.0/8"), ["ownNode"], "narrow clusterCidrs to the pod networks"),
        ["a peer without an address"] = (() => WithPeer("d 10.244.4.0/24 -"), ["noAddress"], "--node-ip"),
        ["a peer with a duplicate podCIDR"] = (() => WithPeer("d 10.244.2.0/24 10.0.0.4"), ["rejected"], "node d 10.244.2.0/24"),
        ["a resolver inside a peer's podCIDR"] = (
            () => Of(host: Healthy + "; resolver 10.244.4.53", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]),
            ["rejected"], "name a resolver outside of the pod networks in this host's /etc/resolv.conf"),
        ["a peer with a podCIDR of rubbish"] = (() => WithPeer("d rubbish 10.0.0.4"), ["rejected"], "is not a CIDR"),
        ["a peer whose address is a router's"] = (
            () => Of(host: Healthy + "; 10.244.4.0/24 via 10.0.0.254 dev eth0 proto 157", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.254"]),
            ["nextHop"], "gateway of this host"),
        ["a cluster route that would cover a resolver"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"),
            ["clusterRoute"], "10.244.0.0/16"),
        ["a next hop that does not answer"] = (() => Knows("10.0.0.2 -"), ["unanswered"], "the pods of b"),
        ["a gateway that does not answer"] = (() => Knows("10.244.2.1 -", "PodGateway", HealthyByGateway), ["unanswered"], "arp_ignore"),
        ["a MAC address written by hand"] = (
            () => Knows("10.0.0.2 02:00:00:00:00:99 fixed"),
            ["fixedNeighbour"], "ip neigh del 10.0.0.2 dev eth0"),
        ["a gateway that another answers for"] = (
            () => Knows("10.244.2.1 02:00:00:00:00:99; 10.0.0.2 02:00:00:00:00:02", "PodGateway", HealthyByGateway),
            ["otherMac"], "answered by 02:00:00:00:00:99"),
        ["a router that answers for all nodes"] = (
            () => Knows("10.0.0.2 02:00:00:00:00:fe; 10.0.0.3 02:00:00:00:00:fe"),
            ["sharedMac"], "b, c are answered"),
        ["the host's own router that answers for a node"] = (
            () => Knows("10.0.0.2 02:00:00:00:00:fe; 10.0.0.254 02:00:00:00:00:fe"),
            ["sharedMac"], "b, this host's gateway are answered"),
        ["two nodes with one address"] = (
            () => Of(host: Dual, nodes: [Given.Self, $"b {DualPodCidrs(2)} 10.0.0.9,fd00:aaaa::2", $"c {DualPodCidrs(3)} 10.0.0.9,fd00:aaaa::3"])
            with
            {
                Neighbours = Neighbours("10.0.0.9 02:00:00:00:00:03; fd00:aaaa::2 02:00:00:00:00:02; fd00:aaaa::3 02:00:00:00:00:03"),
            },
            ["nextHop", "nextHop"], "node c lists its address 10.0.0.9, too"),
        ["a node that is the gateway as well"] = (
            () => Of(host: Dual, nodes: [Given.Self, $"b {DualPodCidrs(2)} 10.0.0.254,fd00:aaaa::2"]) with
            {
                Neighbours = Neighbours("10.0.0.254 02:00:00:00:00:fe; fd00:aaaa::2 02:00:00:00:00:fe"),
            },
            ["nextHop", "routes"], "gateway of this host"),
        ["a network that drops pods' packets"] = (
            () => Of() with { Reachability = Dropping }, ["podTrafficDropped"],
            "do not arrive at 1 node: b (10.244.2.0/24): probes between the nodes' addresses are answered"),
        ["a tunnel that cannot be"] = (
            () => WithTunnel(h => h with { GuardObstacle = "no nf_tables" }, "10.244.2.0/24 Compared"),
            ["podTrafficDropped", "tunnelRefused"], "no tunnel to peers that native routing cannot reach: no nf_tables"),
        ["a tunnel whose own address a pod may get"] = (
            () => WithTunnel(h => h with { SourceObstacle = "it is not known" }, "10.244.2.0/24 Compared"),
            ["podTrafficDropped", "tunnelSourceAtRisk"], "the tunnel goes on with 10.244.1.1"),
        ["a tunnel that a firewall blocks"] = (
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel"), ["tunnelUnanswered"],
            "do not arrive at 1 node: b (10.244.2.0/24): probes between the nodes' addresses are answered, those through the tunnel are not"),
        ["peers of which nothing is heard any more"] = (
            () => Of() with
            {
                Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Unreachable, 0u), ("10.244.3.0/24", ReachKind.Unreachable, 0u)),
            },
            ["unreachable"], "by 2 nodes: b (10.244.2.0/24), c (10.244.3.0/24)"),
        ["pods of a Windows node that answer no more"] = (
            () => Of() with { Reachability = Reports.Silent("10.244.2.0/24") }, ["podsSilent"], "silent since 2026-01-02 02:00:00 UTC"),
        ["a network that drops large packets"] = (
            () => Of() with { SizeAnswers = [Sized("b", isLong: false), Sized("c", isLong: true)] }, ["pathMtu"],
            "packets of 1500 bytes, the MTU of eth0, do not arrive at b (10.244.2.0/24), and small ones do"),
        ["IPv4 forwarding off"] = (
            () => Of() with { Host = Host() with { Forwarding = new(false, true) } },
            ["forwarding"], "net.ipv4.ip_forward=1"),
        ["IPv6 forwarding off"] = (
            () => Of() with { Host = Host() with { Forwarding = new(true, false) } },
            ["forwarding"], "net.ipv6.conf.all.forwarding=1"),
        ["IPv6 forwarding off where router advertisements give the default route"] =
            (() => Of() with { Host = Learning(Host()) with { Forwarding = new(true, false) } },
            ["forwarding"], "sysctl -w net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.br0.accept_ra=0 net.ipv6.conf.all.forwarding=1;"),
        ["forwarding that cannot be read"] = (
            () => Of() with { Host = Host() with { Forwarding = new(null, true) } },
            ["forwarding"], "procSysNet"),
        ["forwarding off on the uplink"] = (
            () => ForwardingOffOn("eth0", Healthy),
            ["forwarding"], "net.ipv4.conf.eth0.forwarding=1"),
        ["forwarding off on the bridge of pods"] = (
            () => ForwardingOffOn("br0", Healthy), ["forwarding"], "net.ipv4.conf.br0.forwarding=1"),
        ["forwarding off on an uplink with a dot"] = (
            () => ForwardingOffOn("eth0.5", Healthy.Replace("eth0", "eth0.5", StringComparison.Ordinal)),
            ["forwarding"], "net.ipv4.conf.eth0/5.forwarding=1"),
        ["forwarding off for new interfaces"] = (
            () => Of() with { Host = Host() with { NewInterfacesForwardIPv4 = false } },
            ["forwarding"], "net.ipv4.conf.default.forwarding=1"),
        ["an uplink plugged in again whose default route does not come back"] = (
            () => Of() with { Host = AcceptRa("eth0", 1) }, ["routerAdvertisements"], "net.ipv6.conf.eth0.accept_ra=2"),
        ["pods whose router advertisements the host takes"] = (
            () => Of() with { Host = AcceptRa("br0", 2) }, ["routerAdvertisements"], "net.ipv6.conf.br0.accept_ra=0"),
        ["strict rp_filter on a second way to a peer"] = (
            () => Of(host: Healthy + "; eth1 10.0.0.77/24") with
            {
                Facts = new() { ReversePathFilters = new Dictionary<string, int> { ["eth1"] = 1 } },
            },
            ["rpFilter"], "net.ipv4.conf.eth1.rp_filter=2"),
        ["strict rp_filter on a second way to a peer with an ExternalIP only"] = (
            () => Of(host: Healthy + "; eth1 10.0.0.77/24", nodes: [.. Nodes.Select(OnlyExternal)]) with
            {
                Facts = new() { ReversePathFilters = new Dictionary<string, int> { ["eth1"] = 1 } },
            },
            ["rpFilter"], "net.ipv4.conf.eth1.rp_filter=2"),
        ["arp_ignore with gateways inside podCIDRs"] = (
            () => Of("PodGateway", HealthyByGateway) with { Facts = new() { ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 } } },
            ["arpIgnore"], "strictARP"),
        ["a small neighbour table"] = (
            () => Facts(f => f with { NeighbourLimitIPv4 = 7, NeighbourLimitIPv6 = 8 }),
            ["neighbourLimit"], "net.ipv4.neigh.default.gc_thresh3=8"),
        ["a chain that drops"] = (
            () => Of() with { ForwardChange = "iptables-nft, IPv4: accept 10.244.1.0/24" },
            ["forwardDrop"], "iptables-nft"),
        ["a drop of firewalld"] = (() => Of() with { Obstacles = ["firewalld drops forwarded packets"] }, ["foreignDrop"], "firewalld"),
        ["a masquerade rule that another left"] = (
            () => Of() with { Leftovers = [new("the rule of flannel", () => { })] },
            ["foreignMasquerade"], "adopt --rules"),
        ["rules that iptables cannot list"] = (
            () => Of() with { Leftovers = [new("whether a rule drops is unknown (iptables-legacy-save: exit code 1)", null)] },
            ["unreadable"], "exit code 1)\nput right what"),
        ["a rule that an ipset decides"] = (
            () => Of() with { Doubts = [new("the rule of crowdsec", "ipset list crowdsec shows it")] },
            ["foreignSet"], "ipset list crowdsec shows it; this finding remains"),
        ["no masquerade rule"] = (() => Of() with { NatChange = "created" }, ["masquerade"], "(created)"),
        ["pods with a larger MTU"] = (
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)),
            ["mtu"], "br0 (9000)"),
        ["pods with addresses of a former podCIDR"] = (
            () => Of(host: Healthy +
                "; vethab12cd 10.244.9.1/32 fd00:10:244:9::1/128; 10.244.9.5/32 dev vethab12cd; fd00:10:244:9::5/128 dev vethab12cd"),
            ["formerPods"], "10.244.9.5, fd00:10:244:9::5;"),
        ["pods with addresses of a podCIDR that is another node's by now"] = (
            () => Of(host: Healthy + "; cali1; 10.244.2.5/32 dev cali1"), ["formerPods"], "10.244.2.5;"),
        ["a bridge of pods with a former podCIDR"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56", Healthy + "; cni0 10.244.9.1/24"),
            ["formerPods"], "ip link delete cni0"),
        ["a route of others in the place of ours"] = (
            () => Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 12", StringComparison.Ordinal)),
            ["conflict"], "ip route del 10.244.2.0/24 proto 12"),
        ["an interface of another podCIDR on Windows"] = (
            () => OnWindows(Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56", Healthy + "; cni0 10.244.9.1/24")),
            ["formerPods"], "then remove its HNS network (Get-HnsNetwork lists them, Remove-HnsNetwork removes one), "),
        ["the same on Windows"] = (
            () => OnWindows(
                // Windows's protocol numbers begin at 256.
                Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 268", StringComparison.Ordinal))),
            ["conflict"], "Remove-NetRoute -DestinationPrefix 10.244.2.0/24 -InterfaceIndex 2 -NextHop 10.0.0.9"),
        ["a route of others inside a peer's podCIDR"] = (
            () => Of(host: Healthy + "; 10.244.2.128/25 via 10.0.0.9 dev eth0 proto 4"),
            ["shadowed"], "ip route del 10.244.2.128/25 proto 4"),
        ["a blackhole inside a peer's podCIDR"] = (
            () => Of(host: Healthy + "; 10.244.2.128/25 dev eth0 blackhole proto 4"),
            ["shadowed"], "a blackhole or other special route to 10.244.2.128/25"),
        ["a VPN's policy rule"] = (
            () => Of() with
            {
                Overrides =
                [
                    new("policy rule 5270: from all lookup 52", "from this node's pods to other nodes' pods", "table 52 (10.244.0.0/16 dev vpn0)",
                        "ip rule del pref 5270 from all lookup 52", new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") }) { IsByRule = true },
                ],
            },
            ["overridden"], "policyRule"),
        ["a blackhole in the place of the probe address"] = (
            () => Of() with { ProbeObstacles = [CatalogueCureTests.ProbeBlackhole] },
            ["probeAddress"], "the blackhole route 10.244.1.0/32 of protocol static"),
        ["probes that are not received"] = (
            () => Of() with { Reachability = new([]) { Fault = "Address already in use" } },
            ["probesNotReceived"], "Address already in use"),
        ["no policy rule for table main, and for that no API server"] = (
            () => new()
            {
                Policy = Policy(),
                ApiProblem = "No answer from https://192.0.2.1",
                Host = new() { PolicyRules = Given.PolicyRules("no main; 1000 from 10.244.1.0/24 lookup main") },
            },
            ["overridden", "apiServer"], "ip rule add pref 32766 lookup main"),
        ["a policy rule on what nobody knows of packets"] = (
            () => WithRules("1000 tos 0x10 lookup 100; 1001 fwmark 0x1 lookup 100; 1002 from 10.9.0.0/16 to 10.9.0.0/16 tos 0x10 lookup 100; " +
                "1003 from 10.0.0.1 tos 0x10 lookup 100"),
            ["ruleNotJudged"], "ip rule del pref 1000 from all tos 0x10 lookup 100"),
        ["a route that is missing"] = (() => Of(host: Healthy[..Healthy.LastIndexOf(';')]), ["routes"], "1 missing, 0 wrong, 0 of"),
        ["a route of a node that is gone"] = (() => Of(nodes: Nodes[..^1]), ["routes"], "0 missing, 0 wrong, 1 of"),
        ["flannel on the same host"] = (
            () => Facts(f => f with { Programs = new HashSet<string> { "flanneld", "bash" } }),
            ["otherAgent"], "flanneld"),
        ["flannel in a pod"] = (() => Of(host: Healthy + "; flannel.1 172.31.0.0/32"), ["otherAgent"], "ip link delete flannel.1"),
        ["systemd-networkd that removes routes"] = (
            () => Facts(f => f with { NetworkdRemovesRoutes = true }),
            ["networkd"], "ManageForeignRoutes=no"),
        ["CNI plugins that are missing"] = (
            () => Of("cni=on") with { Facts = new() { MissingCniPlugins = ["ptp"] } },
            ["cniPlugins"], "ptp"),
    };

    // Without the flag, drain stops at the first pod with an emptyDir.
    [Fact]
    public void Whoever_is_told_to_drain_is_told_what_is_deleted()
    {
        string[] told = [.. from state in AllStates()
                            from problem in Doctor.Examine(state())
                            from text in (string[])[problem.Text, problem.Cure]
                            where text.Contains("kubectl drain", StringComparison.Ordinal) ||
                                text.Contains("kubectl delete node", StringComparison.Ordinal)
                            select text];
        Assert.All(told.Append(File.ReadAllText(Repository.PathTo("docs/troubleshoot.md")).Replace("`", "", StringComparison.Ordinal)),
            text => Assert.Matches("kubectl drain (self|NODE) --ignore-daemonsets --delete-emptydir-data " +
                @"\(which deletes what pods keep in emptyDir volumes\), ", text));
        Assert.Contains(told, t => t.Contains("ip link delete", StringComparison.Ordinal));
        Assert.Contains(told, t => t.Contains("accept the older claim", StringComparison.Ordinal));
        Assert.Contains(told, t => t.Contains("labels and taints", StringComparison.Ordinal));
    }

    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string> Cases => [.. Broken.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_broken_is_found_and_nothing_else(string what)
    {
        (Func<Examination> seen, string[] rules, string word) = Broken[what];
        IReadOnlyList<Problem> problems = Doctor.Examine(seen());

        Assert.Equal(rules, problems.Select(p => p.Rule));
        Assert.Contains(problems, p => $"{p.Text}\n{p.Cure}".Contains(word, StringComparison.Ordinal));
        Assert.DoesNotContain(problems, p => p.Cure.Length > 0 && p.Text.Contains(p.Cure, StringComparison.Ordinal));
        Assert.All(problems, p => Assert.NotEqual("", p.Cure));
    }

    [Fact]
    public void Every_rule_is_tried_here_and_explained_on_the_page_of_the_doctor()
    {
        IEnumerable<string> inSources = Repository.Sources()
            .Where(f => f.Path.StartsWith("Problems/Rules/", StringComparison.Ordinal))
            .SelectMany(f => RuleName().Matches(f.Text)).Select(m => m.Groups[1].Value);
        IEnumerable<string> ofVerdicts = Enum.GetValues<VerdictKind>().Where(k => k > VerdictKind.Skipped).Select(VerdictNames.Of);
        string[] tried =
            [.. Broken.Values.SelectMany(b => b.Rules).Append("waiting").Append("noGateway").Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(tried, inSources.Concat(ofVerdicts).Append("nextHop").Distinct().Order(StringComparer.Ordinal));

        Assert.Equal(tried, OnPage().Order(StringComparer.Ordinal));
    }

    // "Cure the first finding first." The first rule is for faults of table main that hide the API server, and is there a second time.
    [Fact]
    public void The_page_of_the_doctor_has_the_rules_in_the_order_of_cause_and_effect()
    {
        Examination[] all = [.. Broken.Values.Select(b => b.Seen())];
        int[] places = [.. OnPage().Select(PlaceOf).Where(place => place >= 0)];
        Assert.True(places.Length > 30);
        Assert.Equal(places.Order(), places);

        int PlaceOf(string rule) =>
            Doctor.Rules.ToList().FindIndex(1, find => all.Any(seen => find(seen).Any(p => p.Rule == rule)));
    }

    private static IEnumerable<string> OnPage() =>
        RuleRow().Matches(File.ReadAllText(Repository.PathTo("docs/doctor.md"))).SelectMany(m => m.Groups[1].Captures.Select(c => c.Value));

    [Fact]
    public void The_neighbours_asked_for_are_next_hops_their_nodes_and_the_gateway()
    {
        Examination seen = Of("PodGateway", HealthyByGateway);
        Assert.Equal(
            ["10.0.0.2", "10.0.0.254", "10.0.0.3", "10.244.2.1", "10.244.3.1"],
            NeighbourRules.Wanted(seen.Plan!, seen.Host)
                .Where(n => n.Interface == seen.Host.Interfaces.Single(i => i.Name == "eth0").Index)
                .Select(n => n.Address.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void On_a_host_in_order_nothing_is_found() => Assert.Empty(Doctor.Examine(Of()));

    [Theory]
    [InlineData("Unknown")]
    [InlineData("Reachable")]
    [InlineData("ProbeFiltered")]
    public void A_peer_whose_pods_are_reached_or_that_never_answered_is_no_finding(string kind) =>
        Assert.Empty(Doctor.Examine(Of() with { Reachability = Reports.Of(("10.244.2.0/24", Enum.Parse<ReachKind>(kind), 0u)) }));

    [Fact]
    public void A_peer_elsewhere_whose_pods_the_network_reaches_is_no_finding_and_without_an_agent_the_cure_says_how_to_know()
    {
        Examination elsewhere = WithPeer("d 10.244.4.0/24 192.0.2.4");
        Problem unknown = Assert.Single(Doctor.Examine(elsewhere));
        Assert.EndsWith(HostGw.Problems.Cures.RoutedByNetwork, unknown.Cure, StringComparison.Ordinal);

        Problem silent = Assert.Single(Doctor.Examine(
            elsewhere with { Reachability = Reports.Of(("10.244.4.0/24", ReachKind.PodTrafficDropped, 0u)) }));
        Assert.Equal(unknown.Text, silent.Text);
        Assert.DoesNotContain(HostGw.Problems.Cures.RoutedByNetwork, silent.Cure, StringComparison.Ordinal);

        Assert.Empty(Doctor.Examine(elsewhere with { Reachability = Reports.Of(("10.244.4.0/24", ReachKind.RoutedByNetwork, 900u)) }));
    }

    public static TheoryData<string, string> Platforms => new()
    {
        { "Aws", "--no-source-dest-check" },
        { "Azure", "IP forwarding" },
        { "GoogleCloud", "--can-ip-forward" },
        { "OracleCloud", "--skip-source-dest-check" },
        { "HetznerCloud", "hcloud network add-route" },
        { "OpenStack", "openstack port set --allowed-address" },
        { "HyperV", "port ACLs" },
        { "VMware", "SpoofGuard" },
        { "Qemu", "ipfilter" },
    };

    [Theory]
    [MemberData(nameof(Platforms))]
    public void On_a_platform_that_is_recognized_the_cure_is_that_platforms_and_the_page_of_networks_has_it(string platform, string command)
    {
        Problem problem = Assert.Single(Doctor.Examine(On(Enum.Parse<MachinePlatform>(platform))));
        Assert.Contains(command, problem.Cure, StringComparison.Ordinal);
        Assert.Contains(command, File.ReadAllText(Repository.PathTo("docs/networks.md")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Every_platform_has_a_cure() => Assert.Equal(
        Enum.GetNames<MachinePlatform>().Except([nameof(MachinePlatform.Unknown)]).Order(StringComparer.Ordinal),
        Platforms.Select(p => p.Data.Item1).Order(StringComparer.Ordinal));

    private static Examination On(MachinePlatform platform) =>
        Of() with { Reachability = Dropping, Facts = new() { Platform = platform } };

    // Interfaces and settings as most hosts have them, which do no harm here.
    [Fact]
    public void What_does_no_harm_is_no_finding()
    {
        const string Harmless = "; default via fd00:aaaa::fe dev eth0; eth1 192.168.7.1/24; 10.99.0.0/16 via 10.0.0.9 dev eth0 proto 4" +
            "; wg0 10.8.0.1/32; 10.8.0.2/32 dev wg0; 10.0.0.254/32 dev eth0; veth7; veth8 10.244.1.1/32; 10.244.1.9/32 dev veth8";
        Examination seen = Of(host: Healthy + Harmless) with
        {
            Facts = new()
            {
                ReversePathFilters = new Dictionary<string, int> { ["eth0"] = 1, ["eth1"] = 1, ["lo"] = 1 },
                ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 },
                NeighbourLimitIPv4 = 1024,
                MissingCniPlugins = ["ptp"],
                Programs = new HashSet<string> { "kubelet", "kube-proxy", "containerd" },
            },
            Now = Noon,
            ServerClock = TimeSpan.FromSeconds(59),
            Credentials = [new("the token /t", Noon.AddHours(-1), Noon.AddHours(1))],
            Neighbours = Neighbours(
                "10.0.0.2 02:00:00:00:00:02; 10.0.0.3 02:00:00:00:00:03; 10.0.0.254 02:00:00:00:00:fe; fd00:aaaa::fe 02:00:00:00:00:fe; 192.168.7.9 -"),
        };
        Assert.Empty(Doctor.Examine(seen));
    }

    // 0: the administrator wants none. With a default route none is missing.
    [Theory]
    [InlineData("", 0)]
    [InlineData("; default6 via fd00:aaaa::fe dev eth0", 1)]
    [InlineData("", 2)]
    public void An_uplink_that_needs_no_router_advertisements_is_no_finding(string defaultRoute, int acceptRa)
    {
        HostState host = Host(Healthy + defaultRoute);
        host = host with { Interfaces = [.. host.Interfaces.Select(i => i.Name == "eth0" ? i with { AcceptRa = acceptRa } : i)] };
        Assert.Empty(Doctor.Examine(Of() with { Host = host }));
    }

    private static SizeAnswer Sized(string peer, bool isLong, int mtu = 1500)
    {
        ClusterNode node = Of().Nodes.Single(n => n.Name == peer);
        return new(node, node.PodCidrs[0], "eth0", mtu, Short: true, isLong);
    }

    private static Reachability Dropping => Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u));

    private static Examination ForwardingOffOn(string link, string host) => Examine(
        Policy(), Host(host) with { Interfaces = [.. Host(host).Interfaces.Select(i => i with { ForwardsIPv4 = i.Name != link })] }, Nodes);

    private static Examination OnWindows(Examination seen) => seen with { Host = seen.Host with { Windows = new(null, 0) } };

    private static Examination Of(string policy = "", string host = Healthy, string[]? nodes = null) =>
        Examine(Policy(policy), Host(host), nodes ?? Nodes);

    private static string DualPodCidrs(int node) => $"10.244.{node}.0/24,fd00:10:244:{node}::/64";

    private static string OnlyExternal(string node) => node.Replace(" 10.0.0.", " - external=10.0.0.", StringComparison.Ordinal);

    private static Examination WithRules(string rules) => With(Of(), h => h with { PolicyRules = Given.PolicyRules(rules) });

    private static Examination With(Examination seen, Func<HostState, HostState> host) => seen with { Host = host(seen.Host) };

    private static Examination WithPeer(string peer) => Of(nodes: [.. Nodes, peer]);

    /// <summary>"ADDRESS MAC [fixed]; …", a dash for nobody.</summary>
    private static Examination Knows(string neighbours, string policy = "", string host = Healthy) =>
        Of(policy, host) with { Neighbours = Neighbours(neighbours) };

    private static Dictionary<Ip, NeighbourEntry> Neighbours(string text) => text.Split("; ").Select(l => l.Split(' '))
        .Select(w => new NeighbourEntry(Ip.Parse(w[0]), 2, w[1] == "-" ? "" : w[1])
        {
            IsUnanswered = w[1] == "-",
            IsFixed = w.Contains("fixed"),
        })
        .ToDictionary(n => n.Address);

    // Its routes are as they should be.
    private static Examination WithTunnel(Func<HostState, HostState> change, string path, ReachKind kind = ReachKind.PodTrafficDropped)
    {
        HostState host = change(Host($"{Healthy}; hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp"));
        string[] words = path.Split(' ');
        Reachability reachability = new([(Prefix.Parse(words[0]), new(kind, 1, 0) { Path = Enum.Parse<PeerPath>(words[1]) })]);
        Plan plan = Planner.Plan(Given.Nodes(Nodes), host, Policy("tunnel=auto"), null, reachability);
        return new() { Policy = Policy("tunnel=auto"), Nodes = Given.Nodes(Nodes), Host = host, Plan = plan, Reachability = reachability };
    }

    private static Examination Facts(Func<HostFacts, HostFacts> change) => Of() with { Facts = change(new()) };

    private static Examination Examine(Policy policy, HostState host, string[] nodes)
    {
        Plan plan = Planner.Plan(Given.Nodes(nodes), host, policy);
        RouteChanges routes = HostDiff.Between(plan, host, new HashSet<RouteKey>(), AdoptMode.None).Routes;
        return new() { Policy = policy, Nodes = Given.Nodes(nodes), Host = host, Plan = plan, Routes = routes };
    }

    [GeneratedRegex(@"(?:new(?: Problem)?\(|Rule = )""([a-z]\w+)""")]
    private static partial Regex RuleName();

    // Rows of the first table: one rule or several of one meaning, each in code.
    [GeneratedRegex(@"^\|(?: `(\w+)`,?)+ \|", RegexOptions.Multiline)]
    private static partial Regex RuleRow();

    private static HostState AcceptRa(string link, int value, string more = "") => Host(Healthy + more) with
    {
        Interfaces = [.. Host(Healthy + more).Interfaces.Select(i => i.Name == link ? i with { AcceptRa = value } : i)],
    };

    private static HostState Learning(HostState host) =>
        host with { Interfaces = [.. host.Interfaces.Select(i => i with { AcceptRa = 1, HasLearntRoute = i.Name == "eth0" })] };

    private static Policy Policy(string text = "") => Given.Policy(text);

    private static HostState Host(string text = Healthy)
    {
        HostState host = Given.Host(text) with { Forwarding = new(true, true) };
        return host with { Routes = [.. host.Routes.Select(r => r with { IsOnLink = r.IsOurs && !r.NextHop.IsNone })] };
    }
}
