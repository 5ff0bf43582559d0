#!/bin/sh
# Makes the files of a release in artifacts/release: the program for each platform with its SBOM, the chart, the manifests, and SHA256SUMS
# of all. The archives depend on nothing but their files and the commit's time.
set -eu
cd "$(dirname "$0")/../.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
# MSBuild's: no path of this machine in any file.
ContinuousIntegrationBuild=true
export SOURCE_DATE_EPOCH ContinuousIntegrationBuild

version=$(tests/tools/version.sh)
out=artifacts/release
rm -rf "$out"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $(uname -m) in
  aarch64) host=linux-arm64 ;;
  *) host=linux-x64 ;;
esac
for rid in linux-x64 linux-arm64 win-x64; do
  RID=$rid make --no-print-directory publish
  name=hostgw-$version-$rid
  cp -r "artifacts/hostgw$([ $rid = $host ] || echo "-$rid")" "$work/$name"
  # Symbols are for debuggers, and twice as large as the program.
  rm -f "$work/$name"/*.dbg "$work/$name"/*.pdb
  case $rid in
    win*) archive=$out/$name.zip ;;
    *) archive=$out/$name.tar.gz ;;
  esac
  tests/tools/archive.sh "$work/$name" "$archive"
  tests/tools/sbom.sh "$rid" "$archive" > "$out/$name.spdx.json"
done

# helm packs with the time of day: packed again.
helm=$(tests/tools/kubectl.sh helm)
"$helm" package charts/hostgw --destination "$work" > /dev/null
mkdir "$work/chart"
tar xzf "$work/hostgw-$version.tgz" -C "$work/chart"
tests/tools/archive.sh "$work/chart/hostgw" "$out/hostgw-$version.tgz"

cp -r deploy "$work/hostgw-$version-manifests"
tests/tools/archive.sh "$work/hostgw-$version-manifests" "$out/hostgw-$version-manifests.tar.gz"

(cd "$out" && sha256sum hostgw-* > SHA256SUMS && cat SHA256SUMS)
