#!/bin/sh
# SPDX-License-Identifier: MIT
# The measurable part of the house style: licence line first, lines of at most 100 columns, files
# of at most 700 lines, no blanks at line ends, nothing built inside the source tree.
set -u
cd "$(dirname "$0")/.." || exit 1
rc=0

bad() { echo "$*" >&2; rc=1; }

# A tab reaches the next multiple of 8; a character of several bytes is one column.
too_wide()
{
	expand "$1" | LC_ALL=C.UTF-8 awk 'length($0) > 100 { print FNR; exit }'
}

for f in $(find driver libscap tools tests -type f \( -name '*.[ch]' -o -name '*.def' \) | sort); do
	head -n 1 "$f" | grep -q 'SPDX-License-Identifier: ' || bad "$f: no SPDX line"
	line=$(too_wide "$f")
	[ -z "$line" ] || bad "$f:$line: more than 100 columns"
	case $f in
	*.def) ;;
	*) [ "$(wc -l < "$f")" -le 700 ] || bad "$f: more than 700 lines" ;;
	esac
	line=$(grep -n -m 1 '[[:blank:]]$' "$f" | cut -d: -f1)
	[ -z "$line" ] || bad "$f:$line: blanks at the end of the line"
done

for f in $(find tests .ci tools -type f \( -name '*.sh' -o -path '.ci/run' \) | sort); do
	sed -n 1,2p "$f" | grep -q 'SPDX-License-Identifier: ' || bad "$f: no SPDX line"
done

stray=$(find driver libscap tools tests -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
	-o -name '*.a' -o -name '*.d' \))
[ -z "$stray" ] || bad "built inside the source tree: $stray"
exit $rc
