/* A host in memory: what the IP Helper API shows, and what others do to it. */
#ifndef TABLES_H
#define TABLES_H

#include "types.h"
#include "threads.h" /* after winsock2.h */

#define MAX_LINKS 64
#define MAX_ADDRESSES 256
#define MAX_ROUTES 65536

typedef struct {
  ULONG64 luid;
  ULONG index, metric;
  int connected, forwards4, forwards6, lacks4, lacks6;
  char alias[200];
} link_t;

extern lock_t tables;
extern link_t links[MAX_LINKS];
extern MIB_UNICASTIPADDRESS_ROW addresses[MAX_ADDRESSES];
extern MIB_IPFORWARD_ROW2 routes[MAX_ROUTES];
extern int link_count, address_count, route_count;

/* All with the lock held. */
link_t *find_link(ULONG64 luid, ULONG index);
MIB_IPFORWARD_ROW2 *find_route(const MIB_IPFORWARD_ROW2 *name);
MIB_IPFORWARD_ROW2 *add_route(const MIB_IPFORWARD_ROW2 *row);
void remove_route(MIB_IPFORWARD_ROW2 *row);
void remove_link(link_t *link);
int lacks(const link_t *link, ADDRESS_FAMILY family);
int add_address(link_t *link, const SOCKADDR_INET *address, UCHAR length);
int remove_address(link_t *link, SOCKADDR_INET address);
void initialize_route(MIB_IPFORWARD_ROW2 *row);
MIB_IPINTERFACE_ROW interface_row(const link_t *link, ADDRESS_FAMILY family);

/* What a test arranged for this function to answer, or NO_ERROR; counts the call if it is one that writes. */
DWORD arranged(const char *function, int writes);
void arrange(const char *function, DWORD code, int count);
void arrange_nothing(void);
extern int writes_so_far, tables_out, lookups;

/* Events are handed to the callbacks one by one, by a thread of the library's own. */
void announce_route(const MIB_IPFORWARD_ROW2 *row, MIB_NOTIFICATION_TYPE type);
void announce_link(const link_t *link, MIB_NOTIFICATION_TYPE type);
void announce_address(const MIB_UNICASTIPADDRESS_ROW *row, MIB_NOTIFICATION_TYPE type);

/* Returns when everything announced has been delivered. Without the lock. */
void settle(void);
int count_listeners(void);

/* One line of text in, lines of text out; see commands.c. Without the lock. */
EXPORT void StandInCommand(const char *line, char *reply, int size);

/* Asks this one first; it answers whether the line was for it. */
EXPORT void StandInMoreCommands(int (*run)(const char *line, char *reply, int size));

/* Reads the host from the file that STANDIN_HOST names, once; writes it there after a change. With the lock held. */
void load_once(void);
void changed(void);
int load_line(const char *line);
void save(void (*line)(void *to, const char *text), void *to);

#endif
