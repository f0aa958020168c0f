// SPDX-License-Identifier: GPL-2.0-only
/* exec: what was asked for, and what the new image says of itself. */
#include <linux/audit.h>
#include <linux/binfmts.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm_types.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "consumer.h"
#include "emit.h"
#include "encode.h"
#include "fill.h"
#include "ref.h"
#include "ucopy.h"

/* execveat has its directory first. */
static unsigned int first_arg(const struct kscap_scratch *s)
{
	return s->row->role[0] == SCAP_ROLE_DIRFD ? 1 : 0;
}

/* ---- credentials before the call ------------------------------------------------------------ */

/*
 * When the new image is there, the old credentials are gone; so the entry notes them here. Of two
 * tasks that share a place, the one that came first has none.
 */
static struct before {
	const struct task_struct *task;
	u64 start_ns;		/* memory of tasks is reused */
	struct scap_ids ids;
} befores[256];

static DEFINE_RAW_SPINLOCK(befores_lock);

static struct before *place_of(const struct task_struct *task)
{
	return &befores[kscap_mix(0, (unsigned long)task) % ARRAY_SIZE(befores)];
}

static void note_before(void)
{
	struct before *place = place_of(current);
	struct scap_ids ids;

	kscap_ids_fill(&ids, current_cred());
	raw_spin_lock(&befores_lock);
	place->task = current;
	place->start_ns = current->start_boottime;
	place->ids = ids;
	raw_spin_unlock(&befores_lock);
}

/* Only once: a program started by the kernel comes without an entry. */
static bool take_before(struct scap_ids *to)
{
	struct before *place = place_of(current);
	bool found;

	raw_spin_lock(&befores_lock);
	found = place->task == current && place->start_ns == current->start_boottime;
	if (found) {
		*to = place->ids;
		place->task = NULL;
	}
	raw_spin_unlock(&befores_lock);
	return found;
}

/* ---- the call ------------------------------------------------------------------------------- */

void kscap_exec_blobs_entry(struct kscap_scratch *s)
{
	note_before();
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
		u64 str = 0, got;

		if (kscap_ucopy(&str, ptr, size) < size) {
			state = SCAP_STATE_UNREADABLE;
			break;
		}
		if (!str)
			break;
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

/* ---- the new image -------------------------------------------------------------------------- */

/* Do the mode bits let these ids write? Supplementary groups are the same before and after. */
static bool may_write(const struct inode *inode, const struct scap_ids *who)
{
	umode_t mode = inode->i_mode;

	if (__kuid_val(inode->i_uid) == who->fsuid)
		return mode & 0200;
	if (__kgid_val(inode->i_gid) == who->fsgid)
		return mode & 0020;
	/* current's own file group may be that of a set-group-id program. */
	if (!gid_eq(inode->i_gid, current_fsgid()) && in_group_p(inode->i_gid))
		return mode & 0020;
	return mode & 0002;
}

/*
 * In the private struct ovl_inode the upper layer's dentry, or NULL, lies right behind the inode
 * (5.10 to 6.12 at least). What cannot be one says that this kernel is different.
 */
static u8 overlay_flags(const struct inode *inode)
{
	const struct dentry *upper;
	const struct inode *real;

	if (inode->i_sb->s_magic != OVERLAYFS_SUPER_MAGIC)
		return 0;
	if (copy_from_kernel_nofault(&upper, inode + 1, sizeof(upper)) || !upper)
		return SCAP_EXEC_OVERLAY;
	if (copy_from_kernel_nofault(&real, &upper->d_inode, sizeof(real)) || !real)
		return SCAP_EXEC_OVERLAY;
	return SCAP_EXEC_OVERLAY | SCAP_EXEC_UPPER_LAYER;
}

static u8 name_flags(const struct file *file)
{
	const struct dentry *d = file->f_path.dentry;

	if (file->f_path.mnt->mnt_flags & MNT_INTERNAL && d->d_sb->s_magic == TMPFS_MAGIC &&
	    !strncmp(d->d_name.name, "memfd:", 6))
		return SCAP_EXEC_MEMFD;
	return d_unlinked(d) || !file_inode(file)->i_nlink ? SCAP_EXEC_DELETED : 0;
}

static u8 fill_exe(struct scap_rec_exec *rec, const struct file *file, const struct scap_ids *who)
{
	const struct inode *inode = file_inode(file);

	rec->exe_mode = inode->i_mode;
	rec->exe_size = i_size_read(inode);
	rec->exe_ctime_ns = kscap_ctime_ns(inode);
	rec->exe_mtime_ns = kscap_mtime_ns(inode);
	rec->exe_uid = __kuid_val(inode->i_uid);
	rec->exe_gid = __kgid_val(inode->i_gid);
	return overlay_flags(inode) | name_flags(file) |
	       (may_write(inode, who) ? SCAP_EXEC_WRITABLE : 0);
}

static void fill_session(struct scap_rec_exec *rec)
{
	rec->loginuid = __kuid_val(audit_get_loginuid(current));
	rec->sessionid = audit_get_sessionid(current);
	rec->sid = pid_nr(task_session(current));
	rec->pgid = pid_nr(task_pgrp(current));
	rec->tty = kscap_tty_nr();
	rec->cgroup_id = task_dfl_cgroup(current)->kn->id;
}

static bool is_script(const struct linux_binprm *bprm)
{
	return bprm->interp && strcmp(bprm->interp, bprm->filename);
}

/* Arguments and environment get at most a quarter of a ring, the environment a quarter of that. */
static void blobs(struct kscap_scratch *s, const struct linux_binprm *bprm,
		  const struct kscap_consumer *c)
{
	const struct mm_struct *mm = current->mm;

	kscap_blob_str(s, SCAP_SLOT_FILENAME, bprm->filename);
	if (is_script(bprm))
		kscap_blob_str(s, SCAP_SLOT_INTERP, bprm->interp);
	kscap_blob_user(s, SCAP_SLOT_ARGV, mm->arg_start, mm->arg_end - mm->arg_start,
			min_t(u64, c->argv_max, c->lane_bytes[SCAP_LANE_DECISIVE] / 16 * 3));
	if (c->env_max)
		kscap_blob_user(s, SCAP_SLOT_ENV, mm->env_start, mm->env_end - mm->env_start,
				min_t(u64, c->env_max, c->lane_bytes[SCAP_LANE_DECISIVE] / 16));
	kscap_blob_cgroup(s);
}

/* What is the same for all consumers. */
static u8 fill_fixed(struct scap_rec_exec *rec, const struct linux_binprm *bprm, pid_t old_pid,
		     const struct file *exe)
{
	const struct cred *cred = current_cred();
	u8 flags = 0;

	rec->tid = current->pid;
	rec->old_tid = old_pid;
	rec->argc = bprm->argc;
	rec->envc = bprm->envc;
	kscap_ids_fill(&rec->ids, cred);
	kscap_caps_fill(&rec->caps, cred);
	kscap_namespaces_fill(&rec->ns);
	fill_session(rec);
	if (take_before(&rec->before))
		flags |= SCAP_EXEC_BEFORE;
	if (exe)
		flags |= fill_exe(rec, exe, flags & SCAP_EXEC_BEFORE ? &rec->before : &rec->ids);
	if (is_script(bprm))
		flags |= SCAP_EXEC_SCRIPT;
	if (bprm->secureexec)
		flags |= SCAP_EXEC_SECURE;
	return flags;
}

void kscap_exec_emit(struct kscap_scratch *s, struct linux_binprm *bprm, pid_t old_pid, u32 mask)
{
	struct scap_rec_exec *rec = &s->rec->exec;
	struct kscap_consumer *c;
	u32 todo;

	rec->h.flags = fill_fixed(rec, bprm, old_pid, (u32)s->cookies ? s->refs[0].file : NULL);
	rec->cookie = (u32)s->cookies;
	kscap_for_each_consumer(c, mask, todo) {
		s->bytes = sizeof(*rec);
		blobs(s, bprm, c);
		kscap_emit(s, todo & -todo);
	}
}
