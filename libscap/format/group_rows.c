/* SPDX-License-Identifier: MIT */
/* Rows of a group's slices, all of them or those that may matter. */
#include "format/group_in.h"

#include <errno.h>
#include <scap/error.h>
#include <string.h>

/* ---- rows ------------------------------------------------------------------------------------ */

/* Where a record is being put together. */
struct out {
	struct scap__group_in *g;
	uint8_t *p, *end;
	int rc;			/* why a column could not be unpacked */
	bool dense;		/* numbers follow each other */
	bool timeless;		/* nobody asks for its time */
	bool bad;
};

/* Values there are, or none; sets o->bad. */
static __attribute__((noinline)) bool unpack_next(struct out *o, struct scap__column *c)
{
	if (!c->unpacked && !o->rc)
		o->rc = scap__group_load(o->g, c);
	if (c->at >= c->n || o->rc)
		o->bad = true;
	return !o->bad;
}

static inline uint64_t next(struct out *o, struct scap__column *c)
{
	if ((!c->v || c->at >= c->n) && !unpack_next(o, c))
		return 0;
	return c->v[c->at++];
}

static inline void put(struct out *o, const void *p, size_t n)
{
	if (n > (size_t)(o->end - o->p)) {
		o->bad = true;
		return;
	}
	memcpy(o->p, p, n);
	o->p += n;
}

static void put_u32(struct out *o, uint64_t v)
{
	uint32_t le = htole32((uint32_t)v);

	put(o, &le, 4);
}

static void put_u64(struct out *o, uint64_t v)
{
	uint64_t le = htole64(v);

	put(o, &le, 8);
}

/* Of lists and columns of empty strings only there is no memory. */
static const uint8_t no_bytes[1];

static const uint8_t *string(struct out *o, struct scap__string_list *l, uint64_t place,
			     size_t *ret_n)
{
	if (!l->starts && !o->rc)
		o->rc = scap__group_load_list(o->g, l);
	if (o->rc || place >= l->lengths.n) {
		o->bad = true;
		*ret_n = 0;
		return NULL;
	}
	*ret_n = l->lengths.v[place];
	return *ret_n ? l->bytes.p + l->starts[place] : no_bytes;
}

static const uint8_t *take_bytes(struct out *o, struct scap__column *c, uint64_t n)
{
	if (!o->rc)
		o->rc = scap__group_load(o->g, c);
	if (o->rc || n > c->n - c->at) {
		o->bad = true;
		return NULL;
	}
	c->at += (uint32_t)n;
	return n ? c->p + c->at - n : no_bytes;
}

/* The bytes of the blob whose length was taken just now. */
static const uint8_t *blob_bytes(struct out *o, struct scap__column_event *e, unsigned slot,
				 uint64_t n)
{
	struct scap__column *lengths = &e->blob[slot][0], *bytes = &e->bytes[slot];

	/* Lengths that were passed over. */
	while (!o->bad && e->synced[slot] + 1 < lengths->at) {
		uint64_t skip = lengths->v[e->synced[slot]++];

		if (skip > bytes->n - bytes->at)
			o->bad = true;
		else
			bytes->at += (uint32_t)skip;
	}
	e->synced[slot]++;
	return take_bytes(o, bytes, n);
}

static void put_blob(struct scap__group_in *g, struct out *o, struct scap__column_event *e,
		     unsigned slot, unsigned state)
{
	static const uint8_t zeros[8];
	const uint8_t *p = NULL;
	size_t n = 0;
	uint64_t v;

	if (slot >= SCAP_SLOTS || !e->blob[slot]) {
		o->bad = true;
		return;
	}
	v = next(o, &e->blob[slot][0]);
	if (e->blob_kind[slot] == SCAP__COL_BLOB_NAME)
		p = string(o, &g->names, v, &n);
	else if (e->blob_kind[slot] == SCAP__COL_BLOB_DATA)
		p = string(o, &g->data, v, &n);
	else
		p = blob_bytes(o, e, slot, n = v);
	if (o->bad || n > SCAP_BLOB_BYTES(UINT32_MAX)) {
		o->bad = true;
		return;
	}
	put_u32(o, SCAP_BLOB_META(slot, state, (uint32_t)n));
	put_u32(o, n + next(o, &e->blob[slot][1]));
	if (n)
		put(o, p, n);
	put(o, zeros, -n & 7);
}

static void put_call(struct scap__group_in *g, struct out *o, const struct scap__shape *s)
{
	struct scap__column_event *e = s->event;
	uint64_t result = 0;
	bool is_call = s->type == SCAP_REC_CALL;
	uint16_t nr = htole16(e->nr);
	uint8_t tail[2] = { s->shape, s->more };

	put_u32(o, next(o, &g->tid));
	if (is_call) {
		put_u32(o, next(o, &e->latency));
		result = next(o, &e->result);
		put_u32(o, result);
	}
	put(o, &nr, 2);
	put(o, tail, 2);
	if (is_call && s->flags & SCAP_CALL_RET64)
		put_u64(o, result);
	if (is_call && s->flags & SCAP_CALL_COOKIES) {
		put_u32(o, next(o, &e->cookie[0]));
		put_u32(o, next(o, &e->cookie[1]));
	}
	for (unsigned i = 0; i < SCAP_SHAPE_NARGS(s->shape); i++)
		put_u64(o, next(o, &e->arg[i]));
}

/* What counts as an event here must be one for whoever reads it. */
static void put_raw(struct scap__group_in *g, struct out *o, const struct scap__shape *s,
		    uint8_t *head)
{
	uint64_t n = next(o, &g->raw_length);
	const uint8_t *p;

	if (n > SCAP_REC_MAX_BYTES) {
		o->bad = true;
		return;
	}
	p = take_bytes(o, &g->raw_bytes, n + 2);
	if (!p)
		return;
	if ((p[0] < SCAP_REC_INTRO) != s->is_event) {
		o->bad = true;
		return;
	}
	memcpy(head + 2, p, 2);
	put(o, p + 2, n);
}

static void put_record(struct scap__group_in *g, struct out *o, const struct scap__shape *s,
		       uint32_t *next_seq)
{
	uint8_t head[sizeof(struct scap_rec)] = { 0, 0, s->type, s->flags }, *begin = o->p;
	uint32_t seq;
	uint64_t time;
	uint16_t len8;

	put(o, head, sizeof(head));
	if (o->bad)
		return;
	seq = htole32(*next_seq);
	if (!o->dense)
		seq = htole32(*next_seq + (uint32_t)next(o, &g->seq));
	time = o->timeless ? 0 : htole64(next(o, &g->time));
	if (!s->type)
		put_raw(g, o, s, begin);
	else if (s->event->words)
		for (unsigned i = 0; i < scap__fixed_bytes(s->type) / 4 - 4; i++)
			put_u32(o, next(o, &s->event->words[i]));
	else
		put_call(g, o, s);
	for (unsigned i = 0; i < s->n_blobs; i++)
		put_blob(g, o, s->event, s->blobs[2 * i], s->blobs[2 * i + 1]);
	if (o->bad || (o->p - begin) % 8 || o->p - begin > (ssize_t)SCAP_REC_MAX_BYTES) {
		o->bad = true;
		return;
	}
	len8 = htole16((uint16_t)((o->p - begin) / 8));
	memcpy(begin, &len8, 2);
	memcpy(begin + 4, &seq, 4);
	memcpy(begin + 8, &time, 8);
	*next_seq = le32toh(seq) + 1;
}

static int put_part(struct scap__group_in *g, struct scap__group_part *part, uint8_t *rows)
{
	struct out o = { .g = g, .p = rows, .end = rows + part->bytes };
	uint32_t next_seq = part->first_seq;

	part->rows = rows;
	for (uint32_t i = 0; i < part->n_records && !o.bad; i++) {
		uint64_t s = next(&o, &g->shape);

		if (s >= g->n_shapes)
			o.bad = true;
		else
			put_record(g, &o, &g->shapes[s], &next_seq);
	}
	if (o.rc)
		return o.rc;
	if (o.bad || o.p != o.end || (part->n_records && next_seq != part->next_seq))
		return scap__group_bad(g, "its columns do not make its records");
	return 0;
}

/* ---- some rows ------------------------------------------------------------------------------- */

void scap__group_get_slice(struct scap__bytes *b, struct scap__slice_header *h)
{
	h->start_ns = scap__get_u64(b);
	h->end_ns = scap__get_u64(b);
	h->clock_raw_ns = scap__get_u64(b);
	h->clock_real_ns = scap__get_u64(b);
	h->clock_boot_ns = scap__get_u64(b);
	h->n_parts = scap__get_u32(b);
	h->reserved = scap__get_u32(b);
}

bool scap__group_get_part(struct scap__bytes *b, struct scap__group_part *part)
{
	uint32_t cpu = scap__get_u16(b), lane = scap__get_u16(b);

	part->ring = cpu * SCAP_LANES + lane;
	part->n_records = scap__get_u32(b);
	part->first_seq = scap__get_u32(b);
	part->next_seq = scap__get_u32(b);
	part->n_events = scap__get_u32(b);
	part->bytes = scap__get_u32(b);
	part->last_ns = scap__get_u64(b);
	return lane < SCAP_LANES;
}

int scap__group_make(struct scap__group_in *g, const struct scap__shape *s, uint8_t *p, size_t cap,
		     size_t *ret_n)
{
	struct out o = { .g = g, .p = p, .end = p + cap, .dense = true, .timeless = true };
	uint32_t seq = 0;

	put_record(g, &o, s, &seq);
	*ret_n = (size_t)(o.p - p);
	return o.rc ? o.rc : o.bad ? scap__group_bad(g, "its columns do not make its records") : 0;
}

/* Moves the columns of an event behind records of it that were passed over. */
static void catch_up(struct scap__column_event *e)
{
	for (struct scap__shape *s = e->shapes; s; s = s->next) {
		uint32_t n = s->skipped;

		if (!n)
			continue;
		s->skipped = 0;
		e->latency.at += n;
		e->result.at += n;
		for (unsigned i = 0; i < 2 && s->has_cookies; i++)
			e->cookie[i].at += n;
		for (unsigned i = 0; i < SCAP_SHAPE_NARGS(s->shape); i++)
			e->arg[i].at += n;
		for (unsigned i = 0; e->words && i < SCAP__GROUP_WORDS_MAX; i++)
			e->words[i].at += n;
		for (unsigned i = 0; i < s->n_blobs; i++) {
			struct scap__column *c = s->blobs[2 * i] < SCAP_SLOTS ?
						 e->blob[s->blobs[2 * i]] : NULL;

			if (c) {
				c[0].at += n;
				c[1].at += n;
			}
		}
	}
}

/* The part's records that are wanted; nothing is missing in it, so that numbers follow. */
static int put_chosen(struct scap__group_in *g, struct scap__group_part *part, uint8_t *rows)
{
	struct out o = { .g = g, .p = rows, .end = rows + part->bytes, .dense = true };
	uint32_t first = part->first, end = first + part->n_records;

	part->rows = rows;
	part->n_rows = part->at = 0;
	for (; g->asked_at < g->n_asked && g->asked[g->asked_at].at < end && !o.bad;
	     g->asked_at++) {
		const struct scap__asked *r = &g->asked[g->asked_at];
		struct scap__shape *s = &g->shapes[g->place[r->at]];
		uint32_t seq = part->first_seq + (r->at - first);

		if (!r->want) {
			s->skipped++;
			continue;
		}
		catch_up(s->event);
		g->tid.at = r->call;
		g->time.at = r->at;
		put_record(g, &o, s, &seq);
		part->index[part->n_rows++] = r->at - first;
	}
	part->n_bytes = (size_t)(o.p - rows);
	return o.rc ? o.rc : o.bad ? scap__group_bad(g, "its columns do not make its records") : 0;
}

/* How many of the group's events come before the record at this place. */
static uint32_t events_before(const struct scap__group_in *g, uint32_t at)
{
	uint64_t below = (1ull << at % 64) - 1;

	if (at == g->n_records && !(at % 64))
		return at ? g->events_before[at / 64 - 1] +
			    (uint32_t)__builtin_popcountll(g->event_bits[at / 64 - 1]) : 0;
	return g->events_before[at / 64] +
	       (uint32_t)__builtin_popcountll(g->event_bits[at / 64] & below);
}

/* Times as the merge takes them: none goes back, and none is outside of the slice. */
static int straighten(struct scap__group_in *g, struct scap__group_part *part)
{
	uint64_t last = g->slice.head.start_ns, latest = g->slice.head.end_ns - 1;
	const uint64_t *t = g->time.v + part->first;
	uint64_t *order;
	void *room;
	int rc = scap__arena_room(&g->arena, (size_t)part->n_records * sizeof(*order) + 1, &room);

	if (rc)
		return rc;
	part->order = order = room;
	for (uint32_t i = 0; i < part->n_records; i++) {
		last = t[i] > last ? t[i] : last;
		order[i] = last < latest ? last : latest;
	}
	return 0;
}

/* Where its records are placed in time. */
static int place_records(struct scap__group_in *g, struct scap__group_part *part)
{
	uint32_t first = part->first, n = part->n_records;
	const uint64_t *t;
	bool straight = true;
	int rc = scap__group_load(g, &g->time);

	if (rc)
		return rc;
	if (events_before(g, first + n) - events_before(g, first) != part->n_events)
		return scap__group_bad(g, "a part does not have its events");
	part->order = t = g->time.v + first;
	if (!n)
		return 0;
	for (uint32_t i = 1; i < n; i++)
		straight &= t[i] >= t[i - 1];
	if (straight && t[0] >= g->slice.head.start_ns && t[n - 1] < g->slice.head.end_ns)
		return 0;
	return straighten(g, part);
}

uint64_t scap__group_rank(const struct scap__group_slice *s, const struct scap__group_part *part,
			  uint32_t i)
{
	uint64_t t = part->order[i], n = 0;

	for (uint32_t k = 0; k < s->head.n_parts; k++) {
		const struct scap__group_part *other = &s->parts[k];
		uint32_t lo = 0, hi = other->n_records;

		if (other == part)
			lo = hi = i;
		while (lo < hi) {
			uint32_t mid = lo + (hi - lo) / 2;

			if (other->order[mid] < t ||
			    (other->order[mid] == t && other->ring < part->ring))
				lo = mid + 1;
			else
				hi = mid;
		}
		n += events_before(s->group, other->first + lo) -
		     events_before(s->group, other->first);
	}
	return n;
}

/* How many of the slice's records are wanted; end: of them in the group. */
static uint32_t count_wanted(const struct scap__group_in *g, uint32_t end, bool *ret_event)
{
	uint32_t n = 0;

	*ret_event = false;
	for (uint32_t k = g->asked_at; k < g->n_asked && g->asked[k].at < end; k++) {
		if (!g->asked[k].want)
			continue;
		n++;
		*ret_event |= g->shapes[g->place[g->asked[k].at]].is_event;
	}
	return n;
}

static void pass_over(struct scap__group_in *g, uint32_t end)
{
	for (; g->asked_at < g->n_asked && g->asked[g->asked_at].at < end; g->asked_at++)
		g->shapes[g->place[g->asked[g->asked_at].at]].skipped++;
}

static int choose_rows(struct scap__group_in *g, uint32_t n_parts)
{
	uint32_t at = g->shape.at, n;
	uint32_t *index;
	size_t used = 0;
	void *room;
	bool event;
	int rc;

	g->slice.chosen = true;
	for (uint32_t i = 0; i < n_parts; i++) {
		g->slice_parts[i].first = at;
		if (g->slice_parts[i].n_records > g->n_records - at)
			return scap__group_bad(g, "a slice claims too many records");
		at += g->slice_parts[i].n_records;
	}
	g->shape.at = at;
	n = count_wanted(g, at, &event);
	if (!n) {
		pass_over(g, at);
		return 0;
	}
	rc = scap__arena_room(&g->arena, n * sizeof(*index), &room);
	index = room;
	for (uint32_t i = 0; !rc && i < n_parts; i++) {
		g->slice_parts[i].index = index;
		rc = put_chosen(g, &g->slice_parts[i], g->rows + used);
		index += g->slice_parts[i].n_rows;
		used += g->slice_parts[i].n_bytes;
	}
	for (uint32_t i = 0; !rc && event && i < n_parts; i++)
		rc = place_records(g, &g->slice_parts[i]);
	return rc;
}

/* ---- slices ---------------------------------------------------------------------------------- */

static int grow_rows(struct scap__group_in *g, size_t n)
{
	void *p;
	int rc;

	if (n <= g->rows_cap)
		return 0;
	scap__free(g->budget, g->rows, g->rows_cap);
	g->rows = NULL;
	g->rows_cap = 0;
	rc = scap__alloc(g->budget, n, &p);
	if (rc)
		return rc;
	g->rows = p;
	g->rows_cap = n;
	return 0;
}

static int read_parts(struct scap__group_in *g, uint32_t n, uint64_t *ret_bytes)
{
	uint32_t last = 0;
	void *room;
	int rc = scap__arena_get(&g->arena, n * sizeof(struct scap__group_part) + 1, &room);

	if (rc)
		return rc;
	g->slice_parts = room;
	*ret_bytes = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct scap__group_part *part = &g->slice_parts[i];
		bool no_lane = !scap__group_get_part(&g->parts, part);

		*ret_bytes += part->bytes;
		if (no_lane || (i && part->ring <= last) || part->bytes % 8)
			return scap__group_bad(g, "a slice's list of parts is damaged");
		last = part->ring;
	}
	if (*ret_bytes > SCAP__RAW_MAX_BYTES)
		return scap__group_bad(g, "a slice claims to be too large");
	return 0;
}

static int read_slice(struct scap__group_in *g)
{
	struct scap__slice_header *h = &g->slice.head;
	uint64_t bytes = 0, at = 0;
	int rc;

	scap__group_get_slice(&g->slices, h);
	if (h->n_parts > g->n_parts_left)
		return scap__group_bad(g, "a slice claims more parts than there are");
	g->n_parts_left -= h->n_parts;
	g->slice.chosen = false;
	if (h->start_ns >= h->end_ns)
		return scap__group_bad(g, "a slice ends before it begins");
	rc = read_parts(g, h->n_parts, &bytes);
	g->slice.parts = g->slice_parts;
	g->slice.group = g;
	if (!rc)
		rc = grow_rows(g, bytes + 1);
	if (!rc && g->choice)
		return choose_rows(g, h->n_parts);
	for (uint32_t i = 0; !rc && i < h->n_parts; i++) {
		rc = put_part(g, &g->slice_parts[i], g->rows + at);
		at += g->slice_parts[i].bytes;
	}
	return rc;
}

int scap__group_in_slice(struct scap__group_in *g, struct scap__group_slice **ret_s,
			 const char **ret_what)
{
	int rc;

	if (!g->n_slices_left)
		return 1;
	g->n_slices_left--;
	rc = read_slice(g);
	if (!rc && !g->n_slices_left && (g->shape.at != g->n_records || g->n_parts_left))
		rc = scap__group_bad(g, "its slices do not use all of it");
	if (rc)
		g->n_slices_left = 0;
	*ret_what = g->what;
	*ret_s = &g->slice;
	return rc;
}
