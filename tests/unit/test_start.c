/* SPDX-License-Identifier: MIT */
/* Captures that go on where another one ended. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/scap.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "format/writer.h"
#include "support_rows.h"

#define E0 (1000 * SCAP_EPOCH_NS)

static struct rows file;

static struct scap_reader *open_file(uint32_t flags, struct rows_reader *rr)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_source src = rows_source(rr, file.p, file.n);
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	return r;
}

static bool nothing(void *ctx, const struct scap_event *ev, unsigned known)
{
	(void)ctx;
	(void)ev;
	(void)known;
	return false;
}

static bool no_getpid(void *ctx, const struct scap_event *ev, unsigned known)
{
	(void)ctx;
	(void)known;
	return ev->nr != 39;
}

static enum scap__by_file by_more(void *ctx, const struct scap_event *ev)
{
	(void)ctx;
	(void)ev;
	return SCAP__BY_MORE;
}

/* Nothing is missing, whether events are chosen or not; numbers of rings may pass 2^32. */
Test(start, numbers_go_on)
{
	static const struct scap__chooser choosers[] = {
		{ .may = nothing, .by_file = by_more }, { .may = no_getpid, .by_file = by_more },
	};
	static const uint32_t firsts[] = { 1, 1000000, 0x80000010, 0xfffffff0 };

	for (unsigned i = 0; i < 64; i++) {
		/* A group that grows is not in a file that has no journal. */
		bool no_end = (i & 10) == 8;
		struct capture c;
		struct rows_reader rr;
		struct scap_summary *s;
		struct scap_reader *r;

		rows_capture(&c, &(struct capture_spec){
			.seed = i, .n_cpus = 3, .n_slices = 4, .per_slice = 20, .gaps = i & 1,
			.groups = i & 2, .keyframes = i & 4, .no_end = no_end,
			.first_seq = firsts[i / 16] });
		file = c.file;
		for (unsigned choose = 0; choose < 3; choose++) {
			r = open_file(0, &rr);
			if (choose)
				scap__reader_choose(r, &choosers[choose - 1]);
			cr_assert_eq(scap_summary_read(r, &s), no_end ? SCAP_ETRUNCATED : 0, "%s",
				     scap_reader_error(r)->text);
			cr_assert_eq(scap_summary_totals(s)->stored, c.n_stored);
			cr_assert_eq(scap_summary_totals(s)->lost, c.n_lost);
			cr_assert_eq(scap_summary_totals(s)->unexplained, 0);
			cr_assert(scap_reader_info(r)->continues);
			cr_assert_eq(scap_reader_info(r)->start_raw_ns, E0);
			cr_assert_eq(scap_reader_info(r)->start_wall_ns, E0 + 7777777);
			scap_summary_free(s);
			scap_reader_close(r);
		}
		capture_free(&c);
	}
}

/* ---- files made by hand --------------------------------------------------------------------- */

static struct scap_writer *open_writer(void)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = E0, .real_ns = E0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_writer *w;

	file.n = 0;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	return w;
}

static void put_call(struct scap_writer *w, uint64_t ns, uint32_t seq)
{
	struct rows rows = { 0 };
	struct scap_slice_part part;
	struct scap_slice s = { .start_ns = ns, .end_ns = ns + 1000, .n_parts = 1, .parts = &part };

	rows_call(&rows, seq, ns, 7, 39, 0);
	part = (struct scap_slice_part){ .rows = rows.p, .bytes = rows.n };
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	rows_free(&rows);
}

/* A section of this type in the writer's file, as it is. */
static void put_start(struct scap_writer *w, uint64_t start_ns, uint32_t n_rings,
		      const struct scap__ring_seq *rings, uint32_t n_there)
{
	struct scap__start_header h = { .start_raw_ns = start_ns, .n_rings = n_rings };

	cr_assert_eq(scap__section_begin(w), 0);
	cr_assert_eq(scap__buffer_add(&w->raw, &h, sizeof(h)), 0);
	cr_assert_eq(scap__buffer_add(&w->raw, rings, n_there * sizeof(*rings)), 0);
	cr_assert_eq(scap__section_write(w, SCAP__SECTION_START), 0);
}

static void close_writer(struct scap_writer *w, uint32_t next_seq)
{
	struct scap_ring_end end = { .next_seq = next_seq };

	cr_assert_eq(scap_writer_close(w, E0 + 5000, &end, 1, NULL), 0);
}

/* Damage that is told, events, and numbers that are missing. */
static struct { unsigned n_damage, n_events; uint64_t n_missing; } seen;

static void read_back(const char *what)
{
	const struct scap_event *ev;
	struct rows_reader rr;
	struct scap_reader *r = open_file(0, &rr);
	int rc;

	memset(&seen, 0, sizeof(seen));
	while ((rc = scap_reader_next(r, &ev)) != 1) {
		if (rc) {
			cr_assert_eq(rc, SCAP_EDAMAGED);
			cr_assert(what && strstr(scap_reader_error(r)->text, what), "%s",
				  scap_reader_error(r)->text);
			seen.n_damage++;
		} else if (scap_event_gap_unexplained(ev)) {
			seen.n_missing += ev->u.gap.n_lost;
		} else {
			seen.n_events++;
		}
	}
	scap_reader_close(r);
}

/* What is missing in front of the first record is missing, and no more. */
Test(start, a_hole_in_front)
{
	struct scap_ring_end start = { .next_seq = 500 };
	struct scap_writer *w = open_writer();

	cr_assert_eq(scap_writer_start(w, E0, &start, 1), 0);
	put_call(w, E0, 503);
	close_writer(w, 504);
	read_back(NULL);
	cr_assert_eq(seen.n_missing, 3);
	cr_assert_eq(seen.n_events, 1);
	w = open_writer();
	cr_assert_eq(scap_writer_start(w, E0, &start, 1), 0);
	close_writer(w, 502);
	read_back(NULL);
	cr_assert_eq(seen.n_missing, 2, "in a file without a record");
}

Test(start, only_in_the_front)
{
	struct scap_ring_end start = { .next_seq = 500 };
	struct scap__ring_seq ring = { .next_seq = 2 };
	struct scap_writer *w = open_writer();
	struct scap_slice s = { .start_ns = E0 - 1, .end_ns = E0 };

	cr_assert_eq(scap_writer_start(w, E0, &start, 1), 0);
	cr_assert_eq(scap_writer_slice(w, &s), -EINVAL, "before its start");
	close_writer(w, 500);
	w = open_writer();
	put_call(w, E0, 0);
	cr_assert_eq(scap_writer_start(w, E0 + 1000, &start, 1), -EINVAL);
	put_start(w, E0 + 1000, 1, &ring, 1);
	put_call(w, E0 + 2000, 1);
	close_writer(w, 2);
	read_back("in the middle");
	cr_assert_eq(seen.n_damage, 1);
	cr_assert_eq(seen.n_events, 2);
	cr_assert_eq(seen.n_missing, 0);
}

Test(start, lies)
{
	struct scap__ring_seq ring = { .next_seq = 0 }, lane = { .lane = SCAP_LANES };
	struct scap_writer *w = open_writer();

	put_start(w, E0, 2, &ring, 1);
	put_call(w, E0, 0);
	close_writer(w, 1);
	read_back("list of rings");
	cr_assert_eq(seen.n_damage, 1);
	w = open_writer();
	put_start(w, E0, 0x20000001, &ring, 1);
	put_call(w, E0, 0);
	close_writer(w, 1);
	read_back("list of rings");
	cr_assert_eq(seen.n_damage, 1);
	w = open_writer();
	put_start(w, E0, 1, &lane, 1);
	put_call(w, E0, 0);
	close_writer(w, 1);
	read_back("no such lane");
	cr_assert_eq(seen.n_damage, 1);
	w = open_writer();
	put_start(w, E0 + 1000, 1, &ring, 1);
	put_call(w, E0, 0);
	put_call(w, E0 + 1000, 1);
	close_writer(w, 2);
	read_back("overlaps");
	cr_assert_eq(seen.n_damage, 1);
	cr_assert_eq(seen.n_events, 1);
}

/* ---- copies --------------------------------------------------------------------------------- */

static void copy(struct rows *to)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = E0, .real_ns = E0 };
	struct scap_sink sink = rows_sink(to);
	const struct scap_event *ev;
	struct rows_reader rr;
	struct scap_reader *r;
	struct scap_writer *w;
	struct scap_copy *c;

	r = open_file(SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES, &rr);
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_copy_new(w, &c), 0);
	while (scap_reader_next(r, &ev) == 0)
		cr_assert_eq(scap_copy_event(c, r, ev), 0, "%s", scap_copy_error(c)->text);
	cr_assert_eq(scap_copy_close(c, scap_reader_info(r), NULL), 0);
	scap_reader_close(r);
}

Test(start, a_copy_goes_on_there_too)
{
	for (unsigned i = 0; i < 16; i++) {
		struct rows to = { 0 };
		struct rows_reader rr;
		struct scap_summary *s;
		struct scap_reader *r;
		struct capture c;

		rows_capture(&c, &(struct capture_spec){
			.seed = i, .n_cpus = 3, .n_slices = 1 + i % 5, .per_slice = i % 8,
			.gaps = i & 1, .groups = i & 2, .keyframes = i & 4, .first_seq = 7000 });
		file = c.file;
		copy(&to);
		file = to;
		r = open_file(0, &rr);
		cr_assert_eq(scap_summary_read(r, &s), 0, "%s", scap_reader_error(r)->text);
		cr_assert_eq(scap_summary_totals(s)->stored, c.n_stored);
		cr_assert_eq(scap_summary_totals(s)->lost, c.n_lost);
		cr_assert_eq(scap_summary_totals(s)->unexplained, 0);
		scap_summary_free(s);
		scap_reader_close(r);
		capture_free(&c);
		rows_free(&to);
	}
}

/* Of a ring without a record nothing is known but where it stood: what is missing stays missing. */
Test(start, a_copy_of_a_hole)
{
	struct scap_ring_end start = { .next_seq = 500 };
	struct scap_writer *w = open_writer();
	struct rows to = { 0 };

	cr_assert_eq(scap_writer_start(w, E0, &start, 1), 0);
	close_writer(w, 503);
	copy(&to);
	rows_free(&file);
	file = to;
	read_back(NULL);
	cr_assert_eq(seen.n_missing, 3);
}
