using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What the operator wants, as far as planning is concerned.</summary>
internal sealed record Policy
{
    /// <summary>This node's name in the API.</summary>
    public required string NodeName { get; init; }

    public NextHopMode NextHop { get; init; }

    /// <summary>All pod networks of the cluster; empty: any private prefix is accepted.</summary>
    public ImmutableArray<Prefix> ClusterCidrs { get; init; } = [];

    public ImmutableArray<Prefix> ServiceCidrs { get; init; } = [];

    public ClusterRouteMode ClusterRoute { get; init; }

    /// <summary>"auto", an interface name, a pattern with * and ?, or a CIDR that holds one of its addresses.</summary>
    public string Interface { get; init; } = "auto";

    public NodeSelector NodeSelector { get; init; } = NodeSelector.Everything;

    public bool Forwarding { get; init; } = true;

    /// <summary>Let pods' packets through where chain FORWARD drops.</summary>
    public bool ForwardAccept { get; init; } = true;

    /// <summary>Have a CNI configuration of ours.</summary>
    public bool InstallCni { get; init; }

    public NatPolicy Nat { get; init; } = new();

    public WindowsPolicy Windows { get; init; } = new();
}

/// <summary>What only concerns a Windows host.</summary>
internal sealed record WindowsPolicy
{
    /// <summary>The API server as it is to be reached past the pod networks; none: as the client reached it.</summary>
    public Ip ApiServerAddress { get; init; }

    /// <summary>The way there; none: the default gateway of the chosen interface.</summary>
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

/// <summary>What a peer's route points at.</summary>
internal enum NextHopMode
{
    /// <summary>The peer's InternalIP of the podCIDR's family.</summary>
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
    /// <summary>Only what comes from this node's podCIDRs.</summary>
    Pods,

    /// <summary>Whatever leaves the host: the literal rule of the seed documents.</summary>
    Any,
}

/// <summary>Which foreign routes on a key of ours are taken over.</summary>
internal enum AdoptMode
{
    /// <summary>Those that do what ours would do.</summary>
    Equivalent,
    All,
    None,
}
