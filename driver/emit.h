/* SPDX-License-Identifier: GPL-2.0-only */
/* From a CPU's scratch memory into the rings of the consumers that want the record. */
#ifndef KSCAP_EMIT_H
#define KSCAP_EMIT_H

#include <linux/smp.h>

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
	return seen->key != key || seen->epoch != epoch;
}

static __always_inline bool kscap_file_is_new(struct kscap_ring *ring,
					      const struct kscap_file_ref *ref, u64 epoch)
{
	return ref && kscap_is_new(kscap_seen_file(ring, ref->cookie), ref->key, epoch);
}

/* Four words at a time: records are short, and `rep movs` is slow to start. */
static __always_inline void kscap_copy_words(u64 *to, const u64 *from, u32 n)
{
	for (; n >= 4; n -= 4, to += 4, from += 4) {
		u64 a = from[0], b = from[1], c = from[2], d = from[3];

		to[0] = a;
		to[1] = b;
		to[2] = c;
		to[3] = d;
	}
	for (; n; n--)
		*to++ = *from++;
}

/*
 * The time of an event is taken once, at the start of its probe. For it to be the time of the
 * record, nothing may have been reserved in the ring since: the ring's word is read before the
 * clock, and the reservation fails if it has moved. This is done for the ring of the first active
 * consumer; others, and whoever was interrupted, take a fresh time.
 */
static __always_inline void kscap_take_time(struct kscap_scratch *s, u32 active)
{
	s->lead = NULL;
	if (likely(active)) {
		s->lead = &kscap_consumers[__ffs(active)]->rings[smp_processor_id()];
		s->lead_word = READ_ONCE(s->lead->core.word);
		barrier();
	}
	s->now = kscap_now();
}

/* The general way in: gaps, introductions, smaller snaplens, full rings, a new epoch. */
void kscap_emit_slow(struct kscap_scratch *s, struct kscap_consumer *c, struct kscap_ring *ring);

static __always_inline void kscap_emit(struct kscap_scratch *s, struct kscap_consumer *c)
{
	struct kscap_ring *ring = &c->rings[smp_processor_id()];
	struct kscap_seen *thread = kscap_seen_thread(ring, current->pid);
	u64 epoch = s->now >> SCAP_EPOCH_SHIFT, word = s->lead_word, *to;
	u32 n8 = s->bytes / 8, pos = (u32)word;

	if (unlikely(ring != s->lead || ring->gap_due || !n8 || s->io_bytes > c->snaplen ||
		     kscap_is_new(thread, s->thread_key, epoch) ||
		     kscap_file_is_new(ring, s->file[0], epoch) ||
		     kscap_file_is_new(ring, s->file[1], epoch)))
		goto slow;
	ring_enter(&ring->core);
	if (unlikely(!ring_take(&ring->core, word, n8, 1))) {
		ring_leave(&ring->core);
		goto slow;
	}
	to = ring_at(&ring->core, pos);
	to[0] = s->rec.words[0] | (u64)(u32)(word >> 32) << 32 | (u16)n8;
	to[1] = s->now;
	if (likely(n8 <= 32))
		kscap_copy_words(to + 2, s->rec.words + 2, n8 - 2);
	else
		memcpy(to + 2, s->rec.words + 2, (n8 - 2) * 8);
	ring_leave(&ring->core);
	kscap_ring_wake(ring);
	return;
slow:
	kscap_emit_slow(s, c, ring);
}

static __always_inline void kscap_emit_all(struct kscap_scratch *s, u32 mask)
{
	struct kscap_consumer *c;
	u32 todo;

	s->thread_key = kscap_intro_key(current);
	kscap_for_each_consumer(c, mask, todo)
		kscap_emit(s, c);
}

/* type 0: nothing but introductions. The header's first word lacks length and sequence. */
static __always_inline void kscap_rec_begin(struct kscap_scratch *s, u8 type, u32 fixed_bytes,
					    u32 tally_key)
{
	s->rec.words[0] = KSCAP_HEAD_WORD(0, type, 0, 0);
	s->bytes = fixed_bytes;
	s->tally_key = tally_key;
	s->io_bytes = 0;
	s->file[0] = NULL;
	s->file[1] = NULL;
}

#endif
