#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs groups of tests; each case becomes a line in build/results.txt: "ok NAME", "FAIL NAME why" or
# "skip NAME why". Called by make:
#	run-check.sh all
#	run-check.sh unit PROGRAM... [-- tsan PROGRAM...]
#	run-check.sh fuzz PROGRAM...
#	run-check.sh cli | examples | big-endian | guest | debug
# The last line is 'N passed, N failed, N skipped'; the exit status is 1 if any failed.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
MAKE=${MAKE:-make}
results=$B/results.txt
mkdir -p "$B/log"

say() { printf '%s\n' "$*"; }

# ok|FAIL|skip NAME [WHY]
result()
{
	printf '%s\n' "$*" >> "$results"
	case $1 in
	FAIL|skip) say "$*" ;;
	esac
}

# NAME SECONDS COMMAND...: one case, whose log is shown if it fails.
step()
{
	name=$1 limit=$2
	shift 2
	say "== $name"
	if timeout -k 10 "$limit" "$@" > "$B/log/$name.log" 2>&1 < /dev/null; then
		result ok "$name"
		return 0
	fi
	rc=$?
	tail -n 60 "$B/log/$name.log"
	result FAIL "$name" "(see $B/log/$name.log)"
	return 1
}

# A Criterion program: a case per test. Leaks are reported behind a test's "ok": look for them, too.
unit_one()
{
	prog=$1
	name=$(basename "$prog")
	log=$B/log/$name.log
	tap=$B/log/$name.tap
	rm -f "$tap"
	UBSAN_OPTIONS=print_stacktrace=1 timeout -k 10 300 "$prog" --tap="$tap" > "$log" 2>&1 < /dev/null
	rc=$?
	[ -f "$tap" ] || : > "$tap"
	sed -n -e 's/^ok - \([^ ]*\) .*# SKIP.*/skip unit\/\1 disabled/p;t' \
		-e 's/^ok - \([^ ]*\).*/ok unit\/\1/p' \
		-e "s|^not ok - \([^ ]*\).*|FAIL unit/\1 (see $log)|p" "$tap" > "$tap.lines"
	if ! grep -q . "$tap.lines"; then
		say "FAIL unit/$name ran no test (exit status $rc)" >> "$tap.lines"
	elif [ $rc != 0 ] && ! grep -q '^FAIL' "$tap.lines"; then
		say "FAIL unit/$name ended with status $rc" >> "$tap.lines"
	fi
	if grep -q -e 'ERROR: LeakSanitizer' -e 'ERROR: AddressSanitizer' -e 'runtime error:' "$log"; then
		say "FAIL unit/$name/sanitizer (see $log)" >> "$tap.lines"
	fi
	cat "$tap.lines" >> "$results"
	if grep -q '^FAIL' "$tap.lines"; then
		tail -n 60 "$log"
		grep '^FAIL' "$tap.lines"
	fi
	say "   $name: $(grep -c '^ok' "$tap.lines") ok"
}

run_unit()
{
	say "== unit"
	kind=unit
	for p; do
		case $p in
		--) continue ;;
		tsan) kind=tsan; continue ;;
		esac
		if [ ! -x "$p" ]; then
			result FAIL "$kind/$(basename "$p")" "did not build"
		elif [ $kind = unit ]; then
			unit_one "$p"
		else
			step "$(basename "$p")" 300 "$p" && say "   $(basename "$p"): ok"
		fi
	done
}

# Seeds are never written to; what the fuzzer finds goes below build/.
fuzz_one()
{
	prog=$1
	kind=$(basename "$prog" | sed 's/^fuzz_//')
	seconds=${FUZZ_SECONDS:-30}
	seeds=
	for d in "tests/fuzz/corpus/$kind" "tests/golden/$kind"; do
		[ -d "$d" ] && seeds="$seeds $d"
	done
	mkdir -p "$B/fuzz/found/$kind"
	# shellcheck disable=SC2086
	step "fuzz_$kind" $((seconds + 120)) "$prog" -max_total_time="$seconds" -timeout=20 \
		-rss_limit_mb=2048 -artifact_prefix="$B/fuzz/crash-$kind-" \
		"$B/fuzz/found/$kind" $seeds &&
		say "   $(grep -ao 'Done [0-9]* runs.*' "$B/log/fuzz_$kind.log" | tail -n 1)"
}

# Two at a time.
run_fuzz()
{
	pair=
	for p; do
		if [ ! -x "$p" ]; then
			result FAIL "$(basename "$p")" "did not build"
			continue
		fi
		fuzz_one "$p" &
		# shellcheck disable=SC2086
		if [ -n "$pair" ]; then wait $pair $!; pair=; else pair=$!; fi
	done
	# shellcheck disable=SC2086
	[ -z "$pair" ] || wait $pair
}

# Runners that print result lines themselves: GROUP COMMAND... What is not "ok" is shown as it comes.
lines_limit=5400
run_lines()
{
	group=$1
	shift
	say "== $group"
	if [ ! -x "$1" ] && [ "$1" != sh ]; then
		result FAIL "$group" "$1 is missing"
		return
	fi
	{ timeout -k 30 $lines_limit "$@" < /dev/null 2> "$B/log/$group.err"; echo $? > "$B/log/$group.rc"; } |
		tee "$B/log/$group.lines" | grep -v '^ok '
	rc=$(cat "$B/log/$group.rc")
	grep -E '^(ok|FAIL|skip) ' "$B/log/$group.lines" >> "$results"
	say "   $group: $(grep -c '^ok ' "$B/log/$group.lines") ok"
	if [ $rc != 0 ] && ! grep -q '^FAIL ' "$B/log/$group.lines"; then
		tail -n 40 "$B/log/$group.err"
		result FAIL "$group" "ended with status $rc"
	fi
	grep -qE '^(ok|FAIL|skip) ' "$B/log/$group.lines" || result FAIL "$group" "ran no case"
}

run_cli()
{
	run_lines cli sh tests/cli/run.sh
	SCAP=$(realpath "$B")/san/scap GROUP=cli-san run_lines cli-san sh tests/cli/run.sh
}

run_big_endian() { run_lines big-endian sh tests/big-endian.sh; }

# A kernel that looks for errors of ours, the module for it, and all cases there.
run_debug()
{
	step build 1200 $MAKE -j"$(nproc)" all guest-build || return
	step debug-kernel 5400 tests/vm/debug-kernel || return
	step debug-module 600 $MAKE B="$B/debug" KDIR="$(tests/vm/debug-kernel --cached)/kdir" module || return
	lines_limit=14400
	run_lines guest-debug tests/vm/check-debug
}

run_lint() { run_lines lint sh -c "$MAKE -s --no-print-directory lint"; }

# A guest under load for ten minutes, on the CPU that tests leave which run one after the other.
begin_soak()
{
	nice timeout -k 30 1800 tests/vm/check-soak >"$B/log/soak.out" 2>&1 </dev/null &
	soak=$!
	trap 'kill $soak 2>/dev/null' EXIT
	trap 'exit 130' INT TERM HUP
}
end_soak()
{
	wait $soak
	run_lines soak sh -c "cat '$B/log/soak.out'; exit $?"
	trap - EXIT INT TERM HUP
}

run_guest() { run_lines guest tests/vm/check; }

programs()
{
	for f in tests/$1/$2_*.c; do
		[ -f "$f" ] && printf '%s ' "$B/$3/$(basename "$f" .c)"
	done
}

run_all()
{
	jobs=$(nproc)
	step build 1200 $MAKE -k -j"$jobs" all guest-build
	step hdr-check 300 $MAKE hdr-check
	step style 300 $MAKE style
	step abi 300 sh tests/abi/run
	run_lint
	step install 300 sh tests/install.sh
	step build-tests 1200 $MAKE -k -j"$jobs" unit-build fuzz-build cli-build
	begin_soak
	# shellcheck disable=SC2046
	run_unit $(programs unit test unit) -- tsan $(programs unit tsan tsan)
	run_cli
	run_lines examples sh tests/examples/run.sh
	run_big_endian
	end_soak
	# shellcheck disable=SC2046
	run_fuzz $(programs fuzz fuzz fuzz)
	run_guest
}

: > "$results"
what=${1:-all}
[ $# = 0 ] || shift
case $what in
all) run_all ;;
unit) run_unit "$@" ;;
fuzz) run_fuzz "$@" ;;
cli) run_cli ;;
examples) run_lines examples sh tests/examples/run.sh ;;
big-endian) run_big_endian ;;
guest) run_guest ;;
debug) run_debug ;;
*) echo "run-check.sh: unknown group '$what'" >&2; exit 1 ;;
esac

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^FAIL ' "$results")
skipped=$(grep -c '^skip ' "$results")
[ "$failed" = 0 ] || { say; grep '^FAIL ' "$results"; }
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
