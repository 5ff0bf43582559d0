#!/bin/sh
# Prints what the program that was published last is made of, as SPDX 2.3: tests/tools/sbom.sh RID ARCHIVE
# Native AOT leaves no trace of packages in a program, so that scanners find none: these are what NuGet restored for it, and .NET's runtime.
set -eu
: "${SOURCE_DATE_EPOCH:?seconds since 1970}"
rid=$1 archive=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$("$root/tests/tools/version.sh")
sum=$(sha256sum "$archive" | cut -d ' ' -f 1)

# "NAME VERSION" of each package with code that is run (analyzers and compilers have none), and of the runtime.
packages() {
  awk -v target="\"net10.0/$rid\"" -F '"' '
    /^    "/ { inside = index($0, target) }
    inside && /^      "[^"]*\/[^"]*": \{/ { package = $2 }
    inside && /^        "runtime": \{/ { getline; if ($2 !~ /_\._$/) { sub("/", " ", package); print package } }
    /"name": "Microsoft\.NETCore\.App\.Runtime\./ { name = $4; getline; sub(/^\[/, "", $4); sub(/,.*/, "", $4); print name, $4 }
  ' "$root/src/HostGw/obj/project.assets.json" | LC_ALL=C sort -u
}

list=$(packages)
[ -n "$list" ] || { echo "src/HostGw/obj was not restored for $rid: make publish RID=$rid" >&2; exit 1; }
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "hostgw-$version-$rid",
  "documentNamespace": "https://spdx.org/spdxdocs/hostgw-$version-$rid-$sum",
  "creationInfo": { "created": "$(date -u -d "@$SOURCE_DATE_EPOCH" +%FT%TZ)", "creators": ["Tool: hostgw-sbom.sh"] },
  "packages": [
END
echo "$list" | while read -r name number; do
  cat <<END
    { "SPDXID": "SPDXRef-$name", "name": "$name", "versionInfo": "$number",
      "downloadLocation": "https://www.nuget.org/api/v2/package/$name/$number", "filesAnalyzed": false, "externalRefs": [
        { "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:nuget/$name@$number" }] },
END
done
cat <<END
    { "SPDXID": "SPDXRef-hostgw", "name": "hostgw", "versionInfo": "$version", "packageFileName": "$(basename "$archive")",
      "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "checksums": [{ "algorithm": "SHA256", "checksumValue": "$sum" }] }
  ],
  "relationships": [
END
echo "$list" | while read -r name number; do
  echo "    { \"spdxElementId\": \"SPDXRef-hostgw\", \"relationshipType\": \"CONTAINS\", \"relatedSpdxElement\": \"SPDXRef-$name\" },"
done
cat <<END
    { "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-hostgw" }
  ]
}
END
