#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian packages: deps.sh build | demo | alert | check | bench | debug. Installs what is missing when
# root, otherwise prints the line that does, and exits 1. What `check` and `alert` can do without is
# tried, too.
set -eu

watch="libmicrohttpd-dev libyaml-dev libjansson-dev libseccomp-dev libcap-dev"
build="gcc make libc6-dev libzstd-dev zlib1g-dev libsodium-dev linux-headers-amd64 $watch"
guest="linux-image-amd64 qemu-system-x86 busybox-static cpio kmod zstd"
real="git nginx python3 sqlite3"	# programs that are recorded in a guest
lint="sparse linux-source-6.1 perl xz-utils"
watch_tests="openssl"	# TLS; tests/unit/test_watch_*
systemd="systemd procps"	# runs in a guest, from here; tests/vm/guest/systemd.sh
other="binutils-s390x-linux-gnu qemu-user"	# tests/big-endian.sh
alert="prometheus prometheus-alertmanager"	# tests/vm/demo-alert; promtool
optional=
case "${1:-check}" in
build) list="$build" ;;
demo) list="$build $guest" ;;
alert) list="$build $guest"
	optional="$alert" ;;
check) list="$build $guest gcc-multilib clang libclang-rt-14-dev libcriterion-dev pkg-config strace $real"
	optional="$lint $other $watch_tests $alert $systemd" ;;
bench) list="$build $guest sysdig falcosecurity-scap-dkms" ;;
debug) list="$build $guest gcc-multilib strace stress-ng linux-source-6.1 xz-utils flex bison bc
	libelf-dev libssl-dev" ;;
*) echo "usage: deps.sh build|demo|alert|check|bench|debug" >&2; exit 1 ;;
esac

absent()
{
	for p; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || :) in
		installed) ;;
		*) printf ' %s' "$p" ;;
		esac
	done
}
# shellcheck disable=SC2086
missing=$(absent $list)
# shellcheck disable=SC2086
wanted=$(absent $optional)
[ -n "$missing$wanted" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	[ -z "$wanted" ] || echo "packages that would be of use:$wanted" >&2
	[ -n "$missing" ] || exit 0
	echo "missing packages:$missing" >&2
	echo "run: sudo apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing:$missing$wanted"
# Some come with a service of their name, which is neither started nor enabled here.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
apt-get -q update >&2
install="apt-get -q -y install --no-install-recommends"
# shellcheck disable=SC2086
[ -z "$missing" ] || $install $missing >&2
# shellcheck disable=SC2086
[ -z "$wanted" ] || $install $wanted >&2 || echo "not installed:$wanted"
for p in $missing $wanted; do
	[ ! -e "/lib/systemd/system/$p.service" ] || systemctl -q disable "$p" >&2 || :
done
