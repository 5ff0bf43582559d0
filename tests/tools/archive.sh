#!/bin/sh
# Packs a folder so that the same files give the same bytes, whoever packs them and when: tests/tools/archive.sh FOLDER FILE
# FILE ends with .zip, or is a compressed tar. The time of everything in it is SOURCE_DATE_EPOCH.
set -eu
: "${SOURCE_DATE_EPOCH:?seconds since 1970}"
LC_ALL=C TZ=UTC
export LC_ALL TZ

folder=$1 name=$(basename "$1") file=$(realpath -m "$2")
install=$(realpath "$(dirname "$0")/install.sh")
rm -f "$file"
case $file in
  *.zip)
    "$install" zip:zip
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -r "$folder" "$copy/$name"
    chmod -R u=rwX,go=rX "$copy/$name"
    find "$copy/$name" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
    (cd "$copy" && find "$name" | sort | zip --quiet -X -@ "$file")
    ;;
  *)
    tar --create --directory "$(dirname "$folder")" --format ustar --sort name --mtime "@$SOURCE_DATE_EPOCH" \
      --owner 0 --group 0 --numeric-owner --mode u=rwX,go=rX "$name" | gzip --no-name --best > "$file"
    ;;
esac
