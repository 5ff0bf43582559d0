using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Interop;
using static HostGw.Platform.Windows.Interop.IpHlpApi;

namespace HostGw.Platform.Windows;

/// <summary>Asks the IP Helper API, and turns its answers into exceptions and spans.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class NetIo
{
    // Both structures that begin a table end where an eight-byte row may begin.
    private const int RowsAt = 8;

    public delegate void RowReader<T>(ReadOnlySpan<T> rows);

    /// <exception cref="WindowsException">Windows refused.</exception>
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

    /// <summary>The name that a person gave the interface; empty where it is gone.</summary>
    public static string Alias(ulong luid)
    {
        char* alias = stackalloc char[NDIS_IF_MAX_STRING_SIZE];
        return ConvertInterfaceLuidToAlias(&luid, alias, NDIS_IF_MAX_STRING_SIZE) == 0 ? new(alias) : "";
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void CreateRoute(OwnedRoute route, uint metric)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.Fill(ref row, route, metric);
        Require($"add route {route.Destination}", CreateIpForwardEntry2(&row));
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void SetMetric(OwnedRoute route, uint metric)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.Name(ref row, route);
        Require($"find route {route.Destination}", GetIpForwardEntry2(&row));
        row.Metric = metric;
        Require($"change route {route.Destination}", SetIpForwardEntry2(&row));
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void DeleteRoute(OwnedRoute route)
    {
        MIB_IPFORWARD_ROW2 row;
        InitializeIpForwardEntry(&row);
        RouteRow.Name(ref row, route);
        Require($"delete route {route.Destination}", DeleteIpForwardEntry2(&row));
    }

    /// <inheritdoc cref="ReadRoutes"/>
    public static void EnableForwarding(ulong luid, bool ipv6)
    {
        MIB_IPINTERFACE_ROW row = new() { Family = ipv6 ? AF_INET6 : AF_INET, InterfaceLuid = luid };
        Require("read the interface's forwarding", GetIpInterfaceEntry(&row));
        if (row.ForwardingEnabled != 0)
            return;
        row.ForwardingEnabled = 1;
        // What was read is refused for IPv4: https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-setipinterfaceentry
        if (!ipv6)
            row.SitePrefixLength = 0;
        Require("turn the interface's forwarding on", SetIpInterfaceEntry(&row));
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

    // A host without any row answers "not found".
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
