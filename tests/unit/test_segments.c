/* SPDX-License-Identifier: MIT */
/* Captures one behind the other in a file. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <scap/summary.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/layout.h"
#include "support_rows.h"

/* All that tells events apart. */
struct seen {
	uint64_t wall_ns;
	uint32_t ring, seq, type, names, keyframe, bytes;
};

struct outcome {
	struct seen *e;
	size_t n;
	int rc, open_rc;	/* rc: the last one */
	unsigned n_told, n_boundaries, n_versions;
	uint64_t first_offset, last_num;
	struct scap_capture_info info;
};

static struct capture a, b;
static struct rows file;

static uint32_t names_of(const struct scap_event *ev)
{
	return (ev->thread ? 1u : 0) | (ev->file ? 2u : 0) | (ev->file2 ? 4u : 0);
}

static void add(struct outcome *o, const struct scap_event *ev)
{
	if (!(o->n & (o->n + 1)))
		o->e = realloc(o->e, (2 * o->n + 2) * sizeof(*o->e));
	o->e[o->n++] = (struct seen){ ev->wall_ns, ev->ring, ev->seq, ev->type, names_of(ev),
				      ev->in_keyframe, ev->rec_bytes };
	if (!ev->num)
		return;
	cr_assert_eq(ev->num, o->last_num + 1, "events are numbered on");
	o->last_num = ev->num;
}

static void told(struct outcome *o, const struct scap_error *err)
{
	cr_assert_eq(err->code, o->rc);
	if (!o->n_told++)
		o->first_offset = err->offset;
	o->n_versions += o->rc == SCAP_EVERSION;
}

/* Reads it all; holes are left out, other events are kept. */
static struct outcome read_bytes(const void *p, size_t n, uint32_t flags, size_t max_read)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct outcome o = { .rc = 1 };
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, p, n);
	const struct scap_event *ev;
	struct scap_reader *r;

	rr.max_read = max_read;
	o.open_rc = scap_reader_open_source(&src, &opt, &r, NULL);
	if (o.open_rc)
		return o;
	for (unsigned i = 0; i < 1000000; i++) {
		o.rc = scap_reader_next(r, &ev);
		if (o.rc == 0 && !scap_event_gap_unexplained(ev))
			add(&o, ev);
		if (o.rc < 0)
			told(&o, scap_reader_error(r));
		o.n_boundaries += o.rc == 2;
		if (o.rc == 1 || (o.rc < 0 && o.rc != SCAP_EDAMAGED && o.rc != SCAP_EVERSION))
			break;
	}
	o.info = *scap_reader_info(r);
	scap_reader_close(r);
	return o;
}

static struct outcome read_file(uint32_t flags)
{
	return read_bytes(file.p, file.n, flags, 0);
}

#define ALL (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES)

static void make(bool groups)
{
	rows_capture(&a, &(struct capture_spec){ .seed = 5, .n_cpus = 2, .n_slices = 3,
		     .per_slice = 4, .keyframes = true, .groups = groups });
	rows_capture(&b, &(struct capture_spec){ .seed = 9, .n_cpus = 3, .n_slices = 2,
		     .per_slice = 4, .gaps = true, .groups = groups });
}

static void put_all(const struct capture *c)
{
	rows_put(&file, c->file.p, c->file.n);
}

static void done(void)
{
	if (a.file.p) {
		capture_free(&a);
		capture_free(&b);
	}
	rows_free(&file);
}

TestSuite(segments, .fini = done);

/* The outcome ends, or begins, with exactly those events. */
static void expect_part(const struct outcome *o, size_t at, const struct outcome *want)
{
	cr_assert_leq(at + want->n, o->n);
	for (size_t i = 0; i < want->n; i++)
		cr_assert_eq(memcmp(&o->e[at + i], &want->e[i], sizeof(*o->e)), 0, "event %zu", i);
}

Test(segments, each_as_if_alone)
{
	static const size_t reads[] = { 0, 1, 7, 4096 };

	for (unsigned groups = 0; groups < 2; groups++) {
		struct outcome x, y;

		make(groups);
		x = read_bytes(a.file.p, a.file.n, ALL, 0);
		y = read_bytes(b.file.p, b.file.n, ALL, 0);
		file.n = 0;
		put_all(&a);
		put_all(&b);
		put_all(&a);
		for (unsigned i = 0; i < 4; i++) {
			struct outcome o = read_bytes(file.p, file.n, ALL | SCAP_READER_SEALS |
						      SCAP_READER_SEGMENTS, reads[i]);

			cr_assert_eq(o.rc, 1);
			cr_assert_eq(o.n_told, 0);
			cr_assert_eq(o.n_boundaries, 2);
			cr_assert_eq(o.n, 2 * x.n + y.n);
			expect_part(&o, 0, &x);
			expect_part(&o, x.n, &y);
			expect_part(&o, x.n + y.n, &x);
			cr_assert(o.info.complete);
			cr_assert_eq(o.info.n_segments, 3);
			cr_assert_eq(o.info.n_cut, 0);
			cr_assert_eq(o.info.n_slices, 2 * x.info.n_slices + y.info.n_slices);
			cr_assert_eq(o.info.n_keyframes, 2 * x.info.n_keyframes);
			cr_assert_eq(o.info.keyframe_tasks, x.info.keyframe_tasks);
			cr_assert_eq(o.info.file_bytes, file.n);
			cr_assert_eq(o.info.n_cpus, 2, "of the first");
			free(o.e);
		}
		free(x.e);
		free(y.e);
		done();
	}
}

Test(segments, summary_adds_up)
{
	const struct scap_summary_totals *t;
	const struct scap_summary_segment *seg;
	struct scap_summary *s;
	struct scap_reader *r;
	struct rows_reader rr;
	struct scap_source src;

	make(false);
	put_all(&a);
	put_all(&b);
	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	cr_assert_eq(scap_summary_read(r, &s), 0);
	t = scap_summary_totals(s);
	cr_expect_eq(t->stored, a.n_stored + b.n_stored);
	cr_expect_eq(t->lost, a.n_lost + b.n_lost);
	cr_expect_eq(t->bookkeeping, a.n_bookkeeping + b.n_bookkeeping);
	cr_expect_eq(t->unexplained, 0);
	seg = scap_summary_segment(s, 1);
	cr_assert_not_null(seg);
	cr_expect_eq(seg->offset, a.file.n);
	cr_expect_eq(seg->bytes, b.file.n);
	cr_expect_eq(seg->n_events, b.n_stored);
	cr_expect(seg->complete);
	cr_expect_null(scap_summary_segment(s, 2));
	scap_summary_free(s);
	scap_reader_close(r);
}

/* The first recorder was killed anywhere: all of the second is there, and the cut is told. */
static void cut_everywhere(bool groups)
{
	struct outcome x, y;

	make(groups);
	x = read_bytes(a.file.p, a.file.n, ALL, 0);
	y = read_bytes(b.file.p, b.file.n, ALL, 0);
	for (size_t n = 64; n < a.file.n; n++) {
		struct outcome o;

		if (a.file.p[n] == b.file.p[0])
			continue;	/* the cut is one byte later, by chance */
		file.n = 0;
		rows_put(&file, a.file.p, n);
		put_all(&b);
		o = read_file(ALL);
		cr_assert_eq(o.rc, 1, "cut at %zu", n);
		cr_assert(o.n_told || o.info.complete, "cut at %zu", n);
		cr_assert_geq(o.n, y.n, "cut at %zu", n);
		expect_part(&o, o.n - y.n, &y);
		/* Its end may be there, and only the seal behind it be cut off. */
		cr_assert(!o.info.complete || o.n == x.n + y.n, "cut at %zu", n);
		cr_assert_eq(o.info.n_segments, 2);
		cr_assert_eq(o.info.n_cut, !o.info.complete, "cut at %zu", n);
		free(o.e);
	}
	free(x.e);
	free(y.e);
}

Test(segments, cut_everywhere)
{
	cut_everywhere(false);
}

Test(segments, groups_cut_everywhere)
{
	cut_everywhere(true);
}

/* A byte is wrong: told, and the other segment suffers nothing. */
static void flip_everywhere(bool groups)
{
	struct outcome x, y;

	make(groups);
	x = read_bytes(a.file.p, a.file.n, ALL, 0);
	y = read_bytes(b.file.p, b.file.n, ALL, 0);
	put_all(&a);
	put_all(&b);
	for (size_t i = 64; i < file.n; i++) {
		struct outcome o;

		file.p[i] ^= 0x5a;
		o = read_file(ALL);
		file.p[i] ^= 0x5a;
		cr_assert_eq(o.open_rc, 0, "byte %zu", i);
		cr_assert_geq(o.n_told, 1, "byte %zu", i);
		if (i < a.file.n) {
			cr_assert_eq(o.rc, 1, "byte %zu", i);
			cr_assert_geq(o.n, y.n, "byte %zu", i);
			expect_part(&o, o.n - y.n, &y);
		} else {
			expect_part(&o, 0, &x);
		}
		/* Without its magic it is nothing but bytes. */
		if (i >= a.file.n + 8 && i < a.file.n + 64) {
			cr_assert_eq(o.n, x.n);
			cr_assert_not(o.info.complete, "the second cannot be read");
		}
		free(o.e);
	}
	free(x.e);
	free(y.e);
}

Test(segments, flip_everywhere)
{
	flip_everywhere(false);
}

Test(segments, groups_flip_everywhere)
{
	flip_everywhere(true);
}

Test(segments, junk_between)
{
	struct outcome o, y;
	char junk[300];

	memset(junk, 'j', sizeof(junk));
	make(false);
	y = read_bytes(b.file.p, b.file.n, ALL, 0);
	put_all(&a);
	rows_put(&file, junk, sizeof(junk));
	put_all(&b);
	rows_put(&file, junk, sizeof(junk));
	o = read_file(ALL);
	cr_assert_eq(o.rc, 1);
	cr_assert_eq(o.n_told, 2, "between, and behind");
	cr_assert_eq(o.first_offset, a.file.n);
	cr_assert_eq(o.info.n_segments, 2);
	cr_assert(o.info.complete);
	expect_part(&o, o.n - y.n, &y);
	free(o.e);
	free(y.e);
}

/* Magic and checksum alone do not make a header that is searched for: it must have a HOST. */
Test(segments, header_without_host_in_junk)
{
	struct outcome o;

	make(false);
	put_all(&a);
	rows_put(&file, "x", 1);
	rows_put(&file, b.file.p, 64);
	rows_put(&file, b.file.p, 100);
	o = read_file(0);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.info.n_segments, 1);
	free(o.e);
}

static void set_version(size_t at, uint16_t version)
{
	uint32_t crc;

	memcpy(file.p + at + 10, &version, sizeof(version));
	crc = scap__crc32c(0, file.p + at, 60);
	memcpy(file.p + at + 60, &crc, sizeof(crc));
}

Test(segments, other_version)
{
	struct outcome o, y;

	make(false);
	y = read_bytes(b.file.p, b.file.n, ALL, 0);
	put_all(&a);
	put_all(&a);
	put_all(&b);
	set_version(a.file.n, 0);
	o = read_file(ALL);
	cr_assert_eq(o.rc, 1);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.n_versions, 1);
	cr_assert_eq(o.first_offset, a.file.n);
	cr_assert_eq(o.info.n_segments, 3);
	cr_assert_not(o.info.complete);
	expect_part(&o, o.n - y.n, &y);
	free(o.e);
	free(y.e);
}

/* What is damaged in one excuses nothing in the other: its end counts slices that are not there. */
Test(segments, damage_is_of_one)
{
	struct scap__end_header end = { .n_slices = 3, .n_rings = 3 };
	struct scap__section_header h;
	struct outcome o;

	make(false);
	put_all(&a);
	rows_put(&file, b.file.p, b.slice_ends[b.n_slices - 1]);
	memcpy(&h, b.file.p + b.slice_ends[b.n_slices - 1], sizeof(h));
	cr_assert_eq(h.type, SCAP__SECTION_END);
	h.flags = 0;
	h.stored_bytes = h.raw_bytes = sizeof(end) + 3 * sizeof(struct scap__ring_seq);
	h.payload_crc = scap__crc32c(0, &end, sizeof(end));
	for (unsigned i = 0; i < 3; i++)
		h.payload_crc = scap__crc32c(h.payload_crc, &(struct scap__ring_seq){
					     .cpu = i, .next_seq = b.ends[i].next_seq }, 8);
	h.crc = scap__crc32c(0, &h, sizeof(h) - 4);
	rows_put(&file, &h, sizeof(h));
	rows_put(&file, &end, sizeof(end));
	for (unsigned i = 0; i < 3; i++)
		rows_put(&file, &(struct scap__ring_seq){ .cpu = i,
							  .next_seq = b.ends[i].next_seq }, 8);
	o = read_file(0);
	cr_assert_eq(o.n_told, 1);
	free(o.e);
	file.p[a.slice_ends[0] - 20] ^= 1;
	o = read_file(0);
	cr_assert_eq(o.n_told, 2);
	free(o.e);
}

/* ---- nothing is carried over ---------------------------------------------------------------- */

#define E0 (500 * SCAP_EPOCH_NS)

static void put_one(const struct rows *rows, uint32_t next_seq, const char *boot_id, uint64_t at_ns)
{
	struct scap_slice_part part = { .cpu = 1, .rows = rows->p, .bytes = rows->n };
	struct scap_slice slice = { .start_ns = at_ns, .end_ns = at_ns + 1000, .n_parts = 1,
				    .parts = &part };
	struct scap_writer_options opt = { .size = sizeof(opt), .hostname = "h", .boot_id = boot_id,
					   .raw_ns = at_ns, .real_ns = at_ns };
	struct scap_sink sink = rows_sink(&file);
	struct scap_ring_end end = { .cpu = 1, .next_seq = next_seq };
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &slice), 0);
	cr_assert_eq(scap_writer_close(w, at_ns + 1000, &end, 1, NULL), 0);
}

/* In the same epoch and ring, with the same tid. */
Test(segments, names_begin_anew)
{
	struct rows first = { 0 }, second = { 0 };
	struct outcome o;

	rows_intro(&first, 0, E0 + 10, 7, "sh");
	rows_call(&first, 1, E0 + 20, 7, 39, 1);
	rows_call(&second, 0, E0 + 15, 7, 39, 1);
	put_one(&first, 2, "x", E0);
	put_one(&second, 1, "x", E0);
	o = read_file(0);
	cr_assert_eq(o.n, 2);
	cr_assert_eq(o.n_told, 0, "sequence numbers, and times, begin anew");
	cr_assert_eq(o.e[0].names, 1);
	cr_assert_eq(o.e[1].names, 0);
	free(o.e);
	rows_free(&first);
	rows_free(&second);
}

/* What is missing at the end of one is not missing in the other. */
Test(segments, tails)
{
	struct rows rows = { 0 };
	struct scap_summary *s;
	struct scap_reader *r;
	struct rows_reader rr;
	struct scap_source src;

	rows_call(&rows, 0, E0 + 20, 7, 39, 1);
	put_one(&rows, 6, "x", E0);
	put_one(&rows, 1, "x", E0);
	put_one(&rows, 4, "x", E0);
	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	cr_assert_eq(scap_summary_read(r, &s), 0);
	cr_expect_eq(scap_summary_totals(s)->stored, 3);
	cr_expect_eq(scap_summary_totals(s)->unexplained, 8);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&rows);
}

static bool goes_on(const char *boot_id, uint64_t at_ns)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = SCAP_READER_SEGMENTS };
	const struct scap_event *ev;
	struct rows rows = { 0 };
	struct rows_reader rr;
	struct scap_source src;
	struct scap_reader *r;
	bool on;
	int rc;

	file.n = 0;
	rows_call(&rows, 0, E0 + 20, 7, 39, 1);
	put_one(&rows, 1, "x", E0);
	rows.n = 0;
	rows_call(&rows, 0, at_ns + 20, 7, 39, 1);
	put_one(&rows, 1, boot_id, at_ns);
	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) != 1)
		cr_assert(rc == 0 || rc == 2);
	on = scap_reader_segment(r)->goes_on;
	cr_assert_eq(scap_reader_segment(r)->n_segments, 2);
	cr_assert_str_eq(scap_reader_segment(r)->boot_id, boot_id);
	cr_assert_str_eq(scap_reader_info(r)->boot_id, "x");
	scap_reader_close(r);
	rows_free(&rows);
	return on;
}

Test(segments, goes_on)
{
	cr_expect(goes_on("x", E0 + 1000));
	cr_expect_not(goes_on("x", E0 + 999), "times go back");
	cr_expect_not(goes_on("y", E0 + 1000), "another boot");
	cr_expect_not(goes_on("", E0 + 1000), "not known");
}

/* ---- hostile ones --------------------------------------------------------------------------- */

/* Neither deep nor large. */
Test(segments, many, .timeout = 60)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .memory_limit = 1 << 20 };
	struct rows rows = { 0 };
	struct rows_reader rr;
	const struct scap_event *ev;
	struct scap_source src;
	struct scap_reader *r;
	uint8_t copy[4096];
	size_t one, n = 0;
	int rc;

	rows_call(&rows, 0, E0 + 20, 7, 39, 1);
	put_one(&rows, 1, "x", E0);
	one = file.n;
	memcpy(copy, file.p, one);
	for (unsigned i = 1; i < 30000; i++)
		rows_put(&file, copy, i & 1 ? one : 64 + 48);
	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0 || rc == SCAP_EDAMAGED)
		n += rc == 0;
	cr_assert_eq(n, 15001);
	cr_assert_eq(scap_reader_info(r)->n_segments, 30000);
	scap_reader_close(r);
	rows_free(&rows);
}

/* Each claims all that follows as its slice, with a wrong checksum: they lie in each other. */
Test(segments, nested, .timeout = 60)
{
	struct rows rows = { 0 };
	uint8_t copy[4096];
	struct outcome o;
	size_t one, at;

	rows_call(&rows, 0, E0 + 20, 7, 39, 1);
	put_one(&rows, 1, "x", E0);
	at = 64;
	while (file.p[at + 6] != SCAP__SECTION_SLICE) {
		struct scap__section_header h;

		memcpy(&h, file.p + at, sizeof(h));
		at += sizeof(h) + (h.stored_bytes + 7) / 8 * 8;
	}
	one = at + 48;
	memcpy(copy, file.p, one);
	file.n = one;
	for (unsigned i = 1; i < 20000; i++)
		rows_put(&file, copy, one);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *p = file.p + i * one + at;
		uint64_t bytes = 60 << 20;
		uint32_t crc;

		memcpy(p + 24, &bytes, 8);
		memcpy(p + 32, &bytes, 8);
		p[12] = 0;
		crc = scap__crc32c(0, p, 44);
		memcpy(p + 44, &crc, 4);
	}
	o = read_file(0);
	cr_assert_eq(o.n, 0);
	cr_assert_gt(o.n_told, 10);
	cr_assert_not(o.info.complete);
	free(o.e);
	rows_free(&rows);
}

/* A slice that holds a capture as recorded data; only its payload is damaged. */
Test(segments, recorded_capture)
{
	struct rows rows = { 0 };
	struct scap_rec_call c = { .tid = 1, .nr = 1 };
	uint8_t noise[20000], *inner;
	uint64_t seed = 3;
	struct outcome o;
	size_t rec;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = rows_random(&seed);
	make(false);
	rec = rows_begin(&rows, SCAP_REC_CALL, 0, 0, E0);
	rows_put(&rows, (uint8_t *)&c + 16, 16);
	rows_blob(&rows, 1, 0, noise, sizeof(noise), sizeof(noise));
	rows_blob(&rows, 2, 0, a.file.p, a.file.n, (uint32_t)a.file.n);
	rows_end(&rows, rec);
	put_one(&rows, 1, "x", E0);
	inner = memmem(file.p, file.n, a.file.p, a.file.n);
	cr_assert_not_null(inner);
	inner[-100] ^= 1;
	o = read_file(0);
	cr_assert_eq(o.n, 0);
	cr_assert_eq(o.n_told, 1);
	cr_assert_eq(o.info.n_segments, 1);
	free(o.e);
	rows_free(&rows);
}
