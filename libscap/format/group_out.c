/* SPDX-License-Identifier: MIT */
/* Rows into columns. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "format/group_out.h"
#include "format/table.h"

#define BYTES_LEVEL 3
#define EVENTS_BYTES (SCAP__GROUP_EVENTS_MAX * sizeof(struct scap__out_event *))

/* ---- life ------------------------------------------------------------------------------------ */

static void free_event(struct scap__budget *b, struct scap__out_event *e)
{
	for (unsigned k = 0; k < SCAP__STREAMS; k++)
		if (e->streams[k]) {
			scap__values_fini(e->streams[k]);
			scap__free(b, e->streams[k], sizeof(*e->streams[k]));
		}
	for (unsigned k = 0; k < SCAP_SLOTS; k++)
		if (e->bytes[k]) {
			scap__buffer_fini(e->bytes[k]);
			scap__free(b, e->bytes[k], sizeof(*e->bytes[k]));
		}
	scap__free(b, e, sizeof(*e));
}

void scap__group_out_empty(struct scap__group_out *g)
{
	for (uint32_t i = 0; i < g->n_events; i++) {
		struct scap__out_event *e = g->events[i];

		e->place = SCAP__NO_PLACE;
		for (unsigned k = 0; k < SCAP__STREAMS; k++)
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

static void set_budget(struct scap__group_out *g, struct scap__budget *budget)
{
	struct scap__buffer *buffers[] = {
		&g->slices, &g->parts, &g->raw_bytes, &g->dir, &g->body, &g->coded,
	};
	struct scap__values *values[] = {
		&g->shape, &g->time, &g->seq, &g->tid, &g->raw_length,
	};

	g->budget = budget;
	for (unsigned i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
		buffers[i]->budget = budget;
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		values[i]->budget = budget;
	scap__heap_init(&g->names, budget);
	scap__heap_init(&g->data, budget);
}

int scap__group_out_new(struct scap__budget *budget, int level, struct scap__group_out **ret_g)
{
	struct scap__group_out *g = scap__new(budget, sizeof(*g));

	if (!g)
		return -ENOMEM;
	set_budget(g, budget);
	g->zstd = ZSTD_createCCtx();
	g->events = scap__new(budget, EVENTS_BYTES);
	if (!g->zstd || !g->events || scap__trial_init(&g->trial, budget)) {
		scap__group_out_free(g);
		return -ENOMEM;
	}
	g->level = level;
	g->bytes_level = level > BYTES_LEVEL ? level : BYTES_LEVEL;
	*ret_g = g;
	return 0;
}

void scap__group_out_free(struct scap__group_out *g)
{
	if (!g)
		return;
	while (g->kept) {
		struct scap__out_event *next = g->kept->kept;

		free_event(g->budget, g->kept);
		g->kept = next;
	}
	scap__trial_fini(&g->trial);
	ZSTD_freeCCtx(g->zstd);
	scap__free(g->budget, g->events, EVENTS_BYTES);
	scap__free(g->budget, g->shapes, g->n_table / 2 * sizeof(*g->shapes));
	scap__free(g->budget, g->table, g->n_table * sizeof(*g->table));
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
	scap__free(g->budget, g, sizeof(*g));
}

size_t scap__group_out_row_bytes(const struct scap__group_out *g)
{
	return g->row_bytes;
}

uint32_t scap__group_out_records(const struct scap__group_out *g)
{
	return g->n_records;
}

int scap__group_out_kind(const struct scap__group_out *g, uint32_t i,
			 struct scap__group_event *ret)
{
	if (i >= g->n_events)
		return 1;
	*ret = g->events[i]->id;
	ret->nr = le16toh(ret->nr);
	return 0;
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

static __attribute__((noinline)) void grow(struct scap__group_out *g, struct scap__out_event *e,
					   unsigned stream)
{
	if (!e->streams[stream]) {
		e->streams[stream] = scap__new(g->budget, sizeof(*e->streams[stream]));
		if (e->streams[stream])
			e->streams[stream]->budget = g->budget;
	}
	if (!e->streams[stream] || scap__values_grow(e->streams[stream]))
		g->no_memory = true;
}

static inline void add_to(struct scap__group_out *g, struct scap__out_event *e, unsigned stream,
			  uint64_t v)
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
static struct scap__out_event *find_event(struct scap__group_out *g, struct scap__group_event id)
{
	struct scap__out_event *e = g->kept;

	while (e && memcmp(&e->id, &id, sizeof(id)))
		e = e->kept;
	if (e && e->place != SCAP__NO_PLACE)
		return e;
	if (g->n_events >= SCAP__GROUP_EVENTS_MAX - 2 && id.type)
		return NULL;
	if (!e) {
		e = scap__new(g->budget, sizeof(*e));
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
	uint32_t *table = scap__new(g->budget, n * sizeof(*table));
	void *shapes = g->shapes;

	g->last = NULL;
	if (!table || scap__realloc(g->budget, &shapes, g->n_table / 2 * sizeof(*g->shapes),
				    n / 2 * sizeof(*g->shapes))) {
		scap__free(g->budget, table, n * sizeof(*table));
		g->no_memory = true;
		return -ENOMEM;
	}
	g->shapes = shapes;
	scap__free(g->budget, g->table, g->n_table * sizeof(*g->table));
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
static struct scap__out_shape *find_shape(struct scap__group_out *g, const uint64_t key[2])
{
	struct scap__group_event id;
	struct scap__out_shape *s;
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
	*s = (struct scap__out_shape){ .key = { key[0], key[1] }, .event = find_event(g, id) };
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
static unsigned kind_of_blob(const struct scap__out_event *e, unsigned slot)
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

static void add_bytes(struct scap__group_out *g, struct scap__out_event *e, unsigned slot,
		      const uint8_t *p, uint32_t n)
{
	if (!e->bytes[slot]) {
		e->bytes[slot] = scap__new(g->budget, sizeof(*e->bytes[slot]));
		if (e->bytes[slot])
			e->bytes[slot]->budget = g->budget;
	}
	if (!e->bytes[slot] || scap__buffer_add(e->bytes[slot], p, n))
		g->no_memory = true;
	else
		add_to(g, e, SCAP__STREAM_BLOB + slot, n);
}

static void add_blob(struct scap__group_out *g, struct scap__out_event *e, const uint8_t *p)
{
	uint32_t meta = scap__le32(p), bytes = SCAP_BLOB_BYTES(meta);
	unsigned slot = SCAP_BLOB_SLOT(meta);
	uint64_t place;

	add_to(g, e, SCAP__STREAM_MORE + slot, scap__le32(p + 4) - bytes);
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
		add_to(g, e, SCAP__STREAM_BLOB + slot, place);
}

static const uint8_t *add_call(struct scap__group_out *g, struct scap__out_event *e,
			       const struct record *r)
{
	const uint8_t *p = r->p + (r->type == SCAP_REC_CALL ? 32 : 24);
	unsigned n_args = SCAP_SHAPE_NARGS((uint8_t)(r->key[0] >> 32));

	add(g, &g->tid, scap__le32(r->p + 16));
	if (r->type == SCAP_REC_CALL) {
		add_to(g, e, SCAP__STREAM_LATENCY, scap__le32(r->p + 20));
		if (r->flags & SCAP_CALL_RET64) {
			add_to(g, e, SCAP__STREAM_RESULT, scap__le64(p));
			p += 8;
		} else {
			add_to(g, e, SCAP__STREAM_RESULT, (uint64_t)(int32_t)scap__le32(r->p + 24));
		}
		if (r->flags & SCAP_CALL_COOKIES) {
			add_to(g, e, SCAP__STREAM_COOKIE, scap__le32(p));
			add_to(g, e, SCAP__STREAM_COOKIE2, scap__le32(p + 4));
			p += 8;
		}
	}
	for (unsigned i = 0; i < n_args; i++, p += 8)
		add_to(g, e, SCAP__STREAM_ARG + i, scap__le64(p));
	return p;
}

static void add_parsed(struct scap__group_out *g, const struct scap__out_shape *s,
		       const struct record *r)
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
	struct scap__out_shape *s = parse(&r) ? find_shape(g, r.key) : NULL;
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
