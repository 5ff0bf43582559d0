#!/bin/sh
# Runs the win-x64 build of hostgw under Wine, on the stand-in for what Wine lacks, and what tests/windows/verify.ps1 runs.
# The last line is the sum.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

tests/tools/install.sh /usr/lib/wine/wine64:wine64 x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64
tests/tools/standin.sh windows
RID=win-x64 make --no-print-directory publish
tests/tools/quietly.sh dotnet publish tests/HostGw.Windows.Tests -c Release -v quiet -nologo \
  -r win-x64 --self-contained -o artifacts/windows-tests
tests/tools/quietly.sh dotnet build tests/HostGw.Windows.Tests -c Release -v quiet -nologo

node=artifacts/windows-node
rm -rf "$node"
cp -r artifacts/hostgw-win-x64 "$node"
cp -r artifacts/windows-tests "$node/verify"
cp artifacts/standin/*.dll "$node"
cp artifacts/standin/*.dll "$node/verify"
for program in layout signal; do
  x86_64-w64-mingw32-gcc -Wall -Werror -o "$node/$program.exe" "tests/native/$program.c"
done

# A Windows of its own, as new; nobody else's programs run in it.
WINE=/usr/lib/wine/wine64 WINEPREFIX=$PWD/artifacts/wine WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES='iphlpapi=n,b;mshtml='
export WINE WINEPREFIX WINEARCH WINEDEBUG WINEDLLOVERRIDES
rm -rf "$WINEPREFIX"
mkdir -p "$WINEPREFIX"
trap '/usr/lib/wine/wineserver64 -k || true' EXIT
# Its own programs need Wine's library. .NET asks for Windows 10.
WINEDLLOVERRIDES='mshtml=' tests/tools/quietly.sh "$WINE" reg add 'HKCU\Software\Wine' /v Version /d win10 /f
"tests/HostGw.Windows.Tests/bin/Release/net10.0/HostGw.Windows.Tests" -noLogo -namespace- HostGw.Windows.Tests.OnWindows "$@" < /dev/null
