/* SPDX-License-Identifier: MIT */
/* scap verify: which of the lost events may have been chosen ones. */
#include <criterion/criterion.h>

#include "format/event.h"
#include "tools/opts.c"
#include "tools/selection.c"
#include "tools/tree.c"

#define CALL(nr) SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, nr)

static const struct scap_tally tally[] = {
	{ CALL(0), 7 }, { CALL(59), 1 }, { SCAP_TALLY_KEY(SCAP_REC_FORK, 0, 0), 2 },
};

static void gap_at(struct scap_event *ev, uint64_t first_ns, uint64_t last_ns, uint32_t n)
{
	*ev = (struct scap_event){ .type = SCAP_REC_GAP, .raw_ns = last_ns, .wall_ns = last_ns };
	ev->u.gap.first_ns = first_ns;
	ev->u.gap.last_ns = last_ns;
	ev->u.gap.n_lost = n;
}

static void with_tally(struct scap_event *ev, uint32_t n)
{
	ev->u.gap.tally = (const uint8_t *)tally;
	ev->u.gap.n_tally = n;
	ev->u.gap.n_lost = 0;
	for (uint32_t i = 0; i < n; i++)
		ev->u.gap.n_lost += tally[i].count;
}

static void expect(struct selection *s, const struct scap_event *ev, uint64_t lost,
		   uint64_t unknown, uint64_t forks)
{
	struct loss l;

	selection_gap(s, ev, &l);
	cr_assert_eq(l.lost, lost, "%lu", (unsigned long)l.lost);
	cr_assert_eq(l.unknown, unknown, "%lu", (unsigned long)l.unknown);
	cr_assert_eq(l.forks, forks, "%lu", (unsigned long)l.forks);
}

Test(selection, a_range)
{
	static const struct {
		uint64_t first, last;
		uint32_t n;
		uint64_t lost, unknown;
	} rows[] = {
		{ 1000, 2000, 9, 9, 0 },	/* its ends belong to it */
		{ 1500, 1500, 1, 1, 0 },
		{ 500, 999, 9, 0, 0 },
		{ 2001, 2500, 9, 0, 0 },
		/* The first and the last lost one are known to lie at a gap's ends. */
		{ 500, 1500, 9, 1, 7 },
		{ 1500, 2500, 9, 1, 7 },
		{ 500, 2500, 9, 0, 7 },
		{ 500, 1500, 2, 1, 0 },
		{ 500, 2500, 2, 0, 0 },
		/* What no kernel writes. */
		{ 500, 1500, 1, 0, 1 },
		{ 500, 2500, 1, 0, 1 },
		{ 1500, 500, 3, 3, 0 },
		{ 0, UINT64_MAX, UINT32_MAX, 0, UINT32_MAX - 2u },
		{ 500, 1500, 0, 0, 0 },
	};
	struct scap_event ev;
	struct selection s;

	selection_init(&s);
	s.from_ns = 1000;
	s.to_ns = 2000;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		gap_at(&ev, rows[i].first, rows[i].last, rows[i].n);
		expect(&s, &ev, rows[i].lost, rows[i].unknown, 0);
	}
	s.to_ns = UINT64_MAX;
	gap_at(&ev, 1500, UINT64_MAX, 9);
	expect(&s, &ev, 9, 0, 0);
	s.from_ns = 0;
	gap_at(&ev, 0, 10, 9);
	expect(&s, &ev, 9, 0, 0);
	selection_fini(&s);
}

/* Nothing says when in its range what no record tells of was missing. */
Test(selection, a_range_and_no_record)
{
	struct scap_event ev;
	struct selection s;

	selection_init(&s);
	s.from_ns = 1000;
	gap_at(&ev, 500, 1500, 9);
	ev.u.gap.unexplained = true;
	expect(&s, &ev, 0, 9, 0);
	gap_at(&ev, 500, 999, 9);
	ev.u.gap.unexplained = true;
	expect(&s, &ev, 0, 0, 0);
	/* Events behind it may lack their names. */
	cr_assert_eq(scap_filter_compile("proc.name=sh", &s.filter, NULL), 0);
	expect(&s, &ev, 0, 9, 0);
	s.from_ns = 1000 + NAMES_NS;
	expect(&s, &ev, 0, 0, 0);
	cr_assert(selection_touched(&s, 500, 1000));
	cr_assert_not(selection_touched(&s, 500, 999));
	selection_fini(&s);
}

Test(selection, a_filter_and_a_range)
{
	struct scap_event ev;
	struct selection s;

	selection_init(&s);
	s.from_ns = 1000;
	cr_assert_eq(scap_filter_compile("evt.type=read or (evt.type=execve and proc.name=sh)",
					 &s.filter, NULL), 0);
	gap_at(&ev, 1500, 2000, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 7, 1, 0);
	/* Which kinds lie in the range nobody knows; it is not the one at the gap's beginning. */
	gap_at(&ev, 500, 2000, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 0, 8, 0);
	with_tally(&ev, 1);
	expect(&s, &ev, 1, 5, 0);
	gap_at(&ev, 500, 600, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 0, 0, 0);
	selection_fini(&s);
}

Test(selection, a_tree)
{
	struct scap_event ev;
	struct selection s;

	selection_init(&s);
	cr_assert(tree_init(&s.tree, 100));
	s.has_tree = true;
	s.from_ns = 1000;
	s.to_ns = 2000;
	gap_at(&ev, 1500, 1600, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 0, 10, 2);
	with_tally(&ev, 2);
	expect(&s, &ev, 0, 8, 0);
	gap_at(&ev, 100, 200, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 0, 0, 2);
	gap_at(&ev, 2100, 2200, 0);
	with_tally(&ev, 3);
	expect(&s, &ev, 0, 0, 0);
	cr_assert(selection_touched(&s, 10, 20), "the tree may have grown then");
	cr_assert_not(selection_touched(&s, 2001, 2002));
	selection_fini(&s);
}

static bool chosen(struct selection *s, uint32_t tgid, uint64_t raw_ns, uint64_t wall_ns)
{
	struct scap__thread thread = { .tid = tgid, .tgid = tgid, .ppid = 1 };
	struct scap_event ev = { .num = 1, .type = SCAP_REC_CALL, .tid = tgid, .thread = &thread,
				 .raw_ns = raw_ns, .wall_ns = wall_ns };

	return selection_has(s, &ev);
}

Test(selection, events)
{
	struct selection s;

	selection_init(&s);
	cr_assert(chosen(&s, 100, 1, 1));
	cr_assert(tree_init(&s.tree, 100));
	s.has_tree = true;
	s.from_ns = 1000;
	s.to_ns = 2000;
	cr_assert_not(chosen(&s, 100, 999, 999));
	cr_assert(chosen(&s, 100, 1000, 1000));
	cr_assert_not(chosen(&s, 101, 1500, 1500));
	cr_assert(chosen(&s, 100, 2000, 2000));
	cr_assert_not(chosen(&s, 100, 2001, 2001));
	selection_fini(&s);
}

/* The wall clock was set by 300 ns in between: nobody knows before which loss. */
Test(selection, a_clock_that_was_set)
{
	struct scap_event ev;
	struct selection s;

	selection_init(&s);
	s.from_ns = 1000;
	s.to_ns = 5000;
	gap_at(&ev, 900, 950, 9);
	expect(&s, &ev, 0, 0, 0);
	chosen(&s, 1, 100, 400);
	expect(&s, &ev, 0, 9, 0);
	gap_at(&ev, 1200, 1250, 9);
	expect(&s, &ev, 0, 9, 0);
	gap_at(&ev, 1300, 4700, 9);
	expect(&s, &ev, 9, 0, 0);
	gap_at(&ev, 600, 699, 9);
	expect(&s, &ev, 0, 0, 0);
	gap_at(&ev, 5300, 5400, 9);
	expect(&s, &ev, 0, 8, 0);
	gap_at(&ev, 5301, 5400, 9);
	expect(&s, &ev, 0, 0, 0);
	cr_assert(selection_touched(&s, 600, 700));
	cr_assert_not(selection_touched(&s, 600, 699));
	selection_fini(&s);
}
