/*
 * The host outlives the process: STANDIN_HOST names the file that holds it, in the language of commands.c.
 * STANDIN_PORT: a port of 127.0.0.1 where others say what they do to it while the process runs, a line each; the answer
 * ends with a line that holds only a dot.
 */
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#define close_socket closesocket
#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#undef AF_INET
#define AF_INET 2
#define close_socket close
#endif

#define MAX_REPLY (1 << 20)

static int loaded, loading;

static void serve_one(int peer) {
  static char reply[MAX_REPLY];
  char line[1024];
  int used = 0;
  while (used < (int)sizeof line - 1 && recv(peer, line + used, 1, 0) == 1) {
    if (line[used] != '\n') {
      used++;
      continue;
    }
    line[used] = 0;
    StandInCommand(line, reply, MAX_REPLY - 3);
    strcat(reply, ".\n");
    for (int sent = 0, length = (int)strlen(reply), n; sent < length && (n = send(peer, reply + sent, length - sent, 0)) > 0;)
      sent += n;
    used = 0;
  }
}

static THREAD serve(void *unused) {
  (void)unused;
#ifdef _WIN32
  WSADATA data;
  WSAStartup(0x202, &data);
#endif
  struct sockaddr_in at;
  memset(&at, 0, sizeof at);
  at.sin_family = 2;
  at.sin_port = htons((unsigned short)atoi(getenv("STANDIN_PORT")));
  at.sin_addr.s_addr = htonl(0x7f000001);
  int server = (int)socket(2, SOCK_STREAM, 0);
  if (bind(server, (struct sockaddr *)&at, sizeof at) != 0 || listen(server, 4) != 0) {
    fprintf(stderr, "the stand-in cannot listen on port %s\n", getenv("STANDIN_PORT"));
    abort();
  }
  for (;;) {
    int peer = (int)accept(server, 0, 0);
    serve_one(peer);
    close_socket(peer);
  }
  return 0;
}

void load_once(void) {
  if (loaded++)
    return;
  const char *path = getenv("STANDIN_HOST");
  FILE *file = path ? fopen(path, "r") : 0;
  char line[400];
  loading = 1;
  while (file && fgets(line, sizeof line, file)) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0] && !load_line(line)) {
      fprintf(stderr, "the stand-in does not understand '%s'\n", line);
      abort();
    }
  }
  loading = 0;
  if (file)
    fclose(file);
  if (getenv("STANDIN_PORT"))
    start_thread(serve);
}

static void write_line(void *to, const char *text) { fprintf((FILE *)to, "%s\n", text); }

void changed(void) {
  const char *path = loading ? 0 : getenv("STANDIN_HOST");
  FILE *file = path ? fopen(path, "w") : 0;
  if (!file)
    return;
  save(write_line, file);
  fclose(file);
}
