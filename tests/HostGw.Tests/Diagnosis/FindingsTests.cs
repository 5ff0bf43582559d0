using HostGw.Diagnosis;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Diagnosis;

public class FindingsTests
{
    private const string Healthy = Given.Lan + "; br0 10.244.1.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157";
    private const string HealthyByGateway = Given.Lan + "; 10.244.2.0/24 via 10.244.2.1 dev eth0 proto 157; 10.244.3.0/24 via 10.244.3.1 dev eth0 proto 157";

    private static readonly string[] Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.0.0.3"];

    /// <summary>What is broken, which rules find it, and a word of what they say.</summary>
    private static readonly Dictionary<string, (Func<Examination> Seen, string[] Rules, string Word)> Broken = new()
    {
        ["the API server does not answer"] = (() => new() { Policy = Policy(), ApiProblem = "No answer from https://192.0.2.1" }, ["apiServer"], "192.0.2.1"),
        ["no rights"] = (() => Facts(f => f with { MayChangeNetwork = false }), ["rights"], "NET_ADMIN"),
        ["rules that cannot be read"] = (() => Of() with { Failures = ["list the nftables: EINVAL"] }, ["unreadable"], "EINVAL"),
        ["no Node of our own"] = (() => Of(nodes: Nodes[1..]), ["ownNode"], "'self'"),
        ["no podCIDR of our own"] = (() => Of(nodes: ["self - 10.0.0.1", .. Nodes[1..]]), ["noPodCidr"], "--pod-network-cidr"),
        ["a podCIDR of our own outside of the cluster's"] = (() => Of("clusterCidrs=10.99.0.0/16", nodes: [Given.Self]), ["ownPodCidr"], "10.244.1.0/24"),
        ["the interface is down"] = (() => Of(host: Healthy.Replace("eth0 10", "eth0 down 10", StringComparison.Ordinal)), ["interface"], "eth0 is down"),
        ["a peer on another segment"] = (() => WithPeer("d 10.244.4.0/24 192.0.2.4"), ["notAdjacent"], "hostgw.io/skip"),
        ["a peer without podCIDR"] = (() => WithPeer("d - 10.0.0.4"), ["noPodCidr"], "--allocate-node-cidrs"),
        ["a peer without an address"] = (() => WithPeer("d 10.244.4.0/24 -"), ["noAddress"], "--node-ip"),
        ["a peer with a duplicate podCIDR"] = (() => WithPeer("d 10.244.2.0/24 10.0.0.4"), ["rejected"], "node d 10.244.2.0/24"),
        ["a peer with a podCIDR of rubbish"] = (() => WithPeer("d rubbish 10.0.0.4"), ["rejected"], "is not a CIDR"),
        ["a peer whose address is a router's"] = (() => Of(host: Healthy + "; 10.244.4.0/24 via 10.0.0.254 dev eth0 proto 157", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.254"]), ["nextHop"], "gateway of this host"),
        ["a cluster route that would cover a resolver"] = (() => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"), ["clusterRoute"], "10.244.0.0/16"),
        ["IPv4 forwarding off"] = (() => Of() with { Host = Host() with { Forwarding = new(false, true) } }, ["forwarding"], "net.ipv4.ip_forward=1"),
        ["IPv6 forwarding off"] = (() => Of() with { Host = Host() with { Forwarding = new(true, false) } }, ["forwarding"], "net.ipv6.conf.all.forwarding=1"),
        ["forwarding that cannot be read"] = (() => Of() with { Host = Host() with { Forwarding = new(null, true) } }, ["forwarding"], "procSysNet"),
        ["forwarding off on the uplink"] = (() => Examine(Policy(), Host() with { Interfaces = [.. Host().Interfaces.Select(i => i with { ForwardsIPv4 = i.Name != "eth0" })] }, Nodes), ["forwarding"], "net.ipv4.conf.eth0.forwarding=1"),
        ["strict rp_filter on a second way to a peer"] = (() => Of(host: Healthy + "; eth1 10.0.0.77/24") with { Facts = new() { ReversePathFilters = new Dictionary<string, int> { ["eth1"] = 1 } } }, ["rpFilter"], "net.ipv4.conf.eth1.rp_filter=2"),
        ["arp_ignore with gateways inside podCIDRs"] = (() => Of("PodGateway", HealthyByGateway) with { Facts = new() { ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 } } }, ["arpIgnore"], "strictARP"),
        ["a small neighbour table"] = (() => Facts(f => f with { NeighbourLimitIPv4 = 7, NeighbourLimitIPv6 = 8 }), ["neighbourLimit"], "net.ipv4.neigh.default.gc_thresh3=8"),
        ["a chain that drops"] = (() => Of() with { ForwardChange = "iptables-nft, IPv4: accept 10.244.1.0/24" }, ["forwardDrop"], "iptables-nft"),
        ["a drop of firewalld"] = (() => Of() with { Obstacles = ["firewalld drops forwarded packets"] }, ["foreignDrop"], "firewalld"),
        ["a masquerade rule that another left"] = (() => Of() with { Leftovers = [new("the rule of flannel", () => { })] }, ["foreignMasquerade"], "adopt --rules"),
        ["no masquerade rule"] = (() => Of() with { NatChange = "created" }, ["masquerade"], "(created)"),
        ["pods with a larger MTU"] = (() => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)), ["mtu"], "br0 (9000)"),
        ["a route of others in the place of ours"] = (() => Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 12", StringComparison.Ordinal)), ["conflict"], "ip route del 10.244.2.0/24 proto 12"),
        ["a route of others inside a peer's podCIDR"] = (() => Of(host: Healthy + "; 10.244.2.128/25 via 10.0.0.9 dev eth0 proto 4"), ["shadowed"], "ip route del 10.244.2.128/25 proto 4"),
        ["a route that is missing"] = (() => Of(host: Healthy[..Healthy.LastIndexOf(';')]), ["routes"], "1 missing, 0 wrong, 0 of"),
        ["a route of a node that is gone"] = (() => Of(nodes: Nodes[..^1]), ["routes"], "0 missing, 0 wrong, 1 of"),
        ["flannel on the same host"] = (() => Facts(f => f with { Programs = new HashSet<string> { "flanneld", "bash" } }), ["otherAgent"], "flanneld"),
        ["systemd-networkd that removes routes"] = (() => Facts(f => f with { NetworkdRemovesRoutes = true }), ["networkd"], "ManageForeignRoutes=no"),
        ["CNI plugins that are missing"] = (() => Of("cni=on") with { Facts = new() { MissingCniPlugins = ["ptp"] } }, ["cniPlugins"], "ptp"),
    };

    public static TheoryData<string> Cases => [.. Broken.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_broken_is_found_and_nothing_else(string what)
    {
        (Func<Examination> seen, string[] rules, string word) = Broken[what];
        IReadOnlyList<Finding> findings = Findings.Of(seen());

        Assert.Equal(rules, findings.Select(f => f.Rule));
        Assert.Contains(findings, f => $"{f.Problem}\n{f.Cure}".Contains(word, StringComparison.Ordinal));
        Assert.All(findings, f => Assert.NotEqual("", f.Cure));
    }

    [Fact]
    public void On_a_host_in_order_nothing_is_found() => Assert.Empty(Findings.Of(Of()));

    // Interfaces and settings as most hosts have them, which do no harm here.
    [Fact]
    public void What_does_no_harm_is_no_finding()
    {
        Examination seen = Of(host: Healthy + "; eth1 192.168.7.1/24; 10.99.0.0/16 via 10.0.0.9 dev eth0 proto 4") with
        {
            Facts = new()
            {
                ReversePathFilters = new Dictionary<string, int> { ["eth0"] = 1, ["eth1"] = 1, ["lo"] = 1 },
                ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 },
                NeighbourLimitIPv4 = 1024,
                MissingCniPlugins = ["ptp"],
                Programs = new HashSet<string> { "kubelet", "kube-proxy", "containerd" },
            },
        };
        Assert.Empty(Findings.Of(seen));
    }

    private static Examination Of(string policy = "", string host = Healthy, string[]? nodes = null) => Examine(Policy(policy), Host(host), nodes ?? Nodes);

    private static Examination WithPeer(string peer) => Of(nodes: [.. Nodes, peer]);

    private static Examination Facts(Func<HostFacts, HostFacts> change) => Of() with { Facts = change(new()) };

    private static Examination Examine(Policy policy, HostState host, string[] nodes)
    {
        Plan plan = Planner.Plan(Given.Nodes(nodes), host, policy);
        RouteChanges routes = HostDiff.Between(plan, host, new HashSet<RouteKey>(), AdoptMode.None).Routes;
        return new() { Policy = policy, Nodes = Given.Nodes(nodes), Host = host, Plan = plan, Routes = routes };
    }

    private static Policy Policy(string text = "") => Given.Policy(text);

    private static HostState Host(string text = Healthy)
    {
        HostState host = Given.Host(text) with { Forwarding = new(true, true) };
        return host with { Routes = [.. host.Routes.Select(r => r with { IsOnLink = r.IsOurs })] };
    }
}
