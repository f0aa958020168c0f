/* SPDX-License-Identifier: MIT */
/*
 * burn N MS: N threads that use MS ms of a CPU each, some in pieces; prints "TID CPU_NS" for each.
 * burn pages N: touches N new pages; prints "TID MINFLT".
 * burn memory: takes memory until somebody puts an end to it.
 */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static long ms;

static long long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *burner(void *arg)
{
	long long told = 0;

	while (cpu_ns() < ms * 1000000LL) {
		for (volatile int i = 0; i < 100000; i++)
			;
		if ((long)arg % 2 && cpu_ns() - told > 20000000) {
			told = cpu_ns();
			usleep(5000);
		}
	}
	printf("%ld %lld\n", syscall(SYS_gettid), cpu_ns());
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

static void burn(long n)
{
	pthread_t t[16];

	for (long i = 0; i < n && i < 16; i++)
		pthread_create(&t[i], NULL, burner, (void *)i);
	for (long i = 0; i < n && i < 16; i++)
		pthread_join(t[i], NULL);
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
	ms = atol(argv[2]);
	burn(atol(argv[1]));
	return 0;
}
