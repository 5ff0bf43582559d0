namespace HostGw.Tests.Settings;

public class SettingValueTests
{
    private const string NoProtocol =
        "must be a number from 5 to 255: the kernel keeps 0 to 4 for itself and for routes made by hand";

    private const string NoInterface =
        "must be auto, an interface name, a pattern such as eth*, or an aligned CIDR that holds its address; never lo";

    // Flags, then the one complaint about them.
    public static TheoryData<string, string> Refused => new()
    {
        { "--forwarding yes", "forwarding: 'yes' must be true or false (flag --forwarding)" },
        { "--nat-backend ipset", "nat.backend: 'ipset' must be auto, nftables, iptables or none (flag --nat-backend)" },
        { "--next-hop 1", "nextHop: '1' must be NodeAddress or PodGateway (flag --next-hop)" },
        { "--resync-seconds 4", "resyncSeconds: '4' must be a whole number from 5 to 3600 (flag --resync-seconds)" },
        { "--resync-seconds 3601", "resyncSeconds: '3601' must be a whole number from 5 to 3600 (flag --resync-seconds)" },
        { "--probe-port 0", "probe.port: '0' must be a whole number from 1 to 65535 (flag --probe-port)" },
        { "--probe-port 65536", "probe.port: '65536' must be a whole number from 1 to 65535 (flag --probe-port)" },
        { "--probe-interval-seconds 0", "probe.intervalSeconds: '0' must be a whole number from 1 to 3600 (flag --probe-interval-seconds)" },
        { "--tunnel-mode on", "tunnel.mode: 'on' must be off, auto or always (flag --tunnel-mode)" },
        { "--tunnel-vni 0", "tunnel.vni: '0' must be a whole number from 1 to 16777215 (flag --tunnel-vni)" },
        { "--tunnel-vni 16777216", "tunnel.vni: '16777216' must be a whole number from 1 to 16777215 (flag --tunnel-vni)" },
        { "--tunnel-source 1", "tunnel.source: '1' must be auto, or an index from 2 to 65534 (flag --tunnel-source)" },
        { "--tunnel-source 65535", "tunnel.source: '65535' must be auto, or an index from 2 to 65534 (flag --tunnel-source)" },
        { "--tunnel-native-after-seconds 9",
            "tunnel.nativeAfterSeconds: '9' must be a whole number from 10 to 3600 (flag --tunnel-native-after-seconds)" },
        { "--resync-seconds 1e3", "resyncSeconds: '1e3' must be a whole number from 5 to 3600 (flag --resync-seconds)" },
        { "--cluster-cidrs 10.244.0.0",
            "clusterCidrs: '10.244.0.0' must be a CIDR such as 10.244.0.0/16 or fd00:10:244::/56 (flag --cluster-cidrs)" },
        { "--cluster-cidrs 10.0.0.0/8,010.1.0.0/16",
            "clusterCidrs: '010.1.0.0/16' must be a CIDR such as 10.244.0.0/16 or fd00:10:244::/56 (flag --cluster-cidrs)" },
        { "--cluster-cidrs 10.244.1.0/16",
            "clusterCidrs: '10.244.1.0/16' has bits set behind its length: write 10.244.0.0/16 (flag --cluster-cidrs)" },
        { "--cluster-cidrs fd00::1/56",
            "clusterCidrs: 'fd00::1/56' has bits set behind its length: write fd00::/56 (flag --cluster-cidrs)" },
        { "--cluster-cidrs 0.0.0.0/0", "clusterCidrs: '0.0.0.0/0' must be a CIDR that does not hold every address (flag --cluster-cidrs)" },
        { "--nat-exempt ::ffff:10.0.0.0/104",
            "nat.exempt: '::ffff:10.0.0.0/104' must not be an IPv4 prefix written as IPv6 (flag --nat-exempt)" },
        { "--route-protocol 4", $"routeProtocol: '4' {NoProtocol} (flag --route-protocol)" },
        { "--route-protocol 256", $"routeProtocol: '256' {NoProtocol} (flag --route-protocol)" },
        { "--route-protocol 16", "routeProtocol: '16' must be a number that no other program uses: 16 is dhcp (flag --route-protocol)" },
        { "--interface lo", $"interface: 'lo' {NoInterface} (flag --interface)" },
        { "--interface 127.0.0.0/8", $"interface: '127.0.0.0/8' {NoInterface} (flag --interface)" },
        { "--interface 10.0.0.1/8", $"interface: '10.0.0.1/8' {NoInterface} (flag --interface)" },
        { "--node-name Node1", "nodeName: 'Node1' must be a lower-case DNS name of letters, digits, '-' and '.' (flag --node-name)" },
        { "--node-name a..b", "nodeName: 'a..b' must be a lower-case DNS name of letters, digits, '-' and '.' (flag --node-name)" },
        { "--node-name a-.b", "nodeName: 'a-.b' must be a lower-case DNS name of letters, digits, '-' and '.' (flag --node-name)" },
        { "--node-selector a=b=c",
            "nodeSelector: 'a=b=c' must be a label selector such as pool=a,tier!=db,!virtual,zone in (x,y) (flag --node-selector)" },
        { "--listen 127.0.0.1", "listen: '127.0.0.1' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (flag --listen)" },
        { "--listen ::1:9157", "listen: '::1:9157' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (flag --listen)" },
        { "--listen localhost:9157",
            "listen: 'localhost:9157' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (flag --listen)" },
        { "--listen 127.0.0.1:0",
            "listen: '127.0.0.1:0' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (flag --listen)" },
        { "--listen 127.0.0.1:65536",
            "listen: '127.0.0.1:65536' must be an address and a port such as 127.0.0.1:9157 or [::1]:9157 (flag --listen)" },
        { "--api-server 10.0.0.1:6443",
            "apiServer: '10.0.0.1:6443' must be an https:// URL (http:// only to this host) (flag --api-server)" },
        { "--api-server http://10.0.0.1",
            "apiServer: 'http://10.0.0.1' must be an https:// URL (http:// only to this host) (flag --api-server)" },
        { "--api-server https://me:secret@10.0.0.1",
            "apiServer: 'https://me:secret@10.0.0.1' must be an https:// URL (http:// only to this host) (flag --api-server)" },
        { "--proc-sys-net proc", "procSysNet: 'proc' must be an absolute path (flag --proc-sys-net)" },
        { "--log-level info", "log.level: 'info' must be trace, debug, information, warning or error (flag --log-level)" },
    };

    // Flags, then the line of the result that shows them.
    public static TheoryData<string, string> Accepted => new()
    {
        { "--forwarding false", "Policy.Forwarding = False" },
        { "--nat-exempt-nodes", "Policy.Nat.ExemptNodes = True" },
        { "--nat-exempt-nodes --node-name a", "Policy.Nat.ExemptNodes = True" },
        { "--cluster-cidrs=10.244.0.0/16,,fd00::/56,", "Policy.ClusterCidrs = 10.244.0.0/16 fd00::/56" },
        { "--next-hop PodGateway --cluster-cidrs fd00::/56", "Policy.NextHop = PodGateway" },
        { "--cluster-route true --cluster-cidrs 10.244.0.0/16", "Policy.ClusterRoute = On" },
        { "--nat-source any", "Policy.Nat.RandomFully = False" },
        { "--nat-source any --nat-random-fully true", "Policy.Nat.RandomFully = True" },
        { "--nat-source pods --nat-random-fully false", "Policy.Nat.RandomFully = False" },
        { "--interface fd00:1::/64", "Policy.Interface = fd00:1::/64" },
        { "--api-server http://127.0.0.1:8001", "ApiServer = http://127.0.0.1:8001/" },
        { "--listen 0.0.0.0:9157", "Listen = 0.0.0.0:9157" },
        { "--route-protocol 255", "RouteProtocol = 255" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_bad_value_is_named_with_its_source_and_what_is_allowed(string flags, string error) =>
        Assert.Equal(error, new Given { Flags = flags }.Error());

    [Theory]
    [MemberData(nameof(Accepted))]
    public void A_good_value_is_read(string flags, string line) =>
        Assert.Contains(line, Shown.Lines(new Given { Flags = flags }.Read()));

    [Fact]
    public void A_hostile_value_is_shown_bounded_and_without_control_characters()
    {
        var given = new Given { Variables = { ["HOSTGW_NODE_NAME"] = "a\u001b[31m\n\u202e" + new string('x', 5000) } };
        string error = given.Error();
        Assert.StartsWith("nodeName: 'a\\u{1b}[31m\\u{a}\\u{202e}xxx", error, StringComparison.Ordinal);
        Assert.EndsWith(
            "x…' must be a lower-case DNS name of letters, digits, '-' and '.' (variable HOSTGW_NODE_NAME)",
            error, StringComparison.Ordinal);
        Assert.True(error.Length < 250, error);
    }
}
