#!/bin/sh
# Unpacks the Debian packages that the Linux image takes files from, and all they depend on, into /target. Runs in Dockerfile.linux:
#
#   linux-packages.sh amd64|arm64 [SNAPSHOT]
#
# The packages are those of the image's architecture, which may not be this machine's: none of their programs runs here.
set -eu
architecture=$1 snapshot=${2-}

if [ -n "$snapshot" ]; then
  rm -rf /etc/apt/sources.list.d/*
  for archive in debian:trixie debian-security:trixie-security; do
    echo "deb [check-valid-until=no] http://snapshot.debian.org/archive/${archive%:*}/$snapshot ${archive#*:} main"
  done > /etc/apt/sources.list
fi

# readelf reads the files of every architecture.
apt-get update
apt-get install --yes --no-install-recommends binutils

# A system of that architecture in which nothing is installed yet.
cat > /target.conf << END
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
Dir::State::status "/target.status";
Dir::State::lists "/target.lists";
Dir::Cache "/target.cache";
END
mkdir -p /target /target.lists/partial /target.cache/archives/partial
touch /target.status
export APT_CONFIG=/target.conf
apt-get update
apt-get install --yes --no-install-recommends --download-only iptables libssl3t64 libstdc++6

for package in /target.cache/archives/*.deb; do
  dpkg-deb --extract "$package" /target
done
