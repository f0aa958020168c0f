#!/bin/sh
# SPDX-License-Identifier: MIT
# The public symbols are written twice, as SCAP_API in the headers and in libscap.map: stops the
# build when these two and what the shared library really exports are not the same.
set -eu
so=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A declaration may break lines; its name stands before the first parenthesis.
cat libscap/include/scap/*.h | tr '\n' ' ' | grep -o 'SCAP_API [^(]*(' | grep -v __attribute__ |
	sed 's/ *($//; s/.*[ *]//' | sort -u > "$dir/headers"
grep -o 'scap_[a-z0-9_]*;' libscap/libscap.map | tr -d ';' | sort -u > "$dir/map"
nm -D --defined-only "$so" | awk '$2 == "T" || $2 == "D" || $2 == "R" || $2 == "B" { print $3 }' |
	sed 's/@.*//' | sort -u > "$dir/so"

rc=0
diff "$dir/headers" "$dir/map" > "$dir/diff" || {
	echo "SCAP_API (<) and libscap.map (>) differ:"; cat "$dir/diff"; rc=1; } >&2
diff "$dir/map" "$dir/so" > "$dir/diff" || {
	echo "libscap.map (<) and what $so exports (>) differ:"; cat "$dir/diff"; rc=1; } >&2
exit $rc
