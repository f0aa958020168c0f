/* SPDX-License-Identifier: MIT */
/* Rows into columns. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "column/heap.h"
#include "core/crc32c.h"
#include "format/group.h"
#include "format/table.h"

/* Streams of an event: the columns of calls, or its words; then two for each slot. */
enum {
	STREAM_LATENCY,
	STREAM_RESULT,
	STREAM_COOKIE,
	STREAM_COOKIE2,
	STREAM_ARG,
	STREAM_BLOB = SCAP__GROUP_WORDS_MAX,
	STREAM_MORE = STREAM_BLOB + SCAP_SLOTS,
	STREAMS = STREAM_MORE + SCAP_SLOTS
};

#define NO_PLACE UINT32_MAX

struct event {
	struct event *kept;		/* the next of all that ever were */
	struct scap__group_event id;
	uint32_t place;			/* in the group; NO_PLACE: it has none of it */
	struct scap__values *streams[STREAMS];
	uint8_t blob_kind[SCAP_SLOTS];	/* SCAP__COL_BLOB_*; 0: not known yet */
	struct scap__buffer *bytes[SCAP_SLOTS];
};

struct shape {
	uint64_t key[2];
	struct event *event;
	uint8_t n_blobs;
	struct scap__group_blob blobs[SCAP__SHAPE_BLOBS_MAX];
};

struct scap__group_out {
	struct scap__trial trial;
	ZSTD_CCtx *zstd;
	struct event **events;
	struct event *kept;	/* with the memory of their streams: the next group needs it, too */
	struct shape *shapes;
	struct shape *last;	/* the last one that was found */
	uint32_t *table;	/* place of a shape + 1; 0: free */
	uint32_t n_events, n_shapes, cap_shapes, n_table;
	struct scap__buffer slices, parts;	/* of the directory */
	uint32_t n_slices, n_parts, n_records, n_columns;
	uint64_t start_ns, end_ns, row_bytes;
	struct scap__values shape, time, seq, tid, raw_length;
	struct scap__buffer raw_bytes;
	struct scap__heap names, data;
	struct scap__buffer dir, body, coded;
	bool no_memory;
};

/* ---- life ------------------------------------------------------------------------------------ */

static void free_event(struct event *e)
{
	for (unsigned k = 0; k < STREAMS; k++)
		if (e->streams[k]) {
			scap__values_fini(e->streams[k]);
			free(e->streams[k]);
		}
	for (unsigned k = 0; k < SCAP_SLOTS; k++)
		if (e->bytes[k]) {
			scap__buffer_fini(e->bytes[k]);
			free(e->bytes[k]);
		}
	free(e);
}

static void empty(struct scap__group_out *g)
{
	for (uint32_t i = 0; i < g->n_events; i++) {
		struct event *e = g->events[i];

		e->place = NO_PLACE;
		for (unsigned k = 0; k < STREAMS; k++)
			if (e->streams[k])
				e->streams[k]->n = 0;
		for (unsigned k = 0; k < SCAP_SLOTS; k++)
			if (e->bytes[k])
				e->bytes[k]->n = 0;
	}
	g->last = NULL;
	g->n_events = g->n_shapes = g->n_slices = g->n_parts = g->n_records = g->n_columns = 0;
	g->row_bytes = 0;
	g->slices.n = g->parts.n = g->raw_bytes.n = g->dir.n = g->body.n = 0;
	g->shape.n = g->time.n = g->seq.n = g->tid.n = g->raw_length.n = 0;
	scap__heap_clear(&g->names);
	scap__heap_clear(&g->data);
	if (g->table)
		memset(g->table, 0, g->n_table * sizeof(*g->table));
}

int scap__group_out_new(int level, struct scap__group_out **ret_g)
{
	struct scap__group_out *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->zstd = ZSTD_createCCtx();
	g->events = calloc(SCAP__GROUP_EVENTS_MAX, sizeof(*g->events));
	if (!g->zstd || !g->events || scap__trial_init(&g->trial)) {
		scap__group_out_free(g);
		return -ENOMEM;
	}
	ZSTD_CCtx_setParameter(g->zstd, ZSTD_c_compressionLevel, level);
	*ret_g = g;
	return 0;
}

void scap__group_out_free(struct scap__group_out *g)
{
	if (!g)
		return;
	while (g->kept) {
		struct event *next = g->kept->kept;

		free_event(g->kept);
		g->kept = next;
	}
	scap__trial_fini(&g->trial);
	ZSTD_freeCCtx(g->zstd);
	free(g->events);
	free(g->shapes);
	free(g->table);
	scap__buffer_fini(&g->slices);
	scap__buffer_fini(&g->parts);
	scap__values_fini(&g->shape);
	scap__values_fini(&g->time);
	scap__values_fini(&g->seq);
	scap__values_fini(&g->tid);
	scap__values_fini(&g->raw_length);
	scap__buffer_fini(&g->raw_bytes);
	scap__heap_fini(&g->names);
	scap__heap_fini(&g->data);
	scap__buffer_fini(&g->dir);
	scap__buffer_fini(&g->body);
	scap__buffer_fini(&g->coded);
	free(g);
}

size_t scap__group_out_row_bytes(const struct scap__group_out *g)
{
	return g->row_bytes;
}

uint32_t scap__group_out_records(const struct scap__group_out *g)
{
	return g->n_records;
}

uint32_t scap__group_out_slices(const struct scap__group_out *g)
{
	return g->n_slices;
}

/* ---- events and shapes ----------------------------------------------------------------------- */

static void add(struct scap__group_out *g, struct scap__values *c, uint64_t v)
{
	if (scap__values_add(c, v))
		g->no_memory = true;
}

static __attribute__((noinline)) void grow(struct scap__group_out *g, struct event *e,
					   unsigned stream)
{
	if (!e->streams[stream])
		e->streams[stream] = calloc(1, sizeof(*e->streams[stream]));
	if (!e->streams[stream] || scap__values_grow(e->streams[stream]))
		g->no_memory = true;
}

static inline void add_to(struct scap__group_out *g, struct event *e, unsigned stream, uint64_t v)
{
	struct scap__values *c = e->streams[stream];

	if (!c || c->n == c->cap) {
		grow(g, e, stream);
		c = e->streams[stream];
		if (g->no_memory)
			return;
	}
	c->v[c->n++] = v;
}

/* NULL: no room for one more, or no memory. */
static struct event *find_event(struct scap__group_out *g, struct scap__group_event id)
{
	struct event *e = g->kept;

	while (e && memcmp(&e->id, &id, sizeof(id)))
		e = e->kept;
	if (e && e->place != NO_PLACE)
		return e;
	if (g->n_events >= SCAP__GROUP_EVENTS_MAX - 2 && id.type)
		return NULL;
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e) {
			g->no_memory = true;
			return NULL;
		}
		e->id = id;
		e->kept = g->kept;
		g->kept = e;
	}
	e->place = g->n_events;
	g->events[g->n_events++] = e;
	return e;
}

static size_t shape_slot(const struct scap__group_out *g, const uint64_t key[2])
{
	uint64_t h = (key[0] * 0x9e3779b97f4a7c15ull ^ key[1]) * 0xff51afd7ed558ccdull;
	size_t at = h >> 40 & (g->n_table - 1);

	while (g->table[at]) {
		const uint64_t *there = g->shapes[g->table[at] - 1].key;

		if (there[0] == key[0] && there[1] == key[1])
			break;
		at = (at + 1) & (g->n_table - 1);
	}
	return at;
}

static int grow_shapes(struct scap__group_out *g)
{
	uint32_t n = g->n_table ? g->n_table * 2 : 1024;
	struct shape *shapes = realloc(g->shapes, n / 2 * sizeof(*shapes));
	uint32_t *table = calloc(n, sizeof(*table));

	g->last = NULL;
	if (shapes)
		g->shapes = shapes;
	if (!shapes || !table) {
		free(table);
		g->no_memory = true;
		return -ENOMEM;
	}
	free(g->table);
	g->table = table;
	g->n_table = n;
	g->cap_shapes = n / 2;
	for (uint32_t i = 0; i < g->n_shapes; i++)
		g->table[shape_slot(g, g->shapes[i].key)] = i + 1;
	return 0;
}

/*
 * The key holds all of a record that is not in columns: type, flags, number, shape, more; then a
 * byte for each blob: slot and state, and a bit that is never 0. NULL: no room.
 */
static struct shape *find_shape(struct scap__group_out *g, const uint64_t key[2])
{
	struct scap__group_event id;
	struct shape *s;
	size_t at;

	if (g->last && g->last->key[0] == key[0] && g->last->key[1] == key[1])
		return g->last;
	if (g->n_shapes >= g->cap_shapes && grow_shapes(g))
		return NULL;
	at = shape_slot(g, key);
	if (g->table[at])
		return g->last = &g->shapes[g->table[at] - 1];
	/* Two are kept for records that are stored as they are. */
	if (g->n_shapes >= SCAP__GROUP_SHAPES_MAX - 2 && (uint8_t)key[0])
		return NULL;
	id = (struct scap__group_event){ .type = (uint8_t)key[0] };
	if (!id.type)
		id.abi = (uint8_t)(key[0] >> 8);
	if (id.type == SCAP_REC_CALL || id.type == SCAP_REC_ENTER) {
		id.nr = htole16((uint16_t)(key[0] >> 16));
		id.abi = SCAP_SHAPE_ABI((uint8_t)(key[0] >> 32));
	}
	s = &g->shapes[g->n_shapes];
	*s = (struct shape){ .key = { key[0], key[1] }, .event = find_event(g, id) };
	if (!s->event)
		return NULL;
	for (uint64_t k = key[1]; k; k >>= 8)
		s->blobs[s->n_blobs++] = (struct scap__group_blob){ k & 31, k >> 5 & 3 };
	g->table[at] = ++g->n_shapes;
	return s;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record {
	const uint8_t *p, *blobs, *end;
	unsigned type, flags;
	uint64_t key[2];
};

/* Whether the rest is blobs that the columns can give back as they are. */
static bool parse_blobs(struct record *r)
{
	const uint8_t *p = r->blobs;

	for (unsigned n = 0; p != r->end; n++) {
		uint32_t meta, bytes, padded;

		if (r->end - p < 8 || n == SCAP__SHAPE_BLOBS_MAX)
			return false;
		meta = scap__le32(p);
		bytes = SCAP_BLOB_BYTES(meta);
		padded = (bytes + 7) & ~7u;
		if (SCAP_BLOB_SLOT(meta) >= SCAP_SLOTS || SCAP_BLOB_STATE(meta) > 3 ||
		    padded > (size_t)(r->end - p) - 8 ||
		    meta != SCAP_BLOB_META(SCAP_BLOB_SLOT(meta), SCAP_BLOB_STATE(meta), bytes))
			return false;
		for (uint32_t i = bytes; i < padded; i++)
			if (p[8 + i])
				return false;
		r->key[1] |= (uint64_t)(0x80 | SCAP_BLOB_STATE(meta) << 5 | SCAP_BLOB_SLOT(meta))
			     << 8 * n;
		p += 8 + padded;
	}
	return true;
}

static bool parse_call(struct record *r)
{
	const uint8_t *p = r->p;
	bool is_call = r->type == SCAP_REC_CALL;
	size_t head = is_call ? sizeof(struct scap_rec_call) : sizeof(struct scap_rec_enter);
	unsigned nr, shape, more;

	if ((size_t)(r->end - p) < head)
		return false;
	nr = scap__le16(p + (is_call ? 28 : 20));
	shape = p[is_call ? 30 : 22];
	more = p[is_call ? 31 : 23];
	if (is_call && r->flags & (SCAP_CALL_NR64 | SCAP_CALL_LAT64))
		return false;
	head = scap__call_bytes(r->type, r->flags, shape);
	if ((size_t)(r->end - p) < head || SCAP_SHAPE_NARGS(shape) > 6)
		return false;
	if (is_call && r->flags & SCAP_CALL_RET64 && scap__le32(p + 24) != scap__le32(p + 32))
		return false;
	r->key[0] = r->type | r->flags << 8 | nr << 16 | (uint64_t)shape << 32 |
		    (uint64_t)more << 40;
	r->blobs = p + head;
	return parse_blobs(r);
}

static bool parse(struct record *r)
{
	unsigned head;

	r->key[0] = r->key[1] = 0;
	if (r->type == SCAP_REC_CALL || r->type == SCAP_REC_ENTER)
		return parse_call(r);
	head = scap__fixed_bytes(r->type);
	if (!head || (size_t)(r->end - r->p) < head)
		return false;
	r->key[0] = r->type | r->flags << 8;
	r->blobs = r->p + head;
	return parse_blobs(r);
}

/* By what the argument is: names repeat, structures do not, data may. */
static unsigned kind_of_blob(const struct event *e, unsigned slot)
{
	const struct scap__syscall *sc;

	if (e->id.type != SCAP_REC_CALL || slot >= 6)
		return SCAP__COL_BLOB_NAME;
	sc = scap__syscall_lookup(e->id.abi, le16toh(e->id.nr));
	if (!sc)
		return SCAP__COL_BLOB_DATA;
	switch (sc->args[slot].role) {
	case SCAP_ROLE_BUF_IN:
	case SCAP_ROLE_BUF_OUT:
	case SCAP_ROLE_IOV_IN:
	case SCAP_ROLE_IOV_OUT:
	case SCAP_ROLE_MSG_IN:
	case SCAP_ROLE_MSG_OUT:
		return SCAP__COL_BLOB_DATA;
	}
	return sc->args[slot].role >= SCAP_FETCH_FIRST ? SCAP__COL_BLOB_BYTES : SCAP__COL_BLOB_NAME;
}

static void add_bytes(struct scap__group_out *g, struct event *e, unsigned slot, const uint8_t *p,
		      uint32_t n)
{
	if (!e->bytes[slot])
		e->bytes[slot] = calloc(1, sizeof(*e->bytes[slot]));
	if (!e->bytes[slot] || scap__buffer_add(e->bytes[slot], p, n))
		g->no_memory = true;
	else
		add_to(g, e, STREAM_BLOB + slot, n);
}

static void add_blob(struct scap__group_out *g, struct event *e, const uint8_t *p)
{
	uint32_t meta = scap__le32(p), bytes = SCAP_BLOB_BYTES(meta);
	unsigned slot = SCAP_BLOB_SLOT(meta);
	uint64_t place;

	add_to(g, e, STREAM_MORE + slot, scap__le32(p + 4) - bytes);
	if (!e->blob_kind[slot])
		e->blob_kind[slot] = (uint8_t)kind_of_blob(e, slot);
	if (e->blob_kind[slot] == SCAP__COL_BLOB_BYTES) {
		add_bytes(g, e, slot, p + 8, bytes);
		return;
	}
	if (scap__heap_place(e->blob_kind[slot] == SCAP__COL_BLOB_NAME ? &g->names : &g->data,
			     p + 8, bytes, &place))
		g->no_memory = true;
	else
		add_to(g, e, STREAM_BLOB + slot, place);
}

static const uint8_t *add_call(struct scap__group_out *g, struct event *e, const struct record *r)
{
	const uint8_t *p = r->p + (r->type == SCAP_REC_CALL ? 32 : 24);
	unsigned n_args = SCAP_SHAPE_NARGS((uint8_t)(r->key[0] >> 32));

	add(g, &g->tid, scap__le32(r->p + 16));
	if (r->type == SCAP_REC_CALL) {
		add_to(g, e, STREAM_LATENCY, scap__le32(r->p + 20));
		if (r->flags & SCAP_CALL_RET64) {
			add_to(g, e, STREAM_RESULT, scap__le64(p));
			p += 8;
		} else {
			add_to(g, e, STREAM_RESULT, (uint64_t)(int32_t)scap__le32(r->p + 24));
		}
		if (r->flags & SCAP_CALL_COOKIES) {
			add_to(g, e, STREAM_COOKIE, scap__le32(p));
			add_to(g, e, STREAM_COOKIE2, scap__le32(p + 4));
			p += 8;
		}
	}
	for (unsigned i = 0; i < n_args; i++, p += 8)
		add_to(g, e, STREAM_ARG + i, scap__le64(p));
	return p;
}

static void add_parsed(struct scap__group_out *g, const struct shape *s, const struct record *r)
{
	const uint8_t *p;

	if (r->type == SCAP_REC_CALL || r->type == SCAP_REC_ENTER) {
		p = add_call(g, s->event, r);
	} else {
		unsigned i = 0;

		for (p = r->p + sizeof(struct scap_rec); p < r->blobs; p += 4)
			add_to(g, s->event, i++, scap__le32(p));
	}
	for (; p < r->end; p += 8 + ((SCAP_BLOB_BYTES(scap__le32(p)) + 7) & ~7u))
		add_blob(g, s->event, p);
}

/* Type and flags, and all behind the time. */
static void add_raw(struct scap__group_out *g, const struct record *r)
{
	size_t n = (size_t)(r->end - r->p) - sizeof(struct scap_rec);

	add(g, &g->raw_length, n);
	if (scap__buffer_add(&g->raw_bytes, r->p + 2, 2) ||
	    scap__buffer_add(&g->raw_bytes, r->p + sizeof(struct scap_rec), n))
		g->no_memory = true;
}

/* Records that are stored as they are: others, and those that are events. */
static const uint64_t raw_keys[2][2] = { { 0 }, { 1 << 8 } };

static void add_record(struct scap__group_out *g, const uint8_t *p, size_t n, uint32_t *next_seq)
{
	struct record r = { .p = p, .end = p + n, .type = p[2], .flags = p[3] };
	struct shape *s = parse(&r) ? find_shape(g, r.key) : NULL;
	uint32_t seq = scap__le32(p + 4);

	if (s) {
		add_parsed(g, s, &r);
	} else {
		s = g->no_memory ? NULL : find_shape(g, raw_keys[r.type < SCAP_REC_INTRO]);
		if (!s)
			return;
		add_raw(g, &r);
	}
	add(g, &g->shape, (uint64_t)(s - g->shapes));
	add(g, &g->time, scap__le64(p + 8));
	add(g, &g->seq, seq - *next_seq);
	*next_seq = seq + 1;
	g->n_records++;
}

static void add_part(struct scap__group_out *g, const struct scap_slice_part *part)
{
	const uint8_t *p = part->rows, *end = part->bytes ? p + part->bytes : p;
	struct scap__group_dir_part d = {
		.cpu = htole16((uint16_t)part->cpu), .lane = htole16((uint16_t)part->lane),
		.bytes = htole32((uint32_t)part->bytes),
	};
	uint32_t n_before = g->n_records, next_seq = 0, n_events = 0;

	if (part->bytes) {
		next_seq = scap__le32(p + 4);
		d.first_seq = htole32(next_seq);
	}
	while (p < end && !g->no_memory) {
		size_t n = (size_t)scap__le16(p) * 8;

		add_record(g, p, n, &next_seq);
		n_events += p[2] < SCAP_REC_INTRO;
		d.last_ns = htole64(scap__le64(p + 8));
		p += n;
	}
	d.next_seq = htole32(next_seq);
	d.n_events = htole32(n_events);
	d.n_records = htole32(g->n_records - n_before);
	if (scap__buffer_add(&g->parts, &d, sizeof(d)))
		g->no_memory = true;
	g->n_parts++;
	g->row_bytes += part->bytes;
}

int scap__group_out_slice(struct scap__group_out *g, const struct scap_slice *s)
{
	struct scap__slice_header h = {
		.start_ns = htole64(s->start_ns), .end_ns = htole64(s->end_ns),
		.clock_raw_ns = htole64(s->clock_raw_ns), .clock_real_ns = htole64(s->real_ns),
		.clock_boot_ns = htole64(s->boot_ns), .n_parts = htole32(s->n_parts),
	};

	if (!g->n_slices)
		g->start_ns = s->start_ns;
	g->end_ns = s->end_ns;
	g->n_slices++;
	if (scap__buffer_add(&g->slices, &h, sizeof(h)))
		g->no_memory = true;
	for (uint32_t i = 0; i < s->n_parts && !g->no_memory; i++)
		add_part(g, &s->parts[i]);
	return g->no_memory ? -ENOMEM : 0;
}

/* ---- the payload ----------------------------------------------------------------------------- */

#define SMALL_BYTES 48	/* zstd's frame alone would take a good part of what it saves */

/* Appends it, compressed where that makes it smaller: its bytes there, or -ENOMEM. */
static ssize_t put_packed(struct scap__group_out *g, const uint8_t *p, size_t n,
			  struct scap__buffer *out)
{
	size_t got = n;

	if (scap__buffer_reserve(out, ZSTD_compressBound(n)))
		return -ENOMEM;
	if (n > SMALL_BYTES)
		got = ZSTD_compress2(g->zstd, out->p + out->n, out->cap - out->n, p, n);
	if (ZSTD_isError(got) || got >= n) {
		got = n;
		if (n)
			memcpy(out->p + out->n, p, n);
	}
	out->n += got;
	return (ssize_t)got;
}

static void put_column(struct scap__group_out *g, unsigned kind, unsigned event, unsigned index,
		       size_t n_values, const uint8_t *p, size_t n)
{
	ssize_t stored = put_packed(g, p, n, &g->body);
	struct scap__group_column c = {
		.kind = (uint8_t)kind, .index = (uint8_t)index, .event = htole16((uint16_t)event),
		.n_values = htole32((uint32_t)n_values), .raw_bytes = htole32((uint32_t)n),
	};

	if (stored < 0) {
		g->no_memory = true;
		return;
	}
	c.stored_bytes = htole32((uint32_t)stored);
	c.crc = htole32(scap__crc32c(0, g->body.p + g->body.n - stored, (size_t)stored));
	if (scap__buffer_add(&g->dir, &c, sizeof(c)))
		g->no_memory = true;
	g->n_columns++;
}

static void put_numbers(struct scap__group_out *g, unsigned kind, unsigned event, unsigned index,
			const struct scap__values *c)
{
	if (!c || !c->n || g->no_memory)
		return;
	g->coded.n = 0;
	if (scap__column_put(&g->trial, c->v, c->n, &g->coded))
		g->no_memory = true;
	else
		put_column(g, kind, event, index, c->n, g->coded.p, g->coded.n);
}

static void put_bytes(struct scap__group_out *g, unsigned kind, unsigned event, unsigned index,
		      const struct scap__buffer *b)
{
	if (b && b->n && !g->no_memory)
		put_column(g, kind, event, index, b->n, b->p, b->n);
}

static void put_event(struct scap__group_out *g, unsigned nr, const struct event *e)
{
	static const uint8_t kinds[] = {
		SCAP__COL_LATENCY, SCAP__COL_RESULT, SCAP__COL_COOKIE, SCAP__COL_COOKIE2,
	};
	bool words = e->id.type != SCAP_REC_CALL && e->id.type != SCAP_REC_ENTER;

	for (unsigned i = 0; i < STREAM_BLOB; i++)
		if (words)
			put_numbers(g, SCAP__COL_WORD, nr, i, e->streams[i]);
		else if (i < STREAM_ARG)
			put_numbers(g, kinds[i], nr, 0, e->streams[i]);
		else
			put_numbers(g, SCAP__COL_ARG, nr, i - STREAM_ARG, e->streams[i]);
	for (unsigned i = 0; i < SCAP_SLOTS; i++) {
		put_numbers(g, e->blob_kind[i], nr, i, e->streams[STREAM_BLOB + i]);
		put_numbers(g, SCAP__COL_BLOB_MORE, nr, i, e->streams[STREAM_MORE + i]);
		put_bytes(g, SCAP__COL_BYTES, nr, i, e->bytes[i]);
	}
}

#define OF_NONE 0xffff

static void put_columns(struct scap__group_out *g)
{
	put_numbers(g, SCAP__COL_SHAPE, OF_NONE, 0, &g->shape);
	put_numbers(g, SCAP__COL_TIME, OF_NONE, 0, &g->time);
	put_numbers(g, SCAP__COL_SEQ, OF_NONE, 0, &g->seq);
	put_numbers(g, SCAP__COL_TID, OF_NONE, 0, &g->tid);
	put_numbers(g, SCAP__COL_NAME_LENGTH, OF_NONE, 0, &g->names.lengths);
	put_bytes(g, SCAP__COL_NAME_BYTES, OF_NONE, 0, &g->names.bytes);
	for (uint32_t i = 0; i < g->n_events; i++)
		put_event(g, i, g->events[i]);
	put_numbers(g, SCAP__COL_RAW_LENGTH, OF_NONE, 0, &g->raw_length);
	put_bytes(g, SCAP__COL_RAW_BYTES, OF_NONE, 0, &g->raw_bytes);
	put_numbers(g, SCAP__COL_DATA_LENGTH, OF_NONE, 0, &g->data.lengths);
	put_bytes(g, SCAP__COL_DATA_BYTES, OF_NONE, 0, &g->data.bytes);
}

/* All of the directory that stands before the list of columns, which put_columns() appends. */
static void put_lists(struct scap__group_out *g)
{
	int rc = scap__buffer_add(&g->dir, g->slices.p, g->slices.n) ||
		 scap__buffer_add(&g->dir, g->parts.p, g->parts.n);

	for (uint32_t i = 0; i < g->n_events; i++)
		rc = rc || scap__buffer_add(&g->dir, &g->events[i]->id, sizeof(g->events[i]->id));
	for (uint32_t i = 0; i < g->n_shapes; i++) {
		const struct shape *s = &g->shapes[i];
		struct scap__group_shape d = {
			.event = htole16((uint16_t)s->event->place),
			.flags = (uint8_t)(s->key[0] >> 8), .shape = (uint8_t)(s->key[0] >> 32),
			.more = (uint8_t)(s->key[0] >> 40), .n_blobs = s->n_blobs,
		};

		rc = rc || scap__buffer_add(&g->dir, &d, sizeof(d)) ||
		     scap__buffer_add(&g->dir, s->blobs, s->n_blobs * sizeof(s->blobs[0]));
	}
	if (rc)
		g->no_memory = true;
}

static int put_payload(struct scap__group_out *g, struct scap__buffer *out)
{
	struct scap__group_header h = {
		.start_ns = htole64(g->start_ns), .end_ns = htole64(g->end_ns),
		.row_bytes = htole64(g->row_bytes), .n_slices = htole32(g->n_slices),
		.n_parts = htole32(g->n_parts), .n_records = htole32(g->n_records),
		.n_events = htole32(g->n_events), .n_shapes = htole32(g->n_shapes),
		.n_columns = htole32(g->n_columns), .dir_raw_bytes = htole32((uint32_t)g->dir.n),
	};
	size_t at = out->n;
	ssize_t stored;

	if (scap__buffer_add(out, &h, sizeof(h)))
		return -ENOMEM;
	stored = put_packed(g, g->dir.p, g->dir.n, out);
	if (stored < 0 || scap__buffer_add(out, g->body.p, g->body.n))
		return -ENOMEM;
	h.dir_stored_bytes = htole32((uint32_t)stored);
	h.dir_crc = htole32(scap__crc32c(0, out->p + at + sizeof(h), (size_t)stored));
	h.crc = htole32(scap__crc32c(0, &h, sizeof(h) - sizeof(h.crc)));
	memcpy(out->p + at, &h, sizeof(h));
	return 0;
}

int scap__group_out_finish(struct scap__group_out *g, struct scap__buffer *out)
{
	int rc;

	put_lists(g);
	put_columns(g);
	rc = g->no_memory ? -ENOMEM : put_payload(g, out);
	empty(g);
	return rc;
}
