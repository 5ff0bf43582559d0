#!/bin/sh
# Makes the release on GitHub, by gh: the tag's files, with the section of CHANGELOG.md as its text. The tag must be there.
set -eu
cd "$(dirname "$0")/../.."

version=$(tests/tools/version.sh)
(cd artifacts/release && sha256sum --check --quiet SHA256SUMS)
awk -v section="## $version," '/^## / { inside = index($0, section) == 1; next } inside' CHANGELOG.md |
  gh release create "v$version" artifacts/release/* --verify-tag --title "HostGw $version" --notes-file -
