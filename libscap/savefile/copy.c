/* SPDX-License-Identifier: MIT */
/* What a reader delivers as a capture of our own again: all of it, or a part. */
#include <endian.h>
#include <errno.h>
#include <scap/copy.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "format/event.h"
#include "format/reader.h"
#include "format/writer.h"

#define KEYFRAME_BYTES (8u << 20)
#define RINGS_MAX (65536u * SCAP_LANES)
#define TEXTS_MAX 4096u

struct ring {
	struct scap__buffer rows;	/* of the slice at hand */
	uint32_t next_seq;	/* in the copy */
	uint32_t shift;		/* what the reader's numbers are more than those of the copy */
	bool seen;
};

struct scap_copy {
	struct scap_writer *w;
	struct scap_error error;
	int failed;
	uint64_t segment;	/* of the reader; 0: no event came yet */
	bool begun, choosing;
	struct ring *rings;
	uint32_t n_rings;
	uint64_t n_events;
	/* The slice at hand. */
	struct scap_slice slice;
	uint64_t n_slices;	/* the reader's, with it */
	size_t bytes;
	uint64_t last_ns;	/* of the last event or gap */
	/* Bits of the reader's events from first_num on: whether the copy has it. */
	struct scap__buffer chosen;
	uint64_t first_num;
	/* The keyframe at hand. */
	struct scap__buffer key;
	uint64_t key_begin_ns, key_wall_ns;
	uint32_t key_number, key_part, key_seq;
	uint32_t key_of;	/* the reader's number of it */
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

/* Writes what there is of the slice at hand. */
static int end_slice(struct scap_copy *c)
{
	struct scap_slice slice = c->slice;
	struct scap_slice_part *parts;
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

/* The reader's slices are those of the copy: then order, names and wall time stay what they are. */
static int follow_slice(struct scap_copy *c, const struct scap_reader *r)
{
	if (c->n_slices == r->info.n_slices)
		return 0;
	if (end_slice(c))
		return c->failed;
	c->n_slices = r->info.n_slices;
	c->slice = (struct scap_slice){
		.start_ns = r->merge.start_ns, .end_ns = r->merge.end_ns,
		.clock_raw_ns = r->clock.raw_ns, .boot_ns = r->clock.boot_ns,
		.real_ns = r->clock.known ? r->clock.real_ns : 0,
	};
	return 0;
}

/* Where the reader's numbers of a ring begin. */
static uint32_t first_seq(const struct scap_reader *r, uint32_t i)
{
	return i < r->n_rings && r->rings[i].segment == r->info.n_segments ?
	       r->rings[i].first_seq : 0;
}

static int ring_of(struct scap_copy *c, const struct scap_reader *r, uint32_t i,
		   struct ring **ret)
{
	if (i >= RINGS_MAX)
		return fail(c, SCAP_ELIMIT, "there are more rings than the limit");
	if (i >= c->n_rings) {
		struct ring *rings = realloc(c->rings, (i + 1) * sizeof(*rings));

		if (!rings)
			return fail(c, -ENOMEM, "out of memory");
		memset(rings + c->n_rings, 0, (i + 1 - c->n_rings) * sizeof(*rings));
		for (; c->n_rings <= i; c->n_rings++)
			*(c->choosing ? &rings[c->n_rings].shift : &rings[c->n_rings].next_seq) =
				first_seq(r, c->n_rings);
		c->rings = rings;
	}
	*ret = &c->rings[i];
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

static void put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

/*
 * Where the reader's numbers went back, which it told as damage, those given anew go on: what
 * follows is sound.
 */
static void follow_back(struct ring *ring, const struct scap_event *ev)
{
	uint32_t expected = ring->next_seq;

	if (ev->type == SCAP_REC_GAP)
		expected += ev->u.gap.n_lost;
	if (ev->seq - ring->shift - expected > INT32_MAX)
		ring->shift = ev->seq - expected;
}

/* Its number, and those that a gap tells of, are less by what was left out in front of it. */
static void put_record(struct ring *ring, const struct scap_event *ev)
{
	uint8_t *p = ring->rows.p + ring->rows.n;

	scap__buffer_put(&ring->rows, ev->rec, ev->rec_bytes);
	put_u32(p + offsetof(struct scap_rec, seq), ev->seq - ring->shift);
	if (ev->type == SCAP_REC_GAP)
		put_u32(p + offsetof(struct scap_rec_gap, first_seq),
			ev->u.gap.first_seq - ring->shift);
	ring->next_seq = ev->seq - ring->shift + 1;
}

static int add_record(struct scap_copy *c, const struct scap_reader *r,
		      const struct scap_event *ev)
{
	struct ring *ring = NULL;
	int rc = ring_of(c, r, ev->ring, &ring);

	if (rc)
		return rc;
	ring->seen = true;
	if (is_hole(ev)) {
		ring->next_seq += ev->u.gap.n_lost;
		return 0;
	}
	/* Slices may come between a keyframe's parts. */
	if (c->key.n && write_part(c, NULL, 0, 0))
		return c->failed;
	rc = follow_slice(c, r);
	if (rc)
		return rc;
	if (scap__buffer_reserve(&ring->rows, ev->rec_bytes))
		return fail(c, -ENOMEM, "out of memory");
	if (c->choosing)
		follow_back(ring, ev);
	put_record(ring, ev);
	c->bytes += ev->rec_bytes;
	c->n_events += ev->num != 0;
	if (ev->type != SCAP_REC_INTRO && ev->type != SCAP_REC_FILE && ev->raw_ns > c->last_ns)
		c->last_ns = ev->raw_ns;
	return 0;
}

static int open_keyframe(struct scap_copy *c, const struct scap_reader *r,
			 const struct scap_event *ev)
{
	if (c->key_open && c->key_of == r->key.number)
		return 0;
	if (end_keyframe(c))
		return c->failed;
	c->key_open = true;
	c->key_of = r->key.number;
	c->key_number++;
	c->key_part = c->key_seq = 0;
	c->key_begin_ns = ev->raw_ns;
	c->key_wall_ns = ev->wall_ns;
	return 0;
}

/* Numbered anew: there are no gaps, also where the reader passed over a record. */
static int add_key_record(struct scap_copy *c, const struct scap_reader *r,
			  const struct scap_event *ev)
{
	if (end_slice(c) || open_keyframe(c, r, ev))
		return c->failed;
	if (scap__buffer_reserve(&c->key, ev->rec_bytes))
		return fail(c, -ENOMEM, "out of memory");
	scap__buffer_put(&c->key, ev->rec, ev->rec_bytes);
	put_u32(c->key.p + c->key.n - ev->rec_bytes + offsetof(struct scap_rec, seq), c->key_seq++);
	if (ev->type == SCAP_REC_KEY_END)
		return write_part(c, r, SCAP_KEYFRAME_LAST, ev->raw_ns);
	return c->key.n < KEYFRAME_BYTES ? 0 : write_part(c, NULL, 0, 0);
}

/* ---- the start ----------------------------------------------------------------------------- */

/* Numbers begin where the reader's do; with 0 where events are left out. */
static int write_start(struct scap_copy *c, const struct scap_reader *r)
{
	struct scap_ring_end *starts;
	struct ring *last;
	int rc = 0;

	if (c->begun || c->choosing || !r->info.continues)
		return 0;
	starts = calloc(r->n_rings + 1, sizeof(*starts));
	if (!starts)
		return fail(c, -ENOMEM, "out of memory");
	if (r->n_rings)
		rc = ring_of(c, r, r->n_rings - 1, &last);
	for (uint32_t i = 0; !rc && i < r->n_rings; i++)
		starts[i] = (struct scap_ring_end){
			.cpu = i / SCAP_LANES, .lane = i % SCAP_LANES,
			.next_seq = c->rings[i].next_seq,
		};
	if (!rc)
		rc = writer_failed(c, scap_writer_start(c->w, r->info.start_raw_ns, starts,
							r->n_rings));
	free(starts);
	return rc;
}

static int begin(struct scap_copy *c, const struct scap_reader *r)
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
	return 0;
}

int scap_copy_trigger(struct scap_copy *c, const struct scap_reader *r,
		      const struct scap_trigger *t)
{
	if (begin(c, r) || end_keyframe(c) || end_slice(c))
		return c->failed;
	return writer_failed(c, scap_writer_trigger(c->w, t));
}

/* ---- the whole ----------------------------------------------------------------------------- */

int scap_copy_choose(struct scap_copy *c)
{
	if (c->begun)
		return fail(c, -EINVAL, "a copy was begun before it was said that it is of a part");
	c->choosing = true;
	return 0;
}

int scap_copy_event(struct scap_copy *c, const struct scap_reader *r, const struct scap_event *ev)
{
	if (begin(c, r))
		return c->failed;
	return ev->in_keyframe ? add_key_record(c, r, ev) : add_record(c, r, ev);
}

int scap_copy_skip(struct scap_copy *c, const struct scap_reader *r, const struct scap_event *ev)
{
	struct ring *ring;

	if (begin(c, r))
		return c->failed;
	if (ev->in_keyframe)
		return 0;
	if (!c->choosing)
		return fail(c, -EINVAL, "a copy of all leaves nothing out");
	if (ring_of(c, r, ev->ring, &ring))
		return c->failed;
	ring->seen = true;
	ring->shift += !is_hole(ev);
	if (ev->type == SCAP_REC_GAP)
		ring->shift += ev->u.gap.n_lost;
	return 0;
}

uint64_t scap_copy_events(const struct scap_copy *c)
{
	return c->n_events;
}

static void free_copy(struct scap_copy *c)
{
	for (uint32_t i = 0; i < c->n_rings; i++)
		free(c->rings[i].rows.p);
	free(c->rings);
	free(c->key.p);
	scap__buffer_fini(&c->chosen);
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

/* All that is kept back: 0 or why it is not written. */
static int flush(struct scap_copy *c)
{
	if (!c->failed)
		end_keyframe(c);
	return c->failed ? c->failed : end_slice(c);
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
	flush(c);
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

/* ---- by filter ------------------------------------------------------------------------------ */

/* Which event fired the trigger is known at the end: where some were lost, not before. */
static int note_chosen(struct scap_copy *c, uint64_t num)
{
	uint64_t i = num - c->first_num, n = i / 8 + 1;

	if (n > c->chosen.n) {
		size_t more = (size_t)n - c->chosen.n;

		if (scap__buffer_reserve(&c->chosen, more))
			return fail(c, -ENOMEM, "out of memory");
		memset(c->chosen.p + c->chosen.n, 0, more);
		c->chosen.n = (size_t)n;
	}
	c->chosen.p[i / 8] |= (uint8_t)(1 << i % 8);
	return 0;
}

/* The number in the copy of the reader's event num; 0: it is not in it. */
static uint64_t number_in_copy(const struct scap_copy *c, uint64_t num)
{
	uint64_t at = num - c->first_num, n = 0;

	if (!num || at / 8 >= c->chosen.n || !(c->chosen.p[at / 8] >> at % 8 & 1))
		return 0;
	for (uint64_t i = 0; i <= at; i++)
		n += c->chosen.p[i / 8] >> i % 8 & 1;
	return n;
}

static int choose_event(struct scap_copy *c, const struct scap_reader *r,
			const struct scap_filter *f, const struct scap_event *ev)
{
	if (ev->num && !c->first_num)
		c->first_num = ev->num;
	/* What has no number explains those that have one. */
	if (ev->num && f && !scap_filter_match(f, ev))
		return scap_copy_skip(c, r, ev);
	if (scap_copy_event(c, r, ev))
		return c->failed;
	return ev->num && scap_reader_trigger(r) ? note_chosen(c, ev->num) : 0;
}

/* 0; what was wrong with the capture, of which all that could be read is copied; or it failed. */
static int choose_all(struct scap_copy *c, struct scap_reader *r, const struct scap_filter *f,
		      struct scap_error *err)
{
	const struct scap_event *ev;
	int rc, damage = 0;

	while ((rc = scap_reader_next(r, &ev)) != 1) {
		if (rc == 0 && choose_event(c, r, f, ev))
			return c->failed;
		if (rc < 0 && !damage) {
			damage = rc;
			if (err)
				*err = *scap_reader_error(r);
		}
		if (rc < 0 && rc != SCAP_EDAMAGED && rc != SCAP_EVERSION)
			return rc;
	}
	return damage;
}

static int keep_ends(struct scap_copy *c)
{
	struct scap__buffer *to = &c->w->copied_rings;
	size_t room = c->n_rings * sizeof(struct scap_ring_end);

	to->n = 0;
	if (scap__buffer_reserve(to, room + 1))
		return fail(c, -ENOMEM, "out of memory");
	to->n = list_ends(c, (struct scap_ring_end *)to->p) * sizeof(struct scap_ring_end);
	c->w->copied_end_ns = c->last_ns;
	return 0;
}

int scap_copy_chosen(struct scap_reader *r, const struct scap_filter *f, struct scap_writer *w,
		     struct scap_error *err)
{
	struct scap_copy *c;
	int rc = scap_copy_new(w, &c);

	if (rc)
		return scap__fail(err, rc, SCAP_NO_OFFSET, "out of memory");
	scap_copy_choose(c);
	c->chosen.budget = w->budget;
	rc = choose_all(c, r, f, err);
	if (scap_reader_trigger(r))
		w->copied_event = number_in_copy(c, scap_reader_trigger(r)->event);
	if (!flush(c))
		keep_ends(c);
	if (c->failed && err)
		*err = c->error;
	rc = c->failed ? c->failed : rc;
	free_copy(c);
	return rc;
}

uint64_t scap_copy_trigger_event(const struct scap_writer *w)
{
	return w->copied_event;
}

int scap_copy_finish(struct scap_writer *w, const struct scap_reader *r, struct scap_error *err)
{
	const struct scap_capture_info *info = scap_reader_segment(r);
	const struct scap_ring_end *ends = (const struct scap_ring_end *)w->copied_rings.p;
	uint64_t end_ns = info->end_raw_ns > w->copied_end_ns ? info->end_raw_ns :
			  w->copied_end_ns + 1;

	return scap_writer_close(w, end_ns, info->complete ? ends : NULL,
				 (uint32_t)(w->copied_rings.n / sizeof(*ends)), err);
}
