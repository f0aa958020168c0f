/* SPDX-License-Identifier: MIT */
/*
 * storm DIR N: opens N files of a directory that another thread moves all the time between
 * DIR/one/x and DIR/two/(a long name): no other path is ever true. Prints how often it moved.
 */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#define LONG "a-name-that-does-not-fit-into-the-directory-entry-itself"

static char here[300], there[300];
static volatile int ended;
static unsigned long n_moves;

static void *mover(void *arg)
{
	while (!ended) {
		if (rename(here, there) < 0 || rename(there, here) < 0)
			die("rename");
		n_moves += 2;
	}
	return arg;
}

static void need(long rc, const char *what)
{
	if (rc < 0)
		die("%s", what);
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0, dir, fd;
	char name[32];
	pthread_t t;

	if (!n)
		return 2;
	need(chdir(argv[1]), argv[1]);
	need(mkdir("one", 0755), "one");
	need(mkdir("two", 0755), "two");
	snprintf(here, sizeof(here), "%s/one/x", argv[1]);
	snprintf(there, sizeof(there), "%s/two/" LONG, argv[1]);
	need(mkdir(here, 0755), here);
	dir = open(here, O_RDONLY | O_DIRECTORY);
	need(dir, here);
	pthread_create(&t, NULL, mover, NULL);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "f.%d", i);
		fd = openat(dir, name, O_RDWR | O_CREAT, 0600);
		need(fd, name);
		close(fd);
	}
	ended = 1;
	pthread_join(t, NULL);
	printf("moves %lu\n", n_moves);
	return 0;
}
