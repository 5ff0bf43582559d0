/* Answers that a test turns round on purpose: STANDIN_TURNED lists questions of tests/HostGw.Windows.Tests/OnWindows/Questions.cs. */
#ifndef TURNED_H
#define TURNED_H

#include <stdlib.h>
#include <string.h>

static inline int turned(const char *question) {
  const char *at = getenv("STANDIN_TURNED");
  size_t length = strlen(question);
  for (; at && *at; at += strcspn(at, " "), at += *at == ' ')
    if (strcspn(at, " ") == length && !strncmp(at, question, length))
      return 1;
  return 0;
}

#endif
