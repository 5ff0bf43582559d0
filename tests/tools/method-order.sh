#!/bin/sh
# Renews src/HostGw/methods.order: the methods that agents call in the demo and in some lab tests, in the order of their first calls. Those
# that are called again and again come first: heartbeats and probes find caches and the TLB cold each time, and these methods together
# take a quarter of the pages that they take among the others.
#
# Native AOT lays them out in this order, so that what is used lies together: the kernel maps 64 KB around each page of a program that is
# touched, and the methods that are used, a quarter of all, would keep nearly the whole program in memory. A name in the file that is no
# method any more does no harm, a method that is missing costs its page: renew it before a release, and when `make bench` shows more memory.
set -eu
cd "$(dirname "$0")/../.."
[ "$(uname -m)" = x86_64 ] || { echo 'It takes an x86-64 machine; the names are the same on arm64.' >&2; exit 2; }

program=artifacts/hostgw/hostgw
work=$(mktemp -d)
trap 'rm -rf "$work"; [ ! -e "$program.traced" ] || mv "$program.traced" "$program"' EXIT

make --no-print-directory install publish
gcc -O2 -Wall -Werror -o "$work/first-calls" tests/native/first-calls.c
objdump --syms --section=__managedcode "$program.dbg" | sed -n 's/^\([0-9a-f]*\) .* F __managedcode\t[0-9a-f]* *\(\.hidden \)\?/\1 /p' > "$work/functions"

mv "$program" "$program.traced"
cat > "$program" <<END
#!/bin/sh
exec "$work/first-calls" "$work/functions" "$work/called.\$(date +%s.%N)" "$PWD/$program.traced" "\$@"
END
chmod +x "$program"
tests/tools/quietly.sh dotnet build tests/HostGw.Lab.Tests -c Release -v quiet -nologo
lab=tests/HostGw.Lab.Tests/bin/Release/net10.0
"$lab/hostgw-lab" demo
# Events, nodes that come and go, repairs, the node digest, heartbeats. A test may fail because a traced agent is slow: what was called counts.
tests/tools/in-box.sh "$lab/HostGw.Lab.Tests" -noLogo -explicit on -class HostGw.Lab.Tests.EventTests -class HostGw.Lab.Tests.MembershipTests \
  -class HostGw.Lab.Tests.DriftTests -class HostGw.Lab.Tests.DigestTests -class HostGw.Lab.Tests.QuietTests || true

# The agent that did most first: its start is every agent's start.
list() {
  # shellcheck disable=SC2012 # names are ours
  ls -S "$work"/called.* | grep "$1"
}
# shellcheck disable=SC2046 # lists of paths
cat $(list '\.often$') $(list '[0-9]$') | awk '!seen[$0]++' > src/HostGw/methods.order
wc -l src/HostGw/methods.order
