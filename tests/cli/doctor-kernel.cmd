. "$GOLDEN/../cli/host.sh"
put /proc/sys/kernel/osrelease 5.9.16
put /proc/sys/kernel/arch aarch64
put /proc/sys/kernel/version '#1 SMP PREEMPT_RT Debian'
put /proc/kallsyms '0000000000000000 T start_kernel'
put /proc/sys/kernel/modules_disabled 1
look 'kernel|architecture|preemption|tracepoints|headers|modules|module-file'
put /proc/sys/kernel/osrelease 5.10.0
put /sys/kernel/realtime 1
put /proc/sys/kernel/version '#1 SMP'
rm host/proc/kallsyms host/proc/sys/kernel/arch
look 'kernel|architecture|preemption|tracepoints'
put /proc/kallsyms '0000000000000000 T __traceiter_sys_enter'
look tracepoints
put /proc/kallsyms '0000000000000000 T __traceiter_sys_exit'
look tracepoints
rm host/proc/kallsyms
put /boot/config-5.10.0 'CONFIG_TRACEPOINTS=y'
rm -r host/proc/sys/kernel
put /proc/sys/kernel/osrelease 5.10.0
look 'preemption|tracepoints|modules'
rm -r host/proc host/sys host/run
look 'kernel|architecture|preemption|tracepoints|lockdown|modules|signatures|headers|module|module-file|permissions|device|rings|run|clock'
