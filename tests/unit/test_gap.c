/* SPDX-License-Identifier: MIT */
/* What of a gap a filter may have chosen, and up to where gaps were told. */
#include <criterion/criterion.h>
#include <scap/filter.h>

#include "format/reader.h"
#include "support_rows.h"

#define E0 (500 * SCAP_EPOCH_NS)
#define CALL(nr) SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, nr)

static const struct scap_tally tally[] = {
	{ CALL(0), 100 },					/* read */
	{ SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_I386, 3), 20 },	/* read */
	{ CALL(59), 3 },					/* execve */
	{ SCAP_TALLY_KEY(SCAP_REC_ENTER, 0, 59), 4 },
	{ SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0), 5 },
};

static void gap_of(struct scap_event *ev, const struct scap_tally *t, uint32_t n)
{
	*ev = (struct scap_event){ .type = SCAP_REC_GAP };
	ev->u.gap.tally = (const uint8_t *)t;
	ev->u.gap.n_tally = n;
	for (uint32_t i = 0; i < n; i++)
		ev->u.gap.n_lost += t[i].count;
}

static void expect(const struct scap_event *ev, const char *text, uint64_t sure, uint64_t maybe)
{
	uint64_t got_sure = 77, got_maybe = 77;
	struct scap_filter *f = NULL;

	if (text)
		cr_assert_eq(scap_filter_compile(text, &f, NULL), 0, "%s", text);
	cr_assert_eq(scap_filter_gap(f, ev, &got_sure, &got_maybe), 0);
	cr_assert_eq(got_sure, sure, "%s: %lu", text, (unsigned long)got_sure);
	cr_assert_eq(got_maybe, maybe, "%s: %lu", text, (unsigned long)got_maybe);
	scap_filter_free(f);
}

Test(gap, kinds_decide)
{
	struct scap_event ev;

	gap_of(&ev, tally, 5);
	expect(&ev, NULL, 132, 0);
	expect(&ev, "evt.type=read", 120, 0);
	expect(&ev, "evt.type in (execve, execve_enter)", 7, 0);
	expect(&ev, "evt.type=openat", 0, 0);
	expect(&ev, "not evt.type=read", 12, 0);
	expect(&ev, "proc.name=sh", 0, 132);
	expect(&ev, "evt.type=read and proc.name=sh", 0, 120);
	expect(&ev, "evt.type=read or proc.name=sh", 120, 12);
	expect(&ev, "evt.type=procfork", 5, 0);
	expect(&ev, "syscall.type exists", 123, 0);
	cr_assert_eq(scap_event_gap_forks(&ev), 5);
}

/* A key that may be anything, and the introduction of what a close closes. */
Test(gap, kinds_that_do_not_tell)
{
	static const struct scap_tally odd[] = {
		{ CALL(0), 100 }, { CALL(0xffff), 10 }, { SCAP_TALLY_KEY(SCAP_REC_FILE, 0, 0), 1 },
	};
	struct scap_event ev;

	gap_of(&ev, odd, 3);
	expect(&ev, NULL, 111, 0);
	expect(&ev, "evt.type=read", 100, 10);
	expect(&ev, "evt.type=close", 0, 11);
	expect(&ev, "evt.type=openat", 0, 10);
	expect(&ev, "fd.name=/srv/x", 0, 111);
	cr_assert_eq(scap_event_gap_forks(&ev), 10);
}

Test(gap, nothing_is_certain_without_a_record)
{
	struct scap_event ev = { .type = SCAP_REC_GAP };
	struct scap_event call = { .type = SCAP_REC_CALL };
	uint64_t sure, maybe;

	ev.u.gap.n_lost = 9;
	ev.u.gap.unexplained = true;
	expect(&ev, NULL, 0, 9);
	expect(&ev, "evt.type=read", 0, 9);
	cr_assert_eq(scap_event_gap_forks(&ev), 9);
	cr_assert_eq(scap_filter_gap(NULL, &call, &sure, &maybe), 1);
	cr_assert_eq(scap_event_gap_forks(&call), 0);
}

/* A filter with more checks than are looked at. */
Test(gap, long_filters_decide_nothing)
{
	static char text[20000] = "evt.type=read";
	struct scap_event ev;

	for (int i = 0; i < 300; i++)
		strcat(text, " or evt.type=read");
	gap_of(&ev, tally, 1);
	expect(&ev, text, 0, 100);
}

/* Two rings, of which one is silent in the second slice. */
static uint64_t told(bool with_end)
{
	struct scap_ring_end ends[] = { { .next_seq = 2 }, { .lane = 1, .next_seq = 1 } };
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = SCAP_WRITER_ROWS,
					   .raw_ns = E0, .real_ns = E0 + 7 };
	struct rows main_lane[2] = { { 0 } }, decisive = { 0 }, file = { 0 };
	struct scap_sink sink = rows_sink(&file);
	const struct scap_event *ev;
	struct rows_reader input;
	struct scap_source src;
	struct scap_reader *r;
	struct scap_writer *w;
	uint64_t ns;
	int rc;

	rows_call(&main_lane[0], 0, E0 + 100, 1, 39, 0);
	rows_call(&decisive, 0, E0 + 50, 1, 59, 0);
	rows_call(&main_lane[1], 1, E0 + SCAP_EPOCH_NS, 1, 39, 0);
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct scap_slice_part parts[2] = {
			{ .rows = main_lane[i].p, .bytes = main_lane[i].n },
			{ .lane = 1, .rows = decisive.p, .bytes = decisive.n },
		};
		struct scap_slice s = { .start_ns = E0 + i * SCAP_EPOCH_NS,
					.end_ns = E0 + (i + 1) * SCAP_EPOCH_NS,
					.n_parts = 2 - i, .parts = parts };

		cr_assert_eq(scap_writer_slice(w, &s), 0);
	}
	cr_assert_eq(scap_writer_close(w, E0 + 2 * SCAP_EPOCH_NS, with_end ? ends : NULL, 2, NULL),
		     0);
	src = rows_source(&input, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		;
	cr_assert_eq(rc, with_end ? 1 : SCAP_ETRUNCATED);
	ns = scap_reader_told_wall_ns(r);
	scap_reader_close(r);
	rows_free(&main_lane[0]);
	rows_free(&main_lane[1]);
	rows_free(&decisive);
	rows_free(&file);
	return ns;
}

Test(gap, told_up_to_the_longest_silence)
{
	cr_assert_eq(told(false), E0 + 7 + 50);
	cr_assert_eq(told(true), UINT64_MAX);
}
