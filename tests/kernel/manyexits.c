/* SPDX-License-Identifier: MIT */
/*
 * Processes that end in all kinds of ways, having used something. For each:
 * "PID STATUS UTIME_US STIME_US MINFLT NVCSW NIVCSW MAXRSS_KIB", from wait4().
 */
#include "guest.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static void burn_ms(long ms)
{
	struct timespec t;

	do {
		for (volatile int i = 0; i < 10000; i++)
			;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms);
}

static void touch(unsigned pages)
{
	char *p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, pages * 4096, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < pages; i++)
		p[i * 4096] = 1;
}

static void *burner(void *arg)
{
	burn_ms((long)arg);
	return NULL;
}

static void *ender(void *arg)
{
	burn_ms(50);
	exit((int)(long)arg);
}

static void burns(void)
{
	burn_ms(300);
	touch(3000);
	for (int i = 0; i < 20; i++)
		usleep(1000);
	exit(3);
}

static void threads(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, burner, (void *)100L);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	exit(0);
}

/* A thread that isn't the leader ends them all. */
static void group(void)
{
	pthread_t t;

	pthread_create(&t, NULL, ender, (void *)9L);
	for (;;)
		pause();
}

static void aborts(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &all);
	abort();
}

static void killed(void)
{
	raise(SIGTERM);
}

int main(void)
{
	static void (*const ways[])(void) = { burns, threads, group, aborts, killed };

	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct rusage u;
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			ways[i]();
			_exit(100);
		}
		if (wait4(pid, &status, 0, &u) != pid)
			die("wait4");
		printf("%d %d %ld %ld %ld %ld %ld %ld\n", (int)pid, status,
		       u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec,
		       u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec, u.ru_minflt, u.ru_nvcsw,
		       u.ru_nivcsw, u.ru_maxrss);
		fflush(stdout);
	}
	return 0;
}
