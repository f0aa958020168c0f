/* SPDX-License-Identifier: MIT */
/* The names of driver/uapi/scap/names against the headers installed here, and as text. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "filter/names.h"

/* What libc hides, calls otherwise, or did not know yet when this was written. */
#undef O_LARGEFILE
#define O_LARGEFILE 0100000
#undef SIGRTMIN
#undef SIGRTMAX
#define SIGRTMIN 32
#define SIGRTMAX 64
#undef F_GETLK
#undef F_SETLK
#undef F_SETLKW
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#undef F_GETLK64
#undef F_SETLK64
#undef F_SETLKW64
#define F_GETLK64 12
#define F_SETLK64 13
#define F_SETLKW64 14
#define F_GETOWNER_UIDS 17
#define F_CANCELLK 1029
#define O_NOTIFICATION_PIPE O_EXCL
#define PROT_SEM 0x8
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif
#define FUTEX_LOCK_PI2_PRIVATE (FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG)
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ENOIOCTLCMD 515
#define ERESTART_RESTARTBLOCK 516
enum {
	SIGRT_1 = 33, SIGRT_2, SIGRT_3, SIGRT_4, SIGRT_5, SIGRT_6, SIGRT_7, SIGRT_8, SIGRT_9,
	SIGRT_10, SIGRT_11, SIGRT_12, SIGRT_13, SIGRT_14, SIGRT_15, SIGRT_16, SIGRT_17, SIGRT_18,
	SIGRT_19, SIGRT_20, SIGRT_21, SIGRT_22, SIGRT_23, SIGRT_24, SIGRT_25, SIGRT_26, SIGRT_27,
	SIGRT_28, SIGRT_29, SIGRT_30, SIGRT_31,
};

/* Compared in 64 bits, but for names whose header value is a negative int. */
#define SCAP_NAME(v, name) { #name, (uint64_t)(v), (uint64_t)(name) },
#define SCAP_NAME_MASKED(mask, v, name) SCAP_NAME(v, name)

static const struct {
	const char *name;
	uint64_t ours, theirs;
} rows[] = {
#include <scap/names/access_mode.def>
#include <scap/names/at_flags.def>
#include <scap/names/clock_id.def>
#include <scap/names/clone_flags.def>
#include <scap/names/epoll_op.def>
#include <scap/names/errno.def>
#include <scap/names/fcntl_cmd.def>
#include <scap/names/futex_op.def>
#include <scap/names/mmap_flags.def>
#include <scap/names/mmap_prot.def>
#include <scap/names/msg_flags.def>
#include <scap/names/open_flags.def>
#include <scap/names/pipe_flags.def>
#include <scap/names/prctl_op.def>
#include <scap/names/rename_flags.def>
#include <scap/names/resolve_flags.def>
#include <scap/names/seek_whence.def>
#include <scap/names/shut_how.def>
#include <scap/names/signal.def>
#include <scap/names/sigproc_how.def>
#include <scap/names/sock_family.def>
#include <scap/names/sock_flags.def>
#include <scap/names/sock_proto.def>
#include <scap/names/sock_type.def>
#include <scap/names/unlinkat_flags.def>
#include <scap/names/wait_options.def>
};

Test(names, agree_with_headers)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect((uint32_t)rows[i].ours == (uint32_t)rows[i].theirs,
			  "%s is 0x%llx, not 0x%llx", rows[i].name,
			  (unsigned long long)rows[i].theirs,
			  (unsigned long long)rows[i].ours);
}

static const char *shown(unsigned role, uint64_t v)
{
	static char buf[512];
	struct scap__out o;
	const struct scap__domain *d = scap__role_domain(role);

	scap__out_init(&o, buf, sizeof(buf));
	if (scap__role_kind(role) == SCAP__PRINT_ENUM)
		scap__out_enum(&o, d, v);
	else
		scap__out_flags(&o, d, v);
	scap__out_end(&o);
	return buf;
}

#include <scap/abi.h>

Test(names, shown)
{
	static const struct {
		unsigned role;
		uint64_t value;
		const char *want;
	} cases[] = {
		{ SCAP_ROLE_OPEN_FLAGS, 0, "O_RDONLY" },
		{ SCAP_ROLE_OPEN_FLAGS, 3, "O_ACCMODE" },
		{ SCAP_ROLE_OPEN_FLAGS, 0xdead00000000, "O_RDONLY" },
		{ SCAP_ROLE_OPEN_FLAGS, 04010001, "O_WRONLY|O_SYNC" },
		{ SCAP_ROLE_OPEN_FLAGS, 010001, "O_WRONLY|O_DSYNC" },
		{ SCAP_ROLE_OPEN_FLAGS, 020200002, "O_RDWR|O_TMPFILE" },
		{ SCAP_ROLE_OPEN_FLAGS, 0200000, "O_RDONLY|O_DIRECTORY" },
		{ SCAP_ROLE_OPEN_FLAGS, 0x80000000, "O_RDONLY|0x80000000" },
		{ SCAP_ROLE_ACCESS_MODE, 0, "F_OK" },
		{ SCAP_ROLE_ACCESS_MODE, 6, "R_OK|W_OK" },
		{ SCAP_ROLE_ACCESS_MODE, 8, "0x8" },
		{ SCAP_ROLE_AT_FLAGS, 0, "0" },
		{ SCAP_ROLE_AT_FLAGS, 0x5000, "AT_STATX_DONT_SYNC|AT_EMPTY_PATH" },
		{ SCAP_ROLE_MMAP_PROT, 0, "PROT_NONE" },
		{ SCAP_ROLE_MMAP_FLAGS, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS" },
		{ SCAP_ROLE_MMAP_FLAGS, 0x54040021,
		  "MAP_SHARED|MAP_ANONYMOUS|MAP_HUGETLB|MAP_HUGE_2MB" },
		{ SCAP_ROLE_MMAP_FLAGS, 0x4, "0x4" },
		{ SCAP_ROLE_SOCK_TYPE, 02004001, "SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC" },
		{ SCAP_ROLE_SOCK_TYPE, 0, "0" },
		{ SCAP_ROLE_CLONE_FLAGS, 17, "SIGCHLD" },
		{ SCAP_ROLE_CLONE_FLAGS, 0x100000112, "CLONE_VM|CLONE_CLEAR_SIGHAND|SIGCONT" },
		{ SCAP_ROLE_FUTEX_OP, 0, "FUTEX_WAIT" },
		{ SCAP_ROLE_FUTEX_OP, 0x189, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME" },
		{ SCAP_ROLE_SIGNAL, 9, "SIGKILL" },
		{ SCAP_ROLE_SIGNAL, 34, "SIGRT_2" },
		{ SCAP_ROLE_SIGNAL, 0, "0" },
		{ SCAP_ROLE_SIGNAL, 65, "65" },
		{ SCAP_ROLE_FCNTL_CMD, 4, "F_SETFL" },
		{ SCAP_ROLE_SOCK_FAMILY, 1, "AF_UNIX" },
		{ SCAP_ROLE_CLOCK_ID, 0xfffffffa, "-6" },
		{ SCAP_ROLE_MSG_FLAGS, 0x4040, "MSG_DONTWAIT|MSG_NOSIGNAL" },
		{ SCAP_ROLE_UNLINKAT_FLAGS, 0x200, "AT_REMOVEDIR" },
		{ SCAP_ROLE_RENAME_FLAGS, 0, "0" },
		{ SCAP_ROLE_WAIT_OPTIONS, 1, "WNOHANG" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(shown(cases[i].role, cases[i].value), cases[i].want);
}

/* A role that prints names has some. */
Test(names, every_domain_has_rows)
{
	for (unsigned role = 0; role < SCAP_ROLES; role++) {
		enum scap__print_kind kind = scap__role_kind(role);

		if (kind == SCAP__PRINT_FLAGS || kind == SCAP__PRINT_ENUM)
			cr_expect(scap__role_domain(role), "role %u", role);
	}
}

Test(names, errors)
{
	cr_expect_str_eq(scap__errno_name(13), "EACCES");
	cr_expect_str_eq(scap__errno_name(512), "ERESTARTSYS");
	cr_expect_null(scap__errno_name(0));
	cr_expect_null(scap__errno_name(41));
	cr_expect_null(scap__errno_name(100000));
	cr_expect(scap__errno_known("ENOENT", 6));
	cr_expect(!scap__errno_known("ENOEN", 5));
	cr_expect(!scap__errno_known("ENOENTX", 7));
}
