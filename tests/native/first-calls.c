/* Runs a program and appends its functions to a file, each when it is called for the first time (x86-64; ptrace(2)).
 *
 *   first-calls FUNCTIONS FILE PROGRAM [ARGUMENT…]
 *
 * FUNCTIONS has a line "ADDRESS NAME" for each, the address in hexadecimal as the executable has it. A breakpoint stands on the first byte
 * of each function until it is hit, and again a quarter of a second later: a function that is called in 40 of these periods is
 * appended to FILE.often. SIGTERM and SIGINT are passed on; the exit code is the program's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

struct function {
  unsigned long address;
  char *name;
  char byte; /* what was where the breakpoint is */
  int called; /* in this period */
  int periods;
};

enum { PERIOD_MICROSECONDS = 250000, OFTEN = 40 };

static struct function *functions;
static size_t count;
static pid_t child;
static volatile sig_atomic_t period_is_over;

static void fail(const char *what) {
  perror(what);
  exit(126);
}

static int compare(const void *a, const void *b) {
  unsigned long x = ((const struct function *)a)->address, y = ((const struct function *)b)->address;
  return (x > y) - (x < y);
}

/* The first of those at this address: identical methods share one. */
static struct function *find(unsigned long address) {
  struct function key = {.address = address};
  struct function *found = bsearch(&key, functions, count, sizeof key, compare);
  while (found && found > functions && found[-1].address == address)
    found--;
  return found;
}

static void read_functions(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file)
    fail(path);
  char *line = NULL, *name;
  size_t size = 0, room = 0;
  while (getline(&line, &size, file) > 0) {
    unsigned long address = strtoul(line, &name, 16);
    if (count == room && !(functions = realloc(functions, (room = room * 2 + 1024) * sizeof *functions)))
      fail("realloc");
    name[strcspn(name, "\n")] = 0;
    functions[count++] = (struct function){.address = address, .name = strdup(name + 1)};
  }
  fclose(file);
  qsort(functions, count, sizeof *functions, compare);
}

static int open_memory(void) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", child);
  int memory = open(path, O_RDWR);
  if (memory < 0)
    fail(path);
  return memory;
}

/* Where the executable, which is the first that is mapped, begins. */
static unsigned long base_address(void) {
  char path[32];
  unsigned long base;
  snprintf(path, sizeof path, "/proc/%d/maps", child);
  FILE *maps = fopen(path, "r");
  if (!maps || fscanf(maps, "%lx", &base) != 1)
    fail(path);
  fclose(maps);
  return base;
}

static void set_breakpoints(int memory, unsigned long base) {
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && functions[i].address == functions[i - 1].address)
      continue;
    off_t at = base + functions[i].address;
    if (pread(memory, &functions[i].byte, 1, at) != 1 || pwrite(memory, "\xcc", 1, at) != 1)
      fail(functions[i].name);
  }
}

/* The program may be ending. */
static void begin_period(int memory, unsigned long base) {
  period_is_over = 0;
  for (size_t i = 0; i < count; i++) {
    if (functions[i].called && pwrite(memory, "\xcc", 1, base + functions[i].address) == 1)
      functions[i].called = 0;
  }
}

/* Whether the thread hit a breakpoint of ours. Another thread may have hit the same one a moment before. */
static int take_breakpoint(pid_t thread, int memory, unsigned long base, FILE *out, FILE *often) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, thread, 0, &registers))
    return 0;
  struct function *function = find(registers.rip - 1 - base);
  if (!function)
    return 0;
  if (!function->called) {
    function->called = 1;
    if (pwrite(memory, &function->byte, 1, base + function->address) != 1)
      fail(function->name);
    if (function->periods++ == 0)
      fprintf(out, "%s\n", function->name);
    if (function->periods == OFTEN)
      fprintf(often, "%s\n", function->name);
  }
  registers.rip--;
  ptrace(PTRACE_SETREGS, thread, 0, &registers);
  return 1;
}

static void pass_on(int signal) { kill(child, signal); }

static void end_period(int signal) { period_is_over = signal; }

static FILE *open_lines(const char *path, const char *suffix) {
  char name[4096];
  snprintf(name, sizeof name, "%s%s", path, suffix);
  FILE *file = fopen(name, "a");
  if (!file)
    fail(name);
  setvbuf(file, NULL, _IOLBF, 0);
  return file;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: first-calls FUNCTIONS FILE PROGRAM [ARGUMENT…]\n");
    return 2;
  }
  read_functions(argv[1]);
  FILE *out = open_lines(argv[2], ""), *often = open_lines(argv[2], ".often");

  if ((child = fork()) == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(argv[3], argv + 3);
    fail(argv[3]);
  }
  int status;
  if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
    fail("waitpid");
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  int memory = open_memory();
  unsigned long base = base_address();
  set_breakpoints(memory, base);
  struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  struct sigaction alarm = {.sa_handler = end_period};
  sigaction(SIGALRM, &alarm, NULL);
  struct timeval period = {.tv_usec = PERIOD_MICROSECONDS};
  setitimer(ITIMER_REAL, &(struct itimerval){period, period}, NULL);
  ptrace(PTRACE_CONT, child, 0, 0);

  for (pid_t thread; (thread = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
    if (period_is_over)
      begin_period(memory, base);
    if (thread < 0)
      continue;
    if (WIFSTOPPED(status)) {
      int signal = WSTOPSIG(status), is_event = status >> 16 != 0;
      /* A new thread begins with SIGSTOP. */
      int is_ours = is_event || signal == SIGSTOP || (signal == SIGTRAP && take_breakpoint(thread, memory, base, out, often));
      ptrace(PTRACE_CONT, thread, 0, is_ours ? 0 : signal);
    } else if (thread == child) {
      break;
    }
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
