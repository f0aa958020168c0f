// SPDX-License-Identifier: GPL-2.0-only
/* exec: what was asked for, and what the new image says of itself. */
#include <linux/binfmts.h>
#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/sched.h>

#include "encode.h"
#include "fill.h"
#include "ref.h"
#include "ucopy.h"

/* execveat has its directory first. */
static unsigned int first_arg(const struct kscap_scratch *s)
{
	return s->row->role[0] == SCAP_ROLE_DIRFD ? 1 : 0;
}

void kscap_exec_blobs_entry(struct kscap_scratch *s)
{
	kscap_blob_user_str(s, SCAP_SLOT_FILENAME, s->args[first_arg(s)]);
}

/*
 * A failed exec: the strings that the program meant, each with its NUL, as far as they can be
 * read. The pointers are of the caller's ABI.
 */
static void argv_from_pointers(struct kscap_scratch *s, unsigned int slot, u64 ptr)
{
	u32 size = s->abi == SCAP_ABI_I386 ? 4 : 8, n = 0;
	u8 *to = kscap_blob_begin(s, SCAP_ARGV_MAX_BYTES);
	unsigned int state = SCAP_STATE_WHOLE;

	if (!to)
		return;
	for (; state == SCAP_STATE_WHOLE && n < SCAP_ARGV_MAX_BYTES; ptr += size) {
		u64 str = 0, got = 0;

		if (kscap_ucopy(&str, ptr, size) < size)
			state = SCAP_STATE_UNREADABLE;
		else if (!str)
			break;
		else
			got = kscap_ucopy_str(to + n, str, SCAP_ARGV_MAX_BYTES - n);
		n += KSCAP_STR_LEN(got);
		state = max(state, KSCAP_STR_STATE(got));
		if (state == SCAP_STATE_WHOLE && n < SCAP_ARGV_MAX_BYTES)
			to[n++] = 0;
	}
	if (n == SCAP_ARGV_MAX_BYTES && state == SCAP_STATE_WHOLE)
		state = SCAP_STATE_TRUNCATED;
	kscap_blob_end(s, slot, state, n, state == SCAP_STATE_WHOLE ? n : SCAP_LEN_UNKNOWN);
}

/* The kernel puts the strings of a new image in a row: arguments, environment, file name. */
static void blobs_of_image(struct kscap_scratch *s, unsigned int argv_slot)
{
	const struct mm_struct *mm = current->mm;

	kscap_blob_user(s, argv_slot, mm->arg_start, mm->arg_end - mm->arg_start,
			SCAP_ARGV_MAX_BYTES);
	kscap_blob_user_str(s, SCAP_SLOT_FILENAME, mm->env_end);
}

void kscap_exec_blobs_exit(struct kscap_scratch *s)
{
	unsigned int first = first_arg(s);

	if (s->ret >= 0) {
		if (current->mm)
			blobs_of_image(s, first + 1);
		return;
	}
	argv_from_pointers(s, first + 1, s->args[first + 1]);
	kscap_blob_user_str(s, SCAP_SLOT_FILENAME, s->args[first]);
}

void kscap_exec_blobs_done(struct kscap_scratch *s, struct linux_binprm *bprm)
{
	kscap_blob_str(s, SCAP_SLOT_FILENAME, bprm->filename);
	if (bprm->interp && strcmp(bprm->interp, bprm->filename))
		kscap_blob_str(s, SCAP_SLOT_INTERP, bprm->interp);
}

void kscap_exec_file(struct kscap_scratch *s)
{
	struct mm_struct *mm = current->mm;
	struct file *exe;

	if (!mm)
		return;
	exe = rcu_dereference_sched(mm->exe_file);
	if (!exe || !get_file_rcu(exe))
		return;
	kscap_ref_set(s, 0, exe);
	s->put |= 1;
}
