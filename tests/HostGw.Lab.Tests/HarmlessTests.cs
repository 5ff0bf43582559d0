using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What other programs do on a host without harm to pods: HostGw says nothing of it and writes nothing for it.</summary>
public sealed class HarmlessTests : LabTest
{
    private const int ForeignRoutes = 150_000;

    private int _wakes;

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Agent Agent => Cluster.Agent(One);

    // What it is, and the lines for sh on node 1. Each stays until the end, so that they are also tried together.
    private static readonly (string Name, string Commands)[] Situations =
    [
        ("wg-quick's rules for a default route through a VPN", """
            ip link add vpn0 type veth peer name vpn0p && ip link set vpn0 up && ip link set vpn0p up
            for family in -4 -6; do
              ip $family route add default dev vpn0 table 51820
              ip $family rule add pref 32764 lookup main suppress_prefixlength 0
              ip $family rule add pref 32765 not fwmark 51820 lookup 51820
            done
            """),
        ("a VPN's rules for its own packets and its own network", """
            ip rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
            ip rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
            ip rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
            ip rule add pref 5270 lookup 52
            ip route add 100.64.0.0/10 dev vpn0 table 52
            ip route add throw 192.168.0.0/16 table 52
            """),
        ("a table with routes to pods that no rule leads to", """
            ip route add 192.168.0.0/16 dev vpn0 table 1000
            ip route add blackhole 192.168.2.0/24 table 1000
            ip -6 route add fd00:192:168::/48 dev vpn0 table 1000
            """),
        ("blackholes that are wider than podCIDRs", """
            ip route add blackhole 192.168.0.0/16
            ip route add unreachable 192.168.0.0/17
            ip route add unreachable 10.0.0.0/8
            ip -6 route add blackhole fd00:192:168::/48
            ip -6 route add unreachable fd00::/8
            """),
        ("IPVS with 5,000 addresses", """
            ip link add kube-ipvs0 type bridge
            for i in $(seq 0 19); do for j in $(seq 1 250); do echo "address add 10.96.$i.$j/32 dev kube-ipvs0"; done; done | ip -batch -
            """),
        ("Docker's bridge with its MASQUERADE and its isolation", """
            ip link add docker0 type bridge && ip address add 172.17.0.1/16 dev docker0 && ip link set docker0 up
            iptables-nft -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
            iptables-nft -t nat -N DOCKER && iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
            iptables-nft -t nat -A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
            iptables-nft -N DOCKER-ISOLATION && iptables-nft -A FORWARD -j DOCKER-ISOLATION
            iptables-nft -A DOCKER-ISOLATION -i docker0 ! -o docker0 -d 172.18.0.0/16 -j DROP
            """),
        ("a firewall for the host, and rules that count or drop what is not of pods", """
            nft -f - <<'END'
            table inet firewall {
              set blocked { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 203.0.113.128/25 } }
              chain input { type filter hook input priority 0; policy accept; iifname "docker0" drop; tcp dport 23 drop; }
              chain forward { type filter hook forward priority 0; policy accept; counter; ip saddr @blocked drop;
                iifname "docker0" oifname "eth0" tcp dport 25 reject; }
              chain raw { type filter hook prerouting priority -300; counter; ip saddr 198.51.100.0/24 drop; }
            }
            table ip vpn { chain out { type nat hook postrouting priority 100; oifname "vpn0" ip saddr 172.17.0.0/16 masquerade; }; }
            END
            """),
        ("IPv6 temporary addresses", """
            sysctl -qw net.ipv6.conf.eth0.use_tempaddr=2
            ip address add fd00:10::abcd/64 dev eth0 mngtmpaddr valid_lft 3600 preferred_lft 1800
            ip -6 address show dev eth0 temporary | grep -q inet6
            """),
        ("another NIC that gets a port of a bridge, which gets its address", """
            ip link add eth1 type veth peer name eth1p && ip link set eth1 up && ip link set eth1p up
            ip address add 172.20.0.5/24 dev eth1
            ip link add br1 type bridge && ip link set br1 up
            ip link set eth1 master br1 && ip address del 172.20.0.5/24 dev eth1 && ip address add 172.20.0.5/24 dev br1
            """),
        ("the NIC towards the peers gets another name", "ip link set eth0 name enp0s1"),
        ($"{ForeignRoutes} routes of a routing daemon", $$"""
            awk 'BEGIN { for (i = 0; i < {{ForeignRoutes}}; i++)
              printf "route add %d.%d.%d.0/24 via 10.0.0.1 dev enp0s1 proto bird\n", 20 + i / 65536, i / 256 % 256, i % 256 }' | ip -batch -
            """),
    ];

    // The guards name uplinks.
    private const string GuardsChanged = "Changed the guards of probes and tunnel";

    private int GuardWrites => GuardTable.WritesOf(One.Network, GuardTable.Uplinks);

    [Fact]
    public async Task What_does_no_harm_is_not_reported_and_costs_no_write()
    {
        await StartAsync();
        double writes = await WritesAsync(), repairs = await RepairsAsync();
        int lines = Agent.Log.Lines.Count;
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), TimeSpan.FromMilliseconds(10));

        List<string> complaints = [];
        foreach ((string name, string commands) in Situations)
        {
            One.Network.Exec("sh", "-ec", commands);
            await PassAsync();
            complaints.AddRange((await ComplaintsAsync(lines)).Select(c => $"{name}: {c}"));
        }

        PingFloodResult result = flood.Stop();
        Assert.Empty(complaints);
        Assert.Single(Agent.Log.Lines.Skip(lines), l => l.Contains(GuardsChanged, StringComparison.Ordinal));
        Assert.True(result.Lost == 0, $"{result}");
        Assert.Equal((writes + GuardWrites, repairs), (await WritesAsync(), await RepairsAsync()));
    }

    // While it is away this host has no way to its peers: that is said, and it is not ready.
    [Fact]
    public async Task A_lease_that_expires_and_returns_costs_the_routes_that_the_kernel_removed_and_nothing_else()
    {
        await StartAsync();
        double writes = await WritesAsync();
        int lines = Agent.Log.Lines.Count;

        One.Network.Configure(["address delete 10.0.0.11/24 dev eth0", "address delete fd00:10::11/64 dev eth0"]);
        await Eventually.TrueAsync(async () => !await Agent.IsReadyAsync(), () => "still ready");
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        int removed = Expect.ByNodeAddress(Two).Length - Expect.Ours(One).Count();
        Assert.Equal(writes, await WritesAsync());
        One.Network.Configure([
            "address add 10.0.0.11/24 dev eth0", "address add fd00:10::11/64 dev eth0 nodad", "route add default via 10.0.0.1",
        ]);

        await RecoversAsync("eth0", () => writes + removed);
        Assert.NotEqual(0, removed);
        Assert.All(Warnings(lines), w => Assert.Contains(" (waiting): ", w, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_NIC_towards_the_peers_may_get_a_port_of_a_bridge()
    {
        await StartAsync();
        double writes = await WritesAsync();
        int lines = Agent.Log.Lines.Count;

        One.Network.Configure([
            "link add br0 type bridge", "link set br0 up", "link set eth0 master br0",
            "address delete 10.0.0.11/24 dev eth0", "address delete fd00:10::11/64 dev eth0",
            "address add 10.0.0.11/24 dev br0", "address add fd00:10::11/64 dev br0 nodad",
            "route add default via 10.0.0.1", "route replace default via fd00:10::1 dev br0",
        ]);

        await RecoversAsync("br0", () => writes + 2 + GuardWrites);
        Assert.Empty(Warnings(lines));
    }

    private async Task RecoversAsync(string uplink, Func<double> writes)
    {
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Two).Select(r => r.Replace("eth0", uplink, StringComparison.Ordinal)));
        await Agent.WaitReadyAsync();
        await PassAsync();
        Assert.Empty(await ComplaintsAsync(Agent.Log.Lines.Count));
        Assert.Equal(writes(), await WritesAsync());
        Assert.All(Two.Pods[0].Addresses, a => Assert.NotNull(Ping.Once(One.Pods[0].Network, a, Expect.Patience)));
    }

    private string[] Warnings(int lines) => [.. Agent.Log.Lines.Skip(lines).Where(
        l => l.Contains(" WRN ", StringComparison.Ordinal) || l.Contains(" ERR ", StringComparison.Ordinal))];

    private async Task StartAsync()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Two));
    }

    /// <summary>An address that concerns nobody wakes the agent.</summary>
    private async Task PassAsync()
    {
        int before = await PassesAsync();
        One.Network.Configure([$"address add 172.31.0.{++_wakes}/32 dev lo"]);
        await Eventually.TrueAsync(async () => await PassesAsync() > before, () => "no pass");
    }

    /// <summary>Everything that status, readiness, doctor or log say.</summary>
    private async Task<string[]> ComplaintsAsync(int lines)
    {
        JsonElement status = await Agent.StatusAsync();
        return
        [
            .. status.GetProperty("problems").EnumerateArray().Select(p => $"status: {p}"),
            .. await Agent.IsReadyAsync() ? [] : new[] { $"not ready: {status.GetProperty("notReady")}" },
            .. Agent.Findings().Select(f => $"doctor: {f}"),
            .. Agent.Log.Lines.Skip(lines).Where(l => !l.Contains(GuardsChanged, StringComparison.Ordinal)).Select(l => $"log: {l}"),
        ];
    }

    private async Task<int> PassesAsync() => (await Agent.StatusAsync()).GetProperty("passes").GetProperty("count").GetInt32();

    private Task<double> WritesAsync() => Agent.MetricAsync("hostgw_netlink_writes_total");

    private Task<double> RepairsAsync() => Agent.MetricAsync("hostgw_repairs_total");
}
