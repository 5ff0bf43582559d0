using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Tests.Architecture;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Linux.Census;

public class RulesetCensusTests
{
    public static TheoryData<string> Harmless =>
        [.. Directory.GetFiles(Repository.PathTo("tests/HostGw.Tests/Platform/Linux/Census/Harmless")).Select(f => Path.GetFileName(f)!)];

    [Theory]
    [InlineData("-A FORWARD -m set --match-set banned src -j DROP", "banned")]
    [InlineData("-A FORWARD -m set ! --match-set allowed dst -j REJECT", "allowed", true)]
    [InlineData("-A FORWARD -m set ! --match-set allowed src -j X\n-A X -j DROP", "allowed", true)]
    [InlineData("-A FORWARD -i eth0 -m set --match-set geoblock src -j DROP", "geoblock")]
    [InlineData("-A FORWARD -m set --match-set banned src -j X\n-A X -j DROP", "banned")]
    [InlineData("-A FORWARD -s 10.244.0.0/16 -m set --match-set banned dst,dst -j DROP", "banned")]
    [InlineData("-A FORWARD -i eth7 -m set --match-set banned src -j DROP", null)]
    [InlineData("-A INPUT -m set --match-set banned src -j DROP", null)]
    [InlineData("-A FORWARD -m set --match-set banned src -j LOG", null)]
    [InlineData("-A FORWARD -s 10.244.0.0/16 -j ACCEPT\n-A FORWARD -d 10.244.0.0/16 -j ACCEPT\n-A FORWARD -m set --match-set banned src -j DROP", null)]
    [InlineData("-A FORWARD -m set --match-set KUBE-IPVS-IPS dst -j DROP", null)]
    [InlineData("-A FORWARD -m set --match-set inet6:kube-router-local-pods dst -j DROP", null)]
    [InlineData("-A FORWARD -m set --match-set inet6:KUBE-DST-2FAIIK2E4RIPMTGF dst -j DROP", null)]
    [InlineData("-A FORWARD -m set --match-set inet6:banned dst -j DROP", "inet6:banned")]
    public void A_rule_that_an_ipset_decides_is_named_with_the_way_to_look(string rules, string? set, bool negated = false)
    {
        Assert.Empty(Ruleset.Findings($"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n{rules}\nCOMMIT"));
        if (set is null)
        {
            Assert.Empty(Ruleset.Doubts);
            return;
        }
        RuleDoubt doubt = Assert.Single(Ruleset.Doubts);
        // The agent takes a census again, and for some minutes none, because of what it found or does not know.
        Assert.Equal((0, 0, false), (Ruleset.Found.Leftovers.Count, Ruleset.Found.Unknown.Length, Ruleset.Found.HasIptables));
        Assert.StartsWith("the rule '-A ", doubt.What, StringComparison.Ordinal);
        Assert.EndsWith(
            $" drops packets between pods if they are {(negated ? "not " : "")}in the ipset {set}, which HostGw does not read",
            doubt.What, StringComparison.Ordinal);
        Assert.Equal(
            $"ipset list {set} shows its addresses: " +
            (negated ? "every pod network must be among them" : "no address of a pod network may be among them"),
            doubt.Check);
    }

    [Theory]
    [InlineData("-A FORWARD -m set --match-set one src -m set ! --match-set two dst -j DROP")]
    [InlineData("-A FORWARD -m set --match-set one src -j X\n-A X -m set ! --match-set two dst -j DROP")]
    [InlineData("-A FORWARD -m set --match-set one src -j X\n-A X -m set ! --match-set two dst -j Y\n-A Y -j DROP")]
    public void Of_several_ipsets_that_decide_together_all_are_named(string rules)
    {
        Assert.Empty(Ruleset.Findings($"*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n:Y - [0:0]\n{rules}\nCOMMIT"));
        RuleDoubt doubt = Assert.Single(Ruleset.Doubts);
        Assert.EndsWith(
            " drops packets between pods if they are in the ipset one and not in the ipset two, which HostGw does not read",
            doubt.What, StringComparison.Ordinal);
        Assert.Equal(
            "ipset list one shows its addresses: no address of a pod network may be among them; or, " +
            "ipset list two shows its addresses: every pod network must be among them",
            doubt.Check);
    }

    // An agent's set that a rule of somebody else combines with another one.
    [Theory]
    [InlineData("KUBE-IPVS-IPS", "KUBE-NODE-PORT", 0)]
    [InlineData("KUBE-IPVS-IPS", "banned", 1)]
    [InlineData("banned", "KUBE-IPVS-IPS", 1)]
    public void Only_where_all_ipsets_are_an_agents_nothing_is_said(string one, string two, int doubts)
    {
        Ruleset.Findings($"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set {one} dst -m set --match-set {two} dst -j DROP\nCOMMIT");
        Assert.Equal(doubts, Ruleset.Doubts.Count);
    }

    [Fact]
    public void A_rule_that_an_ipset_decides_is_quoted_in_part_where_it_is_long()
    {
        string comment = new('x', 400);
        Assert.Empty(Ruleset.Findings(
            $"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m comment --comment {comment} -m set --match-set banned src -j DROP\nCOMMIT"));
        Assert.Contains("x…' of ", Assert.Single(Ruleset.Doubts).What, StringComparison.Ordinal);
    }

    // As the programs write them on nodes where pods reach each other.
    [Theory]
    [MemberData(nameof(Harmless))]
    public void Rules_of_programs_that_leave_pods_alone_are_not_reported(string file)
    {
        Assert.Empty(Ruleset.Findings(
            File.ReadAllText(Repository.PathTo($"tests/HostGw.Tests/Platform/Linux/Census/Harmless/{file}")),
            ipv4: !file.EndsWith("6.txt", StringComparison.Ordinal)));
        Assert.Empty(Ruleset.Doubts);
    }

    // Pods' packets make a node ask from its link-local address, its own packets from the one that they have.
    [Theory]
    [InlineData("INPUT", "-p ipv6-icmp -m hl --hl-eq 255 -j ACCEPT", "")]
    [InlineData("INPUT", "-s fe80::/10 -p ipv6-icmp -j ACCEPT", "-I INPUT -i eth0 -p icmpv6 -j ACCEPT")]
    [InlineData("INPUT", "-s 2001:db8::2/128 -p ipv6-icmp -j ACCEPT", "-I INPUT -i eth0 -p icmpv6 -j ACCEPT")]
    [InlineData("INPUT", "-s fe80::/10 -j ACCEPT\n-A INPUT -s 2001:db8::/64 -j ACCEPT", "")]
    [InlineData("INPUT", "-p ipv6-icmp -m hl --hl-eq 64 -j ACCEPT", "-I INPUT -i eth0 -p icmpv6 -j ACCEPT")]
    [InlineData("OUTPUT", "-o lo -j ACCEPT", "-I OUTPUT -o eth0 -p icmpv6 -j ACCEPT")]
    [InlineData("OUTPUT", "-o eth0 -j ACCEPT", "")]
    public void Neighbour_discovery_has_the_highest_hop_limit_and_a_link_local_source_or_a_nodes(string chain, string rule, string cure)
    {
        string[] found = Ruleset.Findings($"*filter\n:{chain} DROP [0:0]\n-A {chain} {rule}\nCOMMIT", ipv4: false);
        Assert.Equal(cure.Length == 0 ? 0 : 1, found.Length);
        Assert.All(found, f => Assert.Contains(cure, f, StringComparison.Ordinal));
    }

    // Whole podCIDRs come first, then what exceptions leave: policies on pods are many, and use up no place.
    [Theory]
    [InlineData("-A FORWARD -d 10.244.200.0/24 -j DROP")]
    [InlineData("-A FORWARD ! -d 10.244.0.0/18 -o eth0 -j DROP")]
    public void Rules_on_single_pods_hide_no_drop_of_whole_ranges(string drop)
    {
        string policies = string.Join('\n', Enumerable.Range(2, 500).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"-A FORWARD -s 10.{244 + (i >> 8)}.{i & 0xFF}.7/32 -j ACCEPT")));
        string found = Assert.Single(Ruleset.Findings($"*filter\n:FORWARD ACCEPT [0:0]\n{policies}\n{drop}\nCOMMIT", peers: 1000));
        Assert.Contains(drop, found, StringComparison.Ordinal);
        Assert.Contains("packets from this node's pods to pods of other nodes", found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("connmark", false)]
    [InlineData("mark", true)]
    public void The_mark_of_a_connection_is_not_the_packets(string module, bool matches) => Assert.Equal(matches, Ruleset.Findings(
        "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n" +
        $"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m {module} --mark 0x1 -j DROP\nCOMMIT").Length == 1);

    // This node's pods are 10.244.1.0/24, another's 10.244.2.0/24.
    [Theory]
    [InlineData("the seed's script of another cluster CIDR", "! -d 192.168.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE", true)]
    [InlineData("everything", "-j MASQUERADE", true)]
    [InlineData("our pods to anywhere", "-s 10.244.1.0/24 -m comment --comment \"-d 10.0.0.0/8\" -j MASQUERADE --random-fully", true)]
    [InlineData("to pods", "-d 10.244.0.0/16 -j MASQUERADE", true)]
    [InlineData("SNAT of what leaves by the uplink", "-o eth0 -j SNAT --to-source 192.0.2.1", true)]
    [InlineData("what arrives for pods", "-o cni0 -j MASQUERADE", true)]
    [InlineData("the seed's script of this cluster CIDR", "! -d 10.244.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE", false)]
    [InlineData("Docker's", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", false)]
    [InlineData("a mark that nothing sets", "-m mark --mark 0x4000/0x4000 -j MASQUERADE", false)]
    [InlineData("a condition that is not known", "-m future --thing 7 -j MASQUERADE", false)]
    [InlineData("what stays here", "-m addrtype --dst-type LOCAL -j MASQUERADE", false)]
    [InlineData("all but our pods", "! -s 10.244.0.0/16 -j MASQUERADE", false)]
    [InlineData("an accept", "-s 10.244.1.0/24 -j ACCEPT", false)]
    [InlineData("one pod", "-s 10.244.1.7/32 -j SNAT --to-source 192.0.2.7", false)]
    public void A_rule_that_masquerades_traffic_from_pod_to_pod_is_found(string because, string rule, bool harms)
    {
        string[] found = Ruleset.Findings($"*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING {rule}\nCOMMIT");
        Assert.True(harms == (found.Length == 1), $"{because}: {string.Join("; ", found)}");
        if (harms)
            Assert.EndsWith($"(iptables-legacy -t nat -D POSTROUTING {rule})", found[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.244.0.0/16", "10.244.1.0/24", false)]
    [InlineData("10.244.0.0/16", "10.244.9.0/24", true)]
    [InlineData("10.240.0.0/12", "10.244.9.0/24", true)]
    [InlineData("10.99.0.0/16", "10.99.1.0/24", false)]
    public void Flannels_chain_does_harm_where_its_networks_are_no_longer_the_clusters(string cluster, string podCidr, bool harms) => Assert.Equal(
        harms,
        Ruleset.Findings($"""
            *nat
            :POSTROUTING ACCEPT [0:0]
            :FLANNEL-POSTRTG - [0:0]
            -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
            -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s {podCidr} -d {cluster} -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s {cluster} -d {podCidr} -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG ! -s {cluster} -d {podCidr} -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s {cluster} ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
            -A FLANNEL-POSTRTG ! -s {cluster} -d {cluster} -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
            COMMIT
            """).Length > 0);

    [Theory]
    [InlineData("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.244.7.0/24 -j DROP", "iptables-legacy -t raw -I PREROUTING -s 10.244.1.0/24 -j ACCEPT; iptables-legacy -t raw -I PREROUTING -d 10.244.1.0/24 -j ACCEPT")]
    [InlineData("*mangle\n:FORWARD DROP [0:0]", "the policy of iptables-legacy, IPv4, table mangle, chain FORWARD (hook forward, priority -150) drops packets from and to this node's pods")]
    [InlineData("*filter\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n-A FORWARD -j X\n-A X -d 10.244.200.0/21 -j REJECT", "the rule '-A X -d 10.244.200.0/21 -j REJECT' of iptables-legacy, IPv4, table filter, chain X (from FORWARD, hook forward, priority 0)")]
    [InlineData("*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m future --thing 7 -j ACCEPT\n-A FORWARD -i cni0 -j DROP", "unless an earlier rule accepts them")]
    [InlineData("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 10.244.0.0/16 -p tcp -j DNAT --to-destination 10.9.9.9", "changes the destination of packets between pods")]
    public void A_drop_is_found_at_every_hook_and_of_any_peer_with_the_cure(string rules, string words) =>
        Assert.Contains(words, Assert.Single(Ruleset.Findings(rules + "\nCOMMIT", peers: 1000)), StringComparison.Ordinal);

    [Fact]
    public void What_removes_a_rule_keeps_no_table_in_memory()
    {
        (Action remove, WeakReference table) = Removal();
        GC.Collect();
        Assert.False(table.IsAlive);
        Assert.Throws<IptablesException>(remove); // there is no such program here

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (Action, WeakReference) Removal()
        {
            BaseChain chain = Ruleset.Chains("*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT", ipv4: true, [])[0];
            return (chain.Table.Removal(chain.Name, chain.Table.Rules(chain.Name)![0]), new(chain.Table));
        }
    }

    [Fact]
    public void An_interface_that_is_listed_twice_is_one()
    {
        HostState host = Given.Host(Given.Lan + "; br0 10.244.1.1/24");
        host = host with { Interfaces = [.. host.Interfaces, .. host.Interfaces] };
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "b 10.244.2.0/24 10.0.0.2"), host, Given.Policy(""));
        Assert.Equal("eth0", Assert.Single(PodTraffic.Of(plan, host)).Peers[0].Link.Name);
    }

    [Fact]
    public void Chains_that_jump_in_a_circle_end()
    {
        const string Circle = "*filter\n:FORWARD ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A FORWARD -j A\n-A A -j B\n-A A -j B\n-A B -j A\n-A B -j A\nCOMMIT";
        Assert.Throws<Xunit.Sdk.TrueException>(() => Ruleset.Findings(Circle)); // gave up, as the kernel refuses such rules
    }

    [Fact]
    public void Of_many_rules_each_is_looked_at_once() => Growth.IsLinear(100_000, count =>
    {
        string rules = string.Join('\n', Enumerable.Range(0, count).Select(i => string.Create(
            CultureInfo.InvariantCulture,
            $"-A KUBE-SERVICES -d 10.96.{(i >> 8) & 0xFF}.{i & 0xFF}/32 -p tcp -m comment --comment \"ns/svc{i}\" -m tcp --dport 80 -j KUBE-SVC-{i % 100}")));
        string chains = string.Join('\n', Enumerable.Range(0, 100).Select(i => $":KUBE-SVC-{i} - [0:0]"));
        string table = $"*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n{chains}\n-A PREROUTING -j KUBE-SERVICES\n{rules}\nCOMMIT";
        return () => Assert.Empty(Ruleset.Findings(table, peers: count / 20));
    });
}
