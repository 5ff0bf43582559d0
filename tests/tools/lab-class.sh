#!/bin/sh
# Runs one class of the lab's tests in a box, and shows at its end what it wrote: tests/tools/lab-class.sh CLASS RESULTS
# RESULTS/CLASS.xml is its report, RESULTS/CLASS.status its exit code.
set -u
cd "$(dirname "$0")/../.." || exit 255
class=$1 results=$2

{
  setpriv --pdeathsig TERM tests/tools/in-box.sh tests/HostGw.Lab.Tests/bin/Release/net10.0/HostGw.Lab.Tests -noLogo -noColor -reporter quiet \
    -class "$class" -result-xml "$results/$class.xml"
  echo $? > "$results/$class.status"
} > "$results/$class.log" 2>&1 < /dev/null

seconds=$(sed -n 's/.*<assembly [^>]* time="\([0-9]*\).*/\1/p' "$results/$class.xml" 2> /dev/null | head -n 1)
echo "$class: ${seconds:-?} s" | cat - "$results/$class.log" > "$results/$class.shown"
# One at a time, or their lines would be mixed.
flock "$results" cat "$results/$class.shown"
