/* SPDX-License-Identifier: MIT */
/* The index: where a capture's sections lie, written behind its end. */
#include "format/writer.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/error.h"

int scap__index_rings(const struct scap__index *ix, struct scap__buffer *out)
{
	out->n = 0;
	for (uint32_t i = 0; i < ix->n_rings; i++) {
		struct scap__ring_seq ring = {
			htole16((uint16_t)(i / SCAP_LANES)), htole16(i % SCAP_LANES),
			htole32(ix->next_seq[i]),
		};

		if (ix->next_seq[i] && scap__buffer_add(out, &ring, sizeof(ring)))
			return -ENOMEM;
	}
	return 0;
}

static uint64_t real_at(const struct scap_slice *s)
{
	return s->real_ns ? s->real_ns + (s->start_ns - s->clock_raw_ns) : 0;
}

int scap__index_begin(struct scap__index *ix, struct scap__index_facts *f,
		      const struct scap_slice *s)
{
	f->start_ns = s->start_ns;
	f->start_real_ns = real_at(s);
	f->n_before = ix->n_events;
	f->lost_before = ix->n_lost;
	f->missing = false;
	return scap__index_rings(ix, &f->rings);
}

static int reach_ring(struct scap__index *ix, uint32_t ring)
{
	uint32_t n = ring + 1 > ix->n_rings * 2 ? ring + 1 : ix->n_rings * 2;
	size_t had = ix->n_rings * sizeof(*ix->next_seq), bytes = n * sizeof(*ix->next_seq);
	void *next_seq = ix->next_seq;

	if (ring < ix->n_rings)
		return 0;
	if (scap__realloc(ix->entries.budget, &next_seq, had, bytes))
		return -ENOMEM;
	ix->next_seq = next_seq;
	memset(ix->next_seq + ix->n_rings, 0, bytes - had);
	ix->n_rings = n;
	return 0;
}

void scap__index_start(struct scap_writer *w, const struct scap_ring_end *rings, uint32_t n_rings)
{
	struct scap__index *ix = &w->index;

	for (uint32_t i = 0; i < n_rings; i++) {
		uint32_t ring = rings[i].cpu * SCAP_LANES + rings[i].lane;

		if (rings[i].cpu >= SCAP__CPUS_MAX || rings[i].lane >= SCAP_LANES)
			continue;
		ix->none |= reach_ring(ix, ring) != 0;
		if (ring < ix->n_rings)
			ix->next_seq[ring] = rings[i].next_seq;
	}
}

void scap__index_ends(struct scap_writer *w, const uint8_t *list, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++, list += sizeof(struct scap__ring_seq)) {
		struct scap_ring_end end = {
			.cpu = scap__le16(list), .lane = scap__le16(list + 2),
			.next_seq = scap__le32(list + 4),
		};

		scap__index_start(w, &end, 1);
	}
}

int scap__index_slice(struct scap__index *ix, struct scap__index_facts *f,
		      const struct scap_slice *s)
{
	for (uint32_t i = 0; i < s->n_parts; i++) {
		const struct scap_slice_part *part = &s->parts[i];
		uint32_t ring = part->cpu * SCAP_LANES + part->lane, seq;
		const uint8_t *p = part->rows, *end;

		if (!part->bytes)
			continue;
		end = p + part->bytes;
		if (reach_ring(ix, ring))
			return -ENOMEM;
		seq = ix->next_seq[ring];
		for (; p < end; p += (size_t)scap__le16(p) * 8) {
			uint32_t hole = scap__le32(p + offsetof(struct scap_rec, seq)) - seq;

			if (hole) {
				f->missing = true;
				ix->n_lost += hole <= INT32_MAX ? hole : 0;
			}
			seq += hole + 1;
			ix->n_events += p[offsetof(struct scap_rec, type)] < SCAP_REC_INTRO;
		}
		ix->next_seq[ring] = seq;
	}
	f->end_ns = s->end_ns;
	f->n_after = ix->n_events;
	f->lost_after = ix->n_lost;
	if (scap__index_rings(ix, &f->ends))
		return -ENOMEM;
	if (s->real_ns) {
		ix->clock_raw_ns = s->clock_raw_ns;
		ix->clock_real_ns = s->real_ns;
	}
	return 0;
}

void scap__index_section(struct scap_writer *w, uint16_t type, const struct scap__index_facts *f)
{
	struct scap__index *ix = &w->index;
	uint32_t n_rings = f->missing ? (uint32_t)(f->rings.n / sizeof(struct scap__ring_seq)) : 0;
	struct scap__index_entry e = {
		.offset = htole64(w->section_offset), .start_ns = htole64(f->start_ns),
		.end_ns = htole64(f->end_ns), .start_real_ns = htole64(f->start_real_ns),
		.n_before = htole64(f->n_before), .index = htole32(w->next_index - 1),
		.type = htole16(type), .flags = htole16(f->missing ? SCAP__INDEX_MISSING : 0),
		.n_rings = htole32(n_rings),
	};

	ix->n_written = f->n_after;
	ix->lost_written = f->lost_after;
	if (ix->none)
		return;
	ix->none = ix->entries.n / sizeof(e) >= SCAP__INDEX_MAX_ENTRIES ||
		   ix->rings.n / sizeof(struct scap__ring_seq) + n_rings > SCAP__INDEX_MAX_RINGS;
	/* A capture can do without. */
	ix->none = ix->none || scap__buffer_add(&ix->entries, &e, sizeof(e)) ||
		   (n_rings && scap__buffer_add(&ix->rings, f->rings.p, f->rings.n));
}

void scap__index_end(struct scap_writer *w, uint64_t end_raw_ns,
		     const struct scap_ring_end *rings, uint32_t n_rings)
{
	struct scap__index *ix = &w->index;
	struct scap__index_facts *f = &w->facts;

	*f = (struct scap__index_facts){
		.start_ns = end_raw_ns, .end_ns = end_raw_ns, .rings = f->rings, .ends = f->ends,
		.n_before = ix->n_written, .n_after = ix->n_written,
		.lost_before = ix->lost_written, .lost_after = ix->lost_written,
	};
	for (uint32_t i = 0; i < n_rings; i++) {
		uint32_t ring = rings[i].cpu * SCAP_LANES + rings[i].lane;

		f->missing |= rings[i].next_seq != scap__index_next_seq(ix, ring);
	}
	if (!f->missing)
		return;
	ix->none |= scap__index_rings(ix, &f->rings) != 0;
	scap__index_section(w, SCAP__SECTION_END, f);
}

uint32_t scap__index_keyframe(struct scap_writer *w, struct scap__index_facts *f)
{
	struct scap__bytes b = { w->raw.p + sizeof(struct scap__section_header),
				 w->raw.n - sizeof(struct scap__section_header), false };
	uint64_t begin = scap__get_u64(&b), raw, real;

	scap__get_u64(&b);
	raw = scap__get_u64(&b);
	real = scap__get_u64(&b);
	scap__take(&b, offsetof(struct scap__keyframe_header, part) -
		   offsetof(struct scap__keyframe_header, clock_boot_ns));
	*f = (struct scap__index_facts){
		.start_ns = begin, .end_ns = begin, .n_before = w->index.n_written,
		.n_after = w->index.n_written, .lost_before = w->index.lost_written,
		.lost_after = w->index.lost_written,
		.start_real_ns = real ? real + (begin - raw) : 0,
	};
	return scap__get_u32(&b);
}

static int put_index(struct scap_writer *w, uint64_t end_raw_ns)
{
	struct scap__index *ix = &w->index;
	struct scap__index_header h = {
		.n_entries = htole32((uint32_t)(ix->entries.n / sizeof(struct scap__index_entry))),
		.n_rings = htole32((uint32_t)(ix->rings.n / sizeof(struct scap__ring_seq))),
		.end_raw_ns = htole64(end_raw_ns), .n_events = htole64(ix->n_events),
	};
	struct scap__index_trailer t = {
		.file_id = htole64(w->file_id), .magic = htole32(SCAP__INDEX_MAGIC),
	};

	if (ix->clock_real_ns)
		h.end_real_ns = htole64(ix->clock_real_ns + (end_raw_ns - ix->clock_raw_ns));
	if (scap__buffer_add(&w->raw, &h, sizeof(h)) ||
	    scap__buffer_add(&w->raw, ix->entries.p, ix->entries.n) ||
	    scap__buffer_add(&w->raw, ix->rings.p, ix->rings.n))
		return -ENOMEM;
	t.index_bytes = htole64(w->raw.n + sizeof(t));
	t.file_bytes = htole64(w->bytes + w->raw.n + sizeof(t));
	t.crc = htole32(scap__crc32c(0, &t, sizeof(t) - sizeof(t.crc)));
	return scap__buffer_add(&w->raw, &t, sizeof(t));
}

int scap__index_write(struct scap_writer *w, uint64_t end_raw_ns)
{
	int rc = w->index.none ? 0 : scap__section_begin(w);

	if (rc || w->index.none)
		return rc;
	if (put_index(w, end_raw_ns))
		return scap__writer_no_memory(w);
	w->sealing = false;	/* it says nothing that the file does not say without it */
	return scap__section_write_from(w, SCAP__SECTION_INDEX, &w->raw);
}

void scap__index_fini(struct scap__index *ix)
{
	scap__buffer_fini(&ix->entries);
	scap__buffer_fini(&ix->rings);
	scap__free(ix->entries.budget, ix->next_seq, ix->n_rings * sizeof(*ix->next_seq));
}
