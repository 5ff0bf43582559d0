using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The fields of a Node that planning uses.</summary>
internal sealed record ClusterNode
{
    public required string Name { get; init; }

    /// <summary>metadata.uid: tells a node from a later one of the same name.</summary>
    public required string Uid { get; init; }

    /// <summary>metadata.creationTimestamp in Unix seconds: of overlapping podCIDRs the oldest node's is granted.</summary>
    public long CreatedAt { get; init; }

    /// <summary>status.nodeInfo.operatingSystem, else the label kubernetes.io/os, else linux.</summary>
    public string OperatingSystem { get; init; } = "linux";

    /// <summary>spec.podCIDRs, else spec.podCIDR, as written: aligned or not.</summary>
    public ImmutableArray<Prefix> PodCidrs { get; init; } = [];

    /// <summary>podCIDRs that are not CIDRs, cut to 64 characters.</summary>
    public ImmutableArray<string> UnreadablePodCidrs { get; init; } = [];

    /// <summary>status.addresses of type InternalIP, in order; the first is the primary address.</summary>
    public ImmutableArray<Ip> InternalIPs { get; init; } = [];

    public ImmutableArray<Ip> ExternalIPs { get; init; } = [];

    /// <summary>Annotation hostgw.io/next-hop, at most one address per family; null: no annotation, empty: not valid.</summary>
    public ImmutableArray<Ip>? NextHopOverride { get; init; }

    /// <summary>Annotation hostgw.io/skip, false without it; null: its value is neither "true" nor "false".</summary>
    public bool? Skip { get; init; } = false;

    /// <summary>Only the labels whose keys the node selector names.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Labels { get; init; } = [];

    /// <summary>status.conditions holds NetworkUnavailable, and not as False. Read on this node's own Node only.</summary>
    public bool NetworkUnavailable { get; init; }

    public bool IsWindows => OperatingSystem == "windows";
}
