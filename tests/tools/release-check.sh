#!/bin/sh
# Whether the tree is what a release must be made of: tests/tools/release-check.sh [VERSION]; without one, of the version in the tag TAG.
set -eu
cd "$(dirname "$0")/../.."

version=${1:-${TAG-}}
version=${version#v}
echo "$version" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || {
  echo "'$version' is no version of three numbers: make release-check VERSION=1.2.3, or a tag such as v1.2.3." >&2
  exit 1
}

ready=true
wrong() {
  echo "$*" >&2
  ready=false
}

# expect FILE WHAT VALUES: at least one, and each is the version.
expect() {
  for value in ${3:-missing}; do
    [ "$value" = "$version" ] ||
      wrong "$1: $2 is $value, not $version: make version VERSION=$version, commit, tag that commit v$version."
  done
}

chart() { sed -n "s/^$1: *//p" charts/hostgw/Chart.yaml; }
label() { sed -n 's/.*org\.opencontainers\.image\.version="\([^"]*\)".*/\1/p' "$1"; }
expect Directory.Build.props Version "$(tests/tools/version.sh)"
expect charts/hostgw/Chart.yaml version "$(chart version)"
expect charts/hostgw/Chart.yaml appVersion "$(chart appVersion)"
for file in Dockerfile.linux Dockerfile.windows; do
  expect $file 'the label org.opencontainers.image.version' "$(label $file)"
done
for file in deploy/hostgw.yaml deploy/hostgw-windows.yaml deploy/digest/digest.yaml deploy/cleanup.yaml; do
  expect $file "the image's tag" "$(sed -n 's/.* image: localhost\/hostgw[a-z-]*:\(.*\)/\1/p' $file)"
done

# The newest section comes first: what it describes is what this tree has.
newest=$(sed -n 's/^## //p' CHANGELOG.md | head -n 1)
if ! grep -q "^## $version," CHANGELOG.md; then
  wrong "CHANGELOG.md has no section for $version: add '## $version, $(date +%F)' at the top, and what changed."
elif [ "${newest%%,*}" != "$version" ]; then
  wrong "CHANGELOG.md begins with '$newest', but the release is $version:" \
    "release what is described first, or merge that section into that of $version."
elif ! echo "${newest#*, }" | grep -Eqx '[0-9]{4}-[0-9]{2}-[0-9]{2}'; then
  wrong "CHANGELOG.md says '$newest': write the day of the release, '## $version, $(date +%F)'."
fi
$ready
