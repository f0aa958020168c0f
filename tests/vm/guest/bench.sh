# SPDX-License-Identifier: MIT
# Runs in the guest of bench-kernel: the benchmark once for each column; output in /share/results.

n=4000
r=/share/results
mkdir -p /tmp/b
cd /tmp/b || exit 1

column()
{
	name=$1
	shift
	echo "== column $name" >/dev/console
	"$@" bench $n >/tmp/$name.bench 2>/tmp/$name.err
	echo "exit code $?" >>/tmp/$name.err
}

# What the process has run so far: nanoseconds, which are instructions here.
run_by()
{
	read -r ns _ </proc/$1/schedstat
	echo "$ns"
}

# recorded NAME ARG...: a column with a recorder of the whole machine beside it. The recorder may
# put work off until the benchmark is over: its own share is counted apart, three seconds longer.
recorded()
{
	name=$1
	shift
	scap record -a -j "$@" >/tmp/$name.json 2>/tmp/$name.rec &
	p=$!
	while ! grep -q kscap /proc/$p/maps; do
		usleep 100000
	done
	sleep 2
	before=$(run_by $p)
	column "$name"
	sleep 3
	echo "recorder $(($(run_by $p) - before))" >>/tmp/$name.bench
	kill -INT $p
	wait $p
}

column base
insmod /scap/kscap_f0.ko && column f0
rmmod kscap_f0
insmod /scap/kscap.ko
column idle
recorded refused --syscall reboot -o none
recorded k -o none
recorded e -o /tmp/e.scapz
scap info -j /tmp/e.scapz >/tmp/e.info
payload=$(sed -n 's/^payload //p' /tmp/e.bench)
scap read /tmp/e.scapz -p '%evt.num' "evt.type = write and evt.buffer contains \"$payload\"" \
	>/tmp/e.payload
rmmod kscap
if [ -e /scap/sysdig.ko ]; then
	insmod /scap/sysdig.ko
	sysdig -w /tmp/s.scap >/tmp/sysdig.out 2>&1 &
	p=$!
	sleep 3
	column sysdig
	kill -INT $p
	wait $p
	rmmod scap
fi
cp /tmp/*.bench /tmp/*.err /tmp/*.json /tmp/*.rec /tmp/e.info /tmp/e.payload /tmp/sysdig.out $r/ 2>/dev/null
[ "$(stat -c %s /tmp/e.scapz)" -lt 100000000 ] && cp /tmp/e.scapz $r/
sync
echo done >$r/done
