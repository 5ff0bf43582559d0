using HostGw.Planning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows;

/// <summary>Routes in the form of netioapi.h. Pure.</summary>
internal static class RouteRow
{
    private const uint LargestIndex = int.MaxValue;
    private const int RouteProtocolLocal = 2, RouteProtocolNetMgmt = 3, RouteProtocolNtStatic = 10006, RouteProtocolNtStaticNonDod = 10007;

    /// <summary>Writes what names a route: no two share it.</summary>
    public static void Name(ref MIB_IPFORWARD_ROW2 row, OwnedRoute route)
    {
        bool ipv6 = route.Destination.IsIPv6;
        row.InterfaceLuid = route.Luid;
        row.DestinationPrefix = new() { Prefix = InetAddress.Of(route.Destination.Address, ipv6), PrefixLength = route.Destination.Length };
        row.NextHop = InetAddress.Of(route.NextHop, ipv6);
    }

    /// <summary>Writes a route over what InitializeIpForwardEntry made of the row: it lasts until it is deleted or the host boots.</summary>
    public static void Fill(ref MIB_IPFORWARD_ROW2 row, OwnedRoute route, uint metric)
    {
        Name(ref row, route);
        row.Metric = metric;
        row.Protocol = RouteProtocolNetMgmt;
    }

    /// <summary>Default for a row of another family, or one that nobody could name.</summary>
    public static OwnedRoute ReadName(in MIB_IPFORWARD_ROW2 row)
    {
        Ip address = InetAddress.Read(row.DestinationPrefix.Prefix);
        return address.IsNone || row.DestinationPrefix.PrefixLength > address.Bits
            ? default
            : new(new(address, row.DestinationPrefix.PrefixLength), InetAddress.ReadNextHop(row.NextHop), row.InterfaceLuid);
    }

    /// <param name="isOurs">Whether the record of our routes holds this one.</param>
    public static bool TryRead(in MIB_IPFORWARD_ROW2 row, Func<OwnedRoute, bool> isOurs, out HostRoute route)
    {
        OwnedRoute name = ReadName(row);
        if (name.Destination.IsNone || row.InterfaceIndex > LargestIndex)
        {
            route = default;
            return false;
        }
        bool ours = isOurs(name);
        route = new()
        {
            Destination = name.Destination,
            Metric = row.Metric,
            NextHop = name.NextHop,
            Interface = (int)row.InterfaceIndex,
            // A next hop is always looked for on the route's own interface.
            IsOnLink = !name.NextHop.IsNone,
            NextHopCount = 1,
            IsUnicast = true,
            Protocol = (ushort)(RouteProtocols.Windows + row.Protocol),
            IsConnected = row.Protocol == RouteProtocolLocal,
            MayReturn = !ours && row.Protocol is RouteProtocolNetMgmt or RouteProtocolNtStatic or RouteProtocolNtStaticNonDod,
            IsOurs = ours,
        };
        return true;
    }
}
