#!/bin/sh
# Prints the version; with an argument, writes it wherever the repository names it: tests/tools/version.sh [VERSION]
set -eu
cd "$(dirname "$0")/../.."

now=$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' Directory.Build.props)
[ $# -gt 0 ] || { echo "$now"; exit 0; }

echo "$1" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || { echo "'$1' is no version: make version VERSION=1.2.3" >&2; exit 1; }
# Not inside a longer number, such as an address.
old=$(echo "$now" | sed 's/\./\\./g')
sed -E -i "s/(^|[^0-9.])$old([^0-9.]|$)/\1$1\2/g" \
  Directory.Build.props charts/hostgw/Chart.yaml Dockerfile.linux Dockerfile.windows README.md docs/install.md
tests/tools/manifests.sh
