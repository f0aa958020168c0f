/* SPDX-License-Identifier: MIT */
/* The index of a capture that is read. It only saves work: without one nothing is missing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/crc32c.h"
#include "core/error.h"
#include "format/reader.h"

#define ENTRY_BYTES	sizeof(struct scap__index_entry)
#define RING_BYTES	sizeof(struct scap__ring_seq)
#define TRAILER_BYTES	sizeof(struct scap__index_trailer)

/* ---- what it says -------------------------------------------------------------------------- */

static void get_entry(struct scap__bytes *b, struct scap__index_in_entry *e)
{
	e->offset = scap__get_u64(b);
	e->start_ns = scap__get_u64(b);
	e->end_ns = scap__get_u64(b);
	e->start_real_ns = scap__get_u64(b);
	e->n_before = scap__get_u64(b);
	e->index = scap__get_u32(b);
	e->type = scap__get_u16(b);
	e->missing = scap__get_u16(b) & SCAP__INDEX_MISSING;
	e->n_rings = scap__get_u32(b);
	scap__get_u32(b);
}

/* Sections follow each other in the file, and slices in time. */
static bool in_order(const struct scap__index_in_entry *e, const struct scap__index_in_entry *last,
		     uint64_t *slice_end)
{
	bool slice = e->type == SCAP__SECTION_SLICE || e->type == SCAP__SECTION_GROUP;

	if (e->offset % SCAP__ALIGN || e->offset <= last->offset || e->index <= last->index ||
	    e->n_before < last->n_before || e->start_ns > e->end_ns)
		return false;
	if (!slice)
		return true;
	if (e->start_ns < *slice_end)
		return false;
	*slice_end = e->end_ns;
	return true;
}

static int read_entries(struct scap__arena *arena, struct scap__bytes *b, uint32_t n,
			struct scap__index_in *ix)
{
	struct scap__index_in_entry last = { .offset = sizeof(struct scap__file_header) };
	uint64_t rings = 0, slice_end = 0;
	void *room;
	int rc;

	if (n > b->n / ENTRY_BYTES)
		return SCAP_EDAMAGED;
	rc = scap__arena_room(arena, n * sizeof(*ix->entries) + 1, &room);
	if (rc)
		return rc;
	ix->entries = room;
	for (ix->n = 0; ix->n < n; ix->n++) {
		struct scap__index_in_entry *e = &ix->entries[ix->n];

		get_entry(b, e);
		e->rings = (uint32_t)rings;
		rings += e->n_rings;
		if (!in_order(e, &last, &slice_end) || rings > UINT32_MAX)
			return SCAP_EDAMAGED;
		last = *e;
	}
	ix->n_rings = (uint32_t)rings;
	return last.n_before <= ix->n_events ? 0 : SCAP_EDAMAGED;
}

static int read_rings(struct scap__arena *arena, struct scap__bytes *b, struct scap__index_in *ix)
{
	void *room;
	int rc;

	if (ix->n_rings > b->n / RING_BYTES)
		return SCAP_EDAMAGED;
	rc = scap__arena_room(arena, ix->n_rings * sizeof(*ix->rings) + 1, &room);
	if (rc)
		return rc;
	ix->rings = room;
	for (uint32_t i = 0; i < ix->n_rings; i++) {
		uint32_t cpu = scap__get_u16(b), lane = scap__get_u16(b);

		ix->rings[i].ring = cpu * SCAP_LANES + lane;
		ix->rings[i].next_seq = scap__get_u32(b);
		if (lane >= SCAP_LANES)
			return SCAP_EDAMAGED;
	}
	return 0;
}

/* The section's payload: 0, SCAP_EDAMAGED, -ENOMEM, SCAP_ELIMIT. */
static int parse(struct scap__arena *arena, const uint8_t *p, size_t n, struct scap__index_in *ix)
{
	struct scap__bytes b = { p, n, false };
	uint32_t n_entries = scap__get_u32(&b), n_rings = scap__get_u32(&b);
	int rc;

	ix->end_raw_ns = scap__get_u64(&b);
	ix->end_real_ns = scap__get_u64(&b);
	ix->n_events = scap__get_u64(&b);
	if (b.bad)
		return SCAP_EDAMAGED;
	rc = read_entries(arena, &b, n_entries, ix);
	if (!rc)
		rc = ix->n_rings == n_rings ? read_rings(arena, &b, ix) : SCAP_EDAMAGED;
	return rc ? rc : b.n == TRAILER_BYTES ? 0 : SCAP_EDAMAGED;
}

/* ---- where it is ------------------------------------------------------------------------- */

/* n bytes at an offset, in one piece: 0 or an error. */
static int read_at(struct scap_reader *r, uint64_t offset, uint8_t *p, size_t n)
{
	ssize_t got;
	int rc = scap__input_seek(&r->in.input, offset);

	if (rc)
		return rc;
	got = scap__input_read(&r->in.input, p, n);
	return got < 0 ? (int)got : (size_t)got == n ? 0 : SCAP_ETRUNCATED;
}

/* The index's size, header and all, as the file's last bytes have it; 0: they are no trailer. */
static size_t find(struct scap_reader *r, uint64_t file_bytes)
{
	uint8_t p[TRAILER_BYTES];
	struct scap__bytes b = { p, sizeof(p), false };
	uint64_t index_bytes, all_bytes, file_id;

	if (file_bytes < sizeof(p) || read_at(r, file_bytes - sizeof(p), p, sizeof(p)))
		return 0;
	index_bytes = scap__get_u64(&b);
	all_bytes = scap__get_u64(&b);
	file_id = scap__get_u64(&b);
	if (scap__get_u32(&b) != SCAP__INDEX_MAGIC ||
	    scap__get_u32(&b) != scap__crc32c(0, p, sizeof(p) - 4))
		return 0;
	return all_bytes == file_bytes && file_id == r->in.file_id && index_bytes < all_bytes &&
	       index_bytes <= SCAP__RAW_MAX_BYTES ? (size_t)index_bytes : 0;
}

static int load(struct scap_reader *r, uint64_t file_bytes, struct scap__index_in *ix)
{
	size_t n = find(r, file_bytes);
	struct scap__section sec;
	const uint8_t *p;
	uint32_t next_index = r->in.next_index;
	bool several = r->in.several;
	int rc = n ? scap__input_seek(&r->in.input, file_bytes - n) : 1;

	if (rc)
		return rc;
	r->in.several = false;
	rc = scap__section_find(&r->in, &sec);
	if (!rc && (sec.type != SCAP__SECTION_INDEX ||
		    sec.stored_bytes != n - sizeof(struct scap__section_header)))
		rc = SCAP_EDAMAGED;
	if (!rc)
		rc = scap__section_payload(&r->in, &sec, &p);
	if (!rc)
		rc = parse(&r->strings, p, (size_t)sec.raw_bytes, ix);
	r->in.next_index = next_index;
	r->in.several = several;
	return rc;
}

int scap__index_open(struct scap_reader *r)
{
	uint64_t here = r->in.input.offset;
	struct scap__index_in ix = { 0 };
	struct scap_error error = r->error;
	int64_t file_bytes = scap__input_size(&r->in.input);
	int rc;

	if (file_bytes < 0)
		return 0;
	rc = load(r, (uint64_t)file_bytes, &ix);
	r->error = error;
	if (!rc) {
		r->index = ix;
		r->info.end_raw_ns = ix.end_raw_ns;
		r->info.end_wall_ns = ix.end_real_ns ? ix.end_real_ns : ix.end_raw_ns;
		r->info.is_last = r->changed = true;
	}
	rc = scap__input_seek(&r->in.input, here);
	return rc ? scap__fail(&r->error, rc, here, "reading the capture failed") : 0;
}

int scap__index_check(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__index_in ix = { 0 };
	struct scap__arena arena;
	int rc;

	scap__arena_init(&arena, &r->budget);
	rc = parse(&arena, p, (size_t)sec->raw_bytes, &ix);
	scap__arena_fini(&arena);
	if (rc == SCAP_EDAMAGED)
		return scap__fail(&r->error, rc, sec->offset, "the capture's index is damaged");
	return rc ? scap__fail(&r->error, rc, sec->offset, "there is no memory for the index") : 0;
}

/* ---- going there -------------------------------------------------------------------------- */

static bool has_slices(const struct scap__index_in_entry *e)
{
	return e->type == SCAP__SECTION_SLICE || e->type == SCAP__SECTION_GROUP;
}

/* Whether wall time never goes back: only then times say where to look. */
static bool wall_is_straight(const struct scap__index_in *ix)
{
	uint64_t last = 1;

	for (uint32_t i = 0; i < ix->n; i++) {
		if (!has_slices(&ix->entries[i]))
			continue;
		if (ix->entries[i].start_real_ns < last)
			return false;
		last = ix->entries[i].start_real_ns;
	}
	return true;
}

/* The last entry of such sections, at or before place, that begins at or before the time; or 0. */
static uint32_t last_before(const struct scap__index_in *ix, uint32_t place, bool slices,
			    uint64_t wall_ns)
{
	while (place && (has_slices(&ix->entries[place]) != slices ||
			 ix->entries[place].type == SCAP__SECTION_END ||
			 ix->entries[place].start_real_ns > wall_ns))
		place--;
	return place;
}

/* Where what is read from has all names that it needs: the epoch's first section. */
static uint32_t epoch_begin(const struct scap__index_in *ix, uint32_t place)
{
	for (uint32_t k = place; k--;) {
		const struct scap__index_in_entry *e = &ix->entries[k];

		if (!has_slices(e))
			continue;
		if ((e->end_ns - 1) >> SCAP_EPOCH_SHIFT !=
		    ix->entries[place].start_ns >> SCAP_EPOCH_SHIFT)
			break;
		place = k;
	}
	return place;
}

static int go_to(struct scap_reader *r, const struct scap__index_in_entry *e)
{
	int rc = scap__input_seek(&r->in.input, e->offset);

	if (rc)
		return scap__fail(&r->error, rc, e->offset, "reading the capture failed");
	r->in.next_index = e->index;
	r->in.lost = false;
	scap__reader_begin_anew(r);
	r->merge.n = 0;
	r->in_group = r->advance = r->hole_told = false;
	r->key.rows.n = r->key.texts.n = 0;
	for (uint32_t i = 0; i < r->n_rings; i++)
		r->rings[i] = (struct scap__ring){
			.segment = r->rings[i].segment, .first_seq = r->rings[i].first_seq,
		};
	r->n_events = e->n_before;
	r->over = r->pending = 0;
	r->end_sealed = r->info.complete = false;
	r->sought = r->unsynced = true;
	return 0;
}

int scap_reader_seek(struct scap_reader *r, uint64_t wall_ns, uint32_t flags)
{
	const struct scap__index_in *ix = &r->index;
	uint32_t place, key;

	if (flags & ~(uint32_t)SCAP_SEEK_KEYFRAME)
		return -EINVAL;
	if (!ix->n || r->in.sealing || r->in_journal || !wall_is_straight(ix))
		return -ENOTSUP;
	place = last_before(ix, ix->n - 1, true, wall_ns);
	key = place;
	/* One more, for clocks that are a little apart. */
	if (place)
		place = last_before(ix, place - 1, true, UINT64_MAX);
	if (flags & SCAP_SEEK_KEYFRAME)
		key = last_before(ix, key, false, wall_ns);
	place = epoch_begin(ix, place);
	return go_to(r, &ix->entries[flags & SCAP_SEEK_KEYFRAME && key < place ? key : place]);
}

int scap__index_sync(struct scap_reader *r, const struct scap__section *sec)
{
	const struct scap__index_in *ix = &r->index;
	uint32_t lo = 0, hi = ix->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ix->entries[mid].index < sec->index)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == ix->n || ix->entries[lo].index != sec->index || !ix->entries[lo].missing)
		return 0;
	/* Numbers are missing there: of which, only those know that were met before. */
	for (uint32_t i = 0; i < ix->entries[lo].n_rings; i++) {
		const struct scap__index_ring *of = &ix->rings[ix->entries[lo].rings + i];
		struct scap__ring *c;
		int rc = scap__reader_ring(r, of->ring, &c);

		if (rc)
			return scap__fail(&r->error, rc, sec->offset,
					  "there is no memory for the capture's rings");
		if (!c->any)
			c->next_seq = of->next_seq;
	}
	r->unsynced = false;
	return 0;
}
