// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that name files by path and leave no descriptor, whose file the kernel no longer shows: the
 * directories that their relative paths start from. An absolute one starts from the thread's root,
 * which INTRO has.
 */
#include <linux/fcntl.h>
#include <linux/fs_struct.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "fill.h"
#include "path.h"
#include "ref.h"

/* NULL: no room was left for it, or nothing to keep. */
static const struct scap_blob *blob_in(const struct kscap_scratch *s, unsigned int slot)
{
	const u8 *at = (const u8 *)&s->args[s->row->nargs], *end = (const u8 *)s->rec + s->bytes;

	while (at < end) {
		const struct scap_blob *blob = (const struct scap_blob *)at;

		if (SCAP_BLOB_SLOT(blob->meta) == slot)
			return blob;
		at += sizeof(*blob) + ALIGN(SCAP_BLOB_BYTES(blob->meta), 8);
	}
	return NULL;
}

static bool is_relative(const struct kscap_scratch *s, unsigned int slot)
{
	const struct scap_blob *blob = blob_in(s, slot);

	if (!blob)
		return false;
	if (!SCAP_BLOB_BYTES(blob->meta))
		return SCAP_BLOB_STATE(blob->meta) == SCAP_STATE_WHOLE;
	return *(const u8 *)(blob + 1) != '/';
}

/* Another thread may change a shared one between the call and its exit. */
static void set_from_fs(struct kscap_scratch *s, int place, const struct path *which)
{
	struct path path;

	if (!kscap_fs_path(current->fs, which, &path))
		return;
	if (READ_ONCE(current->fs->users) > 1)
		s->flags |= SCAP_CALL_FD_SHARED;
	kscap_ref_set_path(s, place, &path);
}

static void set_base(struct kscap_scratch *s, int place, int path_arg)
{
	u8 before = path_arg ? s->row->role[path_arg - 1] : SCAP_ROLE_NONE;

	if ((u32)(s->cookies >> 32 * place))
		return;
	if (before != SCAP_ROLE_DIRFD || (s32)s->args[path_arg - 1] == AT_FDCWD)
		set_from_fs(s, place, &current->fs->pwd);
	else
		kscap_fd_ref(s, place, s->args[path_arg - 1]);
}

static void set_bases(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;
	int place = row->manners & KSCAP_CALL_BASE_2ND ? 1 : 0, i;

	for (i = 0; i < row->nargs && place < 2; i++) {
		unsigned int slot = i;

		if (row->role[i] == SCAP_ROLE_EXEC_PATH)
			slot = SCAP_SLOT_FILENAME;
		else if (row->role[i] != SCAP_ROLE_PATH)
			continue;
		if (is_relative(s, slot))
			set_base(s, place, i);
		place++;
	}
}

/* A call that mostly has no cookies: what lies behind their place moves up. */
static void insert_cookies(struct kscap_scratch *s)
{
	u32 at = (u8 *)s->args - (u8 *)s->rec;

	if (s->bytes + sizeof(u64) > s->room) {
		s->cookies = 0;
		return;
	}
	memmove(s->args + 1, s->args, s->bytes - at);
	*s->args++ = s->cookies;
	s->bytes += sizeof(u64);
	s->io_at += sizeof(u64);
	s->flags |= SCAP_CALL_COOKIES;
}

void kscap_base_dirs(struct kscap_scratch *s)
{
	const struct kscap_row *row = s->row;

	if (!current->fs || (s->ret >= 0 && row->flags & (KSCAP_ROW_EXEC | KSCAP_ROW_RET_FD)))
		return;
	if (s->ret >= 0 && row->manners & KSCAP_CALL_TO_CWD)
		set_from_fs(s, 0, &current->fs->pwd);
	else if (s->ret >= 0 && row->manners & KSCAP_CALL_TO_ROOT)
		set_from_fs(s, 0, &current->fs->root);
	else
		set_bases(s);
	if (s->cookies && !(s->flags & SCAP_CALL_COOKIES))
		insert_cookies(s);
}
