/* SPDX-License-Identifier: MIT */
/* Columns back into rows. */
#include "format/group.h"

#include <errno.h>
#include <scap/error.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"

/* A column, and how far it was used. */
struct column {
	const uint64_t *v;
	const uint8_t *p;	/* of bytes */
	uint32_t n, at;
};

struct event {
	uint8_t type, abi;
	uint16_t nr;
	struct column latency, result, cookie[2], arg[6];
	struct column *words;	/* SCAP__GROUP_WORDS_MAX; NULL: a call or entry */
	struct column *blob[SCAP_SLOTS];	/* two: the blobs, then what is more of them */
	struct column bytes[SCAP_SLOTS];
	uint8_t blob_kind[SCAP_SLOTS];
};

struct shape {
	uint8_t type, flags, shape, more, n_blobs;
	struct event *event;
	const uint8_t *blobs;	/* struct scap__group_blob */
};

/* Strings by their place. */
struct list {
	struct column lengths, bytes;
	uint32_t *starts;
};

struct scap__group_in {
	struct scap__budget *budget;
	ZSTD_DCtx *zstd;
	struct scap__arena arena;	/* of one group */
	const char *what;		/* what is wrong */
	struct scap__bytes slices, parts, body;
	struct event **events;
	struct shape *shapes;
	uint32_t n_events, n_shapes, n_records, n_slices_left, n_parts_left;
	struct column shape, time, seq, tid, raw_length, raw_bytes;
	struct list names, data;
	uint8_t *rows;			/* of one slice */
	size_t rows_cap;
	struct scap__group_part *slice_parts;
	struct scap__group_slice slice;
};

int scap__group_in_new(struct scap__budget *budget, struct scap__group_in **ret_g)
{
	struct scap__group_in *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->budget = budget;
	scap__arena_init(&g->arena, budget);
	g->zstd = ZSTD_createDCtx();
	if (!g->zstd) {
		free(g);
		return -ENOMEM;
	}
	*ret_g = g;
	return 0;
}

void scap__group_in_free(struct scap__group_in *g)
{
	if (!g)
		return;
	scap__arena_fini(&g->arena);
	ZSTD_freeDCtx(g->zstd);
	scap__budget_give(g->budget, g->rows_cap);
	free(g->rows);
	free(g);
}

static int bad(struct scap__group_in *g, const char *what)
{
	g->what = what;
	return SCAP_EDAMAGED;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* What the caller says is packed there, unpacked: 0 or an error. */
static int unpack(struct scap__group_in *g, const uint8_t *p, size_t stored, size_t raw,
		  const uint8_t **ret)
{
	void *room;
	size_t n;
	int rc;

	*ret = p;
	if (stored == raw)
		return 0;
	if (stored > raw)
		return bad(g, "a column's sizes contradict each other");
	rc = scap__arena_get(&g->arena, raw, &room);
	if (rc)
		return rc;
	n = ZSTD_decompressDCtx(g->zstd, room, raw, p, stored);
	if (ZSTD_isError(n) || n != raw)
		return bad(g, "a column does not decompress");
	*ret = room;
	return 0;
}

static int read_column(struct scap__group_in *g, const struct scap__group_column *c,
		       struct column *ret)
{
	const uint8_t *p = scap__take(&g->body, c->stored_bytes);
	void *room;
	int rc;

	if (!p)
		return bad(g, "a column reaches beyond its group");
	if (scap__crc32c(0, p, c->stored_bytes) != c->crc)
		return bad(g, "a column's checksum is wrong");
	if (ret->n)
		return bad(g, "a column comes twice");
	rc = unpack(g, p, c->stored_bytes, c->raw_bytes, &ret->p);
	if (rc)
		return rc;
	ret->n = c->n_values;
	if (scap__column_is_bytes(c->kind))
		return ret->n == c->raw_bytes ? 0 : bad(g, "a column's sizes contradict each other");
	if (c->n_values > g->n_records)
		return bad(g, "a column has more values than there are records");
	rc = scap__arena_get(&g->arena, (size_t)c->n_values * 8 + 1, &room);
	if (rc)
		return rc;
	ret->v = room;
	rc = scap__column_get(ret->p, c->raw_bytes, room, c->n_values);
	return rc == SCAP_EDAMAGED ? bad(g, "a column's values are damaged") : rc;
}

static int blob_column(struct scap__group_in *g, struct event *e, const struct scap__group_column *c,
		       struct column **ret)
{
	void *room;
	int rc;

	if (c->index >= SCAP_SLOTS)
		return bad(g, "a column is of no slot");
	if (!e->blob[c->index]) {
		rc = scap__arena_get(&g->arena, 2 * sizeof(struct column), &room);
		if (rc)
			return rc;
		e->blob[c->index] = room;
	}
	if (c->kind != SCAP__COL_BLOB_MORE) {
		if (e->blob_kind[c->index])
			return bad(g, "a column comes twice");
		e->blob_kind[c->index] = c->kind;
	}
	*ret = &e->blob[c->index][c->kind == SCAP__COL_BLOB_MORE];
	return 0;
}

/* Where a column of an event goes; NULL in *ret: a kind that is not known. */
static int event_column(struct scap__group_in *g, const struct scap__group_column *c,
			struct column **ret)
{
	struct event *e;

	if (c->event >= g->n_events)
		return bad(g, "a column is of no event");
	e = g->events[c->event];
	switch (c->kind) {
	case SCAP__COL_LATENCY:
		*ret = &e->latency;
		return 0;
	case SCAP__COL_RESULT:
		*ret = &e->result;
		return 0;
	case SCAP__COL_COOKIE:
	case SCAP__COL_COOKIE2:
		*ret = &e->cookie[c->kind == SCAP__COL_COOKIE2];
		return 0;
	case SCAP__COL_ARG:
		*ret = &e->arg[c->index < 6 ? c->index : 0];
		return c->index < 6 ? 0 : bad(g, "a column is of no argument");
	case SCAP__COL_WORD:
		if (!e->words || c->index >= SCAP__GROUP_WORDS_MAX)
			return bad(g, "a column is of no word");
		*ret = &e->words[c->index];
		return 0;
	case SCAP__COL_BYTES:
		if (c->index >= SCAP_SLOTS)
			return bad(g, "a column is of no slot");
		*ret = &e->bytes[c->index];
		return 0;
	}
	return blob_column(g, e, c, ret);
}

static int place_column(struct scap__group_in *g, const struct scap__group_column *c,
			struct column **ret)
{
	switch (c->kind) {
	case SCAP__COL_SHAPE: *ret = &g->shape; return 0;
	case SCAP__COL_TIME: *ret = &g->time; return 0;
	case SCAP__COL_SEQ: *ret = &g->seq; return 0;
	case SCAP__COL_TID: *ret = &g->tid; return 0;
	case SCAP__COL_NAME_LENGTH: *ret = &g->names.lengths; return 0;
	case SCAP__COL_NAME_BYTES: *ret = &g->names.bytes; return 0;
	case SCAP__COL_DATA_LENGTH: *ret = &g->data.lengths; return 0;
	case SCAP__COL_DATA_BYTES: *ret = &g->data.bytes; return 0;
	case SCAP__COL_RAW_LENGTH: *ret = &g->raw_length; return 0;
	case SCAP__COL_RAW_BYTES: *ret = &g->raw_bytes; return 0;
	}
	if (c->kind > SCAP__COL_TID && c->kind < SCAP__COL_NAME_LENGTH)
		return event_column(g, c, ret);
	return bad(g, "a column is of an unknown kind");
}

static int read_columns(struct scap__group_in *g, struct scap__bytes *dir, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct scap__group_column c = {
			.kind = scap__get_u8(dir), .index = scap__get_u8(dir),
			.event = scap__get_u16(dir), .n_values = scap__get_u32(dir),
			.raw_bytes = scap__get_u32(dir), .stored_bytes = scap__get_u32(dir),
			.crc = scap__get_u32(dir),
		};
		struct column *place = NULL;
		int rc;

		if (dir->bad)
			return bad(g, "its list of columns does not fit");
		rc = place_column(g, &c, &place);
		if (!rc)
			rc = read_column(g, &c, place);
		if (rc)
			return rc;
	}
	return dir->n ? bad(g, "its directory is too long") :
	       g->body.n ? bad(g, "bytes follow behind its columns") : 0;
}

static int read_events(struct scap__group_in *g, struct scap__bytes *dir)
{
	void *room;
	int rc = scap__arena_get(&g->arena, g->n_events * sizeof(*g->events) + 1, &room);

	g->events = room;
	for (uint32_t i = 0; !rc && i < g->n_events; i++) {
		struct event *e;

		rc = scap__arena_get(&g->arena, sizeof(*e), &room);
		if (rc)
			break;
		e = g->events[i] = room;
		e->type = scap__get_u8(dir);
		e->abi = scap__get_u8(dir);
		e->nr = scap__get_u16(dir);
		if (!scap__fixed_bytes(e->type))
			continue;
		rc = scap__arena_get(&g->arena, SCAP__GROUP_WORDS_MAX * sizeof(struct column),
				     &room);
		e->words = room;
	}
	return rc;
}

static int read_shapes(struct scap__group_in *g, struct scap__bytes *dir)
{
	void *room;
	int rc = scap__arena_get(&g->arena, g->n_shapes * sizeof(*g->shapes) + 1, &room);

	if (rc)
		return rc;
	g->shapes = room;
	for (uint32_t i = 0; i < g->n_shapes; i++) {
		struct shape *s = &g->shapes[i];
		uint16_t event = scap__get_u16(dir);

		s->flags = scap__get_u8(dir);
		s->shape = scap__get_u8(dir);
		s->more = scap__get_u8(dir);
		s->n_blobs = scap__get_u8(dir);
		s->blobs = scap__take(dir, s->n_blobs * sizeof(struct scap__group_blob));
		if (dir->bad || event >= g->n_events)
			return bad(g, "its list of shapes is damaged");
		s->event = g->events[event];
		s->type = s->event->type;
		if (s->type && s->type != SCAP_REC_CALL && s->type != SCAP_REC_ENTER &&
		    !scap__fixed_bytes(s->type))
			return bad(g, "a shape is of a record that has none");
		if (SCAP_SHAPE_NARGS(s->shape) > 6 ||
		    (s->type == SCAP_REC_CALL && s->flags & (SCAP_CALL_NR64 | SCAP_CALL_LAT64)))
			return bad(g, "a shape is not possible");
	}
	return 0;
}

static int find_starts(struct scap__group_in *g, struct list *l)
{
	uint64_t at = 0;
	void *room;
	int rc = scap__arena_get(&g->arena, (size_t)l->lengths.n * 4 + 1, &room);

	if (rc)
		return rc;
	l->starts = room;
	for (uint32_t i = 0; i < l->lengths.n; i++) {
		l->starts[i] = (uint32_t)at;
		if (l->lengths.v[i] > l->bytes.n - at)
			return bad(g, "a list's strings do not fit");
		at += l->lengths.v[i];
	}
	return at == l->bytes.n ? 0 : bad(g, "a list's strings do not fill it");
}

/* What was kept of the last group goes, but for memory. */
static void forget(struct scap__group_in *g)
{
	struct scap__group_in keep = *g;

	scap__arena_reset(&keep.arena);
	*g = (struct scap__group_in){
		.budget = keep.budget, .zstd = keep.zstd, .arena = keep.arena, .rows = keep.rows,
		.rows_cap = keep.rows_cap,
	};
}

static int read_directory(struct scap__group_in *g, const uint8_t *p, size_t n, uint32_t n_slices,
			  uint32_t n_parts, uint32_t n_columns)
{
	struct scap__bytes dir = { p, n, false };
	int rc;

	g->slices = (struct scap__bytes){ dir.p, n_slices * sizeof(struct scap__slice_header), 0 };
	scap__take(&dir, g->slices.n);
	g->parts = (struct scap__bytes){ dir.p, n_parts * sizeof(struct scap__group_dir_part), 0 };
	scap__take(&dir, g->parts.n);
	if (dir.bad || g->n_events > dir.n || g->n_shapes > dir.n)
		return bad(g, "its directory does not fit");
	g->n_slices_left = n_slices;
	g->n_parts_left = n_parts;
	rc = read_events(g, &dir);
	if (!rc)
		rc = read_shapes(g, &dir);
	if (!rc)
		rc = read_columns(g, &dir, n_columns);
	if (!rc)
		rc = find_starts(g, &g->names);
	if (!rc)
		rc = find_starts(g, &g->data);
	if (!rc && (g->shape.n != g->n_records || g->time.n != g->n_records ||
		    g->seq.n != g->n_records))
		rc = bad(g, "a column of all records is not of all");
	return rc;
}

static int begin(struct scap__group_in *g, const uint8_t *p, size_t n)
{
	struct scap__bytes b = { p, n, false };
	uint32_t n_slices, n_parts, n_columns, raw, stored, dir_crc;
	const uint8_t *dir;
	int rc;

	scap__take(&b, 24);
	n_slices = scap__get_u32(&b);
	n_parts = scap__get_u32(&b);
	g->n_records = scap__get_u32(&b);
	g->n_events = scap__get_u32(&b);
	g->n_shapes = scap__get_u32(&b);
	n_columns = scap__get_u32(&b);
	raw = scap__get_u32(&b);
	stored = scap__get_u32(&b);
	dir_crc = scap__get_u32(&b);
	if (b.bad || scap__crc32c(0, p, sizeof(struct scap__group_header) - 4) != scap__get_u32(&b))
		return bad(g, "its header is damaged");
	if (raw > SCAP__RAW_MAX_BYTES || n_slices > raw / sizeof(struct scap__slice_header) ||
	    n_parts > raw / sizeof(struct scap__group_dir_part) ||
	    g->n_records > SCAP__GROUP_RECORDS_MAX || g->n_events > SCAP__GROUP_EVENTS_MAX ||
	    g->n_shapes > SCAP__GROUP_SHAPES_MAX)
		return bad(g, "it claims more than a group holds");
	dir = scap__take(&b, stored);
	if (!dir || scap__crc32c(0, dir, stored) != dir_crc)
		return bad(g, "its directory is damaged");
	rc = unpack(g, dir, stored, raw, &dir);
	g->body = b;
	return rc ? rc : read_directory(g, dir, raw, n_slices, n_parts, n_columns);
}

int scap__group_in_begin(struct scap__group_in *g, const uint8_t *p, size_t n, const char **ret_what)
{
	int rc;

	forget(g);
	rc = begin(g, p, n);
	if (rc)
		g->n_slices_left = 0;
	*ret_what = g->what;
	return rc;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Where a record is being put together. */
struct out {
	uint8_t *p, *end;
	bool bad;
};

static uint64_t next(struct column *c, bool *ret_bad)
{
	if (c->at >= c->n) {
		*ret_bad = true;
		return 0;
	}
	return c->v[c->at++];
}

static void put(struct out *o, const void *p, size_t n)
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

static const uint8_t *string(struct list *l, uint64_t place, size_t *ret_n, bool *ret_bad)
{
	if (place >= l->lengths.n) {
		*ret_bad = true;
		*ret_n = 0;
		return NULL;
	}
	*ret_n = l->lengths.v[place];
	return l->bytes.p + l->starts[place];
}

static const uint8_t *take_bytes(struct column *c, uint64_t n, bool *ret_bad)
{
	if (n > c->n - c->at) {
		*ret_bad = true;
		return NULL;
	}
	c->at += (uint32_t)n;
	return c->p + c->at - n;
}

static void put_blob(struct scap__group_in *g, struct out *o, struct event *e, unsigned slot,
		     unsigned state)
{
	static const uint8_t zeros[8];
	const uint8_t *p = NULL;
	size_t n = 0;
	uint64_t v;

	if (slot >= SCAP_SLOTS || !e->blob[slot]) {
		o->bad = true;
		return;
	}
	v = next(&e->blob[slot][0], &o->bad);
	if (e->blob_kind[slot] == SCAP__COL_BLOB_NAME)
		p = string(&g->names, v, &n, &o->bad);
	else if (e->blob_kind[slot] == SCAP__COL_BLOB_DATA)
		p = string(&g->data, v, &n, &o->bad);
	else
		p = take_bytes(&e->bytes[slot], n = v, &o->bad);
	if (o->bad || n > SCAP_BLOB_BYTES(UINT32_MAX)) {
		o->bad = true;
		return;
	}
	put_u32(o, SCAP_BLOB_META(slot, state, (uint32_t)n));
	put_u32(o, n + next(&e->blob[slot][1], &o->bad));
	if (n)
		put(o, p, n);
	put(o, zeros, -n & 7);
}

static void put_call(struct scap__group_in *g, struct out *o, const struct shape *s)
{
	struct event *e = s->event;
	uint64_t result = 0;
	bool is_call = s->type == SCAP_REC_CALL;
	uint16_t nr = htole16(e->nr);
	uint8_t tail[2] = { s->shape, s->more };

	put_u32(o, next(&g->tid, &o->bad));
	if (is_call) {
		put_u32(o, next(&e->latency, &o->bad));
		result = next(&e->result, &o->bad);
		put_u32(o, result);
	}
	put(o, &nr, 2);
	put(o, tail, 2);
	if (is_call && s->flags & SCAP_CALL_RET64)
		put_u64(o, result);
	if (is_call && s->flags & SCAP_CALL_COOKIES) {
		put_u32(o, next(&e->cookie[0], &o->bad));
		put_u32(o, next(&e->cookie[1], &o->bad));
	}
	for (unsigned i = 0; i < SCAP_SHAPE_NARGS(s->shape); i++)
		put_u64(o, next(&e->arg[i], &o->bad));
}

static void put_raw(struct scap__group_in *g, struct out *o, uint8_t *head)
{
	uint64_t n = next(&g->raw_length, &o->bad);
	const uint8_t *p;

	if (n > SCAP_REC_MAX_BYTES) {
		o->bad = true;
		return;
	}
	p = take_bytes(&g->raw_bytes, n + 2, &o->bad);
	if (!p)
		return;
	memcpy(head + 2, p, 2);
	put(o, p + 2, n);
}

static void put_record(struct scap__group_in *g, struct out *o, const struct shape *s,
		       uint32_t *next_seq)
{
	uint8_t head[sizeof(struct scap_rec)] = { 0, 0, s->type, s->flags }, *begin = o->p;
	uint32_t seq;
	uint64_t time;
	uint16_t len8;

	put(o, head, sizeof(head));
	if (o->bad)
		return;
	seq = htole32(*next_seq + (uint32_t)next(&g->seq, &o->bad));
	time = htole64(next(&g->time, &o->bad));
	if (!s->type)
		put_raw(g, o, begin);
	else if (s->event->words)
		for (unsigned i = 0; i < scap__fixed_bytes(s->type) / 4 - 4; i++)
			put_u32(o, next(&s->event->words[i], &o->bad));
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
	struct out o = { rows, rows + part->bytes, false };
	uint32_t next_seq = part->first_seq;

	part->rows = rows;
	for (uint32_t i = 0; i < part->n_records && !o.bad; i++) {
		uint64_t s = next(&g->shape, &o.bad);

		if (s >= g->n_shapes)
			o.bad = true;
		else
			put_record(g, &o, &g->shapes[s], &next_seq);
	}
	return o.bad || o.p != o.end ? bad(g, "its columns do not make its records") : 0;
}

/* ---- slices ---------------------------------------------------------------------------------- */

static int grow_rows(struct scap__group_in *g, size_t n)
{
	int rc;

	if (n <= g->rows_cap)
		return 0;
	scap__budget_give(g->budget, g->rows_cap);
	free(g->rows);
	g->rows = NULL;
	g->rows_cap = 0;
	rc = scap__budget_take(g->budget, n);
	if (rc)
		return rc;
	g->rows = malloc(n);
	if (!g->rows) {
		scap__budget_give(g->budget, n);
		return -ENOMEM;
	}
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
		uint32_t cpu = scap__get_u16(&g->parts), lane = scap__get_u16(&g->parts);

		part->ring = cpu * SCAP_LANES + lane;
		part->n_records = scap__get_u32(&g->parts);
		part->first_seq = scap__get_u32(&g->parts);
		part->bytes = scap__get_u32(&g->parts);
		*ret_bytes += part->bytes;
		if (lane >= SCAP_LANES || (i && part->ring <= last) || part->bytes % 8)
			return bad(g, "a slice's list of parts is damaged");
		last = part->ring;
	}
	return *ret_bytes > SCAP__RAW_MAX_BYTES ? bad(g, "a slice claims to be too large") : 0;
}

static int read_slice(struct scap__group_in *g)
{
	struct scap__slice_header *h = &g->slice.head;
	uint64_t bytes = 0, at = 0;
	int rc;

	h->start_ns = scap__get_u64(&g->slices);
	h->end_ns = scap__get_u64(&g->slices);
	h->clock_raw_ns = scap__get_u64(&g->slices);
	h->clock_real_ns = scap__get_u64(&g->slices);
	h->clock_boot_ns = scap__get_u64(&g->slices);
	h->n_parts = scap__get_u32(&g->slices);
	scap__get_u32(&g->slices);
	if (h->n_parts > g->n_parts_left)
		return bad(g, "a slice claims more parts than there are");
	g->n_parts_left -= h->n_parts;
	rc = read_parts(g, h->n_parts, &bytes);
	if (!rc)
		rc = grow_rows(g, bytes + 1);
	for (uint32_t i = 0; !rc && i < h->n_parts; i++) {
		rc = put_part(g, &g->slice_parts[i], g->rows + at);
		at += g->slice_parts[i].bytes;
	}
	g->slice.parts = g->slice_parts;
	return rc;
}

int scap__group_in_slice(struct scap__group_in *g, const struct scap__group_slice **ret_s,
			 const char **ret_what)
{
	int rc;

	if (!g->n_slices_left)
		return 1;
	g->n_slices_left--;
	rc = read_slice(g);
	if (!rc && !g->n_slices_left && (g->shape.at != g->n_records || g->n_parts_left))
		rc = bad(g, "its slices do not use all of it");
	if (rc)
		g->n_slices_left = 0;
	*ret_what = g->what;
	*ret_s = &g->slice;
	return rc;
}
