/* What .NET itself asks iphlpapi.dll for the resolvers; on Linux it asks nobody. */
#include "tables.h"

#ifdef _WIN32
#include "turned.h"

static SOCKADDR_IN resolver_address, own_address;
static IP_ADAPTER_UNICAST_ADDRESS own;
static IP_ADAPTER_DNS_SERVER_ADDRESS resolver;
static IP_ADAPTER_ADDRESSES adapter;

EXPORT ULONG WINAPI GetAdaptersAddresses(ULONG family, ULONG flags, PVOID reserved, PIP_ADAPTER_ADDRESSES into, PULONG size) {
  (void)family, (void)flags, (void)reserved;
  if (!into || *size < sizeof adapter) {
    *size = sizeof adapter;
    return ERROR_BUFFER_OVERFLOW;
  }
  resolver_address.sin_family = AF_INET;
  resolver_address.sin_addr.s_addr = htonl(0x0A0000FD); /* 10.0.0.253 */
  resolver.Address.lpSockaddr = (struct sockaddr *)&resolver_address;
  resolver.Address.iSockaddrLength = sizeof resolver_address;
  own_address.sin_family = AF_INET;
  own_address.sin_addr.s_addr = htonl(0x0A000004); /* 10.0.0.4 */
  own.Length = sizeof own;
  own.Address.lpSockaddr = (struct sockaddr *)&own_address;
  own.Address.iSockaddrLength = sizeof own_address;
  own.OnLinkPrefixLength = turned("rows") ? 16 : 24;
  adapter.FirstUnicastAddress = &own;
  adapter.Flags = IP_ADAPTER_IPV4_ENABLED;
  adapter.Mtu = 1500;
  adapter.Length = sizeof adapter;
  adapter.IfIndex = 7;
  adapter.AdapterName = "{8A6C3F40-0000-0000-0000-000000000007}";
  adapter.FriendlyName = adapter.Description = adapter.DnsSuffix = L"vEthernet (Ethernet)";
  adapter.IfType = 6;
  adapter.OperStatus = IfOperStatusUp;
  adapter.FirstDnsServerAddress = &resolver;
  memcpy(into, &adapter, sizeof adapter);
  return NO_ERROR;
}

EXPORT DWORD WINAPI GetNetworkParams(PFIXED_INFO into, PULONG size) {
  if (!into || *size < sizeof *into) {
    *size = sizeof *into;
    return ERROR_BUFFER_OVERFLOW;
  }
  memset(into, 0, sizeof *into);
  return NO_ERROR;
}

EXPORT DWORD WINAPI GetPerAdapterInfo(ULONG index, PIP_PER_ADAPTER_INFO into, PULONG size) {
  (void)index;
  if (!into || *size < sizeof *into) {
    *size = sizeof *into;
    return ERROR_BUFFER_OVERFLOW;
  }
  memset(into, 0, sizeof *into);
  return NO_ERROR;
}
#else
typedef int nothing_here;
#endif
