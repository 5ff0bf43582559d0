using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using Ip = HostGw.Lab.Network.Ip;

namespace HostGw.Lab.Tests.Platform;

/// <summary>This process's own network with a link hostgw0 beside what it has for NAT.</summary>
public sealed class GuardNetwork : IDisposable
{
    public GuardNetwork()
    {
        Ip.Batch(["link add hostgw0 group 157 type vxlan external gpe dstport 4790", "addr add 10.244.1.1/32 dev hostgw0", "link set hostgw0 up"]);
        foreach (string link in (string[])["all", "hostgw0", "nft0", "nft1"])
            File.WriteAllText($"/proc/sys/net/ipv4/conf/{link}/rp_filter", "0");
        // So that no packet of the tests is dropped for another reason than the guards.
        File.WriteAllText("/proc/sys/net/ipv4/conf/hostgw0/route_localnet", "1");
        Nodes.Outside.Configure(["addr add 198.51.100.9/32 dev lo", "addr add 2001:db8:9::9/128 dev lo nodad"]);
    }

    public NftablesNetwork Nodes { get; } = new();

    public void Dispose()
    {
        Ip.Batch(["link del hostgw0"]);
        Nodes.Dispose();
    }
}

/// <summary>Packets of attackers are dropped and counted by the guard that is meant for them; those of nodes and pods arrive.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class GuardPacketTests : NftablesTest, IClassFixture<GuardNetwork>, IDisposable
{
    private const int Free = 40001, ServicePort = 5353;

    private readonly NftablesNetwork _network;
    private readonly ShiftedTime _time = new();
    private readonly LinuxGuards _guards;

    public GuardPacketTests(GuardNetwork network)
    {
        (_network, _guards) = (network.Nodes, new(_time));
        Make(GuardPlans.Tunnel);
    }

    [Theory]
    [InlineData("192.0.2.1", 9158)]
    [InlineData("192.0.2.1", 4790)]
    [InlineData("192.0.2.2", 9158)]
    [InlineData("192.0.2.2", 4790)]
    [InlineData("10.244.2.5", 4790)]
    [InlineData("2001:db8::1", 9158)]
    [InlineData("2001:db8::2", 4790)]
    public void A_pod_reaches_the_ports_of_no_node(string node, int port) =>
        Drops("port", () => Send(_network.Pod, PodOf(node), node, port, "x"u8.ToArray()));

    [Theory]
    [InlineData("192.0.2.2", "192.0.2.1", 4790)]
    [InlineData("192.0.2.1", "192.0.2.2", 4790)]
    [InlineData("192.0.2.7", "192.0.2.2", 9158)]
    [InlineData("10.244.2.0", "192.0.2.1", 9158)]
    public void Nor_with_a_source_address_that_is_not_its_own(string source, string node, int port) => Drops("port", () =>
        _network.Pod.Run(() => GuardPackets.SendRaw(GuardPackets.Udp(source, node, port))));

    [Theory]
    [InlineData("192.0.2.1", 4790)]
    [InlineData("127.0.0.1", 4790)]
    [InlineData("127.0.0.1", 9158)]
    [InlineData("2001:db8::1", 9158)]
    public void Nor_does_a_process_of_this_host_by_its_loopback(string node, int port) =>
        Drops("port", () => Send(null, node, node, port, "x"u8.ToArray()));

    // A Service whose endpoints are nodes' addresses, or a port of the host: this node's rules translate the destination.
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.2", 4790)]
    [InlineData("192.0.2.7", "192.0.2.2", 9158)]
    [InlineData("192.0.2.7", "192.0.2.1", 4790)]
    [InlineData("192.0.2.1", "192.0.2.1", 9158)]
    [InlineData("192.0.2.7", "10.244.2.5", 4790)]
    [InlineData("2001:db8::7", "2001:db8::2", 4790)]
    [InlineData("2001:db8::7", "2001:db8::1", 9158)]
    public void Nor_by_an_address_or_port_that_is_translated_to_theirs(string service, string node, int port)
    {
        Translate("prerouting", service, node, port);
        Drops("translated", () => Send(_network.Pod, PodOf(node), service, ServicePort, "x"u8.ToArray()));
    }

    // As the same datagram of a pod on another node arrives, or somebody's outside of the cluster: this node would give it its name.
    [Theory]
    [InlineData("192.0.2.2", "192.0.2.1", "192.0.2.1", 4790)]
    [InlineData("198.51.100.9", "192.0.2.1", "192.0.2.1", 4790)]
    [InlineData("198.51.100.9", "192.0.2.1", "192.0.2.3", 4790)]
    [InlineData("2001:db8:9::9", "2001:db8::1", "2001:db8::1", 9158)]
    public void Nor_does_anybody_outside_by_a_port_of_this_host(string from, string to, string node, int port)
    {
        Translate("prerouting", to, node, port);
        Drops("translated", () => Send(_network.Outside, from, to, ServicePort, "x"u8.ToArray()));
    }

    // With guards for probes alone nothing asks connection tracking: what comes by an uplink passes.
    [Fact]
    public void Guards_of_probes_alone_drop_a_pods_translated_datagram()
    {
        Make(GuardPlans.Probes);
        Translate("prerouting", "192.0.2.7", "192.0.2.2", 9158);
        Drops("port", () => Send(_network.Pod, "10.244.1.5", "192.0.2.7", ServicePort, "x"u8.ToArray()));
    }

    // As IPVS sends on what a pod sent to a Service: in the place of this host, with the pod's address.
    [Theory]
    [InlineData("10.244.1.5", "192.0.2.2", 4790)]
    [InlineData("10.244.1.5", "192.0.2.2", 9158)]
    [InlineData("198.51.100.9", "192.0.2.2", 4790)]
    public void Nor_does_what_this_host_sends_on_for_another_address(string source, string node, int port) =>
        // Who sends is told that the packet was dropped.
        Drops("relayed", () => Assert.Equal(
            SocketError.AccessDenied,
            Assert.Throws<SocketException>(() => GuardPackets.SendRaw(GuardPackets.Udp(source, node, port))).SocketErrorCode));

    // While the link to the pods holds the podCIDR, its first address is the kernel's anycast address there.
    [Fact]
    public void A_probe_from_the_first_address_of_the_podCIDR_passes()
    {
        using Socket node = Bound(_network.Outside, "2001:db8::2", 9158);
        Passes(node, () => GuardPackets.SendRaw(GuardPackets.Udp("fd00:10:244:1::", "2001:db8::2", 9158)));
    }

    // It may send to that port by itself, under the same name.
    [Fact]
    public void What_the_host_itself_sends_to_a_translated_address_passes()
    {
        Translate("output", "192.0.2.7", "192.0.2.2", 4790);
        using Socket node = Bound(_network.Outside, "192.0.2.2", 4790);
        Passes(node, () => Send(null, "192.0.2.1", "192.0.2.7", ServicePort, "x"u8.ToArray()));
    }

    [Fact]
    public void Another_port_of_a_node_behind_a_Service_is_left_alone()
    {
        Translate("prerouting", "192.0.2.7", "192.0.2.2", 9159);
        using Socket node = Bound(_network.Outside, "192.0.2.2", 9159);
        Passes(node, () => Send(_network.Pod, "10.244.1.5", "192.0.2.7", ServicePort, "x"u8.ToArray()));
    }

    [Fact]
    public void A_new_name_of_the_link_opens_nothing()
    {
        Run("ip link set hostgw0 name other0");
        try
        {
            Drops("inner", () => SendInner("192.0.2.2", "192.0.2.1", 157, GuardPackets.Udp("10.244.2.5", "192.0.2.1", Free)));
        }
        finally
        {
            Run("ip link set other0 name hostgw0");
        }
    }

    [Theory]
    [InlineData("192.0.2.2", "192.0.2.1")]
    [InlineData("2001:db8::2", "2001:db8::1")]
    public void A_peers_probe_arrives(string from, string to)
    {
        using Socket probe = Bound(null, to, 9158);
        Passes(probe, () => Send(_network.Outside, from, to, 9158, "x"u8.ToArray()));
    }

    [Fact]
    public void The_ports_of_others_are_left_alone()
    {
        using Socket server = Bound(null, "192.0.2.1", 9159);
        Passes(server, () => Send(_network.Pod, "10.244.1.5", "192.0.2.1", 9159, "x"u8.ToArray()));
    }

    [Theory]
    [InlineData("192.0.2.3", "192.0.2.1")]
    [InlineData("198.51.100.9", "192.0.2.1")]
    [InlineData("10.244.2.5", "192.0.2.1")]
    [InlineData("2001:db8::3", "2001:db8::1")]
    [InlineData("2001:db8:9::9", "2001:db8::1")]
    public void The_tunnel_takes_nothing_from_an_address_of_no_node(string from, string to) =>
        Drops("outer", () => SendInner(from, to, 157, GuardPackets.Udp("10.244.2.5", "10.244.1.5", Free)));

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(156u)]
    [InlineData(0x9D0000u)]
    [InlineData(0xFFFFFFu)]
    public void The_tunnel_takes_no_other_VNI(uint vni) =>
        Drops("vni", () => SendInner("192.0.2.2", "192.0.2.1", vni, GuardPackets.Udp("10.244.2.5", "10.244.1.5", Free)));

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(6)]
    public void A_datagram_that_is_too_short_for_a_VNI_is_dropped(int length) => Drops("vni", () =>
        Send(_network.Outside, "192.0.2.2", "192.0.2.1", 4790, GuardPackets.Outer(157, [0x45])[..length]));

    [Theory]
    [InlineData("10.244.2.5", "192.0.2.1")]      // this host
    [InlineData("10.244.2.5", "127.0.0.1")]
    [InlineData("10.244.2.5", "192.0.2.2")]      // another node
    [InlineData("10.244.2.5", "10.244.3.5")]     // another node's pod
    [InlineData("10.244.2.5", "198.51.100.1")]
    [InlineData("10.244.2.5", "224.0.0.1")]
    [InlineData("10.244.2.5", "255.255.255.255")]
    [InlineData("10.244.1.5", "10.244.1.6")]     // from one of this node's pods
    [InlineData("10.244.1.1", "10.244.1.5")]     // from SOURCE
    [InlineData("10.245.0.5", "10.244.1.5")]     // from nobody's pod
    [InlineData("198.51.100.1", "10.244.1.5")]
    [InlineData("192.0.2.1", "10.244.1.5")]      // from this host
    [InlineData("192.0.2.100", "10.244.1.5")]
    [InlineData("127.0.0.1", "10.244.1.5")]
    [InlineData("0.0.0.0", "10.244.1.5")]
    [InlineData("fd00:10:244:2::5", "2001:db8::1")]
    [InlineData("fd00:10:244:2::5", "fd00:10:244:3::5")]
    [InlineData("fd00:10:244:2::5", "ff02::1")]
    [InlineData("fe80::1", "ff02::1")]
    [InlineData("fe80::1", "fd00:10:244:1::5")]
    [InlineData("fd00:10:244:1::6", "fd00:10:244:1::5")]
    [InlineData("fd00:10:244:9::5", "fd00:10:244:1::5")]
    [InlineData("2001:db8::1", "fd00:10:244:1::5")]
    public void Nothing_but_packets_of_peers_to_this_nodes_pods_comes_out_of_the_tunnel(string source, string destination) =>
        Drops("inner", () => SendInner("192.0.2.2", "192.0.2.1", 157, GuardPackets.Udp(source, destination, Free)));

    [Theory]
    [InlineData("192.0.2.2", "192.0.2.1", "10.244.2.5", "10.244.1.5")]
    [InlineData("192.0.2.2", "192.0.2.1", "10.244.3.0", "10.244.1.5")]
    [InlineData("192.0.2.2", "192.0.2.1", "192.0.2.2", "10.244.1.5")]
    [InlineData("192.0.2.2", "192.0.2.1", "fd00:10:244:2::5", "fd00:10:244:1::5")]
    [InlineData("2001:db8::2", "2001:db8::1", "10.244.2.5", "10.244.1.5")]
    [InlineData("2001:db8::2", "2001:db8::1", "2001:db8::2", "fd00:10:244:1::5")]
    public void Packets_of_peers_and_their_nodes_reach_this_nodes_pods(string from, string to, string source, string destination)
    {
        using Socket pod = Bound(_network.Pod, destination, Free);
        Passes(pod, () => SendInner(from, to, 157, GuardPackets.Udp(source, destination, Free)));
    }

    [Fact]
    public void A_packet_of_a_peer_reaches_this_nodes_own_address_in_the_tunnel()
    {
        using Socket host = Bound(null, "10.244.1.1", Free);
        Passes(host, () => SendInner("192.0.2.2", "192.0.2.1", 157, GuardPackets.Udp("192.0.2.2", "10.244.1.1", Free)));
    }

    [Fact]
    public void A_tunnel_inside_the_tunnel_is_dropped() => Drops("outer", () => SendInner(
        "192.0.2.2", "192.0.2.1", 157, GuardPackets.Udp("10.244.2.5", "10.244.1.1", 4790)));

    [Fact]
    public void Connections_are_not_tracked_outside_of_the_tunnel_in_either_direction()
    {
        // On a real node kube-proxy or the CNI's own rules keep connection tracking on.
        Run("nft 'add table inet track; add chain inet track seen { type filter hook forward priority 0; }; " +
            "add rule inet track seen ct state new accept'");
        Run("ip route replace 10.244.3.0/24 encap ip id 157 dst 192.0.2.2 dev hostgw0");
        using Socket pod = Bound(_network.Pod, "10.244.1.5", Free), tunnel = Bound(_network.Outside, "192.0.2.2", 4790);
        Passes(pod, () => SendInner("192.0.2.2", "192.0.2.1", 157, GuardPackets.Udp("10.244.2.5", "10.244.1.5", Free)));
        Passes(tunnel, () => Send(_network.Pod, "10.244.1.5", "10.244.3.5", Free, "x"u8.ToArray()));

        string tracked = File.ReadAllText("/proc/thread-self/net/nf_conntrack");
        Assert.Contains("dst=10.244.1.5", tracked, StringComparison.Ordinal);
        Assert.DoesNotContain("dport=4790 ", tracked, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_dropped_stays_counted_while_nodes_join_and_leave()
    {
        Drops("outer", () => SendInner("192.0.2.3", "192.0.2.1", 157, GuardPackets.Udp("10.244.2.5", "10.244.1.5", Free)));
        long before = Count("outer");
        Make(GuardPlans.Tunnel.With(t => t with { Nodes = GuardPlans.Prefixes("192.0.2.2/32 192.0.2.3/32") }));

        Assert.Equal(before, Count("outer"));
        using Socket pod = Bound(_network.Pod, "10.244.1.5", Free);
        Passes(pod, () => SendInner("192.0.2.3", "192.0.2.1", 157, GuardPackets.Udp("10.244.2.5", "10.244.1.5", Free)));
    }

    public new void Dispose()
    {
        _guards.Dispose();
        base.Dispose();
    }

    private static string PodOf(string sameFamily) => sameFamily.Contains(':') ? "fd00:10:244:1::5" : "10.244.1.5";

    private void Make(GuardPlan plan)
    {
        Attempts attempts = new();
        Assert.Equal("", _guards.Obstacle());
        _guards.Make(plan, reread: true, writes: true, attempts);
        _guards.Remove(plan, reread: true, writes: true, attempts);
        Assert.Empty(attempts.Failures.Select(f => f.Error.ToString()));
    }

    // And the masquerade rule, which would give the datagram this node's name.
    private static void Translate(string hook, string address, string node, int port)
    {
        bool isIPv6 = address.Contains(':');
        (string family, string to) = isIPv6 ? ("ip6", $"[{node}]:{port}") : ("ip", $"{node}:{port}");
        Run($"nft 'add table {family} service; add chain {family} service in {{ type nat hook {hook} priority -100; }}; " +
            $"add rule {family} service in {family} daddr {address} udp dport {ServicePort} dnat to {to}; " +
            $"add chain {family} service out {{ type nat hook postrouting priority 100; }}; " +
            $"add rule {family} service out udp dport {port} masquerade'");
    }

    private void SendInner(string from, string to, uint vni, byte[] inner) =>
        Send(_network.Outside, from, to, 4790, GuardPackets.Outer(vni, inner));

    // Sent again until it is counted: the first packet may be lost while neighbours are resolved.
    private void Drops(string guard, Action send)
    {
        Dictionary<string, long> before = Counts();
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    send();
                    return SpinWait.SpinUntil(() => Count(guard) > before[guard], TimeSpan.FromMilliseconds(200));
                },
                Expect.Patience),
            $"nothing was dropped by {guard}: {string.Join(' ', Counts())}");
        Assert.Equal(before.Where(c => c.Key != guard), Counts().Where(c => c.Key != guard));
    }

    private void Passes(Socket server, Action send)
    {
        Dictionary<string, long> before = Counts();
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    send();
                    return server.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead);
                },
                Expect.Patience),
            $"nothing arrives: {string.Join(' ', Counts())}");
        Assert.Equal(before, Counts());
    }

    private long Count(string guard) => Counts()[guard];

    private Dictionary<string, long> Counts()
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return _guards.Drops().ToDictionary(d => d.Guard, d => d.Packets);
    }

    private static void Send(NetworkNamespace? place, string from, string to, int port, byte[] data)
    {
        using Socket socket = Bound(place, from, 0);
        socket.SendTo(data, new IPEndPoint(IPAddress.Parse(to), port));
    }

    private static Socket Bound(NetworkNamespace? place, string address, int port)
    {
        return place is null ? New() : place.Run(New);

        Socket New()
        {
            IPAddress ip = IPAddress.Parse(address);
            Socket socket = new(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(ip, port));
            return socket;
        }
    }
}
