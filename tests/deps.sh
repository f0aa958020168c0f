#!/bin/sh
# SPDX-License-Identifier: MIT
# Debian packages: deps.sh demo | check | bench. Installs what is missing when root, otherwise
# prints the line that does, and exits 1.
set -eu

build="gcc make libc6-dev libzstd-dev linux-headers-amd64"
guest="linux-image-amd64 qemu-system-x86 busybox-static cpio kmod zstd"
real="git nginx python3 sqlite3"	# programs that are recorded in a guest
case "${1:-check}" in
build) list="$build" ;;
demo) list="$build $guest" ;;
check) list="$build $guest gcc-multilib clang libclang-rt-14-dev libcriterion-dev pkg-config strace $real" ;;
bench) list="$build $guest sysdig falcosecurity-scap-dkms" ;;
*) echo "usage: deps.sh build|demo|check|bench" >&2; exit 1 ;;
esac

missing=
for p in $list; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || :) in
	installed) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "missing packages:$missing" >&2
	echo "run: sudo apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# Nothing that is installed here shall run as a service.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
echo "installing:$missing"
apt-get -q update >&2
# shellcheck disable=SC2086
apt-get -q -y install --no-install-recommends $missing >&2
