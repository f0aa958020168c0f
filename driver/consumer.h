/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An attached reader. Its lifetime is that of its open file. Probes find the active ones through
 * kscap_active under their own preempt-off section; detaching takes the bit away, waits for a
 * grace period, and only then frees.
 */
#ifndef KSCAP_CONSUMER_H
#define KSCAP_CONSUMER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <scap/abi.h>

#include "filter.h"

struct kscap_ring;
struct kscap_snapshot;
struct task_struct;

#define KSCAP_MAX_CONSUMERS	8	/* bits of kscap_stash_slot.tree */

struct kscap_consumer {
	int id;
	bool started;
	bool stopped;
	bool holds_probes;
	bool ready;		/* rings are there: may be mapped */
	u32 snaplen[SCAP_IO_CLASSES];
	u32 argv_max;		/* bytes of an EXEC */
	u32 env_max;
	u32 holds_classes;	/* SCAP_CLASS_* whose probes it keeps attached */
	struct kscap_filter filter;
	struct kscap_ring *rings;	/* nr_cpu_ids * SCAP_LANES of them; NULL before setup */
	u64 lane_bytes[SCAP_LANES];
	struct scap_ring_ctl *ctl;
	struct scap_ring_pos *pos;
	struct mutex lock;		/* ioctls of this consumer */
	wait_queue_head_t wq;
	u64 wm_time_ns;			/* watermark asked for, 0: none */
	u64 wm_safe_ns;
	unsigned long wm_cookie;
	struct kscap_snapshot *snapshot;	/* the keyframe under way; NULL: never asked for */
};

/* Bit c: consumer c is started. */
extern u32 kscap_active;
extern struct kscap_consumer *kscap_consumers[KSCAP_MAX_CONSUMERS];
/* The largest snaplens of all started consumers. */
extern u32 kscap_max_snaplen[SCAP_IO_CLASSES];

static inline u32 kscap_active_now(void)
{
	/* Pairs with the release in update_active(): who is active is there as a whole. */
	return smp_load_acquire(&kscap_active);
}

#define kscap_for_each_consumer(c, mask, todo) \
	for (todo = (mask); todo && ((c) = kscap_consumers[__ffs(todo)], 1); todo &= todo - 1)

#define kscap_for_each_ring(ring, c) \
	for (ring = 0; ring < nr_cpu_ids * SCAP_LANES; ring++) \
		if (cpu_possible(ring / SCAP_LANES))

/* Does no active consumer want any call of this task? tree: bits of its stash slot. */
bool kscap_consumers_skip(const struct task_struct *task, u8 tree);

/* Process context, sleeping. */
int kscap_consumer_new(struct kscap_consumer **ret_c);
void kscap_consumer_free(struct kscap_consumer *c);
int kscap_consumer_setup(struct kscap_consumer *c, const struct scap_setup *setup);
int kscap_consumer_snaplen(struct kscap_consumer *c, const u32 *snaplen);
int kscap_consumer_filter(struct kscap_consumer *c, const struct scap_filter_spec *spec);
int kscap_consumer_tree_add(struct kscap_consumer *c, u32 tgid);
int kscap_consumer_start(struct kscap_consumer *c);
void kscap_consumer_stop(struct kscap_consumer *c);
void kscap_consumer_watermark(struct kscap_consumer *c, struct scap_watermark *ret);
/* Room for rings: all consumers together may have cap bytes. */
void kscap_consumer_room(u64 *ret_cap, u64 *ret_used);
u64 kscap_consumer_retries(const struct kscap_consumer *c);

#endif
