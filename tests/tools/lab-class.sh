#!/bin/sh
# Runs one class of the lab's tests in a box, and shows at its end what it wrote: tests/tools/lab-class.sh CLASS RESULTS
# RESULTS/CLASS.xml is its report, RESULTS/CLASS.status its exit code.
set -u
cd "$(dirname "$0")/../.." || exit 255
class=$1 results=$2

# How often the kernel refused a neighbour: the last column of each processor's line.
refused() {
  sum=0
  for last in $(sed -n 's/^[0-9a-f].* \([0-9a-f]*\) *$/\1/p' /proc/net/stat/arp_cache /proc/net/stat/ndisc_cache 2> /dev/null); do
    sum=$((sum + 0x$last))
  done
  echo $sum
}

before=$(refused)
{
  setpriv --pdeathsig TERM tests/tools/in-box.sh tests/HostGw.Lab.Tests/bin/Release/net10.0/HostGw.Lab.Tests -noLogo -noColor -reporter quiet \
    -class "$class" -result-xml "$results/$class.xml"
  echo $? > "$results/$class.status"
} > "$results/$class.log" 2>&1 < /dev/null

# One table serves all boxes of the machine, and what is lost in one because another filled it would be searched for in vain.
[ "$(refused)" -eq "$before" ] ||
  echo "$class: meanwhile the machine's neighbour table was full (gc_thresh3 of net.ipv4 or net.ipv6): packets were lost" >> "$results/$class.log"

seconds=$(sed -n 's/.*<assembly [^>]* time="\([0-9]*\).*/\1/p' "$results/$class.xml" 2> /dev/null | head -n 1)
echo "$class: ${seconds:-?} s" | cat - "$results/$class.log" > "$results/$class.shown"
# One at a time, or their lines would be mixed.
flock "$results" cat "$results/$class.shown"
