using HostGw.Settings;

namespace HostGw.Tests.Settings;

public class EverySettingTests
{
    // A value other than the default, and the one property that it changes.
    private static readonly Dictionary<string, (string Sample, string Changes)> Samples = new()
    {
        ["nodeName"] = ("node-9.example", "NodeName = node-9.example, Policy.NodeName = node-9.example"),
        ["kubeconfig"] = ("/root/.kube/config", "Kubeconfig = /root/.kube/config"),
        ["apiServer"] = ("https://10.0.0.1:6443", "ApiServer = https://10.0.0.1:6443/"),
        ["nodes.source"] = ("digest", "UsesDigest = True"),
        ["digest.labels"] = ("pool,topology.kubernetes.io/zone", "DigestLabels = pool topology.kubernetes.io/zone"),
        ["digest.listen"] = ("[::1]:9000", "DigestListen = [::1]:9000"),
        ["nextHop"] = ("PodGateway", "Policy.NextHop = PodGateway"),
        ["clusterCidrs"] = ("10.244.0.0/16,fd00::/48", "Policy.ClusterCidrs = 10.244.0.0/16 fd00::/48"),
        ["serviceCidrs"] = ("10.96.0.0/12", "Policy.FindsServiceCidrs = False, Policy.ServiceCidrs = 10.96.0.0/12"),
        ["clusterRoute"] = ("off", "Policy.ClusterRoute = Off"),
        ["policyRule"] = ("on", "Policy.PolicyRule = True"),
        ["interface"] = ("eth*", "Policy.Interface = eth*"),
        ["nodeSelector"] = ("pool=a,!virtual", "Policy.NodeSelector = pool [a] & virtual not []"),
        ["forwarding"] = ("false", "Policy.Forwarding = False"),
        ["forwardAccept"] = ("false", "Policy.ForwardAccept = False"),
        ["adopt"] = ("none", "Adopt = None"),
        ["routeProtocol"] = ("200", "RouteProtocol = 200"),
        ["resyncSeconds"] = ("3600", "ResyncSeconds = 3600"),
        ["probe.enabled"] = ("false", "Policy.Probe = False"),
        ["probe.port"] = ("9999", "Policy.ProbePort = 9999"),
        ["probe.intervalSeconds"] = ("3600", "ProbeSeconds = 3600"),
        ["tunnel.mode"] = ("auto", "Policy.Tunnel.Mode = Auto"),
        ["tunnel.port"] = ("4791", "Policy.Tunnel.Port = 4791"),
        ["tunnel.vni"] = ("16777215", "Policy.Tunnel.Vni = 16777215"),
        ["tunnel.source"] = ("254", "Policy.Tunnel.Source = 254"),
        ["tunnel.nativeAfterSeconds"] = ("3600", "Policy.Tunnel.NativeAfter = 01:00:00"),
        ["nat.backend"] = ("none", "NatBackend = None, Policy.Nat.Enabled = False"),
        ["nat.iptables"] = ("legacy", "NatIptables = Legacy"),
        ["nat.source"] = ("any", "Policy.Nat.RandomFully = False, Policy.Nat.Source = Any"),
        ["nat.randomFully"] = ("false", "Policy.Nat.RandomFully = False"),
        ["nat.exempt"] = ("192.0.2.0/24", "Policy.Nat.Exempt = 192.0.2.0/24"),
        ["nat.exemptNodes"] = ("true", "Policy.Nat.ExemptNodes = True"),
        ["nat.ipv6"] = ("false", "Policy.Nat.IPv6 = False"),
        ["cni.install"] = ("true", "Policy.InstallCni = True"),
        ["cni.takeOver"] = ("true", "CniTakeOver = True"),
        ["cni.configDirectory"] = ("/etc/other/net.d", "CniConfigDirectory = /etc/other/net.d"),
        ["cni.binDirectory"] = ("/usr/lib/cni", "CniBinDirectory = /usr/lib/cni"),
        ["networkUnavailable.clear"] = ("true", "ClearNetworkUnavailable = True"),
        ["windows.network"] = ("l2bridge", "WindowsNetwork = l2bridge"),
        ["windows.createNetwork"] = ("true", "WindowsCreateNetwork = True"),
        ["windows.correctOutBoundNat"] = ("true", "WindowsCorrectOutBoundNat = True"),
        ["windows.apiServerAddress"] = ("192.0.2.10", "Policy.Windows.ApiServerAddress = 192.0.2.10"),
        ["windows.gateway"] = ("192.0.2.1", "Policy.Windows.Gateway = 192.0.2.1"),
        ["events"] = ("false", "WritesEvents = False"),
        ["listen"] = ("[::1]:9000", "Listen = [::1]:9000"),
        ["procSysNet"] = ("/host/proc/sys/net", "ProcSysNet = /host/proc/sys/net"),
        ["stateDirectory"] = ("/srv/hostgw", "StateDirectory = /srv/hostgw"),
        ["log.level"] = ("trace", "LogLevel = Trace"),
        ["log.format"] = ("json", "LogFormat = Json"),
    };

    public static TheoryData<string> Paths => [.. SettingsTable.Rows.Select(s => s.Name)];

    [Fact]
    public void The_samples_are_the_table() => Assert.Equal(SettingsTable.Rows.Select(s => s.Name), Samples.Keys);

    [Theory]
    [MemberData(nameof(Paths))]
    public void A_setting_changes_what_it_says_and_nothing_else_from_every_source(string path)
    {
        Setting setting = SettingsTable.Rows.Single(s => s.Name == path);
        (string sample, string changes) = Samples[path];
        string with = path == "policyRule" ? "10.244.0.0/16" : "";
        string key = string.Join(": {", path.Split('.')), close = path.Contains('.') ? "}" : "";

        UsedBy command = CommandOf(setting);

        Assert.Equal(changes, Changes(new() { Command = command, Flags = $"{setting.Flag} {sample}" }, with));
        Assert.Equal(changes, Changes(new() { Command = command, Variables = { [setting.Variable] = sample } }, with));
        Assert.Equal(changes, Changes(new() { Command = command, File = $"{key}: '{sample}'{close}" }, with));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_default_can_be_written_down(string path)
    {
        Setting setting = SettingsTable.Rows.Single(s => s.Name == path);
        Assert.Equal("", Changes(new() { Command = CommandOf(setting), Variables = { [setting.Variable] = setting.Default } }));
    }

    [Fact]
    public void Every_property_has_a_setting()
    {
        var names = Samples.Values.SelectMany(s => s.Changes.Split(", ")).Select(c => c.Split(" = ")[0]);
        string[] changed = [.. names.Distinct().Order(StringComparer.Ordinal)];
        string[] properties = [.. Shown.Lines(new Given().Read()).Select(l => l.Split(" = ")[0]).Order(StringComparer.Ordinal)];
        Assert.Equal(properties, changed);
    }

    [Fact]
    public void A_policy_starts_with_the_defaults_of_the_table()
    {
        AgentSettings defaults = new Given().Read();
        Assert.Equal(Shown.Lines(defaults), Shown.Lines(defaults with { Policy = new() { NodeName = defaults.NodeName } }));
    }

    [Fact]
    public void Without_any_source_the_documented_defaults_hold()
    {
        AgentSettings settings = new Given().Read();
        Assert.Equal(Dns.GetHostName().ToLowerInvariant(), settings.NodeName);
        Assert.Equal("127.0.0.1:9157", settings.Listen.ToString());
        Assert.Equal(157, settings.RouteProtocol);
        Assert.Equal(60, settings.ResyncSeconds);
        Assert.True(settings.Policy.Forwarding);
        Assert.True(settings.Policy.Nat is { Enabled: true, RandomFully: true, IPv6: true });
        Assert.Null(settings.Kubeconfig);
    }

    private static UsedBy CommandOf(Setting setting) => setting.UsedBy.HasFlag(UsedBy.Agent) ? UsedBy.Agent : UsedBy.Digest;

    /// <param name="clusterCidrs">What the setting needs; not a change.</param>
    private static string Changes(Given given, string clusterCidrs = "")
    {
        Given before = new() { Command = given.Command };
        if (clusterCidrs.Length > 0)
            given.Variables["HOSTGW_CLUSTER_CIDRS"] = before.Variables["HOSTGW_CLUSTER_CIDRS"] = clusterCidrs;
        return string.Join(", ", Shown.Lines(given.Read()).Except(Shown.Lines(before.Read())));
    }
}
