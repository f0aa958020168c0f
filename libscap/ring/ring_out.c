/* SPDX-License-Identifier: MIT */
/* What the ring's writer writes becomes entries; the oldest ones make room. */
#include "ring/ring.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32c.h"

/* ---- making room ---------------------------------------------------------------------------- */

/* What is oldest from here on: its first time and how many events came before it. */
static void note_oldest(struct scap_ring *r, const struct scap__ring_found *f)
{
	if (f->e.type == SCAP__SECTION_KEYFRAME)
		return;
	atomic_store(&r->start_ns, f->e.start_ns);
	atomic_store(&r->tail_events, f->e.n_before);
}

/*
 * Nobody else writes here, but the file can be reached by others: what can't be read any more ends
 * what is there.
 */
static void evict(struct scap_ring *r, uint64_t until)
{
	struct scap__ring_found f;
	uint64_t tail = atomic_load(&r->tail);

	while (tail < until) {
		if (scap__ring_look(r, &tail, &f)) {
			tail = atomic_load(&r->head);
			atomic_store(&r->n_sections, 0);
			break;
		}
		if (tail >= until)
			break;
		tail += f.e.bytes;
		atomic_fetch_sub(&r->n_sections, 1);
		atomic_fetch_add(&r->n_evicted, 1);
	}
	atomic_store(&r->tail, tail);
	scap__ring_page(r)->tail = htole64(tail);
	if (!scap__ring_look(r, &tail, &f))
		note_oldest(r, &f);
	/* Whoever still reads there finds out: the tail is seen before what is written now. */
	atomic_thread_fence(memory_order_seq_cst);
}

/* Where n bytes go in one piece; what lay there is gone. */
static uint64_t place(struct scap_ring *r, uint64_t n)
{
	uint64_t at = atomic_load(&r->head), left = r->area_bytes - at % r->area_bytes;

	if (n > left) {
		/* No old header is to be found there. */
		if (at + left > r->area_bytes)
			evict(r, at + left - r->area_bytes);
		scap__ring_overwrite(r->map + SCAP__RING_AREA_OFFSET + at % r->area_bytes, NULL,
				     left);
		at += left;
	}
	if (at + n > r->area_bytes)
		evict(r, at + n - r->area_bytes);
	return at;
}

/* ---- entries -------------------------------------------------------------------------------- */

static uint16_t flags_of(uint16_t type, const struct scap__index_facts *f, const uint8_t *keyframe)
{
	struct scap__keyframe_header h;
	uint16_t flags = f->missing ? SCAP__RING_MISSING : 0;

	if (type != SCAP__SECTION_KEYFRAME)
		return flags;
	memcpy(&h, keyframe, sizeof(h));
	return flags | (h.part ? 0 : SCAP__RING_FIRST_PART) |
	       (le32toh(h.flags) & SCAP_KEYFRAME_LAST ? SCAP__RING_LAST_PART : 0);
}

static uint16_t n_in(const struct scap__buffer *list)
{
	size_t n = list->n / sizeof(struct scap__ring_seq);

	return (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
}

static struct scap__ring_entry make_entry(const struct scap_ring *r, uint16_t type,
					  const struct scap__index_facts *f)
{
	struct scap__ring_entry e = {
		.magic = htole32(SCAP__RING_ENTRY_MAGIC), .type = htole16(type),
		.flags = htole16(flags_of(type, f, r->writer->raw.p +
					  sizeof(struct scap__section_header))),
		.ring_id = htole64(r->id), .start_ns = htole64(f->start_ns),
		.end_ns = htole64(f->end_ns), .start_real_ns = htole64(f->start_real_ns),
		.n_before = htole64(f->n_before), .n_after = htole64(f->n_after),
		.lost_before = htole64(f->lost_before), .lost_after = htole64(f->lost_after),
		.row_bytes = htole64(f->row_bytes), .n_slices = htole32(f->n_slices),
		.n_records = htole32(f->n_records), .n_rings = htole16(n_in(&f->rings)),
		.n_ends = htole16(n_in(&f->ends)),
	};

	return e;
}

static void publish(struct scap_ring *r, uint16_t type, const struct scap__index_facts *f,
		    uint64_t head)
{
	bool first = !atomic_load(&r->n_sections);

	atomic_store(&r->head, head);
	scap__ring_page(r)->head = htole64(head);
	atomic_fetch_add(&r->n_sections, 1);
	if (type == SCAP__SECTION_KEYFRAME)
		return;
	atomic_store(&r->n_seen, f->n_after);
	if (first || !atomic_load(&r->start_ns)) {
		atomic_store(&r->start_ns, f->start_ns);
		atomic_store(&r->tail_events, f->n_before);
	}
	atomic_store(&r->end_ns, f->end_ns);
}

static int add_entry(struct scap_ring *r, uint16_t type, const void *section, size_t n)
{
	const struct scap__index_facts *f = r->writer->about;
	struct scap__ring_entry e = make_entry(r, type, f);
	size_t rings = n_in(&f->rings) * sizeof(struct scap__ring_seq);
	size_t ends = n_in(&f->ends) * sizeof(struct scap__ring_seq);
	uint64_t bytes = sizeof(e) + rings + ends + n, at;
	uint8_t *p;

	/* Half of the ring for one section: it would hold nothing else. */
	if (bytes > r->area_bytes / 2) {
		atomic_fetch_add(&r->n_dropped, 1);
		return 0;
	}
	at = place(r, bytes);
	p = r->map + SCAP__RING_AREA_OFFSET + at % r->area_bytes;
	e.position = htole64(at);
	e.bytes = htole64(bytes);
	e.crc = scap__crc32c(0, &e, offsetof(struct scap__ring_entry, crc));
	e.crc = scap__crc32c(e.crc, f->rings.p, rings);
	e.crc = htole32(scap__crc32c(e.crc, f->ends.p, ends));
	if (rings)
		scap__ring_overwrite(p + sizeof(e), f->rings.p, rings);
	if (ends)
		scap__ring_overwrite(p + sizeof(e) + rings, f->ends.p, ends);
	scap__ring_overwrite(p + sizeof(e) + rings + ends, section, n);
	scap__ring_overwrite(p, &e, sizeof(e));
	publish(r, type, f, at + bytes);
	return 0;
}

/* HOST, and what numbers are called: for every capture. */
static int add_fixed(struct scap_ring *r, const void *section, size_t n)
{
	uint64_t at = atomic_load(&r->fixed_bytes);

	if (n > SCAP__RING_FIXED_BYTES - at) {
		atomic_fetch_add(&r->n_dropped, 1);
		return 0;
	}
	memcpy(r->map + SCAP__RING_FIXED_OFFSET + at, section, n);
	atomic_store(&r->fixed_bytes, at + n);
	scap__ring_page(r)->fixed_bytes = htole64(at + n);
	return 0;
}

/* END, in the writer's buffer, says where all stood. */
static int close_ring(struct scap_ring *r)
{
	const struct scap__buffer *raw = &r->writer->raw;
	const size_t head = sizeof(struct scap__section_header) + sizeof(struct scap__end_header);
	const uint8_t *end = raw->p + sizeof(struct scap__section_header);
	uint64_t raw_ns = scap__le64(end + offsetof(struct scap__end_header, end_raw_ns));

	scap__ring_put_ends(r, raw_ns, raw->p + head,
			    (raw->n - head) / sizeof(struct scap__ring_seq));
	scap__ring_page(r)->closed = htole64(1);
	return 0;
}

/* Each call brings the file's header or a whole section. */
static int ring_write(void *ctx, const void *buf, size_t n)
{
	struct scap__section_header h;
	struct scap_ring *r = ctx;
	uint16_t type;

	if (n < sizeof(h) || !memcmp(buf, SCAP__FILE_MAGIC, 8))
		return 0;
	memcpy(&h, buf, sizeof(h));
	type = le16toh(h.type);
	switch (type) {
	case SCAP__SECTION_HOST:
	case SCAP__SECTION_SCHEMA:
		return add_fixed(r, buf, n);
	case SCAP__SECTION_SLICE:
	case SCAP__SECTION_GROUP:
	case SCAP__SECTION_KEYFRAME:
		return r->writer && r->writer->about ? add_entry(r, type, buf, n) : -EINVAL;
	case SCAP__SECTION_END:
		return r->writer ? close_ring(r) : -EINVAL;
	}
	return 0;
}

static int ring_close(void *ctx)
{
	struct scap_ring *r = ctx;

	r->writer = NULL;
	return 0;
}

struct scap_sink scap__ring_sink(struct scap_ring *r)
{
	return (struct scap_sink){ .ctx = r, .write = ring_write, .close = ring_close };
}
