/* SPDX-License-Identifier: MIT */
/* The system calls that a recorder needs once it records. */
#define _GNU_SOURCE
#include "watch/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static const char *const allowed[] = {
	/* files: all below descriptors, or what owner and mode let the user have */
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek",
	"openat", "close", "close_range", "newfstatat", "fstat", "statx", "statfs", "fstatfs",
	"getdents64", "renameat2", "linkat", "unlinkat", "unlink", "ftruncate", "fallocate",
	"fsync", "fdatasync", "sync_file_range", "flock", "fadvise64", "access",
	"faccessat", "faccessat2", "readlinkat", "readlink", "getcwd", "sendfile",
	"copy_file_range",
	/* the device and descriptors */
	"ioctl", "fcntl", "dup", "dup2", "dup3", "pipe2", "poll", "ppoll", "select", "pselect6",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	"signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
	/* memory: nothing that could be executed, see below */
	"munmap", "mremap", "madvise", "brk", "msync", "mlock", "munlock", "mincore", "membarrier",
	/* threads */
	"futex", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "sched_yield",
	"sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
	"sched_get_priority_max", "sched_get_priority_min", "getcpu", "gettid", "getpid", "getppid",
	"exit", "exit_group", "restart_syscall", "arch_prctl",
	/* signals; who may be sent one is up to the uid */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigsuspend", "sigaltstack", "tgkill", "wait4", "waitid",
	/* time */
	"clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	/* sockets that are there; new ones come by accept */
	"accept", "accept4", "recvmsg", "recvfrom", "recvmmsg", "sendmsg", "sendto", "sendmmsg",
	"getsockopt", "setsockopt", "getsockname", "getpeername", "shutdown",
	/* about itself */
	"uname", "sysinfo", "getrandom", "getuid", "geteuid", "getgid", "getegid", "getresuid",
	"getresgid", "getgroups", "getrusage", "times", "getrlimit", "capget", "umask",
};

struct rule {
	const char *call;
	struct scmp_arg_cmp arg;
};

#define MASKED(n, mask, value) { n, SCMP_CMP_MASKED_EQ, mask, value }

static const struct rule rules[] = {
	{ "mmap", MASKED(2, PROT_EXEC, 0) },
	{ "mprotect", MASKED(2, PROT_EXEC, 0) },
	{ "clone", MASKED(0, CLONE_THREAD, CLONE_THREAD) },
	{ "prctl", MASKED(0, UINT32_MAX, PR_SET_NAME) },
	/* The limits of a process; to set them is not asked for here. */
	{ "prlimit64", { 2, SCMP_CMP_EQ, 0, 0 } },
	/* To send a datagram; to connect or to listen is not asked for. */
	{ "socket", MASKED(0, UINT32_MAX, AF_UNIX) },
};

/* 0 or -errno; *ret_name: of the call that it is about. */
static int add_all(scmp_filter_ctx ctx, const char **ret_name)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < sizeof(allowed) / sizeof(*allowed); i++) {
		*ret_name = allowed[i];
		rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
				      seccomp_syscall_resolve_name(allowed[i]), 0);
	}
	for (unsigned i = 0; !rc && i < sizeof(rules) / sizeof(*rules); i++) {
		*ret_name = rules[i].call;
		rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW,
					    seccomp_syscall_resolve_name(rules[i].call), 1,
					    &rules[i].arg);
	}
	if (rc)
		return rc;
	/* Its flags lie in memory, where no filter sees them: glibc takes clone instead. */
	*ret_name = "clone3";
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS),
				seccomp_syscall_resolve_name("clone3"), 0);
}

bool sandbox_seccomp(char *err, size_t cap)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const char *name = "";
	int rc;

	if (!ctx) {
		snprintf(err, cap, "seccomp: not enough memory");
		return false;
	}
	rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!rc)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!rc)
		rc = add_all(ctx, &name);
	if (rc) {
		snprintf(err, cap, "seccomp: cannot make a filter (%s): %s", name, strerror(-rc));
	} else {
		rc = seccomp_load(ctx);
		if (rc)
			snprintf(err, cap, "seccomp: the kernel refuses the filter: %s",
				 strerror(-rc));
	}
	seccomp_release(ctx);
	return !rc;
}
