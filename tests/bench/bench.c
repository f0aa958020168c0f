/* SPDX-License-Identifier: MIT */
/*
 * bench ITERATIONS: what each operation takes, by CLOCK_MONOTONIC: under QEMU's instruction
 * counting a nanosecond is an instruction. Two passes; the second counts. Prints "NAME COST" per
 * operation, then "calls NAME COUNT" for what it made in both passes together, "payload TEXT" for
 * what it wrote last.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char text[8192];
static char buf[4096];
static const char *const file = "bench.data";
static int fd, null, ends[2];

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

/* Text that differs from call to call: a window that moves on over a longer one. */
static const char *payload(int i)
{
	return text + i % 4000;
}

static void op_getppid(int i)
{
	(void)i;
	syscall(SYS_getppid);
}

static void op_pread64(int i)
{
	syscall(SYS_pread64, fd, buf, 64L, (long)(i % 4000));
}

static void op_pread4096(int i)
{
	syscall(SYS_pread64, fd, buf, 4096L, (long)(i % 4000));
}

static void op_write(int i)
{
	syscall(SYS_write, null, payload(i), 64L);
}

static void op_open_close(int i)
{
	(void)i;
	syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, file, O_RDONLY));
}

/* As libc 2.33 and newer do it. */
static void op_fstat(int i)
{
	struct stat st;

	(void)i;
	syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH);
}

static void op_stat(int i)
{
	struct stat st;

	(void)i;
	syscall(SYS_stat, file, &st);
}

static void op_pipe(int i)
{
	syscall(SYS_write, ends[1], payload(i), 1L);
	syscall(SYS_read, ends[0], buf, 1L);
}

static void op_fork(int i)
{
	(void)i;
	if (fork() == 0)
		_exit(0);
	wait(NULL);
}

static const struct op {
	const char *name;
	void (*fn)(int i);
	int divide;		/* so much fewer iterations */
	const char *calls[2];
} ops[] = {
	{ "getppid", op_getppid, 1, { "getppid", NULL } },
	{ "pread-64", op_pread64, 1, { "pread64", NULL } },
	{ "pread-4096", op_pread4096, 1, { "pread64", NULL } },
	{ "write-64", op_write, 1, { "write", NULL } },
	{ "open+close", op_open_close, 1, { "openat", "close" } },
	{ "fstat", op_fstat, 1, { "newfstatat", NULL } },
	{ "stat", op_stat, 1, { "stat", NULL } },
	{ "pipe-write+read", op_pipe, 1, { "write", "read" } },
	{ "fork+exit+wait", op_fork, 20, { "exit_group", "wait4" } },
};
#define N_OPS (sizeof(ops) / sizeof(*ops))

static void prepare(void)
{
	for (size_t i = 0, n = 0; n < sizeof(text) - 16; i++)
		n += (size_t)sprintf(text + n, "%zx;", i * 2654435761u % 100003);
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	null = open("/dev/null", O_WRONLY);
	if (fd < 0 || null < 0 || pipe(ends) < 0 || write(fd, text, 8100) != 8100) {
		perror(file);
		exit(1);
	}
}

static void pass(int n, long *cost)
{
	for (size_t k = 0; k < N_OPS; k++) {
		int rounds = n / ops[k].divide;
		long t0 = now();

		for (int i = 0; i < rounds; i++)
			ops[k].fn(i);
		cost[k] = (now() - t0) / rounds;
	}
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4000;
	long cost[N_OPS];

	prepare();
	pass(n, cost);
	pass(n, cost);
	for (size_t k = 0; k < N_OPS; k++) {
		printf("%s %ld\n", ops[k].name, cost[k]);
		for (int c = 0; c < 2 && ops[k].calls[c]; c++)
			printf("calls %s %d\n", ops[k].calls[c], 2 * n / ops[k].divide);
	}
	printf("payload %.64s\n", payload(n - 1));
	return 0;
}
