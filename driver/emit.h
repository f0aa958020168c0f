/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a CPU's scratch memory into the rings of the consumers that want the record, each behind
 * the introductions that its ring still needs.
 */
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
	return seen->key != (key ^ epoch);
}

static __always_inline bool kscap_file_is_new(struct kscap_ring *ring,
					      const struct kscap_file_ref *ref, u64 epoch)
{
	return kscap_is_new(kscap_seen_file(ring, ref->cookie), ref->key, epoch);
}

/* The record is in s->buf; bytes 0: introductions alone. */
void kscap_emit(struct kscap_scratch *s, u32 mask);

static __always_inline struct kscap_ring *kscap_ring_here(struct kscap_consumer *c,
							  unsigned int lane)
{
	return &c->rings[smp_processor_id() * SCAP_LANES + lane];
}

/*
 * In scratch memory, for the decisive lane unless s->lane is changed. The header's first word lacks
 * length and sequence.
 */
static __always_inline void kscap_rec_begin(struct kscap_scratch *s, u8 type, u32 fixed_bytes,
					    u32 tally_key)
{
	s->rec = (union kscap_rec *)s->buf;
	s->rec->words[0] = KSCAP_HEAD_WORD(0, type, 0, 0);
	s->room = sizeof(s->buf);
	s->bytes = fixed_bytes;
	s->tally_key = tally_key;
	s->io_bytes = 0;
	s->lane = SCAP_LANE_DECISIVE;
}

#endif
