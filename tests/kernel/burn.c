/* SPDX-License-Identifier: MIT */
/*
 * burn N MS: N threads that use MS ms of a CPU each, some in pieces; prints "TID CPU_NS NIVCSW" for
 * each: the last as the kernel counts involuntary switches, just before the thread ends.
 * burn pages N: touches N new pages; prints "TID MINFLT".
 * burn memory: takes memory until somebody puts an end to it.
 */
#include "guest.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

struct burner {
	pthread_t thread;
	long ms, tid, nivcsw;
	long long ns;
	bool sleeps;
};

static long long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *burner(void *arg)
{
	struct burner *b = arg;
	long long told = 0;
	struct rusage u;

	while (cpu_ns() < b->ms * 1000000) {
		for (volatile int i = 0; i < 100000; i++)
			;
		if (b->sleeps && cpu_ns() - told > 20000000) {
			told = cpu_ns();
			usleep(5000);
		}
	}
	b->tid = syscall(SYS_gettid);
	getrusage(RUSAGE_THREAD, &u);
	b->nivcsw = u.ru_nivcsw;
	b->ns = cpu_ns();
	return NULL;
}

static void pages(long n)
{
	char *p = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	struct rusage u;

	madvise(p, (size_t)n * 4096, MADV_NOHUGEPAGE);
	for (long i = 0; i < n; i++)
		p[i * 4096] = 1;
	getrusage(RUSAGE_SELF, &u);
	printf("%d %ld\n", (int)getpid(), u.ru_minflt);
}

static void burn(long n, long ms)
{
	struct burner b[16] = { };

	/* What a thread runs at its end takes long for the first time: not that of those told. */
	pthread_create(&b[0].thread, NULL, burner, &b[0]);
	pthread_join(b[0].thread, NULL);
	for (long i = 0; i < n && i < 16; i++) {
		b[i] = (struct burner){ .ms = ms, .sleeps = i % 2 };
		pthread_create(&b[i].thread, NULL, burner, &b[i]);
	}
	for (long i = 0; i < n && i < 16; i++) {
		pthread_join(b[i].thread, NULL);
		printf("%ld %lld %ld\n", b[i].tid, b[i].ns, b[i].nivcsw);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "memory"))
		for (;;)
			memset(malloc(1 << 20), 1, 1 << 20);
	if (argc < 3)
		die("usage");
	if (!strcmp(argv[1], "pages")) {
		pages(atol(argv[2]));
		return 0;
	}
	burn(atol(argv[1]), atol(argv[2]));
	return 0;
}
