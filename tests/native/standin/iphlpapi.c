/* The functions of iphlpapi.dll that hostgw calls, on the tables of this library. */
#include "tables.h"
#include "turned.h"

#include <stdlib.h>
#include <string.h>

static void *new_table(size_t row, int rows) {
  char *table = malloc(8 + row * (rows + 1));
  memset(table, 0xEE, 8);
  *(ULONG *)table = rows;
  tables_out++;
  return table;
}

EXPORT void WINAPI FreeMibTable(PVOID table) {
  lock(&tables);
  tables_out--;
  unlock(&tables);
  free(table);
}

EXPORT void WINAPI InitializeIpForwardEntry(MIB_IPFORWARD_ROW2 *row) { initialize_route(row); }

EXPORT DWORD WINAPI GetIpForwardTable2(ADDRESS_FAMILY family, MIB_IPFORWARD_TABLE2 **table) {
  (void)family;
  lock(&tables);
  DWORD code = arranged("GetIpForwardTable2", 0);
  /* Not those of a disconnected interface. */
  int rows = 0;
  if (!code)
    *table = new_table(sizeof *routes, route_count);
  for (int i = 0; !code && i < route_count; i++)
    if (find_link(routes[i].InterfaceLuid.Value, 0)->connected)
      (&(*table)->Table[0])[rows++] = routes[i];
  if (!code)
    (*table)->NumEntries = rows;
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI GetIpForwardEntry2(MIB_IPFORWARD_ROW2 *row) {
  lock(&tables);
  DWORD code = arranged("GetIpForwardEntry2", 0);
  MIB_IPFORWARD_ROW2 *found = find_route(row);
  if (!code && !found)
    code = ERROR_NOT_FOUND;
  if (!code)
    *row = *found;
  unlock(&tables);
  return code;
}

/* Whether an address of the interface has a prefix that holds this one. */
static int is_in_prefix(const link_t *link, const SOCKADDR_INET *hop) {
  for (int i = 0; link && i < address_count; i++) {
    const UCHAR *a = (const UCHAR *)&addresses[i].Address.Ipv4.sin_addr, *b = (const UCHAR *)&hop->Ipv4.sin_addr;
    int bits = addresses[i].OnLinkPrefixLength, whole = bits / 8, same = 1;
    if (addresses[i].InterfaceLuid.Value != link->luid || hop->si_family != AF_INET || addresses[i].Address.si_family != AF_INET)
      continue;
    for (int j = 0; j < whole; j++)
      same &= a[j] == b[j];
    if (same && (bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0))
      return 1;
  }
  return 0;
}

/* What Windows might refuse, and is not known to. */
static DWORD turned_answer(const MIB_IPFORWARD_ROW2 *row) {
  int is_ipv4 = row->NextHop.si_family == AF_INET;
  if (turned("next-hop") && is_ipv4 && row->NextHop.Ipv4.sin_addr.s_addr &&
      !is_in_prefix(find_link(row->InterfaceLuid.Value, row->InterfaceIndex), &row->NextHop))
    return ERROR_INVALID_PARAMETER;
  return turned("routes") && !is_ipv4 ? ERROR_INVALID_PARAMETER : NO_ERROR;
}

EXPORT DWORD WINAPI CreateIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row) {
  int length = row->DestinationPrefix.PrefixLength, family = row->DestinationPrefix.Prefix.si_family;
  lock(&tables);
  DWORD code = arranged("CreateIpForwardEntry2", 1);
  /* Who did not initialise the row made a route that ends at once. */
  if (!code && (length > (family == AF_INET ? 32 : 128) || row->NextHop.si_family != family || row->ValidLifetime == 0 || row->Protocol != RouteProtocolNetMgmt))
    code = ERROR_INVALID_PARAMETER;
  if (!code && !find_link(row->InterfaceLuid.Value, row->InterfaceIndex))
    code = ERROR_FILE_NOT_FOUND;
  if (!code && lacks(find_link(row->InterfaceLuid.Value, row->InterfaceIndex), family))
    code = ERROR_NOT_FOUND;
  if (!code && find_route(row))
    code = turned("errors") ? ERROR_INVALID_PARAMETER : ERROR_OBJECT_ALREADY_EXISTS;
  if (!code)
    code = turned_answer(row);
  MIB_IPFORWARD_ROW2 *added = code ? 0 : add_route(row);
  if (!code && !added)
    code = ERROR_NOT_ENOUGH_MEMORY;
  if (added) {
    announce_route(added, MibAddInstance);
    changed();
  }
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI SetIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row) {
  lock(&tables);
  DWORD code = arranged("SetIpForwardEntry2", 1);
  MIB_IPFORWARD_ROW2 *found = find_route(row);
  if (!code && !found)
    code = ERROR_NOT_FOUND;
  if (!code && row->ValidLifetime == 0)
    code = ERROR_INVALID_PARAMETER;
  if (!code) {
    found->Metric = row->Metric;
    announce_route(found, MibParameterNotification);
    changed();
  }
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI DeleteIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row) {
  lock(&tables);
  DWORD code = arranged("DeleteIpForwardEntry2", 1);
  MIB_IPFORWARD_ROW2 *found = find_route(row);
  if (!code && !found)
    code = ERROR_NOT_FOUND;
  if (!code) {
    announce_route(found, MibDeleteInstance);
    remove_route(found);
    changed();
  }
  unlock(&tables);
  return code;
}

static int contains(const IP_ADDRESS_PREFIX *prefix, const SOCKADDR_INET *address) {
  const UCHAR *a = address->si_family == AF_INET ? (const UCHAR *)&address->Ipv4.sin_addr : (const UCHAR *)&address->Ipv6.sin6_addr;
  const UCHAR *p = address->si_family == AF_INET ? (const UCHAR *)&prefix->Prefix.Ipv4.sin_addr : (const UCHAR *)&prefix->Prefix.Ipv6.sin6_addr;
  if (prefix->Prefix.si_family != address->si_family)
    return 0;
  for (int left = prefix->PrefixLength, i = 0; left > 0; left -= 8, i++)
    if ((a[i] ^ p[i]) & (left >= 8 ? 0xff : 0xff << (8 - left)))
      return 0;
  return 1;
}

/* The longest prefix, of these the lowest metric of route and interface together. A source that is not this host's is refused; one of an
   interface that does not forward leaves by that interface (the strong host model). */
EXPORT DWORD WINAPI GetBestRoute2(NET_LUID *luid, ULONG index, const SOCKADDR_INET *source, const SOCKADDR_INET *destination, ULONG options, MIB_IPFORWARD_ROW2 *best, SOCKADDR_INET *best_source) {
  ULONG64 only = 0;
  MIB_IPFORWARD_ROW2 *found = 0;
  (void)options;
  if (luid || index || !best || !best_source || (source && source->si_family != destination->si_family))
    return ERROR_INVALID_PARAMETER;
  lock(&tables);
  lookups++;
  DWORD code = turned("best-route") ? ERROR_INVALID_PARAMETER : arranged("GetBestRoute2", 0);
  if (!code && source) {
    code = ERROR_NOT_FOUND;
    for (int i = 0; i < address_count; i++)
      if (!memcmp(&addresses[i].Address, source, sizeof *source)) {
        link_t *link = find_link(addresses[i].InterfaceLuid.Value, 0);
        code = NO_ERROR;
        only = (source->si_family == AF_INET ? link->forwards4 : link->forwards6) ? 0 : link->luid;
      }
  }
  for (int i = 0; !code && i < route_count; i++) {
    link_t *link = find_link(routes[i].InterfaceLuid.Value, 0);
    if (!link->connected || (only && only != link->luid) || !contains(&routes[i].DestinationPrefix, destination))
      continue;
    int longer = found ? routes[i].DestinationPrefix.PrefixLength - found->DestinationPrefix.PrefixLength : 1;
    if (longer > 0 || (longer == 0 && routes[i].Metric + link->metric < found->Metric + find_link(found->InterfaceLuid.Value, 0)->metric))
      found = &routes[i];
  }
  if (!code && !found)
    code = ERROR_NETWORK_UNREACHABLE;
  if (!code) {
    *best = *found;
    memset(best_source, 0, sizeof *best_source);
    best_source->si_family = destination->si_family;
  }
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI GetIpInterfaceTable(ADDRESS_FAMILY family, MIB_IPINTERFACE_TABLE **table) {
  (void)family;
  lock(&tables);
  DWORD code = arranged("GetIpInterfaceTable", 0);
  if (!code) {
    *table = new_table(sizeof **table, link_count * 2);
    MIB_IPINTERFACE_ROW *next = &(*table)->Table[0];
    for (int i = 0; i < 2 * link_count; i++)
      if (!lacks(&links[i % link_count], i < link_count ? AF_INET : AF_INET6))
        *next++ = interface_row(&links[i % link_count], i < link_count ? AF_INET : AF_INET6);
    (*table)->NumEntries = (ULONG)(next - &(*table)->Table[0]);
  }
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI GetIpInterfaceEntry(MIB_IPINTERFACE_ROW *row) {
  lock(&tables);
  DWORD code = arranged("GetIpInterfaceEntry", 0);
  link_t *link = find_link(row->InterfaceLuid.Value, row->InterfaceIndex);
  if (!code && !link)
    code = ERROR_FILE_NOT_FOUND;
  if (!code && lacks(link, row->Family))
    code = ERROR_NOT_FOUND;
  if (!code)
    *row = interface_row(link, row->Family);
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI SetIpInterfaceEntry(MIB_IPINTERFACE_ROW *row) {
  lock(&tables);
  DWORD code = arranged("SetIpInterfaceEntry", 1);
  link_t *link = find_link(row->InterfaceLuid.Value, row->InterfaceIndex);
  if (!code && !link)
    code = ERROR_FILE_NOT_FOUND;
  if (!code && lacks(link, row->Family))
    code = ERROR_NOT_FOUND;
  if (!code && row->Family == AF_INET && row->SitePrefixLength != 0)
    code = ERROR_INVALID_PARAMETER;
  if (!code) {
    if (!turned("forwarding"))
      *(row->Family == AF_INET ? &link->forwards4 : &link->forwards6) = row->ForwardingEnabled;
    announce_link(link, MibParameterNotification);
    changed();
  }
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI GetUnicastIpAddressTable(ADDRESS_FAMILY family, MIB_UNICASTIPADDRESS_TABLE **table) {
  (void)family;
  lock(&tables);
  DWORD code = arranged("GetUnicastIpAddressTable", 0);
  if (!code) {
    *table = new_table(sizeof *addresses, address_count);
    memcpy((*table)->Table, addresses, address_count * sizeof *addresses);
  }
  unlock(&tables);
  return code;
}

EXPORT void WINAPI InitializeUnicastIpAddressEntry(MIB_UNICASTIPADDRESS_ROW *row) {
  memset(row, 0, sizeof *row);
  row->ValidLifetime = row->PreferredLifetime = 0xffffffff;
}

EXPORT DWORD WINAPI CreateUnicastIpAddressEntry(const MIB_UNICASTIPADDRESS_ROW *row) {
  lock(&tables);
  DWORD code = arranged("CreateUnicastIpAddressEntry", 1);
  if (!code && !add_address(find_link(row->InterfaceLuid.Value, row->InterfaceIndex), &row->Address, row->OnLinkPrefixLength))
    code = ERROR_FILE_NOT_FOUND;
  if (!code)
    changed();
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI DeleteUnicastIpAddressEntry(const MIB_UNICASTIPADDRESS_ROW *row) {
  lock(&tables);
  DWORD code = arranged("DeleteUnicastIpAddressEntry", 1);
  if (!code && !remove_address(find_link(row->InterfaceLuid.Value, row->InterfaceIndex), row->Address))
    code = ERROR_NOT_FOUND;
  if (!code)
    changed();
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI ConvertInterfaceLuidToAlias(const NET_LUID *luid, WCHAR *alias, size_t length) {
  lock(&tables);
  link_t *link = find_link(luid->Value, 0);
  DWORD code = arranged("ConvertInterfaceLuidToAlias", 0);
  if (!code)
    code = !link ? ERROR_FILE_NOT_FOUND : strlen(link->alias) >= length ? ERROR_NOT_ENOUGH_MEMORY : NO_ERROR;
  for (size_t i = 0; !code && i <= strlen(link->alias); i++)
    alias[i] = (UCHAR)link->alias[i];
  unlock(&tables);
  return code;
}

EXPORT DWORD WINAPI DeleteIpNetEntry2(const MIB_IPNET_ROW2 *row) {
  lock(&tables);
  DWORD code = arranged("DeleteIpNetEntry2", 1);
  if (!code)
    code = find_link(row->InterfaceLuid.Value, row->InterfaceIndex) ? ERROR_NOT_FOUND : ERROR_FILE_NOT_FOUND;
  unlock(&tables);
  return code;
}
