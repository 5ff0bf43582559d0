using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Lab.Tests;

namespace HostGw.Chart.Tests;

/// <summary>The real kubectl and helm bring the chart into an API server.</summary>
public sealed class ApplyTests : IAsyncLifetime
{
    private const string Everything = "windows.enabled=true rules.enabled=true dashboard.enabled=true monitor.kind=ServiceMonitor config.listen=0.0.0.0:9157 config.networkUnavailable.clear=true namespace.create=true digest.enabled=true digest.listen=0.0.0.0:9159 config.nodes.source=digest";

    private const string EveryKind = "namespaces,serviceaccounts,deployments,daemonsets,roles,rolebindings,clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings";

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("hostgw-helm");
    private FakeApiServer _api = null!;
    private Kubectl _kubectl = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await FakeApiServer.StartAsync();
        _kubectl = new Kubectl(_api);
        _api.WriteKubeconfig(Path.Combine(_home.FullName, "kubeconfig"), new() { Token = _api.Token });
    }

    public async ValueTask DisposeAsync()
    {
        _kubectl.Dispose();
        _home.Delete(recursive: true);
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task Apply_makes_everything_and_finds_it_unchanged_the_second_time()
    {
        string manifests = Chart.Template(Everything.Split(' '));
        string[] created = Lines(await _kubectl.RunAsync("apply -f -", manifests));
        Assert.Equal(Yaml.Documents(manifests).OfType<JsonObject>().Count(), created.Length);
        Assert.All(created, l => Assert.EndsWith(" created", l, StringComparison.Ordinal));
        Assert.All(Lines(await _kubectl.RunAsync("apply -f -", manifests)), l => Assert.EndsWith(" unchanged", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_changed_setting_changes_the_file_and_the_pods()
    {
        PutNamespaces("hostgw-system");
        await _kubectl.RunAsync("apply -f -", Chart.Template());
        string[] changed = [.. Lines(await _kubectl.RunAsync("apply -f -", Chart.Template("config.resyncSeconds=30", "image.tag=v2"))).Where(l => !l.EndsWith(" unchanged", StringComparison.Ordinal))];
        Assert.Equal(["configmap/hostgw configured", "daemonset.apps/hostgw configured"], changed);

        JsonNode pod = JsonNode.Parse(await _kubectl.RunAsync("get daemonset hostgw -n hostgw-system -o json"))!["spec"]!["template"]!["spec"]!;
        Assert.Equal("localhost/hostgw:v2", (string?)Assert.Single(pod["containers"]!.AsArray())!["image"]);
        Assert.Equal(6, pod["volumes"]!.AsArray().Count);
    }

    [Fact]
    public async Task From_any_values_to_any_others_apply_leads()
    {
        PutNamespaces("hostgw-system");
        foreach (string values in MatrixTests.Rows.Select(r => r.Data))
        {
            string manifests = Chart.Template(values.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            string[] applied = Lines(await _kubectl.RunAsync("apply -f -", manifests));
            Assert.True(Yaml.Documents(manifests).OfType<JsonObject>().Count() == applied.Length, $"{values}: {string.Join(", ", applied)}");
        }
    }

    [Theory]
    [InlineData("apply --server-side -f")]
    [InlineData("apply --dry-run=client -f")]
    [InlineData("create -f")]
    public async Task The_plain_manifests_are_taken(string verb)
    {
        foreach (string file in new[] { "hostgw.yaml", "hostgw-windows.yaml", "digest/digest.yaml" })
            await _kubectl.RunAsync($"{verb} {Tool.PathTo($"deploy/{file}")}");
    }

    // It makes no namespace for what comes after.
    [Fact]
    public async Task A_dry_run_of_the_plain_manifests_succeeds_where_the_namespaces_exist()
    {
        PutNamespaces("hostgw-system", "hostgw-digest");
        foreach (string file in new[] { "hostgw.yaml", "hostgw-windows.yaml", "digest/digest.yaml" })
            await _kubectl.RunAsync($"apply --dry-run=server -f {Tool.PathTo($"deploy/{file}")}");
    }

    [Fact]
    public async Task The_documented_ways_in_and_out_work()
    {
        string deploy = Tool.PathTo("deploy");
        await _kubectl.RunAsync($"apply -k {deploy}");
        await _kubectl.RunAsync("-n hostgw-system delete daemonset hostgw");
        await _kubectl.RunAsync($"apply -f {deploy}/cleanup.yaml");
        Assert.Contains("hostgw-cleanup", await _kubectl.RunAsync("get daemonsets -n hostgw-system"), StringComparison.Ordinal);
        await _kubectl.RunAsync($"delete -f {deploy}/cleanup.yaml --ignore-not-found");
        await _kubectl.RunAsync($"delete -f {deploy}/hostgw.yaml --ignore-not-found");
        Assert.DoesNotContain("hostgw", await _kubectl.RunAsync("get clusterroles,clusterrolebindings,daemonsets,configmaps -A"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_documented_overlay_sets_image_and_settings()
    {
        DirectoryInfo overlay = Directory.CreateDirectory(Tool.PathTo($"artifacts/{_home.Name}"));
        try
        {
            string page = File.ReadAllText(Tool.PathTo("docs/install.md"));
            string text = page.Split("```yaml\n# kustomization.yaml\n")[1].Split("```")[0].Replace("../hostgw/deploy", "../../deploy", StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(overlay.FullName, "kustomization.yaml"), text, TestContext.Current.CancellationToken);
            await _kubectl.RunAsync($"apply -k {overlay.FullName}");
        }
        finally
        {
            overlay.Delete(recursive: true);
        }
        JsonNode file = JsonNode.Parse(await _kubectl.RunAsync("get configmap hostgw -n hostgw-system -o json"))!["data"]!["config.yaml"]!;
        Assert.Equal("clusterCidrs: [10.244.0.0/16, \"fd00:10:244::/56\"]\ncni: {install: true}", ((string)file!).Trim());
        Assert.StartsWith("REGISTRY/hostgw:", await _kubectl.RunAsync("get daemonset hostgw -n hostgw-system -o jsonpath={.spec.template.spec.containers[0].image}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Helm_installs_upgrades_cleans_up_and_uninstalls()
    {
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        string notes = Chart.Helm.Run(["install", .. to, Chart.Folder, "--create-namespace", "--set", "config.clusterCidrs=10.244.0.0/16"]);
        Assert.Contains("STATUS: deployed", notes, StringComparison.Ordinal);
        Assert.Contains("kubectl label namespace hostgw-system pod-security.kubernetes.io/enforce=privileged", notes, StringComparison.Ordinal);

        Assert.Contains("REVISION: 2", Chart.Helm.Run(["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", "config.nextHop=PodGateway"]), StringComparison.Ordinal);
        string config = Chart.Helm.Run(["get", "manifest", .. to]);
        Assert.Contains("clusterCidrs: 10.244.0.0/16", config, StringComparison.Ordinal);
        Assert.Contains("nextHop: PodGateway", config, StringComparison.Ordinal);

        Assert.Contains("is being removed from every Linux node", Chart.Helm.Run(["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", "cleanup.enabled=true"]), StringComparison.Ordinal);
        Assert.Equal("daemonset.apps/hostgw-cleanup\n", await _kubectl.RunAsync("get daemonsets -A -o name"));
        Assert.Contains("uninstalled", Chart.Helm.Run(["uninstall", .. to]), StringComparison.Ordinal);
        Assert.Equal("", await _kubectl.RunAsync("get daemonsets,configmaps,clusterroles,secrets -A -o name"));
    }

    [Fact]
    public async Task The_documented_way_removes_the_CNI_configuration_without_editing_what_helm_applies()
    {
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        Chart.Helm.Run(["install", .. to, Chart.Folder, "--create-namespace"]);
        await _kubectl.RunAsync("-n hostgw-system set env daemonset/hostgw HOSTGW_CNI_INSTALL=false");
        Assert.Contains("HOSTGW_CNI_INSTALL", await EnvironmentAsync(), StringComparison.Ordinal);
        Assert.Contains("/etc/cni/net.d", await DaemonSetAsync(), StringComparison.Ordinal);

        Chart.Helm.Run(["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", "config.cni.install=false"]);
        await _kubectl.RunAsync("-n hostgw-system set env daemonset/hostgw HOSTGW_CNI_INSTALL-");
        Assert.DoesNotContain("HOSTGW_CNI_INSTALL", await EnvironmentAsync(), StringComparison.Ordinal);
        Assert.Contains("install: false", await FileAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_documented_steps_lead_to_the_digest_and_back()
    {
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        string[] Upgrade(string value) => ["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", value];
        Task<string> Agents() => _kubectl.RunAsync("get daemonset hostgw -n hostgw-system -o jsonpath={.spec.template}");
        Chart.Helm.Run(["install", .. to, Chart.Folder, "--create-namespace"]);
        string before = await Agents();

        Assert.Contains("no agent follows it yet", Chart.Helm.Run(Upgrade("digest.enabled=true")), StringComparison.Ordinal);
        Assert.Contains("hostgw-digest", await _kubectl.RunAsync("get namespaces,deployments -A"), StringComparison.Ordinal);
        Assert.Equal(before, await Agents());

        Chart.Helm.Run(Upgrade("config.nodes.source=digest"));
        Assert.Contains("source: digest", await FileAsync(), StringComparison.Ordinal);
        Assert.NotEqual(before, await Agents());
        Assert.Contains("turn it off only after config.nodes.source is nodes again", Chart.Helm.Fail(Upgrade("digest.enabled=false")), StringComparison.Ordinal);

        Chart.Helm.Run(Upgrade("config.nodes.source=nodes"));
        Assert.Equal(before, await Agents());
        Chart.Helm.Run(Upgrade("digest.enabled=false"));
        Assert.DoesNotContain("digest", await _kubectl.RunAsync($"get {EveryKind} -A"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_digest_comes_and_goes_without_helm()
    {
        await _kubectl.RunAsync($"apply -k {Tool.PathTo("deploy")}");
        string before = await _kubectl.RunAsync($"get {EveryKind} -A -o name");
        await _kubectl.RunAsync($"apply -k {Tool.PathTo("deploy/digest")}");
        Assert.Contains("deployment.apps/hostgw-digest", await _kubectl.RunAsync($"get {EveryKind} -A -o name"), StringComparison.Ordinal);
        await _kubectl.RunAsync($"delete -k {Tool.PathTo("deploy/digest")}");
        Assert.Equal(before, await _kubectl.RunAsync($"get {EveryKind} -A -o name"));
    }

    [Theory]
    [InlineData("kubectl-client-side-apply", "apply -f -")]
    [InlineData("kubectl-replace", "replace -f -")]
    public async Task Helm_refuses_to_change_what_was_edited_and_takes_it_back_when_told_to(string manager, string edit)
    {
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        string[] upgrade = ["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", "config.nextHop=PodGateway,image.tag=v2"];
        Chart.Helm.Run(["install", .. to, Chart.Folder, "--create-namespace"]);
        await _kubectl.RunAsync(edit, Chart.Object("ConfigMap", "hostgw", "config.log.level=debug").ToJsonString());
        Assert.Contains("level: debug", await FileAsync(), StringComparison.Ordinal);

        // Half applied: the pods restart with the old settings.
        Assert.Contains($"conflict with \"{manager}\" using v1: .data.config.yaml", Chart.Helm.Fail(upgrade), StringComparison.Ordinal);
        Assert.DoesNotContain("nextHop: PodGateway", await FileAsync(), StringComparison.Ordinal);
        Assert.Contains("localhost/hostgw:v2", await DaemonSetAsync(), StringComparison.Ordinal);

        Chart.Helm.Run([.. upgrade, "--force-conflicts"]);
        Assert.Contains("level: information", await FileAsync(), StringComparison.Ordinal);
        Assert.Contains("nextHop: PodGateway", await FileAsync(), StringComparison.Ordinal);
        Chart.Helm.Run(["upgrade", .. to, Chart.Folder, "--reuse-values", "--set", "config.log.level=debug"]);
        Assert.Contains("level: debug", await FileAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Helm_adopts_what_kubectl_applied()
    {
        await _kubectl.RunAsync($"apply -f {Tool.PathTo("deploy/hostgw.yaml")}");
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        Chart.Helm.Run(["upgrade", .. to, Chart.Folder, "--install", "--take-ownership", "--force-conflicts", "--set", "image.tag=v2"]);
        Assert.Contains("localhost/hostgw:v2", await DaemonSetAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Succeeded")]
    [InlineData("Failed")]
    public async Task Helm_prints_the_log_of_its_test_once(string phase)
    {
        string[] to = ["hostgw", "--namespace", Chart.Namespace, "--kubeconfig", Path.Combine(_home.FullName, "kubeconfig")];
        Chart.Helm.Run(["install", .. to, Chart.Folder, "--create-namespace"]);
        Task<(bool Succeeds, string Text)> test = Task.Run(() => Chart.Helm.Try(["test", .. to, "--timeout", "2m"]));
        while (!test.IsCompleted && _api.Objects.Get("Pod", Chart.Namespace, "hostgw-test") is null)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        if (_api.Objects.Get("Pod", Chart.Namespace, "hostgw-test") is { } pod)
        {
            JsonObject ended = JsonNode.Parse(pod)!.AsObject();
            ended["status"] = new JsonObject { ["phase"] = phase };
            _api.Objects.Put(ended);
        }
        (bool succeeds, string text) = await test;
        Assert.True(succeeds == (phase == "Succeeded"), text);
        Assert.True(text.Split("what hostgw-test wrote").Length == 2, text);
    }

    private void PutNamespaces(params string[] names)
    {
        foreach (string name in names)
            _api.Objects.Put(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } });
    }

    private Task<string> FileAsync() => _kubectl.RunAsync("get configmap hostgw -n hostgw-system -o json");

    private Task<string> DaemonSetAsync() => _kubectl.RunAsync("get daemonset hostgw -n hostgw-system -o json");

    private Task<string> EnvironmentAsync() =>
        _kubectl.RunAsync("get daemonset hostgw -n hostgw-system -o jsonpath={.spec.template.spec.containers[0].env[*].name}");

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
