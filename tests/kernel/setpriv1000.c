/* SPDX-License-Identifier: MIT */
/* setpriv1000 PROGRAM ARG...: runs it as a user without any privilege. */
#include "guest.h"
#include <grp.h>

int main(int argc, char **argv)
{
	if (argc < 2 || setgroups(0, NULL) < 0 || setgid(1000) < 0 || setuid(1000) < 0)
		die("setuid");
	execvp(argv[1], argv + 1);
	die("%s", argv[1]);
}
