using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.Settings;

namespace HostGw.Chart.Tests;

/// <summary>The values under `config` are the agent's settings: the same names, the same defaults, and they arrive.</summary>
public sealed class SettingsTests
{
    // The pod's own: its node's name, its mount, its service account.
    private static readonly string[] OfThePod = ["nodeName", "procSysNet", "kubeconfig"];

    // Of the digest's pod, which agents do not read: values of the same names, outside of `config`.
    private static readonly string[] OfTheDigest = ["digest.labels", "digest.listen"];

    private static IEnumerable<Setting> OfTheAgent => SettingsTable.Rows.Where(s => !OfThePod.Concat(OfTheDigest).Contains(s.Name));

    // A cluster that is installed by the chart has nobody else to do it; a host tried by hand mostly has. The tunnel is for nodes that all have
    // an agent of this version.
    private static readonly Dictionary<string, string> OnInThePod = new() { ["cni.install"] = "true", ["tunnel.mode"] = "auto" };

    public static TheoryData<string, string> Values => new()
    {
        { "apiServer", "https://192.0.2.10:6443" },
        { "nextHop", "PodGateway" },
        { "clusterCidrs", "{10.244.0.0/16,fd00:10:244::/56}" },
        { "serviceCidrs", "{10.96.0.0/16,fd00:10:96::/112}" },
        { "serviceCidrs", "none" },
        { "clusterRoute", "off" },
        { "clusterRoute", "false" },
        { "policyRule", "off" },
        { "policyRule", "false" },
        { "interface", "eth*" },
        { "nodeSelector", "pool=a" },
        { "nodes.source", "digest" },
        { "forwarding", "false" },
        { "forwardAccept", "false" },
        { "adopt", "none" },
        { "routeProtocol", "200" },
        { "resyncSeconds", "30" },
        { "probe.enabled", "false" },
        { "probe.port", "9999" },
        { "probe.intervalSeconds", "30" },
        { "tunnel.mode", "always" },
        { "tunnel.mode", "off" },
        { "tunnel.port", "4791" },
        { "tunnel.vni", "158" },
        { "tunnel.source", "254" },
        { "tunnel.nativeAfterSeconds", "60" },
        { "nat.backend", "iptables" },
        { "nat.iptables", "legacy" },
        { "nat.source", "any" },
        { "nat.randomFully", "false" },
        { "nat.exempt", "{192.168.0.0/16}" },
        { "nat.exemptNodes", "true" },
        { "nat.ipv6", "false" },
        { "cni.install", "false" },
        { "cni.takeOver", "true" },
        { "cni.configDirectory", "/etc/other/net.d" },
        { "cni.binDirectory", "/usr/lib/cni" },
        { "networkUnavailable.clear", "true" },
        { "events", "false" },
        { "stateDirectory", "/srv/hostgw" },
        { "stateDirectory", "none" },
        { "windows.network", "l2bridge" },
        { "windows.createNetwork", "true" },
        { "windows.correctOutBoundNat", "true" },
        { "windows.apiServerAddress", "192.0.2.10" },
        { "windows.gateway", "192.0.2.1" },
        { "listen", "[::]:9158" },
        { "log.level", "debug" },
        { "log.format", "text" },
    };

    [Fact]
    public void Every_setting_of_the_agent_is_a_value()
    {
        Assert.Equal(
            OfTheAgent.Select(s => s.Name).Order(StringComparer.Ordinal),
            Chart.Leaves().Select(l => l.Path).Where(p => p.StartsWith("config.", StringComparison.Ordinal)).Select(p => p["config.".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(OfTheAgent.Select(s => s.Name).Order(StringComparer.Ordinal), Values.Select(v => v.Data.Item1).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_default_is_the_agents()
    {
        foreach ((string path, JsonNode? value) in Chart.Leaves().Where(l => l.Path.StartsWith("config.", StringComparison.Ordinal)))
        {
            Setting setting = SettingsTable.Rows.Single(s => $"config.{s.Name}" == path);
            if (OnInThePod.TryGetValue(setting.Name, out string? other))
            {
                Assert.Equal(other, value!.ToString());
                continue;
            }
            string text = value is JsonArray { Count: 0 } or null ? "" : value.ToString();
            Assert.True(text == setting.Default || (text.Length == 0 && setting.DefaultAbout is not null), $"{path} is {text}, the agent's default {setting.Default}");
        }
    }

    [Fact]
    public void The_schema_has_the_bounds_of_the_agent()
    {
        JsonNode config = JsonNode.Parse(File.ReadAllText(Tool.PathTo("charts/hostgw/values.schema.json")))!["properties"]!["config"]!;
        foreach (Setting setting in OfTheAgent)
        {
            JsonNode schema = setting.Name.Split('.').Aggregate(config, (node, key) => node["properties"]![key]!);
            if (schema["enum"] is JsonArray choices)
                Assert.Equal(setting.Type.Choices, choices.Where(c => c!.GetValueKind() == JsonValueKind.String).Select(c => (string)c!));
            if (schema["type"]?.ToString() != "integer")
                continue;
            int least = (int)schema["minimum"]!, most = (int)schema["maximum"]!;
            Assert.All([least, most], value => Set(setting, $"{value}"));
            Assert.All([least - 1, most + 1], value => Assert.Throws<BadValueException>(() => Set(setting, $"{value}")));
        }
    }

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_reaches_the_agent(string path, string value)
    {
        string text = value.Trim('{', '}');
        SettingValues read = Read(Chart.Config($"config.{path}={value}", "digest.enabled=true"));
        Assert.Equal(text, read[path].Text);

        Setting setting = SettingsTable.Rows.Single(s => s.Name == path);
        Set(setting, text);
    }

    [Fact]
    public void The_file_of_the_defaults_holds_only_settings_the_agent_accepts()
    {
        SettingValues values = Read(Chart.Config());
        Assert.NotEmpty(values);
        Assert.All(OnInThePod, o => Assert.Equal(o.Value, values[o.Key].Text));
        Assert.All(
            values.Where(v => !OnInThePod.ContainsKey(v.Key)),
            v => Assert.Equal(SettingsTable.Rows.Single(s => s.Name == v.Key).Default, v.Value.Text));
    }

    [Theory]
    [InlineData("clusterCidrs", "10.244.0.0/33", "must be a CIDR")]
    [InlineData("clusterCidrs", "10.244.0.256/32", "must be a CIDR")]
    [InlineData("clusterCidrs", "{fd00:10:244::/56,0.0.0.0/0}", "must be a CIDR")]
    [InlineData("clusterCidrs", "fd00:::/56", "must be a CIDR")]
    [InlineData("clusterCidrs", "fd00:1:2:3:4:5:6/128", "must be a CIDR")]
    [InlineData("serviceCidrs", "10.96.0.1/16", "has bits set behind its length")]
    [InlineData("nat.exempt", "fd00::1/64", "has bits set behind its length")]
    [InlineData("interface", "10.0.0.1/24", "must be auto, an interface name")]
    [InlineData("interface", "127.0.0.0/8", "must be auto, an interface name")]
    [InlineData("interface", "eth0/24", "must be auto, an interface name")]
    [InlineData("nodeSelector", "a in (b", "must be a label selector")]
    [InlineData("nodeSelector", "a=b c", "must be a label selector")]
    [InlineData("routeProtocol", "16", "must be a number that no other program uses")]
    [InlineData("listen", "0.0.0.0:99999", "must be an address and a port")]
    [InlineData("listen", "0.0.0.300:9157", "must be an address and a port")]
    [InlineData("windows.gateway", "192.0.2.256", "must be an IPv4 address")]
    public void What_the_agent_would_refuse_is_refused_with_its_words(string path, string value, string message)
    {
        Assert.Contains($"config.{path}: ", Chart.Refusal($"config.{path}={value}"), StringComparison.Ordinal);
        Assert.Contains(message, Chart.Refusal($"config.{path}={value}"), StringComparison.Ordinal);
        Setting setting = SettingsTable.Rows.Single(s => s.Name == path);
        Assert.Contains(message.Split(',')[0], Assert.Throws<BadValueException>(() => Set(setting, value.Trim('{', '}'))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_no_source_of_the_tunnel_is_refused() => Assert.Contains(
        "at '/config/tunnel/source': '1' does not match",
        Chart.Helm.Fail("template", "hostgw", Chart.Folder, "--set-string", "config.tunnel.source=1"), StringComparison.Ordinal);

    [Theory]
    [InlineData("clusterCidrs", "fd00:10:244:1:2:3:4:5/128")]
    [InlineData("clusterCidrs", "::/1")]
    [InlineData("clusterCidrs", "64:ff9b::10.0.0.0/104")]
    [InlineData("interface", "fd00:10::/64")]
    [InlineData("nodeSelector", "!virtual, pool=a,tier != db,zone in (x, y),w notin (z),topology.kubernetes.io/zone")]
    [InlineData("routeProtocol", "255")]
    [InlineData("listen", "255.255.255.255:65535")]
    [InlineData("tunnel.source", "65534")]
    public void What_the_agent_accepts_is_not_refused(string path, string value)
    {
        Set(SettingsTable.Rows.Single(s => s.Name == path), value);
        Assert.Contains("kind: DaemonSet", Chart.Template($"config.{path}={value.Replace(",", "\\,", StringComparison.Ordinal)}"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_chart_knows_the_protocol_numbers_of_other_programs()
    {
        Setting protocol = SettingsTable.Rows.Single(s => s.Name == "routeProtocol");
        int[] foreign = [.. Enumerable.Range(5, 251).Where(n => Record.Exception(() => Set(protocol, $"{n}")) is BadValueException)];
        string check = File.ReadAllText(Path.Combine(Chart.Folder, "templates", "_check.tpl"));
        Assert.Contains($"{{{{- if has (int $config.routeProtocol) (list {string.Join(' ', foreign)}) }}}}", check, StringComparison.Ordinal);
    }

    // auto is the default of clusters that cannot have a tunnel, too; the agent would refuse to start.
    [Theory]
    [InlineData("auto")]
    [InlineData("off", "nextHop=PodGateway")]
    [InlineData("off", "probe.enabled=false")]
    [InlineData("off", "tunnel.mode=false")]
    public void The_default_mode_of_the_tunnel_is_off_where_there_can_be_none(string expected, params string[] values) =>
        Assert.Equal(expected, Read(Chart.Config([.. values.Select(v => $"config.{v}")]))["tunnel.mode"].Text);

    [Theory]
    [InlineData(true, "cni.install=false")]
    [InlineData(false, "cni.install=false", "tunnel.mode=off")]
    [InlineData(false, "cni.install=false", "tunnel.source=254")]
    public void The_agent_reads_the_nodes_CNI_configuration_where_the_tunnel_depends_on_it(bool reads, params string[] values)
    {
        JsonNode? mount = Chart.Container([.. values.Select(v => $"config.{v}")])["volumeMounts"]!.AsArray()
            .SingleOrDefault(m => (string?)m!["name"] == "cni-config");
        Assert.Equal(reads, mount is not null);
        Assert.True(mount is null || (bool)mount["readOnly"]!);
    }

    [Fact]
    public void What_the_pod_sets_are_variables_of_the_agent()
    {
        string[] names = [.. Chart.Container()["env"]!.AsArray().Select(e => (string)e!["name"]!).Where(n => n.StartsWith("HOSTGW_", StringComparison.Ordinal))];
        Assert.Equal(["HOSTGW_NODE_NAME", "HOSTGW_PROC_SYS_NET"], names);
        Assert.All(names, n => Assert.Contains(SettingsTable.Rows, s => s.Variable == n));
    }

    [Fact]
    public void What_the_digests_pod_sets_are_settings_with_the_charts_defaults()
    {
        string[] names = [.. Chart.Object("Deployment", "hostgw-digest", "digest.enabled=true", "digest.labels=pool")["spec"]!["template"]!["spec"]!
            ["containers"]![0]!["env"]!.AsArray().Select(e => (string)e!["name"]!).Where(n => n.StartsWith("HOSTGW_", StringComparison.Ordinal))];
        Assert.Equal(["HOSTGW_NODE_NAME", "HOSTGW_DIGEST_LISTEN", "HOSTGW_DIGEST_LABELS"], names);
        Assert.All(names, n => Assert.Contains(SettingsTable.Rows, s => s.Variable == n));
        Assert.All(OfTheDigest, name => Assert.Equal(
            SettingsTable.Rows.Single(s => s.Name == name).Default, Chart.Values["digest"]![name["digest.".Length..]] is JsonValue value ? value.ToString() : ""));
    }

    // Of the file, which both kinds of nodes read, the paths are Linux's.
    [Fact]
    public void A_windows_pod_writes_the_cni_configuration_of_its_node_too()
    {
        Dictionary<string, string> environment = Chart.Objects("windows.enabled=true")
            .Single(o => (string?)o["metadata"]!["name"] == "hostgw-windows")["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray()
            .ToDictionary(e => (string)e!["name"]!, e => (string?)e!["value"] ?? "");
        Assert.All(environment.Keys, n => Assert.Contains(SettingsTable.Rows, s => s.Variable == n));
        Assert.DoesNotContain("HOSTGW_CNI_INSTALL", environment.Keys);
        Assert.Equal((@"C:\etc\cni\net.d", @"C:\opt\cni\bin"), (environment["HOSTGW_CNI_CONFIG_DIRECTORY"], environment["HOSTGW_CNI_BIN_DIRECTORY"]));
    }

    private static void Set(Setting setting, string text) =>
        setting.Set(new AgentSettings { Policy = new() { NodeName = "" }, Listen = new(IPAddress.Loopback, 0), ProcSysNet = "" }, text);

    private static SettingValues Read(string yaml)
    {
        List<string> errors = [];
        SettingValues values = new YamlSource("config.yaml", errors).Read(yaml);
        Assert.Empty(errors);
        return values;
    }
}
