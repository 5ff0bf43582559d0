#!/bin/sh
# Writes the plain manifests from the chart: tests/tools/manifests.sh [FOLDER], by default deploy/.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$root/deploy}
helm=$("$root/tests/tools/kubectl.sh" helm)

# write FILE ABOUT [ARGUMENT…]
write() {
  file=$1 about=$2
  shift 2
  manifests=$("$helm" template hostgw "$root/charts/hostgw" --namespace hostgw-system --skip-tests "$@")
  {
    echo "# $about"
    echo '# Written by `make manifests` from charts/hostgw: change it there.'
    printf '%s\n' "$manifests" | grep -v '^# Source: '
  } > "$folder/$file"
}

mkdir -p "$folder/digest"
write hostgw.yaml 'HostGw on every Linux node: kubectl apply -f deploy/hostgw.yaml' --set namespace.create=true
write hostgw-windows.yaml 'The same on Windows nodes, in addition to hostgw.yaml. It has run under Wine only: see docs/windows.md.' \
  --set windows.enabled=true --show-only templates/daemonset-windows.yaml
write digest/digest.yaml 'The node digest, in addition to hostgw.yaml: see docs/scale.md.' --set digest.enabled=true \
  --show-only templates/digest-rbac.yaml --show-only templates/digest-policy.yaml --show-only templates/digest.yaml
write cleanup.yaml 'Removes what HostGw made from every Linux node: see docs/uninstall.md.' \
  --set cleanup.enabled=true,namespace.create=true --show-only templates/namespace.yaml --show-only templates/cleanup.yaml
