/* SPDX-License-Identifier: MIT */
/*
 * paced RATE SECONDS: a mix of calls, RATE a second in portions of a millisecond. Prints "calls N",
 * "cpu NS", its own, and "took NS": more than SECONDS, if it could not keep up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PORTION_NS 1000000
#define ROUND_CALLS 10

static char text[8192];

static long now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

/* Those that bench makes, once each. */
static void calls(int fd, int null, const int *ends, long i)
{
	static char buf[4096];
	struct stat st;

	syscall(SYS_getppid);
	syscall(SYS_pread64, fd, buf, 64L, i % 4000);
	syscall(SYS_pread64, fd, buf, 4096L, i % 4000);
	syscall(SYS_write, null, text + i % 4000, 64L);
	syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, "paced.data", O_RDONLY));
	syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH);
	syscall(SYS_stat, "paced.data", &st);
	syscall(SYS_write, ends[1], text + i % 4000, 1L);
	syscall(SYS_read, ends[0], buf, 1L);
}

int main(int argc, char **argv)
{
	long rate = argc > 2 ? atol(argv[1]) : 0, seconds = argc > 2 ? atol(argv[2]) : 0;
	long begin, n = 0, i = 0;
	int fd, null, ends[2];

	for (size_t k = 0, at = 0; k < sizeof(text) - 16 && at < sizeof(text) - 16; k++)
		at += (size_t)sprintf(text + at, "%zx;", k * 2654435761u % 100003);
	fd = open("paced.data", O_RDWR | O_CREAT | O_TRUNC, 0600);
	null = open("/dev/null", O_WRONLY);
	if (rate <= 0 || fd < 0 || null < 0 || pipe(ends) < 0 || write(fd, text, 8100) != 8100) {
		fprintf(stderr, "paced RATE SECONDS\n");
		return 1;
	}
	begin = now(CLOCK_MONOTONIC);
	while (n < rate * seconds) {
		long due = begin + n / (rate / 1000 ? rate / 1000 : 1) * PORTION_NS;
		struct timespec ts = { due / 1000000000, due % 1000000000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		for (long stop = n + rate / 1000; n < stop; n += ROUND_CALLS)
			calls(fd, null, ends, i++);
	}
	printf("calls %ld\ncpu %ld\ntook %ld\n", n, now(CLOCK_PROCESS_CPUTIME_ID),
	       now(CLOCK_MONOTONIC) - begin);
	return 0;
}
