/* SPDX-License-Identifier: MIT */
/*
 * perfmon1000 PROGRAM ARG...: runs it as a user with the two capabilities that recording asks for,
 * and no other.
 */
#include "guest.h"
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#define LOW (1u << CAP_SYS_PTRACE)
#define HIGH (1u << (CAP_PERFMON - 32))

int main(int argc, char **argv)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { LOW, LOW, LOW }, { HIGH, HIGH, HIGH } };

	if (argc < 2 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		die("perfmon1000");
	if (setgroups(0, NULL) < 0 || setgid(1000) < 0 || setuid(1000) < 0)
		die("setuid");
	if (syscall(SYS_capset, &head, caps) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_PTRACE, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_PERFMON, 0, 0) < 0)
		die("capset");
	execvp(argv[1], argv + 1);
	die("%s", argv[1]);
}
