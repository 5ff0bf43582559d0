using System.Text.Json.Nodes;
using HostGw.Chart.Tests.Types;

namespace HostGw.Chart.Tests;

/// <summary>Whatever is turned on beside whatever else, the result is made of objects that Kubernetes knows.</summary>
public sealed class MatrixTests
{
    private const string Reachable = "config.listen=0.0.0.0:9157";

    private static readonly string[][] Switches =
    [
        [Reachable, $"{Reachable} monitor.kind=PodMonitor monitor.labels.release=p", $"{Reachable} monitor.kind=ServiceMonitor rules.enabled=true rules.labels.release=p"],
        ["", "windows.enabled=true windows.nodeSelector.pool=w"],
        ["", "cleanup.enabled=true"],
        ["", "config.networkUnavailable.clear=true config.cni.install=false config.events=false namespace.create=true digest.enabled=true digest.listen=0.0.0.0:9159 digest.labels={a,b} config.nodes.source=digest"],
        ["", "config.nat.backend=nftables config.forwardAccept=false", "config.nat.backend=iptables config.nat.iptables=legacy seLinuxType=spc_t podLabels.a=b podAnnotations.c=d imagePullSecrets[0].name=s nodeSelector.pool=a"],
    ];

    public static TheoryData<string> Rows => [.. Switches.Aggregate(
        (IEnumerable<string>)[""], (rows, column) => rows.SelectMany(_ => column, (row, value) => $"{row} {value}".Trim()))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Every_object_has_only_fields_that_its_kind_has(string values)
    {
        JsonObject[] objects = Chart.Objects(values.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.NotEmpty(objects);
        string[] faults = [.. objects.SelectMany(ApiTypes.Kubernetes.Faults)];
        Assert.True(faults.Length == 0, string.Join('\n', faults));
        Assert.Equal(objects.Length, objects.Select(o => $"{o["kind"]} {o["metadata"]!["namespace"]}/{o["metadata"]!["name"]}").Distinct().Count());
    }

    [Theory]
    [InlineData("serviceAccountNam: x", "serviceAccountName: hostgw", "DaemonSet.spec.template.spec: no field serviceAccountNam")]
    [InlineData("hostNetwork: \"true\"", "hostNetwork: true", "DaemonSet.spec.template.spec.hostNetwork: \"true\" is no boolean")]
    [InlineData("periodSeconds: fast", "periodSeconds: 5", "DaemonSet.spec.template.spec.containers[0].readinessProbe.periodSeconds: \"fast\" is no number")]
    [InlineData("- nome: proc-sys-net", "- name: proc-sys-net", "DaemonSet.spec.template.spec.containers[0].volumeMounts[1]: no field nome")]
    public void What_a_kind_does_not_have_is_noticed(string wrong, string right, string fault)
    {
        JsonObject[] objects = [.. Yaml.Documents(Chart.Template().Replace(right, wrong, StringComparison.Ordinal)).OfType<JsonObject>()];
        Assert.Contains(fault, objects.SelectMany(ApiTypes.Kubernetes.Faults));
    }

    [Fact]
    public void Lint_is_content() => Assert.Contains("0 chart(s) failed", Chart.Helm.Run("lint", "--strict", Chart.Folder), StringComparison.Ordinal);
}
