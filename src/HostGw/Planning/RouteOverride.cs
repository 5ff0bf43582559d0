using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Packets between pods, or from this host to pods, that do not take HostGw's route though it is installed.</summary>
/// <param name="Cause">What takes precedence: "policy rule 5270: from all lookup 52", or a route for certain sources.</param>
/// <param name="Traffic">Whose packets, in words.</param>
/// <param name="Instead">What they take: "table 52 (10.244.0.0/16 dev tun0)".</param>
/// <param name="Removal">The command that removes the cause.</param>
/// <param name="Affected">Destinations of desired routes.</param>
internal sealed record RouteOverride(string Cause, string Traffic, string Instead, string Removal, IReadOnlySet<Prefix> Affected)
{
    /// <summary>HostGw's own policy rule would put it right.</summary>
    public bool IsByRule { get; init; }
}

/// <summary>A packet of which the kernel is asked which route it takes.</summary>
/// <param name="Interface">On which it arrives; null: this host sends it.</param>
internal readonly record struct PacketPath(Ip Source, Ip Destination, HostInterface? Interface)
{
    public string InterfaceName => Interface?.Name ?? "lo";
}

/// <summary>What the kernel answers about a packet.</summary>
/// <param name="Destination">Of the route.</param>
/// <param name="NextHop">None for an on-link route, and for a multipath one.</param>
/// <param name="Interface">0 for a multipath route.</param>
internal readonly record struct RouteAnswer(RouteAnswerKind Kind, uint Table, Prefix Destination, Ip NextHop, int Interface)
{
    /// <summary>The kernel does not say: it would drop the packet, and not why.</summary>
    public static RouteAnswer Refused { get; } = new(RouteAnswerKind.Refused, 0, default, default, 0);

    /// <summary>The route of a table that packets take; null: none, or a throw route: the lookup goes on with the next rule.</summary>
    public static RouteAnswer? LongestMatch(IEnumerable<RouteAnswer> table, Ip destination)
    {
        RouteAnswer? longest = null;
        foreach (RouteAnswer route in table)
        {
            if (route.Destination.Contains(destination) && (longest is not { } last || last.Destination.Length < route.Destination.Length))
                longest = route;
        }
        return longest is { Kind: RouteAnswerKind.Throw } ? null : longest;
    }
}

internal enum RouteAnswerKind
{
    Route,

    /// <summary>A blackhole, unreachable or prohibit route.</summary>
    Blocked,

    /// <summary>The lookup goes on with the next rule, as if the table had no route.</summary>
    Throw,
    Refused,
}

/// <summary>Asks the kernel which routes packets take.</summary>
internal interface IRouteLookup
{
    RouteAnswer Ask(in PacketPath path);

    /// <inheritdoc cref="RouteAnswer.LongestMatch"/>
    RouteAnswer? LongestMatch(uint table, Ip destination);
}
