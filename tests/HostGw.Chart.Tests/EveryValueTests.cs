namespace HostGw.Chart.Tests;

/// <summary>No value is for show: each one, changed, is found in the manifests.</summary>
public sealed class EveryValueTests
{
    private const string Digest = "digest.enabled=true";

    private static readonly string Sha = $"sha256:{new string('a', 64)}";

    // Path → the changed value, what it must bring into the manifests, and what else must be set for it to count.
    private static readonly Dictionary<string, (string Value, string Found, string[] With)> Changes = new()
    {
        ["image.repository"] = ("registry.example.com:5000/net/hostgw", "image: registry.example.com:5000/net/hostgw:", []),
        ["image.tag"] = ("v9", "image: localhost/hostgw:v9", []),
        ["image.digest"] = (Sha, $"image: localhost/hostgw@{Sha}", []),
        ["image.pullPolicy"] = ("Always", "imagePullPolicy: Always", []),
        ["imagePullSecrets"] = ("[{\"name\":\"pull-me\"}]", "imagePullSecrets:\n        - name: pull-me", []),
        ["config.apiServer"] = ("https://192.0.2.10:6443", "apiServer: https://192.0.2.10:6443", []),
        ["config.nextHop"] = ("PodGateway", "nextHop: PodGateway", []),
        ["config.clusterCidrs"] = ("10.244.0.0/16", "clusterCidrs: 10.244.0.0/16", []),
        ["config.serviceCidrs"] = ("10.96.0.0/12", "serviceCidrs: 10.96.0.0/12", []),
        ["config.clusterRoute"] = ("off", "clusterRoute: \"off\"", []),
        ["config.policyRule"] = ("on", "policyRule: \"on\"", ["config.clusterCidrs=10.244.0.0/16"]),
        ["config.interface"] = ("eth*", "interface: eth*", []),
        ["config.nodeSelector"] = ("pool=a", "nodeSelector: pool=a", []),
        ["config.nodes.source"] = ("digest", "nodes:\n      source: digest", [Digest]),
        ["config.forwarding"] = ("false", "forwarding: false", []),
        ["config.forwardAccept"] = ("false", "forwardAccept: false", []),
        ["config.adopt"] = ("none", "adopt: none", []),
        ["config.routeProtocol"] = ("200", "routeProtocol: 200", []),
        ["config.resyncSeconds"] = ("30", "resyncSeconds: 30", []),
        ["config.probe.enabled"] = ("false", "probe:\n      enabled: false", []),
        ["config.probe.port"] = ("9999", "port: 9999", []),
        ["config.probe.intervalSeconds"] = ("30", "intervalSeconds: 30", []),
        ["config.tunnel.mode"] = ("always", "mode: always", []),
        ["config.tunnel.port"] = ("4791", "port: 4791", []),
        ["config.tunnel.vni"] = ("158", "vni: 158", []),
        ["config.tunnel.source"] = ("254", "source: 254", []),
        ["config.tunnel.nativeAfterSeconds"] = ("60", "nativeAfterSeconds: 60", []),
        ["config.nat.backend"] = ("nftables", "backend: nftables", []),
        ["config.nat.iptables"] = ("legacy", "iptables: legacy", []),
        ["config.nat.source"] = ("any", "source: any", []),
        ["config.nat.randomFully"] = ("false", "randomFully: false", []),
        ["config.nat.exempt"] = ("192.168.0.0/16", "exempt: 192.168.0.0/16", []),
        ["config.nat.exemptNodes"] = ("true", "exemptNodes: true", []),
        ["config.nat.ipv6"] = ("false", "ipv6: false", []),
        ["config.cni.install"] = ("false", "install: false", []),
        ["config.cni.takeOver"] = ("true", "takeOver: true", []),
        ["config.cni.configDirectory"] = ("/etc/other/net.d", "mountPath: /etc/other/net.d", []),
        ["config.cni.binDirectory"] = ("/usr/lib/cni", "mountPath: /usr/lib/cni", []),
        ["config.networkUnavailable.clear"] = ("true", "kind: ValidatingAdmissionPolicyBinding", []),
        ["config.events"] = ("false", "events: false", []),
        ["config.stateDirectory"] = ("/srv/hostgw", "mountPath: /srv/hostgw", []),
        ["config.windows.network"] = ("l2bridge", "network: l2bridge", []),
        ["config.windows.createNetwork"] = ("true", "createNetwork: true", []),
        ["config.windows.correctOutBoundNat"] = ("true", "correctOutBoundNat: true", []),
        ["config.windows.apiServerAddress"] = ("192.0.2.10", "apiServerAddress: 192.0.2.10", []),
        ["config.windows.gateway"] = ("192.0.2.1", "gateway: 192.0.2.1", []),
        ["config.listen"] = ("127.0.0.1:9158", "listen: 127.0.0.1:9158", []),
        ["config.log.level"] = ("debug", "level: debug", []),
        ["config.log.format"] = ("text", "format: text", []),
        ["iptablesLegacy"] = ("true", "NET_RAW", []),
        ["seLinuxType"] = ("spc_t", "type: spc_t", []),
        ["resources.limits.memory"] = ("123Mi", "limits:\n              memory: 123Mi", []),
        ["resources.requests.cpu"] = ("77m", "cpu: 77m", []),
        ["resources.requests.memory"] = ("77Mi", "memory: 77Mi", []),
        ["nodeSelector"] = ("{\"pool\":\"a\"}", "pool: a", []),
        ["affinity"] = ("{\"nodeAffinity\":{}}", "affinity:\n        nodeAffinity", []),
        ["tolerations"] = ("[{\"key\":\"only\"}]", "tolerations:\n        - key: only", []),
        ["priorityClassName"] = ("mine", "priorityClassName: mine", []),
        ["podLabels"] = ("{\"team\":\"net\"}", "team: net", []),
        ["podAnnotations"] = ("{\"note\":\"x\"}", "note: x", []),
        ["maxUnavailable"] = ("3", "maxUnavailable: 3", []),
        ["windows.enabled"] = ("true", "name: hostgw-windows", []),
        ["windows.image.repository"] = ("registry.example.com/win", "image: registry.example.com/win:", ["windows.enabled=true"]),
        ["windows.image.tag"] = ("v9", "image: localhost/hostgw-windows:v9", ["windows.enabled=true"]),
        ["windows.image.digest"] = (Sha, $"image: localhost/hostgw-windows@{Sha}", ["windows.enabled=true"]),
        ["windows.cni.configDirectory"] = ("D:/cni/conf", "value: \"D:/cni/conf\"", ["windows.enabled=true"]),
        ["windows.cni.binDirectory"] = ("D:/cni/bin", "value: \"D:/cni/bin\"", ["windows.enabled=true"]),
        ["windows.resources.requests.cpu"] = ("77m", "cpu: 77m", ["windows.enabled=true"]),
        ["windows.resources.requests.memory"] = ("77Mi", "memory: 77Mi", ["windows.enabled=true"]),
        ["windows.nodeSelector"] = ("{\"pool\":\"w\"}", "pool: w", ["windows.enabled=true"]),
        ["digest.enabled"] = ("true", "args: [digest]", []),
        ["digest.labels"] = ("{pool,zone}", "value: \"pool,zone\"", [Digest]),
        ["digest.listen"] = ("127.0.0.1:9200", "value: \"127.0.0.1:9200\"", [Digest]),
        ["digest.resources.limits.memory"] = ("123Mi", "limits:\n              memory: 123Mi", [Digest]),
        ["digest.resources.requests.cpu"] = ("77m", "cpu: 77m", [Digest]),
        ["digest.resources.requests.memory"] = ("77Mi", "memory: 77Mi", [Digest]),
        ["digest.nodeSelector"] = ("{\"pool\":\"d\"}", "pool: d", [Digest]),
        ["digest.affinity"] = ("{\"nodeAffinity\":{}}", "affinity:\n        nodeAffinity", [Digest]),
        ["digest.tolerations"] = ("[{\"key\":\"only\"}]", "tolerations:\n        - key: only", [Digest]),
        ["digest.priorityClassName"] = ("mine", "priorityClassName: mine", [Digest]),
        ["monitor.kind"] = ("PodMonitor", "kind: PodMonitor", ["config.listen=0.0.0.0:9157"]),
        ["monitor.interval"] = ("7s", "interval: 7s", ["config.listen=0.0.0.0:9157", "monitor.kind=ServiceMonitor"]),
        ["monitor.labels"] = ("{\"release\":\"prometheus\"}", "release: prometheus", ["config.listen=0.0.0.0:9157", "monitor.kind=PodMonitor"]),
        ["rules.enabled"] = ("true", "kind: PrometheusRule", []),
        ["rules.labels"] = ("{\"release\":\"prometheus\"}", "release: prometheus", ["rules.enabled=true"]),
        ["dashboard.enabled"] = ("true", "name: hostgw-dashboard", []),
        ["dashboard.labels"] = ("{\"grafana\":\"mine\"}", "grafana: mine", ["dashboard.enabled=true"]),
        ["namespace.create"] = ("true", "kind: Namespace", []),
        ["cleanup.enabled"] = ("true", "args: [cleanup]", []),
        ["cleanup.pauseImage"] = ("registry.example.com/pause:1", "image: registry.example.com/pause:1", ["cleanup.enabled=true"]),
        ["test.image"] = ("registry.example.com/busybox:1", "image: registry.example.com/busybox:1", []),
        ["test.clusterDomain"] = ("k8s.example.com", "hostgw-system.svc.k8s.example.com", []),
    };

    public static TheoryData<string> Paths => [.. Leaves()];

    [Fact]
    public void Every_value_of_values_yaml_is_tried() =>
        Assert.Equal(Leaves().Order(StringComparer.Ordinal), Changes.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_changed_value_is_found_in_the_manifests(string path)
    {
        (string value, string found, string[] with) = Changes[path];
        string before = Chart.Template(with), after = Chart.Helm.Run(["template", "hostgw", Chart.Folder, "--namespace", Chart.Namespace, .. Chart.With(with), .. Flag(path, value)]);
        Assert.DoesNotContain(found, before, StringComparison.Ordinal);
        Assert.Contains(found, after, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Leaves() => Chart.Leaves().Select(l => l.Path);

    private static string[] Flag(string path, string value) => [value is ['{', '"', ..] or ['[', ..] ? "--set-json" : "--set", $"{path}={value}"];
}
