/* SPDX-License-Identifier: MIT */
/* The columns of a group, encoded and compressed. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "format/group_out.h"

#define SMALL_BYTES 48	/* zstd's frame alone would take a good part of what it saves */

/* Appends it, compressed where that makes it smaller: its bytes there, or -ENOMEM. */
static ssize_t put_packed(struct scap__group_out *g, int level, const uint8_t *p, size_t n,
			  struct scap__buffer *out)
{
	size_t got = n;

	if (scap__buffer_reserve(out, ZSTD_compressBound(n)))
		return -ENOMEM;
	if (n > SMALL_BYTES)
		got = ZSTD_compressCCtx(g->zstd, out->p + out->n, out->cap - out->n, p, n, level);
	if (ZSTD_isError(got) || got >= n) {
		got = n;
		if (n)
			memcpy(out->p + out->n, p, n);
	}
	out->n += got;
	return (ssize_t)got;
}

/* The column's entry in the directory, with its bounds, and its bytes. */
static void put_column(struct scap__group_out *g, struct scap__group_column c, const uint8_t *p,
		       size_t n)
{
	int level = scap__column_is_bytes(c.kind) ? g->bytes_level : g->level;
	ssize_t stored = put_packed(g, level, p, n, &g->body);

	if (stored < 0) {
		g->no_memory = true;
		return;
	}
	c.raw_bytes = htole32((uint32_t)n);
	c.stored_bytes = htole32((uint32_t)stored);
	c.crc = htole32(scap__crc32c(0, g->body.p + g->body.n - stored, (size_t)stored));
	if (scap__buffer_add(&g->dir, &c, sizeof(c)))
		g->no_memory = true;
	g->n_columns++;
}

/* Of the columns that readers ask first. */
static void put_bounds(struct scap__group_column *c, const struct scap__values *v)
{
	int64_t least = INT64_MAX, most = INT64_MIN;

	if (!scap__column_has_bounds(c->kind))
		return;
	for (size_t i = 0; i < v->n; i++) {
		least = (int64_t)v->v[i] < least ? (int64_t)v->v[i] : least;
		most = (int64_t)v->v[i] > most ? (int64_t)v->v[i] : most;
	}
	c->least = htole64((uint64_t)least);
	c->most = htole64((uint64_t)most);
}

static struct scap__group_column entry(unsigned kind, unsigned event, unsigned index, size_t n)
{
	return (struct scap__group_column){
		.kind = (uint8_t)kind, .index = (uint8_t)index, .event = htole16((uint16_t)event),
		.n_values = htole32((uint32_t)n),
	};
}

static void put_numbers(struct scap__group_out *g, unsigned kind, unsigned event, unsigned index,
			const struct scap__values *c)
{
	struct scap__group_column e;

	if (!c || !c->n || g->no_memory)
		return;
	e = entry(kind, event, index, c->n);
	put_bounds(&e, c);
	g->coded.n = 0;
	if (scap__column_put(&g->trial, c->v, c->n, &g->coded))
		g->no_memory = true;
	else
		put_column(g, e, g->coded.p, g->coded.n);
}

static void put_bytes(struct scap__group_out *g, unsigned kind, unsigned event, unsigned index,
		      const struct scap__buffer *b)
{
	if (b && b->n && !g->no_memory)
		put_column(g, entry(kind, event, index, b->n), b->p, b->n);
}

static void put_event(struct scap__group_out *g, unsigned nr, const struct scap__out_event *e)
{
	static const uint8_t kinds[] = {
		SCAP__COL_LATENCY, SCAP__COL_RESULT, SCAP__COL_COOKIE, SCAP__COL_COOKIE2,
	};
	bool words = e->id.type != SCAP_REC_CALL && e->id.type != SCAP_REC_ENTER;

	for (unsigned i = 0; i < SCAP__STREAM_BLOB; i++)
		if (words)
			put_numbers(g, SCAP__COL_WORD, nr, i, e->streams[i]);
		else if (i < SCAP__STREAM_ARG)
			put_numbers(g, kinds[i], nr, 0, e->streams[i]);
		else
			put_numbers(g, SCAP__COL_ARG, nr, i - SCAP__STREAM_ARG, e->streams[i]);
	for (unsigned i = 0; i < SCAP_SLOTS; i++) {
		put_numbers(g, e->blob_kind[i], nr, i, e->streams[SCAP__STREAM_BLOB + i]);
		put_numbers(g, SCAP__COL_BLOB_MORE, nr, i, e->streams[SCAP__STREAM_MORE + i]);
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
		const struct scap__out_shape *s = &g->shapes[i];
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
	stored = put_packed(g, g->level, g->dir.p, g->dir.n, out);
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
	scap__group_out_empty(g);
	return rc;
}
