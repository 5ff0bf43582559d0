using HostGw.Planning;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>Which announcement of a route is waited for.</summary>
internal static class RouteNews
{
    private static readonly RouteDecoder Decoder = new(Site.Protocol);

    /// <summary>A route of the agent's was set, to a destination that had none before.</summary>
    public static NewsFilter SetFirst()
    {
        HashSet<Prefix> known = [];
        return (type, payload) => type == RTM_NEWROUTE && Decoder.TryDecode(payload, AF_INET, out HostRoute route) && route.IsOurs && known.Add(route.Destination);
    }

    /// <summary>This route was set, by the agent.</summary>
    public static NewsFilter Set(Prefix destination, Ip nextHop) => (type, payload) =>
        type == RTM_NEWROUTE && Decoder.TryDecode(payload, AF_INET, out HostRoute route) && route.IsOurs && route.Destination == destination && route.NextHop == nextHop;

    public static NewsFilter Removed(Prefix destination) => (type, payload) =>
        type == RTM_DELROUTE && Decoder.TryDecode(payload, AF_INET, out HostRoute route) && route.Destination == destination;
}
