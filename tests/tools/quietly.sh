#!/bin/sh
# Runs a command and shows what it wrote only if it failed.
out=$("$@" 2>&1 < /dev/null)
status=$?
[ $status -eq 0 ] || printf '%s\n' "$out" >&2
exit $status
