/*
 * Sends a console event to another process as containerd does to a HostProcess container: signal.exe PID EVENT
 * 0: Ctrl-C, 1: Ctrl-Break, 6: shutdown (what a pod's end is). GenerateConsoleCtrlEvent knows only the first two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

int main(int count, char **words) {
  HANDLE process = count == 3 ? OpenProcess(PROCESS_ALL_ACCESS, FALSE, strtoul(words[1], 0, 10)) : 0;
  FARPROC routine = GetProcAddress(GetModuleHandleA("kernel32"), "CtrlRoutine");
  void *event = count == 3 ? (void *)(ULONG_PTR)strtoul(words[2], 0, 10) : 0;
  HANDLE thread = process && routine ? CreateRemoteThread(process, 0, 0, (LPTHREAD_START_ROUTINE)(void *)routine, event, 0, 0) : 0;
  if (!thread)
    fprintf(stderr, "error %lu\n", GetLastError());
  return thread ? 0 : 1;
}
