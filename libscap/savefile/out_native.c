/* SPDX-License-Identifier: MIT */
/*
 * What a reader delivers as a capture of our own again. Records are kept as they are, with their
 * numbers; slices are cut anew, at the ends of epochs and where one has become large.
 */
#include <errno.h>
#include <scap/export.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "format/event.h"
#include "format/reader.h"
#include "format/writer.h"

#define SLICE_BYTES (1u << 20)
#define KEYFRAME_BYTES (8u << 20)
#define RINGS_MAX (65536u * SCAP_LANES)
#define TEXTS_MAX 4096u

struct ring {
	struct scap__buffer rows;	/* of the slice at hand */
	uint32_t next_seq;
	bool seen;
};

struct scap_copy {
	struct scap_writer *w;
	struct scap_error error;
	int failed;
	uint64_t segment;	/* of the reader; 0: no event came yet */
	bool begun;
	struct ring *rings;
	uint32_t n_rings;
	/* The slice at hand. */
	size_t bytes;
	uint64_t start_ns;	/* 0: none yet */
	uint64_t last_ns, last_wall_ns;
	/* The keyframe at hand. */
	struct scap__buffer key;
	uint64_t key_begin_ns, key_wall_ns;
	uint32_t key_number, key_part;
	bool key_open;
};

static int fail(struct scap_copy *c, int code, const char *what)
{
	if (!c->failed)
		c->failed = scap__fail(&c->error, code, SCAP_NO_OFFSET, "%s", what);
	return c->failed;
}

static int writer_failed(struct scap_copy *c, int rc)
{
	if (rc && !c->failed) {
		c->failed = rc;
		c->error = *scap_writer_error(c->w);
	}
	return rc;
}

int scap_copy_new(struct scap_writer *w, struct scap_copy **ret_c)
{
	struct scap_copy *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->w = w;
	*ret_c = c;
	return 0;
}

const struct scap_error *scap_copy_error(const struct scap_copy *c)
{
	return &c->error;
}

/* ---- slices -------------------------------------------------------------------------------- */

static int write_slice(struct scap_copy *c, uint64_t end_ns)
{
	struct scap_slice_part *parts;
	struct scap_slice slice = {
		.start_ns = c->start_ns, .end_ns = end_ns, .clock_raw_ns = c->last_ns,
		.real_ns = c->last_wall_ns, .boot_ns = c->last_ns,
	};
	int rc;

	if (!c->bytes)
		return 0;
	parts = calloc(c->n_rings, sizeof(*parts));
	if (!parts)
		return fail(c, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->n_rings; i++)
		if (c->rings[i].rows.n)
			parts[slice.n_parts++] = (struct scap_slice_part){
				.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
				.rows = c->rings[i].rows.p, .bytes = c->rings[i].rows.n,
			};
	slice.parts = parts;
	rc = writer_failed(c, scap_writer_slice(c->w, &slice));
	free(parts);
	for (uint32_t i = 0; i < c->n_rings; i++)
		c->rings[i].rows.n = 0;
	c->bytes = 0;
	return rc;
}

static uint64_t epoch_of(uint64_t ns)
{
	return ns >> SCAP_EPOCH_SHIFT;
}

/* Ends the slice at hand, if the record at this time does not belong into it any more. */
static int cut(struct scap_copy *c, uint64_t ns)
{
	uint64_t end = (epoch_of(c->start_ns) + 1) << SCAP_EPOCH_SHIFT;
	int rc;

	if (c->bytes && epoch_of(ns) <= epoch_of(c->start_ns) &&
	    (c->bytes < SLICE_BYTES || ns <= c->last_ns))
		return 0;
	if (ns < end)
		end = ns > c->start_ns ? ns : c->start_ns + 1;
	if (c->bytes) {
		rc = write_slice(c, end);
		if (rc)
			return rc;
		c->start_ns = end;
	}
	if (epoch_of(ns) > epoch_of(c->start_ns))
		c->start_ns = epoch_of(ns) << SCAP_EPOCH_SHIFT;
	return 0;
}

static int ring_of(struct scap_copy *c, uint32_t i, struct ring **ret)
{
	if (i >= RINGS_MAX)
		return fail(c, SCAP_ELIMIT, "there are more rings than the limit");
	if (i >= c->n_rings) {
		struct ring *rings = realloc(c->rings, (i + 1) * sizeof(*rings));

		if (!rings)
			return fail(c, -ENOMEM, "out of memory");
		memset(rings + c->n_rings, 0, (i + 1 - c->n_rings) * sizeof(*rings));
		c->rings = rings;
		c->n_rings = i + 1;
	}
	*ret = &c->rings[i];
	return 0;
}

/* What comes next is behind it in any case. */
static int end_slice(struct scap_copy *c)
{
	/* Events of a file that is not in order may be older than their slice. */
	uint64_t end = (c->last_ns > c->start_ns ? c->last_ns : c->start_ns) + 1;

	if (!c->bytes)
		return 0;
	if (write_slice(c, end))
		return c->failed;
	c->start_ns = end;
	return 0;
}

/* ---- keyframes ----------------------------------------------------------------------------- */

static int write_part(struct scap_copy *c, const struct scap_reader *r, uint32_t flags,
		      uint64_t end_ns)
{
	struct scap_keyframe_text *texts = NULL;
	struct scap_keyframe_part part = {
		.begin_ns = c->key_begin_ns, .end_ns = end_ns, .clock_raw_ns = c->key_begin_ns,
		.real_ns = c->key_wall_ns, .boot_ns = c->key_begin_ns, .number = c->key_number,
		.part = c->key_part++, .flags = flags, .rows = c->key.p, .bytes = c->key.n,
	};
	struct scap_keyframe_text text;
	int rc;

	for (; r && part.n_texts < TEXTS_MAX; part.n_texts++) {
		if (scap_reader_keyframe_text(r, part.n_texts, &text))
			break;
		texts = reallocarray(texts, part.n_texts + 1, sizeof(*texts));
		if (!texts)
			return fail(c, -ENOMEM, "out of memory");
		texts[part.n_texts] = text;
	}
	part.texts = texts;
	rc = writer_failed(c, scap_writer_keyframe(c->w, &part));
	free(texts);
	c->key.n = 0;
	c->key_open = !(flags & SCAP_KEYFRAME_LAST);
	return rc;
}

static int end_keyframe(struct scap_copy *c)
{
	uint32_t flags = SCAP_KEYFRAME_LAST | SCAP_KEYFRAME_INCOMPLETE;

	return c->key_open ? write_part(c, NULL, flags, c->key_begin_ns) : 0;
}

/* ---- records ------------------------------------------------------------------------------- */

/* A hole that no record tells of: it stays one, as those numbers stay missing. */
static bool is_hole(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_GAP && ev->u.gap.unexplained;
}

static int add_record(struct scap_copy *c, const struct scap_event *ev)
{
	struct ring *r = NULL;
	int rc = ring_of(c, ev->ring, &r);

	if (rc)
		return rc;
	r->seen = true;
	if (is_hole(ev)) {
		r->next_seq += ev->u.gap.n_lost;
		return 0;
	}
	/* Slices may come between a keyframe's parts. */
	if (c->key.n && write_part(c, NULL, 0, 0))
		return c->failed;
	rc = cut(c, ev->raw_ns);
	if (rc)
		return rc;
	if (scap__buffer_reserve(&r->rows, ev->rec_bytes))
		return fail(c, -ENOMEM, "out of memory");
	scap__buffer_put(&r->rows, ev->rec, ev->rec_bytes);
	r->next_seq = ev->seq + 1;
	c->bytes += ev->rec_bytes;
	if (ev->raw_ns > c->last_ns) {
		c->last_ns = ev->raw_ns;
		c->last_wall_ns = ev->wall_ns;
	}
	return 0;
}

static int add_key_record(struct scap_copy *c, const struct scap_reader *r,
			  const struct scap_event *ev)
{
	int rc = ev->seq ? 0 : end_keyframe(c);

	if (rc || end_slice(c))
		return c->failed;
	if (!c->key_open) {
		c->key_open = true;
		c->key_number++;
		c->key_part = 0;
		c->key_begin_ns = ev->raw_ns;
		c->key_wall_ns = ev->wall_ns;
	}
	if (scap__buffer_reserve(&c->key, ev->rec_bytes))
		return fail(c, -ENOMEM, "out of memory");
	scap__buffer_put(&c->key, ev->rec, ev->rec_bytes);
	if (ev->type == SCAP_REC_KEY_END)
		return write_part(c, r, SCAP_KEYFRAME_LAST, ev->raw_ns);
	return c->key.n < KEYFRAME_BYTES ? 0 : write_part(c, NULL, 0, 0);
}

/* ---- the start ----------------------------------------------------------------------------- */

/* Numbers begin where the reader's do, which is known when it has delivered the first event. */
static int write_start(struct scap_copy *c, const struct scap_reader *r)
{
	struct scap_ring_end *starts;
	int rc = 0;

	if (c->begun || !r->info.continues)
		return 0;
	starts = calloc(r->n_rings + 1, sizeof(*starts));
	if (!starts)
		return fail(c, -ENOMEM, "out of memory");
	for (uint32_t i = 0; !rc && i < r->n_rings; i++) {
		struct ring *ring = NULL;

		rc = ring_of(c, i, &ring);
		if (rc)
			break;
		ring->next_seq = r->rings[i].segment == r->info.n_segments ?
				 r->rings[i].first_seq : 0;
		starts[i] = (struct scap_ring_end){
			.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES, .next_seq = ring->next_seq,
		};
	}
	if (!rc)
		rc = writer_failed(c, scap_writer_start(c->w, r->info.start_raw_ns, starts,
							r->n_rings));
	free(starts);
	return rc;
}

/* ---- the whole ----------------------------------------------------------------------------- */

int scap_copy_event(struct scap_copy *c, const struct scap_reader *r, const struct scap_event *ev)
{
	uint64_t segment = scap_reader_segment(r)->n_segments;

	if (!c->failed)
		write_start(c, r);
	c->begun = true;
	if (c->failed)
		return c->failed;
	if (c->segment && c->segment != segment)
		return fail(c, -EINVAL, "a copy holds one segment");
	c->segment = segment;
	return ev->in_keyframe ? add_key_record(c, r, ev) : add_record(c, ev);
}

static void free_copy(struct scap_copy *c)
{
	for (uint32_t i = 0; i < c->n_rings; i++)
		free(c->rings[i].rows.p);
	free(c->rings);
	free(c->key.p);
	free(c);
}

static uint32_t list_ends(const struct scap_copy *c, struct scap_ring_end *ends)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_rings; i++)
		if (c->rings[i].seen)
			ends[n++] = (struct scap_ring_end){
				.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
				.next_seq = c->rings[i].next_seq,
			};
	return n;
}

int scap_copy_close(struct scap_copy *c, const struct scap_capture_info *info,
		    struct scap_error *err)
{
	struct scap_ring_end *ends = calloc(c->n_rings + 1, sizeof(*ends));
	uint64_t end_ns = info->end_raw_ns > c->last_ns ? info->end_raw_ns : c->last_ns + 1;
	uint32_t n = ends ? list_ends(c, ends) : 0;
	int rc;

	if (!ends)
		fail(c, -ENOMEM, "out of memory");
	if (!c->failed)
		end_keyframe(c);
	if (!c->failed)
		end_slice(c);
	rc = scap_writer_close(c->w, end_ns, info->complete && !c->failed ? ends : NULL, n, err);
	if (c->failed) {
		rc = c->failed;
		if (err)
			*err = c->error;
	}
	free(ends);
	free_copy(c);
	return rc;
}
