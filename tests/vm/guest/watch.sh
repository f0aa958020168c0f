# SPDX-License-Identifier: MIT
# For cases about scap watch: sourced after case.sh.

umount /tmp/w/captures 2>/dev/null
rm -rf /tmp/w
mkdir /tmp/w
watch_pid=
watch_status=

# watch_start ARG...: until it records
watch_start()
{
	: >watch.err
	# What runs in the background has no standard input of its own.
	{ scap watch "$@" <&3 >watch.out 2>>watch.err & } 3<&0
	watch_pid=$!
	i=0
	until grep -q 'scap watch: recording' watch.err; do
		i=$((i + 1))
		if [ $i -gt $((300 * ${slow:-1})) ] || ! kill -0 $watch_pid 2>/dev/null; then
			fail "scap watch did not begin to record"
			cat watch.err
			finish
		fi
		sleep 0.1
	done
}

# Ends it as systemd would.
watch_stop()
{
	kill -TERM $watch_pid 2>/dev/null
	wait $watch_pid
	watch_status=$?
}

# watch_wait_files N: until so many captures are sealed
watch_wait_files()
{
	i=0
	while [ "$(ls /tmp/w/captures 2>/dev/null | grep -c 'scapz$')" -lt "$1" ]; do
		i=$((i + 1))
		if [ $i -gt $((300 * ${slow:-1})) ]; then
			fail "there are no $1 captures: $(ls -a /tmp/w/captures | tr '\n' ' ')"
			return
		fi
		sleep 0.1
	done
}

# watch_says REGEX [N]: until N lines (1) of its messages match
watch_says()
{
	i=0
	until [ "$(grep -cE -- "$1" watch.err)" -ge "${2:-1}" ]; do
		i=$((i + 1))
		if [ $i -gt $((100 * ${slow:-1})) ]; then
			fail "scap watch has not said '$1': $(tail -3 watch.err)"
			return
		fi
		sleep 0.1
	done
	pass
}

# metric NAME[{LABELS}]: its value now, over HTTP from $watch_http; empty: it is not there
watch_http=127.0.0.1:9466
metric()
{
	wget -q -O metrics "http://$watch_http/metrics" || return
	awk -v name="$1" 'index($0, name " ") == 1 { print $NF }' metrics
}

# healthy WHAT: /healthz says that it records
healthy()
{
	wget -q -O healthz "http://$watch_http/healthz" 2>healthz.err
	has "$1: /healthz" healthz '^recording: [0-9]+ events'
}

# watch_takes PREFIX: of the recorder: resident KiB in PREFIX_rss, without files, which the ring is, in
# PREFIX_anon; descriptors in PREFIX_fds
watch_takes()
{
	eval "$1_rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$watch_pid/status)"
	eval "$1_anon=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' /proc/$watch_pid/status)"
	eval "$1_fds=$(ls /proc/$watch_pid/fd | wc -l)"
}

# quiet_directory: nothing in it but whole captures, which `scap verify` finds sound
quiet_directory()
{
	eq "unfinished captures" "$(ls -A /tmp/w/captures | grep -vc 'scapz$')" 0
	for f in /tmp/w/captures/*.scapz; do
		[ ! -e "$f" ] || sound "$f"
	done
}
