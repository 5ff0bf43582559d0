/* Prints what a C compiler makes of the structures of netioapi.h, a line for each; see the tests of their layout. */
#include <winsock2.h>
#include <ws2ipdef.h>
#include <iphlpapi.h>
#include <netioapi.h>

#include <stddef.h>
#include <stdio.h>

#define SIZE(type) printf("%s %u\n", #type, (unsigned)sizeof(type))
#define AT(type, field) printf("%s.%s %u\n", #type, #field, (unsigned)offsetof(type, field))
#define NAMED(type, field, name) printf("%s.%s %u\n", #type, name, (unsigned)offsetof(type, field))

int main(void) {
  SIZE(SOCKADDR_INET);
  AT(SOCKADDR_INET, si_family);
  NAMED(SOCKADDR_INET, Ipv4.sin_addr, "sin_addr");
  NAMED(SOCKADDR_INET, Ipv6.sin6_addr, "sin6_addr");
  NAMED(SOCKADDR_INET, Ipv6.sin6_scope_id, "sin6_scope_id");
  SIZE(IP_ADDRESS_PREFIX);
  AT(IP_ADDRESS_PREFIX, Prefix);
  AT(IP_ADDRESS_PREFIX, PrefixLength);

  SIZE(MIB_IPFORWARD_ROW2);
  AT(MIB_IPFORWARD_ROW2, InterfaceLuid);
  AT(MIB_IPFORWARD_ROW2, InterfaceIndex);
  AT(MIB_IPFORWARD_ROW2, DestinationPrefix);
  AT(MIB_IPFORWARD_ROW2, NextHop);
  AT(MIB_IPFORWARD_ROW2, SitePrefixLength);
  AT(MIB_IPFORWARD_ROW2, ValidLifetime);
  AT(MIB_IPFORWARD_ROW2, PreferredLifetime);
  AT(MIB_IPFORWARD_ROW2, Metric);
  AT(MIB_IPFORWARD_ROW2, Protocol);
  AT(MIB_IPFORWARD_ROW2, Loopback);
  AT(MIB_IPFORWARD_ROW2, AutoconfigureAddress);
  AT(MIB_IPFORWARD_ROW2, Publish);
  AT(MIB_IPFORWARD_ROW2, Immortal);
  AT(MIB_IPFORWARD_ROW2, Age);
  AT(MIB_IPFORWARD_ROW2, Origin);
  AT(MIB_IPFORWARD_TABLE2, NumEntries);
  AT(MIB_IPFORWARD_TABLE2, Table);

  SIZE(MIB_IPINTERFACE_ROW);
  AT(MIB_IPINTERFACE_ROW, Family);
  AT(MIB_IPINTERFACE_ROW, InterfaceLuid);
  AT(MIB_IPINTERFACE_ROW, InterfaceIndex);
  AT(MIB_IPINTERFACE_ROW, MaxReassemblySize);
  AT(MIB_IPINTERFACE_ROW, InterfaceIdentifier);
  AT(MIB_IPINTERFACE_ROW, MinRouterAdvertisementInterval);
  AT(MIB_IPINTERFACE_ROW, MaxRouterAdvertisementInterval);
  AT(MIB_IPINTERFACE_ROW, AdvertisingEnabled);
  AT(MIB_IPINTERFACE_ROW, ForwardingEnabled);
  AT(MIB_IPINTERFACE_ROW, WeakHostSend);
  AT(MIB_IPINTERFACE_ROW, WeakHostReceive);
  AT(MIB_IPINTERFACE_ROW, UseAutomaticMetric);
  AT(MIB_IPINTERFACE_ROW, UseNeighborUnreachabilityDetection);
  AT(MIB_IPINTERFACE_ROW, ManagedAddressConfigurationSupported);
  AT(MIB_IPINTERFACE_ROW, OtherStatefulConfigurationSupported);
  AT(MIB_IPINTERFACE_ROW, AdvertiseDefaultRoute);
  AT(MIB_IPINTERFACE_ROW, RouterDiscoveryBehavior);
  AT(MIB_IPINTERFACE_ROW, DadTransmits);
  AT(MIB_IPINTERFACE_ROW, BaseReachableTime);
  AT(MIB_IPINTERFACE_ROW, RetransmitTime);
  AT(MIB_IPINTERFACE_ROW, PathMtuDiscoveryTimeout);
  AT(MIB_IPINTERFACE_ROW, LinkLocalAddressBehavior);
  AT(MIB_IPINTERFACE_ROW, LinkLocalAddressTimeout);
  AT(MIB_IPINTERFACE_ROW, ZoneIndices);
  AT(MIB_IPINTERFACE_ROW, SitePrefixLength);
  AT(MIB_IPINTERFACE_ROW, Metric);
  AT(MIB_IPINTERFACE_ROW, NlMtu);
  AT(MIB_IPINTERFACE_ROW, Connected);
  AT(MIB_IPINTERFACE_ROW, SupportsWakeUpPatterns);
  AT(MIB_IPINTERFACE_ROW, SupportsNeighborDiscovery);
  AT(MIB_IPINTERFACE_ROW, SupportsRouterDiscovery);
  AT(MIB_IPINTERFACE_ROW, ReachableTime);
  AT(MIB_IPINTERFACE_ROW, TransmitOffload);
  AT(MIB_IPINTERFACE_ROW, ReceiveOffload);
  AT(MIB_IPINTERFACE_ROW, DisableDefaultRoutes);
  AT(MIB_IPINTERFACE_TABLE, NumEntries);
  AT(MIB_IPINTERFACE_TABLE, Table);

  SIZE(MIB_UNICASTIPADDRESS_ROW);
  AT(MIB_UNICASTIPADDRESS_ROW, Address);
  AT(MIB_UNICASTIPADDRESS_ROW, InterfaceLuid);
  AT(MIB_UNICASTIPADDRESS_ROW, InterfaceIndex);
  AT(MIB_UNICASTIPADDRESS_ROW, PrefixOrigin);
  AT(MIB_UNICASTIPADDRESS_ROW, SuffixOrigin);
  AT(MIB_UNICASTIPADDRESS_ROW, ValidLifetime);
  AT(MIB_UNICASTIPADDRESS_ROW, PreferredLifetime);
  AT(MIB_UNICASTIPADDRESS_ROW, OnLinkPrefixLength);
  AT(MIB_UNICASTIPADDRESS_ROW, SkipAsSource);
  AT(MIB_UNICASTIPADDRESS_ROW, DadState);
  AT(MIB_UNICASTIPADDRESS_ROW, ScopeId);
  AT(MIB_UNICASTIPADDRESS_ROW, CreationTimeStamp);
  AT(MIB_UNICASTIPADDRESS_TABLE, NumEntries);
  AT(MIB_UNICASTIPADDRESS_TABLE, Table);

  SIZE(MIB_IPNET_ROW2);
  AT(MIB_IPNET_ROW2, Address);
  AT(MIB_IPNET_ROW2, InterfaceIndex);
  AT(MIB_IPNET_ROW2, InterfaceLuid);
  AT(MIB_IPNET_ROW2, PhysicalAddress);
  AT(MIB_IPNET_ROW2, PhysicalAddressLength);
  AT(MIB_IPNET_ROW2, State);
  NAMED(MIB_IPNET_ROW2, Flags, "Flags");
  AT(MIB_IPNET_ROW2, ReachabilityTime);
  return 0;
}
