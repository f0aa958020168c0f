/* SPDX-License-Identifier: MIT */
/* calls_proc: calls about identities, scheduling, time, signals and processes; see rawcall.h. */
#include "rawcall.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 0x7ffffff	/* no process has this number */

static char buf[8192];
static struct { unsigned version; int pid; } cap_header = { 0x20080522, 0 };
static struct { unsigned version; int pid; } bad_header = { 0x1234, 0 };
static unsigned cap_data[6];
static struct sched_param no_param;
static unsigned attr[14] = { sizeof(attr) };	/* struct sched_attr: SCHED_OTHER */
static struct rlimit core = { 0, RLIM_INFINITY }, bad_limit = { 2, 1 };
static struct timespec no_time, soon = { 0, 1000 }, bad_time = { 0, -1 };
static struct itimerval no_timer, bad_timer = { { 0, -1 }, { 0, 0 } };
static struct itimerspec no_spec;
static struct timex timex;
static struct timex bad_timex = { .modes = 0x4000000 };
static unsigned long long none, usr1 = 1 << (SIGUSR1 - 1), usr2 = 1 << (SIGUSR2 - 1);
static int timer, words[4];
static siginfo_t queued = { .si_code = SI_QUEUE };
static stack_t no_stack = { .ss_flags = SS_DISABLE }, small_stack = { .ss_size = 1 };
static struct { void *handler; unsigned long flags; void *restorer; unsigned long long mask; }
	ignore = { SIG_IGN, 0, NULL, 0 };

static const struct row identity[] = {
	C(getpid, OK), C(gettid, OK), C(getppid, OK), C(getpgrp, OK),
	C(getuid, 0), C(geteuid, 0), C(getgid, 0), C(getegid, 0),
	C(getpgid, OK, I(0)),
	C(getpgid, -ESRCH, I(NOBODY)),
	C(getsid, OK, I(0)),
	C(getsid, -ESRCH, I(NOBODY)),
	C(setpgid, -ESRCH, I(NOBODY), I(0)),
	C(setpgid, -EINVAL, I(0), I(-1)),
	C(getgroups, OK, I(0), P(NULL)),
	C(getgroups, -EINVAL, I(-1), P(words)),
	C(setgroups, 0, I(0), P(NULL)),
	C(setgroups, -EINVAL, I(70000), P(words)),
	C(getresuid, 0, P(words), P(words + 1), P(words + 2)),
	C(getresuid, -EFAULT, L(8), P(words + 1), P(words + 2)),
	C(getresgid, 0, P(words), P(words + 1), P(words + 2)),
	C(getresgid, -EFAULT, L(8), P(words + 1), P(words + 2)),
	C(setuid, 0, I(0)), C(setuid, -EINVAL, I(-1)),
	C(setgid, 0, I(0)), C(setgid, -EINVAL, I(-1)),
	C(setreuid, 0, I(-1), I(0)), C(setregid, 0, I(0), I(-1)),
	C(setresuid, 0, I(-1), I(-1), I(-1)), C(setresgid, 0, I(0), I(0), I(0)),
	C(setfsuid, 0, I(0)), C(setfsgid, 0, I(-1)),
	C(capget, 0, P(&cap_header), P(cap_data)),
	C(capget, -EINVAL, P(&bad_header), P(cap_data)),
	C(capset, -EFAULT, P(&cap_header), L(8)),
	C(personality, OK, I(0xffffffff)),
	C(uname, 0, P(buf)), C(uname, -EFAULT, L(8)),
	C(sethostname, -EINVAL, P(buf), I(-1)),
	C(setdomainname, -EFAULT, L(8), I(4)),
	C(sysinfo, 0, P(buf)), C(sysinfo, -EFAULT, L(8)),
	C(getcpu, 0, P(words), P(words + 1), P(NULL)),
	C(getrandom, 16, P(buf), L(16), I(1 /* GRND_NONBLOCK */)),
	C(getrandom, -EINVAL, P(buf), L(16), I(0x80)),
	C(prctl, 0, I(PR_SET_NAME), P("scap-calls"), L(0), L(0), L(0)),
	C(prctl, 0, I(PR_GET_NAME), P(buf), L(0), L(0), L(0)),
	C(prctl, 1, I(PR_GET_DUMPABLE), L(0), L(0), L(0), L(0)),
	C(prctl, 0, I(PR_SET_PDEATHSIG), L(0), L(0), L(0), L(0)),
	C(prctl, -EINVAL, I(9999), L(1), L(2), L(3), L(4)),
	C(set_tid_address, OK, P(words)),
	C(kcmp, -ESRCH, I(NOBODY), I(NOBODY), I(KCMP_FILE), L(0), L(1)),
	C(pidfd_open, -ESRCH, I(NOBODY), I(0)),
	C(pidfd_open, -EINVAL, I(1), I(0x1000000)),
	C(pidfd_getfd, -EBADF, I(99), I(1), I(0)),
	C(pidfd_send_signal, -EBADF, I(99), I(SIGTERM), P(NULL), I(0)),
};

static const struct row scheduling[] = {
	C(sched_yield, 0),
	C(sched_getscheduler, SCHED_OTHER, I(0)),
	C(sched_getscheduler, -ESRCH, I(NOBODY)),
	C(sched_setscheduler, 0, I(0), I(SCHED_BATCH), P(&no_param)),
	C(sched_setscheduler, -EINVAL, I(0), I(99), P(&no_param)),
	C(sched_getparam, 0, I(0), P(buf)),
	C(sched_getparam, -EINVAL, I(-1), P(buf)),
	C(sched_setparam, 0, I(0), P(&no_param)),
	C(sched_setparam, -EFAULT, I(0), L(8)),
	C(sched_get_priority_max, 99, I(SCHED_FIFO)),
	C(sched_get_priority_max, -EINVAL, I(99)),
	C(sched_get_priority_min, 0, I(SCHED_IDLE)),
	C(sched_get_priority_min, -EINVAL, I(99)),
	C(sched_rr_get_interval, 0, I(0), P(buf)),
	C(sched_rr_get_interval, -ESRCH, I(NOBODY), P(buf)),
	C(sched_getaffinity, OK, I(0), I(1024), P(buf)),
	C(sched_getaffinity, -EINVAL, I(0), I(3), P(buf)),
	C(sched_setaffinity, -EFAULT, I(0), I(8), L(8)),
	C(sched_getattr, 0, I(0), P(buf), I(56), I(0)),
	C(sched_getattr, -EINVAL, I(0), P(buf), I(1), I(0)),
	C(sched_setattr, 0, I(0), P(attr), I(0)),
	C(sched_setattr, -EINVAL, I(0), P(attr), I(1)),
	C(getpriority, 20, I(PRIO_PROCESS), I(0)),
	C(getpriority, -EINVAL, I(99), I(0)),
	C(setpriority, 0, I(PRIO_PROCESS), I(0), I(1)),
	C(setpriority, -ESRCH, I(PRIO_PROCESS), I(NOBODY), I(1)),
	C(ioprio_get, OK, I(1 /* IOPRIO_WHO_PROCESS */), I(0)),
	C(ioprio_get, -EINVAL, I(77), I(0)),
	C(ioprio_set, 0, I(1), I(0), I(2 << 13 | 4)),
	C(ioprio_set, -EINVAL, I(1), I(0), I(7 << 13)),
	C(getrlimit, 0, I(RLIMIT_NOFILE), P(buf)),
	C(getrlimit, -EINVAL, I(99), P(buf)),
	C(setrlimit, 0, I(RLIMIT_CORE), P(&core)),
	C(setrlimit, -EINVAL, I(RLIMIT_STACK), P(&bad_limit)),
	C(prlimit64, 0, I(0), I(RLIMIT_AS), P(NULL), P(buf)),
	C(prlimit64, -ESRCH, I(NOBODY), I(RLIMIT_CPU), P(NULL), P(buf)),
	C(getrusage, 0, I(RUSAGE_SELF), P(buf)),
	C(getrusage, -EINVAL, I(77), P(buf)),
	C(times, OK, P(buf)),
};

static const struct row time_calls[] = {
	C(time, OK, P(NULL)), C(time, -EFAULT, L(8)),
	C(gettimeofday, 0, P(buf), P(NULL)), C(gettimeofday, -EFAULT, L(8), P(NULL)),
	C(settimeofday, -EFAULT, L(8), P(NULL)),
	C(clock_gettime, 0, I(CLOCK_MONOTONIC_RAW), P(buf)),
	C(clock_gettime, -EINVAL, I(77), P(buf)),
	C(clock_getres, 0, I(CLOCK_BOOTTIME), P(buf)),
	C(clock_getres, -EFAULT, I(CLOCK_REALTIME), L(8)),
	C(clock_settime, -EINVAL, I(CLOCK_MONOTONIC), P(&no_time)),
	C(clock_settime, -EINVAL, I(CLOCK_REALTIME), P(&bad_time)),
	C(clock_adjtime, OK, I(CLOCK_REALTIME), P(&timex)),
	C(clock_adjtime, -EOPNOTSUPP, I(CLOCK_MONOTONIC), P(&timex)),
	C(adjtimex, OK, P(&timex)), C(adjtimex, -EFAULT, L(8)),
	C(adjtimex, ANY, P(&bad_timex)),
	C(nanosleep, 0, P(&soon), P(NULL)), C(nanosleep, -EINVAL, P(&bad_time), P(NULL)),
	C(clock_nanosleep, 0, I(CLOCK_MONOTONIC), I(TIMER_ABSTIME), P(&soon), P(NULL)),
	C(clock_nanosleep, -EOPNOTSUPP, I(CLOCK_MONOTONIC_COARSE), I(0), P(&soon), P(NULL)),
	C(alarm, 0, I(1000)), C(alarm, 1000, I(0)),
	C(getitimer, 0, I(ITIMER_VIRTUAL), P(buf)), C(getitimer, -EINVAL, I(77), P(buf)),
	C(setitimer, 0, I(ITIMER_PROF), P(&no_timer), P(buf)),
	C(setitimer, -EINVAL, I(ITIMER_REAL), P(&bad_timer), P(NULL)),
	C(timer_create, 0, I(CLOCK_MONOTONIC), P(NULL), P(&timer)),
	C(timer_create, -EINVAL, I(77), P(NULL), P(&timer)),
	C(timer_settime, 0, I(0), I(TIMER_ABSTIME), P(&no_spec), P(buf)),
	C(timer_settime, -EINVAL, I(77), I(0), P(&no_spec), P(NULL)),
	C(timer_gettime, 0, I(0), P(buf)), C(timer_gettime, -EINVAL, I(77), P(buf)),
	C(timer_getoverrun, 0, I(0)), C(timer_getoverrun, -EINVAL, I(77)),
	C(timer_delete, 0, I(0)), C(timer_delete, -EINVAL, I(77)),
};

static const struct row signals[] = {
	C(rt_sigaction, 0, I(SIGUSR2), P(&ignore), P(buf), L(8)),
	C(rt_sigaction, -EINVAL, I(SIGKILL), P(&ignore), P(NULL), L(8)),
	C(rt_sigaction, -EINVAL, I(SIGUSR2), P(NULL), P(NULL), L(4)),
	C(kill, 0, I(0), I(0)),
	C(kill, -ESRCH, I(NOBODY), I(SIGTERM)),
	C(kill, -EINVAL, I(0), I(99)),
	C(tkill, -ESRCH, I(NOBODY), I(SIGHUP)),
	C(tgkill, -EINVAL, I(-1), I(0), I(SIGINT)),
	C(rt_sigprocmask, 0, I(SIG_BLOCK), P(&usr1), P(buf), L(8)),
	C(rt_sigprocmask, 0, I(SIG_UNBLOCK), P(&usr2), P(NULL), L(8)),
	C(rt_sigprocmask, -EINVAL, I(77), P(&usr1), P(NULL), L(8)),
	C(rt_sigpending, 0, P(buf), L(8)),
	C(rt_sigpending, -EINVAL, P(buf), L(9)),
	C(rt_sigtimedwait, -EAGAIN, P(&usr1), P(buf), P(&no_time), L(8)),
	C(rt_sigtimedwait, -EINVAL, P(&usr1), P(buf), P(&bad_time), L(8)),
	C(rt_sigqueueinfo, -ESRCH, I(NOBODY), I(SIGUSR1), P(&queued)),
	C(rt_tgsigqueueinfo, -ESRCH, I(NOBODY), I(NOBODY), I(SIGUSR1), P(&queued)),
	C(sigaltstack, 0, P(&no_stack), P(buf)),
	C(sigaltstack, -ENOMEM, P(&small_stack), P(NULL)),
	C(rt_sigsuspend, -EINVAL, P(&none), L(9)),
	C(restart_syscall, -EINTR),
};

static void on_signal(int sig)
{
	(void)sig;
}

/* A signal that waits behind the mask, taken by each call that opens it. */
static void waiting_for_signals(void)
{
	long pid = getpid();

	signal(SIGUSR1, on_signal);
	signal(SIGALRM, on_signal);
	ONE(tgkill, 0, I(pid), I(pid), I(SIGUSR1));
	ONE(rt_sigtimedwait, SIGUSR1, P(&usr1), P(buf), P(&no_time), L(8));
	ONE(rt_sigqueueinfo, 0, I(pid), I(SIGUSR1), P(&queued));
	ONE(rt_sigsuspend, -EINTR, P(&none), L(8));
	ONE(rt_tgsigqueueinfo, 0, I(pid), I(pid), I(SIGUSR1), P(&queued));
	ONE(rt_sigprocmask, 0, I(SIG_SETMASK), P(&none), P(NULL), L(8));
	ONE(tkill, 0, I(pid), I(SIGUSR1));
	/* again and again, since the first may come before pause */
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 20000 }, { 0, 20000 } }, NULL);
	ONE(pause, -EINTR);
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}

/* A sleep that is stopped in the middle and goes on: the kernel's restart_syscall. */
static void restarted(void)
{
	struct timespec nap = { 0, 400000000 };
	int status;
	pid_t pid = fork();

	if (!pid) {
		ONE(nanosleep, 0, P(&nap), P(NULL));
		_exit(n_wrong != 0);
	}
	usleep(100000);
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	kill(pid, SIGCONT);
	ONE(wait4, pid, I(pid), P(words), I(0), P(buf));
	check("the child that slept", words[0], 0);
}

/* A read that a handler interrupts and the kernel makes again. */
static void read_again(void)
{
	int p[2], go[2];
	pid_t pid;

	if (pipe(p) < 0 || pipe(go) < 0)
		return;
	pid = fork();
	if (!pid) {
		signal(SIGUSR1, on_signal);	/* with SA_RESTART, as libc has it */
		if (write(go[1], "!", 1) == 1)
			ONE(read, 1, I(p[0]), P(buf), L(8));
		_exit(n_wrong != 0);
	}
	if (read(go[0], buf, 1) == 1)
		usleep(100000);
	kill(pid, SIGUSR1);
	usleep(100000);
	if (write(p[1], "x", 1) == 1)
		ONE(wait4, pid, I(-1), P(words), I(0), P(NULL));
	check("the child that read", words[0], 0);
}

/* A child ends at once; through a raw exit, which no handler of libc's gets between. */
static void child(long pid, const char *name)
{
	if (!pid)
		ONE(exit, 0, I(3));
	ONE(wait4, pid, I(pid), P(words), I(0), P(NULL));
	check(name, words[0], 3 << 8);
}

static void processes(void)
{
	static char *args[] = { "calls_proc", "an end", NULL }, *env[] = { NULL };
	struct clone_args ca = { .exit_signal = SIGCHLD };
	struct clone_args bad = { .flags = CLONE_THREAD };
	long pid, fd;

	ONE(kcmp, 0, I(getpid()), I(getpid()), I(KCMP_FILES), L(0), L(0));
	child(ONE(fork, OK), "fork");
	child(ONE(clone, OK, L(SIGCHLD), L(0), P(words), P(words), L(0)), "clone");
	child(ONE(clone3, OK, P(&ca), L(sizeof(ca))), "clone3");
	/* libc's, since the child returns through the stack that it shares */
	pid = vfork();
	if (!pid)
		_exit(3);
	ONE(wait4, pid, I(pid), P(words), I(0), P(NULL));
	ONE(clone, -EINVAL, L(CLONE_THREAD), L(0), P(NULL), P(NULL), L(0));
	ONE(clone, -EINVAL, L(CLONE_NEWNS | CLONE_FS | SIGCHLD), L(0), P(NULL), P(NULL), L(0));
	ONE(clone3, -EINVAL, P(&bad), L(sizeof(bad)));
	ONE(clone3, -EINVAL, P(&ca), L(8));
	ONE(wait4, -ECHILD, I(-1), P(words), I(WNOHANG | WUNTRACED), P(NULL));
	ONE(wait4, -EINVAL, I(-1), P(words), I(0x100), P(NULL));
	ONE(waitid, -ECHILD, I(P_ALL), I(0), P(buf), I(WEXITED | WNOWAIT), P(NULL));
	ONE(waitid, -EINVAL, I(77), I(0), P(buf), I(WEXITED), P(NULL));
	ONE(execve, -ENOENT, P("/no/such/program"), P(args), P(env));
	ONE(execve, -EFAULT, L(8), P(args), P(env));
	ONE(execveat, -ENOENT, I(AT_FDCWD), P("none"), P(args), P(env), I(AT_SYMLINK_NOFOLLOW));
	ONE(execveat, -EINVAL, I(AT_FDCWD), P("none"), P(args), P(env), I(0x10));
	pid = fork();
	if (!pid) {
		ONE(execve, 0, P("/proc/self/exe"), P(args), P(env));
		_exit(9);
	}
	fd = ONE(pidfd_open, OK, I(pid), I(0));
	ONE(waitid, 0, I(P_PIDFD), I(fd), P(buf), I(WEXITED | WNOWAIT), P(NULL));
	ONE(pidfd_send_signal, 0, I(fd), I(0), P(NULL), I(0));
	ONE(wait4, pid, I(pid), P(words), I(0), P(NULL));
	check("the program itself", words[0], 0);
	pid = fork();
	if (!pid) {
		ONE(setsid, OK);
		ONE(setsid, -EPERM);
		ONE(unshare, 0, L(CLONE_FILES | CLONE_FS));
		ONE(unshare, -EINVAL, L(CLONE_VFORK));
		ONE(execveat, 0, I(AT_FDCWD), P("/proc/self/exe"), P(args), P(env), I(0));
		_exit(9);
	}
	ONE(wait4, pid, I(pid), P(words), I(0), P(NULL));
	check("the program itself, execveat", words[0], 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "an end"))
		ONE(exit_group, 0, I(0));
	close_range(3, ~0u, 0);
	MAKE(identity);
	MAKE(scheduling);
	MAKE(time_calls);
	MAKE(signals);
	waiting_for_signals();
	restarted();
	read_again();
	processes();
	return done();
}
