/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the entry of a call knew, per task: one table for all consumers, allocated when the first
 * one starts. A task claims a slot once and keeps it until it exits, so that the hot path is plain
 * loads and stores. Found by task pointer, never by tid alone: tids are reused while the table
 * lives, and a task's slot is released by its exit probe before its memory can be.
 */
#ifndef KSCAP_STASH_H
#define KSCAP_STASH_H

#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/types.h>

struct kscap_stash_slot {
	struct task_struct *task;	/* NULL: free */
	u64 time_ns;		/* of the entry; 0: no call is under way */
	s32 nr;
	u8 abi;
	u8 flags;		/* KSCAP_STASH_* */
	u8 tree;		/* bit c: in the process tree of consumer c; changed atomically */
	u8 pad;
	u64 args[5];		/* of exec; of close: [0] the file's cookie */
} ____cacheline_aligned;

#define KSCAP_STASH_FORKED	0x01	/* has not returned from the fork that made it yet */

#define KSCAP_STASH_WAYS	8

struct kscap_stash {
	struct kscap_stash_slot *slots;
	unsigned int bits;	/* 2^bits slots */
};

extern struct kscap_stash kscap_stash;

/* NULL: none claimed. Probe context, or under the claim lock. */
static __always_inline struct kscap_stash_slot *kscap_stash_find(const struct task_struct *task)
{
	u32 home = hash_ptr(task, kscap_stash.bits) & ~(KSCAP_STASH_WAYS - 1);
	struct kscap_stash_slot *slot = &kscap_stash.slots[home];
	int i;

	if (likely(READ_ONCE(slot->task) == task))
		return slot;
	for (i = 1; i < KSCAP_STASH_WAYS; i++)
		if (READ_ONCE(slot[i].task) == task)
			return &slot[i];
	return NULL;
}

/* The task's slot, claimed now if need be; NULL: its set is full, which is counted. */
struct kscap_stash_slot *kscap_stash_claim(struct task_struct *task);
void kscap_stash_release(struct task_struct *task);
/* Would a claim fail now? */
bool kscap_stash_is_full(const struct task_struct *task);

void kscap_stash_tree_set(struct kscap_stash_slot *slot, u8 bits);
/* Takes a consumer's bit off all slots. */
void kscap_stash_tree_clear(u8 bits);

/* Process context, no probe attached. Sized by the tasks there are. */
int kscap_stash_alloc(void);
void kscap_stash_free(void);
u64 kscap_stash_n_full(void);

#endif
