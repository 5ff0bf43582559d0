#!/bin/sh
# Runs a command in a box: a network, mounts and processes of its own, on this machine.
#
#   tests/tools/in-box.sh COMMAND [ARGUMENT…]
#
# Nothing outside the box changes. When the command ends, or this script is interrupted or killed (also with -9), the
# kernel removes the box with all its network namespaces, interfaces, routes and processes. Needs root.
# To look inside while it runs, PID being the process id of this script:
#
#   nsenter --target PID --net --mount --pid=/proc/PID/root/run/box/pid COMMAND
set -eu
PATH=$PATH:/usr/sbin:/sbin

if [ "$1" != --inside ]; then
  LAB_BOX_PID=$$
  export LAB_BOX_PID
  unshare --net --mount true 2> /dev/null || {
    echo 'a box needs root with the right to make namespaces (in a container: --privileged)' >&2
    exit 2
  }
  exec unshare --net --mount -- sh "$0" --inside "$@"
fi
shift

# unshare made every mount private: these are seen only in the box.
mount -t tmpfs -o mode=755 box /run
mount -t sysfs sysfs /sys
mkdir /run/netns /run/box /run/box/tmp
mount --bind /run/box /run/box
mount --make-private /run/box
touch /run/box/pid
# The machine's own resolver must not matter in here. Its file may be a link to what is now hidden.
resolv=$(readlink -m /etc/resolv.conf)
case $resolv in
  /run/*) mkdir -p "${resolv%/*}" && touch "$resolv" ;;
esac
echo 'nameserver 172.16.53.53' > /run/box/resolv.conf
[ ! -e "$resolv" ] || mount --bind /run/box/resolv.conf "$resolv"
# Nor may the machine's own pods, nor its systemd-networkd.
for directory in /etc/cni /etc/systemd; do
  [ ! -d "$directory" ] || mount -t tmpfs -o mode=755 box "$directory"
done
ip link set lo up
TMPDIR=/run/box/tmp
export TMPDIR

# Ctrl-C goes to the command, too, which may want to say goodbye: wait for it.
trap : INT
# The first process of the box is a shell, because the first process of a PID namespace cannot be interrupted.
setpriv --pdeathsig KILL unshare --pid --fork --kill-child -- sh -c '
  mount --bind /proc/self/ns/pid /run/box/pid
  mount -t proc proc /proc
  "$@"
  exit $?' sh "$@"
