using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Interop;
using static HostGw.Platform.Windows.Interop.IpHlpApi;

namespace HostGw.Platform.Windows;

/// <summary>Calls the IP Helper API: tables as spans of rows, errors as exceptions.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class NetIo
{
    // A table is its count, padded to the alignment of its rows, and the rows.
    private const int RowsAt = 8;

    public delegate void RowReader<T>(ReadOnlySpan<T> rows);

    /// <exception cref="WindowsException">Windows answered with an error.</exception>
    public static void ReadRoutes(RowReader<MIB_IPFORWARD_ROW2> read)
    {
        MIB_IPFORWARD_TABLE2* table = null;
        if (Check("list routes", GetIpForwardTable2(AF_UNSPEC, &table)))
            Read(table, table->NumEntries, read);
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void ReadInterfaces(RowReader<MIB_IPINTERFACE_ROW> read)
    {
        MIB_IPINTERFACE_TABLE* table = null;
        if (Check("list interfaces", GetIpInterfaceTable(AF_UNSPEC, &table)))
            Read(table, table->NumEntries, read);
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void ReadAddresses(RowReader<MIB_UNICASTIPADDRESS_ROW> read)
    {
        MIB_UNICASTIPADDRESS_TABLE* table = null;
        if (Check("list addresses", GetUnicastIpAddressTable(AF_UNSPEC, &table)))
            Read(table, table->NumEntries, read);
    }

    /// <summary>The name of an interface; empty if it is gone.</summary>
    public static string Alias(ulong luid)
    {
        char* alias = stackalloc char[NDIS_IF_MAX_STRING_SIZE];
        // Without a name it is there all the same, with its routes and addresses.
        return ConvertInterfaceLuidToAlias(&luid, alias, NDIS_IF_MAX_STRING_SIZE) switch
        {
            0 => new(alias),
            Win32Error.ERROR_FILE_NOT_FOUND or Win32Error.ERROR_NOT_FOUND or Win32Error.ERROR_INVALID_PARAMETER => "",
            var code => $"LUID {luid:x16} (name unreadable, error {code})",
        };
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void CreateRoute(OwnedRoute route, uint metric)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.Write(ref row, route, metric);
        Require($"add route {route.Destination}", CreateIpForwardEntry2(&row));
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void SetMetric(OwnedRoute route, uint metric)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.WriteKey(ref row, route);
        Require($"find route {route.Destination}", GetIpForwardEntry2(&row));
        row.Metric = metric;
        Require($"change route {route.Destination}", SetIpForwardEntry2(&row));
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void DeleteRoute(OwnedRoute route)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.WriteKey(ref row, route);
        Require($"delete route {route.Destination}", DeleteIpForwardEntry2(&row));
    }

    /// <summary>The route that packets to an address take; refused: Windows has none, or does not say.</summary>
    public static RouteAnswer BestRoute(Ip destination)
    {
        SOCKADDR_INET to = InetAddress.Of(destination, destination.IsIPv6), source;
        MIB_IPFORWARD_ROW2 row;
        // Without a source: with one only routes over the interface that holds it are looked at, and pods' packets are forwarded.
        // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-setipinterfaceentry
        uint code = GetBestRoute2(null, 0, null, &to, 0, &row, &source);
        return code == 0 && RouteRow.ReadKey(row) is { Destination.IsNone: false } key
            ? new(RouteAnswerKind.Route, RoutingTables.Main, key.Destination, key.NextHop, (int)row.InterfaceIndex)
            : RouteAnswer.Refused;
    }

    /// <returns>False: the interface does not have that family. One that is gone by now is left to the pass that its end wakes.</returns>
    /// <inheritdoc cref="ReadRoutes"/>
    public static bool EnableForwarding(ulong luid, bool ipv6)
    {
        MIB_IPINTERFACE_ROW row = new() { Family = ipv6 ? AF_INET6 : AF_INET, InterfaceLuid = luid };
        // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getipinterfaceentry tells the two errors apart.
        uint code = GetIpInterfaceEntry(&row);
        if (!Check("read the interface's forwarding", code))
            return code != Win32Error.ERROR_NOT_FOUND;
        if (row.ForwardingEnabled != 0)
            return true;
        row.ForwardingEnabled = 1;
        // For IPv4 the value that was read is rejected:
        // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-setipinterfaceentry
        if (!ipv6)
            row.SitePrefixLength = 0;
        code = SetIpInterfaceEntry(&row);
        return Check("turn the interface's forwarding on", code) || code != Win32Error.ERROR_NOT_FOUND;
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void ForgetNeighbour(Ip address, ulong luid)
    {
        MIB_IPNET_ROW2 row = new() { Address = InetAddress.Of(address, address.IsIPv6), InterfaceLuid = luid };
        Require($"forget neighbour {address}", DeleteIpNetEntry2(&row));
    }

    private static void Read<T>(void* table, uint count, RowReader<T> read) where T : unmanaged
    {
        try
        {
            read(new((byte*)table + RowsAt, checked((int)count)));
        }
        finally
        {
            FreeMibTable(table);
        }
    }

    // "Not found" is the answer of an empty table, and where an interface is gone or does not have the family.
    private static bool Check(string what, uint code) => code switch
    {
        0 => true,
        Win32Error.ERROR_NOT_FOUND or Win32Error.ERROR_FILE_NOT_FOUND => false,
        _ => throw new WindowsException(what, code),
    };

    private static void Require(string what, uint code)
    {
        if (code != 0)
            throw new WindowsException(what, code);
    }
}

/// <summary>Converts routes from and to MIB_IPFORWARD_ROW2. Pure.</summary>
internal static class RouteRow
{
    private const uint LargestIndex = int.MaxValue;

    // NL_ROUTE_PROTOCOL, nldef.h
    private const int RouteProtocolLocal = 2, RouteProtocolNetMgmt = 3, RouteProtocolNtStatic = 10006, RouteProtocolNtStaticNonDod = 10007;

    /// <summary>Writes the key of a route.</summary>
    public static void WriteKey(ref MIB_IPFORWARD_ROW2 row, OwnedRoute route)
    {
        bool ipv6 = route.Destination.IsIPv6;
        row.InterfaceLuid = route.Luid;
        row.DestinationPrefix = new() { Prefix = InetAddress.Of(route.Destination.Address, ipv6), PrefixLength = route.Destination.Length };
        row.NextHop = InetAddress.Of(route.NextHop, ipv6);
    }

    /// <summary>Writes a route that lasts until it is deleted or the host boots, over what InitializeIpForwardEntry wrote.</summary>
    public static void Write(ref MIB_IPFORWARD_ROW2 row, OwnedRoute route, uint metric)
    {
        WriteKey(ref row, route);
        row.Metric = metric;
        row.Protocol = RouteProtocolNetMgmt;
    }

    /// <summary>Default for a row of another family or with an invalid prefix length.</summary>
    public static OwnedRoute ReadKey(in MIB_IPFORWARD_ROW2 row)
    {
        Ip address = InetAddress.Read(row.DestinationPrefix.Prefix);
        return address.IsNone || row.DestinationPrefix.PrefixLength > address.Bits
            ? default
            : new(new(address, row.DestinationPrefix.PrefixLength), InetAddress.ReadNextHop(row.NextHop), row.InterfaceLuid);
    }

    /// <param name="isOurs">Whether the list of our routes holds this one.</param>
    public static bool TryRead(in MIB_IPFORWARD_ROW2 row, Func<OwnedRoute, bool> isOurs, out HostRoute route)
    {
        OwnedRoute key = ReadKey(row);
        if (key.Destination.IsNone || row.InterfaceIndex > LargestIndex)
        {
            route = default;
            return false;
        }
        bool ours = isOurs(key);
        route = new()
        {
            Destination = key.Destination,
            Metric = row.Metric,
            NextHop = key.NextHop,
            Interface = (int)row.InterfaceIndex,
            // Windows always resolves a next hop on the route's own interface.
            IsOnLink = !key.NextHop.IsNone,
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

/// <summary>Converts addresses from and to SOCKADDR_INET. Pure.</summary>
internal static class InetAddress
{
    private const ushort AF_INET = 2, AF_INET6 = 23;

    /// <summary>No address becomes the family's unspecified one, which stands for on-link.</summary>
    public static SOCKADDR_INET Of(Ip address, bool ipv6)
    {
        SOCKADDR_INET result = new() { si_family = ipv6 ? AF_INET6 : AF_INET };
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsNone)
            return result;
        address.WriteBytes(bytes);
        if (ipv6)
            bytes.CopyTo(result.sin6_addr);
        else
            result.sin_addr = BitConverter.ToUInt32(bytes);
        return result;
    }

    /// <summary>None for a family other than IPv4 and IPv6.</summary>
    public static Ip Read(in SOCKADDR_INET address) => address.si_family switch
    {
        AF_INET => Ip.FromBytes(BitConverter.GetBytes(address.sin_addr)),
        AF_INET6 => Ip.FromBytes(address.sin6_addr),
        _ => default,
    };

    /// <summary>None also for the unspecified address.</summary>
    public static Ip ReadNextHop(in SOCKADDR_INET address) =>
        Read(address) is { Value: var value } ip && value != 0 ? ip : default;
}
