// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "stash.h"

#include "fetch.h"

#define A(role, name) KSCAP_ROLE(SCAP_ROLE_##role)

/* A row for each name, then, for each number, a copy of its row: one load instead of two. */
enum row_id {
	ROW_raw,
#define SCAP_SYSCALL(row, ret, ...) ROW_##row,
#include <scap/syscalls.def>
#undef SCAP_SYSCALL
	N_ROWS
};

#define SCAP_SYSCALL(row, ret_role, ...)					\
	[ROW_##row] = {								\
		.nargs = sizeof((const u8[]){ __VA_ARGS__ }),			\
		.role = { __VA_ARGS__ },					\
	},
static struct kscap_row rows[N_ROWS] __initdata = {
	[ROW_raw] = { .nargs = 6 },
#include <scap/syscalls.def>
};

#undef SCAP_SYSCALL
#undef A

struct kscap_row kscap_nr_row[KSCAP_N_ROWS];
u8 kscap_nr_wanted[KSCAP_N_ROWS];
u8 kscap_nr_entry[KSCAP_N_ROWS];

#define SCAP_NR(nr, name, row)	\
	[nr] = ROW_##row,
static const u16 nr_row[2][KSCAP_NR_ROWS] __initconst = {
	[SCAP_ABI_X86_64] = {
#include <scap/nr/x86_64.def>
	},
	[SCAP_ABI_I386] = {
#include <scap/nr/i386.def>
	},
};

#undef SCAP_NR

#define SCAP_SYSCALL(row, ret, ...)	\
	[ROW_##row] = KSCAP_ROLE(SCAP_ROLE_##ret),
static const u8 ret_role[N_ROWS] __initconst = {
#include <scap/syscalls.def>
};

#undef SCAP_SYSCALL

#define KSCAP_CALL_NO 0
#define SCAP_DECISIVE(row, lane, pass)	\
	[ROW_##row] = KSCAP_CALL_##lane | KSCAP_CALL_##pass,
static const u8 decisive[N_ROWS] __initconst = {
#include <scap/decisive.def>
};

#undef SCAP_DECISIVE

static_assert(SCAP_FETCH_END <= 256);

/* Descriptors and results have fields of their own. */
static bool __init role_makes_blob(u8 role)
{
	return role >= SCAP_ROLE_FD_PAIR;
}

static void __init init_arg(struct kscap_row *row, int i)
{
	u8 role = row->role[i];

	if (role == SCAP_ROLE_FD || role == SCAP_ROLE_DIRFD || role == SCAP_ROLE_CLOSE_FD) {
		row->fd_arg2 = row->fd_arg;
		row->fd_arg = i;
	}
	if (role_makes_blob(role)) {
		row->blob_arg = row->flags & KSCAP_ROW_BLOBS ? -1 : i;
		row->flags |= KSCAP_ROW_BLOBS;
		row->blob_args |= 1 << i;
	}
	if (role == SCAP_ROLE_FD_PAIR)
		row->flags |= KSCAP_ROW_FILES;
	if (role == SCAP_ROLE_CLOSE_FD)
		row->flags |= KSCAP_ROW_CLOSE;
}

static void __init init_row(struct kscap_row *row, u8 ret, u8 manners)
{
	int i;

	row->fd_arg = -1;
	row->fd_arg2 = -1;
	row->blob_arg = -1;
	row->manners = manners;
	for (i = row->nargs - 1; i >= 0; i--)
		init_arg(row, i);
	if (ret == SCAP_ROLE_RET_FD)
		row->flags |= KSCAP_ROW_RET_FD;
	if (ret == SCAP_ROLE_RET_FD || row->fd_arg >= 0)
		row->flags |= KSCAP_ROW_FILES;
	/* Three files at most are told apart by two cookies: dup2's new one is its old one. */
	if (ret == SCAP_ROLE_RET_FD)
		row->fd_arg2 = -1;
}

static bool __init has_role(const struct kscap_row *row, u8 role)
{
	return memchr(row->role, role, row->nargs);
}

static enum kscap_way __init way_of(const struct kscap_row *row)
{
	u8 role = row->blob_arg >= 0 ? row->role[row->blob_arg] : SCAP_ROLE_NONE;

	if (row->manners || row->fd_arg2 >= 0 || row == &rows[ROW_raw] ||
	    row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_EXIT | KSCAP_ROW_SIGRETURN) ||
	    has_role(row, SCAP_ROLE_FD_PAIR) || has_role(row, SCAP_ROLE_MSG_IN) ||
	    has_role(row, SCAP_ROLE_MSG_OUT) || has_role(row, SCAP_ROLE_MMSG_IN) ||
	    has_role(row, SCAP_ROLE_MMSG_OUT))
		return KSCAP_WAY_GENERAL;
	if (!row->flags)
		return KSCAP_WAY_LEAN;
	if (row->flags == (KSCAP_ROW_FILES | KSCAP_ROW_BLOBS) && row->fd_arg >= 0 &&
	    (role == SCAP_ROLE_BUF_IN || role == SCAP_ROLE_BUF_OUT))
		return KSCAP_WAY_IO;
	return role == SCAP_ROLE_PATH && !(row->flags & KSCAP_ROW_RET_FD) ? KSCAP_WAY_PATH :
									   KSCAP_WAY_RICH;
}

static bool __init is_path_role(u8 role)
{
	return role == SCAP_ROLE_PATH || role == SCAP_ROLE_EXEC_PATH;
}

/* See struct scap_rec_call: a descriptor that is no path's directory keeps the first place. */
static void __init init_paths(struct kscap_row *row)
{
	u8 first_blob = SCAP_ROLE_NONE;
	int i, n = 0;

	for (i = row->nargs - 1; i >= 0; i--) {
		n += is_path_role(row->role[i]);
		if (role_makes_blob(row->role[i]))
			first_blob = row->role[i];
	}
	if (!n)
		return;
	row->flags |= KSCAP_ROW_PATHS;
	if (row->fd_arg >= 0 && row->role[row->fd_arg] != SCAP_ROLE_DIRFD)
		row->manners |= KSCAP_CALL_BASE_2ND;
	if (n > 1 || first_blob != SCAP_ROLE_PATH)
		row->manners |= KSCAP_CALL_PATHS;
}

static void __init place_row(unsigned int abi, unsigned int nr)
{
	struct kscap_row *row = kscap_row_small(abi, nr);

	*row = rows[nr_row[abi][nr]];
	row->shape = KSCAP_SHAPE_WORD(nr, SCAP_SHAPE(abi, row->nargs), 0);
	row->call = KSCAP_CALL(nr, abi);
}

void __init kscap_table_init(void)
{
	int i, abi;

	kscap_fetch_init();
	for (i = 0; i < N_ROWS; i++)
		init_row(&rows[i], ret_role[i], decisive[i]);
	for (i = 0; i < N_ROWS; i++)
		init_paths(&rows[i]);
	rows[ROW_chdir].manners |= KSCAP_CALL_TO_CWD;
	rows[ROW_chroot].manners |= KSCAP_CALL_TO_ROOT | KSCAP_CALL_ROOTS;
	rows[ROW_pivot_root].manners |= KSCAP_CALL_ROOTS;
	rows[ROW_execve].flags |= KSCAP_ROW_EXEC | KSCAP_ROW_FILES;
	rows[ROW_execveat].flags |= KSCAP_ROW_EXEC;
	rows[ROW_exit].flags |= KSCAP_ROW_EXIT;
	rows[ROW_exit_group].flags |= KSCAP_ROW_EXIT;
	rows[ROW_rt_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
	rows[ROW_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
	for (i = 0; i < N_ROWS; i++)
		rows[i].way = way_of(&rows[i]);
	for (abi = 0; abi < 2; abi++)
		for (i = 0; i < KSCAP_NR_ROWS; i++)
			place_row(abi, i);
	kscap_nr_row[KSCAP_RAW_ROW] = rows[ROW_raw];
}

/* A sigreturn is known at its exit by its entry alone, so this must be there for all. */
static enum kscap_entry entry_of(const struct kscap_row *row, u8 wanted, u32 active)
{
	if (row->flags & KSCAP_ROW_SIGRETURN && active)
		return KSCAP_ENTRY_PLAIN;
	if (!wanted)
		return KSCAP_ENTRY_SKIP;
	return row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_EXIT | KSCAP_ROW_CLOSE) ?
	       KSCAP_ENTRY_SPECIAL : KSCAP_ENTRY_PLAIN;
}

static u8 wanted_by(unsigned int i, u8 manners, u32 active, const unsigned long *const calls[8])
{
	unsigned int bit = i / KSCAP_NR_ROWS * SCAP_NR_BITMAP + i % KSCAP_NR_ROWS, c;
	u8 wanted = 0;

	for (c = 0; c < 8; c++)
		if (active & 1U << c &&
		    (manners & KSCAP_CALL_PASS || !calls[c] || test_bit(bit, calls[c])))
			wanted |= 1U << c;
	return wanted;
}

void kscap_table_want(u32 active, const unsigned long *const calls[8])
{
	unsigned int i;

	for (i = 0; i < KSCAP_N_ROWS; i++) {
		const struct kscap_row *row = &kscap_nr_row[i];
		u8 wanted = i == KSCAP_RAW_ROW ? active :
						 wanted_by(i, row->manners, active, calls);

		WRITE_ONCE(kscap_nr_wanted[i], wanted);
		WRITE_ONCE(kscap_nr_entry[i], entry_of(row, wanted, active));
	}
}
