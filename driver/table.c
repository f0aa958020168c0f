// SPDX-License-Identifier: GPL-2.0-only
#include "table.h"

#include <linux/kernel.h>

enum row_id {
	ROW_raw,
#define SCAP_SYSCALL(row, ret, ...) ROW_##row,
#include <scap/syscalls.def>
#undef SCAP_SYSCALL
	N_ROWS
};

#define A(role, name) SCAP_ROLE_##role
#define SCAP_SYSCALL(row, ret_role, ...)					\
	[ROW_##row] = {								\
		.nargs = sizeof((const u8[]){ __VA_ARGS__ }),			\
		.ret = SCAP_ROLE_##ret_role,					\
		.role = { __VA_ARGS__ },					\
	},
struct kscap_row kscap_rows[N_ROWS] __ro_after_init = {
	[ROW_raw] = { .nargs = 6, .ret = SCAP_ROLE_RESULT },
#include <scap/syscalls.def>
};
#undef SCAP_SYSCALL
#undef A

#define SCAP_NR(nr, name, row) [nr] = ROW_##row,
const u16 kscap_nr_row[2][KSCAP_NR_ROWS] = {
	[SCAP_ABI_X86_64] = {
#include <scap/nr/x86_64.def>
	},
	[SCAP_ABI_I386] = {
#include <scap/nr/i386.def>
	},
};
#undef SCAP_NR

/* Roles up to OPEN_HOW make the kernel act; those of plain descriptors have fields of their own. */
static bool role_makes_blob(u8 role)
{
	return role >= SCAP_ROLE_FD_PAIR && role <= SCAP_ROLE_OPEN_HOW;
}

static void init_row(struct kscap_row *row)
{
	int i;

	row->fd_arg = -1;
	for (i = row->nargs - 1; i >= 0; i--) {
		u8 role = row->role[i];

		if (role == SCAP_ROLE_FD || role == SCAP_ROLE_DIRFD || role == SCAP_ROLE_CLOSE_FD)
			row->fd_arg = i;
		if (role_makes_blob(role))
			row->flags |= KSCAP_ROW_BLOBS;
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

void __init kscap_table_init(void)
{
	int i;

	for (i = 0; i < N_ROWS; i++)
		init_row(&kscap_rows[i]);
	kscap_rows[ROW_execve].flags |= KSCAP_ROW_EXEC | KSCAP_ROW_FILES;
	kscap_rows[ROW_execveat].flags |= KSCAP_ROW_EXEC;
	kscap_rows[ROW_exit].flags |= KSCAP_ROW_EXIT;
	kscap_rows[ROW_exit_group].flags |= KSCAP_ROW_EXIT;
	kscap_rows[ROW_rt_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
	kscap_rows[ROW_sigreturn].flags |= KSCAP_ROW_SIGRETURN;
}
