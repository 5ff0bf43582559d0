using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What planning needs to know of a Node, and nothing else of the API object.</summary>
internal sealed record ClusterNode
{
    public required string Name { get; init; }

    /// <summary>metadata.uid: tells a node from another one that later took its name.</summary>
    public required string Uid { get; init; }

    /// <summary>metadata.creationTimestamp in Unix seconds: of two claims to a prefix the older node's stands.</summary>
    public long CreatedAt { get; init; }

    /// <summary>status.nodeInfo.operatingSystem, else the label kubernetes.io/os, else linux.</summary>
    public string OperatingSystem { get; init; } = "linux";

    /// <summary>spec.podCIDRs, else spec.podCIDR, as written: aligned or not.</summary>
    public ImmutableArray<Prefix> PodCidrs { get; init; } = [];

    /// <summary>podCIDRs that are no CIDR at all, cut to 64 characters.</summary>
    public ImmutableArray<string> UnreadablePodCidrs { get; init; } = [];

    /// <summary>status.addresses of type InternalIP, in order; the first is the primary address.</summary>
    public ImmutableArray<Ip> InternalIPs { get; init; } = [];

    public ImmutableArray<Ip> ExternalIPs { get; init; } = [];

    /// <summary>Annotation hostgw.io/next-hop: at most one address per family; null where the node has none, empty where it cannot be read.</summary>
    public ImmutableArray<Ip>? NextHopOverride { get; init; }

    /// <summary>Annotation hostgw.io/skip; null where it is neither "true" nor "false".</summary>
    public bool? Skip { get; init; } = false;

    /// <summary>The labels whose keys the node selector names, and no others.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>status.conditions holds NetworkUnavailable, and not as False.</summary>
    public bool NetworkUnavailable { get; init; }

    public bool IsWindows => OperatingSystem == "windows";
}
