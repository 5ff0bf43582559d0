#!/bin/sh
# Installs Debian packages whose program, or file, is missing: tests/tools/install.sh PROGRAM:PACKAGE…
set -eu
PATH=$PATH:/usr/sbin:/sbin

missing=
for pair; do
  [ -e "${pair%%:*}" ] || command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0

echo "Installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
install() { apt-get install --yes --quiet=2 --no-install-recommends $missing < /dev/null > /dev/null 2>&1; }
# The package lists of a fresh machine are empty or old.
install || { apt-get update --quiet=2 < /dev/null > /dev/null && install; } || {
  echo "apt-get could not install$missing: please install it and try again" >&2
  exit 1
}
