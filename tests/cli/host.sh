# SPDX-License-Identifier: MIT
# For the cases of scap doctor: below host/ a machine on which all is well.
KO=$(dirname "$GEN")/ko
R=6.1.0-56-amd64
rm -rf host

# PATH TEXT
put() { mkdir -p "host$(dirname "$1")" && printf '%s\n' "$2" > "host$1"; }
# Lines about these checks, then the exit status.
look()
{
	names=$1
	shift
	$SCAP doctor --root host "$@" > look.out
	rc=$?
	grep -E "^[a-z]+ +($names):" look.out
	echo "exit $rc"
}

put /proc/sys/kernel/osrelease $R
put /proc/sys/kernel/version '#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2'
put /proc/sys/kernel/arch x86_64
put /proc/kallsyms '0000000000000000 T __traceiter_sys_exit
0000000000000000 T __traceiter_sys_enter'
put /proc/modules 'ext4 1000 1 - Live 0x0'
put /proc/self/status 'Name:	scap
CapEff:	000001ffffffffff'
put /proc/self/uid_map '         0          0 4294967295'
put /proc/meminfo 'MemTotal:       16384000 kB'
put /sys/kernel/security/lockdown '[none] integrity confidentiality'
put /sys/module/module/parameters/sig_enforce N
put /sys/devices/system/cpu/possible 0-7
put /sys/devices/system/clocksource/clocksource0/current_clocksource tsc
put /sys/devices/system/clocksource/clocksource0/available_clocksource 'tsc hpet acpi_pm '
put /boot/config-$R 'CONFIG_MODULES=y
CONFIG_TRACEPOINTS=y
CONFIG_HAVE_SYSCALL_TRACEPOINTS=y
# CONFIG_MODULE_SIG_FORCE is not set'
put /lib/modules/$R/build/Makefile ''
put /lib/modules/$R/modules.dep 'kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko
extra/kscap.ko:'
put /lib/modules/$R/extra/kscap.ko ''
$KO name=kscap "vermagic=$R SMP preempt mod_unload modversions " > host/lib/modules/$R/extra/kscap.ko
put /usr/bin/scap-watch ''
mkdir -p host/run host/var/lib/scap
