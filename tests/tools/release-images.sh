#!/bin/sh
# Builds both images with provenance and SBOM, by Docker's buildx: tests/tools/release-images.sh [REGISTRY]
# With a registry they are pushed, and artifacts/release-images/SHA256SUMS names what was pushed, in the form that actions/attest reads.
# Without one they are archives there (OCI), which nobody needs but to see that they can be built.
set -eu
cd "$(dirname "$0")/../.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
registry=${1-}
version=$(tests/tools/version.sh)
revision=$(git rev-parse HEAD)
out=artifacts/release-images
rm -rf "$out"
mkdir -p "$out"

# image NAME DOCKERFILE PLATFORMS [,OPTION]
image() {
  if [ -n "$registry" ]; then output=type=image,push=true; else output=type=oci,dest=$out/$1.tar; fi
  docker buildx build --platform "$3" -f "$2" --tag "${registry:-localhost}/$1:$version" --build-arg "REVISION=$revision" \
    --provenance=mode=max --sbom=true --output "$output${4-}" --metadata-file "$out/$1.json" .
  [ -z "$registry" ] || digest "$1" >> "$out/SHA256SUMS"
}

digest() {
  digest=$(sed -n 's/.*"containerimage\.digest": *"sha256:\([0-9a-f]*\)".*/\1/p' "$out/$1.json")
  [ -n "$digest" ] || { echo "$out/$1.json has no containerimage.digest" >&2; exit 1; }
  echo "$digest  $registry/$1"
}

image hostgw Dockerfile.linux linux/amd64,linux/arm64 ,rewrite-timestamp=true
# The layers of Windows's base keep their times: they are known by their digests.
image hostgw-windows Dockerfile.windows windows/amd64
[ -z "$registry" ] || cat "$out/SHA256SUMS"
