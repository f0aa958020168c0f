/* SPDX-License-Identifier: MIT */
/*
 * keycost TASKS FDS: what a keyframe costs with so many processes with so many descriptors each,
 * all of different files three directories deep; and how long a lock was held.
 */
#include "keyframe.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DIR "/tmp/keycost"

static volatile unsigned *n_ready;

static void holder(unsigned i, unsigned n_fds)
{
	char path[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	for (unsigned k = 0; k < n_fds; k++) {
		snprintf(path, sizeof(path), DIR "/some.%u/file.%u", i, k);
		if (open(path, O_RDWR | O_CREAT, 0600) < 0)
			_exit(1);
	}
	__atomic_add_fetch(n_ready, 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 500;
	unsigned n_fds = argc > 2 ? (unsigned)atoi(argv[2]) : 20;
	struct keyframe none = { 0 }, kf = { 0 };
	char path[64];
	uint64_t ns, base_ns;
	int fd;

	n_ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = key_open();
	key_take(fd, 1 << 20, &none);
	ns = mono_ns();
	key_take(fd, 1 << 20, &none);
	base_ns = mono_ns() - ns;
	key_check(&none);
	printf("before: %u tasks, %u descriptors, %llu ns\n", none.end->n_tasks, none.end->n_fds,
	       (unsigned long long)base_ns);
	base_ns = none.end->busy_ns;
	mkdir(DIR, 0755);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), DIR "/some.%u", i);
		mkdir(path, 0755);
		if (fork() == 0)
			holder(i, n_fds);
	}
	while (*n_ready < n)
		usleep(10000);
	for (int i = 0; i < 3; i++) {
		ns = mono_ns();
		key_take(fd, 1 << 20, &kf);
		ns = mono_ns() - ns;
	}
	key_check(&kf);
	if (kf.end->n_tasks < n || kf.end->n_fds < n * n_fds)
		fail("%u tasks, %u descriptors", kf.end->n_tasks, kf.end->n_fds);
	printf("tasks %u descriptors %u files %u bytes %zu parts %u ns %llu busy_ns %llu "
	       "lock_max_ns %llu\n", kf.end->n_tasks, kf.end->n_fds, kf.end->n_files, kf.n,
	       kf.n_calls, (unsigned long long)ns, (unsigned long long)kf.end->busy_ns,
	       (unsigned long long)kf.end->lock_max_ns);
	printf("per task with its descriptors: %llu\n",
	       (unsigned long long)(kf.end->busy_ns - base_ns) / n);
	return n_fails != 0;
}
