using System.Collections.Immutable;
using System.Text;
using HostGw.Planning;
using Microsoft.Extensions.Logging;

namespace HostGw.Settings;

/// <summary>All settings. Flags, HOSTGW_* variables, the file, --help and docs/settings.md come from these rows.</summary>
internal static class SettingsTable
{
    public static ImmutableArray<Setting> Rows { get; } =
    [
        Row("nodeName", SettingTypes.NodeName, HostName(), UsedBy.Planners | UsedBy.Digest,
            "Name of this node in the API", (s, v) => s with { Policy = s.Policy with { NodeName = v } }, "the host's name in lower case"),
        Row("kubeconfig", SettingTypes.OptionalPath, "", UsedBy.Planners | UsedBy.Digest,
            "Kubeconfig file to reach the API with", (s, v) => s with { Kubeconfig = v }, "the pod's service account"),
        Row("apiServer", SettingTypes.Server, "", UsedBy.Planners | UsedBy.Digest,
            "API server to use instead of the one that the kubeconfig or the pod's environment names",
            (s, v) => s with { ApiServer = v }, "the one that they name"),

        Row("nodes.source", SettingTypes.Choice(("nodes", false), ("digest", true)), "nodes", UsedBy.Planners,
            "Where the nodes come from: all Nodes, or the node digest (docs/scale.md), which must run, and this node's own Node",
            (s, v) => s with { UsesDigest = v }),
        Row("digest.labels", SettingTypes.LabelKeys, "", UsedBy.Digest,
            "Label keys that the node digest carries in addition to those of nodeSelector: before a nodeSelector of agents names others",
            (s, v) => s with { DigestLabels = v }, "none"),
        Row("digest.listen", SettingTypes.EndPoint, "127.0.0.1:9159", UsedBy.Digest,
            "Where the node digest serves health, status and metrics", (s, v) => s with { DigestListen = v }),

        PolicyRow("nextHop", SettingTypes.Choice(("NodeAddress", NextHopMode.NodeAddress),
                ("PodGateway", NextHopMode.PodGateway)), "NodeAddress",
            "What a peer's IPv4 route points at: its node address (InternalIP, else ExternalIP), or the gateway inside its pod subnet " +
                "(.1 on Linux, .2 on Windows); IPv6 routes always point at the node address",
            (p, v) => p with { NextHop = v }),
        PolicyRow("clusterCidrs", SettingTypes.Cidrs, "",
            "All pod networks of the cluster; a podCIDR of a family named here is rejected outside of them",
            (p, v) => p with { ClusterCidrs = v }, "none: any private prefix is accepted"),
        PolicyRow("serviceCidrs", SettingTypes.AutoCidrs, "auto",
            "Service networks of the cluster; a podCIDR that overlaps one is rejected; auto: those that the API names (Kubernetes 1.33)",
            (p, v) => p with { ServiceCidrs = v ?? [], FindsServiceCidrs = v is null }),
        // helm reads YAML 1.1, where a bare on or off is a boolean, and passes it on as true or false.
        PolicyRow("clusterRoute", SettingTypes.Choice(("auto", ClusterRouteMode.Auto), ("on", ClusterRouteMode.On),
                ("off", ClusterRouteMode.Off))
                .Accepting("true", ClusterRouteMode.On).Accepting("false", ClusterRouteMode.Off), "auto",
            "On-link route to the IPv4 clusterCidrs; auto: with nextHop PodGateway and clusterCidrs",
            (p, v) => p with { ClusterRoute = v }),
        PolicyRow("policyRule", SettingTypes.Choice(("on", true), ("off", false)).Accepting("true", true).Accepting("false", false), "off",
            "Policy rule (ip rule) that leads packets to clusterCidrs to HostGw's routes before rules of other programs, such as a VPN's",
            (p, v) => p with { PolicyRule = v }),
        PolicyRow("interface", SettingTypes.Interface, "auto",
            "Interfaces that routes may use; auto: for each peer the one that leads to it without a gateway",
            (p, v) => p with { Interface = v }),
        Row("nodeSelector", SettingTypes.Selector, "", UsedBy.Planners | UsedBy.Digest,
            "Labels that a peer must have to get routes; the digest carries these labels",
            (s, v) => s with { Policy = s.Policy with { NodeSelector = v } }, "all nodes"),
        PolicyRow("forwarding", SettingTypes.Switch, "true",
            "Turn on IP forwarding in the families of this node's podCIDRs", (p, v) => p with { Forwarding = v }),
        PolicyRow("forwardAccept", SettingTypes.Switch, "true",
            "Accept this node's pods' packets in the iptables chain FORWARD where it drops (Docker and ufw do)",
            (p, v) => p with { ForwardAccept = v }),

        Row("adopt", SettingTypes.Choice(("equivalent", AdoptMode.Equivalent), ("all", AdoptMode.All),
                ("none", AdoptMode.None)), "equivalent", UsedBy.Planners,
            "Foreign routes to peers' podCIDRs to take over: equivalent (those with the same effect as HostGw's), all or none",
            (s, v) => s with { Adopt = v }),
        Row("routeProtocol", SettingTypes.RouteProtocol, "157", UsedBy.Planners | UsedBy.Cleanup,
            "Route protocol number that marks HostGw's routes", (s, v) => s with { RouteProtocol = v }),
        Row("resyncSeconds", SettingTypes.Number(5, 3600, "seconds"), "60", UsedBy.Agent,
            "Time between full passes when nothing happens, and the longest delay before a failed pass is tried again (at most 60)",
            (s, v) => s with { ResyncSeconds = v }),

        PolicyRow("probe.enabled", SettingTypes.Switch, "true",
            "Probe whether pods' packets reach the peers, and answer peers' probes", (p, v) => p with { Probe = v }),
        PolicyRow("probe.port", SettingTypes.Number(1, 65535, "port"), "9158",
            "UDP port of probes, the same on all nodes", (p, v) => p with { ProbePort = v }),
        Row("probe.intervalSeconds", SettingTypes.Number(1, 3600, "seconds"), "10", UsedBy.Agent,
            "Time between two probes of one peer; longer where that would be more than 50 a second", (s, v) => s with { ProbeSeconds = v }),

        TunnelRow("tunnel.mode", SettingTypes.Choice(("off", TunnelMode.Off), ("auto", TunnelMode.Auto), ("always", TunnelMode.Always))
                .Accepting("false", TunnelMode.Off), "off",
            "When packets to a Linux peer's pods take a tunnel (VXLAN-GPE, interface hostgw0); auto: where native routing cannot carry " +
                "them and probes through the tunnel are answered",
            (t, v) => t with { Mode = v }),
        TunnelRow("tunnel.port", SettingTypes.Number(1, 65535, "port"), "4790",
            "UDP port of the tunnel, the same on all nodes", (t, v) => t with { Port = v }),
        TunnelRow("tunnel.vni", SettingTypes.Number(1, 16777215, "number"), "157",
            "VXLAN network identifier of the tunnel, the same on all nodes", (t, v) => t with { Vni = (uint)v }),
        TunnelRow("tunnel.source", SettingTypes.TunnelSource, "auto",
            "Which address of its podCIDR a node uses for its own packets into the tunnel, the same on all nodes; auto: the gateway " +
                "(.1), where the CNI configuration reserves it; else an index in the podCIDR that no pod gets",
            (t, v) => t with { Source = v }),
        TunnelRow("tunnel.nativeAfterSeconds", SettingTypes.Number(10, 3600, "seconds"), "300",
            "How long probes of native routing must be answered before a peer leaves the tunnel",
            (t, v) => t with { NativeAfter = TimeSpan.FromSeconds(v) }),

        Row("nat.backend", SettingTypes.Choice(("auto", NatBackend.Auto), ("nftables", NatBackend.Nftables),
                ("iptables", NatBackend.Iptables), ("none", NatBackend.None)), "auto", UsedBy.Planners | UsedBy.Cleanup,
            "What masquerades pod traffic that leaves the cluster; auto: nftables where the kernel has it, else iptables",
            (s, v) => SetNat(s with { NatBackend = v }, n => n with { Enabled = v != NatBackend.None })),
        Row("nat.iptables", SettingTypes.Choice(("auto", NatIptables.Auto), ("nft", NatIptables.Nft),
                ("legacy", NatIptables.Legacy)), "auto", UsedBy.Planners,
            "Which iptables the backend iptables uses; auto: the one that this host uses", (s, v) => s with { NatIptables = v }),
        // nat.source any also rewrites the host's own traffic, whose fixed ports random ones would break: default off then.
        NatRow("nat.source", SettingTypes.Choice(("pods", NatSource.Pods), ("any", NatSource.Any)), "pods",
            "What is masqueraded: this node's pods, or any source, the host's own traffic too",
            (n, v) => n with { Source = v, RandomFully = v == NatSource.Pods }),
        NatRow("nat.randomFully", SettingTypes.Switch, "true",
            "Choose random source ports", (n, v) => n with { RandomFully = v }, "true; false with nat.source any"),
        NatRow("nat.exempt", SettingTypes.Cidrs, "",
            "More destinations that see the pod's own address", (n, v) => n with { Exempt = v }, "none"),
        NatRow("nat.exemptNodes", SettingTypes.Switch, "false",
            "Let nodes see the pod's own address", (n, v) => n with { ExemptNodes = v }),
        NatRow("nat.ipv6", SettingTypes.Switch, "true",
            "Masquerade IPv6 too", (n, v) => n with { IPv6 = v }),

        PolicyRow("cni.install", SettingTypes.Switch, "false",
            "Write a CNI configuration (ptp, host-local, portmap; win-bridge on Windows) for this node's podCIDRs, unless another " +
                "plugin's comes first",
            (p, v) => p with { InstallCni = v }),
        Row("cni.takeOver", SettingTypes.Switch, "false", UsedBy.Planners,
            "Write it as 00-hostgw.conflist instead of 10-hostgw.conflist: before other plugins' files, which stay",
            (s, v) => s with { CniTakeOver = v }),
        Row("cni.configDirectory", SettingTypes.AbsolutePath, "/etc/cni/net.d", UsedBy.Planners | UsedBy.Cleanup,
            "Where the container runtime looks for CNI configurations", (s, v) => s with { CniConfigDirectory = v }),
        Row("cni.binDirectory", SettingTypes.AbsolutePath, "/opt/cni/bin", UsedBy.Planners,
            "Where the container runtime looks for CNI plugins", (s, v) => s with { CniBinDirectory = v }),
        Row("networkUnavailable.clear", SettingTypes.Switch, "false", UsedBy.Agent,
            "Clear this node's condition NetworkUnavailable, where it has one, once routes and NAT are installed",
            (s, v) => s with { ClearNetworkUnavailable = v }),
        Row("windows.network", SettingTypes.Word, "cbr0", UsedBy.Planners | UsedBy.Cleanup,
            "HNS network of this node's pods; peers are reached over its host endpoint, too", (s, v) => s with { WindowsNetwork = v }),
        Row("windows.createNetwork", SettingTypes.Switch, "false", UsedBy.Agent,
            "Create that network, and the host's endpoint in it, if they are missing; this interrupts the host's own network for a moment",
            (s, v) => s with { WindowsCreateNetwork = v }),
        Row("windows.correctOutBoundNat", SettingTypes.Switch, "false", UsedBy.Planners,
            "Correct the exceptions of OutBoundNAT on the endpoints of running pods; the CNI plugin sets them only when a pod starts",
            (s, v) => s with { WindowsCorrectOutBoundNat = v }),
        WindowsRow("windows.apiServerAddress", SettingTypes.OptionalIPv4, "",
            "API server that always gets a route through the default gateway (-MasterIp of AddRoutes.ps1)",
            (w, v) => w with { ApiServerAddress = v }, "the connected one, where a pod network covers it"),
        WindowsRow("windows.gateway", SettingTypes.OptionalIPv4, "",
            "Next hop of that route (-Gateway of AddRoutes.ps1)", (w, v) => w with { Gateway = v }, "the interface's default gateway"),

        Row("events", SettingTypes.Switch, "true", UsedBy.Agent | UsedBy.Digest,
            "Report problems as Events of this node, which `kubectl describe node` shows; the digest its own as Events of its Lease",
            (s, v) => s with { WritesEvents = v }),

        Row("listen", SettingTypes.EndPoint, "127.0.0.1:9157", UsedBy.Agent | UsedBy.Status | UsedBy.Doctor | UsedBy.Plan,
            "Where the agent serves health, status and metrics, and where status, doctor and plan ask", (s, v) => s with { Listen = v }),
        Row("procSysNet", SettingTypes.AbsolutePath, "/proc/sys/net", UsedBy.Planners | UsedBy.Cleanup,
            "Where /proc/sys/net is mounted; /host/proc/sys/net in the container", (s, v) => s with { ProcSysNet = v }),
        Row("stateDirectory", SettingTypes.OptionalDirectory, AgentSettings.DefaultStateDirectory, UsedBy.Planners | UsedBy.Cleanup,
            "Directory for the saved nodes, which a start without the API server uses, and the names of uplinks (none: not saved), and " +
                "on Windows for the record of routes and the agent's lock",
            (s, v) => s with { StateDirectory = v }, @"/var/lib/hostgw; %ProgramData%\hostgw on Windows"),
        Row("log.level", SettingTypes.Choice(("trace", LogLevel.Trace), ("debug", LogLevel.Debug),
                ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            "information", UsedBy.Planners | UsedBy.Cleanup | UsedBy.Digest,
            "Least severity that is logged; agent and digest follow the file while they run", (s, v) => s with { LogLevel = v }),
        Row("log.format", SettingTypes.Choice(("auto", LogFormat.Auto), ("text", LogFormat.Text),
                ("json", LogFormat.Json)), "auto", UsedBy.Planners | UsedBy.Cleanup | UsedBy.Digest,
            "Form of the log; auto: text on a terminal, else json", (s, v) => s with { LogFormat = v }),
    ];

    // A row that sets a property of AgentSettings. The other kinds set a property of Policy or of a part of it.
    private static Setting<T> Row<T>(
        string name, SettingType<T> type, string @default, UsedBy usedBy, string about,
        Func<AgentSettings, T, AgentSettings> set, string? defaultAbout = null) =>
        new(name, type, @default, usedBy, about, set) { DefaultAbout = defaultAbout };

    private static Setting<T> PolicyRow<T>(
        string name, SettingType<T> type, string @default, string about, Func<Policy, T, Policy> set, string? defaultAbout = null) =>
        Row(name, type, @default, UsedBy.Planners, about, (s, v) => s with { Policy = set(s.Policy, v) }, defaultAbout);

    private static Setting<T> NatRow<T>(
        string name, SettingType<T> type, string @default, string about, Func<NatPolicy, T, NatPolicy> set, string? defaultAbout = null) =>
        Row(name, type, @default, UsedBy.Planners, about, (s, v) => SetNat(s, n => set(n, v)), defaultAbout);

    private static Setting<T> TunnelRow<T>(
        string name, SettingType<T> type, string @default, string about, Func<TunnelPolicy, T, TunnelPolicy> set) =>
        PolicyRow(name, type, @default, about, (p, v) => p with { Tunnel = set(p.Tunnel, v) });

    private static Setting<T> WindowsRow<T>(
        string name, SettingType<T> type, string @default, string about,
        Func<WindowsPolicy, T, WindowsPolicy> set, string? defaultAbout = null) =>
        PolicyRow(name, type, @default, about, (p, v) => p with { Windows = set(p.Windows, v) }, defaultAbout);

    private static AgentSettings SetNat(AgentSettings settings, Func<NatPolicy, NatPolicy> change) =>
        settings with { Policy = settings.Policy with { Nat = change(settings.Policy.Nat) } };

    // Not Environment.MachineName, which ends at the first dot: kubelet registers the full name.
    private static string HostName() => Dns.GetHostName().ToLowerInvariant();
}

/// <summary>A row of <see cref="SettingsTable"/>.</summary>
/// <remarks>Its flag and variable follow from the name: nat.randomFully is --nat-random-fully and HOSTGW_NAT_RANDOM_FULLY.</remarks>
internal abstract class Setting(string name, SettingType type, string @default, UsedBy usedBy, string about)
{
    /// <summary>As the file writes it: a group and a name, or a name alone.</summary>
    public string Name { get; } = name;

    public SettingType Type { get; } = type;

    /// <summary>As one would write it; empty for none.</summary>
    public string Default { get; } = @default;

    /// <summary>Says what <see cref="Default"/> cannot: where it comes from, or what an empty one means.</summary>
    public string? DefaultAbout { get; init; }

    public UsedBy UsedBy { get; } = usedBy;

    /// <summary>One sentence without its full stop.</summary>
    public string About { get; } = about;

    public string Flag { get; } = "--" + Words(name, '-');

    public string Variable { get; } = EnvironmentSource.Prefix + Words(name, '_').ToUpperInvariant();

    /// <exception cref="BadValueException">The text is no value of this setting.</exception>
    public abstract AgentSettings Set(AgentSettings settings, string text);

    private static string Words(string name, char separator)
    {
        var words = new StringBuilder();
        foreach (char c in name)
        {
            if (char.IsAsciiLetterUpper(c))
                words.Append(separator);
            words.Append(c == '.' ? separator : char.ToLowerInvariant(c));
        }
        return words.ToString();
    }
}

/// <inheritdoc/>
internal sealed class Setting<T>(
    string name, SettingType<T> type, string @default, UsedBy usedBy, string about, Func<AgentSettings, T, AgentSettings> set)
    : Setting(name, type, @default, usedBy, about)
{
    public override AgentSettings Set(AgentSettings settings, string text) => set(settings, type.Parse(text));
}

/// <summary>The commands that take a setting as an option and check its value.</summary>
[Flags]
internal enum UsedBy
{
    None = 0,
    Agent = 1,
    Plan = 2,
    Adopt = 4,
    Cleanup = 8,
    Status = 16,
    Doctor = 32,
    Digest = 64,

    /// <summary>The commands that compute a plan.</summary>
    Planners = Agent | Plan | Adopt | Doctor,
}
