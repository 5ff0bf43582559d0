#!/bin/sh
# Completes /files, which has usr/bin/hostgw, with what hostgw needs from the packages in /target. Runs in Dockerfile.linux:
#
#   linux-files.sh SECONDS    the time that all files get, in seconds since 1970
set -eu
epoch=$1
lib=$(cd /target && echo usr/lib/*-linux-gnu)

mkdir -p /files/usr/sbin /files/usr/lib64 "/files/$lib/xtables" /files/etc
ln -s usr/bin usr/sbin usr/lib usr/lib64 /files/
echo 'hosts: files dns' > /files/etc/nsswitch.conf

# The programs that hostgw runs, and the extensions with which they can show everybody's rules.
for flavour in nft legacy; do
  cp "/target/usr/sbin/xtables-$flavour-multi" /files/usr/sbin/
  for action in '' -save -restore; do
    ln -s "xtables-$flavour-multi" "/files/usr/sbin/iptables-$flavour$action"
    ln -s "xtables-$flavour-multi" "/files/usr/sbin/ip6tables-$flavour$action"
  done
done
cp -a "/target/$lib"/xtables/libxt_* "/target/$lib"/xtables/libipt_* "/target/$lib"/xtables/libip6t_* "/files/$lib/xtables/"

# add PATH: a library, and all that it needs.
add() {
  [ -e "/files/$1" ] || {
    install -D "/target/$1" "/files/$1"
    add_needed "/files/$1"
  }
}

# add_needed FILE: the libraries that the file names (NEEDED), and the loader (the interpreter).
add_needed() {
  for name in $(readelf --dynamic "$1" | sed -n '/ld-linux/d; s/.*(NEEDED).*\[\(.*\)\]$/\1/p'); do
    add "$lib/$name"
  done
  interpreter=$(readelf --program-headers "$1" | sed -n 's/.*interpreter: \/\(.*\)\]$/\1/p')
  [ -z "$interpreter" ] || add "usr/$interpreter"
}

for file in /files/usr/bin/hostgw /files/usr/sbin/xtables-*-multi "/files/$lib"/xtables/*.so; do
  add_needed "$file"
done
# hostgw loads it by itself.
add "$lib/libssl.so.3"

# For scanners, and for the licences.
mkdir -p /files/var/lib/dpkg/status.d
for deb in /target.cache/archives/*.deb; do
  package=$(dpkg-deb --field "$deb" Package)
  dpkg-deb --fsys-tarfile "$deb" | tar --list | sed -n 's/^\.\/\(.*\(lib\|sbin\).*[^/]\)$/\1/p' | while read -r path; do
    [ ! -f "/files/$path" ] || echo "$path"
  done | grep -q . || continue
  dpkg-deb --field "$deb" | sed '/^Package:/a Status: install ok installed' > "/files/var/lib/dpkg/status.d/$package"
  install -D -m 644 "/target/usr/share/doc/$package/copyright" "/files/usr/share/doc/$package/copyright"
done
find /files -exec touch --no-dereference --date="@$epoch" {} +
