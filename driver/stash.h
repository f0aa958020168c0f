/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the entry of a call knew, per task: one table for all consumers, allocated when the first
 * one starts. A task claims a slot once and keeps it until it exits, so that the hot path is plain
 * loads and stores. Found by task pointer, never by tid alone: tids are reused while the table
 * lives, and a task's slot is released right before its memory is.
 */
#ifndef KSCAP_STASH_H
#define KSCAP_STASH_H

#include <linux/sched.h>
#include <linux/types.h>

#include "table.h"

struct kscap_stash_slot {
	struct task_struct *task;	/* NULL: free */
	u64 time_ns;		/* of the entry */
	u64 call;		/* see kscap_stash_call(); 0: no call is under way */

	/* What the single consumer's main ring was last told of this thread: see fast.h. */
	u64 seen;		/* the ring, its CPU and the epoch; 0: nothing */
	const void *cgroups;
	u64 comm[2];

	u8 skip;		/* no active consumer wants any call of this task */
	u8 tree;		/* bit c: in the process tree of consumer c; changed atomically */
	u8 pad[6];
	u64 args[6];		/* of exec; of close: [0] the file's cookie */
} ____cacheline_aligned;

/* A call that is under way. */
#define KSCAP_CALL(nr, abi)	((u32)(nr) | (u64)(abi) << 32 | 1ULL << 40)
#define KSCAP_CALL_IS(call)	((call) >> 40 & 1)
#define KSCAP_CALL_NR(call)	((s32)(u32)(call))
#define KSCAP_CALL_ABI(call)	((u32)((call) >> 32) & 0xff)

/* Otherwise. */
#define KSCAP_STASH_FORKED	BIT_ULL(41)	/* has not returned yet from its fork */
#define KSCAP_STASH_MIDCALL	BIT_ULL(42)	/* maybe in a call that nobody wanted */

#define KSCAP_STASH_WAYS	8

struct kscap_stash {
	struct kscap_stash_slot *slots;
	u32 mask;		/* of the byte offset of a task's first place */
	u32 n_slots;
};

extern struct kscap_stash kscap_stash;

/* The first of the KSCAP_STASH_WAYS places, in a row, where a task's slot may be. */
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

/*
 * slot->call is the address of the call's row, from which number and ABI follow, or, where these
 * have none of their own, what is returned here: KSCAP_CALL() or KSCAP_STASH_*.
 */
static inline u64 kscap_stash_call(u64 call)
{
	return (s64)call < 0 ? ((const struct kscap_row *)call)->call : call;
}

/* A call begins. The time first: an interrupt that finds the call finds its time. */
static __always_inline void kscap_stash_enter(struct kscap_stash_slot *slot, u64 time_ns, u64 call)
{
	slot->time_ns = time_ns;
	barrier();
	slot->call = call;
}

/* The task's slot, claimed now if need be; NULL: its places are taken, which is counted. */
struct kscap_stash_slot *kscap_stash_claim(struct task_struct *task);
void kscap_stash_release(struct task_struct *task);
/* Would a claim fail now? */
bool kscap_stash_is_full(const struct task_struct *task);

void kscap_stash_tree_set(struct kscap_stash_slot *slot, u8 bits);
/*
 * The set of active consumers has changed: finds out anew which tasks may be skipped, and drops
 * entries that do not count, as `wanted` says. Where it has grown, every task that is not in a
 * call, as far as is known here, may be in one that nobody wanted. Sleeps.
 */
void kscap_stash_refresh(bool (*wanted)(u64 call), bool grown);
/* Any task: claims its slot if need be and sets the bits. Whether they were new. */
bool kscap_stash_tree_claim(struct task_struct *task, u8 bits);
/* Takes a consumer's bit off all slots. */
void kscap_stash_tree_clear(u8 bits);

/* Process context, no probe attached. Sized by the tasks there are. */
int kscap_stash_alloc(void);
void kscap_stash_free(void);
u64 kscap_stash_n_full(void);

#endif
