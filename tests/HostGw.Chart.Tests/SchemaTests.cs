namespace HostGw.Chart.Tests;

/// <summary>What helm refuses, and with which words.</summary>
public sealed class SchemaTests
{
    public static TheoryData<string> Paths => [.. Chart.Leaves().Select(l => l.Path)];

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_misspelt_name_is_refused_by_name(string path)
    {
        string misspelt = path + "z";
        string name = misspelt[(misspelt.LastIndexOf('.') + 1)..];
        Assert.Contains($"additional properties '{name}' not allowed", Chart.Refusal($"{misspelt}=1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.nextHop=podgateway", "at '/config/nextHop': value must be one of 'NodeAddress', 'PodGateway'")]
    [InlineData("config.clusterCidrs=10.244.0.0", "at '/config/clusterCidrs': '10.244.0.0' does not match")]
    [InlineData("config.clusterCidrs={10.244.0.0/16,fd00::}", "at '/config/clusterCidrs/1': 'fd00::' does not match")]
    [InlineData("config.apiServer=http://192.0.2.10:6443", "at '/config/apiServer'")]
    [InlineData("config.interface=lo", "at '/config/interface'")]
    [InlineData("config.routeProtocol=4", "at '/config/routeProtocol': minimum: got 4, want 5")]
    [InlineData("config.resyncSeconds=4", "at '/config/resyncSeconds': minimum: got 4, want 5")]
    [InlineData("config.forwarding=yes", "at '/config/forwarding': got string, want boolean")]
    [InlineData("config.nat.backend=ebpf", "at '/config/nat/backend': value must be one of 'auto', 'nftables', 'iptables', 'none'")]
    [InlineData("config.nat=auto", "at '/config/nat': got string, want object")]
    [InlineData("config.cni=true", "at '/config/cni': got boolean, want object")]
    [InlineData("config.cni.install=yes", "at '/config/cni/install': got string, want boolean")]
    [InlineData("config.cni.configDirectory=net.d", "at '/config/cni/configDirectory': 'net.d' does not match")]
    [InlineData("config.cni.binDirectory=/", "at '/config/cni/binDirectory': '/' does not match")]
    [InlineData("config.listen=9157", "at '/config/listen': got number, want string")]
    [InlineData("config.listen=localhost:9157", "at '/config/listen': 'localhost:9157' does not match")]
    [InlineData("config.nodeName=node-1", "at '/config': additional properties 'nodeName' not allowed")]
    [InlineData("image.repository=hostgw:1.0", "at '/image/repository': 'hostgw:1.0' does not match")]
    [InlineData("image.digest=abc", "at '/image/digest': 'abc' does not match")]
    [InlineData("maxUnavailable=0", "at '/maxUnavailable': minimum: got 0, want 1")]
    [InlineData("maxUnavailable=0%", "at '/maxUnavailable': '0%' does not match")]
    [InlineData("monitor.kind=podmonitor", "at '/monitor/kind': value must be one of 'none', 'PodMonitor', 'ServiceMonitor'")]
    [InlineData("monitor.kind=PodMonitor", "monitor.kind: Prometheus cannot reach config.listen 127.0.0.1:9157; set config.listen to 0.0.0.0:9157 or [::]:9157")]
    [InlineData("config.clusterRoute=on", "config.clusterRoute: on needs an IPv4 prefix in config.clusterCidrs, to which the route leads")]
    [InlineData("config.nodes.source=shards", "at '/config/nodes/source': value must be one of 'nodes', 'digest'")]
    [InlineData("config.nodes=digest", "at '/config/nodes': got string, want object")]
    [InlineData("digest=true", "at '/digest': got boolean, want object")]
    [InlineData("digest.enabled=yes", "at '/digest/enabled': got string, want boolean")]
    [InlineData("digest.listen=localhost:9159", "at '/digest/listen': 'localhost:9159' does not match")]
    [InlineData("digest.labels=-a", "at '/digest/labels': '-a' does not match")]
    [InlineData("digest.labels={pool,pool=a}", "at '/digest/labels/1': 'pool=a' does not match")]
    [InlineData("config.nodes.source=digest", "config.nodes.source: agents follow the digest only where it runs; set digest.enabled=true, and turn it off only after config.nodes.source is nodes again (docs/scale.md)")]
    [InlineData("digest.enabled=true digest.listen=127.0.0.1:9157", "digest.listen: port 9157 is that of config.listen, and both are on the host's network")]
    [InlineData("digest.enabled=true config.listen=0.0.0.0:9157 monitor.kind=PodMonitor", "monitor.kind: Prometheus cannot reach digest.listen 127.0.0.1:9159; set digest.listen to 0.0.0.0:9159 or [::]:9159")]
    [InlineData("config.policyRule=on", "config.policyRule: on needs config.clusterCidrs, to which the rule applies")]
    [InlineData("config.nextHop=PodGateway config.tunnel.mode=always", "config.tunnel.mode: always needs config.nextHop: NodeAddress")]
    [InlineData("config.tunnel.port=9158", "config.tunnel.port and config.probe.port are both 9158")]
    [InlineData("config.tunnel=null config.probe.port=4790", "config.tunnel.port and config.probe.port are both 4790")]
    [InlineData("config.serviceCidrs=10.96.0.0/12 config.clusterCidrs={10.244.0.0/16,10.100.0.0/16}", "config.serviceCidrs: '10.96.0.0/12' must not overlap '10.100.0.0/16' of config.clusterCidrs")]
    [InlineData("config.serviceCidrs=fd00::1:0/112 config.clusterCidrs=fd00::/48", "config.serviceCidrs: 'fd00::1:0/112' must not overlap 'fd00::/48' of config.clusterCidrs")]
    [InlineData("digest.enabled=true digest.listen=127.0.0.1:70000", "digest.listen: '127.0.0.1:70000' must be an address and a port")]
    [InlineData("config.log=null", "at '/config': missing property 'log'")]
    [InlineData("config.nat=null", "at '/config': missing property 'nat'")]
    [InlineData("config.cni=null", "at '/config': missing property 'cni'")]
    [InlineData("monitor=null", "at '': missing property 'monitor'")]
    [InlineData("image=null", "at '': missing property 'image'")]
    public void A_wrong_value_is_refused_with_its_path(string value, string message) =>
        Assert.Contains(message, Chart.Refusal(value.Split(' ')), StringComparison.Ordinal);

    public static TheoryData<string> Groups => [.. Chart.Leaves().Select(l => l.Path).Where(p => p.Contains('.')).Select(p => p[..p.LastIndexOf('.')]).Distinct()];

    // An empty group is what remains of one in a file of values where everything in it is commented out.
    [Theory]
    [MemberData(nameof(Groups))]
    public void A_group_that_is_empty_has_its_defaults_or_is_refused_by_name(string group)
    {
        string name = group[(group.LastIndexOf('.') + 1)..];
        (bool succeeds, string said) = Chart.Helm.Try("template", "hostgw", Chart.Folder, "--set", $"{group}=null");
        Assert.True(succeeds || said.Contains($"missing property '{name}'", StringComparison.Ordinal), said);
    }

    [Fact]
    public void A_right_that_needs_an_admission_policy_is_refused_where_there_is_none()
    {
        string[] template = ["template", "hostgw", Chart.Folder, "--set", "config.networkUnavailable.clear=true", "--kube-version"];
        Assert.Contains("only safe with a ValidatingAdmissionPolicy", Chart.Helm.Fail([.. template, "1.29.0"]), StringComparison.Ordinal);
        Assert.Contains("kind: ValidatingAdmissionPolicy\n", Chart.Helm.Run([.. template, "1.30.0"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cluster_that_is_too_old_is_refused() =>
        Assert.Contains("chart requires kubeVersion: >=1.28.0-0", Chart.Helm.Fail("template", "hostgw", Chart.Folder, "--kube-version", "1.27.9"), StringComparison.Ordinal);
}
