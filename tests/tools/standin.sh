#!/bin/sh
# Builds the stand-in for Windows's own libraries (tests/native/standin): tests/tools/standin.sh linux|windows
# linux: artifacts/standin/libiphlpapi.so, for the tests of the Windows backend on Linux. windows: DLLs, to lie beside hostgw.exe under Wine.
set -eu
cd "$(dirname "$0")/../.."

out=artifacts/standin
mkdir -p "$out"
sources=$(ls tests/native/standin/*.c)
newer() { [ -e "$1" ] && [ -z "$(find tests/native/standin tests/tools/standin.sh -newer "$1" | head -n 1)" ]; }

case $1 in
  linux)
    tests/tools/install.sh gcc:gcc /usr/include/stdio.h:libc6-dev
    # shellcheck disable=SC2086 # a list of files
    newer "$out/libstandin.so" || gcc -std=gnu11 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -pthread -o "$out/libstandin.so" $sources
    ;;
  windows)
    tests/tools/install.sh x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64
    # shellcheck disable=SC2086
    newer "$out/iphlpapi.dll" || x86_64-w64-mingw32-gcc -std=gnu11 -O1 -Wall -Wextra -Werror -D_WIN32_WINNT=0x0A00 -shared -static-libgcc -o "$out/iphlpapi.dll" $sources -lws2_32
    ;;
esac
