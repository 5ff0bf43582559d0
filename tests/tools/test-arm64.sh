#!/bin/sh
# Runs the linux-arm64 build of hostgw, its image and unit tests of what is pure, by qemu-user. The last line is the sum. Needs root.
# The agent does not run so: qemu-user knows no netlink groups.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin

tests/tools/install.sh ip:iproute2 qemu-aarch64-static:qemu-user-static
make --no-print-directory publish
RID=linux-arm64 make --no-print-directory publish
tests/tools/quietly.sh tests/tools/image.sh arm64
# Where the loader is looked for; in a Debian system the link is made at installation.
ln -s usr/lib artifacts/image-arm64/target/lib

unit=artifacts/unit-arm64
rm -rf $unit
tests/tools/quietly.sh dotnet publish tests/HostGw.Tests -c Release -v quiet -nologo -r linux-arm64 --self-contained \
  -p:ValidateExecutableReferencesMatchSelfContained=false -o $unit
tests/tools/quietly.sh dotnet build tests/HostGw.Arm64.Tests -c Release -v quiet -nologo

status=0
results=artifacts/test-results
mkdir -p $results
# A network interface with the address of the first of FakeApi's nodes.
tests/tools/in-box.sh sh -c '
  ip link add eth0 type veth peer name lan
  ip address add 172.16.0.1/12 dev eth0
  ip link set eth0 up && ip link set lan up
  exec "$@"' sh tests/HostGw.Arm64.Tests/bin/Release/net10.0/HostGw.Arm64.Tests -noLogo -result-xml $results/HostGw.Arm64.Tests.xml < /dev/null || status=1

# qemu-user runs .NET's just-in-time compiler only without separate mappings for writing code, and has no inotify.
# Slow tests are slow because they wait for time to pass, which is the same on every processor.
DOTNET_EnableWriteXorExecute=0 DOTNET_USE_POLLING_FILE_WATCHER=1 DOTNET_hostBuilder__reloadConfigOnChange=false \
  qemu-aarch64-static -L artifacts/image-arm64/target $unit/HostGw.Tests -noLogo -maxThreads 1 -trait- Speed=slow -result-xml $results/HostGw.Tests-arm64.xml \
  -namespace HostGw.Tests.Planning -namespace HostGw.Tests.Nodes -namespace HostGw.Tests.Settings -namespace HostGw.Tests.Reconciliation \
  < /dev/null || status=1

total() { cat $results/HostGw.Arm64.Tests.xml $results/HostGw.Tests-arm64.xml | sed -n "s/.*<assembly [^>]* $1=\"\([0-9]*\)\".*/\1/p" | awk "{ sum += \$1 } END { print sum + 0 }"; }
echo "$(total passed) passed, $(total failed) failed, $(total skipped) skipped"
exit $status
