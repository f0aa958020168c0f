# SPDX-License-Identifier: MIT
# For cases about scap watch: sourced after case.sh.

mkdir -p /tmp/w
watch_pid=
watch_status=

# watch_start ARG...: until it records
watch_start()
{
	scap watch "$@" >watch.out 2>watch.err &
	watch_pid=$!
	i=0
	until grep -q 'scap watch: recording' watch.err; do
		i=$((i + 1))
		if [ $i -gt 300 ] || ! kill -0 $watch_pid 2>/dev/null; then
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
		if [ $i -gt 300 ]; then
			fail "there are no $1 captures: $(ls -a /tmp/w/captures | tr '\n' ' ')"
			return
		fi
		sleep 0.1
	done
}
