#!/bin/sh
# SPDX-License-Identifier: MIT
# lint.sh MODULE KDIR: the kernel's own critics on the driver. sparse with the module's tree of
# links MODULE, and checkpatch --strict from Debian's source package. A line for each: ok, FAIL why,
# skip why; what they found goes to standard error.
set -u
cd "$(dirname "$0")/.." || exit 1
module=$1 kdir=$2
tar=/usr/src/linux-source-6.1.tar.xz
cache=${SCAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/scap}/checkpatch
rc=0

# What is asked of patches for the kernel, and can't be asked here. Everywhere: loops over consumers
# and rows of tables are macros that no parentheses can hold.
ignore=MACRO_ARG_REUSE,COMPLEX_MACRO
# compat.h only: it is the one place that asks for versions, with the kernel's constant on the right.
ignore_compat=LINUX_VERSION_CODE,CONSTANT_COMPARISON
# arch only: in registers, -ENOSYS is what the kernel puts there.
ignore_arch=ENOSYS
# uapi only: user space has no BIT_ULL, and what a field means stands beside it, on more than one
# line at times.
ignore_uapi=BIT_MACRO,BLOCK_COMMENT_STYLE

# The script and its word lists, taken out of the package once.
unpack()
{
	[ "$cache/checkpatch.pl" -nt "$tar" ] && return 0
	mkdir -p "$cache" &&
		tar -x -f "$tar" -C "$cache" --strip-components=2 linux-source-6.1/scripts/checkpatch.pl \
			linux-source-6.1/scripts/spelling.txt linux-source-6.1/scripts/const_structs.checkpatch &&
		touch "$cache/checkpatch.pl"
}

# patch_check IGNORED FILE...
patch_check()
{
	ignored=$1
	shift
	perl "$cache/checkpatch.pl" --strict --no-tree --no-summary --terse --show-types \
		--max-line-length=100 --ignore "$ignored" -f "$@" >&2 || rc=1
}

checkpatch()
{
	[ -e "$tar" ] || { echo "skip lint/checkpatch the package linux-source-6.1 is not installed"; return; }
	unpack || { echo "FAIL lint/checkpatch $tar can't be unpacked"; return; }
	rc=0
	# shellcheck disable=SC2046
	patch_check $ignore $(find driver -name '*.[ch]' ! -path '*/uapi/*' ! -path '*/arch/*' ! -name compat.h)
	patch_check $ignore,$ignore_arch driver/arch/*.h
	patch_check $ignore,$ignore_compat driver/compat.h
	# shellcheck disable=SC2046
	patch_check $ignore,$ignore_uapi $(find driver/uapi -name '*.h')
	[ $rc = 0 ] && echo "ok lint/checkpatch" || echo "FAIL lint/checkpatch see above"
}

sparse_check()
{
	command -v sparse >/dev/null || { echo "skip lint/sparse the package sparse is not installed"; return; }
	if out=$(make -s -C "$kdir" M="$module" KCFLAGS=-Werror C=2 \
		CHECK='sparse -Wsparse-error' modules 2>&1) &&
		! echo "$out" | grep -E '(warning|error):' >&2; then
		echo "ok lint/sparse"
	else
		echo "$out" | tail -n 40 >&2
		echo "FAIL lint/sparse see above"
	fi
}

lines=$(checkpatch; sparse_check)
echo "$lines"
case $lines in
*FAIL*) exit 1 ;;
esac
