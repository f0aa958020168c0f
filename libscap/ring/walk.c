/* SPDX-License-Identifier: MIT */
/* Entries of a ring, found and copied. Nothing that lies in the file is believed. */
#include <endian.h>
#include <errno.h>
#include <scap/abi.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "ring/ring.h"

/* ---- one entry ------------------------------------------------------------------------------ */

static void to_host(struct scap__ring_entry *e)
{
	e->magic = le32toh(e->magic);
	e->type = le16toh(e->type);
	e->flags = le16toh(e->flags);
	e->ring_id = le64toh(e->ring_id);
	e->position = le64toh(e->position);
	e->bytes = le64toh(e->bytes);
	e->start_ns = le64toh(e->start_ns);
	e->end_ns = le64toh(e->end_ns);
	e->start_real_ns = le64toh(e->start_real_ns);
	e->n_before = le64toh(e->n_before);
	e->n_after = le64toh(e->n_after);
	e->lost_before = le64toh(e->lost_before);
	e->lost_after = le64toh(e->lost_after);
	e->row_bytes = le64toh(e->row_bytes);
	e->n_slices = le32toh(e->n_slices);
	e->n_records = le32toh(e->n_records);
	e->n_rings = le16toh(e->n_rings);
	e->n_ends = le16toh(e->n_ends);
	e->crc = le32toh(e->crc);
}

/* Whether n bytes at p are exactly a section, going by its header, of which *h becomes a copy. */
static bool is_section(const uint8_t *p, size_t n, struct scap__section_header *h)
{
	if (n < sizeof(*h))
		return false;
	memcpy(h, p, sizeof(*h));
	n -= sizeof(*h);
	return le32toh(h->magic) == SCAP__SECTION_MAGIC &&
	       le16toh(h->header_bytes) == sizeof(*h) &&
	       le32toh(h->crc) == scap__crc32c(0, h, offsetof(struct scap__section_header, crc)) &&
	       le64toh(h->stored_bytes) <= n && n - le64toh(h->stored_bytes) < SCAP__ALIGN;
}

int scap__ring_entry_at(const uint8_t *p, size_t n, uint64_t ring_id,
			struct scap__ring_found *ret)
{
	struct scap__ring_entry *e = &ret->e;
	size_t lists;
	uint32_t crc;

	if (n < sizeof(*e))
		return SCAP_EDAMAGED;
	memcpy(e, p, sizeof(*e));
	crc = scap__crc32c(0, e, offsetof(struct scap__ring_entry, crc));
	to_host(e);
	lists = ((size_t)e->n_rings + e->n_ends) * sizeof(struct scap__ring_seq);
	if (e->magic != SCAP__RING_ENTRY_MAGIC || e->ring_id != ring_id || e->bytes > n ||
	    e->bytes % SCAP__ALIGN || e->bytes < sizeof(*e) + lists ||
	    scap__crc32c(crc, p + sizeof(*e), lists) != e->crc)
		return SCAP_EDAMAGED;
	ret->rings = p + sizeof(*e);
	ret->ends = ret->rings + (size_t)e->n_rings * sizeof(struct scap__ring_seq);
	ret->section = ret->rings + lists;
	ret->section_bytes = (size_t)e->bytes - sizeof(*e) - lists;
	if (e->start_ns > e->end_ns || e->n_before > e->n_after || e->lost_before > e->lost_after ||
	    e->n_after - e->n_before > e->n_records)
		return SCAP_EDAMAGED;
	return is_section(ret->section, ret->section_bytes, &ret->h) &&
	       le16toh(ret->h.type) == e->type ? 0 : SCAP_EDAMAGED;
}

void scap__ring_overwrite(uint8_t *to, const void *from, size_t n)
{
	if (from)
		memcpy(to, from, n);
	else
		memset(to, 0, n);
}

bool scap__ring_holds(struct scap_ring *r, uint64_t position)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load(&r->tail) <= position;
}

int scap__ring_look(struct scap_ring *r, uint64_t *position, struct scap__ring_found *ret)
{
	uint64_t head = atomic_load(&r->head);

	while (*position < head) {
		uint64_t off = *position % r->area_bytes, left = r->area_bytes - off;
		const uint8_t *p = r->map + SCAP__RING_AREA_OFFSET + off;
		uint32_t magic = 0;
		int rc = scap__ring_entry_at(p, (size_t)left, r->id, ret);

		if (left >= sizeof(ret->e))
			memcpy(&magic, p, sizeof(magic));
		if (!scap__ring_holds(r, *position))
			return -EAGAIN;
		if (!rc)
			return ret->e.position == *position ? 0 : SCAP_EDAMAGED;
		if (magic || !off)
			return SCAP_EDAMAGED;
		*position += left;	/* nothing more fitted there */
	}
	return 1;
}

/* ---- copies --------------------------------------------------------------------------------- */

void scap__ring_list(const uint8_t *p, uint32_t n, struct scap_ring_end *ends)
{
	for (uint32_t i = 0; i < n; i++) {
		struct scap__ring_seq seq;

		memcpy(&seq, p + i * sizeof(seq), sizeof(seq));
		ends[i] = (struct scap_ring_end){
			.cpu = le16toh(seq.cpu), .lane = le16toh(seq.lane),
			.next_seq = le32toh(seq.next_seq),
		};
	}
}

/* Numbers that were given out, up to next_seq, behind the last one of the ring in w's file. */
static uint64_t missing(const struct scap_writer *w, uint32_t ring, uint32_t next_seq)
{
	uint32_t hole = next_seq - scap__index_next_seq(&w->index, ring);

	return hole <= INT32_MAX ? hole : 0;
}

uint64_t scap__ring_jumped(const struct scap_writer *w, const struct scap__ring_found *f)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < f->e.n_rings; i++) {
		const uint8_t *p = f->rings + i * sizeof(struct scap__ring_seq);
		uint32_t ring = (uint32_t)scap__le16(p) * SCAP_LANES + scap__le16(p + 2);

		n += missing(w, ring, scap__le32(p + 4));
	}
	return n;
}

uint64_t scap__ring_lost(const struct scap_writer *w, const struct scap_ring_end *ends, uint32_t n)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < n; i++)
		lost += missing(w, ends[i].cpu * SCAP_LANES + ends[i].lane, ends[i].next_seq);
	return lost;
}

/* What index and END say of it. The lists may be overwritten as soon as they are not looked at. */
static int describe(struct scap_writer *w, const struct scap__ring_found *f)
{
	const struct scap__ring_entry *e = &f->e;
	struct scap__index_facts *facts = &w->facts;
	uint64_t hole = e->type == SCAP__SECTION_KEYFRAME ? 0 : scap__ring_jumped(w, f);

	facts->start_ns = e->start_ns;
	facts->end_ns = e->end_ns;
	facts->start_real_ns = e->start_real_ns;
	facts->n_before = w->index.n_written;
	facts->n_after = facts->n_before + (e->n_after - e->n_before);
	facts->lost_before = w->index.lost_written + hole;
	facts->lost_after = facts->lost_before + (e->lost_after - e->lost_before);
	facts->missing = hole || e->flags & SCAP__RING_MISSING;
	facts->ends.n = 0;
	if (scap__index_rings(&w->index, &facts->rings) ||
	    scap__buffer_add(&facts->ends, f->ends, e->n_ends * sizeof(struct scap__ring_seq)))
		return scap__writer_no_memory(w);
	return 0;
}

static void count(struct scap_writer *w, const struct scap__ring_entry *e)
{
	w->n_slices += e->n_slices;
	w->n_records += e->n_records;
	w->row_bytes += e->row_bytes;
	w->index.n_events = w->facts.n_after;
	w->index.n_lost = w->facts.lost_after;
	if (e->start_real_ns) {
		w->index.clock_raw_ns = e->start_ns;
		w->index.clock_real_ns = e->start_real_ns;
	}
	w->last_end_ns = e->end_ns;
	scap__index_ends(w, w->facts.ends.p, e->n_ends);
}

int scap__ring_copy(struct scap_writer *w, const struct scap__ring_found *f,
		    bool (*still)(void *ctx), void *ctx)
{
	const struct scap__ring_entry *e = &f->e;
	bool keyframe = e->type == SCAP__SECTION_KEYFRAME;
	int rc = describe(w, f);

	if (!rc)
		rc = scap__section_copy(w, &f->h, f->section + sizeof(f->h), still, ctx);
	if (rc)
		return rc;
	if (keyframe) {
		/* It counts no events. */
		w->facts.n_after = w->index.n_written;
		w->facts.lost_after = w->index.lost_written;
		w->facts.missing = false;
	} else {
		count(w, e);
	}
	if (!keyframe || e->flags & SCAP__RING_FIRST_PART)
		scap__index_section(w, e->type, &w->facts);
	return 0;
}

size_t scap__ring_fixed_at(const uint8_t *p, size_t n, size_t at, struct scap__section_header *h)
{
	uint64_t stored;
	size_t bytes;

	if (at > n || n - at < sizeof(*h))
		return 0;
	memcpy(h, p + at, sizeof(*h));
	stored = le64toh(h->stored_bytes);
	if (stored > n - at - sizeof(*h))
		return 0;
	bytes = sizeof(*h) + (size_t)stored + (-stored & (SCAP__ALIGN - 1));
	if (bytes > n - at || !is_section(p + at, bytes, h) ||
	    le16toh(h->type) != (at ? SCAP__SECTION_SCHEMA : SCAP__SECTION_HOST) ||
	    scap__crc32c(0, p + at + sizeof(*h), (size_t)stored) != le32toh(h->payload_crc))
		return 0;
	return bytes;
}

int scap__ring_copy_fixed(struct scap_writer *w, const uint8_t *p, size_t n, size_t *at)
{
	struct scap__section_header h;
	size_t bytes;
	int rc = 0;

	while (!rc && (bytes = scap__ring_fixed_at(p, n, *at, &h))) {
		rc = scap__section_copy(w, &h, p + *at + sizeof(h), NULL, NULL);
		*at += bytes;
	}
	return rc;
}

int scap__ring_end_capture(struct scap_writer *w, uint64_t end_ns,
			   const struct scap_ring_end *rings, uint32_t n_rings,
			   uint64_t *ret_bytes, struct scap_error *err)
{
	int rc, fd = w->fd;
	struct stat st;

	w->sink.close = NULL;
	rc = scap_writer_close(w, end_ns, rings, n_rings, err);
	if (ret_bytes)
		*ret_bytes = fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
	if (fdatasync(fd) < 0 && !rc)
		rc = scap__fail(err, -errno, SCAP_NO_OFFSET, "writing the capture failed: %s",
				strerror(errno));
	if (close(fd) < 0 && !rc)
		rc = scap__fail(err, -errno, SCAP_NO_OFFSET, "writing the capture failed: %s",
				strerror(errno));
	return rc;
}
