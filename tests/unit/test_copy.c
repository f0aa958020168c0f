/* SPDX-License-Identifier: MIT */
/* A copy of chosen events holds these, in their order, with their names, and all losses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/scap.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "format/layout.h"
#include "support_rows.h"

#define FLAGS (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES)

static const char *const filters[] = {
	NULL, "evt.num > 0", "evt.num < 0", "evt.type = read", "evt.type != read", "proc.name = sh",
	"evt.failed = true", "fd.name contains a", "evt.num > 40 and evt.num <= 60",
	"evt.cpu = 1", "evt.type in (openat, close, procexit) or evt.latency > 1ms",
};
#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

struct seen {
	uint64_t raw_ns, wall_ns, sum;
	uint32_t ring;
};

struct contents {
	struct seen *events;
	size_t n, n_bookkeeping, n_keyframe;
	uint64_t n_gaps, n_told, n_unexplained;	/* lost */
	uint64_t at_event;	/* events up to that of number 17, if it is there */
	int rc;			/* the first thing that was wrong */
};

static uint64_t add(uint64_t sum, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n--)
		sum = sum * 31 + *b++;
	return sum;
}

/* All but the number, and the names. */
static struct seen see(const struct scap_event *ev)
{
	uint64_t sum = add(add(0, ev->rec, 4), ev->rec + 8, ev->rec_bytes - 8);

	if (ev->thread)
		sum = add(sum + 1, ev->thread->comm, strlen(ev->thread->comm));
	for (unsigned i = 0; i < 2; i++) {
		const struct scap__file *f = i ? ev->file2 : ev->file;

		if (f)
			sum = add(sum + 1, f->path, f->path ? f->path_bytes : 0);
	}
	return (struct seen){ ev->raw_ns, ev->wall_ns, sum, ev->ring };
}

static struct scap_reader *open_rows(const struct rows *file, struct rows_reader *rr)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = FLAGS };
	struct scap_source src = rows_source(rr, file->p, file->n);
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	return r;
}

static void take(struct contents *c, const struct scap_filter *f, const struct scap_event *ev)
{
	if (ev->in_keyframe) {
		c->n_keyframe++;
	} else if (ev->num) {
		if (f && !scap_filter_match(f, ev))
			return;
		c->events = realloc(c->events, (c->n + 1) * sizeof(*c->events));
		c->events[c->n++] = see(ev);
		if (ev->num == 17)
			c->at_event = c->n;
	} else if (ev->type == SCAP_REC_GAP) {
		c->n_gaps += !ev->u.gap.unexplained;
		*(ev->u.gap.unexplained ? &c->n_unexplained : &c->n_told) += ev->u.gap.n_lost;
	} else {
		c->n_bookkeeping++;
	}
}

static struct contents read_contents(const struct rows *file, const struct scap_filter *f)
{
	struct contents c = { 0 };
	const struct scap_event *ev;
	struct rows_reader rr;
	struct scap_reader *r = open_rows(file, &rr);
	int rc;

	while ((rc = scap_reader_next(r, &ev)) != 1) {
		if (rc && !c.rc)
			c.rc = rc;
		if (rc == SCAP_ETRUNCATED)
			break;
		if (!rc)
			take(&c, f, ev);
	}
	scap_reader_close(r);
	return c;
}

static struct scap_writer *open_writer(const struct scap_reader *r, struct rows *to,
				       uint32_t flags)
{
	const struct scap_capture_info *info = scap_reader_info(r);
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = flags, .raw_ns = info->start_raw_ns,
		.real_ns = info->start_wall_ns,
	};
	struct scap_sink sink = rows_sink(to);
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	return w;
}

/* What scap_copy_chosen() said. */
static int copy(const struct rows *from, const struct scap_filter *f, struct rows *to,
		uint32_t flags)
{
	struct scap_trigger t = { .size = sizeof(t), .name = "x" };
	struct rows_reader rr;
	struct scap_reader *r = open_rows(from, &rr);
	struct scap_writer *w = open_writer(r, to, flags);
	struct scap_error err = { 0 };
	int rc;

	cr_assert_eq(scap_writer_trigger(w, &t), 0);
	rc = scap_copy_chosen(r, f, w, &err);
	cr_assert_eq(err.code, rc, "%s", err.text);
	cr_assert_eq(scap_copy_trigger_event(w), 0);
	if (!rc)
		cr_assert_eq(scap_writer_trigger(w, &t), 0);
	cr_assert_eq(scap_copy_finish(w, r, &err), 0, "%s", err.text);
	scap_reader_close(r);
	return rc;
}

static void compare(const struct contents *a, const struct contents *b, const char *what)
{
	cr_assert_eq(a->n, b->n, "%s: %zu, %zu", what, a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		cr_assert_eq(a->events[i].raw_ns, b->events[i].raw_ns, "%s: %zu", what, i);
		cr_assert_eq(a->events[i].wall_ns, b->events[i].wall_ns, "%s: %zu", what, i);
		cr_assert_eq(a->events[i].ring, b->events[i].ring, "%s: %zu", what, i);
		cr_assert_eq(a->events[i].sum, b->events[i].sum, "%s: %zu", what, i);
	}
	cr_assert_eq(a->n_bookkeeping, b->n_bookkeeping, "%s", what);
	cr_assert_eq(a->n_keyframe, b->n_keyframe, "%s", what);
	cr_assert_eq(a->n_gaps, b->n_gaps, "%s", what);
	cr_assert_eq(a->n_told, b->n_told, "%s: %lu, %lu", what, a->n_told, b->n_told);
}

static struct scap_filter *compile(const char *text)
{
	struct scap_filter *f = NULL;
	struct scap_error err = { 0 };

	if (text)
		cr_assert_eq(scap_filter_compile(text, &f, &err), 0, "%s", err.text);
	return f;
}

/* By each filter. Holes stay as large as they are. */
static size_t copy_all(const struct rows *file, int rc, bool groups)
{
	size_t n = 0;

	for (unsigned i = 0; i < N_FILTERS; i++) {
		struct scap_filter *f = compile(filters[i]);
		struct contents a = read_contents(file, f), b;
		struct rows to = { 0 };

		cr_assert_eq(a.rc, rc);
		cr_assert_eq(copy(file, f, &to, groups ? SCAP_WRITER_GROUPS : SCAP_WRITER_ROWS),
			     rc);
		b = read_contents(&to, NULL);
		cr_assert_eq(b.rc, rc == SCAP_ETRUNCATED ? rc : 0);
		compare(&a, &b, filters[i] ? filters[i] : "all");
		cr_assert_eq(a.n_unexplained, b.n_unexplained, "%lu, %lu", a.n_unexplained,
			     b.n_unexplained);
		n += b.n;
		rows_free(&to);
		free(a.events);
		free(b.events);
		scap_filter_free(f);
	}
	return n;
}

Test(copy, many_captures)
{
	size_t n = 0;

	for (unsigned i = 0; i < 32; i++) {
		struct capture c;

		rows_capture(&c, &(struct capture_spec){
			.seed = i, .n_cpus = 1 + i % 4, .n_slices = 1 + i % 5,
			.per_slice = 1 + i * 7 % 60, .slices_per_epoch = i % 3, .gaps = i & 1,
			.keyframes = i & 2, .groups = i & 4,
			.first_seq = i & 8 ? 0xfffffff0 : 0 });
		n += copy_all(&c.file, 0, i & 16);
		capture_free(&c);
	}
	cr_assert_gt(n, 10000);
}

Test(copy, without_an_end)
{
	struct capture c;

	rows_capture(&c, &(struct capture_spec){ .seed = 3, .n_cpus = 3, .n_slices = 4,
		     .per_slice = 20, .gaps = true, .no_end = true });
	copy_all(&c.file, SCAP_ETRUNCATED, false);
	capture_free(&c);
}

/* Where a slice is damaged there is a hole, of the same size, and the copy is sound. */
Test(copy, holes)
{
	for (unsigned i = 0; i < 8; i++) {
		struct contents a;
		struct capture c;

		rows_capture(&c, &(struct capture_spec){
			.seed = i, .n_cpus = 3, .n_slices = 6, .per_slice = 30, .gaps = true,
			.slices_per_epoch = 2, .first_seq = i & 1 ? 500 : 0 });
		c.file.p[c.slice_ends[2 + i % 3] - 20] ^= 1;
		a = read_contents(&c.file, NULL);
		cr_assert_gt(a.n_unexplained, 0);
		free(a.events);
		copy_all(&c.file, SCAP_EDAMAGED, i & 4);
		capture_free(&c);
	}
}

/* Each slice has a clock of its own, one has none; numbers are missing at the end. */
Test(copy, clocks_and_ends)
{
	static const uint64_t real_ns[] = { 5000000, 0, 7777, 3600000000000 };
	const uint64_t e0 = 1000 * SCAP_EPOCH_NS;
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = e0, .real_ns = 99 };
	struct scap_ring_end end = { .next_seq = 14 };
	struct rows file = { 0 }, rows = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct contents a;
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ns = e0 + i * 100;
		struct scap_slice_part part;
		struct scap_slice s = { .start_ns = ns, .end_ns = ns + 100, .n_parts = 1,
					.parts = &part, .clock_raw_ns = ns,
					.real_ns = real_ns[i % 4] };

		rows.n = 0;
		rows_call(&rows, i, ns + 1, 7, 39, (int)i);
		part = (struct scap_slice_part){ .rows = rows.p, .bytes = rows.n };
		cr_assert_eq(scap_writer_slice(w, &s), 0);
	}
	cr_assert_eq(scap_writer_close(w, e0 + 1000, &end, 1, NULL), 0);
	a = read_contents(&file, NULL);
	cr_assert_eq(a.n, 8);
	cr_assert_eq(a.n_unexplained, 6);
	cr_assert_eq(a.events[1].wall_ns, 99 + 101, "the host's");
	copy_all(&file, 0, false);
	copy_all(&file, 0, true);
	free(a.events);
	rows_free(&file);
	rows_free(&rows);
}

/* Numbers that go back are damage, told once: the copy's go on, and a gap behind it fits. */
Test(copy, numbers_that_go_back)
{
	static const uint32_t seqs[] = { 100, 101, 3, 4, 5 };
	struct scap_tally tally = { SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, 39), 6 };
	const uint64_t e0 = 1000 * SCAP_EPOCH_NS;
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = e0, .real_ns = e0 };
	struct scap_ring_end end = { .next_seq = 14 };
	struct rows file = { 0 }, rows = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_slice_part part;
	struct scap_slice s = { .start_ns = e0, .end_ns = e0 + 100, .n_parts = 1, .parts = &part };
	struct scap_writer *w;

	for (unsigned gap = 0; gap < 2; gap++) {
		file.n = rows.n = 0;
		for (unsigned i = 0; i < 5; i++)
			if (gap && i == 3)
				rows_gap(&rows, 10, e0 + i, 4, &tally, 1);
			else
				rows_call(&rows, seqs[i] + (gap && i > 3) * 6, e0 + i, 7, 39, 0);
		part = (struct scap_slice_part){ .rows = rows.p, .bytes = rows.n };
		sink = rows_sink(&file);
		cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
		cr_assert_eq(scap_writer_slice(w, &s), 0);
		cr_assert_eq(scap_writer_close(w, e0 + 1000, &end, 1, NULL), 0);
		copy_all(&file, SCAP_EDAMAGED, false);
	}
	rows_free(&file);
	rows_free(&rows);
}

/* A record in a keyframe that can't be read is told and left out, and the others stay. */
Test(copy, keyframe_with_a_broken_record)
{
	const uint64_t e0 = 1000 * SCAP_EPOCH_NS;
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = e0, .real_ns = e0 };
	struct scap_keyframe_part part = { .begin_ns = e0, .end_ns = e0 + 1, .clock_raw_ns = e0,
					   .real_ns = e0, .number = 1,
					   .flags = SCAP_KEYFRAME_LAST };
	struct rows file = { 0 }, rows = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_ring_end end = { 0 };
	struct contents a;
	struct scap_writer *w;

	for (uint32_t i = 0; i < 5; i++)
		if (i == 0 || i == 3)
			rows_end(&rows, rows_begin(&rows, 250, 0, i, e0 + i));
		else
			rows_file(&rows, i, e0 + i, i, "/x");
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_keyframe(w, &part), 0);
	cr_assert_eq(scap_writer_close(w, e0 + 1000, &end, 1, NULL), 0);
	a = read_contents(&file, NULL);
	cr_assert_eq(a.n_keyframe, 3);
	copy_all(&file, SCAP_EDAMAGED, false);
	rows_free(&file);
	rows_free(&rows);
}

/* ---- step by step --------------------------------------------------------------------------- */

static const struct scap_trigger trigger = {
	.size = sizeof(trigger), .name = "t", .raw_ns = 1, .event = 17,
};

/* A capture with a trigger, whose event is number 17, though it was thought to be `first`. */
static void with_trigger(struct rows *to, uint64_t first)
{
	struct scap_trigger front = trigger;
	struct capture c;
	struct rows_reader rr;
	struct scap_reader *r;
	const struct scap_event *ev;
	struct scap_copy *copy;

	rows_capture(&c, &(struct capture_spec){ .seed = 5, .n_cpus = 2, .n_slices = 3,
		     .per_slice = 30, .gaps = true, .first_seq = 1000 });
	r = open_rows(&c.file, &rr);
	cr_assert_eq(scap_copy_new(open_writer(r, to, 0), &copy), 0);
	front.event = first;
	cr_assert_eq(scap_copy_trigger(copy, r, &front), 0);
	while (scap_reader_next(r, &ev) == 0)
		cr_assert_eq(scap_copy_event(copy, r, ev), 0, "%s", scap_copy_error(copy)->text);
	cr_assert_eq(scap_copy_trigger(copy, r, &trigger), 0);
	cr_assert_eq(scap_copy_events(copy), c.n_stored);
	cr_assert_eq(scap_copy_close(copy, scap_reader_info(r), NULL), 0);
	scap_reader_close(r);
	capture_free(&c);
}

Test(copy, the_event_of_the_trigger)
{
	struct rows file = { 0 }, to = { 0 };
	struct rows_reader rr;
	struct scap_reader *r;

	with_trigger(&file, 17);
	r = open_rows(&file, &rr);
	cr_assert(scap_reader_info(r)->continues, "START stands in front of TRIGGER");
	cr_assert_eq(scap_reader_trigger(r)->event, 17);
	scap_reader_close(r);
	for (unsigned i = 0; i < N_FILTERS; i++) {
		struct scap_filter *f = compile(filters[i]);
		struct contents a = read_contents(&file, f);
		struct scap_writer *w;

		to.n = 0;
		r = open_rows(&file, &rr);
		w = open_writer(r, &to, 0);
		cr_assert_eq(scap_copy_chosen(r, f, w, NULL), 0);
		cr_assert_eq(scap_copy_trigger_event(w), a.at_event, "%s", filters[i]);
		cr_assert_eq(scap_copy_finish(w, r, NULL), 0);
		scap_reader_close(r);
		free(a.events);
		scap_filter_free(f);
	}
	rows_free(&file);
	rows_free(&to);
}

/* Where events were lost in front of it, only the second TRIGGER knows which one it is. */
Test(copy, the_event_as_it_turned_out)
{
	static const uint64_t thought[] = { 0, 1, 16, 18, 40, UINT64_MAX };
	struct rows file = { 0 }, to = { 0 };
	struct rows_reader rr;

	for (size_t i = 0; i < sizeof(thought) / sizeof(*thought) * N_FILTERS; i++) {
		struct scap_filter *f = compile(filters[i % N_FILTERS]);
		struct contents a;
		struct scap_reader *r;
		struct scap_writer *w;

		file.n = to.n = 0;
		with_trigger(&file, thought[i / N_FILTERS]);
		a = read_contents(&file, f);
		r = open_rows(&file, &rr);
		w = open_writer(r, &to, 0);
		cr_assert_eq(scap_copy_chosen(r, f, w, NULL), 0);
		cr_assert_eq(scap_copy_trigger_event(w), a.at_event);
		cr_assert_eq(scap_copy_finish(w, r, NULL), 0);
		scap_reader_close(r);
		free(a.events);
		scap_filter_free(f);
	}
	rows_free(&file);
	rows_free(&to);
}

/* Gaps and holes may be left out, too, and what they tell of with them. */
Test(copy, losses_left_out)
{
	struct contents b;
	const struct scap_event *ev;
	struct rows to = { 0 };
	struct rows_reader rr;
	struct scap_reader *r;
	struct scap_copy *copy;
	struct capture c;
	int rc;

	rows_capture(&c, &(struct capture_spec){ .seed = 9, .n_cpus = 3, .n_slices = 6,
		     .per_slice = 40, .gaps = true });
	c.file.p[c.slice_ends[3] - 20] ^= 1;
	r = open_rows(&c.file, &rr);
	cr_assert_eq(scap_copy_new(open_writer(r, &to, 0), &copy), 0);
	cr_assert_eq(scap_copy_choose(copy), 0);
	while ((rc = scap_reader_next(r, &ev)) != 1) {
		if (rc)
			continue;
		rc = ev->type == SCAP_REC_GAP ? scap_copy_skip(copy, r, ev) :
		     scap_copy_event(copy, r, ev);
		cr_assert_eq(rc, 0, "%s", scap_copy_error(copy)->text);
	}
	cr_assert_eq(scap_copy_close(copy, scap_reader_info(r), NULL), 0);
	scap_reader_close(r);
	b = read_contents(&to, NULL);
	cr_assert_eq(b.rc, 0);
	cr_assert_gt(b.n, 200);
	cr_assert_eq(b.n_gaps + b.n_told + b.n_unexplained, 0);
	free(b.events);
	capture_free(&c);
	rows_free(&to);
}

/* Who did not say so may leave out nothing: it would look lost. */
Test(copy, only_if_it_was_said)
{
	const struct scap_event *ev;
	struct rows to = { 0 };
	struct rows_reader rr;
	struct scap_reader *r;
	struct scap_copy *copy;
	struct capture c;

	rows_capture(&c, &(struct capture_spec){ .seed = 9, .n_cpus = 1, .n_slices = 1,
		     .per_slice = 40 });
	r = open_rows(&c.file, &rr);
	cr_assert_eq(scap_copy_new(open_writer(r, &to, 0), &copy), 0);
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_copy_skip(copy, r, ev), -EINVAL);
	cr_assert_eq(scap_copy_close(copy, scap_reader_info(r), NULL), -EINVAL);
	cr_assert_eq(scap_copy_new(open_writer(r, &to, 0), &copy), 0);
	cr_assert_eq(scap_copy_event(copy, r, ev), 0);
	cr_assert_eq(scap_copy_choose(copy), -EINVAL);
	cr_assert_eq(scap_copy_close(copy, scap_reader_info(r), NULL), -EINVAL);
	scap_reader_close(r);
	capture_free(&c);
	rows_free(&to);
}
