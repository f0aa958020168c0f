/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the entry of a call knew, per task: one table for all consumers, allocated when the first
 * one starts. A task claims a slot once and keeps it until it exits, so that the hot path is plain
 * loads and stores. Found by task pointer, never by tid alone: tids are reused while the table
 * lives, and a task's slot is released by its exit probe before its memory can be.
 */
#ifndef KSCAP_STASH_H
#define KSCAP_STASH_H

#include <linux/sched.h>
#include <linux/types.h>

struct kscap_stash_slot {
	struct task_struct *task;	/* NULL: free */
	u64 time_ns;		/* of the entry; 0: no call is under way */
	s32 nr;
	u8 abi;			/* with flags one aligned u16: see kscap_stash_enter() */
	u8 flags;		/* KSCAP_STASH_* */
	u8 tree;		/* bit c: in the process tree of consumer c; changed atomically */
	u8 pad;
	u64 args[5];		/* of exec; of close: [0] the file's cookie */
} ____cacheline_aligned;

#define KSCAP_STASH_FORKED	0x01	/* has not returned from the fork that made it yet */

#define KSCAP_STASH_MIDCALL	0x02	/* claimed by another task: may be in a call begun before */

#define KSCAP_STASH_WAYS	8

struct kscap_stash {
	struct kscap_stash_slot *slots;
	u32 mask;		/* of the byte offset of a set */
	u32 n_slots;		/* a power of two */
};

extern struct kscap_stash kscap_stash;

/* Where a task's set begins. */
static __always_inline struct kscap_stash_slot *kscap_stash_home(const struct task_struct *task)
{
	u64 hash = (unsigned long)task * 0x9e3779b97f4a7c15ULL >> 32;

	return (void *)kscap_stash.slots + (hash & kscap_stash.mask);
}

/* NULL: none claimed. Probe context, or under the claim lock. */
static __always_inline struct kscap_stash_slot *kscap_stash_find(const struct task_struct *task)
{
	struct kscap_stash_slot *slot = kscap_stash_home(task);
	int i;

	if (likely(READ_ONCE(slot->task) == task))
		return slot;
	for (i = 1; i < KSCAP_STASH_WAYS; i++)
		if (READ_ONCE(slot[i].task) == task)
			return &slot[i];
	return NULL;
}

/* The same, in the first place alone; NULL says nothing. */
static __always_inline struct kscap_stash_slot *
kscap_stash_find_first(const struct task_struct *task)
{
	struct kscap_stash_slot *slot = kscap_stash_home(task);

	return likely(READ_ONCE(slot->task) == task) ? slot : NULL;
}

/* A call begins; flags are cleared. */
static __always_inline void kscap_stash_enter(struct kscap_stash_slot *slot, u64 time_ns, s32 nr,
					      unsigned int abi)
{
	slot->time_ns = time_ns;
	slot->nr = nr;
	slot->abi = abi;
	slot->flags = 0;
}

/* The task's slot, claimed now if need be; NULL: its set is full, which is counted. */
struct kscap_stash_slot *kscap_stash_claim(struct task_struct *task);
void kscap_stash_release(struct task_struct *task);
/* Would a claim fail now? */
bool kscap_stash_is_full(const struct task_struct *task);

void kscap_stash_tree_set(struct kscap_stash_slot *slot, u8 bits);
/* Any task: claims its slot if need be and sets the bits. Whether they were new. */
bool kscap_stash_tree_claim(struct task_struct *task, u8 bits);
/* Takes a consumer's bit off all slots. */
void kscap_stash_tree_clear(u8 bits);

/* Process context, no probe attached. Sized by the tasks there are. */
int kscap_stash_alloc(void);
void kscap_stash_free(void);
u64 kscap_stash_n_full(void);

#endif
