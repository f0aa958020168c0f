/* SPDX-License-Identifier: MIT */
/*
 * count PROCESSES CALLS [getsid]: so many processes make so many getppid each, at the same time;
 * or getsid, which shells don't call.
 */
#include "guest.h"
#include <sys/wait.h>

int main(int argc, char **argv)
{
	int n_procs = argc > 1 ? atoi(argv[1]) : 16, status, bad = 0;
	long n_calls = argc > 2 ? atol(argv[2]) : 62500;
	long nr = argc > 3 ? SYS_getsid : SYS_getppid;

	for (int i = 0; i < n_procs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			for (long k = 0; k < n_calls; k++)
				raw(nr, 0, 0, 0, 0, 0, 0);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	printf("%s %ld\n", argc > 3 ? "getsid" : "getppid", n_procs * n_calls);
	return bad != 0;
}
