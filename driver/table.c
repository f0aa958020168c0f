// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <linux/kernel.h>

#define A(role, name) SCAP_ROLE_##role

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
		.ret = SCAP_ROLE_##ret_role,					\
		.role = { __VA_ARGS__ },					\
	},
static struct kscap_row rows[N_ROWS] __initdata = {
	[ROW_raw] = { .nargs = 6, .ret = SCAP_ROLE_RESULT, .fd_arg = -1 },
#include <scap/syscalls.def>
};
#undef SCAP_SYSCALL
#undef A

const struct kscap_row kscap_raw_row = {
	.nargs = 6,
	.ret = SCAP_ROLE_RESULT,
	.fd_arg = -1,
	.blob_arg = -1,
};
struct kscap_row kscap_nr_row[2][KSCAP_NR_ROWS] __ro_after_init;

#define SCAP_NR(nr, name, row) [nr] = ROW_##row,
static const u16 nr_row[2][KSCAP_NR_ROWS] __initconst = {
	[SCAP_ABI_X86_64] = {
#include <scap/nr/x86_64.def>
	},
	[SCAP_ABI_I386] = {
#include <scap/nr/i386.def>
	},
};
#undef SCAP_NR

/* Roles up to OPEN_HOW make the kernel act; those of plain descriptors have fields of their own. */
static bool __init role_makes_blob(u8 role)
{
	return role >= SCAP_ROLE_FD_PAIR && role <= SCAP_ROLE_OPEN_HOW;
}

static void __init init_row(struct kscap_row *row)
{
	int i;

	row->fd_arg = -1;
	row->blob_arg = -1;
	for (i = row->nargs - 1; i >= 0; i--) {
		u8 role = row->role[i];

		if (role == SCAP_ROLE_FD || role == SCAP_ROLE_DIRFD || role == SCAP_ROLE_CLOSE_FD)
			row->fd_arg = i;
		if (role_makes_blob(role)) {
			row->blob_arg = row->flags & KSCAP_ROW_BLOBS ? -1 : i;
			row->flags |= KSCAP_ROW_BLOBS;
		}
		if (role == SCAP_ROLE_FD_PAIR)
			row->flags |= KSCAP_ROW_FILES;
		if (role == SCAP_ROLE_CLOSE_FD)
			row->flags |= KSCAP_ROW_CLOSE;
	}
	if (row->ret == SCAP_ROLE_RET_FD)
		row->flags |= KSCAP_ROW_RET_FD;
	if (row->ret == SCAP_ROLE_RET_FD || row->fd_arg >= 0)
		row->flags |= KSCAP_ROW_FILES;
}

static void __init place_row(unsigned int abi, unsigned int nr)
{
	struct kscap_row *row = &kscap_nr_row[abi][nr];

	*row = rows[nr_row[abi][nr]];
	row->shape = KSCAP_SHAPE_WORD(nr, SCAP_SHAPE(abi, row->nargs), 0);
}

void __init kscap_table_init(void)
{
	int i, abi;

	for (i = 0; i < N_ROWS; i++)
		init_row(&rows[i]);
	rows[ROW_execve].flags |= KSCAP_ROW_EXEC | KSCAP_ROW_FILES;
	rows[ROW_execveat].flags |= KSCAP_ROW_EXEC;
	rows[ROW_exit].flags |= KSCAP_ROW_EXIT;
	rows[ROW_exit_group].flags |= KSCAP_ROW_EXIT;
	rows[ROW_rt_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
	rows[ROW_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
	for (abi = 0; abi < 2; abi++)
		for (i = 0; i < KSCAP_NR_ROWS; i++)
			place_row(abi, i);
}
