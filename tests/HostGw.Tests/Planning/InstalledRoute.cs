using HostGw.Planning;

namespace HostGw.Tests.Planning;

internal static class InstalledRoute
{
    /// <summary>The route as the kernel reports it once it is installed.</summary>
    /// <param name="protocol">HostGw's route protocol number.</param>
    public static HostRoute InstalledBy(this PodRoute route, ushort protocol) => new()
    {
        Destination = route.Destination,
        Metric = route.Metric,
        NextHop = route.NextHop,
        Interface = route.Interface,
        IsOnLink = !route.NextHop.IsNone && route.Tunnel is null,
        Tunnel = route.Tunnel,
        NextHopCount = 1,
        IsUnicast = true,
        Protocol = protocol,
        IsOurs = true,
    };
}
