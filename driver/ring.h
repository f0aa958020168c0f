/* SPDX-License-Identifier: GPL-2.0-only */
/* One CPU's ring of one consumer: its pages, what it lost, what it has introduced. */
#ifndef KSCAP_RING_H
#define KSCAP_RING_H

#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/types.h>
#include <scap/abi.h>

#include "clock.h"
#include "intro.h"

#define RING_CLOCK()			kscap_now()
#define RING_CMPXCHG(p, old, new)	cmpxchg_local(p, old, new)
#define RING_READ(p)			READ_ONCE(*(p))
#define RING_LOAD_ACQUIRE(p)		smp_load_acquire(p)	/* the reader's store of its tail */
#define RING_STORE_RELEASE(p, v)	smp_store_release(p, v)	/* the reader's load of the head */
#define RING_BARRIER()			barrier()
#include "ring_core.h"

struct vm_area_struct;
struct wait_queue_head;

#define KSCAP_TALLY_KINDS	255
#define KSCAP_TALLY_INDEX	512

/* What found no room since the last record that did. */
struct kscap_tally {
	u64 first_ns, last_ns;
	u32 first_seq;
	u32 n_lost;
	u32 n_kinds;
	u8 index[KSCAP_TALLY_INDEX];	/* by hash of the key: its place + 1, 0 free */
	struct scap_tally kind[KSCAP_TALLY_KINDS];
};

struct kscap_ring {
	struct ring_core core;
	/*
	 * Names this ring, among all that ever were, in the tokens that say what it was told of:
	 * stamp + epoch. While the tally is not empty it has KSCAP_STAMP_GAP: no token fits then.
	 */
	u64 stamp;
	u32 limit;		/* up to this position room8 units are known to be free */
	u32 room8;		/* what the largest call on the fast way takes, in 8 bytes */
	u32 wake_pos;		/* wake the reader when the position gets here */
	struct kscap_tally *tally;
	struct kscap_seen_caches *seen;
	struct irq_work wake;
	struct wait_queue_head *wq;
	struct kscap_consumer *consumer;
	struct page **pages;
	u32 n_pages;
};

#define KSCAP_STAMP_SHIFT	36	/* epochs of 2^30 ns below: 2,000 years */
#define KSCAP_STAMP_GAP		BIT_ULL(63)

static __always_inline bool kscap_ring_gap_due(const struct kscap_ring *ring)
{
	return ring->stamp & KSCAP_STAMP_GAP;
}

/* Process context. head and reader: this ring's place in the consumer's shared pages. */
int kscap_ring_init(struct kscap_ring *ring, int cpu, u64 bytes, u64 *head, const u32 *reader,
		    struct wait_queue_head *wq);
/* No probe may use it any more. All zeroes is allowed. */
void kscap_ring_fini(struct kscap_ring *ring);
int kscap_ring_map(struct kscap_ring *ring, struct vm_area_struct *vma);

/* On the ring's CPU, one attempt was lost. */
void kscap_ring_tally(struct kscap_ring *ring, u32 key, const struct ring_slot *slot);
/* Bytes of the GAP that is due; 0: none. */
static inline u32 kscap_ring_gap_bytes(const struct kscap_ring *ring)
{
	if (likely(!kscap_ring_gap_due(ring)))
		return 0;
	return sizeof(struct scap_rec_gap) + ring->tally->n_kinds * sizeof(struct scap_tally);
}

/* Writes the GAP that is due, header included, and forgets it. */
void kscap_ring_gap_write(struct kscap_ring *ring, struct scap_rec_gap *rec, u32 seq, u64 time_ns);

/* For the fast way: room for room8 units behind `pos`? */
bool kscap_ring_refresh_limit(struct kscap_ring *ring, u32 pos);

static __always_inline bool kscap_ring_room(struct kscap_ring *ring, u32 pos)
{
	return likely((s32)(ring->limit - pos) >= 0) || kscap_ring_refresh_limit(ring, pos);
}

/* More than a quarter unread: wake whoever polls, once until it polls again. */
static __always_inline void kscap_ring_wake(struct kscap_ring *ring)
{
	u32 pos = (u32)ring->core.word;

	if (unlikely((s32)(pos - READ_ONCE(ring->wake_pos)) >= 0)) {
		WRITE_ONCE(ring->wake_pos, pos + (1U << 30));
		irq_work_queue(&ring->wake);
	}
}

/* For poll(): is a quarter unread? If not, ask to be woken when it is. */
bool kscap_ring_poll(struct kscap_ring *ring);

#ifdef __LITTLE_ENDIAN
#define KSCAP_HEAD_WORD(len8, type, flags, seq) \
	((u64)(seq) << 32 | (u32)(flags) << 24 | (u32)(type) << 16 | (u16)(len8))
#else
#define KSCAP_HEAD_WORD(len8, type, flags, seq) \
	((u64)(len8) << 48 | (u64)(type) << 40 | (u64)(flags) << 32 | (u32)(seq))
#endif

static inline void kscap_rec_head(struct scap_rec *h, u32 bytes, u8 type, u8 flags, u32 seq,
				  u64 time_ns)
{
	u64 *words = (u64 *)h;

	/* One store for len8, type, flags, seq. */
	words[0] = KSCAP_HEAD_WORD(bytes / 8, type, flags, seq);
	words[1] = time_ns;
}

#endif
