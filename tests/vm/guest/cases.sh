# SPDX-License-Identifier: MIT
# Runs in the guest: the cases of /share/list, each "NAME SECONDS", one after the other. For each
# it leaves NAME.verdict ("ok", "FAIL why", "skip why"), NAME.out and NAME.dmesg in
# /share/results.

results=/share/results
bad='WARNING: |BUG:|Oops|[Cc]all [Tt]race|general protection fault|unable to handle|rcu.*stall'
bad="$bad|possible (circular|recursive)|inconsistent lock|INFO: task .*blocked|KASAN|UBSAN"
bad="$bad|soft lockup|hard LOCKUP|scheduling while atomic|Kernel panic|kmemleak: [0-9]|refcount_t:"

# One case in a cgroup of its own, so that nothing of it survives.
run_case()
{
	cg=/sys/fs/cgroup/case
	mkdir -p $cg "/tmp/$1"
	(
		echo 0 >$cg/cgroup.procs
		cd "/tmp/$1" || exit 1
		export case=$1 keep=/tmp/$1/keep
		mkdir keep
		exec timeout -k 5 "$2" sh "/share/cases/$1" </dev/null
	) >/tmp/out 2>&1
	rc=$?
	echo 1 >$cg/cgroup.kill
	n=0
	while ! rmdir $cg 2>/dev/null && [ $n -lt 50 ]; do
		n=$((n + 1))
		usleep 100000
	done
	return $rc
}

# Unloads the module; it can only fail when a consumer was left behind.
unload()
{
	grep -q '^kscap ' /proc/modules || return 0
	n=0
	while ! rmmod kscap 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 30 ] || return 1
		usleep 100000
	done
}

# Why a case failed, in one line.
reason()
{
	if grep -q '^FAIL' /tmp/out; then
		grep '^FAIL' /tmp/out | head -1 | cut -c6-
	elif [ "$1" = 143 ] || [ "$1" = 137 ] || [ "$1" = 124 ]; then
		echo "did not end in time; last line: $(tail -1 /tmp/out)"
	else
		echo "exit code $1; last line: $(tail -1 /tmp/out)"
	fi
}

verdict()
{
	if grep -qE "$bad" /tmp/dmesg; then
		echo "FAIL kernel log: $(grep -E "$bad" /tmp/dmesg | head -1)"
	elif [ "$1" = 77 ]; then
		echo "skip $(tail -1 /tmp/out)"
	elif [ "$1" != 0 ]; then
		echo "FAIL $(reason "$1")"
	elif ! grep -qE '^[1-9][0-9]* checks passed$' /tmp/out; then
		echo "FAIL it ended without having checked anything"
	elif [ -n "$2" ]; then
		echo "FAIL $2"
	else
		echo ok
	fi
}

# What a case kept, and after a failure everything it made.
copy_out()
{
	[ "$2" = ok ] && from=/tmp/$1/keep || from=/tmp/$1
	[ -n "$(ls -A "$from" 2>/dev/null)" ] || return 0
	mkdir -p "$results/$1.d"
	[ "$(du -sk "$from" | cut -f1)" -lt 262144 ] && cp -r "$from/." "$results/$1.d/"
}

uptime_s()
{
	cut -d. -f1 /proc/uptime
}

dmesg -c >$results/boot.dmesg
while read -r name limit <&3; do
	echo "$name" >$results/current
	echo "== case $name" >/dev/console
	t0=$(uptime_s)
	trouble=
	if [ -e /scap/kscap.ko ] && ! grep -q '^# module: no' "/share/cases/$name"; then
		insmod /scap/kscap.ko || trouble="insmod failed"
	fi
	run_case "$name" "$limit"
	rc=$?
	unload || trouble="the module is still in use after the case"
	dmesg -c >/tmp/dmesg
	v=$(verdict $rc "$trouble")
	copy_out "$name" "$v"
	cp /tmp/out "$results/$name.out"
	cp /tmp/dmesg "$results/$name.dmesg"
	echo "$(($(uptime_s) - t0))" >"$results/$name.seconds"
	sync
	echo "$v" >"$results/$name.verdict"
	for m in $(awk -v d="/tmp/$name" 'index($2, d) == 1 { print $2 }' /proc/mounts); do
		umount "$m"
	done
	rm -rf "/tmp/$name"
	[ -z "$trouble" ] || break
done 3</share/list
echo "== end of cases" >/dev/console
