/* SPDX-License-Identifier: MIT */
/*
 * Children in pid namespaces within each other, and by all the calls that make one; the truth as
 * conditions for jget, one fork a line. The numbers by namespace are those of /proc/PID/status.
 */
#include "guest.h"
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

/* NSpid of a task, with slashes. */
static void ids_of(pid_t pid, char *buf, size_t cap)
{
	char path[40], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	buf[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		size_t n = 0;

		if (strncmp(line, "NSpid:", 6))
			continue;
		for (char *p = strtok(line + 6, "\t \n"); p; p = strtok(NULL, "\t \n"))
			n += (size_t)snprintf(buf + n, cap - n, "%s%s", n ? "/" : "", p);
	}
	if (f)
		fclose(f);
}

/* What our own /proc says of a child, by its number here. */
static void told(pid_t pid, const char *more)
{
	char ids[200];

	ids_of(pid, ids, sizeof(ids));
	printf("type=procfork args.child_ids=%s args.kind=process %s\n", ids, more);
	fflush(stdout);
}

static pid_t clone3_pid(unsigned long long flags, int signal)
{
	struct clone_args args = { .flags = flags, .exit_signal = (unsigned)signal };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Children within children, each in a namespace of its own, until the pipe's other end closes. */
static pid_t nest(int levels, int done[2])
{
	pid_t pid = clone3_pid(CLONE_NEWPID, SIGCHLD);
	char c;

	if (pid < 0)
		die("clone3");
	if (pid)
		return pid;
	close(done[1]);
	if (levels > 1) {
		done[1] = dup(done[0]);
		nest(levels - 1, done);
	}
	if (read(done[0], &c, 1) < 0)
		_exit(1);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static pid_t first_child(pid_t pid)
{
	char path[60];
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	for (int tries = 0; !child && tries < 500; tries++) {
		FILE *f = fopen(path, "r");

		if (f && fscanf(f, "%d", &child) != 1)
			usleep(10000);
		if (f)
			fclose(f);
	}
	return child;
}

static void namespaces(int levels)
{
	int done[2];
	pid_t pid;

	if (pipe(done) < 0)
		die("pipe");
	pid = nest(levels, done);
	for (int i = 0; i < levels && pid; i++) {
		told(pid, "args.flags=CLONE_NEWPID args.exit_signal=SIGCHLD");
		if (i + 1 < levels)
			pid = first_child(pid);
	}
	close(done[1]);
	wait(NULL);
}

static void *thread(void *arg)
{
	*(long *)arg = syscall(SYS_gettid);
	return NULL;
}

static void others(void)
{
	pid_t pid;
	pthread_t t;
	long tid = 0;

	signal(SIGUSR1, SIG_IGN);
	pid = clone3_pid(CLONE_NEWUTS | CLONE_NEWIPC, SIGUSR1);
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, __WALL);
	printf("type=procfork args.child_tid=%d args.flags=CLONE_NEWUTS|CLONE_NEWIPC "
	       "args.exit_signal=SIGUSR1\n", (int)pid);
	pid = (pid_t)raw(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	printf("type=procfork args.child_tid=%d args.flags=CLONE_FS args.exit_signal=SIGCHLD\n",
	       (int)pid);
	pthread_create(&t, NULL, thread, &tid);
	pthread_join(t, NULL);
	printf("type=procfork args.child_tid=%ld args.child_pid=%d args.kind=thread "
	       "args.flags~CLONE_THREAD\n", tid, (int)getpid());
	pid = vfork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	printf("type=procfork args.child_tid=%d args.flags=CLONE_VM|CLONE_VFORK\n", (int)pid);
}

int main(void)
{
	namespaces(3);
	others();
	return 0;
}
