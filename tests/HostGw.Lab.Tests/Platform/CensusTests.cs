using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Foreign rules of every kind, and what they do to packets: the census names a rule if, and only if, packets suffer.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class CensusTests : IClassFixture<NftablesNetwork>
{
    private static readonly string[] Chains =
    [
        "netdev t: type filter hook ingress device nft0 priority 0;", "netdev t: type filter hook ingress device nft1 priority 0;",
        "netdev t: type filter hook egress device nft1 priority 0;", "inet t: type filter hook prerouting priority -300;",
        "inet t: type filter hook prerouting priority 10;", "FAMILY t: type filter hook forward priority -10;",
        "inet t: type filter hook forward priority -150;", "FAMILY t: type filter hook postrouting priority 50;",
        "inet t: type filter hook input priority 0;", "inet t: type filter hook output priority 0;",
        "bridge t: type filter hook prerouting priority 0;",
    ];

    // IP, OWN and so on are replaced by those of a family. What is not possible at a hook is left out there.
    private static readonly string[] Conditions =
    [
        "", "IP saddr OWN", "IP daddr PEER", "IP saddr PEER", "IP daddr CLUSTER", "IP saddr != CLUSTER", "IP daddr != CLUSTER", "IP daddr OTHER",
        "IP saddr CLUSTER IP daddr CLUSTER", "iifname nft0", "iifname nft1", "iifname != nft0", "iifname \"nft*\"", "oifname nft1", "oifname \"eth*\"",
        "meta l4proto tcp", "meta l4proto != { tcp, udp, icmp, ipv6-icmp }", "udp dport 53", "udp dport != 53", "tcp dport { 22, 80, 443 }",
        "th sport 1024-65535", "tcp flags & (syn | ack) == syn", "ct state new", "ct state invalid", "ct state established", "ct state != established",
        "ct state vmap { established : accept, invalid : drop }", "meta mark 1", "meta mark != 1", "meta nfproto NFPROTO", "meta protocol IP",
        "IP daddr { PEER, OTHER }", "IP daddr != { PEER, OTHER }", "IP saddr . IP daddr { OWN . PEER }", "fib daddr type local", "fib daddr type != local",
        "IP daddr HALF", "IP saddr & MASK == NET", "ct mark 7", "ct status dnat", "iif lo", "IP daddr PEER ct state new udp sport != 53",
    ];

    private static readonly string[] Verdicts = ["drop", "drop", "reject", "accept", "counter", "log drop"];

    private readonly NftablesNetwork _network;
    private readonly PodPackets _packets;

    public CensusTests(NftablesNetwork network)
    {
        (_network, _packets) = (network, new(network));
        // What is dropped must not make neighbours forget each other: this is about packets of pods.
        foreach ((NetworkNamespace? place, string link, string[] addresses, NetworkNamespace? other, string otherLink) in
            ((NetworkNamespace?, string, string[], NetworkNamespace?, string)[])
            [
                (null, "nft0", ["10.244.1.5", "fd00:10:244:1::5"], network.Pod, "eth0"),
                (network.Pod, "eth0", ["10.244.1.1", "fd00:10:244:1::1"], null, "nft0"),
                (null, "nft1", ["192.0.2.2", "2001:db8::2"], network.Outside, "eth0"),
                (network.Outside, "eth0", ["192.0.2.1", "2001:db8::1"], null, "nft1"),
            ])
        {
            string mac = Run(other, $"cat /sys/class/net/{otherLink}/address 2>/dev/null || ip -o link show {otherLink} | sed 's/.*ether //; s/ .*//'").Trim();
            foreach (string address in addresses)
                Run(place, $"ip neigh replace {address} dev {link} lladdr {mac} nud permanent");
        }
        Run(network.Outside, "ip addr replace 142.250.74.100/32 dev lo; ip addr replace 2a00:1450:4001:830::2004/128 dev lo nodad");
        Run(null, "ip route replace 142.250.74.100/32 via 192.0.2.2; ip route replace 2a00:1450:4001:830::2004/128 via 2001:db8::2");
    }

    [Fact]
    public void Rules_of_nftables_are_found_if_packets_suffer_and_only_then()
    {
        List<(bool IPv4, string Ruleset)> cases = [];
        int n = 0;
        foreach (string condition in Conditions)
        {
            // Every condition at some hooks, with each verdict in turn: together every verdict is at every hook.
            for (int i = 0; i < 3; i++, n++)
            {
                string chain = Chains[((n * 5) + i) % Chains.Length], verdict = Verdicts[n % Verdicts.Length];
                bool ipv4 = n % 3 != 0;
                if (Rule(chain, condition, verdict, ipv4) is { } ruleset)
                    cases.Add((ipv4, ruleset));
            }
        }
        Assert.True(cases.Count >= 80, $"{cases.Count} rules");
        Check(cases, (_, r) => $"nft -f - <<'END'\n{r}\nEND\n");
    }

    [Fact]
    public void Chains_that_lead_to_others_sets_maps_marks_and_policies_are_followed() => Check(
    [
        .. ((string[])
        [
            Table("ip", "type filter hook forward priority 0; policy drop;", ""),
            Table("ip", "type filter hook forward priority 0; policy drop;", "ip saddr 10.244.1.0/24 accept; ip daddr 10.244.1.0/24 accept"),
            Table("inet", "type filter hook forward priority 0; policy drop;", "ct state established,related accept; iifname { nft0, nft1 } accept"),
            Table("inet", "type filter hook forward priority 0; policy drop;", "ct state established,related accept; iifname nft1 accept"),
            Table("ip6", "type filter hook forward priority 0; policy drop;", ""),
            Table("inet", "type filter hook input priority 0; policy drop;", ""),
            Table("ip", "type filter hook prerouting priority -300;", "jump a", "chain a { ip daddr 10.244.2.0/24 goto b; return; }; chain b { drop; }"),
            Table("ip", "type filter hook prerouting priority -300;", "jump a; drop", "chain a { ip daddr 10.9.0.0/16 accept; goto b; }; chain b { ip protocol { tcp, udp, icmp } accept; }"),
            Table("ip", "type filter hook prerouting priority -300;", "jump a; drop", "chain a { goto b; }; chain b { ip saddr 10.9.0.0/16 accept; }"),
            Table("ip", "type filter hook prerouting priority -300;", "goto a; drop", "chain a { return; }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr @s drop", "set s { type ipv4_addr; flags interval; elements = { 10.9.0.0/16, 10.244.2.0/24 }; }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr @s drop", "set s { type ipv4_addr; flags interval; elements = { 10.9.0.0/16, 10.244.3.0/24 }; }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr != @s drop", "set s { type ipv4_addr; flags interval; elements = { 10.244.0.0/16, 142.250.0.0/16 }; }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr vmap @m", "map m { type ipv4_addr : verdict; flags interval; elements = { 10.244.2.0/24 : drop, 10.9.0.0/16 : accept }; }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr vmap @m; drop", "map m { type ipv4_addr : verdict; flags interval; elements = { 10.244.0.0/16 : accept, 142.250.0.0/16 : jump a }; }; chain a { accept; }"),
            Table("ip", "type filter hook forward priority 0;", "iifname vmap { nft0 : jump a, nft1 : accept }", "chain a { oifname nft1 drop; }"),
            Table("ip", "type filter hook forward priority 0;", "iifname . oifname vmap { nft0 . nft1 : drop }"),
            Table("ip", "type filter hook forward priority 0;", "ip daddr . tcp dport vmap { 10.244.2.5 . 80 : drop }"),
            Table("ip", "type filter hook prerouting priority -150;", "ip daddr 10.244.2.0/24 meta mark set 0x1", "chain f { type filter hook forward priority 0; meta mark 0x1 drop; }"),
            Table("ip", "type filter hook prerouting priority -150;", "meta mark set meta mark and 0xfffffff0 or 0x2", "chain f { type filter hook forward priority 0; meta mark and 0xf == 0x1 drop; }"),
            Table("ip", "type filter hook prerouting priority -300;", "ip saddr 10.244.1.0/24 notrack", "chain f { type filter hook forward priority 0; ct state untracked drop; }"),
            Table("ip", "type nat hook postrouting priority 100;", "masquerade"),
            Table("ip", "type nat hook postrouting priority 100;", "ip daddr != 10.244.0.0/16 masquerade"),
            Table("ip", "type nat hook postrouting priority 100;", "ip daddr 10.244.0.0/16 return; masquerade"),
            Table("ip", "type nat hook postrouting priority 100;", "ip saddr 10.244.1.0/24 oifname nft1 snat to 192.0.2.1"),
            Table("ip", "type nat hook postrouting priority 100;", "ip saddr 172.17.0.0/16 oifname != docker0 masquerade"),
            Table("ip", "type nat hook postrouting priority 100;", "ip saddr 10.244.2.0/24 oifname nft0 masquerade"),
            Table("inet", "type nat hook postrouting priority 100;", "meta mark & 0x4000 != 0x4000 return; masquerade"),
            Table("inet", "type nat hook postrouting priority 100;", "jump a", "chain a { ip saddr . ip daddr { 10.244.1.0/24 . 10.244.2.0/24 } return; masquerade; }"),
            Table("ip", "type nat hook prerouting priority -100;", "ip daddr 10.244.2.5 tcp dport 80 dnat to 10.244.2.9"),
            Table("ip", "type nat hook prerouting priority -100;", "ip daddr 10.96.0.0/12 dnat to 10.244.2.9"),
            Table("ip", "type nat hook prerouting priority -100;", "iifname nft0 meta l4proto tcp redirect to :15001"),
            Table("ip", "type filter hook forward priority 0;", "ip saddr 10.244.1.7 drop; ip daddr 10.244.2.9 drop"),
            Table("ip", "type filter hook forward priority 0; flags offload;".Replace(" flags offload;", "", StringComparison.Ordinal), "limit rate over 10000/second drop"),
            "table ip t { flags dormant; chain c { type filter hook forward priority 0; policy drop; }; }",
            Table("ip", "type filter hook postrouting priority 0;", "ip saddr 10.244.1.0/24 ip saddr set 192.0.2.1"),
        ]).Select(r => (!r.StartsWith("table ip6", StringComparison.Ordinal), r)),
    ], (_, r) => $"nft -f - <<'END'\n{r}\nEND\n");

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void Rules_of_iptables_are_found_if_packets_suffer_and_only_then(string kind) => Check(
    [
        .. ((string[])
        [
            "-t raw -A PREROUTING -d 10.244.2.0/24 -j DROP", "-t raw -A PREROUTING -i nft0 ! -d 10.244.0.0/16 -j DROP", "-t raw -A PREROUTING -s 10.9.0.0/16 -j DROP",
            "-t raw -A PREROUTING -p tcp -j DROP", "-t raw -A PREROUTING -p tcp --dport 22 -j DROP", "-t raw -A PREROUTING -p tcp -m multiport ! --dports 22,80 -j DROP",
            "-t mangle -A FORWARD -s 10.244.0.0/16 -d 10.244.0.0/16 -j DROP", "-t mangle -A FORWARD -i eth+ -j DROP", "-t mangle -A FORWARD -i nft+ -j DROP",
            "-t mangle -P FORWARD DROP", "-t mangle -P INPUT DROP", "-t mangle -A POSTROUTING -o nft0 -j DROP",
            "-t mangle -A PREROUTING -j MARK --set-xmark 0x1/0xf; -A FORWARD -m mark --mark 0x1/0xf -j DROP",
            "-t mangle -A PREROUTING -i nft1 -j MARK --set-xmark 0x1/0xf; -A FORWARD -m mark ! --mark 0x1/0xf -j DROP",
            "-t mangle -A PREROUTING -j MARK --set-xmark 0x10/0xff; -A FORWARD -m mark --mark 0x1/0xf -j DROP",
            "-A FORWARD -d 10.244.2.0/24 -j REJECT", "-A FORWARD -d 10.244.2.0/24 -j LOG", "-A FORWARD -m conntrack --ctstate INVALID -j DROP",
            "-A FORWARD -m conntrack --ctstate NEW -i nft1 -j DROP", "-A FORWARD -m conntrack ! --ctstate NEW -j DROP", "-A FORWARD -m addrtype --dst-type LOCAL -j DROP",
            "-A FORWARD -m addrtype ! --dst-type LOCAL -j DROP", "-A FORWARD -m iprange --dst-range 10.244.2.0-10.244.2.99 -j DROP",
            "-A INPUT -j DROP", "-N a; -A FORWARD -j a; -A a -d 10.244.2.0/24 -j DROP", "-N a; -A FORWARD -j a; -A a -d 10.244.2.0/24 -j RETURN; -A a -d 10.0.0.0/8 -j RETURN; -A a -d 142.250.0.0/16 -j ACCEPT; -A a -j DROP",
            "-t nat -A POSTROUTING -j MASQUERADE", "-t nat -A POSTROUTING ! -d 10.244.0.0/16 -j MASQUERADE", "-t nat -A POSTROUTING -s 10.244.1.0/24 -o nft1 -j SNAT --to-source 192.0.2.1",
            "-t nat -A POSTROUTING -s 10.244.1.0/24 ! -d 10.244.0.0/16 -j SNAT --to-source 192.0.2.1", "-t nat -A POSTROUTING -o nft0 -j MASQUERADE",
            "-t nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE", "-t nat -A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN; -t nat -A POSTROUTING -j MASQUERADE",
            "-t nat -A PREROUTING -d 10.244.2.5/32 -p tcp --dport 80 -j DNAT --to-destination 10.244.2.9", "-t nat -A PREROUTING -i nft0 -p udp -j REDIRECT --to-ports 53",
            "-t security -A FORWARD -d 10.244.2.0/24 -j DROP", "-t raw -A PREROUTING -d 10.244.2.0/24 -j CT --notrack; -A FORWARD -m conntrack --ctstate UNTRACKED -j DROP",
        ]).Select(r => (true, r)),
        .. ((string[])
        [
            "-t raw -A PREROUTING -d fd00:10:244:2::/64 -j DROP", "-t mangle -A FORWARD -s fd00:10:244::/56 -j DROP", "-t nat -A POSTROUTING -j MASQUERADE",
            "-t nat -A POSTROUTING ! -d fd00:10:244::/48 -j MASQUERADE", "-A FORWARD -s fd00:9::/32 -j DROP",
        ]).Select(r => (false, r)),
    ], (ipv4, rules) => string.Concat(rules.Split(';').Select(r => $"{(ipv4 ? "" : "ip6")}{(ipv4 ? kind : kind[2..])} -w {r}\n")));

    [Theory]
    [InlineData("nft add table inet t; nft add chain inet t c '{ type filter hook prerouting priority -300; }'; nft add rule inet t c ip daddr 10.244.2.0/24 drop")]
    [InlineData("nft add table netdev t; nft add chain netdev t c '{ type filter hook ingress device nft1 priority 0; }'; nft add rule netdev t c ip protocol tcp drop")]
    [InlineData("nft add table inet t; nft add chain inet t c '{ type filter hook forward priority 0; policy drop; }'")]
    [InlineData("nft add table ip t; nft add chain ip t a; nft add rule ip t a drop; nft add chain ip t c '{ type filter hook forward priority 0; }'; nft add rule ip t c jump a")]
    [InlineData("nft add table ip t; nft add chain ip t c '{ type nat hook postrouting priority 100; }'; nft add rule ip t c snat to 192.0.2.1")]
    [InlineData("iptables-nft -t mangle -A FORWARD -m comment --comment 'no way' -s 10.0.0.0/8 -j DROP")]
    [InlineData("iptables-legacy -w -t raw -A PREROUTING -i nft0 -j DROP")]
    [InlineData("iptables-legacy -w -t nat -A POSTROUTING -o nft1 -j SNAT --to-source 192.0.2.1")]
    public void The_commands_in_a_finding_cure_it(string rules)
    {
        string[] cures = [.. Cures(rules)];
        Assert.NotEmpty(cures);
        foreach (string cure in cures)
        {
            using NatBox box = new("none");
            NatBox.Run(rules);
            Assert.NotEqual("", _packets.Harm(ipv4: true));
            NatBox.Run(cure);
            Assert.Equal((cure, ""), (cure, _packets.HarmThatStays(ipv4: true)));
            Assert.Empty(Found(box));
        }
    }

    [Fact]
    public void What_is_in_the_table_of_our_guards_is_no_finding()
    {
        using NatBox box = new("none");
        ApplyResult result = box.Host.Apply(new() { Routes = new(), ChangesGuards = true, Guards = GuardPlans.Tunnel }, ApplyMode.Change);
        Assert.Empty(result.Failures);
        Assert.Equal("", _packets.HarmThatStays(ipv4: true));
        Assert.Empty(All(box));
        // What somebody adds is drift, which is repaired. The same in a table of somebody else is a finding.
        NatBox.Run("nft add rule inet hostgw-guard prerouting ip daddr 10.244.2.0/24 drop");
        Assert.Empty(All(box));
        NatBox.Run("nft list table inet hostgw-guard | sed s/hostgw-guard/theirs/ | nft -f -");
        Assert.NotEmpty(All(box));
    }

    private static string[] Cures(string rules)
    {
        using NatBox box = new("none");
        NatBox.Run(rules);
        string finding = Assert.Single(Found(box));
        string[] both = finding.Split(": let them pass there: ")[^1].Split("; or, where it is not needed, remove it: ");
        return both.Length == 2 ? both : [finding[(finding.LastIndexOf(" (", StringComparison.Ordinal) + 2)..^1]];
    }

    [Fact]
    public void What_keeps_neighbours_from_being_found_is_found()
    {
        const string Input = "nft add chain ip6 t c '{ type filter hook input priority 0; policy drop; }'";
        using (NatBox box = new("none"))
        {
            NatBox.Run($"nft add table ip6 t; {Input}; ip -6 neigh del 2001:db8::2 dev nft1");
            string finding = Assert.Single(All(box));
            Assert.Contains("drops neighbour discovery", finding, StringComparison.Ordinal);
            Assert.NotEqual("", _packets.Harm(ipv4: false));
            NatBox.Run(finding.Split(": let them pass there: ")[1].Split("; or,")[0] + "; ip -6 neigh flush dev nft1");
            Assert.Empty(All(box));
            Assert.Equal("", _packets.HarmThatStays(ipv4: false));
        }
        foreach (string rule in (string[])["iifname nft1 drop", "arp operation request drop", "arp ptype ip drop"])
        {
            using NatBox box = new("none");
            NatBox.Run($"nft add table arp t; nft add chain arp t c '{{ type filter hook input priority 0; }}'; nft add rule arp t c {rule}");
            Assert.Contains("drops ARP", Assert.Single(All(box)), StringComparison.Ordinal);
        }
        // As a server that shares the address of a load balancer answers for its own ones only.
        foreach (string rule in (string[])["arp daddr ip 192.0.2.100 drop", "arp operation rreply drop", "arp ptype != ip drop"])
        {
            using NatBox box = new("none");
            NatBox.Run($"nft add table arp t; nft add chain arp t c '{{ type filter hook input priority 0; }}'; nft add rule arp t c {rule}");
            Assert.Empty(All(box));
        }
    }

    // Written by kube-proxy, firewalld with the pods in a zone, Docker and HostGw itself.
    [Theory]
    [InlineData(
        """
        table ip kube-proxy {
          map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.0.1 . tcp . 443 : goto service-a }; }
          map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; elements = { 10.96.7.7 . tcp . 80 : goto reject-chain }; }
          map no-endpoint-nodeports { type inet_proto . inet_service : verdict; elements = { tcp . 30000 : goto reject-chain }; }
          map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
          set cluster-ips { type ipv4_addr; elements = { 10.96.0.1, 10.96.7.7 }; }
          chain reject-chain { reject; }
          chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
          chain service-a { ip saddr != 10.244.0.0/16 jump mark-for-masquerade; meta l4proto tcp dnat to 10.244.2.7:6443; }
          chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
          chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
          chain cluster-ips-check { ip daddr @cluster-ips reject; ip daddr 10.96.0.0/12 drop; }
          chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
          chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }
          chain filter-forward { type filter hook forward priority -110; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
          chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
          chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }
          chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
        }
        """)]
    [InlineData(
        """
        table inet firewalld {
          chain mangle_PREROUTING { type filter hook prerouting priority -140; jump zones; }
          chain zones { iifname nft1 goto drop_nothing; goto drop_nothing; }
          chain drop_nothing { return; }
          chain filter_PREROUTING { type filter hook prerouting priority 10; icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept; meta nfproto ipv6 fib saddr . mark . iif oif missing drop; }
          chain filter_FORWARD { type filter hook forward priority 10; ct state { established, related } accept; ct status dnat accept; iifname lo accept; ct state invalid drop;
            ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24 } reject with icmpv6 addr-unreachable; jump forward_zones; reject with icmpx admin-prohibited; }
          chain forward_zones { ip saddr 10.244.1.0/24 goto trusted; ip daddr 10.244.1.0/24 goto trusted; ip6 saddr fd00:10:244:1::/64 goto trusted; ip6 daddr fd00:10:244:1::/64 goto trusted; goto public; }
          chain trusted { accept; }
          chain public { reject with icmpx admin-prohibited; }
          chain filter_INPUT { type filter hook input priority 10; ct state { established, related } accept; iifname lo accept; ct state invalid drop; meta l4proto { icmp, ipv6-icmp } accept; reject with icmpx admin-prohibited; }
        }
        """)]
    [InlineData(
        """
        table ip docker-bridges {
          map filter-forward-in-jumps { type ifname : verdict; elements = { docker0 : jump filter-forward-in__docker0 }; }
          map filter-forward-out-jumps { type ifname : verdict; elements = { docker0 : jump filter-forward-out__docker0 }; }
          chain filter-forward-in__docker0 { ct state established,related accept; iifname docker0 accept; drop; }
          chain filter-forward-out__docker0 { ct state established,related accept; accept; }
          chain filter-FORWARD { type filter hook forward priority 0; oifname vmap @filter-forward-in-jumps; iifname vmap @filter-forward-out-jumps; }
          chain nat-POSTROUTING { type nat hook postrouting priority 100; iifname != docker0 oifname docker0 masquerade; ip saddr 172.17.0.0/16 oifname != docker0 masquerade; }
          chain raw-PREROUTING { type filter hook prerouting priority -300; ip daddr 172.17.0.2 iifname != docker0 drop; }
        }
        """)]
    public void Tables_of_programs_that_leave_pods_alone_are_not_reported(string ruleset)
    {
        using NatBox box = new("nftables");
        box.Reach(NftablesPlans.DualStack);
        NatBox.Run($"nft -f - <<'END'\n{ruleset}\nEND\n");
        Assert.Empty(All(box));
    }

    private void Check(IEnumerable<(bool IPv4, string Ruleset)> cases, Func<bool, string, string> install)
    {
        List<string> wrong = [];
        int harmful = 0, all = 0;
        foreach ((bool ipv4, string ruleset) in cases)
        {
            using NatBox box = new("none");
            NatBox.Run(install(ipv4, ruleset));
            IReadOnlyList<string> found = Found(box);
            string harm = found.Count == 0 && wrong.Count < 3 ? _packets.HarmThatStays(ipv4) : _packets.Harm(ipv4);
            if (ruleset.Contains("-P ", StringComparison.Ordinal))
                NatBox.Run(install(ipv4, ruleset.Replace("DROP", "ACCEPT", StringComparison.Ordinal)));
            (harmful, all) = (harmful + (harm.Length > 0 ? 1 : 0), all + 1);
            if ((harm.Length > 0) != (found.Count > 0))
                wrong.Add($"{ruleset}\n  packets: {(harm.Length > 0 ? harm : "arrive")}\n  census: {string.Join("; ", found)}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.InRange(harmful, all / 5, all * 4 / 5);
    }

    // Elsewhere neighbours need not be found: they are permanent.
    private static IReadOnlyList<string> Found(NatBox box) => [.. All(box).Where(o =>
        !o.Contains(" drops neighbour discovery", StringComparison.Ordinal) && !o.Contains(" drops ARP", StringComparison.Ordinal))];

    private static IReadOnlyList<string> All(NatBox box)
    {
        HostState host = box.Host.Read([]);
        int uplink = host.Interfaces.Single(i => i.Name == "nft1").Index;
        Plan plan = new()
        {
            OwnPodCidrs = [.. NftablesPlans.Prefixes("10.244.1.0/24 fd00:10:244:1::/64")],
            Routes =
            [
                new(Prefix.Parse("10.244.2.0/24"), 0, Net.Ip.Parse("192.0.2.2"), uplink),
                new(Prefix.Parse("fd00:10:244:2::/64"), 1024, Net.Ip.Parse("2001:db8::2"), uplink),
            ],
        };
        ApplyResult result = box.Host.Apply(new() { Routes = new(), Plan = plan, Host = host, FindsLeftovers = true }, ApplyMode.Preview);
        Assert.Empty(result.Failures);
        return [.. result.Obstacles, .. result.Leftovers!.Select(l => l.What)];
    }

    // Null: nft does not take it there.
    private static string? Rule(string chain, string condition, string verdict, bool ipv4)
    {
        string[] parts = chain.Replace("FAMILY", ipv4 ? "ip" : "ip6", StringComparison.Ordinal).Split(": ");
        bool isLate = chain.Contains("ingress", StringComparison.Ordinal) || chain.Contains("egress", StringComparison.Ordinal);
        bool isEarly = isLate || chain.Contains("prerouting", StringComparison.Ordinal) || chain.Contains("input", StringComparison.Ordinal);
        if ((isEarly && condition.Contains("oifname", StringComparison.Ordinal)) || (isLate && (condition.Contains("ct ", StringComparison.Ordinal) ||
            condition.Contains("fib", StringComparison.Ordinal))) || (verdict is "reject" && (isLate || chain.Contains("postrouting", StringComparison.Ordinal) ||
            chain.StartsWith("bridge", StringComparison.Ordinal) || chain.Contains("prerouting", StringComparison.Ordinal))))
            return null;
        if (parts[0] is not "inet t" && condition.Contains("NFPROTO", StringComparison.Ordinal))
            return null;
        if (chain.StartsWith("bridge", StringComparison.Ordinal) && (condition.Contains("fib", StringComparison.Ordinal) || condition.Contains("ct ", StringComparison.Ordinal)))
            return null;
        string rule = $"{condition} {(condition.Contains("vmap", StringComparison.Ordinal) ? "" : verdict)}"
            .Replace("NFPROTO", ipv4 ? "ipv4" : "ipv6", StringComparison.Ordinal)
            .Replace("IP ", ipv4 ? "ip " : "ip6 ", StringComparison.Ordinal)
            .Replace("OWN", ipv4 ? "10.244.1.0/24" : "fd00:10:244:1::/64", StringComparison.Ordinal)
            .Replace("PEER", ipv4 ? "10.244.2.0/24" : "fd00:10:244:2::/64", StringComparison.Ordinal)
            .Replace("CLUSTER", ipv4 ? "10.244.0.0/16" : "fd00:10:244::/48", StringComparison.Ordinal)
            .Replace("OTHER", ipv4 ? "10.9.0.0/16" : "fd00:9::/32", StringComparison.Ordinal)
            .Replace("HALF", ipv4 ? "10.244.2.0-10.244.2.127" : "fd00:10:244:2::-fd00:10:244:2:7fff:ffff:ffff:ffff", StringComparison.Ordinal)
            .Replace("MASK", ipv4 ? "255.255.255.0" : "ffff:ffff:ffff:ffff::", StringComparison.Ordinal)
            .Replace("NET", ipv4 ? "10.244.1.0" : "fd00:10:244:1::", StringComparison.Ordinal);
        return $"table {parts[0]} {{ chain c {{ {parts[1]} {rule}; }}; }}";
    }

    private static string Table(string family, string hook, string rules, string besides = "") =>
        $"table {family} t {{ {(besides.Length > 0 ? besides + ";" : "")} chain c {{ {hook} {(rules.Length > 0 ? rules + ";" : "")} }}; }}";

    private static string Run(NetworkNamespace? place, string command) => place is null ? NatBox.Run(command) : place.Exec("sh", "-c", command);
}
