# SPDX-License-Identifier: MIT
# Runs in the guest: the shop with a client that never rests, scap watch, and one fault;
# `sh alert.sh FAULT LEAD`. /share/watch.yaml is the configuration. The fault comes LEAD seconds after
# the recording's beginning, and once there is /share/go. What is left in /share/results: the captures,
# `list` of their directory, and what guest, client and hook wrote.

fault=$1 lead=$2
r=/share/results w=/tmp/watch
. /scap/shop.sh

uptime_s()
{
	cut -d. -f1 /proc/uptime
}

# patient SECONDS WHAT COMMAND...: until the command succeeds
patient()
{
	end=$(($(uptime_s) + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		usleep 100000
		[ "$(uptime_s)" -lt $end ] || { echo "waited too long for $what"; return 1; }
		kill -0 $watch || { echo "scap watch has ended"; return 1; }
	done
}

watch_start()
{
	mkdir $w
	cp /share/watch.yaml $w/
	[ ! -e /share/token ] || (umask 077; cat /share/token >$w/token)
	printf '#!/bin/sh\necho "$SCAP_TRIGGER $SCAP_SOURCE $SCAP_FILE" >>%s/hook.log\n' $w >$w/hook
	chmod 755 $w/hook
	: >$w/hook.log
	chown nobody $w/hook.log
	scap watch -c $w/watch.yaml >$w/watch.log 2>&1 &
	watch=$!
	patient 60 "scap watch to record" grep -q ": recording, " $w/watch.log
	t0=$(uptime_s)
}

clients()
{
	while [ ! -e $w/enough ]; do
		/tmp/bin/shop-client 8080 5
		usleep 100000
	done >$w/client
}

# The client's last line so far, into $1
client_says()
{
	usleep 1000000
	tail -1 $w/client >$r/$1
}

shop_prepare
watch_start
shop_open
clients &
patient 60 "the metrics to be read" test -e /share/go
while [ "$(uptime_s)" -lt $((t0 + lead)) ]; do
	usleep 100000
done
shop_usual
client_says before
shop_break "$fault" $r/truth
patient 60 "a capture" test -s $w/hook.log
client_says after
: >$w/enough
kill -TERM $watch
wait $watch
echo "scap watch exits with $?" >>$w/watch.log
shop_close
(cd $w/captures && find . -exec stat -c '%a %U %n' {} \;) >$r/list
cp $w/captures/*.scapz $w/*.log $r/
