using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Diagnosis;

/// <summary>All that was seen of this host and its cluster. What could not be read is empty, and among <see cref="Failures"/>.</summary>
internal sealed record Examination
{
    public required Policy Policy { get; init; }

    /// <summary>Why the API server could not be asked, with the cure; null: it was.</summary>
    public string? ApiProblem { get; init; }

    public ImmutableArray<ClusterNode> Nodes { get; init; } = [];

    public HostState Host { get; init; } = new();

    public HostFacts Facts { get; init; } = new();

    /// <summary>Null where the nodes or the host are not known.</summary>
    public Plan? Plan { get; init; }

    public RouteChanges Routes { get; init; } = new();

    /// <summary>What would be done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    /// <summary>What would be done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What of others keeps pods' packets from passing, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    public IReadOnlyList<Leftover> Leftovers { get; init; } = [];

    /// <summary>Of those that <see cref="NeighbourRules.Wanted"/> names, what is known.</summary>
    public IReadOnlyDictionary<Ip, NeighbourEntry> Neighbours { get; init; } = new Dictionary<Ip, NeighbourEntry>();

    /// <summary>How far the API server's clock is ahead of ours; null: it was not heard.</summary>
    public TimeSpan? ServerClock { get; init; }

    public DateTimeOffset Now { get; init; }

    /// <summary>Of the token and the certificates that the agent uses.</summary>
    public IReadOnlyList<Validity> Credentials { get; init; } = [];

    /// <summary>What of the host could not be read, and why.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    public ClusterNode? Self => Planner.Self(Nodes, Policy);
}
