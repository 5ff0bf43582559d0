using System.Collections.Immutable;

namespace HostGw.Lab.Topology;

/// <summary>The lab's addresses. Nodes and pods are numbered from 1.</summary>
public static class Addressing
{
    /// <summary>The seed documents' cluster prefix, and one for IPv6.</summary>
    public static readonly ImmutableArray<IPNetwork> ClusterCidrs =
        [IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("fd00:192:168::/48")];

    public static readonly ImmutableArray<IPAddress> Router = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fd00:10::1")];

    /// <summary>Of the second segment.</summary>
    public static readonly ImmutableArray<IPAddress> SecondRouter = [IPAddress.Parse("10.0.1.1"), IPAddress.Parse("fd00:10:0:1::1")];

    public static readonly ImmutableArray<IPAddress> ApiServer = [IPAddress.Parse("10.0.0.2"), IPAddress.Parse("fd00:10::2")];

    /// <summary>Where 'outside' answers, behind the router.</summary>
    public static readonly ImmutableArray<IPAddress> Outside = [IPAddress.Parse("203.0.113.10"), IPAddress.Parse("2001:db8::10")];

    public static ImmutableArray<IPAddress> Node(int node) =>
        [IPAddress.Parse($"10.0.0.{10 + node}"), IPAddress.Parse($"fd00:10::{10 + node}")];

    public static ImmutableArray<IPAddress> NodeOnSecond(int node) =>
        [IPAddress.Parse($"10.0.1.{10 + node}"), IPAddress.Parse($"fd00:10:0:1::{10 + node}")];

    public static ImmutableArray<IPNetwork> PodCidrs(int node) =>
        [IPNetwork.Parse($"192.168.{node}.0/24"), IPNetwork.Parse($"fd00:192:168:{node}::/64")];

    /// <summary>What pods use as their gateway, and peers as the next hop: .2 on Windows, .1 otherwise.</summary>
    public static ImmutableArray<IPAddress> PodGateway(int node, bool windows) =>
        [IPAddress.Parse($"192.168.{node}.{(windows ? 2 : 1)}"), IPAddress.Parse($"fd00:192:168:{node}::1")];

    public static ImmutableArray<IPAddress> Pod(int node, int pod) =>
        [IPAddress.Parse($"192.168.{node}.{10 + pod}"), IPAddress.Parse($"fd00:192:168:{node}::{10 + pod}")];
}
