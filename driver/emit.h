/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a CPU's scratch memory into the rings of the consumers that want the record.
 *
 * The short way: while there is one consumer, a call is written straight behind the position of
 * its ring (the ring is its own scratch memory; nothing there is published), and when all is
 * written and no introduction is due, one compare-exchange takes the space. The position is read
 * before the clock, and the exchange fails if it has moved since: then an interrupt has reserved
 * and perhaps written there, and the record is built again in scratch memory.
 */
#ifndef KSCAP_EMIT_H
#define KSCAP_EMIT_H

#include "capture.h"
#include "consumer.h"
#include "intro.h"
#include "ring.h"

static __always_inline struct kscap_seen *kscap_seen_thread(struct kscap_ring *ring, u32 tid)
{
	return &ring->seen->threads[tid % KSCAP_SEEN_THREADS];
}

static __always_inline struct kscap_seen *kscap_seen_file(struct kscap_ring *ring, u32 cookie)
{
	return &ring->seen->files[cookie % KSCAP_SEEN_FILES];
}

static __always_inline bool kscap_is_new(const struct kscap_seen *seen, u64 key, u64 epoch)
{
	return seen->key != (key ^ epoch);
}

static __always_inline bool kscap_file_is_new(struct kscap_ring *ring,
					      const struct kscap_file_ref *ref, u64 epoch)
{
	return kscap_is_new(kscap_seen_file(ring, ref->cookie), ref->key, epoch);
}

/* Is one of the record's files not introduced yet? */
static __always_inline bool kscap_files_are_new(const struct kscap_scratch *s,
						struct kscap_ring *ring, u64 epoch)
{
	if ((u32)s->cookies && unlikely(kscap_file_is_new(ring, &s->refs[0], epoch)))
		return true;
	return unlikely(s->cookies >> 32) && kscap_file_is_new(ring, &s->refs[1], epoch);
}

/* Everything but the short way. The record is in s->buf; bytes 0: introductions alone. */
void kscap_emit(struct kscap_scratch *s, u32 mask);

enum kscap_sent {
	KSCAP_SENT,
	KSCAP_MUST_COPY,	/* introductions, a gap: move it to scratch memory */
	KSCAP_MUST_REDO,	/* the place was taken meanwhile */
};

/* The short way, for a record that was written at the place that `word` tells. */
static __always_inline enum kscap_sent kscap_emit_in_place(struct kscap_scratch *s,
							   struct kscap_ring *ring, u64 word)
{
	struct kscap_seen *thread = kscap_seen_thread(ring, current->pid);
	u64 epoch = s->now >> SCAP_EPOCH_SHIFT;
	u32 n8 = s->bytes / 8;

	if (unlikely(ring->gap_due || kscap_is_new(thread, s->thread_key, epoch)))
		return KSCAP_MUST_COPY;
	if (s->row->flags & KSCAP_ROW_FILES && kscap_files_are_new(s, ring, epoch))
		return KSCAP_MUST_COPY;
	s->rec->words[0] = KSCAP_HEAD_WORD(n8, SCAP_REC_CALL, s->flags, word >> 32);
	s->rec->words[1] = s->now;
	ring_enter(&ring->core);
	if (unlikely(!ring_take(&ring->core, word, n8, 1))) {
		ring_leave(&ring->core);
		return KSCAP_MUST_REDO;
	}
	ring_leave(&ring->core);
	kscap_ring_wake(ring);
	return KSCAP_SENT;
}

/* In scratch memory. The header's first word lacks length and sequence. */
static __always_inline void kscap_rec_begin(struct kscap_scratch *s, u8 type, u32 fixed_bytes,
					    u32 tally_key)
{
	s->rec = (union kscap_rec *)s->buf;
	s->rec->words[0] = KSCAP_HEAD_WORD(0, type, 0, 0);
	s->room = sizeof(s->buf);
	s->bytes = fixed_bytes;
	s->tally_key = tally_key;
	s->io_bytes = 0;
}

#endif
