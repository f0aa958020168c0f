// SPDX-License-Identifier: GPL-2.0-only
#include "late.h"

#include <linux/minmax.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "emit.h"

/* What comes by the thousand is not for the lane of the few. */
static u8 lane_of(u8 type)
{
	return type == SCAP_REC_SWITCH || type == SCAP_REC_WAKE || type == SCAP_REC_FAULT ?
	       SCAP_LANE_MAIN : SCAP_LANE_DECISIVE;
}

static void wait_for_probe(struct kscap_scratch *s, const void *rec, u32 bytes, u32 mask)
{
	const struct scap_rec *h = rec;
	u32 i = atomic_inc_return(&s->n_late) - 1, todo;
	struct kscap_late_rec *to = &s->late.recs[i];

	if (i < KSCAP_LATE_RECS) {
		to->time_ns = kscap_now();
		to->mask = mask;
		to->bytes = bytes;
		memcpy(to->rec, rec, bytes);
		return;
	}
	for (todo = mask; todo; todo &= todo - 1)
		atomic_inc(&s->late.lost[__ffs(todo)][h->type]);
}

static void emit_now(struct kscap_scratch *s, const void *rec, u32 bytes, u32 mask)
{
	const struct scap_rec *h = rec;

	kscap_rec_begin(s, h->type, bytes, SCAP_TALLY_KEY(h->type, 0, 0));
	s->lane = lane_of(h->type);
	memcpy(s->rec, rec, bytes);
	kscap_emit(s, mask);
}

/* An NMI may come where even a ring without a probe is written: it always waits. */
void kscap_event_emit(const void *rec, u32 bytes, u32 mask)
{
	struct kscap_scratch *s = this_cpu_read(kscap_scratch);

	if (!mask)
		return;
	if (in_nmi() || READ_ONCE(s->busy)) {
		wait_for_probe(s, rec, bytes, mask);
		return;
	}
	if (!kscap_scratch_take(&s))
		return;
	emit_now(s, rec, bytes, mask);
	kscap_scratch_give(s);
}

/* ---- when the probe has ended --------------------------------------------------------------- */

/* A consumer may have gone since, if what waited came in an NMI. */
static void emit_late(struct kscap_scratch *s, struct kscap_late_rec *late)
{
	u32 mask = late->mask & kscap_active_now();
	u64 now = kscap_now();

	late->head.late_ns = clamp_t(s64, now - late->time_ns, 1, U32_MAX);
	if (mask)
		emit_now(s, late->rec, late->bytes, mask);
}

/* An attempt without a record. */
static void lose(struct kscap_ring *ring, u32 key)
{
	struct ring_core *core = &ring->core;
	struct ring_slot slot = { };
	u64 word;

	ring_enter(core);
	do {
		word = RING_READ(&core->word);
		slot.seq = word >> 32;
		slot.time_ns = kscap_now();
	} while (!ring_take(core, word, 0, 1));
	kscap_ring_tally(ring, key, &slot);
	ring_leave(core);
}

static void tell_lost(struct kscap_late *late)
{
	u32 active = kscap_active_now(), todo;
	struct kscap_consumer *c;
	int type, n;

	kscap_for_each_consumer(c, active, todo)
		for (type = 0; type < SCAP_REC_INTRO; type++)
			for (n = atomic_xchg(&late->lost[c->id][type], 0); n > 0; n--)
				lose(kscap_ring_here(c, lane_of(type)), SCAP_TALLY_KEY(type, 0, 0));
}

/* More may come while it is emptied: it is empty when nothing came since the last look. */
static void empty(struct kscap_scratch *s)
{
	u32 i = 0, n;

	do {
		n = atomic_read(&s->n_late);
		for (; i < min_t(u32, n, KSCAP_LATE_RECS); i++)
			emit_late(s, &s->late.recs[i]);
	} while (atomic_cmpxchg(&s->n_late, n, 0) != n);
	if (n > KSCAP_LATE_RECS)
		tell_lost(&s->late);
}

void kscap_late_flush(struct kscap_scratch *s)
{
	while (atomic_read(&s->n_late)) {
		WRITE_ONCE(s->busy, 1);
		barrier();
		empty(s);
		barrier();
		WRITE_ONCE(s->busy, 0);
		barrier();
	}
}
