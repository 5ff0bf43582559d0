using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Windows.Interop;

/// <summary>The functions of netioapi.h, under their native names. No logic here: see <c>NetIo</c>.</summary>
/// <remarks>https://learn.microsoft.com/windows/win32/api/netioapi/</remarks>
[SupportedOSPlatform("windows")]
internal static unsafe partial class IpHlpApi
{
    public const string Library = "iphlpapi.dll";

    public const ushort AF_UNSPEC = 0;
    public const ushort AF_INET = 2;
    public const ushort AF_INET6 = 23;

    public const int MibParameterNotification = 0;

    public const int IpDadStateInvalid = 0;
    public const int IpDadStateDuplicate = 2;

    /// <summary>IF_MAX_STRING_SIZE, and the NUL behind it.</summary>
    public const int NDIS_IF_MAX_STRING_SIZE = 257;

    [LibraryImport(Library)]
    public static partial void InitializeIpForwardEntry(MIB_IPFORWARD_ROW2* row);

    [LibraryImport(Library)]
    public static partial uint GetIpForwardTable2(ushort family, MIB_IPFORWARD_TABLE2** table);

    [LibraryImport(Library)]
    public static partial uint GetIpForwardEntry2(MIB_IPFORWARD_ROW2* row);

    [LibraryImport(Library)]
    public static partial uint CreateIpForwardEntry2(MIB_IPFORWARD_ROW2* row);

    [LibraryImport(Library)]
    public static partial uint SetIpForwardEntry2(MIB_IPFORWARD_ROW2* row);

    [LibraryImport(Library)]
    public static partial uint DeleteIpForwardEntry2(MIB_IPFORWARD_ROW2* row);

    [LibraryImport(Library)]
    public static partial uint GetIpInterfaceTable(ushort family, MIB_IPINTERFACE_TABLE** table);

    [LibraryImport(Library)]
    public static partial uint GetIpInterfaceEntry(MIB_IPINTERFACE_ROW* row);

    [LibraryImport(Library)]
    public static partial uint SetIpInterfaceEntry(MIB_IPINTERFACE_ROW* row);

    [LibraryImport(Library)]
    public static partial uint GetUnicastIpAddressTable(ushort family, MIB_UNICASTIPADDRESS_TABLE** table);

    [LibraryImport(Library)]
    public static partial uint ConvertInterfaceLuidToAlias(ulong* luid, char* alias, nuint length);

    [LibraryImport(Library)]
    public static partial uint DeleteIpNetEntry2(MIB_IPNET_ROW2* row);

    [LibraryImport(Library)]
    public static partial void FreeMibTable(void* table);

    [LibraryImport(Library)]
    public static partial uint NotifyRouteChange2(
        ushort family, delegate* unmanaged<void*, MIB_IPFORWARD_ROW2*, int, void> callback, void* context, byte initial, nint* handle);

    [LibraryImport(Library)]
    public static partial uint NotifyIpInterfaceChange(
        ushort family, delegate* unmanaged<void*, MIB_IPINTERFACE_ROW*, int, void> callback, void* context, byte initial, nint* handle);

    [LibraryImport(Library)]
    public static partial uint NotifyUnicastIpAddressChange(
        ushort family, delegate* unmanaged<void*, MIB_UNICASTIPADDRESS_ROW*, int, void> callback, void* context, byte initial, nint* handle);

    [LibraryImport(Library)]
    public static partial uint CancelMibChangeNotify2(nint handle);
}
