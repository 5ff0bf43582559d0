using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems.Rules;

namespace HostGw.Problems;

/// <summary>Applies every rule of `hostgw doctor`, causes before effects. Pure.</summary>
internal static class Doctor
{
    /// <summary>In the order of cause and effect.</summary>
    public static IReadOnlyList<Func<Examination, IEnumerable<Problem>>> Rules { get; } =
    [
        RouteRules.WithoutMain,
        AccessRules.ApiServer, AccessRules.Credentials, AccessRules.Clock, AccessRules.Rights, AccessRules.Unreadable,
        NodeRules.OwnNode, NodeRules.Digest, NodeRules.Duplicates, NodeRules.Interfaces, NodeRules.Peers, NodeRules.ClusterRoutes,
        NeighbourRules.Unanswered, NeighbourRules.Fixed, NeighbourRules.OtherMac, NeighbourRules.SharedMac,
        SysctlRules.Forwarding, SysctlRules.AcceptRa, SysctlRules.ReversePath, SysctlRules.ArpIgnore, SysctlRules.NeighbourLimit,
        PacketRules.ForwardDrop, PacketRules.Obstacles, PacketRules.Leftovers, PacketRules.Doubts, PacketRules.Masquerade,
        PacketRules.Mtu, FormerPods.Find, RouteRules.Conflicts, RouteRules.Shadowed, RouteRules.Overridden, RouteRules.NotJudged,
        RouteRules.ProbeAddress, RouteRules.NotApplied,
        ReachabilityRules.ProbesNotReceived, ReachabilityRules.PodTrafficDropped, ReachabilityRules.Tunnel, ReachabilityRules.Unreachable,
        ReachabilityRules.PodsSilent, ReachabilityRules.PathMtu,
        OwnerRules.OtherAgents, OwnerRules.LeftInterfaces, OwnerRules.Networkd, OwnerRules.CniPlugins,
    ];

    public static IReadOnlyList<Problem> Examine(Examination seen) => [.. Rules.SelectMany(rule => rule(seen))];
}

/// <summary>What was read of this host and its cluster. What could not be read is empty, and among <see cref="Failures"/>.</summary>
internal sealed record Examination
{
    public required Policy Policy { get; init; }

    /// <summary>Why the API server could not be asked, with the cure; null: it was.</summary>
    public string? ApiProblem { get; init; }

    public ImmutableArray<ClusterNode> Nodes { get; init; } = [];

    /// <summary>Null where the nodes do not come from the digest.</summary>
    public DigestHealth? Digest { get; init; }

    public HostState Host { get; init; } = new();

    public HostFacts Facts { get; init; } = new();

    /// <summary>Null where the nodes or the host are not known.</summary>
    public Plan? Plan { get; init; }

    public RouteChanges Routes { get; init; } = RouteChanges.None;

    public IReadOnlyList<RouteOverride> Overrides { get; init; } = [];

    /// <inheritdoc cref="ApplyResult.ProbeObstacles"/>
    public IReadOnlyList<ProbeObstacle> ProbeObstacles { get; init; } = [];

    /// <summary>What would be done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    /// <summary>What would be done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What foreign configuration drops or rewrites pods' packets, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    public IReadOnlyList<Leftover> Leftovers { get; init; } = [];

    /// <inheritdoc cref="ApplyResult.Doubts"/>
    public IReadOnlyList<RuleDoubt> Doubts { get; init; } = [];

    /// <summary>What the host knows of the addresses that <see cref="NeighbourRules.Wanted"/> names.</summary>
    public IReadOnlyDictionary<Ip, NeighbourEntry> Neighbours { get; init; } = new Dictionary<Ip, NeighbourEntry>();

    /// <summary>What the peers' agents answered to datagrams of two sizes; empty: they were not asked.</summary>
    public IReadOnlyList<SizeAnswer> SizeAnswers { get; init; } = [];

    /// <summary>What the agent on this host says; off: none answers.</summary>
    public Reachability Reachability { get; init; } = Reachability.Off;

    /// <summary>How far the API server's clock is ahead of this host's; null: it did not answer.</summary>
    public TimeSpan? ServerClock { get; init; }

    public DateTimeOffset Now { get; init; }

    /// <summary>Of the token and the certificates that the agent uses.</summary>
    public IReadOnlyList<Validity> Credentials { get; init; } = [];

    /// <summary>What of the host could not be read, and why.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    public ClusterNode? Self => Planner.Self(Nodes, Policy);
}

/// <summary>When a token or a certificate is accepted.</summary>
/// <param name="What">With where it is, and nothing of what it holds.</param>
internal readonly record struct Validity(string What, DateTimeOffset From, DateTimeOffset Until);
