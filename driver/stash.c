// SPDX-License-Identifier: GPL-2.0-only
#include "stash.h"

#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "consumer.h"

struct kscap_stash kscap_stash;

/* Claims and releases only: once or twice in a task's life. */
static DEFINE_RAW_SPINLOCK(claim_lock);
static atomic64_t n_full;

/* Whoever writes last has seen the last change of the tree: so nobody is skipped for ever. */
static void set_skip(struct kscap_stash_slot *slot)
{
	bool skip;
	u8 tree;

	do {
		tree = READ_ONCE(slot->tree);
		skip = kscap_consumers_skip(slot->task, tree);
		/* Of a skipped task no entry was kept: what is there is older than that. */
		if (!skip && READ_ONCE(slot->skip))
			WRITE_ONCE(slot->call, KSCAP_STASH_MIDCALL);
		/* Before it may keep entries again. */
		smp_wmb();
		WRITE_ONCE(slot->skip, skip);
		/* Pairs with the full barrier of the exchange in kscap_stash_tree_set(). */
		smp_mb();
	} while (READ_ONCE(slot->tree) != tree);
}

/* Under claim_lock. NULL: all places are taken. */
static struct kscap_stash_slot *find_or_claim(struct task_struct *task, u64 call)
{
	struct kscap_stash_slot *slot = kscap_stash_find(task), *home = kscap_stash_home(task);
	int i;

	for (i = 0; !slot && i < KSCAP_STASH_WAYS; i++) {
		if (home[i].task)
			continue;
		slot = &home[i];
		slot->call = call;
		slot->seen = 0;
		slot->tree = 0;
		slot->skip = kscap_consumers_skip(task, 0);
		/* Who finds the task, finds the rest of its slot cleared. */
		smp_store_release(&slot->task, task);
	}
	return slot;
}

struct kscap_stash_slot *kscap_stash_claim(struct task_struct *task)
{
	struct kscap_stash_slot *slot = kscap_stash_find(task);
	unsigned long flags;

	if (slot)
		return slot;
	raw_spin_lock_irqsave(&claim_lock, flags);
	slot = find_or_claim(task, 0);
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
	set_skip(slot);
}

/* A task that ends gets none: there is little left for it to do. */
bool kscap_stash_tree_claim(struct task_struct *task, u8 bits)
{
	struct kscap_stash_slot *slot = NULL;
	unsigned long flags;
	bool is_new = false;

	raw_spin_lock_irqsave(&claim_lock, flags);
	if (!(READ_ONCE(task->flags) & PF_EXITING)) {
		slot = find_or_claim(task, KSCAP_STASH_MIDCALL);
		if (!slot)
			atomic64_inc(&n_full);
	}
	if (slot && (slot->tree & bits) != bits) {
		kscap_stash_tree_set(slot, bits);
		is_new = true;
	}
	raw_spin_unlock_irqrestore(&claim_lock, flags);
	return is_new;
}

/* The entry of a call that nobody wanted is not kept: one left behind is older than that. */
static void refresh_slot(struct kscap_stash_slot *slot, bool (*wanted)(u64 call), bool grown)
{
	u64 found, call;

	set_skip(slot);
	found = READ_ONCE(slot->call);
	call = kscap_stash_call(found);
	if (KSCAP_CALL_IS(call) ? !wanted(call) : !call && grown)
		cmpxchg(&slot->call, found, KSCAP_STASH_MIDCALL);
}

void kscap_stash_refresh(bool (*wanted)(u64 call), bool grown)
{
	unsigned long flags;
	u32 i, j;

	for (i = 0; i < kscap_stash.n_slots; i += 64) {
		raw_spin_lock_irqsave(&claim_lock, flags);
		for (j = i; j < min(i + 64, kscap_stash.n_slots); j++)
			if (kscap_stash.slots[j].task)
				refresh_slot(&kscap_stash.slots[j], wanted, grown);
		raw_spin_unlock_irqrestore(&claim_lock, flags);
		cond_resched();
	}
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

/* Eight times the tasks there are: most get their first place, and eight practically never fill. */
int kscap_stash_alloc(void)
{
	unsigned int bits = clamp(fls(n_tasks() * 8), 13, 18);

	BUILD_BUG_ON(!is_power_of_2(sizeof(struct kscap_stash_slot)));
	kscap_stash.n_slots = (1U << bits) + KSCAP_STASH_WAYS - 1;
	/* Up to 32 MiB: rather no recording than a process killed for it. */
	kscap_stash.slots = __vmalloc(array_size(kscap_stash.n_slots,
						 sizeof(struct kscap_stash_slot)),
				      GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN);
	if (!kscap_stash.slots)
		return -ENOMEM;
	kscap_stash.mask = ((1U << bits) - 1) * sizeof(struct kscap_stash_slot);
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
