# SPDX-License-Identifier: MIT
# Shared by the demos and what checks them.

# One of the three.
demo_fault()
{
	case $(($(od -An -N2 -tu2 /dev/urandom) % 3)) in
	0) echo mode ;;
	1) echo move ;;
	*) echo kill ;;
	esac
}

# demo_guest DIR SECONDS: a boot that runs DIR/share/start, which must leave DIR/share/results/done.
demo_guest()
{
	# QEMU with several threads at times goes on executing a tracepoint's old code: see vm_lost_patch.
	vm_accel=$vm_accel_single
	vm_boot "$1" "${VM_TIMEOUT:-$2}" ""
	if bad=$(vm_first_bad "$1/console"); then
		vm_die "kernel log: $bad (see $1/console)"
	fi
	[ -e "$1/share/results/done" ] || vm_die "the guest did not finish: see $1/console"
}

# Boots the shop with the faults $2... in one guest; results lie in $1/share/results/1.scapz, 1.truth
# and so on.
demo_boot()
{
	dir=$1
	shift
	rm -rf "$dir"
	mkdir -p "$dir/share/results"
	{
		echo 'mount -o remount,size=90% /tmp; insmod /scap/kscap.ko'
		i=0
		for f; do
			i=$((i + 1))
			echo "echo '== shop $i' >/dev/console; sh /scap/demo.sh /tmp/$i $f >/tmp/$i.log 2>&1"
		done
		echo 'rmmod kscap'
		echo 'cp /tmp/*.scapz /tmp/*.truth /tmp/*.rec /tmp/*.before /tmp/*.after /tmp/*.log /share/results/'
		echo 'sync; echo done >/share/results/done'
	} >"$dir/share/start"
	demo_guest "$dir" 150
	for f in "$dir"/share/results/*.scapz; do
		[ -s "$f" ] || vm_die "no capture came back: $(cat "$dir"/share/results/*.rec)"
	done
}

of_day()
{
	date -u -d "@${1%?????????}" +%H:%M:%S | tr -d '\n'
	echo ".${1#??????????}"
}

# demo_wrong TRUTH SENTENCE: what is wrong with the sentence, which must say who, what and when.
demo_wrong()
{
	read -r fault process pid what before after <"$1"
	say=$2
	case $say in
	*" $process ($pid) "*) ;;
	*) echo "it was $process ($pid)"; return ;;
	esac
	case $fault:$say in
	mode:*" set the mode of $what to 0"*) ;;
	move:*" moved $what to ${what%/*}/attic/"*) ;;
	kill:*" killed ${what%:*} (${what#*:}) with SIGKILL"*) ;;
	*) echo "it was $fault of $what" ;;
	esac
	at=$(printf '%s' "$say" | sed -n 's/^Cause: at \([0-9:.]*\) .*/\1/p')
	[ "$(printf '%s\n' "$(of_day "$before")" "$at" "$(of_day "$after")" | sort | sed -n 2p)" = "$at" ] ||
		echo "it was between $(of_day "$before") and $(of_day "$after"), not at $at"
}
