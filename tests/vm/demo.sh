# SPDX-License-Identifier: MIT
# Shared by demo and check-demo: boots the shop with the faults $2... in one guest; results lie in
# $1/share/results/1.scapz, 1.truth and so on.

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
			echo "echo '== shop $i' >/dev/console; sh /scap/shop.sh /tmp/$i $f >/tmp/$i.log 2>&1"
		done
		echo 'rmmod kscap'
		echo 'cp /tmp/*.scapz /tmp/*.truth /tmp/*.rec /tmp/*.before /tmp/*.after /tmp/*.log /share/results/'
		echo 'sync; echo done >/share/results/done'
	} >"$dir/share/start"
	# QEMU with several threads at times goes on executing a tracepoint's old code: see vm_lost_patch.
	vm_accel=$vm_accel_single
	vm_boot "$dir" "${VM_TIMEOUT:-150}" ""
	if bad=$(vm_first_bad "$dir/console"); then
		vm_die "kernel log: $bad (see $dir/console)"
	fi
	[ -e "$dir/share/results/done" ] || vm_die "the guest did not finish: see $dir/console"
	for f in "$dir"/share/results/*.scapz; do
		[ -s "$f" ] || vm_die "no capture came back: $(cat "$dir"/share/results/*.rec)"
	done
}
