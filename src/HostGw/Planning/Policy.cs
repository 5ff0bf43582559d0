using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The settings that planning depends on.</summary>
/// <remarks>The initial values are the defaults of the settings table, for tests of planning; a test compares the two.</remarks>
internal sealed record Policy
{
    /// <summary>This node's name in the API.</summary>
    public required string NodeName { get; init; }

    /// <summary>The setting nextHop.</summary>
    public NextHopMode NextHop { get; init; }

    /// <summary>All pod networks of the cluster; empty: any private prefix is accepted.</summary>
    public ImmutableArray<Prefix> ClusterCidrs { get; init; } = [];

    /// <summary>No podCIDR may overlap one of them.</summary>
    public ImmutableArray<Prefix> ServiceCidrs { get; init; } = [];

    /// <summary>serviceCidrs: auto, those that the API names.</summary>
    public bool FindsServiceCidrs { get; init; } = true;

    public ClusterRouteMode ClusterRoute { get; init; }

    /// <summary>"auto", an interface name, a pattern with * and ?, or a CIDR that holds one of its addresses.</summary>
    public string Interface { get; init; } = "auto";

    /// <summary>Peers that it does not match get no route.</summary>
    public NodeSelector NodeSelector { get; init; } = NodeSelector.Everything;

    public bool Forwarding { get; init; } = true;

    /// <summary>Accept pods' packets in the iptables chain FORWARD where it drops.</summary>
    public bool ForwardAccept { get; init; } = true;

    /// <summary>Install a policy rule that leads to HostGw's routes before foreign rules are tried.</summary>
    public bool PolicyRule { get; init; }

    /// <summary>Probe peers, and answer their probes.</summary>
    public bool Probe { get; init; } = true;

    /// <summary>The UDP port of probes.</summary>
    public int ProbePort { get; init; } = 9158;

    public TunnelPolicy Tunnel { get; init; } = new();

    /// <summary>Write a CNI configuration.</summary>
    public bool InstallCni { get; init; }

    public NatPolicy Nat { get; init; } = new();

    public WindowsPolicy Windows { get; init; } = new();

    /// <param name="found">The service networks that the API names.</param>
    public Policy WithFound(ImmutableArray<Prefix> found) => FindsServiceCidrs ? this with { ServiceCidrs = found } : this;
}

/// <summary>Settings for Windows hosts only.</summary>
internal sealed record WindowsPolicy
{
    /// <summary>The API server that always gets a route; none: the connected one, where a pod network covers it.</summary>
    public Ip ApiServerAddress { get; init; }

    /// <summary>Next hop of that route; none: the default gateway of the chosen interface.</summary>
    public Ip Gateway { get; init; }
}

/// <summary>The masquerade rule's settings.</summary>
internal sealed record NatPolicy
{
    public bool Enabled { get; init; } = true;

    public NatSource Source { get; init; }

    public ImmutableArray<Prefix> Exempt { get; init; } = [];

    public bool ExemptNodes { get; init; }

    public bool IPv6 { get; init; } = true;

    public bool RandomFully { get; init; } = true;
}

/// <summary>What a peer's IPv4 route points at. The annotation hostgw.io/next-hop takes precedence over both.</summary>
internal enum NextHopMode
{
    /// <summary>The peer's InternalIP of the podCIDR's family, else its ExternalIP. IPv6 routes use it in both modes.</summary>
    NodeAddress,

    /// <summary>The gateway inside the peer's pod subnet: .1 on Linux, .2 on Windows.</summary>
    PodGateway,
}

internal enum ClusterRouteMode
{
    /// <summary>On in PodGateway mode with clusterCidrs.</summary>
    Auto,
    On,
    Off,
}

internal enum NatSource
{
    /// <summary>Packets from this node's podCIDRs.</summary>
    Pods,

    /// <summary>Every packet that leaves the host, as Microsoft's host-gateway documents write the rule.</summary>
    Any,
}

// The following are not part of Policy: Reconciliation and Platform take them, which see Planning but not Settings.

/// <summary>Which foreign routes in the place of a desired route are taken over.</summary>
internal enum AdoptMode
{
    /// <summary>Those with the same effect as HostGw's.</summary>
    Equivalent,
    All,
    None,
}

/// <summary>What the masquerade rule is written with.</summary>
internal enum NatBackend
{
    /// <summary>nftables where the kernel has it, else iptables.</summary>
    Auto,
    Nftables,
    Iptables,
    None,
}

/// <summary>Which iptables: the kernel keeps the rules of the two apart.</summary>
internal enum NatIptables
{
    /// <summary>The one this host already uses.</summary>
    Auto,
    Nft,
    Legacy,
}
