# SPDX-License-Identifier: MIT
# Sourced by the cases. A case works in an empty directory of its own and ends with `finish`.

n_checks=0
n_failed=0

pass()
{
	n_checks=$((n_checks + 1))
}

fail()
{
	n_failed=$((n_failed + 1))
	echo "FAIL $*"
}

# eq WHAT GOT WANTED
eq()
{
	if [ "$2" = "$3" ]; then pass; else fail "$1: '$2', should be '$3'"; fi
}

# num WHAT GOT OPERATOR WANTED, as test(1) compares numbers
num()
{
	if [ "$2" "$3" "$4" ] 2>/dev/null; then pass; else fail "$1: '$2', should be $3 '$4'"; fi
}

# check WHAT COMMAND...: the command must succeed
check()
{
	what=$1
	shift
	if "$@"; then pass; else fail "$what: '$*' exits with $?"; fi
}

# sound FILE: nothing is damaged, and what was lost is accounted for
sound()
{
	scap verify "$1" >verify.out
	rc=$?
	case $rc in
	0|4) pass ;;
	*) fail "$1 is not sound: verify exits with $rc"; cat verify.out ;;
	esac
}

# has WHAT FILE REGEX
has()
{
	if grep -qE -- "$3" "$2"; then
		pass
	else
		fail "$1: no line matches '$3' in $2"
		head -20 "$2"
	fi
}

# exits WANTED COMMAND...: output goes to the files out and err
exits()
{
	want=$1
	shift
	"$@" >out 2>err </dev/null
	got=$?
	if [ $got = "$want" ]; then
		pass
	else
		fail "'$*' exits with $got, should be $want"
		cat err
	fi
}

# one_sentence: err of the last `exits` is one line that says something
one_sentence()
{
	if [ "$(wc -l <err)" = 1 ] && [ "$(wc -w <err)" -ge 4 ]; then
		pass
	else
		fail "not one clear sentence: $(cat err)"
	fi
}

# wait_for WHAT COMMAND...: until the command succeeds, 20 s at most; the kernel that looks for
# errors is slower, which the kernel's command line says with slow=FACTOR
wait_for()
{
	what=$1
	shift
	n=0
	while ! "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		if [ $n -gt $((200 * ${slow:-1})) ]; then
			fail "waited too long for $what"
			return 1
		fi
		[ $n -gt 25 ] && usleep 100000 || usleep 20000
	done
}

# records WHAT FILE: waits until the recorder whose messages go to FILE records
records()
{
	wait_for "$1 to record" grep -q '^recording' "$2"
}

# start FILE ARG...: a recorder in the background, its id in $recorder; returns once it records.
start()
{
	file=$1
	shift
	rm -f rec.err
	scap record -o "$file" "$@" >rec.out 2>rec.err </dev/null &
	recorder=$!
	records "the recorder" rec.err
}

# stop [SIGNAL]: ends the recorder; its exit code in $stopped
stop()
{
	kill "-${1:-INT}" "$recorder"
	wait "$recorder"
	stopped=$?
}

# val FILE PATH: a number in JSON, 0 when it isn't there
val()
{
	jget get "$1" "$2" 0 2>/dev/null || echo 0
}

# told TRUTH JSON: each line of the file TRUTH is TYPE and KEY=VALUE..., of which exactly one event
# must have all. "__" in a value stands for a blank.
told()
{
	while read -r type keys; do
		set -- "$1" "$2" type="$type"
		for k in $keys; do
			set -- "$@" "$(echo "$k" | sed 's/__/ /g')"
		done
		truth=$1 json=$2
		shift 2
		n=$(jget count "$json" "$@")
		eq "$*" "$n" 1
		[ "$n" = 1 ] || jget show "$json" "type=$type" | cut -c1-600 | head -12
		set -- "$truth" "$json"
	done <"$1"
}

skip()
{
	echo "$*"
	exit 77
}

finish()
{
	[ $n_failed = 0 ] || exit 1
	echo "$n_checks checks passed"
	exit 0
}
