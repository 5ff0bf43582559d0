using System.Text.Json.Nodes;

namespace HostGw.Chart.Tests;

/// <summary>What the node digest adds to an installation, and nothing more.</summary>
public sealed class DigestChartTests
{
    private const string On = "digest.enabled=true";

    [Fact]
    public void Without_it_no_object_and_no_setting_names_it() => Assert.DoesNotContain("digest", Chart.Template(), StringComparison.Ordinal);

    // helm's --reuse-values after an upgrade of the chart.
    [Fact]
    public void Values_of_a_chart_that_had_none_still_do() => Assert.Equal(Chart.Template(), Chart.Template("digest=null", "config.nodes=null"));

    [Fact]
    public void It_runs_once_on_the_host_and_needs_nothing_of_the_cluster()
    {
        JsonNode spec = Chart.Object("Deployment", "hostgw-digest", On)["spec"]!, pod = spec["template"]!["spec"]!;
        Assert.Equal((1, """{"type":"Recreate"}"""), ((int)spec["replicas"]!, spec["strategy"]!.ToJsonString()));
        Assert.Equal((true, "Default", false, "system-cluster-critical"), ((bool)pod["hostNetwork"]!, (string)pod["dnsPolicy"]!, (bool)pod["enableServiceLinks"]!, (string)pod["priorityClassName"]!));
        Assert.Equal("""{"kubernetes.io/os":"linux"}""", pod["nodeSelector"]!.ToJsonString());
        Assert.Equal("""["digest"]""", pod["containers"]![0]!["args"]!.ToJsonString());
    }

    // A node whose pods have no network yet is not ready, and each new cluster has only such nodes.
    [Theory]
    [InlineData("node.kubernetes.io/not-ready")]
    [InlineData("node.kubernetes.io/network-unavailable")]
    [InlineData("node.cloudprovider.kubernetes.io/uninitialized")]
    [InlineData("node-role.kubernetes.io/control-plane")]
    public void It_runs_where_pods_have_no_network_yet(string taint) =>
        Assert.Contains(Pod()["tolerations"]!.AsArray(), t => t!.ToJsonString() == $$"""{"key":"{{taint}}","operator":"Exists"}""");

    [Fact]
    public void It_has_no_privilege_and_mounts_nothing_but_the_settings()
    {
        JsonNode container = Container();
        Assert.Equal(
            """{"runAsNonRoot":true,"runAsUser":65532,"runAsGroup":65532,"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}}""",
            container["securityContext"]!.ToJsonString());
        Assert.Equal("""[{"name":"config","mountPath":"/etc/hostgw","readOnly":true}]""", container["volumeMounts"]!.ToJsonString());
        Assert.Equal("""[{"name":"config","configMap":{"name":"hostgw"}}]""", Pod()["volumes"]!.ToJsonString());
    }

    [Theory]
    [InlineData("127.0.0.1:9159", "127.0.0.1", 9159, "http://127.0.0.1:9159/readyz")]
    [InlineData("0.0.0.0:9200", "127.0.0.1", 9200, "http://127.0.0.1:9200/readyz")]
    [InlineData("[::]:9159", "::1", 9159, "http://[::1]:9159/readyz")]
    public void Probes_and_the_test_ask_where_it_listens(string listen, string host, int port, string url)
    {
        JsonNode container = Container($"digest.listen={listen}");
        foreach ((string probe, string path) in new[] { ("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz") })
        {
            JsonNode get = container[probe]!["httpGet"]!;
            Assert.Equal((host, port, path), ((string)get["host"]!, (int)get["port"]!, (string)get["path"]!));
        }
        JsonNode test = Chart.Object("Pod", "hostgw-digest-test", On, $"digest.listen={listen}")["spec"]!;
        Assert.Contains(test["containers"]![0]!["command"]!.AsArray(), word => (string?)word == url);
    }

    [Fact]
    public void Its_settings_are_the_agents_file_and_its_own_variables()
    {
        Assert.Equal(["HOSTGW_NODE_NAME", "HOSTGW_DIGEST_LISTEN"], Variables().Keys);
        Assert.Equal("127.0.0.1:9159", Variables()["HOSTGW_DIGEST_LISTEN"]);
        Assert.Equal("pool,example.com/zone", Variables("digest.labels={pool,example.com/zone}")["HOSTGW_DIGEST_LABELS"]);
        Assert.Equal("pool,zone", Variables("digest.labels=pool\\,zone")["HOSTGW_DIGEST_LABELS"]);
    }

    [Fact]
    public void It_restarts_for_a_setting_of_its_own_alone()
    {
        static string Template(params string[] values) => Chart.Object("Deployment", "hostgw-digest", [On, .. values])["spec"]!["template"]!.ToJsonString();
        Assert.All(
            ["config.nodeSelector=pool=a", "config.apiServer=https://192.0.2.10:6443", "config.events=false", "config.log.format=text", "digest.labels=pool"],
            value => Assert.NotEqual(Template(), Template(value)));
        Assert.All(
            ["config.nodes.source=digest", "config.resyncSeconds=30", "config.log.level=debug", "rules.enabled=true"],
            value => Assert.Equal(Template(), Template(value)));
    }

    // The two steps: agents restart with the second one only.
    [Fact]
    public void Turning_it_on_leaves_agents_alone_until_they_are_told_to_follow_it()
    {
        static string[] Agents(params string[] values) =>
            [Chart.Object("DaemonSet", "hostgw", values).ToJsonString(), Chart.Object("ConfigMap", "hostgw", values).ToJsonString()];
        Assert.Equal(Agents(), Agents(On));
        Assert.NotEqual(Agents(On)[0], Agents(On, "config.nodes.source=digest")[0]);
        Assert.EndsWith("nodes:\n  source: digest\n", Chart.Config(On, "config.nodes.source=digest").Split("policyRule")[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Cleaning_up_needs_none()
    {
        JsonObject[] objects = Chart.Objects(On, "config.nodes.source=digest", "cleanup.enabled=true");
        Assert.DoesNotContain(objects, o => (string?)o["kind"] is "Deployment" || (string?)o["metadata"]!["name"] == "hostgw-digest-test");
    }

    [Fact]
    public void Agents_read_the_digest_and_write_nothing_of_it() => Assert.Equal(
        """[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch"]},{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["hostgw-digest"],"verbs":["get"]}]""",
        Rules("hostgw-digest", "hostgw"));

    [Fact]
    public void The_digest_reads_nodes_and_writes_in_its_namespace_alone()
    {
        const string Shards = """{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","watch","create","update"]}""";
        const string Lease = """{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["create"]},{"apiGroups":["coordination.k8s.io"],"resources":["leases"],"resourceNames":["hostgw-digest"],"verbs":["get","update"]}""";
        const string Events = """{"apiGroups":[""],"resources":["events"],"verbs":["create","patch"]}""";
        Assert.Equal("""[{"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch"]}]""", Chart.Object("ClusterRole", "hostgw-digest", On)["rules"]!.ToJsonString());
        Assert.Equal(
            """[{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"resourceNames":["kubernetes"],"verbs":["get"]}]""",
            Rules("default", "hostgw-digest"));
        Assert.Equal($"[{Shards},{Lease},{Events}]", Rules("hostgw-digest", "hostgw-digest"));
        Assert.Equal($"[{Shards},{Lease}]", Rules("hostgw-digest", "hostgw-digest", "config.events=false"));
    }

    [Fact]
    public void Each_right_is_of_the_one_that_it_is_named_after() => Assert.All(
        Chart.Objects(On).Where(o => (string?)o["kind"] is "RoleBinding" or "ClusterRoleBinding"),
        binding =>
        {
            string name = (string)binding["metadata"]!["name"]!;
            Assert.Equal($$"""[{"kind":"ServiceAccount","name":"{{name}}","namespace":"hostgw-system"}]""", binding["subjects"]!.ToJsonString());
            Assert.Equal(name, (string?)binding["roleRef"]!["name"]);
        });

    // Shards that outlive the digest would be what agents start with one day.
    [Fact]
    public void Its_namespace_takes_no_pods_and_goes_with_the_release()
    {
        JsonNode metadata = Chart.Object("Namespace", "hostgw-digest", On)["metadata"]!;
        Assert.Equal("restricted", (string?)metadata["labels"]!["pod-security.kubernetes.io/enforce"]);
        Assert.Null(metadata["annotations"]);
        Assert.Equal("hostgw-system", (string?)Chart.Object("Deployment", "hostgw-digest", On)["metadata"]!["namespace"]);
    }

    [Fact]
    public void The_policy_is_there_where_Kubernetes_has_such()
    {
        string[] template = ["template", "hostgw", Chart.Folder, "--set", On, "--kube-version"];
        Assert.DoesNotContain("kind: ValidatingAdmissionPolicy", Chart.Helm.Run([.. template, "1.29.0"]), StringComparison.Ordinal);
        Assert.Contains("kind: ValidatingAdmissionPolicy\n", Chart.Helm.Run([.. template, "1.30.0"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Its_namespace_is_not_the_releases() => Assert.Contains(
        "the namespace hostgw-digest holds what the digest writes; install the release into another one",
        Chart.Helm.Fail("template", "hostgw", Chart.Folder, "--namespace", "hostgw-digest", "--set", On), StringComparison.Ordinal);

    [Fact]
    public void The_agents_monitors_find_it()
    {
        string[] reachable = [On, "digest.listen=0.0.0.0:9159", "config.listen=0.0.0.0:9157"];
        JsonNode template = Chart.Object("Deployment", "hostgw-digest", [.. reachable, "monitor.kind=PodMonitor"])["spec"]!["template"]!;
        Assert.Equal("""[{"name":"metrics","containerPort":9159}]""", template["spec"]!["containers"]![0]!["ports"]!.ToJsonString());
        JsonNode monitor = Chart.Object("PodMonitor", "hostgw", [.. reachable, "monitor.kind=PodMonitor"])["spec"]!;
        JsonNode service = Chart.Object("Service", "hostgw-metrics", [.. reachable, "monitor.kind=ServiceMonitor"])["spec"]!;
        Assert.All(
            monitor["selector"]!["matchLabels"]!.AsObject().Concat(service["selector"]!.AsObject()),
            label => Assert.Equal((string?)label.Value, (string?)template["metadata"]!["labels"]![label.Key]));
        Assert.Equal("metrics", (string?)service["ports"]![0]!["targetPort"]);
    }

    [Fact]
    public void Its_alerts_come_with_it()
    {
        static string[] Alerts(params string[] values) =>
        [
            .. Chart.Object("PrometheusRule", "hostgw", ["rules.enabled=true", .. values])["spec"]!["groups"]!.AsArray()
                .SelectMany(g => g!["rules"]!.AsArray()).Select(r => (string)r!["alert"]!),
        ];
        Assert.Equal(
            ["HostGwDigestNotAdvancing", "HostGwDigestShardsNotWritten", "HostGwDigestShardRejected", "HostGwDigestStale"],
            Alerts(On).Except(Alerts()));
    }

    private static JsonNode Pod(params string[] values) => Chart.Object("Deployment", "hostgw-digest", [On, .. values])["spec"]!["template"]!["spec"]!;

    private static JsonNode Container(params string[] values) => Assert.Single(Pod(values)["containers"]!.AsArray())!;

    private static Dictionary<string, string> Variables(params string[] values) => Container(values)["env"]!.AsArray()
        .Where(e => ((string)e!["name"]!).StartsWith("HOSTGW_", StringComparison.Ordinal)).ToDictionary(e => (string)e!["name"]!, e => (string?)e!["value"] ?? "");

    private static string Rules(string ns, string name, params string[] values) => Assert.Single(
        Chart.Objects([On, .. values]),
        o => (string?)o["kind"] == "Role" && (string?)o["metadata"]!["name"] == name && (string?)o["metadata"]!["namespace"] == ns)["rules"]!.ToJsonString();
}
