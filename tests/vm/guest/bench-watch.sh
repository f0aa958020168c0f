# SPDX-License-Identifier: MIT
# Runs in the guest of bench-watch: each recorder beside the same loads; output in /share/results.
# A nanosecond of run time is an instruction here. Lines of *.figures: "NAME WHAT NUMBER".

r=/share/results
url=http://127.0.0.1:9466/metrics
requests=2500
events="echo 0"	# so far recorded
mkdir -p /tmp/b /tmp/bin
cd /tmp/b || exit 1

# What all threads of a process have run so far.
run_by()
{
	cat /proc/$1/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f", n }'
}

# figure NAME WHAT NUMBER
figure()
{
	echo "$1 $2 $3" >>/tmp/all.figures
}

# metric NAME: of scap watch
metric()
{
	wget -qO- $url | awk -v n="$1" '$1 == n { printf "%.9f", $2 }'
}

# 0 to N triggers that nothing fires, of kinds as they are asked for, told apart by names.
triggers()
{
	echo "triggers:"
	i=0
	while [ $i -lt "$1" ]; do
		echo "  - name: t$i"
		case $((i % 10)) in
		0) echo "    builtin: http-5xx"
		   echo "    filter: proc.name != none$i" ;;
		1) echo "    builtin: crash" ;;
		2) echo "    builtin: oom" ;;
		3) echo "    filter: evt.type=connect and evt.res=ECONNREFUSED and fd.rport=$((9000 + i))"
		   echo "    count: 21"
		   echo "    within: 10s" ;;
		4) echo "    filter: evt.type in (fsync, fdatasync) and evt.latency > 500ms and proc.name=db$i" ;;
		5) echo "    filter: evt.type in (execve_enter, execveat_enter) and proc.name=server$i" ;;
		6) echo "    filter: evt.type in (open, openat, openat2) and fd.name startswith /etc/app$i" ;;
		7) echo "    filter: evt.type in (open, openat, openat2) and evt.failed=true and proc.name=app$i" ;;
		8) echo "    filter: evt.type in (chmod, fchmodat, rename, renameat2, unlink, unlinkat) and evt.args contains /srv/app$i" ;;
		9) echo "    filter: evt.type in (read, recvfrom) and evt.latency > 5s and proc.name=app$i" ;;
		esac
		i=$((i + 1))
	done
}

# Filters that name no call: each record has to be looked at.
wide()
{
	echo "triggers:"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		echo "  - name: t$i"
		echo "    filter: evt.failed=true and proc.name=app$i"
	done
}

# config SIGNALS: what all have in common
config()
{
	cat <<-END
	recording: {memory: 256M, ring: /tmp/w/ring}
	captures: {directory: /tmp/w/captures}
	control: {socket: /tmp/w/control}
	http: {listen: 127.0.0.1:9466}
	metrics: {signals: $1}
	END
}

wait_attached()
{
	while ! grep -q kscap /proc/$p/maps; do
		usleep 100000
	done
	settle 13
}

# settle SECONDS: a group waits ten seconds, and for events that come then.
settle()
{
	k=0
	while [ $k -lt $1 ]; do
		/bin/sleep 1
		k=$((k + 1))
	done
}

# load NAME LOAD COMMAND...: what the recorder $p runs for it, whenever it does, and the events that
# are recorded, less both without a load.
load()
{
	name=$1 which=$2
	shift 2
	e1=$($events) t1=$(now) c1=$(run_by $p)
	"$@" >/tmp/$name.$which.out 2>&1
	settle 13
	t2=$(now) c2=$(run_by $p) e2=$($events)
	t3=$(now) c3=$(run_by $p)
	settle 13
	t4=$(now) c4=$(run_by $p) e4=$($events)
	figure $name $which.idle $(awk "BEGIN { printf \"%.0f\", ($c4 - $c3) / ($t4 - $t3) * 1e9 }")
	figure $name $which.run $(awk "BEGIN { printf \"%.0f\", \
		$c2 - $c1 - ($c4 - $c3) / ($t4 - $t3) * ($t2 - $t1) }")
	figure $name $which.events $(awk "BEGIN { printf \"%.0f\", $e2 - $e1 - ($e4 - $e2) }")
}

# Of scap watch, what the ring takes, too.
watch_load()
{
	events="metric scap_events_total"
	b0=$(metric scap_ring_used_bytes)
	load "$@"
	figure $1 $2.bytes $(awk "BEGIN { printf \"%.0f\", $(metric scap_ring_used_bytes) - $b0 }")
	events="echo 0"
}

watch_begin()
{
	echo "== watch $1" >/dev/console
	rm -rf /tmp/w
	mkdir -p /tmp/w/captures
	scap watch -c /tmp/$1.yaml >/tmp/$1.out 2>/tmp/$1.err &
	p=$!
	wait_attached
}

watch_end()
{
	figure $1 lost $(metric scap_events_lost_total)
	figure $1 fired $(ls /tmp/w/captures | wc -l)
	wget -qO /tmp/$1.metrics $url
	kill -TERM $p
	wait $p
}

# With one after the other: calls of all kinds, then the shop.
watch_column()
{
	watch_begin $1
	watch_load $1 bench bench 2000
	watch_load $1 shop /tmp/bin/shop-client 8080 $requests
	watch_end $1
}

# record_column NAME FILE
record_column()
{
	echo "== record $1" >/dev/console
	scap record -a -j -o $2 >/tmp/$1.json 2>/tmp/$1.err &
	p=$!
	wait_attached
	load $1 bench bench 2000
	load $1 shop /tmp/bin/shop-client 8080 $requests
	kill -INT $p
	wait $p
	figure $1 lost "$(sed 's/.*"lost":\([0-9]*\).*/\1/' /tmp/$1.json)"
}

# paced_figures NAME: what the program of the last load says of itself
paced_figures()
{
	while read -r what n; do
		figure $1 paced.$what "$n"
	done <"$2"
}

# Seals: captures that end at any time in an epoch.
seals()
{
	watch_begin seals
	paced 20000 35 >/tmp/seals.paced &
	i=0
	while [ $i -lt 20 ]; do
		usleep $((i * 137000 % 1000000))
		scap trigger --socket /tmp/w/control --before 2s --after 500ms --wait >/dev/null 2>>/tmp/seals.err
		i=$((i + 1))
	done
	figure seals count $(metric scap_capture_seal_seconds_count)
	figure seals sum $(metric scap_capture_seal_seconds_sum)
	figure seals max $(metric scap_capture_seal_max_seconds)
	figure seals whole $(for f in /tmp/w/captures/*.scapz; do scap verify "$f" >/dev/null && echo; done | wc -l)
	wait $!
	watch_end seals
}

for f in shop-front shop-back shop-client; do
	ln -sf /scap/guest/shop /tmp/bin/$f
done
echo "tea 3.20" >/tmp/prices.csv
/tmp/bin/shop-back 8081 /tmp/prices.csv 1000 &
/tmp/bin/shop-front 8080 8081 &

paced 100000 4 >/tmp/base.paced
paced_figures base /tmp/base.paced
insmod /scap/kscap.ko
for c in nothing signals t10 t100 wide10; do
	config false >/tmp/$c.yaml
done
config true >/tmp/signals.yaml
triggers 10 >>/tmp/t10.yaml
triggers 100 >>/tmp/t100.yaml
wide >>/tmp/wide10.yaml
{ config true; triggers 10; } >/tmp/usual.yaml
cp /tmp/usual.yaml /tmp/seals.yaml
echo "  - {on: hand, name: hand, cool-down: 0}" >>/tmp/seals.yaml

record_column null /dev/null
record_column file /tmp/file.scapz
for c in nothing signals t10 t100 wide10; do
	watch_column $c
done
watch_begin usual
watch_load usual paced paced 100000 4
paced_figures usual /tmp/usual.paced.out
watch_end usual
seals
rmmod kscap
if [ -e /scap/sysdig.ko ]; then
	echo "== sysdig" >/dev/console
	insmod /scap/sysdig.ko
	sysdig -w /tmp/s.scap >/tmp/sysdig.out 2>&1 &
	p=$!
	sleep 3
	load sysdig paced paced 100000 4
	paced_figures sysdig /tmp/sysdig.paced.out
	kill -INT $p
	wait $p
	rmmod scap
fi
cp /tmp/all.figures $r/figures
cp /tmp/*.err /tmp/*.out /tmp/*.metrics /tmp/*.yaml $r/
sync
echo done >$r/done
