# SPDX-License-Identifier: MIT
# Sourced by the cases stress-*: stressors of stress-ng run for their share of $stress_seconds while
# recorders of every kind come and go, several at a time, some of them killed. What is looked for is
# in the kernel's log.

. /scap/case.sh

# Recorder $1, one of seven kinds; $2 is a process for --pid, $3 the file.
one_recorder()
{
	case $(($1 % 7)) in
	0) exec scap record -q -a -d 2 --ring 1M -o "$3" ;;
	1) exec scap record -q -a -d 2 --ring 64K -s 65536 -o /dev/null ;;
	2) exec scap record -q -a -d 1 --ring 512K -s 0 --syscall openat,close,mmap,execve -o "$3" ;;
	3) exec scap record -q --pid "$2" -d 2 --ring 256K -s 4096 -o "$3" ;;
	4) exec scap record -q --cgroup /sys/fs/cgroup/case -d 2 --ring 128K -o "$3" ;;
	5) exec scap record -q -a -n 2000 -d 2 --ring 4M -s 200 -o none ;;
	6) exec scap record -q --force -d 2 --ring 64K -o "$3" -- count 2 2000 ;;
	esac
}

# A recorder's file ends well unless the recorder was killed; then it is cut, no worse.
look_at()
{
	[ -s "$1" ] || return 0
	scap info "$1" >info.out 2>info.err
	rc=$?
	if [ $rc = 0 ] || { [ "$2" = killed ] && [ $rc = 3 ]; }; then
		n_read=$((n_read + 1))
	else
		fail "scap info of a capture that was $2 exits with $rc: $(head -1 info.err)"
	fi
	rm -f "$1"
}

# Two recorders at a time, the third is killed after a moment.
round()
{
	(one_recorder $i $$ a.scapz) >/dev/null 2>rec.a &
	a=$!
	(one_recorder $((i + 3)) $$ b.scapz) >/dev/null 2>rec.b &
	b=$!
	(one_recorder $((i * 3 + 1)) $$ c.scapz) >/dev/null 2>rec.c &
	c=$!
	usleep $((100000 + i * 137000 % 1500000))
	kill -KILL $c 2>/dev/null
	wait $a || [ $? != 2 ] || n_refused=$((n_refused + 1))
	wait $b || [ $? != 2 ] || n_refused=$((n_refused + 1))
	wait $c
	look_at a.scapz whole
	look_at b.scapz whole
	look_at c.scapz killed
}

# stress NAME...: these stressors; $as_user is put before the command, to drop privileges
stress()
{
	options=
	for name; do
		options="$options --$name 1"
	done
	chmod 777 . /tmp
	seconds=$((${stress_seconds:-600} / 12))
	# QEMU with several threads loses a change of a tracepoint's code now and then: there one
	# recorder is always present, so that the probes stay where they are.
	[ "${anchor:-}" != 1 ] || scap record -q -a --ring 64K -s 0 -o none >/dev/null 2>anchor.err &
	anchor_pid=$!
	# shellcheck disable=SC2086
	${as_user:-} stress-ng --timeout "${seconds}s" --temp-path "$PWD" --metrics-brief --oomable \
		$options >stress.out 2>&1 &
	stressor=$!
	i=0
	n_read=0
	n_refused=0
	while [ -e /proc/$stressor ]; do
		i=$((i + 1))
		round
	done
	wait $stressor
	echo "stress-ng ends with $?; $i rounds, $n_read captures read, $n_refused recorders refused"
	[ "${anchor:-}" != 1 ] || { kill -INT $anchor_pid; wait $anchor_pid; }
	cp stress.out "$keep/"
	for name; do
		has "$name ran" stress.out "metrc:.* $name +[0-9]"
	done
	num "rounds of recorders" $i -ge 2
	num "captures read" $n_read -ge $i
	finish
}
