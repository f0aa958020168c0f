/* SPDX-License-Identifier: MIT */
/*
 * mixture: three processes (a parent, its child, and a grandchild that becomes user 1000) make the
 * same calls: some succeed, some fail, some take long, some change what the process is.
 */
#include "guest.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#define NOBODY 0x10000000

static void calls(void)
{
	struct timespec ms20 = { .tv_nsec = 20000000 };

	for (int i = 0; i < 300; i++)
		raw(SYS_getpgid, 0, 0, 0, 0, 0, 0);
	for (int i = 0; i < 200; i++)
		raw(SYS_getpgid, NOBODY, 0, 0, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		raw(SYS_openat, AT_FDCWD, (long)"no/such/file", O_RDONLY, 0, 0, 0);
	for (int i = 0; i < 10; i++)
		raw(SYS_nanosleep, (long)&ms20, 0, 0, 0, 0, 0);
	raw(SYS_chdir, (long)"/", 0, 0, 0, 0, 0);
}

static void then(void (*next)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		next();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void grandchild(void)
{
	raw(SYS_setuid, 1000, 0, 0, 0, 0, 0);
	calls();
}

static void child(void)
{
	calls();
	then(grandchild);
}

int main(void)
{
	calls();
	then(child);
	return 0;
}
