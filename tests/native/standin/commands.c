/*
 * What others do to the host, and how it looks, in lines of text:
 *
 *   interface LUID INDEX up|down METRIC 4|6|46|- ALIAS...   makes one, or changes it; 4|6: the families that it forwards
 *                                                           a|b beside them: it lacks IPv4|IPv6
 *   remove-interface LUID                                   with its addresses and routes
 *   address LUID ADDRESS/LENGTH                             and the routes that Windows lists for it (see put_local_routes)
 *   remove-address LUID ADDRESS/LENGTH
 *   route DESTINATION NEXTHOP|on-link LUID METRIC PROTOCOL
 *   remove-route DESTINATION NEXTHOP|on-link LUID
 *   answer FUNCTION CODE COUNT                              what a function answers the next times instead of doing its work
 *   routes, interfaces, writes, tables, lookups, listeners   questions
 *   hcn-...                                                 see hcn.c
 *   reset                                                   a host without anything
 *   settle                                                  waits until everything announced has been delivered
 *
 * LUIDs are hexadecimal, all other numbers decimal.
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <ws2tcpip.h>
enum { SYSTEM_INET6 = AF_INET6 };
#else
#include <netinet/in.h>
const char *inet_ntop(int, const void *, char *, unsigned);
int inet_pton(int, const char *, void *);
/* The tables hold Windows's number of the family; this system has another. */
enum { SYSTEM_INET6 = 10 };
#endif

#define MAX_TEXT 300

static int parse_address(const char *text, SOCKADDR_INET *address) {
  memset(address, 0, sizeof *address);
  if (strchr(text, ':')) {
    address->si_family = 23;
    return inet_pton(SYSTEM_INET6, text, &address->Ipv6.sin6_addr) == 1;
  }
  address->si_family = 2;
  return inet_pton(2, text, &address->Ipv4.sin_addr) == 1;
}

static int parse_prefix(const char *text, SOCKADDR_INET *address, UCHAR *length) {
  char copy[64];
  snprintf(copy, sizeof copy, "%s", text);
  char *slash = strchr(copy, '/');
  if (!slash)
    return 0;
  *slash = 0;
  *length = (UCHAR)atoi(slash + 1);
  return parse_address(copy, address);
}

static const char *show(const SOCKADDR_INET *address, char *text, int size) {
  return address->si_family == 23 ? inet_ntop(SYSTEM_INET6, &address->Ipv6.sin6_addr, text, size) : inet_ntop(2, &address->Ipv4.sin_addr, text, size);
}

static int is_unspecified(const SOCKADDR_INET *address) {
  static const char zero[16];
  return address->si_family == 23 ? !memcmp(&address->Ipv6.sin6_addr, zero, 16) : !memcmp(&address->Ipv4.sin_addr, zero, 4);
}

static int parse_route(const char *destination, const char *hop, const char *luid, MIB_IPFORWARD_ROW2 *row) {
  initialize_route(row);
  row->InterfaceLuid.Value = strtoull(luid, 0, 16);
  if (!parse_prefix(destination, &row->DestinationPrefix.Prefix, &row->DestinationPrefix.PrefixLength) || !find_link(row->InterfaceLuid.Value, 0))
    return 0;
  row->NextHop.si_family = row->DestinationPrefix.Prefix.si_family;
  return !strcmp(hop, "on-link") || parse_address(hop, &row->NextHop);
}

static void put_route(const MIB_IPFORWARD_ROW2 *row) {
  MIB_IPFORWARD_ROW2 *found = find_route(row);
  if (found) {
    found->Metric = row->Metric;
    found->Protocol = row->Protocol;
    announce_route(found, MibParameterNotification);
  } else {
    announce_route(add_route(row), MibAddInstance);
  }
}

static void mask(SOCKADDR_INET *address, int length) {
  UCHAR *bytes = address->si_family == 23 ? (UCHAR *)&address->Ipv6.sin6_addr : (UCHAR *)&address->Ipv4.sin_addr;
  for (int i = 0; i < (address->si_family == 23 ? 16 : 4); i++, length -= 8)
    bytes[i] &= length >= 8 ? 0xff : length <= 0 ? 0 : (UCHAR)(0xff << (8 - length));
}

static void put_local_route(const MIB_UNICASTIPADDRESS_ROW *of, const SOCKADDR_INET *destination, int length) {
  MIB_IPFORWARD_ROW2 row;
  initialize_route(&row);
  row.InterfaceLuid = of->InterfaceLuid;
  row.DestinationPrefix.Prefix = *destination;
  row.DestinationPrefix.PrefixLength = (UCHAR)length;
  row.NextHop.si_family = destination->si_family;
  row.Metric = 256;
  row.Protocol = RouteProtocolLocal;
  mask(&row.DestinationPrefix.Prefix, length);
  put_route(&row);
}

/* As `Get-NetRoute` shows them: the prefix, the address itself, its broadcast address, and of each interface multicast and broadcast. */
static void put_local_routes(const MIB_UNICASTIPADDRESS_ROW *of) {
  SOCKADDR_INET other;
  put_local_route(of, &of->Address, of->OnLinkPrefixLength);
  put_local_route(of, &of->Address, of->Address.si_family == AF_INET ? 32 : 128);
  if (of->Address.si_family == AF_INET) {
    ULONG host_bits = of->OnLinkPrefixLength == 0 ? 0xffffffff : (1u << (32 - of->OnLinkPrefixLength)) - 1;
    parse_address("224.0.0.0", &other);
    put_local_route(of, &other, 4);
    parse_address("255.255.255.255", &other);
    put_local_route(of, &other, 32);
    other = of->Address;
    for (int i = 0; i < 4; i++)
      ((UCHAR *)&other.Ipv4.sin_addr)[i] |= (UCHAR)(host_bits >> (24 - 8 * i));
    if (of->OnLinkPrefixLength < 31)
      put_local_route(of, &other, 32);
  } else {
    parse_address("ff00::", &other);
    put_local_route(of, &other, 8);
  }
}

int add_address(link_t *link, const SOCKADDR_INET *address, UCHAR length) {
  MIB_UNICASTIPADDRESS_ROW *row = &addresses[address_count];
  if (!link || address_count == MAX_ADDRESSES)
    return 0;
  memset(row, 0, sizeof *row);
  row->Address = *address;
  row->OnLinkPrefixLength = length;
  row->InterfaceLuid.Value = link->luid;
  row->InterfaceIndex = link->index;
  row->DadState = IpDadStatePreferred;
  address_count++;
  announce_address(row, MibAddInstance);
  put_local_routes(row);
  return 1;
}

static void drop_local_routes(const link_t *link) {
  for (int i = route_count - 1; i >= 0; i--)
    if (routes[i].InterfaceLuid.Value == link->luid && routes[i].Protocol == RouteProtocolLocal)
      remove_route(&routes[i]);
}

int remove_address(link_t *link, SOCKADDR_INET address) {
  for (int i = 0; link && i < address_count; i++)
    if (addresses[i].InterfaceLuid.Value == link->luid && !memcmp(&addresses[i].Address, &address, sizeof address)) {
      announce_address(&addresses[i], MibDeleteInstance);
      addresses[i] = addresses[--address_count];
      drop_local_routes(link);
      for (int j = 0; j < address_count; j++)
        if (addresses[j].InterfaceLuid.Value == link->luid)
          put_local_routes(&addresses[j]);
      return 1;
    }
  return 0;
}

/* What an interface has of a family goes when the protocol is unbound. */
static void drop_families(const link_t *link) {
  for (int i = route_count - 1; i >= 0; i--)
    if (routes[i].InterfaceLuid.Value == link->luid && lacks(link, routes[i].DestinationPrefix.Prefix.si_family))
      remove_route(&routes[i]);
  for (int i = address_count - 1; i >= 0; i--)
    if (addresses[i].InterfaceLuid.Value == link->luid && lacks(link, addresses[i].Address.si_family))
      addresses[i] = addresses[--address_count];
}

static int put_link(ULONG64 luid, ULONG index, const char *state, ULONG metric, const char *forwards, const char *alias) {
  link_t *link = find_link(luid, 0);
  int is_new = !link;
  if (!link && link_count == MAX_LINKS)
    return 0;
  if (!link)
    link = &links[link_count++];
  memset(link, 0, sizeof *link);
  link->luid = luid;
  link->index = index;
  link->metric = metric;
  link->connected = !strcmp(state, "up");
  link->forwards4 = strchr(forwards, '4') != 0;
  link->forwards6 = strchr(forwards, '6') != 0;
  link->lacks4 = strchr(forwards, 'a') != 0;
  link->lacks6 = strchr(forwards, 'b') != 0;
  drop_families(link);
  snprintf(link->alias, sizeof link->alias, "%s", alias);
  for (int i = 0; i < route_count; i++)
    if (routes[i].InterfaceLuid.Value == luid)
      routes[i].InterfaceIndex = index;
  for (int i = 0; i < address_count; i++)
    if (addresses[i].InterfaceLuid.Value == luid)
      addresses[i].InterfaceIndex = index;
  announce_link(link, is_new ? MibAddInstance : MibParameterNotification);
  return 1;
}

static void save_link(const link_t *l, void (*line)(void *, const char *), void *to) {
  char text[MAX_TEXT];
  snprintf(text, sizeof text, "interface %016llx %u %s %u %s%s%s%s%s %s", (unsigned long long)l->luid, (unsigned)l->index, l->connected ? "up" : "down", (unsigned)l->metric,
           l->forwards4 ? "4" : "", l->forwards6 ? "6" : "", l->forwards4 || l->forwards6 ? "" : "-", l->lacks4 ? "a" : "", l->lacks6 ? "b" : "", l->alias);
  line(to, text);
}

static void save_route(const MIB_IPFORWARD_ROW2 *r, const char *verb, void (*line)(void *, const char *), void *to) {
  char destination[64], hop[64], text[MAX_TEXT];
  show(&r->DestinationPrefix.Prefix, destination, sizeof destination);
  snprintf(text, sizeof text, "%s%s/%d %s %016llx %u %d", verb, destination, r->DestinationPrefix.PrefixLength,
           is_unspecified(&r->NextHop) ? "on-link" : show(&r->NextHop, hop, sizeof hop), (unsigned long long)r->InterfaceLuid.Value, (unsigned)r->Metric, (int)r->Protocol);
  line(to, text);
}

void save(void (*line)(void *, const char *), void *to) {
  char address[64], text[MAX_TEXT];
  for (int i = 0; i < link_count; i++)
    save_link(&links[i], line, to);
  for (int i = 0; i < address_count; i++) {
    show(&addresses[i].Address, address, sizeof address);
    snprintf(text, sizeof text, "address %016llx %s/%d", (unsigned long long)addresses[i].InterfaceLuid.Value, address, addresses[i].OnLinkPrefixLength);
    line(to, text);
  }
  for (int i = 0; i < route_count; i++)
    save_route(&routes[i], "route ", line, to);
}

/* Returns 0 for what it does not understand. */
int load_line(const char *text) {
  char a[64], b[64], c[64], d[64], alias[200];
  unsigned long long luid;
  unsigned index, metric;
  int protocol, code, count, end = 0;
  MIB_IPFORWARD_ROW2 row;
  SOCKADDR_INET address;
  UCHAR length;
  if (sscanf(text, "interface %llx %u %63s %u %63s %n", &luid, &index, a, &metric, b, &end) == 5 && end) {
    snprintf(alias, sizeof alias, "%s", text + end);
    return put_link(luid, index, a, metric, b, alias);
  }
  if (sscanf(text, "remove-interface %llx", &luid) == 1) {
    link_t *link = find_link(luid, 0);
    if (link) {
      announce_link(link, MibDeleteInstance);
      remove_link(link);
    }
    return link != 0;
  }
  if (sscanf(text, "address %llx %63s", &luid, a) == 2)
    return parse_prefix(a, &address, &length) && add_address(find_link(luid, 0), &address, length);
  if (sscanf(text, "remove-address %llx %63s", &luid, a) == 2)
    return parse_prefix(a, &address, &length) && remove_address(find_link(luid, 0), address);
  if (sscanf(text, "route %63s %63s %63s %u %d", a, b, c, &metric, &protocol) == 5) {
    if (!parse_route(a, b, c, &row))
      return 0;
    row.Metric = metric;
    row.Protocol = protocol;
    put_route(&row);
    return 1;
  }
  if (sscanf(text, "remove-route %63s %63s %63s", a, b, c) == 3) {
    MIB_IPFORWARD_ROW2 *found = parse_route(a, b, c, &row) ? find_route(&row) : 0;
    if (found) {
      announce_route(found, MibDeleteInstance);
      remove_route(found);
    }
    return found != 0;
  }
  if (sscanf(text, "answer %63s %d %d", d, &code, &count) == 3) {
    arrange(d, code, count);
    return 1;
  }
  if (!strcmp(text, "reset")) {
    link_count = address_count = route_count = writes_so_far = lookups = 0;
    arrange_nothing();
    return 1;
  }
  return 0;
}

typedef struct { char *text; int size, used; } reply_t;

static void append(void *to, const char *text) {
  reply_t *reply = to;
  int room = reply->size - reply->used;
  int wrote = snprintf(reply->text + reply->used, room, "%s\n", text);
  reply->used += wrote < room ? wrote : 0;
}

static int (*more_commands)(const char *line, char *reply, int size);

EXPORT void StandInMoreCommands(int (*run)(const char *line, char *reply, int size)) { more_commands = run; }

EXPORT void StandInCommand(const char *line, char *reply, int size) {
  reply_t to = {reply, size, 0};
  char number[20];
  reply[0] = 0;
  if (more_commands && more_commands(line, reply, size))
    return;
  if (!strcmp(line, "settle")) {
    settle();
    return;
  }
  if (!strcmp(line, "listeners")) {
    snprintf(reply, size, "%d\n", count_listeners());
    return;
  }
  lock(&tables);
  load_once();
  if (!strcmp(line, "routes")) {
    for (int i = 0; i < route_count; i++)
      save_route(&routes[i], "", append, &to);
  } else if (!strcmp(line, "interfaces")) {
    for (int i = 0; i < link_count; i++)
      save_link(&links[i], append, &to);
  } else if (!strcmp(line, "writes") || !strcmp(line, "tables") || !strcmp(line, "lookups")) {
    snprintf(number, sizeof number, "%d", line[0] == 'w' ? writes_so_far : line[0] == 't' ? tables_out : lookups);
    append(&to, number);
  } else if (load_line(line)) {
    changed();
  } else {
    append(&to, "not understood, or not possible");
  }
  unlock(&tables);
}
