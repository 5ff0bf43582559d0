using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests;

/// <summary>What the agent's pod may do, and nothing more.</summary>
public sealed class PodTests
{
    [Fact]
    public void The_container_has_one_capability_and_no_privilege() => Assert.Equal(
        """{"runAsUser":0,"privileged":false,"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"],"add":["NET_ADMIN"]},"seccompProfile":{"type":"RuntimeDefault"}}""",
        Chart.Container()["securityContext"]!.ToJsonString());

    [Theory]
    [InlineData("config.nat.iptables=legacy")]
    [InlineData("iptablesLegacy=true")]
    public void Legacy_iptables_adds_the_other(string value) =>
        Assert.Equal("""["NET_ADMIN","NET_RAW"]""", Chart.Container(value)["securityContext"]!["capabilities"]!["add"]!.ToJsonString());

    [Fact]
    public void The_mounts_are_these_and_what_is_off_vanishes()
    {
        const string Cni = "/etc/cni/net.d rw", Plugins = "/opt/cni/bin ro", State = "/var/lib/hostgw rw";
        Assert.Equal(["/etc/hostgw ro", "/host/proc/sys/net rw", "/run/xtables.lock rw", Cni, Plugins, State], Mounts());
        Assert.Equal(["/etc/hostgw ro", "/host/proc/sys/net rw", Cni, Plugins, State], Mounts("config.nat.backend=nftables", "config.forwardAccept=false"));
        Assert.Equal(["/etc/hostgw ro", "/host/proc/sys/net rw", "/run/xtables.lock rw", Cni, Plugins, State], Mounts("config.nat.backend=none"));
        Assert.Equal(["/etc/hostgw ro", "/host/proc/sys/net rw", "/run/xtables.lock rw", State], Mounts("config.cni.install=false", "config.tunnel.mode=off"));
        Assert.Equal(["/etc/hostgw ro", "/host/proc/sys/net rw", "/run/xtables.lock rw", Cni, Plugins], Mounts("config.stateDirectory=none"));
        Assert.Equal(["/proc/sys/net", "/run/xtables.lock", "/etc/cni/net.d", "/opt/cni/bin", "/var/lib/hostgw"], Chart.Pod("hostgw")["volumes"]!.AsArray().Select(v => (string?)v!["hostPath"]?["path"]).OfType<string>());
    }

    [Fact]
    public void The_pod_is_on_the_host_and_needs_nothing_of_the_cluster()
    {
        JsonNode pod = Chart.Pod("hostgw");
        Assert.Equal((true, "Default", false, "system-node-critical"), ((bool)pod["hostNetwork"]!, (string)pod["dnsPolicy"]!, (bool)pod["enableServiceLinks"]!, (string)pod["priorityClassName"]!));
        Assert.Equal("""[{"operator":"Exists"}]""", pod["tolerations"]!.ToJsonString());
        Assert.Null(pod["hostPID"]);
    }

    [Theory]
    [InlineData("127.0.0.1:9157", "127.0.0.1", 9157)]
    [InlineData("0.0.0.0:9200", "127.0.0.1", 9200)]
    [InlineData("[::]:9157", "::1", 9157)]
    [InlineData("192.0.2.1:80", "192.0.2.1", 80)]
    public void Probes_ask_where_the_agent_listens(string listen, string host, int port)
    {
        JsonNode container = Chart.Container($"config.listen={listen}");
        foreach ((string probe, string path) in new[] { ("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz") })
        {
            JsonNode get = container[probe]!["httpGet"]!;
            Assert.Equal((host, port, path), ((string)get["host"]!, (int)get["port"]!, (string)get["path"]!));
        }
    }

    [Fact]
    public void A_changed_setting_rolls_the_pods_and_nothing_else_does()
    {
        static string Checksum(params string[] values) =>
            (string)Chart.Object("DaemonSet", "hostgw", values)["spec"]!["template"]!["metadata"]!["annotations"]!["checksum/config"]!;
        Assert.NotEqual(Checksum(), Checksum("config.resyncSeconds=30"));
        Assert.NotEqual(Checksum(), Checksum("config.log.format=text"));
        Assert.Equal(Checksum(), Checksum("rules.enabled=true"));
        // A running agent follows this one.
        Assert.Equal(Checksum(), Checksum("config.log.level=debug"));
    }

    [Fact]
    public void Rights_are_to_read_nodes_and_more_only_with_the_policy_that_bounds_them()
    {
        const string ReadNodes = """{"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]}""";
        const string ListServiceCidrs = """{"apiGroups":["networking.k8s.io"],"resources":["servicecidrs"],"verbs":["list"]}""";
        Assert.Equal($"[{ReadNodes},{ListServiceCidrs}]", Chart.Object("ClusterRole", "hostgw")["rules"]!.ToJsonString());
        Assert.All(
            ["none", "10.96.0.0/12", "{10.96.0.0/16,fd00:10:96::/112}"],
            value => Assert.Equal($"[{ReadNodes}]", Chart.Object("ClusterRole", "hostgw", $"config.serviceCidrs={value}")["rules"]!.ToJsonString()));
        Assert.DoesNotContain(Chart.Objects(), o => (string?)o["kind"] == "ValidatingAdmissionPolicy");

        JsonObject policy = Chart.Object("ValidatingAdmissionPolicy", "hostgw", "config.networkUnavailable.clear=true");
        Assert.Contains("nodes/status", Chart.Object("ClusterRole", "hostgw", "config.networkUnavailable.clear=true")["rules"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("Fail", (string?)policy["spec"]!["failurePolicy"]);
        // A patch is an UPDATE. What is not matched here the right allows.
        Assert.Equal(
            """{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["nodes/status"]}]}""",
            policy["spec"]!["matchConstraints"]!.ToJsonString());
        Assert.Equal("request.userInfo.username == \"system:serviceaccount:hostgw-system:hostgw\"", (string?)policy["spec"]!["matchConditions"]![0]!["expression"]);
        JsonNode binding = Chart.Object("ValidatingAdmissionPolicyBinding", "hostgw", "config.networkUnavailable.clear=true")["spec"]!;
        Assert.Equal(("hostgw", "Deny"), ((string)binding["policyName"]!, (string)binding["validationActions"]![0]!));
    }

    [Fact]
    public void In_the_namespace_default_it_reads_the_API_servers_addresses_and_writes_Events_unless_that_is_off()
    {
        const string ReadAddresses = """{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"resourceNames":["kubernetes"],"verbs":["get"]}""";
        const string WriteEvents = """{"apiGroups":[""],"resources":["events"],"verbs":["create","patch"]}""";
        JsonObject role = Chart.Object("Role", "hostgw"), binding = Chart.Object("RoleBinding", "hostgw");
        Assert.Equal($"[{ReadAddresses},{WriteEvents}]", role["rules"]!.ToJsonString());
        Assert.Equal($"[{ReadAddresses}]", Chart.Object("Role", "hostgw", "config.events=false")["rules"]!.ToJsonString());
        Assert.Equal(("default", "default"), ((string?)role["metadata"]!["namespace"], (string?)binding["metadata"]!["namespace"]));
        Assert.Equal("""[{"kind":"ServiceAccount","name":"hostgw","namespace":"hostgw-system"}]""", binding["subjects"]!.ToJsonString());
    }

    [Fact]
    public void Cleaning_up_takes_the_agents_place()
    {
        string[] names = [.. Chart.Objects("cleanup.enabled=true", "windows.enabled=true").Where(o => (string?)o["kind"] == "DaemonSet").Select(o => (string)o["metadata"]!["name"]!)];
        Assert.Equal(["hostgw-cleanup", "hostgw-test"], names.Order(StringComparer.Ordinal));
        JsonNode pod = Chart.Pod("hostgw-cleanup", "cleanup.enabled=true");
        Assert.Contains(pod["initContainers"]![0]!["volumeMounts"]!.AsArray(), m => (string?)m!["mountPath"] == "/etc/cni/net.d" && m["readOnly"] is null);
        Assert.Equal("""["cleanup"]""", pod["initContainers"]![0]!["args"]!.ToJsonString());
        Assert.Equal(Chart.Container()["securityContext"]!.ToJsonString(), pod["initContainers"]![0]!["securityContext"]!.ToJsonString());
        Assert.False((bool)pod["automountServiceAccountToken"]!);
    }

    private static IEnumerable<string> Mounts(params string[] values) => Chart.Container(values)["volumeMounts"]!.AsArray()
        .Select(m => $"{m!["mountPath"]} {((bool?)m["readOnly"] == true ? "ro" : "rw")}");
}
