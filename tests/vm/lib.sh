# SPDX-License-Identifier: MIT
# Shared by the commands in this directory: packs an initramfs, boots Debian's kernel in QEMU,
# runs cases in it. Sourced; the caller has set `top`, the project's directory. VM_DEBUG=1 boots the
# kernel that looks for errors instead, with the module of build/debug.

PATH=$PATH:/usr/sbin:/sbin
build=${BUILD:-$top/build}
vm=$build/vm
here=$top/tests/vm

vm_group=guest
vm_kernel=
vm_module=$build/kscap.ko
# How many times longer than usual everything may take, in the guest, too.
vm_slow=1
vm_mem=${VM_MEM:-1536}
vm_cpus=${VM_CPUS:-2}
vm_append=${VM_APPEND:-}
# For a kernel that takes no unsigned module; the other way is module.sig_enforce=1.
vm_refuse=${VM_REFUSE:-lockdown=integrity}
# A directory that is copied to the guest's /share.
vm_on_share=
# That init loads.
vm_modules="virtio_pci 9pnet_virtio 9p vsock_loopback"
vm_accel=${VM_ACCEL:-tcg,thread=multi}
vm_accel_single=${VM_ACCEL:-tcg,thread=single}
if [ "${VM_DEBUG:-}" = 1 ]; then
	vm_group=guest-debug
	vm_kernel=$("$here/debug-kernel" --cached 2>/dev/null)/bzImage
	vm_module=$build/debug/kscap.ko
	vm_slow=4
	vm_mem=${VM_MEM:-3072}
	# On a busy host the check of the timer at boot fails, and a kernel without it panics.
	vm_append="no_timer_check watchdog_thresh=60 sysctl.kernel.hung_task_timeout_secs=300 $vm_append"
fi

# Many CPUs on a host of two: one that waits for another may wait long.
vm_many_cpus()
{
	vm_cpus=32
	vm_mem=${VM_MEM:-3072}
	vm_append="watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 $vm_append"
}

# Debian's systemd, see guest/systemd.sh, and what `make install` puts down; fails where that does.
vm_systemd()
{
	vm_append="boot=systemd $vm_append"
	vm_on_share=$vm/stage
	rm -rf "$vm_on_share"
	(cd "$top" && ${MAKE:-make} -s install B="${build#"$top"/}" PREFIX=/usr/local \
		DESTDIR="$vm_on_share") >"$vm/install.log" 2>&1 || return 1
	rm -rf "$vm_on_share/usr/local/include" "$vm_on_share"/usr/local/lib/libscap*
	strip "$vm_on_share/usr/local/bin/scap" "$vm_on_share/usr/local/libexec/scap/scap-watch"
}

# As vm_missing, for that boot.
vm_systemd_missing()
{
	[ -x /usr/lib/systemd/systemd ] || { echo "systemd is not installed"; return 1; }
	[ -x /usr/bin/kill ] || { echo "procps is not installed"; return 1; }
}

# What in a kernel log means that something is broken.
vm_bad='WARNING: |BUG:|Oops|[Cc]all [Tt]race|general protection fault|unable to handle|rcu.*stall'
vm_bad="$vm_bad|possible (circular|recursive)|inconsistent lock|INFO: task .*blocked|KASAN|UBSAN"
vm_bad="$vm_bad|soft lockup|hard LOCKUP|scheduling while atomic|Kernel panic|kmemleak: [0-9]|refcount_t:"

vm_die()
{
	echo "${0##*/}: $*" >&2
	exit 2
}

# The newest kernel that is there with its modules.
vm_version()
{
	for v in $(ls -1 /lib/modules 2>/dev/null | sort -rV); do
		if [ -r "/boot/vmlinuz-$v" ] && [ -d "/lib/modules/$v/kernel" ]; then
			echo "$v"
			return 0
		fi
	done
	return 1
}

# Says what is missing to boot a guest at all; succeeds when nothing is.
vm_missing()
{
	command -v qemu-system-x86_64 >/dev/null || { echo "qemu-system-x86_64 is not installed"; return 1; }
	command -v cpio >/dev/null || { echo "cpio is not installed"; return 1; }
	vm_busybox >/dev/null || { echo "busybox-static is not installed"; return 1; }
	if [ -n "$vm_kernel" ]; then
		[ -e "$vm_kernel" ] && return 0
		echo "the kernel was not built: tests/vm/debug-kernel"
		return 1
	fi
	command -v modprobe >/dev/null || { echo "kmod is not installed"; return 1; }
	vm_version >/dev/null || { echo "no kernel with modules under /boot and /lib/modules"; return 1; }
}

vm_busybox()
{
	for b in /bin/busybox /usr/bin/busybox; do
		[ -x "$b" ] && { echo "$b"; return 0; }
	done
	return 1
}

# A dynamically linked program with what it needs, into the tree $1.
vm_add_program()
{
	p=$(command -v "$2") || return 0
	mkdir -p "$1/usr/bin"
	cp -L "$p" "$1/usr/bin/"
	ldd "$p" 2>/dev/null | grep -o '/[^ ]*' | while read -r l; do
		mkdir -p "$1$(dirname "$l")"
		cp -L "$l" "$1$l"
	done
}

# Modules that init loads, and those that cases load.
vm_add_modules()
{
	[ -z "$vm_kernel" ] || return 0
	ver=$(vm_version)
	mkdir -p "$1/lib/modules"
	for m in $vm_modules; do
		modprobe -S "$ver" --show-depends "$m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r ko; do
		vm_add_module "$1" "$ko"
		echo "$name" >>"$1/lib/modules/order"
	done
	vm_add_module "$1" "$(modprobe -S "$ver" --show-depends overlay | sed -n 's/^insmod //p')"
}

vm_add_module()
{
	ko=${2% }
	name=${ko##*/}
	case $ko in
	*.xz) name=${name%.xz}; xz -dc "$ko" >"$1/lib/modules/$name" ;;
	*.zst) name=${name%.zst}; zstd -qdc "$ko" >"$1/lib/modules/$name" ;;
	*) cp "$ko" "$1/lib/modules/$name" ;;
	esac
}

# Debian's sysdig and its module, into the tree $1, where they are installed.
vm_add_sysdig()
{
	ko=$(find "/lib/modules/$(vm_version)/updates" -name 'scap.ko*' 2>/dev/null | head -1)
	[ -n "$ko" ] && command -v sysdig >/dev/null || return 0
	case $ko in
	*.xz) xz -dc "$ko" ;;
	*.zst) zstd -qdc "$ko" ;;
	*) cat "$ko" ;;
	esac >"$1/scap/sysdig.ko"
	vm_add_program "$1" sysdig
}

# The initramfs, uncompressed: unpacking costs an emulated CPU more than reading does.
# Optional argument: a directory whose contents go in on top.
vm_pack()
{
	tree=$(mktemp -d "$vm/tree.XXXXXX")
	mkdir -p "$tree/bin" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp" "$tree/share" \
		"$tree/etc" "$tree/scap/guest" "$tree/root"
	cp "$(vm_busybox)" "$tree/bin/busybox"
	cp "$here/guest/init" "$tree/init"
	cp "$here"/guest/*.sh "$tree/scap/"
	chmod 755 "$tree/init"
	vm_add_modules "$tree"
	vm_add_program "$tree" strace
	[ -z "$vm_kernel" ] || vm_add_program "$tree" stress-ng
	printf 'root:x:0:0::/root:/bin/sh\nshop:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' \
		>"$tree/etc/passwd"
	printf 'root:x:0:\nshop:x:1000:\nnogroup:x:65534:\n' >"$tree/etc/group"
	printf '127.0.0.1 localhost\n' >"$tree/etc/hosts"
	[ -e "$vm_module" ] && strip -g -o "$tree/scap/kscap.ko" "$vm_module"
	[ -e "$build/scap" ] && strip -o "$tree/scap/scap" "$build/scap"
	if [ -e "$build/scap-watch" ]; then
		vm_add_program "$tree" "$build/scap-watch"
		ln -s /usr/bin/scap-watch "$tree/scap/scap-watch"
	fi
	for f in "$build"/guest/*; do
		[ -f "$f" ] && [ -x "$f" ] && strip -o "$tree/scap/guest/${f##*/}" "$f"
	done
	[ -n "${1:-}" ] && cp -a "$1/." "$tree/"
	(cd "$tree" && find . | cpio -o -H newc -R 0:0 --quiet) >"$vm/initrd.tmp"
	mv "$vm/initrd.tmp" "$vm/initrd"
	rm -rf "$tree"
}

# The tool as it would be if it had been built for another version of the kernel's ABI.
vm_abi99()
{
	out=$build/guest/scap-abi99
	mkdir -p "$build/guest"
	[ "$out" -nt "$build/scap" ] && return 0
	(cd "$top" && ${CC:-cc} -std=gnu11 -O1 -static -DSCAP_ABI_VERSION=99 -DSCAP_VERSION='"abi99"' \
		-Ilibscap/include -Ilibscap -Idriver/uapi -o "$out" libscap/*/*.c tools/*.c \
		-lzstd -lz -lsodium -ljansson -lpthread) >"$vm/abi99.log" 2>&1 || rm -f "$out"
}

# One guest at a time: two would disturb each other's time limits.
vm_lock()
{
	mkdir -p "$vm"
	exec 9>"$vm/.lock"
	flock -n 9 || { echo "waiting for another guest to end" >&2; flock 9; }
}

vm_qemu=
vm_stop()
{
	[ -n "$vm_qemu" ] && kill "$vm_qemu" 2>/dev/null && wait "$vm_qemu" 2>/dev/null
	vm_qemu=
}

# vm_boot DIR SECONDS APPEND: boots, with DIR/share as the guest's /share, waits for its end. The
# host's /usr can be mounted, to read: tag usr.
# The console goes to DIR/console. 124 when it took longer than SECONDS.
vm_boot()
{
	trap 'vm_stop; exit 130' INT TERM HUP
	trap vm_stop EXIT
	setpriv --pdeathsig TERM timeout -k 5 "$2" \
	qemu-system-x86_64 -accel "$vm_accel" -cpu max -smp "$vm_cpus" -m "$vm_mem" \
		-nodefaults -nographic -no-reboot -serial "file:$1/console" \
		-kernel "${vm_kernel:-/boot/vmlinuz-$(vm_version)}" -initrd "$vm/initrd" \
		-fsdev "local,id=f,path=$1/share,security_model=none" \
		-device virtio-9p-pci,fsdev=f,mount_tag=share \
		-fsdev "local,id=usr,path=/usr,security_model=none,readonly=on,multidevs=remap" \
		-device virtio-9p-pci,fsdev=usr,mount_tag=usr \
		${VM_QEMU:-} -append "$(vm_cmdline) $3" </dev/null >"$1/qemu.log" 2>&1 9>&- &
	vm_qemu=$!
	echo "$vm_qemu" >"$1/pid"
	wait "$vm_qemu"
	rc=$?
	vm_qemu=
	trap - EXIT INT TERM HUP
	return $rc
}

vm_cmdline()
{
	echo "console=ttyS0 loglevel=5 panic=-1 panic_on_warn=1 oops=panic softlockup_panic=1" \
		"mitigations=off slow=$vm_slow $vm_append"
}

# The first line of a log that means something is broken; fails when there is none.
vm_first_bad()
{
	grep -aE "$vm_bad" "$@" 2>/dev/null | head -1 | tr -d '\r' | grep .
}

# What comes after the last line of file $1 that matches $2; all of it when none does.
vm_after()
{
	tr -d '\r' <"$1" | awk -v m="$2" '{ l[NR] = $0 } $0 ~ m { n = NR } END { while (++n <= NR) print l[n] }'
}

# Header lines of a case: "# timeout: 60".
vm_header()
{
	sed -n "s/^# $2: *//p" "$here/cases/$1" | head -1
}

vm_limit()
{
	t=$(vm_header "$1" timeout)
	echo $((${t:-60} * vm_slow))
}

# Whether the guest died of an error of QEMU's: with several threads it can go on executing the
# int3 that stood, for a moment, where the kernel switches a tracepoint on or off. All CPUs then
# stand at that place, of which the kernel's own memory already shows the new code. These are the
# functions that hold our tracepoints; a CPU that hangs in the module stands elsewhere. What an
# interrupt interrupted, whose registers come later in a trace, does not count.
vm_patched='syscall_trace_enter|syscall_exit_work|do_exit|copy_process|bprm_execve|asm_exc_int3'
vm_patched="$vm_patched|__send_signal_locked|get_signal|load_module|do_init_module|free_module"
vm_patched="$vm_patched|cgroup_attach_task|__schedule|try_to_wake_up|wake_up_new_task"
vm_patched="$vm_patched|exc_page_fault|do_user_addr_fault|delayed_put_task_struct"
vm_lost_patch()
{
	vm_after "$1" "== case $2\$" >"$1.last"
	grep -qE 'soft lockup|rcu.*stall' "$1.last" || return 1
	sed -n '/Hardware name:/{n;s/.*RIP: 0010://p}' "$1.last" >"$1.rips"
	[ -s "$1.rips" ] && ! grep -vqE "^($vm_patched)[.a-z0-9]*[+]0x" "$1.rips"
}

# vm_watch DIR: a guest that hangs is ended, a minute after its case should have been; all of its CPUs
# may hang with interrupts off, so that it can't say anything itself.
vm_watch()
{
	last= passed=0
	while sleep 5; do
		now=$(cat "$1/share/results/current" 2>/dev/null)
		passed=$((passed + 5))
		[ "$now" = "$last" ] || { last=$now; passed=0; }
		[ -n "$now" ] && [ $passed -gt $(($(vm_limit "$now") + 60 * vm_slow)) ] || continue
		: >"$1/hung"
		kill "$(cat "$1/pid")"
		return
	done
}

# vm_cases DIR SUFFIX APPEND CASE...: runs the cases in one boot, or in more if a guest dies.
# Prints a verdict for each: ok NAME, FAIL NAME why, skip NAME why.
vm_cases()
{
	dir=$1 suffix=$2 append=$3 again=
	shift 3
	rm -rf "$dir"
	mkdir -p "$dir/share/results" "$dir/share/cases"
	cp "$here"/cases/* "$dir/share/cases/"
	[ -z "$vm_on_share" ] || cp -a "$vm_on_share" "$dir/share/"
	while [ $# -gt 0 ]; do
		total=$((60 * vm_slow))
		: >"$dir/share/list"
		for c; do
			l=$(vm_limit "$c")
			total=$((total + l))
			echo "$c $l" >>"$dir/share/list"
		done
		rm -f "$dir/share/results/current"
		rm -f "$dir/hung"
		vm_watch "$dir" >/dev/null 2>&1 9>&- &
		watcher=$!
		vm_boot "$dir" "${VM_TIMEOUT:-$total}" "$append"
		boot_rc=$?
		kill $watcher 2>/dev/null
		wait $watcher 2>/dev/null
		[ ! -e "$dir/hung" ] || boot_rc=124
		while [ $# -gt 0 ] && [ -e "$dir/share/results/$1.verdict" ]; do
			vm_verdict "$dir" "$1" "$suffix"
			shift
		done
		if [ $# -gt 0 ] && [ "$again" != "$1" ] && vm_lost_patch "$dir/console" "$1"; then
			again=$1
			echo "QEMU lost a code change in $1$suffix, which runs again" >&2
		elif [ $# -gt 0 ]; then
			vm_died "$dir" "$1" "$suffix" $boot_rc
			shift
		elif bad=$(vm_after "$dir/console" "== end of cases" | vm_first_bad -); then
			echo "FAIL $vm_group/kernel-log$suffix $bad"
		fi
	done
}

vm_verdict()
{
	read -r word why <"$1/share/results/$2.verdict"
	echo "$word $vm_group/$2$3${why:+ $why}"
	[ "$word" != FAIL ] || tail -n 30 "$1/share/results/$2.out" | sed 's/^/   | /'
}

# The guest ended, or was ended, in the middle of a case.
vm_died()
{
	cp "$1/console" "$1/console.$2"
	why=$(vm_after "$1/console" "== case $2\$" | vm_first_bad -) || why="the guest ended without saying why"
	[ "$4" = 124 ] && why="the guest did not end in time"
	[ -e "$1/share/results/current" ] || why="$why; it never began a case"
	echo "FAIL $vm_group/$2$3 $why (see $1/console.$2)"
}
