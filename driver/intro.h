/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Introductions: identities of threads and files, and the caches that say which of them a
 * consumer has seen in this epoch on this CPU.
 */
#ifndef KSCAP_INTRO_H
#define KSCAP_INTRO_H

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/sched.h>
#include <scap/abi.h>

/*
 * Direct-mapped: an entry holds the identity last introduced there. Two identities that share a
 * place push each other out, which costs a repeated introduction, never a wrong one.
 */
struct kscap_seen {
	u64 key;		/* identity ^ epoch; identities are well-mixed hashes */
};

#define KSCAP_SEEN_THREADS	1024
#define KSCAP_SEEN_FILES	2048

struct kscap_scratch;

struct kscap_seen_caches {
	struct kscap_seen threads[KSCAP_SEEN_THREADS];
	struct kscap_seen files[KSCAP_SEEN_FILES];
};

static __always_inline u64 kscap_mix(u64 h, u64 v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

/* Its root directory: changed by chroot, pivot_root and entering a mount namespace. */
static __always_inline u64 kscap_root_key(const struct task_struct *task)
{
	const struct fs_struct *fs = READ_ONCE(task->fs);

	return likely(fs) ? rol64((unsigned long)READ_ONCE(fs->root.dentry), 28) : 0;
}

/*
 * Changes whenever anything that INTRO shows changes: start, name, ids, namespaces, cgroup; not the
 * parent, whose death shows with the next epoch. Rotations keep equal words from cancelling out.
 * Probe context, task is current.
 */
static __always_inline u64 kscap_intro_key(const struct task_struct *task)
{
	const struct cred *cred = rcu_dereference_sched(task->cred);
	const u64 *comm = (const u64 *)task->comm;
	u64 who = ((unsigned long)task ^ rol64((unsigned long)task->nsproxy, 42) ^
		   kscap_root_key(task)) + task->start_boottime;
	u64 ids = *(const u64 *)&cred->uid ^ rol64(*(const u64 *)&cred->euid, 16);

	/* Neighbours, so that one load takes both. */
	BUILD_BUG_ON(offsetof(struct cred, gid) != offsetof(struct cred, uid) + 4);
	BUILD_BUG_ON(offsetof(struct cred, egid) != offsetof(struct cred, euid) + 4);

	return kscap_mix((who + comm[0]) * 0x9e3779b97f4a7c15ULL,
			 rol64(comm[1], 17) ^ rol64(ids, 7) ^
			 rol64((unsigned long)cred->user_ns, 35) ^
			 (unsigned long)task_dfl_cgroup((struct task_struct *)task));
}

/* Everything but the header and what is said of the root directory, of current. */
void kscap_intro_fill(struct scap_rec_intro *rec, struct task_struct *task);
/*
 * The same of any task, with credentials that the caller holds or found under RCU: its real ones,
 * because overridden ones may be freed at once.
 */
void kscap_intro_fill_as(struct scap_rec_intro *rec, struct task_struct *task,
			 const struct cred *cred);
/* All of current's INTRO but the header, in s->intro: its bytes. */
u32 kscap_intro_make(struct kscap_scratch *s);

#endif
