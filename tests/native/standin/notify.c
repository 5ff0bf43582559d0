/* Notifications: a queue, and a thread of the library's own that empties it into the callbacks, one event at a time. */
#include "tables.h"
#include "turned.h"

#include <stdlib.h>
#include <string.h>

enum { ROUTE, LINK, ADDRESS };

typedef struct listener { int kind; PVOID callback, context; struct listener *next; } listener_t;
typedef struct event {
  int kind;
  MIB_NOTIFICATION_TYPE type;
  union { MIB_IPFORWARD_ROW2 route; MIB_IPINTERFACE_ROW link; MIB_UNICASTIPADDRESS_ROW address; } row;
  struct event *next;
} event_t;

static lock_t queue_lock = LOCK_INIT, calling = LOCK_INIT;
static signal_t queued = SIGNAL_INIT, delivered = SIGNAL_INIT;
static event_t *first, **last = &first;
static listener_t *listeners;
static int running, waiting_events;

static void call(listener_t *to, event_t *event) {
  if (to->kind == ROUTE)
    ((PIPFORWARD_CHANGE_CALLBACK)to->callback)(to->context, &event->row.route, event->type);
  else if (to->kind == LINK)
    ((PIPINTERFACE_CHANGE_CALLBACK)to->callback)(to->context, &event->row.link, event->type);
  else
    ((PUNICAST_IPADDRESS_CHANGE_CALLBACK)to->callback)(to->context, &event->row.address, event->type);
}

static THREAD deliver(void *unused) {
  (void)unused;
  for (;;) {
    lock(&queue_lock);
    while (!first)
      wait_for(&queued, &queue_lock);
    event_t *event = first;
    if (!(first = event->next))
      last = &first;
    unlock(&queue_lock);

    lock(&calling);
    for (listener_t *to = listeners; to; to = to->next)
      if (to->kind == event->kind)
        call(to, event);
    unlock(&calling);
    free(event);

    lock(&queue_lock);
    waiting_events--;
    raise_signal(&delivered);
    unlock(&queue_lock);
  }
  return 0;
}

static event_t *new_event(int kind, MIB_NOTIFICATION_TYPE type) {
  event_t *event = malloc(sizeof *event);
  /* The row of a notification is incomplete: whoever reads more than what names the thing reads nonsense. */
  memset(event, 0xEE, sizeof *event);
  event->kind = kind;
  event->type = type;
  event->next = 0;
  return event;
}

static void queue(event_t *event) {
  static const char *const questions[] = {[ROUTE] = "watch-routes", [LINK] = "watch-interfaces", [ADDRESS] = "watch-addresses"};
  if (turned(questions[event->kind])) {
    free(event);
    return;
  }
  lock(&queue_lock);
  waiting_events++;
  *last = event;
  last = &event->next;
  raise_signal(&queued);
  unlock(&queue_lock);
}

void announce_route(const MIB_IPFORWARD_ROW2 *row, MIB_NOTIFICATION_TYPE type) {
  event_t *event = new_event(ROUTE, type);
  event->row.route.InterfaceLuid = row->InterfaceLuid;
  event->row.route.InterfaceIndex = row->InterfaceIndex;
  event->row.route.DestinationPrefix = row->DestinationPrefix;
  event->row.route.NextHop = row->NextHop;
  queue(event);
}

void announce_link(const link_t *link, MIB_NOTIFICATION_TYPE type) {
  event_t *event = new_event(LINK, type);
  event->row.link.Family = AF_INET;
  event->row.link.InterfaceLuid.Value = link->luid;
  event->row.link.InterfaceIndex = link->index;
  queue(event);
}

void announce_address(const MIB_UNICASTIPADDRESS_ROW *row, MIB_NOTIFICATION_TYPE type) {
  event_t *event = new_event(ADDRESS, type);
  event->row.address.Address = row->Address;
  event->row.address.InterfaceLuid = row->InterfaceLuid;
  event->row.address.InterfaceIndex = row->InterfaceIndex;
  queue(event);
}

void settle(void) {
  lock(&queue_lock);
  while (running && waiting_events > 0)
    wait_for(&delivered, &queue_lock);
  unlock(&queue_lock);
}

int count_listeners(void) {
  int count = 0;
  lock(&calling);
  for (listener_t *to = listeners; to; to = to->next)
    count++;
  unlock(&calling);
  return count;
}

static DWORD listen_to(const char *function, int kind, PVOID callback, PVOID context, HANDLE *handle) {
  lock(&tables);
  DWORD code = arranged(function, 0);
  unlock(&tables);
  if (code)
    return code;
  listener_t *listener = malloc(sizeof *listener);
  *listener = (listener_t){kind, callback, context, 0};
  lock(&calling);
  listener->next = listeners;
  listeners = listener;
  if (!running++)
    start_thread(deliver);
  unlock(&calling);
  *handle = listener;
  return NO_ERROR;
}

EXPORT DWORD WINAPI NotifyRouteChange2(ADDRESS_FAMILY family, PIPFORWARD_CHANGE_CALLBACK callback, PVOID context, BOOLEAN initial, HANDLE *handle) {
  (void)family, (void)initial;
  return listen_to("NotifyRouteChange2", ROUTE, (PVOID)callback, context, handle);
}

EXPORT DWORD WINAPI NotifyIpInterfaceChange(ADDRESS_FAMILY family, PIPINTERFACE_CHANGE_CALLBACK callback, PVOID context, BOOLEAN initial, HANDLE *handle) {
  (void)family, (void)initial;
  return listen_to("NotifyIpInterfaceChange", LINK, (PVOID)callback, context, handle);
}

EXPORT DWORD WINAPI NotifyUnicastIpAddressChange(ADDRESS_FAMILY family, PUNICAST_IPADDRESS_CHANGE_CALLBACK callback, PVOID context, BOOLEAN initial, HANDLE *handle) {
  (void)family, (void)initial;
  return listen_to("NotifyUnicastIpAddressChange", ADDRESS, (PVOID)callback, context, handle);
}

EXPORT DWORD WINAPI CancelMibChangeNotify2(HANDLE handle) {
  lock(&calling);
  for (listener_t **at = &listeners; *at; at = &(*at)->next)
    if (*at == handle) {
      *at = (*at)->next;
      free(handle);
      unlock(&calling);
      return NO_ERROR;
    }
  unlock(&calling);
  return ERROR_INVALID_PARAMETER;
}
