/* SPDX-License-Identifier: MIT */
/* The names of driver/uapi/scap/names as text; tests/abi compares them with the headers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/abi.h>

#include "filter/names.h"

#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ENOIOCTLCMD 515
#define ERESTART_RESTARTBLOCK 516

Test(names, errors_agree_with_headers)
{
	static const struct {
		const char *name;
		int ours, theirs;
	} rows[] = {
#define SCAP_NAME(v, name) { #name, v, name },
#include <scap/names/errno.def>
#undef SCAP_NAME
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(rows[i].ours, rows[i].theirs, "%s", rows[i].name);
}

static const char *shown(unsigned role, uint64_t v)
{
	static char buf[512];
	struct scap__out o;
	const struct scap__domain *d = scap__role_domain(role);

	scap__out_init(&o, buf, sizeof(buf));
	if (scap__role_kind(role) == SCAP__PRINT_ENUM)
		scap__out_enum(&o, d, v);
	else if (scap__role_kind(role) == SCAP__PRINT_CODE)
		scap__out_code(&o, d, v);
	else
		scap__out_flags(&o, d, v);
	scap__out_end(&o);
	return buf;
}

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
		{ SCAP_ROLE_MADVISE, 4, "MADV_DONTNEED" },
		{ SCAP_ROLE_IOCTL_CMD, 0x5401, "TCGETS" },
		{ SCAP_ROLE_IOCTL_CMD, 0xffffffffc0045899, "0xc0045899" },
		{ SCAP_ROLE_KEY_ID, 0xfffffffd, "KEY_SPEC_SESSION_KEYRING" },
		{ SCAP_ROLE_KEY_ID, (uint64_t)-3, "KEY_SPEC_SESSION_KEYRING" },
		{ SCAP_ROLE_MEMPOLICY, 0, "MPOL_DEFAULT" },
		{ SCAP_ROLE_MEMPOLICY, 0x8002, "MPOL_BIND|MPOL_F_STATIC_NODES" },
		{ SCAP_ROLE_QUOTA_CMD, 0x80000701, "Q_GETQUOTA|GRPQUOTA" },
		{ SCAP_ROLE_IOPRIO, 0x4004, "IOPRIO_CLASS_BE|0x4" },
		{ SCAP_ROLE_SHMCTL_CMD, 0x102, "IPC_STAT|IPC_64" },
		{ SCAP_ROLE_RENAME_FLAGS, 0x80000000, "0x80000000" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(shown(cases[i].role, cases[i].value), cases[i].want);
}

/* A role that prints names has some. */
Test(names, every_domain_has_rows)
{
	for (unsigned role = 0; role < SCAP_ROLES; role++) {
		enum scap__print_kind kind = scap__role_kind(role);

		if (kind == SCAP__PRINT_FLAGS || kind == SCAP__PRINT_ENUM ||
		    kind == SCAP__PRINT_CODE)
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
