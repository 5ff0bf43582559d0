#!/bin/sh
# Builds both images from their Dockerfiles with buildah and no registry, for the tests, into artifacts/image:
#   linux/ windows/            the files in them
#   linux.json windows.json    what buildah says of them, with their configurations
#   digests                    of building the Linux image twice from the beginning
# tests/tools/image.sh arm64 builds the Linux image for arm64 instead, into artifacts/image-arm64:
#   linux/ linux.json          as above
#   target/                    all files of the Debian packages that the image takes files from
# Their bases are made here under the real names: Debian's from its packages (kept in artifacts/tools), that of Windows empty, as the real one nearly is.
# The program is what `make publish` made. hostgw.exe is a stand-in of no use: how a Windows program is published is not what is tested here. Needs root.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

architecture=${1:-amd64}
case $architecture in
  amd64) program=artifacts/hostgw images=artifacts/image layers= ;;
  arm64) program=artifacts/hostgw-linux-arm64 images=artifacts/image-arm64 layers=--layers ;;
esac

# What failed to be built must not be tested as it was before.
rm -rf "$images"
mkdir -p "$images"

# The tests render the chart.
tests/tools/kubectl.sh helm > /dev/null
tests/tools/install.sh buildah:buildah crun:crun mmdebstrap:mmdebstrap \
  /usr/share/containers/seccomp.json:golang-github-containers-common /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring

debian=artifacts/tools/debian-trixie.tar
mkdir -p artifacts/tools
[ -e $debian ] || {
  mmdebstrap --quiet --variant=apt --format=tar trixie $debian.part
  mv $debian.part $debian
}

machine=$(dpkg --print-architecture)
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

# build OS ARCHITECTURE TAG PROGRAM [ARGUMENT…]: as a user does who has published the program into a folder. Old buildahs must be told what they run on.
build() {
  os=$1 arch=$2 tag=$3 folder=$4
  shift 4
  store build --pull-never --timestamp 0 --platform "$os/$arch" --build-context "program=$folder" --build-arg REVISION=0123abc \
    --build-arg "BUILDPLATFORM=linux/$machine" --build-arg "BUILDARCH=$machine" -f "Dockerfile.$os" -t "$tag" "$@" .
}

# files TAG PLATFORM FOLDER [PATH]: copies the image's files, or those below PATH.
files() {
  container=$(store from --pull-never --platform "$2" "$1")
  rm -rf "$3"
  cp -a "$(store mount "$container")${4-}" "$3"
}

# show OS ARCHITECTURE TAG
show() {
  files "$3" "$1/$2" "$images/$1"
  store inspect --type image "$3" > "$images/$1.json"
}

digest() { store inspect --type image --format '{{println .FromImageDigest}}' "$1"; }

base docker.io/library/debian:trixie-slim linux $debian
# shellcheck disable=SC2086 # nothing, or one word
build linux "$architecture" localhost/hostgw:first "$program" $layers
show linux "$architecture" localhost/hostgw:first

if [ "$architecture" = arm64 ]; then
  build linux arm64 localhost/hostgw:files "$program" --layers --target files
  files localhost/hostgw:files linux/arm64 "$images/target" /target
  exit
fi

build linux amd64 localhost/hostgw:second "$program" --no-cache
{ digest localhost/hostgw:first && digest localhost/hostgw:second; } > "$images/digests"

mkdir "$work/windows"
echo 'stands in' | tee "$work/windows/hostgw.exe" > "$work/windows/hostgw.dll"
base mcr.microsoft.com/oss/kubernetes/windows-host-process-containers-base-image:v1.0.0 windows
build windows amd64 localhost/hostgw:windows "$work/windows"
show windows amd64 localhost/hostgw:windows
