#!/bin/sh
# SPDX-License-Identifier: MIT
# files.sh [CAPTURE...]: sizes of captures and the time that questions take, beside sysdig's of the
# same events in the same run. CAPTURE: .scapz or .scap; by default $SCAP_SAMPLES/mixed.scap.zst.
# Seconds are the least of five runs, and only their ratio is worth anything.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
scap=${SCAP:-$top/build/scap}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
[ $# -gt 0 ] || set -- "${SCAP_SAMPLES:-$top/../shared/samples}/mixed.scap.zst"
command -v sysdig >/dev/null || { echo "sysdig is not installed: apt-get install sysdig" >&2; exit 2; }

# The least time of five, in ms.
ms()
{
	for _ in 1 2 3 4 5; do
		a=$(date +%s%N)
		"$@" >/dev/null 2>&1 || :
		b=$(date +%s%N)
		echo $(((b - a) / 10000))
	done | sort -n | head -1 | sed 's/\(..\)$/.\1/; s/^\./0./'
}

bytes()
{
	wc -c <"$1"
}

# ask WHAT OURS SYSDIGS
ask()
{
	ours=$(ms "$scap" read -q "$dir/x.scapz" $2)
	theirs=$(ms sysdig -r "$dir/x.scap" $3)
	awk -v w="$1" -v a="$ours" -v b="$theirs" \
		'BEGIN { printf "%-34s %9.1f ms %9.1f ms %8.1f\n", w, a, b, b / a }'
}

for c; do
	[ -r "$c" ] || { echo "no capture $c" >&2; exit 2; }
	"$scap" export --to scapz -o "$dir/x.scapz" -f "$c" 2>/dev/null
	"$scap" export --to scap --plain -o "$dir/x.scap" -f "$dir/x.scapz" 2>/dev/null
	sysdig -r "$dir/x.scap" -z -w "$dir/z.scap.gz" >/dev/null 2>&1
	"$scap" info -j "$dir/x.scapz" >"$dir/info"
	events=$(grep -o "\"stored\":[0-9]*" "$dir/info" | head -1 | cut -d: -f2)
	echo "== ${c##*/}: $events events"
	awk -v e="$events" -v a="$(bytes "$dir/x.scapz")" -v z="$(bytes "$dir/z.scap.gz")" 'BEGIN {
		printf "%-34s %9.2f bytes per event\n", "scapz", a / e
		printf "%-34s %9.2f bytes per event: scapz is %.2f of it\n", "sysdig -z", z / e, a / z }'
	printf '%-34s %12s %12s %8s\n' "" scap sysdig ratio
	ask "all events, nothing printed" "" "evt.type=nonesuch"
	ask "evt.type=execve" "evt.type=execve" "evt.type=execve"
	ask "evt.failed=true" "evt.failed=true" "evt.failed=true"
	ask "fd.name contains f33.txt" "fd.name contains f33.txt" "fd.name contains f33.txt"
	ask "proc.name=cc1" "proc.name=cc1" "proc.name=cc1"
done
