#!/bin/sh
# Builds both images from their Dockerfiles with buildah and no registry, for the tests, into artifacts/image:
#   linux/ windows/            the files in them
#   linux.json windows.json    what buildah says of them, with their configurations
#   digests                    of building the Linux image twice from the beginning
# Their bases are made here under the real names: Debian's from its packages (kept in artifacts/tools), that of Windows empty, as the real one nearly is.
# The program is what `make publish` made. hostgw.exe is a stand-in of no use: how a Windows program is published is not what is tested here. Needs root.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

# What failed to be built must not be tested as it was before.
rm -rf artifacts/image
mkdir -p artifacts/image

# The tests render the chart.
tests/tools/kubectl.sh helm > /dev/null
tests/tools/install.sh buildah:buildah crun:crun mmdebstrap:mmdebstrap \
  /usr/share/containers/seccomp.json:golang-github-containers-common /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring

debian=artifacts/tools/debian-trixie.tar
mkdir -p artifacts/tools
[ -e $debian ] || {
  mmdebstrap --quiet --variant=apt trixie $debian.part
  mv $debian.part $debian
}

work=$(mktemp -d)
store() { buildah --root "$work/storage" --runroot "$work/run" "$@"; }
trap 'store rm --all > /dev/null; rm -rf "$work"' EXIT
export BUILDAH_ISOLATION=chroot

# base NAME OS [TAR]
base() {
  container=$(store from scratch)
  store config --os "$2" "$container"
  [ -z "${3-}" ] || store add --quiet "$container" "$3" /
  store commit --quiet --rm "$container" "$1" > /dev/null
}

# build OS TAG PROGRAM [ARGUMENT…]: as a user does who has published the program into a folder.
build() {
  os=$1 tag=$2 program=$3
  shift 3
  store build --pull-never --timestamp 0 --platform "$os/amd64" --build-context "program=$program" --build-arg REVISION=0123abc \
    -f "Dockerfile.$os" -t "$tag" "$@" .
}

# show OS TAG
show() {
  container=$(store from --pull-never --platform "$1/amd64" "$2")
  rm -rf "artifacts/image/$1"
  cp -a "$(store mount "$container")" "artifacts/image/$1"
  store inspect --type image "$2" > "artifacts/image/$1.json"
}

digest() { store inspect --type image --format '{{println .FromImageDigest}}' "$1"; }

mkdir "$work/windows"
echo 'stands in' | tee "$work/windows/hostgw.exe" > "$work/windows/hostgw.dll"

base docker.io/library/debian:trixie-slim linux $debian
base mcr.microsoft.com/oss/kubernetes/windows-host-process-containers-base-image:v1.0.0 windows
build windows localhost/hostgw:windows "$work/windows"
show windows localhost/hostgw:windows
build linux localhost/hostgw:first artifacts/hostgw
show linux localhost/hostgw:first
build linux localhost/hostgw:second artifacts/hostgw --no-cache
{ digest localhost/hostgw:first && digest localhost/hostgw:second; } > artifacts/image/digests
