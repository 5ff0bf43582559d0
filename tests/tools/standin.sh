#!/bin/sh
# Builds the stand-in for Windows's own libraries (tests/native/standin): tests/tools/standin.sh linux|windows
# linux: artifacts/standin/libiphlpapi.so, for the tests of the Windows backend on Linux. windows: DLLs, to lie beside hostgw.exe under Wine.
set -eu
cd "$(dirname "$0")/../.."

out=artifacts/standin
mkdir -p "$out"
network=$(ls tests/native/standin/*.c | grep -v hcn.c)
hcn=tests/native/standin/hcn.c
newer() { [ -e "$1" ] && [ -z "$(find tests/native/standin tests/tools/standin.sh -newer "$1" | head -n 1)" ]; }
flags='-std=gnu11 -O1 -Wall -Wextra -Werror -shared'
windows="x86_64-w64-mingw32-gcc $flags -D_WIN32_WINNT=0x0A00 -static-libgcc"

# shellcheck disable=SC2086 # lists of words
case $1 in
  linux)
    tests/tools/install.sh gcc:gcc /usr/include/stdio.h:libc6-dev
    newer "$out/libstandin.so" || gcc $flags -fPIC -fvisibility=hidden -pthread -o "$out/libstandin.so" $network $hcn
    ;;
  windows)
    tests/tools/install.sh x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64
    newer "$out/computenetwork.dll" || {
      $windows -o "$out/iphlpapi.dll" $network -lws2_32
      $windows -o "$out/computenetwork.dll" $hcn "$out/iphlpapi.dll" -lole32
    }
    ;;
esac
