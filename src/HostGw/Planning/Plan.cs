using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What this host should have, and what became of every node.</summary>
internal sealed record Plan
{
    public PlanScope Scope { get; init; }

    /// <summary>Whether the nodes hold this one.</summary>
    public bool KnowsSelf { get; init; }

    /// <summary>What is wrong with our own node, with the cure; empty when it is in order.</summary>
    public ImmutableArray<string> Faults { get; init; } = [];

    /// <summary>Sorted by key; no two share one.</summary>
    public ImmutableArray<PodRoute> Routes { get; init; } = [];

    /// <summary>Destinations whose routes stay as they stand, sorted: this host lacks what is needed to judge them.</summary>
    public ImmutableArray<Prefix> Waiting { get; init; } = [];

    public ImmutableArray<ClusterRoute> ClusterRoutes { get; init; } = [];

    /// <summary>On Windows: the way to the API server past the pod networks; null: it needs none.</summary>
    public ApiServerRoute? ApiServerRoute { get; init; }

    /// <summary>Null: no masquerade rule.</summary>
    public NatPlan? Nat { get; init; }

    /// <summary>Whose packets are let through where this host drops what it forwards.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; init; } = [];

    /// <summary>Null: no CNI configuration of ours.</summary>
    public CniPlan? Cni { get; init; }

    public bool ForwardIPv4 { get; init; }

    public bool ForwardIPv6 { get; init; }

    public InterfaceChoice InterfaceIPv4 { get; init; }

    public InterfaceChoice InterfaceIPv6 { get; init; }

    /// <summary>This node's podCIDRs.</summary>
    public ImmutableArray<Prefix> OwnPodCidrs { get; init; } = [];

    /// <summary>One per podCIDR, in the order of the nodes' names.</summary>
    public ImmutableArray<Verdict> Verdicts { get; init; } = [];

    /// <summary>Whether a route to exactly this destination should stand.</summary>
    public bool Wants(Prefix destination) => !RoutesTo(destination).IsEmpty;

    /// <summary>The routes to exactly this destination.</summary>
    public ReadOnlySpan<PodRoute> RoutesTo(Prefix destination)
    {
        ReadOnlySpan<PodRoute> routes = Routes.AsSpan();
        // Never equal: the search ends where the first of them is.
        int first = ~routes.BinarySearch(new Before(destination)), next = first;
        while (next < routes.Length && routes[next].Destination == destination)
            next++;
        return routes[first..next];
    }

    public bool TryGetRoute(RouteKey key, out PodRoute route)
    {
        foreach (PodRoute candidate in RoutesTo(key.Destination))
        {
            route = candidate;
            if (candidate.Metric == key.Metric)
                return true;
        }
        route = default;
        return false;
    }

    private readonly record struct Before(Prefix Destination) : IComparable<PodRoute>
    {
        public int CompareTo(PodRoute other) => Destination.CompareTo(other.Destination) is var order and not 0 ? order : -1;
    }
}

/// <summary>How much of a plan may be carried out.</summary>
internal enum PlanScope
{
    Everything,

    /// <summary>Add and correct routes; remove none, and leave NAT and forwarding as they are.</summary>
    AddRoutes,

    /// <summary>Change nothing at all.</summary>
    Nothing,
}
