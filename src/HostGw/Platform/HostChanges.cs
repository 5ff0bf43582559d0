using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>Everything one pass changes.</summary>
internal sealed record HostChanges
{
    public required RouteChanges Routes { get; init; }

    public bool EnableForwardingIPv4 { get; init; }

    public bool EnableForwardingIPv6 { get; init; }

    /// <summary>Next hops whose MAC address may have changed hands.</summary>
    public IReadOnlyList<Neighbour> ForgetNeighbours { get; init; } = [];

    /// <summary>How many peers this host must be able to resolve.</summary>
    public int Peers { get; init; }

    public bool IsEmpty =>
        Routes.IsEmpty && !EnableForwardingIPv4 && !EnableForwardingIPv6 && ForgetNeighbours.Count == 0;
}

/// <summary>A change that the host refused, and why.</summary>
/// <param name="Route">The route concerned, or null.</param>
internal sealed record HostFailure(string What, RouteKey? Route, HostNetworkException Error);
