#!/bin/sh
# Version 1, as `make publish` made it then, with its manifest, into artifacts/hostgw-v1: what `make test-upgrade` upgrades from and goes back to.
# It is kept: remove artifacts/hostgw-v1 to build it again.
set -eu
cd "$(dirname "$0")/../.."

commit=9737e57
out=$PWD/artifacts/hostgw-v1
[ ! -e "$out/hostgw.yaml" ] || exit 0
git cat-file -e "$commit^{commit}" 2> /dev/null || {
  echo "the history of this clone does not reach version 1 ($commit): git fetch --unshallow" >&2
  exit 1
}

# Not below this directory, whose Directory.Build files would count.
source=$(mktemp -d)
remove() { git worktree remove --force "$source"; }
trap remove EXIT
trap 'exit 1' INT TERM
git worktree add --quiet --detach "$source" "$commit"
make --no-print-directory -C "$source" publish
mkdir -p artifacts
rm -rf "$out"
cp -r "$source/artifacts/hostgw" "$out"
cp "$source/deploy/hostgw.yaml" "$out/"
