/* The types of netioapi.h: the real ones where there is a Windows SDK (mingw-w64), else the same with fixed widths. */
#ifndef TYPES_H
#define TYPES_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2ipdef.h>
#include <iphlpapi.h>
#include <netioapi.h>
#define EXPORT __declspec(dllexport)
#else
#include <stdint.h>
#define EXPORT __attribute__((visibility("default")))
#define WINAPI
#define AF_UNSPEC 0
#define AF_INET 2
#define AF_INET6 23
#define IF_TYPE_SOFTWARE_LOOPBACK 24
#define NO_ERROR 0
#define ERROR_FILE_NOT_FOUND 2
#define ERROR_NOT_ENOUGH_MEMORY 8
#define ERROR_INVALID_PARAMETER 87
#define ERROR_NOT_FOUND 1168
#define ERROR_NETWORK_UNREACHABLE 1231
#define ERROR_OBJECT_ALREADY_EXISTS 5010
typedef uint8_t UCHAR, BOOLEAN;
typedef uint16_t USHORT, WCHAR, ADDRESS_FAMILY;
typedef uint32_t ULONG, DWORD;
typedef uint64_t ULONG64;
typedef void *PVOID, *HANDLE;
typedef union { ULONG64 Value; } NET_LUID;
typedef struct { USHORT sin_family, sin_port; struct { ULONG s_addr; } sin_addr; char sin_zero[8]; } SOCKADDR_IN;
typedef struct { USHORT sin6_family, sin6_port; ULONG sin6_flowinfo; struct { UCHAR s6_addr[16]; } sin6_addr; ULONG sin6_scope_id; } SOCKADDR_IN6;
typedef union { SOCKADDR_IN Ipv4; SOCKADDR_IN6 Ipv6; ADDRESS_FAMILY si_family; } SOCKADDR_INET;
typedef struct { SOCKADDR_INET Prefix; UCHAR PrefixLength; } IP_ADDRESS_PREFIX;
typedef struct {
  NET_LUID InterfaceLuid; ULONG InterfaceIndex; IP_ADDRESS_PREFIX DestinationPrefix; SOCKADDR_INET NextHop; UCHAR SitePrefixLength;
  ULONG ValidLifetime, PreferredLifetime, Metric; int Protocol; BOOLEAN Loopback, AutoconfigureAddress, Publish, Immortal; ULONG Age; int Origin;
} MIB_IPFORWARD_ROW2;
typedef struct { ULONG NumEntries; MIB_IPFORWARD_ROW2 Table[1]; } MIB_IPFORWARD_TABLE2;
typedef struct {
  ADDRESS_FAMILY Family; NET_LUID InterfaceLuid; ULONG InterfaceIndex, MaxReassemblySize; ULONG64 InterfaceIdentifier;
  ULONG MinRouterAdvertisementInterval, MaxRouterAdvertisementInterval;
  BOOLEAN AdvertisingEnabled, ForwardingEnabled, WeakHostSend, WeakHostReceive, UseAutomaticMetric, UseNeighborUnreachabilityDetection,
    ManagedAddressConfigurationSupported, OtherStatefulConfigurationSupported, AdvertiseDefaultRoute;
  int RouterDiscoveryBehavior; ULONG DadTransmits, BaseReachableTime, RetransmitTime, PathMtuDiscoveryTimeout; int LinkLocalAddressBehavior;
  ULONG LinkLocalAddressTimeout, ZoneIndices[16], SitePrefixLength, Metric, NlMtu;
  BOOLEAN Connected, SupportsWakeUpPatterns, SupportsNeighborDiscovery, SupportsRouterDiscovery; ULONG ReachableTime;
  UCHAR TransmitOffload, ReceiveOffload; BOOLEAN DisableDefaultRoutes;
} MIB_IPINTERFACE_ROW;
typedef struct { ULONG NumEntries; MIB_IPINTERFACE_ROW Table[1]; } MIB_IPINTERFACE_TABLE;
typedef struct {
  SOCKADDR_INET Address; NET_LUID InterfaceLuid; ULONG InterfaceIndex; int PrefixOrigin, SuffixOrigin; ULONG ValidLifetime, PreferredLifetime;
  UCHAR OnLinkPrefixLength; BOOLEAN SkipAsSource; int DadState; ULONG ScopeId; int64_t CreationTimeStamp;
} MIB_UNICASTIPADDRESS_ROW;
typedef struct { ULONG NumEntries; MIB_UNICASTIPADDRESS_ROW Table[1]; } MIB_UNICASTIPADDRESS_TABLE;
typedef struct {
  SOCKADDR_INET Address; ULONG InterfaceIndex; NET_LUID InterfaceLuid; UCHAR PhysicalAddress[32]; ULONG PhysicalAddressLength; int State; UCHAR Flags;
  ULONG ReachabilityTime;
} MIB_IPNET_ROW2;
enum { MibParameterNotification, MibAddInstance, MibDeleteInstance };
typedef int MIB_NOTIFICATION_TYPE;
typedef void (*PIPFORWARD_CHANGE_CALLBACK)(PVOID, MIB_IPFORWARD_ROW2 *, MIB_NOTIFICATION_TYPE);
typedef void (*PIPINTERFACE_CHANGE_CALLBACK)(PVOID, MIB_IPINTERFACE_ROW *, MIB_NOTIFICATION_TYPE);
typedef void (*PUNICAST_IPADDRESS_CHANGE_CALLBACK)(PVOID, MIB_UNICASTIPADDRESS_ROW *, MIB_NOTIFICATION_TYPE);
enum { RouteProtocolLocal = 2, RouteProtocolNetMgmt = 3, IpDadStatePreferred = 4 };
#endif

_Static_assert(sizeof(SOCKADDR_INET) == 28, "SOCKADDR_INET");
_Static_assert(sizeof(MIB_IPFORWARD_ROW2) == 104, "MIB_IPFORWARD_ROW2");
_Static_assert(sizeof(MIB_IPINTERFACE_ROW) == 168, "MIB_IPINTERFACE_ROW");
_Static_assert(sizeof(MIB_UNICASTIPADDRESS_ROW) == 80, "MIB_UNICASTIPADDRESS_ROW");
_Static_assert(sizeof(MIB_IPNET_ROW2) == 88, "MIB_IPNET_ROW2");

#endif
