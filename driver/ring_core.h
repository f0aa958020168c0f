/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reserve and commit in a per-CPU ring: pure arithmetic, built into the module and, for tests,
 * into user-space programs. The includer defines beforehand
 *
 *	RING_CLOCK()			now, ns
 *	RING_CMPXCHG(p, old, new)	compare-exchange on a u64 that only this CPU writes; returns
 *					the value found. Atomic against interrupts, no LOCK needed
 *	RING_READ(p)			one plain load
 *	RING_LOAD_ACQUIRE(p)  RING_STORE_RELEASE(p, v)
 *	RING_BARRIER()			for the compiler only
 *
 * and the types u32 and u64.
 *
 * One CPU writes, one reader (any CPU) reads. `word` is sequence << 32 | position, moved by one
 * compare-exchange, so that an interrupt that reserves in between makes the interrupted
 * reservation start over with a fresh time: ring order = sequence order = time order.
 *
 * An interrupt may come between a reservation and its commit, reserve and commit a record of its
 * own behind it, and return. Its record must not be published before ours is written: only the
 * outermost commit publishes (depth counts), and it publishes everything reserved so far.
 */
#ifndef KSCAP_RING_CORE_H
#define KSCAP_RING_CORE_H

struct ring_core {
	u64 word;		/* seq << 32 | position of the next reservation, in 8 bytes */
	u32 tail;		/* last reader position found valid */
	u32 size8;		/* ring size in 8 bytes, a power of two */
	u32 depth;		/* reservations not yet left, on this CPU */
	u32 n_retry;
	void *data;		/* the ring, mapped twice in a row */
	u64 *head;		/* published word */
	const u32 *reader;	/* the reader's position: hostile */
};

struct ring_slot {
	u64 time_ns;
	u32 seq;
	u32 pos;
	void *rec;
};

#define RING_OK		0
#define RING_FULL	1	/* a sequence number was taken; tally it */
#define RING_EPOCH	2	/* the epoch is not the one the caller assumed; nothing was taken */

/*
 * Room for n8 units right now? A reader position that is not within one ring behind `pos` is a
 * lie, or a reader gone mad: it counts as "nothing was read".
 */
static inline int ring_has_room(struct ring_core *rc, u32 pos, u32 n8)
{
	u32 tail;

	if (pos - rc->tail <= rc->size8 && rc->size8 - (pos - rc->tail) >= n8)
		return 1;
	tail = RING_LOAD_ACQUIRE(rc->reader);
	if (pos - tail > rc->size8)
		return 0;
	rc->tail = tail;
	return rc->size8 - (pos - tail) >= n8;
}

static inline void ring_enter(struct ring_core *rc)
{
	rc->depth++;
	RING_BARRIER();
}

/* Where a position lies in memory. */
static inline void *ring_at(const struct ring_core *rc, u32 pos)
{
	return (char *)rc->data + (size_t)(pos & (rc->size8 - 1)) * 8;
}

/*
 * One attempt after ring_enter() to take n8 units, for which ring_has_room(), and n_seq numbers,
 * from the position and number that `word` holds: provided that nothing was reserved since `word`
 * was read, so that a time taken after that reading is still the latest. False: nothing happened.
 */
static inline int ring_take(struct ring_core *rc, u64 word, u32 n8, u32 n_seq)
{
	u64 next = (u64)((u32)(word >> 32) + n_seq) << 32 | (u32)((u32)word + n8);

	return RING_CMPXCHG(&rc->word, word, next) == word;
}

/*
 * The same for one record that is written already, by the outermost of all that writes into this
 * ring now: takes its space and publishes it. An interrupt that comes after the exchange publishes
 * both, one between our reading of `word` and our store is seen by the second look. False where
 * the position would wrap, too: it would carry into the sequence.
 */
static inline int ring_take_outermost(struct ring_core *rc, u64 word, u32 n8)
{
	u64 next = word + ((1ULL << 32) | n8);

	if ((u32)next < n8 || RING_CMPXCHG(&rc->word, word, next) != word)
		return 0;
	do {
		word = RING_READ(&rc->word);
		RING_STORE_RELEASE(rc->head, word);
		RING_BARRIER();
	} while (RING_READ(&rc->word) != word);
	return 1;
}

/*
 * Reserves n8 units for n_seq records that share one time. epoch is the one that the caller's
 * choice of introductions holds for. Whatever it returns, ring_leave() must follow, after the
 * records are written.
 */
static inline int ring_reserve(struct ring_core *rc, u32 n8, u32 n_seq, u64 epoch,
			       unsigned int epoch_shift, struct ring_slot *slot)
{
	ring_enter(rc);
	for (;; rc->n_retry++) {
		u64 word = RING_READ(&rc->word);
		u32 seq = (u32)(word >> 32);

		slot->time_ns = RING_CLOCK();
		slot->seq = seq;
		slot->pos = (u32)word;
		slot->rec = ring_at(rc, slot->pos);
		if (slot->time_ns >> epoch_shift != epoch)
			return RING_EPOCH;
		if (ring_has_room(rc, (u32)word, n8)) {
			if (ring_take(rc, word, n8, n_seq))
				return RING_OK;
			continue;
		}
		if (RING_CMPXCHG(&rc->word, word, (u64)(seq + 1) << 32 | (u32)word) == word)
			return RING_FULL;
	}
}

/*
 * Ends what ring_reserve() began. The outermost publishes; an interrupt that reserves after `word`
 * was read and before depth is 0 is seen by the second look and published here, one that comes
 * later publishes itself.
 */
static inline void ring_leave(struct ring_core *rc)
{
	RING_BARRIER();
	if (rc->depth != 1) {
		rc->depth--;
		return;
	}
	for (;;) {
		u64 word = RING_READ(&rc->word);

		RING_STORE_RELEASE(rc->head, word);
		RING_BARRIER();
		rc->depth = 0;
		RING_BARRIER();
		if (RING_READ(&rc->word) == word)
			return;
		rc->depth = 1;
		RING_BARRIER();
	}
}

#endif
