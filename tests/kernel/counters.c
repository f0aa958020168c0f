/* SPDX-License-Identifier: MIT */
/*
 * counters SECONDS PROCESSES FILE: processes make calls of several kinds for some time, each
 * counting its own; the sums are printed, "NAME COUNT". libc makes none of these on its own here
 * (but for the openat and close that each loop makes).
 */
#include "guest.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { GETPPID, GETPGID, PWRITE, OPENAT, CLOSE, YIELD, N_KINDS };
static const char *const names[N_KINDS] = {
	"getppid", "getpgid", "pwrite64", "openat", "close", "sched_yield",
};

/* One round; failures are calls, too. */
static void round_of_calls(unsigned long *n, const char *file)
{
	long fd;

	for (int i = 0; i < 8; i++) {
		raw(SYS_getppid, 0, 0, 0, 0, 0, 0);
		n[GETPPID]++;
	}
	raw(SYS_getpgid, 0, 0, 0, 0, 0, 0);
	n[GETPGID]++;
	fd = raw(SYS_openat, AT_FDCWD, (long)file, O_RDWR, 0, 0, 0);
	n[OPENAT]++;
	raw(SYS_pwrite64, fd, (long)"some text that is written", 25, 0, 0, 0);
	n[PWRITE]++;
	raw(SYS_close, fd, 0, 0, 0, 0, 0);
	n[CLOSE]++;
	raw(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	n[YIELD]++;
}

int main(int argc, char **argv)
{
	int n_procs = argc > 2 ? atoi(argv[2]) : 2;
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	const char *file = argc > 3 ? argv[3] : "/tmp/counters";
	unsigned long (*sums)[N_KINDS], total;

	sums = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sums == MAP_FAILED)
		die("mmap");
	for (int p = 0; p < n_procs; p++) {
		if (fork() == 0) {
			while (time(NULL) < end)
				round_of_calls(sums[p], file);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	for (int k = 0; k < N_KINDS; k++) {
		total = 0;
		for (int p = 0; p < n_procs; p++)
			total += sums[p][k];
		printf("%s %lu\n", names[k], total);
	}
	return 0;
}
