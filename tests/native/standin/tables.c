#include "tables.h"

#include <stdlib.h>
#include <string.h>

lock_t tables = LOCK_INIT;
link_t links[MAX_LINKS];
MIB_UNICASTIPADDRESS_ROW addresses[MAX_ADDRESSES];
MIB_IPFORWARD_ROW2 routes[MAX_ROUTES];
int link_count, address_count, route_count, writes_so_far, tables_out, lookups;

static struct { char function[64]; DWORD code; int count; } arrangements[16];

link_t *find_link(ULONG64 luid, ULONG index) {
  for (int i = 0; i < link_count; i++)
    if (luid ? links[i].luid == luid : links[i].index == index)
      return &links[i];
  return 0;
}

static int same_address(const SOCKADDR_INET *a, const SOCKADDR_INET *b) {
  if (a->si_family != b->si_family)
    return 0;
  return a->si_family == AF_INET ? !memcmp(&a->Ipv4.sin_addr, &b->Ipv4.sin_addr, 4) : !memcmp(&a->Ipv6.sin6_addr, &b->Ipv6.sin6_addr, 16);
}

MIB_IPFORWARD_ROW2 *find_route(const MIB_IPFORWARD_ROW2 *name) {
  link_t *link = find_link(name->InterfaceLuid.Value, name->InterfaceIndex);
  for (int i = 0; link && i < route_count; i++)
    if (routes[i].InterfaceLuid.Value == link->luid && routes[i].DestinationPrefix.PrefixLength == name->DestinationPrefix.PrefixLength &&
        same_address(&routes[i].DestinationPrefix.Prefix, &name->DestinationPrefix.Prefix) && same_address(&routes[i].NextHop, &name->NextHop))
      return &routes[i];
  return 0;
}

MIB_IPFORWARD_ROW2 *add_route(const MIB_IPFORWARD_ROW2 *row) {
  if (route_count == MAX_ROUTES)
    return 0;
  link_t *link = find_link(row->InterfaceLuid.Value, row->InterfaceIndex);
  MIB_IPFORWARD_ROW2 *added = &routes[route_count++];
  *added = *row;
  added->InterfaceLuid.Value = link->luid;
  added->InterfaceIndex = link->index;
  return added;
}

void remove_route(MIB_IPFORWARD_ROW2 *row) { *row = routes[--route_count]; }

/* The protocol is not bound to the interface. */
int lacks(const link_t *link, ADDRESS_FAMILY family) { return family == AF_INET ? link->lacks4 : link->lacks6; }

/* Routes go with their interface, and nobody is told of each. */
void remove_link(link_t *link) {
  for (int i = route_count - 1; i >= 0; i--)
    if (routes[i].InterfaceLuid.Value == link->luid)
      remove_route(&routes[i]);
  for (int i = address_count - 1; i >= 0; i--)
    if (addresses[i].InterfaceLuid.Value == link->luid)
      addresses[i] = addresses[--address_count];
  *link = links[--link_count];
}

/* https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-initializeipforwardentry */
void initialize_route(MIB_IPFORWARD_ROW2 *row) {
  memset(row, 0, sizeof *row);
  row->SitePrefixLength = 0xff;
  row->ValidLifetime = row->PreferredLifetime = row->Metric = 0xffffffff;
  row->Protocol = -1;
  row->Loopback = row->AutoconfigureAddress = row->Publish = row->Immortal = 1;
}

MIB_IPINTERFACE_ROW interface_row(const link_t *link, ADDRESS_FAMILY family) {
  MIB_IPINTERFACE_ROW row;
  memset(&row, 0, sizeof row);
  row.Family = family;
  row.InterfaceLuid.Value = link->luid;
  row.InterfaceIndex = link->index;
  row.ForwardingEnabled = family == AF_INET ? link->forwards4 : link->forwards6;
  row.SitePrefixLength = 64;
  row.Metric = link->metric;
  row.NlMtu = 1500;
  row.Connected = link->connected;
  return row;
}

DWORD arranged(const char *function, int writes) {
  load_once();
  writes_so_far += writes;
  for (int i = 0; i < 16; i++)
    if (arrangements[i].count > 0 && !strcmp(arrangements[i].function, function))
      return arrangements[i].count--, arrangements[i].code;
  return NO_ERROR;
}

void arrange(const char *function, DWORD code, int count) {
  for (int i = 0; i < 16; i++)
    if (arrangements[i].count == 0 || !strcmp(arrangements[i].function, function)) {
      strncpy(arrangements[i].function, function, sizeof arrangements[i].function - 1);
      arrangements[i].code = code;
      arrangements[i].count = count;
      return;
    }
}

void arrange_nothing(void) { memset(arrangements, 0, sizeof arrangements); }
