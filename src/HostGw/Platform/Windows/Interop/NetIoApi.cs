using System.Runtime.InteropServices;

namespace HostGw.Platform.Windows.Interop;

// The structures of netioapi.h and ws2ipdef.h, field by field. Their sizes and offsets are compared with what a C compiler makes of
// those headers (tests/native/layout.c).

/// <summary>A union: sockaddr_in keeps its address at 4, sockaddr_in6 at 8.</summary>
[StructLayout(LayoutKind.Explicit, Size = 28)]
internal struct SOCKADDR_INET
{
    [FieldOffset(0)] public ushort si_family;
    [FieldOffset(4)] public uint sin_addr;
    [FieldOffset(8)] public In6Addr sin6_addr;
    [FieldOffset(24)] public uint sin6_scope_id;
}

[System.Runtime.CompilerServices.InlineArray(16)]
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

[System.Runtime.CompilerServices.InlineArray(16)]
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

[System.Runtime.CompilerServices.InlineArray(32)]
internal struct PhysicalAddress
{
    private byte _first;
}
