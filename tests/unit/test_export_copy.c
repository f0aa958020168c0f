/* SPDX-License-Identifier: MIT */
/* A capture copied through the reader says what the first one said. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/export.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "support_rows.h"

static struct scap_reader *open_rows(const struct rows *file, struct rows_reader *rr)
{
	struct scap_reader_options opt = {
		.size = sizeof(opt), .flags = SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES,
	};
	struct scap_source src = rows_source(rr, file->p, file->n);
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	return r;
}

static int copy(const struct rows *from, struct rows *to, uint32_t flags)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_sink sink = rows_sink(to);
	struct rows_reader rr;
	struct scap_reader *r = open_rows(from, &rr);
	const struct scap_event *ev;
	struct scap_writer *w;
	struct scap_copy *c;
	struct scap_error err;
	int rc;

	opt.raw_ns = scap_reader_info(r)->start_raw_ns;
	opt.real_ns = scap_reader_info(r)->start_wall_ns;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, &err), 0);
	cr_assert_eq(scap_copy_new(w, &c), 0);
	while ((rc = scap_reader_next(r, &ev)) <= 0 && rc != SCAP_ETRUNCATED)
		if (!rc)
			cr_assert_eq(scap_copy_event(c, r, ev), 0, "%s", scap_copy_error(c)->text);
	rc = scap_copy_close(c, scap_reader_info(r), &err);
	scap_reader_close(r);
	return rc;
}

/* The same events in the same order; slices may be others. */
static unsigned compare(const struct rows *a, const struct rows *b)
{
	struct rows_reader ra, rb;
	struct scap_reader *x = open_rows(a, &ra), *y = open_rows(b, &rb);
	const struct scap_event *e, *f;
	unsigned n = 0;
	int rc;

	for (;; n++) {
		rc = scap_reader_next(x, &e);
		cr_assert_eq(scap_reader_next(y, &f), rc, "after %u events", n);
		if (rc)
			break;
		cr_assert_eq(e->num, f->num);
		cr_assert_eq(e->ring, f->ring);
		cr_assert_eq(e->wall_ns, f->wall_ns, "event %u", n);
		cr_assert_eq(e->in_keyframe, f->in_keyframe);
		cr_assert_eq(e->rec_bytes, f->rec_bytes);
		cr_assert(!e->rec || !memcmp(e->rec, f->rec, e->rec_bytes));
		cr_assert_eq(!e->thread, !f->thread);
		cr_assert_eq(!e->file, !f->file);
	}
	cr_expect_eq(scap_reader_info(x)->complete, scap_reader_info(y)->complete);
	cr_expect_eq(scap_reader_info(x)->n_keyframes, scap_reader_info(y)->n_keyframes);
	scap_reader_close(x);
	scap_reader_close(y);
	return n;
}

Test(export_copy, many_captures)
{
	for (unsigned i = 0; i < 40; i++) {
		struct capture_spec spec = {
			.seed = i, .n_cpus = 1 + i % 4, .n_slices = 1 + i % 5,
			.per_slice = 1 + i * 7 % 60, .slices_per_epoch = i % 3, .gaps = i & 1,
			.keyframes = i & 2, .no_end = i % 8 == 7,
		};
		struct rows copied = { 0 }, again = { 0 };
		struct capture c;

		rows_capture(&c, &spec);
		cr_assert_eq(copy(&c.file, &copied, spec.no_end ? 0 : SCAP_WRITER_GROUPS), 0);
		compare(&c.file, &copied);
		cr_assert_eq(copy(&copied, &again, SCAP_WRITER_ROWS), 0);
		compare(&c.file, &again);
		capture_free(&c);
		rows_free(&copied);
		rows_free(&again);
	}
}

/* Slices of a megabyte and more are cut. */
Test(export_copy, a_large_one)
{
	struct capture_spec spec = { .seed = 3, .n_cpus = 2, .n_slices = 2, .per_slice = 20000 };
	struct rows copied = { 0 };
	struct capture c;

	rows_capture(&c, &spec);
	cr_assert_eq(copy(&c.file, &copied, SCAP_WRITER_ROWS), 0);
	cr_expect_gt(compare(&c.file, &copied), 60000);
	capture_free(&c);
	rows_free(&copied);
}
