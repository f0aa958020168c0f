// SPDX-License-Identifier: GPL-2.0-only
#include "stash.h"

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

struct kscap_stash kscap_stash;

/* Claims and releases only: once or twice in a task's life. */
static DEFINE_RAW_SPINLOCK(claim_lock);
static atomic64_t n_full;

struct kscap_stash_slot *kscap_stash_claim(struct task_struct *task)
{
	struct kscap_stash_slot *slot, *home = kscap_stash_home(task);
	unsigned long flags;
	int i;

	slot = kscap_stash_find(task);
	if (slot)
		return slot;
	raw_spin_lock_irqsave(&claim_lock, flags);
	slot = kscap_stash_find(task);
	for (i = 0; !slot && i < KSCAP_STASH_WAYS; i++) {
		if (home[i].task)
			continue;
		slot = &home[i];
		slot->time_ns = 0;
		slot->flags = 0;
		slot->tree = 0;
		smp_store_release(&slot->task, task);
	}
	raw_spin_unlock_irqrestore(&claim_lock, flags);
	if (!slot)
		atomic64_inc(&n_full);
	return slot;
}

void kscap_stash_release(struct task_struct *task)
{
	struct kscap_stash_slot *slot;
	unsigned long flags;

	raw_spin_lock_irqsave(&claim_lock, flags);
	slot = kscap_stash_find(task);
	if (slot)
		WRITE_ONCE(slot->task, NULL);
	raw_spin_unlock_irqrestore(&claim_lock, flags);
}

bool kscap_stash_is_full(const struct task_struct *task)
{
	const struct kscap_stash_slot *home = kscap_stash_home(task);
	int i;

	for (i = 0; i < KSCAP_STASH_WAYS; i++)
		if (!READ_ONCE(home[i].task))
			return false;
	return true;
}

/* A fork's probe and TREE_ADD may meet in one slot, hence compare-exchange. */
void kscap_stash_tree_set(struct kscap_stash_slot *slot, u8 bits)
{
	u8 old = READ_ONCE(slot->tree), seen;

	while ((seen = cmpxchg(&slot->tree, old, (u8)(old | bits))) != old)
		old = seen;
}

static size_t tree_clear_pass(u8 bits)
{
	size_t i, n = 0;

	for (i = 0; i < kscap_stash.n_slots; i++) {
		u8 *tree = &kscap_stash.slots[i].tree;
		u8 old = READ_ONCE(*tree), seen;

		n += !!(old & bits);
		while (old & bits && (seen = cmpxchg(tree, old, (u8)(old & ~bits))) != old)
			old = seen;
		if (i % 4096 == 0)
			cond_resched();
	}
	return n;
}

/* A fork during a pass may copy the bit from a parent not yet reached: look until none is found. */
void kscap_stash_tree_clear(u8 bits)
{
	while (tree_clear_pass(bits))
		synchronize_rcu();
}

static unsigned int n_tasks(void)
{
	struct task_struct *p, *t;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_process_thread(p, t)
		n++;
	rcu_read_unlock();
	return n;
}

/* Eight times the tasks there are: 8-way sets then practically never fill up. */
int kscap_stash_alloc(void)
{
	unsigned int bits = clamp(fls(n_tasks() * 8), 13, 18);

	kscap_stash.slots = vzalloc(sizeof(struct kscap_stash_slot) << bits);
	if (!kscap_stash.slots)
		return -ENOMEM;
	kscap_stash.n_slots = 1U << bits;
	kscap_stash.mask = (kscap_stash.n_slots - KSCAP_STASH_WAYS) *
			   sizeof(struct kscap_stash_slot);
	atomic64_set(&n_full, 0);
	return 0;
}

void kscap_stash_free(void)
{
	vfree(kscap_stash.slots);
	kscap_stash.slots = NULL;
}

u64 kscap_stash_n_full(void)
{
	return atomic64_read(&n_full);
}
