/* SPDX-License-Identifier: MIT */
/*
 * sendsignals: each way to send a signal; the truth as conditions for jget, one event a line.
 * sendsignals alarms: an interval timer whose interrupts come into a row of calls; prints
 *	"alarms TID TAKEN".
 */
#include "guest.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t n_taken;

static void on_signal(int sig)
{
	(void)sig;
	n_taken++;
}

static void on_info(int sig, siginfo_t *info, void *ctx)
{
	(void)sig;
	(void)info;
	(void)ctx;
	n_taken++;
}

static void catch(int sig)
{
	struct sigaction sa = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(sig, &sa, NULL);
}

static void sent(long from, long pid, long tid, const char *sig, const char *more)
{
	printf("type=signal tid=%ld args.target_pid=%ld args.target_tid=%ld args.sig=%s %s\n", from,
	       pid, tid, sig, more);
}

static void taken(long tid, const char *sig, const char *more)
{
	printf("type=signaldeliver tid=%ld args.sig=%s %s\n", tid, sig, more);
}

/* ---- to another process ---------------------------------------------------------------------- */

/* Waits for the signal that is told of by a byte in the pipe, then exits with 7. */
static pid_t waiting_child(void (*prepare)(void))
{
	int ready[2], go[2];
	pid_t pid;
	char c = 0;

	if (pipe(ready) < 0 || pipe(go) < 0)
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		prepare();
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		while (read(go[0], &c, 1) < 0 && errno == EINTR)
			;
		_exit(7);
	}
	if (read(ready[0], &c, 1) != 1)
		die("a child did not begin");
	close(go[0]);
	/* The pipe's end closes when the caller is done: it keeps go[1] in fd 50. */
	dup2(go[1], 50);
	close(go[1]);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void reap(pid_t pid, const char *code, int status)
{
	char more[100];

	close(50);
	waitpid(pid, NULL, 0);
	snprintf(more, sizeof(more), "args.code=%s args.child_status=%d", code, status);
	sent(pid, getpid(), getpid(), "SIGCHLD", more);
}

static void handles(void)
{
	catch(SIGUSR1);
	catch(SIGUSR2);
}

static void ignores(void)
{
	signal(SIGUSR1, SIG_IGN);
}

static void blocks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void has_no_room(void)
{
	struct rlimit none = { 0, 0 };

	blocks();
	setrlimit(RLIMIT_SIGPENDING, &none);
}

static void across(void)
{
	union sigval v = { .sival_ptr = (void *)0x123456789abcdef0 };
	pid_t pid = waiting_child(handles);
	char more[100];

	kill(pid, SIGUSR1);
	usleep(50000);
	sigqueue(pid, SIGUSR2, v);
	usleep(50000);
	reap(pid, "CLD_EXITED", 7);
	sent(getpid(), pid, pid, "SIGUSR1", "args.code=SI_USER args.result=delivered "
	     "args.whole_process=true");
	snprintf(more, sizeof(more), "args.action=handler args.handler=0x%lx", (long)on_info);
	taken(pid, "SIGUSR1", more);
	sent(getpid(), pid, pid, "SIGUSR2", "args.code=SI_QUEUE args.value=0x123456789abcdef0");
	taken(pid, "SIGUSR2", "args.code=SI_QUEUE args.value=0x123456789abcdef0");

	pid = waiting_child(ignores);
	kill(pid, SIGUSR1);
	reap(pid, "CLD_EXITED", 7);
	sent(getpid(), pid, pid, "SIGUSR1", "args.result=ignored");

	pid = waiting_child(blocks);
	kill(pid, SIGUSR1);
	kill(pid, SIGUSR1);
	reap(pid, "CLD_EXITED", 7);
	sent(getpid(), pid, pid, "SIGUSR1", "args.result=delivered");
	sent(getpid(), pid, pid, "SIGUSR1", "args.result=already_pending");

	pid = waiting_child(has_no_room);
	sigqueue(pid, SIGRTMIN + 3, v);
	reap(pid, "CLD_EXITED", 7);
	sent(getpid(), pid, pid, "SIGRT_5", "args.result=lost");

	pid = waiting_child(handles);
	kill(pid, SIGKILL);
	reap(pid, "CLD_KILLED", 9);
	sent(getpid(), pid, pid, "SIGKILL", "args.result=delivered");
	taken(pid, "SIGKILL", "args.action=default");
}

/* ---- faults, threads, timers ----------------------------------------------------------------- */

static void fault(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		*(volatile int *)0x123450 = 1;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	sent(pid, pid, pid, "SIGSEGV", "args.code=SEGV_MAPERR args.addr=0x123450");
	taken(pid, "SIGSEGV", "args.code=SEGV_MAPERR args.addr=0x123450 args.action=default");
}

static void *thread(void *arg)
{
	*(volatile long *)arg = syscall(SYS_gettid);
	while (!n_taken)
		usleep(1000);
	return NULL;
}

static void one_thread(void)
{
	volatile long tid = 0;
	pthread_t t;

	catch(SIGUSR1);
	n_taken = 0;
	if (pthread_create(&t, NULL, thread, (void *)&tid))
		die("pthread_create");
	while (!tid)
		usleep(1000);
	syscall(SYS_tgkill, getpid(), tid, SIGUSR1);
	pthread_join(t, NULL);
	sent(getpid(), getpid(), tid, "SIGUSR1", "args.code=SI_TKILL");
	taken(tid, "SIGUSR1", "args.code=SI_TKILL args.action=handler");
}

/* An interrupt sends it: the sender is nobody. */
static void timer(void)
{
	struct sigevent se = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
			       .sigev_value.sival_ptr = (void *)0x77 };
	struct itimerspec once = { .it_value.tv_nsec = 20000000 };
	timer_t id;

	catch(SIGUSR2);
	n_taken = 0;
	if (timer_create(CLOCK_MONOTONIC, &se, &id) < 0 || timer_settime(id, 0, &once, NULL) < 0)
		die("timer");
	while (!n_taken)
		usleep(1000);
	sent(0, getpid(), getpid(), "SIGUSR2", "args.code=SI_TIMER args.value=0x77 "
	     "args.interrupt=true");
	taken(getpid(), "SIGUSR2", "args.code=SI_TIMER args.value=0x77");
}

static void alarms(void)
{
	struct itimerval every = { { 0, 500 }, { 0, 500 } }, never = { 0 };
	struct timespec a, b;

	signal(SIGALRM, on_signal);
	clock_gettime(CLOCK_MONOTONIC, &a);
	setitimer(ITIMER_REAL, &every, NULL);
	do {
		for (int i = 0; i < 100; i++)
			syscall(SYS_getppid);
		clock_gettime(CLOCK_MONOTONIC, &b);
	} while (b.tv_sec - a.tv_sec < 6);
	setitimer(ITIMER_REAL, &never, NULL);
	usleep(10000);
	printf("alarms %d %d\n", (int)getpid(), (int)n_taken);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "alarms")) {
		alarms();
		return 0;
	}
	across();
	fault();
	one_thread();
	timer();
	return 0;
}
