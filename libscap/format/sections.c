/* SPDX-License-Identifier: MIT */
/* What the payloads of sections say. */
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/error.h"
#include "format/reader.h"

static int damaged(struct scap_reader *r, const struct scap__section *sec, const char *what)
{
	return scap__fail(&r->error, SCAP_EDAMAGED, sec->offset, "a section is damaged: %s", what);
}

/* ---- HOST ---------------------------------------------------------------------------------- */

static int keep_string(struct scap_reader *r, const uint8_t *p, size_t n, const char **ret)
{
	void *copy;
	struct scap__arena *a = r->info.n_segments > 1 ? &r->segment_strings : &r->strings;
	int rc = scap__arena_get(a, n + 1, &copy);

	if (rc)
		return scap__reader_no_memory(r, rc);
	memcpy(copy, p, n);
	*ret = copy;
	return 0;
}

static int host_string(struct scap_reader *r, uint16_t key, const uint8_t *p, size_t n)
{
	switch (key) {
#define X(nr, member) case nr: return keep_string(r, p, n, &r->info.member);
	SCAP__HOST_STRINGS(X)
#undef X
	}
	return 0;
}

static int host_number(struct scap_reader *r, uint16_t key, uint64_t v)
{
	switch (key) {
#define X(nr, member) case nr: r->info.member = v; return 0;
	SCAP__HOST_NUMBERS(X)
#undef X
	case SCAP__HOST_raw_ns:
		r->host_clock.raw_ns = r->info.start_raw_ns = v;
		return 0;
	case SCAP__HOST_real_ns:
		r->host_clock.real_ns = r->info.start_wall_ns = v;
		r->host_clock.known = v != 0;
		return 0;
	case SCAP__HOST_boot_ns:
		r->host_clock.boot_ns = v;
		return 0;
	case SCAP__HOST_abi_version:
		if (v == SCAP_ABI_VERSION)
			return 0;
		return scap__fail(&r->error, SCAP_EVERSION, r->info.offset,
				  "the capture's records have version %llu, this library reads %d",
				  (unsigned long long)v, SCAP_ABI_VERSION);
	}
	return 0;
}

bool scap__entry_get(struct scap__bytes *b, struct scap__entry *ret)
{
	ret->key = scap__get_u16(b);
	ret->kind = scap__get_u16(b);
	ret->bytes = scap__get_u32(b);
	ret->value = scap__take(b, ret->bytes);
	scap__take(b, -ret->bytes & (SCAP__ALIGN - 1));
	return !b->bad && (ret->kind != SCAP__HOST_U64 || ret->bytes == 8);
}

int scap__host_read(struct scap_reader *r, const uint8_t *p, size_t n)
{
	struct scap__bytes b = { p, n, false };
	struct scap__entry e;
	int rc = 0;

	while (!rc && b.n) {
		if (!scap__entry_get(&b, &e))
			return scap__fail(&r->error, SCAP_EDAMAGED, r->in.input.offset,
					  "the capture's description of its host is damaged");
		if (e.kind == SCAP__HOST_STRING)
			rc = host_string(r, e.key, e.value, e.bytes);
		else if (e.kind == SCAP__HOST_U64)
			rc = host_number(r, e.key, scap__le64(e.value));
	}
	r->clock = r->host_clock;
	return rc;
}

/* ---- SLICE --------------------------------------------------------------------------------- */

static int begin_slice(struct scap_reader *r, const struct scap__section *sec, uint64_t start,
		       uint64_t end, uint32_t n_parts, struct scap__clock clock)
{
	int rc;

	if (start >= end || start < r->slice_end_ns)
		return damaged(r, sec, "its time overlaps with what came before");
	rc = scap__merge_begin(&r->merge, n_parts, start, end);
	if (rc)
		return scap__reader_no_memory(r, rc);
	r->slice_end_ns = end;
	r->chosen = NULL;
	/* No other slice's triple: what is lost elsewhere must not move this one's events. */
	r->clock = clock.known ? clock : r->host_clock;
	return 0;
}

static int read_slice_header(struct scap_reader *r, const struct scap__section *sec,
			     struct scap__bytes *b, uint32_t *ret_n_parts)
{
	uint64_t start = scap__get_u64(b), end = scap__get_u64(b), raw = scap__get_u64(b);
	uint64_t real = scap__get_u64(b), boot = scap__get_u64(b);

	*ret_n_parts = scap__get_u32(b);
	scap__get_u32(b);
	if (b->bad || *ret_n_parts > b->n / sizeof(struct scap__slice_part))
		return damaged(r, sec, "its directory does not fit");
	return begin_slice(r, sec, start, end, *ret_n_parts,
			   (struct scap__clock){ raw, real, boot, real != 0 });
}

/* A CPU and a lane: the number of their ring; -1: there is no such lane. */
static int64_t get_ring(struct scap__bytes *b)
{
	uint32_t cpu = scap__get_u16(b), lane = scap__get_u16(b);

	return lane < SCAP_LANES ? (int64_t)cpu * SCAP_LANES + lane : -1;
}

/* One entry of the directory, against the rows; *at: where the part before it ended. */
static int read_part(struct scap_reader *r, struct scap__bytes *dir, const uint8_t *rows,
		     size_t n_rows, size_t *at, int64_t *last_ring)
{
	int64_t ring = get_ring(dir);
	uint32_t n_records = scap__get_u32(dir), first_seq = scap__get_u32(dir);
	uint64_t offset, bytes;

	scap__get_u32(dir);
	offset = scap__get_u64(dir);
	bytes = scap__get_u64(dir);
	if (ring < 0 || ring <= *last_ring || offset != *at ||
	    bytes > n_rows - *at || bytes % SCAP__ALIGN)
		return SCAP_EDAMAGED;
	if (bytes >= sizeof(struct scap_rec) && scap__le32(rows + *at + 4) != first_seq)
		return SCAP_EDAMAGED;
	*last_ring = ring;
	*at += bytes;
	return scap__merge_add(&r->merge, (uint32_t)ring, rows + offset, bytes, n_records);
}

int scap__slice_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__bytes b = { p, (size_t)sec->raw_bytes, false }, dir;
	uint32_t n_parts;
	int64_t last_ring = -1;
	size_t at = 0;
	int rc;

	/* Its group was written, and then the recorder died before it cut the journal. */
	if (r->in_journal && sec->raw_bytes >= 8 && scap__le64(p) < r->slice_end_ns)
		return 0;
	rc = read_slice_header(r, sec, &b, &n_parts);
	if (rc)
		return rc;
	dir = b;
	scap__take(&b, n_parts * sizeof(struct scap__slice_part));
	for (uint32_t i = 0; !rc && i < n_parts; i++)
		rc = read_part(r, &dir, b.p, b.n, &at, &last_ring);
	if (!rc && at != b.n)
		rc = SCAP_EDAMAGED;
	if (rc) {
		r->merge.n = 0;
		return damaged(r, sec, "its directory contradicts its rows");
	}
	r->info.n_slices++;
	return 0;
}

/* ---- GROUP --------------------------------------------------------------------------------- */

static int group_failed(struct scap_reader *r, int rc, const char *what)
{
	r->in_group = false;
	if (rc != SCAP_EDAMAGED)
		return scap__reader_no_memory(r, rc);
	return scap__fail(&r->error, SCAP_EDAMAGED, r->group_section.offset,
			  "a group is damaged: %s", what);
}

int scap__group_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	const char *what = NULL;
	int rc = r->group ? 0 : scap__group_in_new(&r->budget, &r->group);

	r->group_section = *sec;
	if (!rc)
		rc = scap__group_in_begin(r->group, p, (size_t)sec->raw_bytes, &what);
	if (rc)
		return group_failed(r, rc, what);
	r->in_group = true;
	if (r->flags & SCAP_READER_BOOKKEEPING)
		return 0;
	rc = scap__group_in_choose(r->group, &r->choice, &what);
	return rc ? group_failed(r, rc, what) : 0;
}

/* All of the part's records count, whether they are there or not. */
static int count_part(struct scap_reader *r, const struct scap__group_part *part)
{
	struct scap__ring *c;
	int rc;

	if (!part->n_records)
		return 0;
	rc = scap__reader_ring(r, part->ring, &c);
	if (rc)
		return scap__reader_no_memory(r, rc);
	c->any = c->seen = true;
	c->next_seq = part->next_seq;
	c->last_ns = part->last_ns;
	c->row_bytes += part->bytes;
	c->events += part->n_events;
	c->bookkeeping += part->n_records - part->n_events;
	r->n_events += part->n_events;
	return 0;
}

static int add_part(struct scap_reader *r, const struct scap__group_slice *s,
		    const struct scap__group_part *part)
{
	if (!s->chosen)
		return scap__merge_add(&r->merge, part->ring, part->rows, part->bytes,
				       part->n_records);
	return scap__merge_add(&r->merge, part->ring, part->rows, part->n_bytes, part->n_rows);
}

int scap__group_next(struct scap_reader *r)
{
	struct scap__group_slice *s;
	const char *what = NULL;
	int rc = r->in_group ? scap__group_in_slice(r->group, &s, &what) : 1;

	if (rc > 0) {
		r->in_group = false;
		return 1;
	}
	if (rc)
		return group_failed(r, rc, what);
	rc = begin_slice(r, &r->group_section, s->head.start_ns, s->head.end_ns, s->head.n_parts,
			 (struct scap__clock){ s->head.clock_raw_ns, s->head.clock_real_ns,
					       s->head.clock_boot_ns,
					       s->head.clock_real_ns != 0 });
	r->chosen = s->chosen ? s : NULL;
	r->n_before = r->n_events;
	for (uint32_t i = 0; !rc && i < s->head.n_parts; i++) {
		rc = add_part(r, s, &s->parts[i]);
		if (!rc && s->chosen)
			rc = count_part(r, &s->parts[i]);
	}
	if (rc == SCAP_EDAMAGED) {
		r->merge.n = 0;
		return group_failed(r, rc, "its slices contradict each other");
	}
	if (!rc)
		r->info.n_slices++;
	return rc;
}

/* ---- START ---------------------------------------------------------------------------------- */

/* A ring, and where its numbers stand: 0, SCAP_EDAMAGED, -ENOMEM, SCAP_ELIMIT. */
static int get_ring_seq(struct scap_reader *r, struct scap__bytes *b, struct scap__ring **ret_c,
			uint32_t *ret_next_seq)
{
	int64_t ring = get_ring(b);

	*ret_next_seq = scap__get_u32(b);
	return ring < 0 ? SCAP_EDAMAGED : scap__reader_ring(r, (uint32_t)ring, ret_c);
}

static int read_ring_start(struct scap_reader *r, struct scap__bytes *b)
{
	struct scap__ring *c;
	uint32_t next_seq;
	int rc = get_ring_seq(r, b, &c, &next_seq);

	if (!rc)
		c->first_seq = c->next_seq = next_seq;
	return rc;
}

int scap__start_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__bytes b = { p, (size_t)sec->raw_bytes, false };
	uint64_t start_raw_ns = scap__get_u64(&b);
	uint32_t n_rings = scap__get_u32(&b);
	int rc = 0;

	scap__get_u32(&b);
	if (b.bad || b.n != (uint64_t)n_rings * sizeof(struct scap__ring_seq))
		return damaged(r, sec, "its list of rings does not fit");
	if (sec->index != SCAP__START_INDEX || r->in_journal)
		return damaged(r, sec, "a start stands in the middle");
	while (!rc && b.n)
		rc = read_ring_start(r, &b);
	if (rc == SCAP_EDAMAGED)
		return damaged(r, sec, "there is no such lane");
	if (rc)
		return scap__reader_no_memory(r, rc);
	r->info.continues = true;
	r->info.start_raw_ns = r->slice_end_ns = start_raw_ns;
	r->info.start_wall_ns = scap__reader_wall_ns(r, start_raw_ns);
	return 0;
}

/* ---- END ----------------------------------------------------------------------------------- */

/* What a ring had given out after the last record that we saw of it: told once END is believed. */
static int read_ring_end(struct scap_reader *r, struct scap__bytes *b)
{
	uint32_t next_seq, missing, ring;
	struct scap__ring *c;
	int rc = get_ring_seq(r, b, &c, &next_seq);

	if (rc)
		return rc;
	ring = (uint32_t)(c - r->rings);
	if (r->unsynced && !c->any)
		c->next_seq = next_seq;
	missing = next_seq - c->next_seq;
	if (missing > INT32_MAX)
		return SCAP_EDAMAGED;
	c->tail = missing;
	if (missing && ring < r->tail_ring)
		r->tail_ring = ring;
	if (missing && ring >= r->tail_end)
		r->tail_end = ring + 1;
	return 0;
}

int scap__end_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__bytes b = { p, (size_t)sec->raw_bytes, false };
	uint64_t end_raw_ns = scap__get_u64(&b), n_slices = scap__get_u64(&b);
	uint32_t n_rings;
	int rc = 0;

	scap__get_u64(&b);
	scap__get_u64(&b);
	n_rings = scap__get_u32(&b);
	scap__get_u32(&b);
	if (b.bad || b.n != (uint64_t)n_rings * sizeof(struct scap__ring_seq))
		return damaged(r, sec, "its list of rings does not fit");
	while (!rc && b.n)
		rc = read_ring_end(r, &b);
	if (rc == SCAP_EDAMAGED)
		return damaged(r, sec, "it contradicts the records before it");
	if (rc)
		return scap__reader_no_memory(r, rc);
	r->end_seen = true;
	r->info.complete = true;
	r->info.end_raw_ns = end_raw_ns;
	r->info.end_wall_ns = scap__reader_wall_ns(r, end_raw_ns);
	if (!r->damage_seen && !r->sought && n_slices != r->info.n_slices)
		return damaged(r, sec, "slices are missing before the end");
	return 0;
}
