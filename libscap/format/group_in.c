/* SPDX-License-Identifier: MIT */
/* Columns back into rows. */
#include "format/group_in.h"

#include <errno.h>
#include <scap/error.h>
#include <string.h>

#include "core/crc32c.h"

int scap__group_in_new(struct scap__budget *budget, struct scap__group_in **ret_g)
{
	struct scap__group_in *g;
	void *p;
	int rc = scap__alloc_zeroed(budget, sizeof(*g), &p);

	if (rc)
		return rc;
	g = p;
	g->budget = budget;
	scap__arena_init(&g->arena, budget);
	scap__arena_init(&g->kept, budget);
	scap__map_init(&g->kinds, budget);
	g->zstd = ZSTD_createDCtx();
	if (!g->zstd) {
		scap__free(budget, g, sizeof(*g));
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
	scap__arena_fini(&g->kept);
	scap__map_fini(&g->kinds);
	ZSTD_freeDCtx(g->zstd);
	scap__free(g->budget, g->rows, g->rows_cap);
	scap__free(g->budget, g, sizeof(*g));
}

int scap__group_bad(struct scap__group_in *g, const char *what)
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
		return scap__group_bad(g, "a column's sizes contradict each other");
	rc = scap__arena_room(&g->arena, raw, &room);
	if (rc)
		return rc;
	n = ZSTD_decompressDCtx(g->zstd, room, raw, p, stored);
	if (ZSTD_isError(n) || n != raw)
		return scap__group_bad(g, "a column does not decompress");
	*ret = room;
	return 0;
}

/* A record has a value in a column at most once, but may have several names, and data. */
static uint64_t most_values(const struct scap__group_in *g, unsigned kind)
{
	bool of_blobs = kind == SCAP__COL_NAME_LENGTH || kind == SCAP__COL_DATA_LENGTH;

	return (uint64_t)g->n_records * (of_blobs ? SCAP_SLOTS : 1);
}

static int read_column(struct scap__group_in *g, const struct scap__group_column *c,
		       struct scap__column *ret)
{
	const uint8_t *p = scap__take(&g->body, c->stored_bytes);

	if (!p)
		return scap__group_bad(g, "a column reaches beyond its group");
	if (ret->n)
		return scap__group_bad(g, "a column comes twice");
	if (c->stored_bytes > c->raw_bytes)
		return scap__group_bad(g, "a column's sizes contradict each other");
	ret->p = p;
	ret->n = c->n_values;
	ret->raw_bytes = c->raw_bytes;
	ret->stored_bytes = c->stored_bytes;
	ret->crc = c->crc;
	ret->bounded = scap__column_has_bounds(c->kind);
	ret->least = (int64_t)c->least;
	ret->most = (int64_t)c->most;
	ret->of_bytes = scap__column_is_bytes(c->kind);
	if (ret->of_bytes ? ret->n != c->raw_bytes : ret->n > most_values(g, c->kind))
		return scap__group_bad(g, "a column has more values than it can");
	return 0;
}

static bool within_bounds(const struct scap__column *c)
{
	const uint64_t *v = c->v, least = (uint64_t)c->least, span = (uint64_t)c->most - least;
	uint64_t beyond = 0;

	for (uint32_t i = 0; c->bounded && i < c->n; i++)
		beyond |= v[i] - least > span;
	return !beyond && (!c->bounded || c->least <= c->most);
}

int scap__group_load(struct scap__group_in *g, struct scap__column *c)
{
	void *room;
	int rc;

	if (c->unpacked || !c->n)
		return 0;
	if (scap__crc32c(0, c->p, c->stored_bytes) != c->crc)
		return scap__group_bad(g, "a column's checksum is wrong");
	rc = unpack(g, c->p, c->stored_bytes, c->raw_bytes, &c->p);
	if (!rc && !c->of_bytes)
		rc = scap__arena_room(&g->arena, (size_t)c->n * 8, &room);
	if (rc)
		return rc;
	c->unpacked = true;
	if (c->of_bytes)
		return 0;
	rc = scap__column_get(g->budget, c->p, c->raw_bytes, room, c->n);
	c->v = room;
	if (rc == SCAP_EDAMAGED)
		return scap__group_bad(g, "a column's values are damaged");
	return rc || within_bounds(c) ? rc :
	       scap__group_bad(g, "a column's values are not within its bounds");
}

static int blob_column(struct scap__group_in *g, struct scap__column_event *e,
		       const struct scap__group_column *c, struct scap__column **ret)
{
	void *room;
	int rc;

	if (c->index >= SCAP_SLOTS)
		return scap__group_bad(g, "a column is of no slot");
	if (!e->blob[c->index]) {
		rc = scap__arena_get(&g->arena, 2 * sizeof(struct scap__column), &room);
		if (rc)
			return rc;
		e->blob[c->index] = room;
	}
	if (c->kind != SCAP__COL_BLOB_MORE) {
		if (e->blob_kind[c->index])
			return scap__group_bad(g, "a column comes twice");
		e->blob_kind[c->index] = c->kind;
	}
	*ret = &e->blob[c->index][c->kind == SCAP__COL_BLOB_MORE];
	return 0;
}

/* Where a column of an event goes; NULL in *ret: a kind that is not known. */
static int event_column(struct scap__group_in *g, const struct scap__group_column *c,
			struct scap__column **ret)
{
	struct scap__column_event *e;

	if (c->event >= g->n_events)
		return scap__group_bad(g, "a column is of no event");
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
		return c->index < 6 ? 0 : scap__group_bad(g, "a column is of no argument");
	case SCAP__COL_WORD:
		if (!e->words || c->index >= SCAP__GROUP_WORDS_MAX)
			return scap__group_bad(g, "a column is of no word");
		*ret = &e->words[c->index];
		return 0;
	case SCAP__COL_BYTES:
		if (c->index >= SCAP_SLOTS)
			return scap__group_bad(g, "a column is of no slot");
		*ret = &e->bytes[c->index];
		return 0;
	}
	return blob_column(g, e, c, ret);
}

static int place_column(struct scap__group_in *g, const struct scap__group_column *c,
			struct scap__column **ret)
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
	return scap__group_bad(g, "a column is of an unknown kind");
}

static int read_columns(struct scap__group_in *g, struct scap__bytes *dir, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct scap__group_column c = {
			.kind = scap__get_u8(dir), .index = scap__get_u8(dir),
			.event = scap__get_u16(dir), .n_values = scap__get_u32(dir),
			.raw_bytes = scap__get_u32(dir), .stored_bytes = scap__get_u32(dir),
			.crc = scap__get_u32(dir), .reserved = scap__get_u32(dir),
			.least = scap__get_u64(dir), .most = scap__get_u64(dir),
		};
		struct scap__column *place = NULL;
		int rc;

		if (dir->bad)
			return scap__group_bad(g, "its list of columns does not fit");
		if (c.kind >= SCAP__COL_HINTS)
			rc = scap__take(&g->body, c.stored_bytes) ? 0 :
			     scap__group_bad(g, "a column reaches beyond its group");
		else
			rc = place_column(g, &c, &place);
		if (!rc && place)
			rc = read_column(g, &c, place);
		if (rc)
			return rc;
	}
	return dir->n ? scap__group_bad(g, "its directory is too long") :
	       g->body.n ? scap__group_bad(g, "bytes follow behind its columns") : 0;
}

static int read_events(struct scap__group_in *g, struct scap__bytes *dir)
{
	void *room;
	int rc = scap__arena_get(&g->arena, g->n_events * sizeof(*g->events) + 1, &room);

	g->events = room;
	for (uint32_t i = 0; !rc && i < g->n_events; i++) {
		struct scap__column_event *e;

		rc = scap__arena_get(&g->arena, sizeof(*e), &room);
		if (rc)
			break;
		e = g->events[i] = room;
		e->type = scap__get_u8(dir);
		e->abi = scap__get_u8(dir);
		e->nr = scap__get_u16(dir);
		if (!scap__fixed_bytes(e->type))
			continue;
		rc = scap__arena_get(&g->arena, SCAP__GROUP_WORDS_MAX * sizeof(struct scap__column),
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
		struct scap__shape *s = &g->shapes[i];
		uint16_t event = scap__get_u16(dir);

		s->flags = scap__get_u8(dir);
		s->shape = scap__get_u8(dir);
		s->more = scap__get_u8(dir);
		s->n_blobs = scap__get_u8(dir);
		s->blobs = scap__take(dir, s->n_blobs * sizeof(struct scap__group_blob));
		if (dir->bad || event >= g->n_events)
			return scap__group_bad(g, "its list of shapes is damaged");
		s->event = g->events[event];
		s->type = s->event->type;
		s->is_call = s->type == SCAP_REC_CALL || s->type == SCAP_REC_ENTER;
		s->has_cookies = s->type == SCAP_REC_CALL && s->flags & SCAP_CALL_COOKIES;
		s->is_event = s->type ? s->type < SCAP_REC_INTRO : s->event->abi;
		s->next = s->event->shapes;
		s->event->shapes = s;
		if (s->type && s->type != SCAP_REC_CALL && s->type != SCAP_REC_ENTER &&
		    !scap__fixed_bytes(s->type))
			return scap__group_bad(g, "a shape is of a record that has none");
		if (SCAP_SHAPE_NARGS(s->shape) > 6 ||
		    (s->type == SCAP_REC_CALL && s->flags & (SCAP_CALL_NR64 | SCAP_CALL_LAT64)))
			return scap__group_bad(g, "a shape is not possible");
	}
	return 0;
}

int scap__group_load_list(struct scap__group_in *g, struct scap__string_list *l)
{
	uint64_t at = 0;
	void *room;
	int rc = scap__group_load(g, &l->lengths);

	if (!rc)
		rc = scap__group_load(g, &l->bytes);
	if (!rc)
		rc = scap__arena_room(&g->arena, (size_t)l->lengths.n * 4 + 1, &room);
	if (rc)
		return rc;
	l->starts = room;
	for (uint32_t i = 0; i < l->lengths.n; i++) {
		l->starts[i] = (uint32_t)at;
		if (l->lengths.v[i] > l->bytes.n - at)
			return scap__group_bad(g, "a list's strings do not fit");
		at += l->lengths.v[i];
	}
	return at == l->bytes.n ? 0 : scap__group_bad(g, "a list's strings do not fill it");
}

/* What was kept of the last group goes, but for memory. */
static void forget(struct scap__group_in *g)
{
	struct scap__group_in keep = *g;

	scap__arena_reset(&keep.arena);
	*g = (struct scap__group_in){
		.budget = keep.budget, .zstd = keep.zstd, .arena = keep.arena, .rows = keep.rows,
		.rows_cap = keep.rows_cap, .kept = keep.kept, .kinds = keep.kinds,
		.tids = keep.tids, .tids_found = keep.tids_found, .version = keep.version,
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
		return scap__group_bad(g, "its directory does not fit");
	g->n_slices_left = g->n_slices = n_slices;
	g->n_parts_left = n_parts;
	rc = read_events(g, &dir);
	if (!rc)
		rc = read_shapes(g, &dir);
	if (!rc)
		rc = read_columns(g, &dir, n_columns);
	if (!rc && (g->shape.n != g->n_records || g->time.n != g->n_records ||
		    g->seq.n != g->n_records))
		rc = scap__group_bad(g, "a column of all records is not of all");
	return rc;
}

static int begin(struct scap__group_in *g, const uint8_t *p, size_t n)
{
	struct scap__bytes b = { p, n, false };
	uint32_t n_slices, n_parts, n_columns, raw, stored, dir_crc;
	const uint8_t *dir;
	int rc;

	scap__get_u64(&b);
	g->whole_epochs = scap__get_u64(&b) % SCAP_EPOCH_NS == 0;
	scap__get_u64(&b);
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
		return scap__group_bad(g, "its header is damaged");
	if (raw > SCAP__RAW_MAX_BYTES || n_slices > raw / sizeof(struct scap__slice_header) ||
	    n_parts > raw / sizeof(struct scap__group_dir_part) ||
	    g->n_records > SCAP__GROUP_RECORDS_MAX || g->n_events > SCAP__GROUP_EVENTS_MAX ||
	    g->n_shapes > SCAP__GROUP_SHAPES_MAX)
		return scap__group_bad(g, "it claims more than a group holds");
	dir = scap__take(&b, stored);
	if (!dir || scap__crc32c(0, dir, stored) != dir_crc)
		return scap__group_bad(g, "its directory is damaged");
	rc = unpack(g, dir, stored, raw, &dir);
	g->body = b;
	return rc ? rc : read_directory(g, dir, raw, n_slices, n_parts, n_columns);
}

int scap__group_in_begin(struct scap__group_in *g, const uint8_t *p, size_t n,
			 const char **ret_what)
{
	int rc;

	forget(g);
	rc = begin(g, p, n);
	if (rc)
		g->n_slices_left = 0;
	*ret_what = g->what;
	return rc;
}
