/* SPDX-License-Identifier: MIT */
/*
 * handover ROUNDS [CPUS]: threads, each on a CPU of its own, hand a number on in turn. Whoever gets
 * it makes the call getpgid(number) and only then hands number + 1 on. So call n has ended before
 * call n + 1 begins, whatever the clocks say.
 */
#include "guest.h"
#include <pthread.h>
#include <sched.h>

/* Above all process ids, so that a recorded call tells its number. */
#define FIRST 0x10000000

static long rounds;
static int n_threads;
static unsigned turn __attribute__((aligned(64)));

static void *work(void *arg)
{
	long me = (long)arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(me, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("CPU %ld", me);
	for (long n = me; n < rounds; n += n_threads) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != (unsigned)n)
			__builtin_ia32_pause();
		raw(SYS_getpgid, FIRST + n, 0, 0, 0, 0, 0);
		__atomic_store_n(&turn, (unsigned)n + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[64];

	rounds = argc > 1 ? atol(argv[1]) : 1000;
	n_threads = argc > 2 ? atoi(argv[2]) : 2;
	if (n_threads < 1 || n_threads > 64)
		return 2;
	for (long i = 0; i < n_threads; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			die("pthread_create");
	for (int i = 0; i < n_threads; i++)
		pthread_join(t[i], NULL);
	printf("calls %ld\n", rounds);
	return 0;
}
