using System.Runtime.CompilerServices;
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
    public const int MibAddInstance = 1;

    public const int IpDadStateInvalid = 0;
    public const int IpDadStateDuplicate = 2;

    /// <summary>IF_MAX_STRING_SIZE and the final NUL.</summary>
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
    public static partial uint GetBestRoute2(
        ulong* luid, uint index, SOCKADDR_INET* source, SOCKADDR_INET* destination, uint sortOptions, MIB_IPFORWARD_ROW2* route,
        SOCKADDR_INET* bestSource);

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
        ushort family, delegate* unmanaged<void*, MIB_UNICASTIPADDRESS_ROW*, int, void> callback, void* context, byte initial,
        nint* handle);

    [LibraryImport(Library)]
    public static partial uint CancelMibChangeNotify2(nint handle);
}

// The structures of netioapi.h and ws2ipdef.h. A test compares their sizes and offsets with those of a C compiler (tests/native/layout.c).

/// <summary>A union: sockaddr_in keeps its address at 4, sockaddr_in6 at 8.</summary>
[StructLayout(LayoutKind.Explicit, Size = 28)]
internal struct SOCKADDR_INET
{
    [FieldOffset(0)] public ushort si_family;
    [FieldOffset(4)] public uint sin_addr;
    [FieldOffset(8)] public In6Addr sin6_addr;
    [FieldOffset(24)] public uint sin6_scope_id;
}

[InlineArray(16)]
internal struct In6Addr
{
    private byte _first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct IP_ADDRESS_PREFIX
{
    public SOCKADDR_INET Prefix;
    public byte PrefixLength;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_IPFORWARD_ROW2
{
    public ulong InterfaceLuid;
    public uint InterfaceIndex;
    public IP_ADDRESS_PREFIX DestinationPrefix;
    public SOCKADDR_INET NextHop;
    public byte SitePrefixLength;
    public uint ValidLifetime;
    public uint PreferredLifetime;
    public uint Metric;
    public int Protocol;
    public byte Loopback;
    public byte AutoconfigureAddress;
    public byte Publish;
    public byte Immortal;
    public uint Age;
    public int Origin;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_IPFORWARD_TABLE2
{
    public uint NumEntries;
    public MIB_IPFORWARD_ROW2 Table; // ANY_SIZE
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_IPINTERFACE_ROW
{
    public ushort Family;
    public ulong InterfaceLuid;
    public uint InterfaceIndex;
    public uint MaxReassemblySize;
    public ulong InterfaceIdentifier;
    public uint MinRouterAdvertisementInterval;
    public uint MaxRouterAdvertisementInterval;
    public byte AdvertisingEnabled;
    public byte ForwardingEnabled;
    public byte WeakHostSend;
    public byte WeakHostReceive;
    public byte UseAutomaticMetric;
    public byte UseNeighborUnreachabilityDetection;
    public byte ManagedAddressConfigurationSupported;
    public byte OtherStatefulConfigurationSupported;
    public byte AdvertiseDefaultRoute;
    public int RouterDiscoveryBehavior;
    public uint DadTransmits;
    public uint BaseReachableTime;
    public uint RetransmitTime;
    public uint PathMtuDiscoveryTimeout;
    public int LinkLocalAddressBehavior;
    public uint LinkLocalAddressTimeout;
    public ScopeLevels ZoneIndices;
    public uint SitePrefixLength;
    public uint Metric;
    public uint NlMtu;
    public byte Connected;
    public byte SupportsWakeUpPatterns;
    public byte SupportsNeighborDiscovery;
    public byte SupportsRouterDiscovery;
    public uint ReachableTime;
    public byte TransmitOffload;
    public byte ReceiveOffload;
    public byte DisableDefaultRoutes;
}

[InlineArray(16)]
internal struct ScopeLevels
{
    private uint _first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_IPINTERFACE_TABLE
{
    public uint NumEntries;
    public MIB_IPINTERFACE_ROW Table; // ANY_SIZE
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_UNICASTIPADDRESS_ROW
{
    public SOCKADDR_INET Address;
    public ulong InterfaceLuid;
    public uint InterfaceIndex;
    public int PrefixOrigin;
    public int SuffixOrigin;
    public uint ValidLifetime;
    public uint PreferredLifetime;
    public byte OnLinkPrefixLength;
    public byte SkipAsSource;
    public int DadState;
    public uint ScopeId;
    public long CreationTimeStamp;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_UNICASTIPADDRESS_TABLE
{
    public uint NumEntries;
    public MIB_UNICASTIPADDRESS_ROW Table; // ANY_SIZE
}

[StructLayout(LayoutKind.Sequential)]
internal struct MIB_IPNET_ROW2
{
    public SOCKADDR_INET Address;
    public uint InterfaceIndex;
    public ulong InterfaceLuid;
    public PhysicalAddress PhysicalAddress;
    public uint PhysicalAddressLength;
    public int State;
    public byte Flags;
    public uint ReachabilityTime;
}

[InlineArray(32)]
internal struct PhysicalAddress
{
    private byte _first;
}
