// SPDX-License-Identifier: GPL-2.0-only
#include "emit.h"

#include "fill.h"

/* What is reserved together, in the order in which it is written. */
struct plan {
	u32 gap;
	u32 intro;
	u32 file[2];
	u32 rec;
	u32 total;
	u32 n_seq;
	u32 snaplen;		/* read once: it may be changed at any time */
};

static u32 round8(u32 n)
{
	return (n + 7) & ~7U;
}

/* How much less a consumer with this snaplen takes. */
static u32 io_excess(const struct kscap_scratch *s, u32 snaplen)
{
	return s->io_bytes <= snaplen ? 0 : round8(s->io_bytes) - round8(snaplen);
}

static u32 plan_file(struct kscap_scratch *s, struct kscap_ring *ring, int i, u64 epoch)
{
	struct kscap_file_ref *ref = &s->refs[i];

	if (!(u32)(s->cookies >> 32 * i) || !kscap_file_is_new(ring, ref, epoch))
		return 0;
	if (!ref->bytes)
		kscap_file_fill(s, ref);
	return ref->bytes;
}

static u32 plan_intro(struct kscap_scratch *s, struct kscap_ring *ring, u64 epoch)
{
	if (!kscap_is_new(kscap_seen_thread(ring, current->pid), s->thread_key, epoch))
		return 0;
	if (!s->intro_bytes)
		s->intro_bytes = kscap_intro_make(s);
	return s->intro_bytes;
}

static void make_plan(struct kscap_scratch *s, struct kscap_consumer *c, struct kscap_ring *ring,
		      u64 epoch, struct plan *p)
{
	p->snaplen = READ_ONCE(c->snaplen[s->io_class]);
	p->gap = kscap_ring_gap_bytes(ring);
	p->intro = plan_intro(s, ring, epoch);
	p->file[0] = plan_file(s, ring, 0, epoch);
	/* dup: both are one file. */
	p->file[1] = (u32)s->cookies && s->refs[0].key == s->refs[1].key ?
		     0 : plan_file(s, ring, 1, epoch);
	p->rec = s->bytes ? s->bytes - io_excess(s, p->snaplen) : 0;
	p->total = p->gap + p->intro + p->file[0] + p->file[1] + p->rec;
	p->n_seq = !!p->gap + !!p->intro + !!p->file[0] + !!p->file[1] + !!p->rec;
}

static void write_intro(struct kscap_scratch *s, struct kscap_ring *ring, void *at, u32 seq,
			u64 now)
{
	memcpy(at, s->intro, s->intro_bytes);
	kscap_rec_head(at, s->intro_bytes, SCAP_REC_INTRO, 0, seq, now);
	kscap_seen_thread(ring, current->pid)->key = s->thread_key ^ now >> SCAP_EPOCH_SHIFT;
}

/* From now on its cookie stands for this file alone: also for the fast way, which knows no keys. */
static void write_file(struct kscap_scratch *s, struct kscap_ring *ring,
		       struct kscap_file_ref *ref, void *at, u32 seq, u64 now)
{
	int i;

	for (i = 0; i < KSCAP_FILES_SEEN; i++)
		if (unlikely(s->files_seen[i].cookie == ref->cookie))
			s->files_seen[i].token = 0;
	memcpy(at, &ref->rec, ref->bytes);
	kscap_rec_head(at, ref->bytes, SCAP_REC_FILE, ref->rec.h.flags, seq, now);
	kscap_seen_file(ring, ref->cookie)->key = ref->key ^ now >> SCAP_EPOCH_SHIFT;
}

/* The record with its I/O data cut to what this consumer wants. */
static void write_cut(const struct kscap_scratch *s, u8 *at, u32 snaplen)
{
	const u8 *from = (const u8 *)s->rec;
	struct scap_blob *io = (struct scap_blob *)(at + s->io_at);
	u32 head = s->io_at + sizeof(*io), kept = round8(snaplen);
	u32 behind = head + round8(s->io_bytes);

	memcpy(at, from, head + snaplen);
	memset(at + head + snaplen, 0, kept - snaplen);
	io->meta = SCAP_BLOB_META(SCAP_BLOB_SLOT(io->meta), SCAP_STATE_TRUNCATED, snaplen);
	memcpy(at + head + kept, from + behind, s->bytes - behind);
}

static void write_rec(const struct kscap_scratch *s, const struct plan *p, u8 *at, u32 seq, u64 now)
{
	if (s->io_bytes > p->snaplen)
		write_cut(s, at, p->snaplen);
	else
		memcpy(at, s->rec, p->rec);
	kscap_rec_head((struct scap_rec *)at, p->rec, s->rec->h.type, s->rec->h.flags, seq, now);
}

static void write_plan(struct kscap_scratch *s, struct kscap_ring *ring, const struct plan *p,
		       const struct ring_slot *slot)
{
	u8 *at = slot->rec;
	u32 seq = slot->seq;
	int i;

	if (p->gap) {
		kscap_ring_gap_write(ring, (void *)at, seq++, slot->time_ns);
		at += p->gap;
	}
	if (p->intro) {
		write_intro(s, ring, at, seq++, slot->time_ns);
		at += p->intro;
	}
	for (i = 0; i < 2; i++) {
		if (!p->file[i])
			continue;
		write_file(s, ring, &s->refs[i], at, seq++, slot->time_ns);
		at += p->file[i];
	}
	if (p->rec)
		write_rec(s, p, at, seq, slot->time_ns);
}

/* An epoch that ends between plan and reservation: plan anew. */
static void emit_to(struct kscap_scratch *s, struct kscap_consumer *c)
{
	struct kscap_ring *ring = kscap_ring_here(c, s->lane);
	u64 epoch = kscap_now() >> SCAP_EPOCH_SHIFT;
	struct ring_slot slot;
	struct plan p;
	int rc;

	for (;;) {
		make_plan(s, c, ring, epoch, &p);
		if (!p.rec && !p.intro && !p.file[0] && !p.file[1])
			return;
		rc = ring_reserve(&ring->core, p.total / 8, p.n_seq, epoch, SCAP_EPOCH_SHIFT,
				  &slot);
		if (rc != RING_EPOCH)
			break;
		ring_leave(&ring->core);
		epoch = slot.time_ns >> SCAP_EPOCH_SHIFT;
	}
	if (rc == RING_OK)
		write_plan(s, ring, &p, &slot);
	else
		kscap_ring_tally(ring, s->tally_key, &slot);
	ring_leave(&ring->core);
	kscap_ring_wake(ring);
}

void kscap_emit(struct kscap_scratch *s, u32 mask)
{
	struct kscap_consumer *c;
	u32 todo;

	s->thread_key = kscap_intro_key(current);
	s->intro_bytes = 0;
	kscap_for_each_consumer(c, mask, todo)
		emit_to(s, c);
}
