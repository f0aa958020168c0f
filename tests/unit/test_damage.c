/* SPDX-License-Identifier: MIT */
/*
 * Damaged captures: whatever happened to the file, each event delivered is one of the original's,
 * in the original's order, with the original's names; and something is told.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/layout.h"
#include "support_rows.h"

/* What the sound capture delivers. */
struct original {
	struct capture c;
	uint64_t *wall_ns;
	uint8_t *named;		/* whether thread, file, file2 were there */
	size_t n;
};

struct outcome {
	size_t n_events;	/* delivered */
	size_t n_prefix;	/* of these: before anything was told */
	unsigned n_told;
	uint64_t n_missing;	/* as gaps, and holes between the records, say */
	int open_rc, last_rc, first_rc;
	uint64_t first_offset;
	bool complete;
};

static struct rows_reader input;

static uint8_t names_of(const struct scap_event *ev)
{
	return (ev->thread ? 1 : 0) | (ev->file ? 2 : 0) | (ev->file2 ? 4 : 0);
}

static struct scap_reader *open_bytes(const uint8_t *p, size_t n, struct outcome *o)
{
	struct scap_reader_options opt = { .size = sizeof(opt),
					   .flags = SCAP_READER_BOOKKEEPING };
	struct scap_source src = rows_source(&input, p, n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	o->open_rc = scap_reader_open_source(&src, &opt, &r, &err);
	if (o->open_rc) {
		cr_assert_eq(err.code, o->open_rc);
		cr_assert_neq(err.text[0], 0);
		o->n_told = 1;
	}
	return r;
}

/* Where in the original, from `from` on, this event is. SIZE_MAX: nowhere. */
static size_t find(const struct original *orig, size_t from, const struct scap_event *ev)
{
	for (size_t i = from; i < orig->c.n_expect; i++) {
		const struct expected *x = &orig->c.expect[i];

		if (x->cpu == ev->cpu && x->seq == ev->seq && x->bytes == ev->rec_bytes &&
		    !memcmp(orig->c.cpu_rows[x->cpu].p + x->at, ev->rec, x->bytes))
			return i;
	}
	return SIZE_MAX;
}

/*
 * Names may be missing where the introduction was in a damaged part; an event that lost its
 * slice's sibling must still not get a name that it did not have. Its time stays the same.
 */
static void check_event(const struct original *orig, size_t at, const struct scap_event *ev,
			bool told)
{
	cr_assert_neq(at, SIZE_MAX, "an event that was never written: cpu %u seq %u", ev->cpu,
		      ev->seq);
	cr_assert_eq(names_of(ev) & ~orig->named[at], 0, "a name out of nowhere");
	cr_assert_eq(ev->wall_ns, orig->wall_ns[at], "an event moved in time");
	if (!told)
		cr_assert_eq(names_of(ev), orig->named[at]);
}

static struct outcome read_damaged(const struct original *orig, const uint8_t *p, size_t n)
{
	struct outcome o = { 0 };
	struct scap_reader *r = open_bytes(p, n, &o);
	const struct scap_event *ev;
	size_t at = 0;

	if (!r)
		return o;
	for (int sticky = 0; sticky < 3;) {
		o.last_rc = scap_reader_next(r, &ev);
		if (o.last_rc == 1)
			break;
		if (o.last_rc == 0 && scap_event_gap_unexplained(ev)) {
			cr_assert_gt(ev->u.gap.n_lost, 0);
			o.n_missing += ev->u.gap.n_lost;
			continue;
		}
		if (o.last_rc == 0) {
			if (ev->type == SCAP_REC_GAP)
				o.n_missing += ev->u.gap.n_lost;
			at = find(orig, at, ev);
			check_event(orig, at++, ev, o.n_told);
			o.n_events++;
			o.n_prefix += !o.n_told;
			continue;
		}
		cr_assert_eq(scap_reader_error(r)->code, o.last_rc);
		cr_assert_neq(scap_reader_error(r)->text[0], 0);
		if (!o.n_told++) {
			o.first_rc = o.last_rc;
			o.first_offset = scap_reader_error(r)->offset;
		}
		sticky = o.last_rc == SCAP_ETRUNCATED ? sticky + 1 : sticky;
	}
	o.complete = scap_reader_info(r)->complete;
	scap_reader_close(r);
	return o;
}

static void learn(struct original *orig)
{
	struct outcome o = { 0 };
	struct scap_reader *r = open_bytes(orig->c.file.p, orig->c.file.n, &o);
	const struct scap_event *ev;

	orig->wall_ns = calloc(orig->c.n_expect, sizeof(*orig->wall_ns));
	orig->named = calloc(orig->c.n_expect, 1);
	while (scap_reader_next(r, &ev) == 0) {
		orig->wall_ns[orig->n] = ev->wall_ns;
		orig->named[orig->n++] = names_of(ev);
	}
	cr_assert_eq(orig->n, orig->c.n_expect);
	scap_reader_close(r);
}

static void make(struct original *orig, uint64_t seed, uint32_t n_slices, uint32_t per_slice)
{
	*orig = (struct original){ 0 };
	rows_capture(&orig->c, &(struct capture_spec){ .seed = seed, .n_cpus = 2,
		     .n_slices = n_slices, .per_slice = per_slice, .gaps = true,
		     .slices_per_epoch = 2 });
	learn(orig);
}

static void drop(struct original *orig)
{
	capture_free(&orig->c);
	free(orig->wall_ns);
	free(orig->named);
}

/* Events of the slices that lie wholly before the offset. */
static size_t events_before(const struct original *orig, uint64_t offset)
{
	uint64_t end_ns = 1000 * SCAP_EPOCH_NS;
	size_t n = 0;

	for (uint32_t i = 0; i < orig->c.n_slices && orig->c.slice_ends[i] <= offset; i++)
		end_ns = 1000 * SCAP_EPOCH_NS + (i + 1) * (SCAP_EPOCH_NS / 2);
	while (n < orig->c.n_expect && orig->c.expect[n].ns < end_ns)
		n++;
	return n;
}

Test(damage, sound)
{
	struct original orig;
	struct outcome o;

	make(&orig, 1, 4, 6);
	o = read_damaged(&orig, orig.c.file.p, orig.c.file.n);
	cr_assert_eq(o.n_told, 0);
	cr_assert_eq(o.n_events, orig.n);
	cr_assert_eq(events_before(&orig, orig.c.file.n), orig.n);
	drop(&orig);
}

/* Where only the index is left. */
static size_t end_of_events(const struct original *orig)
{
	const uint8_t *p = orig->c.file.p;
	uint64_t index_bytes;

	memcpy(&index_bytes, p + orig->c.file.n - sizeof(struct scap__index_trailer), 8);
	return orig->c.file.n - le64toh(index_bytes);
}

Test(damage, truncated_at_every_byte)
{
	struct original orig;
	size_t end;

	make(&orig, 2, 4, 5);
	end = end_of_events(&orig);
	for (size_t n = 0; n < orig.c.file.n; n++) {
		struct outcome o = read_damaged(&orig, orig.c.file.p, n);

		cr_assert_eq(o.complete, n >= end, "cut at %zu", n);
		cr_assert_eq(o.n_told > 0, n != end, "cut at %zu: nothing was told", n);
		if (n >= end) {
			cr_assert_eq(o.n_events, events_before(&orig, n));
			continue;
		}
		if (o.open_rc) {
			cr_assert_eq(o.open_rc, n ? SCAP_ETRUNCATED : SCAP_ENOTSCAP);
			continue;
		}
		cr_assert_eq(o.first_rc, SCAP_ETRUNCATED);
		cr_assert_eq(o.last_rc, SCAP_ETRUNCATED);
		cr_assert_eq(o.first_offset, n);
		cr_assert_eq(o.n_events, events_before(&orig, n), "cut at %zu: %zu events", n,
			     o.n_events);
	}
	drop(&orig);
}

/* The slice that the offset lies in, or n_slices. */
static uint32_t slice_at(const struct original *orig, size_t offset)
{
	uint32_t i = 0;

	while (i < orig->c.n_slices && orig->c.slice_ends[i] <= offset)
		i++;
	return i;
}

static uint64_t n_attempts(const struct original *orig)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < orig->c.n_cpus; i++)
		n += orig->c.ends[i].next_seq;
	return n;
}

static void check_flip(const struct original *orig, const struct outcome *o, size_t at)
{
	size_t before = events_before(orig, at), after;
	uint32_t slice = slice_at(orig, at);

	cr_assert_geq(o->n_told, 1, "byte %zu: nothing was told", at);
	if (o->open_rc) {
		cr_assert_lt(at, sizeof(struct scap__file_header), "byte %zu", at);
		return;
	}
	cr_assert_eq(o->first_rc, SCAP_EDAMAGED, "byte %zu: %d", at, o->first_rc);
	cr_assert_eq(o->n_prefix, at < orig->c.slice_ends[0] && before == 0 ? 0 : before,
		     "byte %zu: %zu events of %zu before it", at, o->n_prefix, before);
	if (slice >= orig->c.n_slices) {
		cr_assert_eq(o->n_events, orig->n);
		return;
	}
	/* No more than that slice is lost. (Up to the first one lies HOST: then none is.) */
	after = orig->n - events_before(orig, orig->c.slice_ends[slice]);
	cr_assert_geq(o->n_events, before + after, "byte %zu: %zu events", at, o->n_events);
	cr_assert(o->complete);
	cr_assert_eq(o->last_rc, 1);
	cr_assert_eq(o->n_events + o->n_missing, n_attempts(orig), "byte %zu: %zu and %lu", at,
		     o->n_events, (unsigned long)o->n_missing);
}

static void flip_every_byte(const struct original *orig, uint64_t seed)
{
	uint8_t *copy = malloc(orig->c.file.n);

	memcpy(copy, orig->c.file.p, orig->c.file.n);
	for (size_t at = 0; at < orig->c.file.n; at++) {
		uint8_t x = seed ? 1 + rows_random(&seed) % 255 : 1u << at % 8;
		struct outcome o;

		copy[at] ^= x;
		o = read_damaged(orig, copy, orig->c.file.n);
		check_flip(orig, &o, at);
		copy[at] ^= x;
	}
	free(copy);
}

Test(damage, every_byte_flipped)
{
	struct original orig;

	make(&orig, 3, 4, 5);
	flip_every_byte(&orig, 0);
	flip_every_byte(&orig, 77);
	drop(&orig);
}

/* Stored rows (nothing compresses in them) meet other code than packed ones. */
Test(damage, every_byte_flipped_of_tiny_slices)
{
	struct original orig;

	make(&orig, 4, 6, 1);
	flip_every_byte(&orig, 78);
	drop(&orig);
}

/* A piece is cut out, or noise put in; bounds move, so that whole headers are hit. */
Test(damage, pieces_lost_and_added)
{
	struct original orig;
	uint64_t seed = 9;
	uint8_t *copy;

	make(&orig, 5, 8, 6);
	copy = malloc(orig.c.file.n + 1000);
	for (int i = 0; i < 1500; i++) {
		size_t at = 64 + rows_random(&seed) % (orig.c.file.n - 64);
		size_t n = 1 + rows_random(&seed) % 900;
		struct outcome o;

		if (n > orig.c.file.n - at)
			n = orig.c.file.n - at;
		memcpy(copy, orig.c.file.p, at);
		if (i & 1) {
			memcpy(copy + at, orig.c.file.p + at + n, orig.c.file.n - at - n);
			o = read_damaged(&orig, copy, orig.c.file.n - n);
		} else {
			for (size_t k = 0; k < n; k++)
				copy[at + k] = rows_random(&seed);
			memcpy(copy + at + n, orig.c.file.p + at, orig.c.file.n - at);
			o = read_damaged(&orig, copy, orig.c.file.n + n);
		}
		cr_assert_geq(o.n_told, 1);
		cr_assert_geq(o.n_prefix, events_before(&orig, at) * !o.open_rc);
	}
	free(copy);
	drop(&orig);
}

/* A whole section cut out leaves everything else sound: only the numbering tells. */
Test(damage, whole_slice_lost_or_twice)
{
	struct original orig;
	struct outcome o;
	struct rows f = { 0 };
	uint64_t *ends;

	make(&orig, 6, 5, 6);
	ends = orig.c.slice_ends;
	rows_put(&f, orig.c.file.p, ends[1]);
	rows_put(&f, orig.c.file.p + ends[2], orig.c.file.n - ends[2]);
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.first_rc, SCAP_EDAMAGED);
	cr_assert_eq(o.first_offset, ends[1]);
	cr_assert_eq(o.n_events, orig.n - (events_before(&orig, ends[2]) -
					   events_before(&orig, ends[1])));
	f.n = 0;
	rows_put(&f, orig.c.file.p, ends[2]);
	rows_put(&f, orig.c.file.p + ends[1], orig.c.file.n - ends[1]);
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1, "one thing is wrong");
	cr_assert_eq(o.n_events, orig.n, "what is there twice is delivered once");
	rows_free(&f);
	drop(&orig);
}

/* The last slice goes, and so does everything that says so but the end. */
Test(damage, bytes_behind_the_end)
{
	struct original orig;
	struct outcome o;
	struct rows f = { 0 };

	make(&orig, 7, 2, 6);
	rows_put(&f, orig.c.file.p, orig.c.file.n);
	rows_put(&f, "x", 1);
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.n_events, orig.n);
	/* Its own sections again, without a file header. */
	rows_put(&f, orig.c.file.p + 64, orig.c.file.n - 64);
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.n_events, orig.n);
	cr_assert_eq(o.last_rc, 1);
	rows_free(&f);
	drop(&orig);
}

/*
 * A capture as payload of another, as when a capture is copied while being recorded. Damage in
 * front of it makes the reader search; what it finds inside must not be taken for sections.
 */
Test(damage, capture_inside_a_capture)
{
	struct original inner, outer = { 0 };
	struct scap_sink sink = rows_sink(&outer.c.file);
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .start_ns = 1, .end_ns = 1000, .n_parts = 1, .parts = &part };
	struct scap_rec_call c = { .tid = 1, .nr = 1 };
	struct rows rows = { 0 };
	struct scap_writer *w;
	struct outcome o;
	uint64_t at, seed = 3;
	uint8_t noise[20000];
	size_t rec;

	/* Behind noise, which makes the slice lie in the file as it is. */
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = rows_random(&seed);
	make(&inner, 8, 2, 4);
	cr_assert_eq(scap_writer_open_sink(&sink, NULL, &w, NULL), 0);
	at = scap_writer_bytes(w);
	rec = rows_begin(&rows, SCAP_REC_CALL, 0, 0, 5);
	rows_put(&rows, (uint8_t *)&c + 16, 16);
	rows_blob(&rows, 1, 0, noise, sizeof(noise), sizeof(noise));
	rows_blob(&rows, 2, 0, inner.c.file.p, inner.c.file.n, (uint32_t)inner.c.file.n);
	rows_end(&rows, rec);
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	cr_assert_eq(scap_writer_close(w, 1000, &(struct scap_ring_end){ .next_seq = 1 }, 1, NULL),
		     0);
	at = rows_behind_schema(&outer.c.file, at);
	cr_assert_not_null(memmem(outer.c.file.p, outer.c.file.n, inner.c.file.p, inner.c.file.n));
	outer.c.file.p[at + 4] ^= 1;
	o = read_damaged(&outer, outer.c.file.p, outer.c.file.n);
	cr_assert_eq(o.n_events, 0);
	cr_assert_geq(o.n_told, 1);
	cr_assert(o.complete, "the end was found again");
	rows_free(&rows);
	rows_free(&outer.c.file);
	drop(&inner);
}

/* Sections of types that are not known are passed over, but not unchecked. */
Test(damage, unknown_section)
{
	struct original orig;
	struct outcome o;
	struct rows f = { 0 };
	struct scap__section_header h;
	uint64_t at;

	make(&orig, 9, 3, 6);
	at = rows_behind_schema(&orig.c.file, orig.c.slice_ends[0]);
	rows_put(&f, orig.c.file.p, orig.c.file.n);
	memcpy(&h, f.p + at, sizeof(h));
	h.type = 99;
	h.flags |= 0x100;
	h.crc = scap__crc32c(0, &h, sizeof(h) - 4);
	memcpy(f.p + at, &h, sizeof(h));
	/* The end counts slices, so one that is called otherwise is missed; all else is right. */
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.last_rc, 1);
	f.p[at + sizeof(h)] ^= 1;
	o = read_damaged(&orig, f.p, f.n);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.first_offset, at);
	rows_free(&f);
	drop(&orig);
}
