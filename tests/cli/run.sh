#!/bin/sh
# SPDX-License-Identifier: MIT
# Command-line cases. A case is a file NAME.cmd: a shell script, run in a directory
# with the captures that gen makes and with $SCAP, $GEN (of which $GEN-ring is a sister) and $GOLDEN (tests/golden). Beside it lie NAME.out and NAME.err
# (missing: empty) and NAME.status (missing: 0), which must be met exactly. A script that cannot run
# here says why, and ends with status 77.
#	run.sh			all cases: a result line for each on standard output
#	run.sh NAME...		these; differences go to standard error
# SCAP=PROGRAM runs another one, GROUP=NAME stands before the cases' names then.
#	run.sh --record [NAME...]	takes what comes as what is expected: look at `git diff`
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
B=${B:-build}
case $B in /*) ;; *) B=$top/$B ;; esac
SCAP=${SCAP:-$B/scap}
group=${GROUP:-cli}
GEN=$B/cli/gen
GOLDEN=$top/tests/golden
export SCAP GEN GOLDEN
export TZ=UTC LC_ALL=C
unset NO_COLOR

record=
if [ "${1:-}" = --record ]; then
	record=1
	shift
fi
[ -x "$SCAP" ] && [ -x "$B/cli/gen" ] || { echo "FAIL cli scap or gen is not built"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/files"
"$GEN" "$work/files" || { echo "FAIL cli gen"; exit 1; }
sh "$here/spoil.sh" "$work/files" || { echo "FAIL cli spoil.sh"; exit 1; }

# WHAT EXPECTED GOT: whether they are the same; an empty result has no file.
same()
{
	if [ -n "$record" ]; then
		if [ -s "$3" ]; then cp "$3" "$2"; else rm -f "$2"; fi
		return 0
	fi
	[ -e "$2" ] || set -- "$1" /dev/null "$3"
	diff -u --label "expected $1" --label "got $1" "$2" "$3" >&2
}

rc=0
[ $# -gt 0 ] || set -- $(cd "$here" && ls -- *.cmd | sed 's/\.cmd$//')
for name; do
	case_file=$here/$name.cmd
	[ -f "$case_file" ] || { echo "FAIL $group/$name no such case"; rc=1; continue; }
	(cd "$work/files" && timeout -k 5 60 sh "$case_file") \
		> "$work/out" 2> "$work/err" < /dev/null
	echo $? > "$work/status"
	if [ "$(cat "$work/status")" = 77 ]; then
		echo "skip $group/$name $(head -n 1 "$work/out")"
		continue
	fi
	[ "$(cat "$work/status")" != 0 ] || : > "$work/status"
	ok=1
	same "$name.out" "$here/$name.out" "$work/out" || ok=
	same "$name.err" "$here/$name.err" "$work/err" || ok=
	same "$name.status" "$here/$name.status" "$work/status" || ok=
	if [ -n "$ok" ]; then
		echo "ok $group/$name"
	else
		echo "FAIL $group/$name differs (tests/cli/run.sh $name shows how)"
		rc=1
	fi
done
exit $rc
