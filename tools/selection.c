/* SPDX-License-Identifier: MIT */
#include "selection.h"

/*
 * Where records are missing without a GAP, introductions may be, too, until they come again in the
 * next epoch of 2^30 ns: events of that time may be there and not be recognized.
 */
#define NAMES_NS (1ull << 30)

void selection_init(struct selection *s)
{
	*s = (struct selection){ .to_ns = UINT64_MAX };
}

void selection_fini(struct selection *s)
{
	scap_filter_free(s->filter);
	tree_fini(&s->tree);
}

/* ---- time ---------------------------------------------------------------------------------- */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void note_clock(struct selection *s, const struct scap_event *ev)
{
	uint64_t clock = scap_event_wall_ns(ev) - scap_event_raw_ns(ev);

	if (!s->clock_known || clock < s->clock_min)
		s->clock_min = clock;
	if (!s->clock_known || clock > s->clock_max)
		s->clock_max = clock;
	s->clock_known = true;
}

/*
 * A gap's times are told by the wall clock of the record behind it. By that of its own time they
 * may be so much earlier or later.
 */
static uint64_t slack(const struct selection *s)
{
	return s->clock_max - s->clock_min;
}

enum place { OUTSIDE, NEAR_EDGE, INSIDE };

static enum place place_of(const struct selection *s, uint64_t ns)
{
	uint64_t by = slack(s), end = later(ns, by);

	if ((s->from_ns && end < s->from_ns) ||
	    (s->to_ns != UINT64_MAX && ns > later(s->to_ns, by)))
		return OUTSIDE;
	if ((s->from_ns && ns < later(s->from_ns, by)) ||
	    (s->to_ns != UINT64_MAX && end > s->to_ns))
		return NEAR_EDGE;
	return INSIDE;
}

static bool begins_too_late(const struct selection *s, uint64_t ns)
{
	return s->to_ns != UINT64_MAX && ns > later(s->to_ns, slack(s));
}

static bool overlaps(const struct selection *s, uint64_t first_ns, uint64_t last_ns)
{
	return !begins_too_late(s, first_ns) && later(last_ns, slack(s)) >= s->from_ns;
}

bool selection_touched(const struct selection *s, uint64_t first_ns, uint64_t last_ns)
{
	if (s->has_tree)
		return !begins_too_late(s, first_ns);
	return overlaps(s, first_ns, s->filter ? later(last_ns, NAMES_NS) : last_ns);
}

/* ---- events and gaps ----------------------------------------------------------------------- */

bool selection_has(struct selection *s, const struct scap_event *ev)
{
	uint64_t wall = scap_event_wall_ns(ev);
	bool in_tree = !s->has_tree || tree_step(&s->tree, ev);

	note_clock(s, ev);
	return in_tree && wall >= s->from_ns && wall <= s->to_ns &&
	       (!s->filter || scap_filter_match(s->filter, ev));
}

/*
 * A gap that is partly in the range. The first and the last that it lost were lost at its ends;
 * when the others were nobody knows, nor which kinds lie at the ends.
 */
static void cut(uint64_t n, enum place first, enum place last, struct loss *l)
{
	uint64_t room = n, certain = 0, may = l->lost + l->unknown;

	if (n > 1) {
		room -= (first == OUTSIDE) + (last == OUTSIDE);
		certain = (first == INSIDE) + (last == INSIDE);
	}
	if (l->lost < n)
		certain = 0;
	if (may > room)
		may = room;
	l->lost = certain < may ? certain : may;
	l->unknown = may - l->lost;
}

void selection_gap(struct selection *s, const struct scap_event *ev, struct loss *ret)
{
	bool unexplained = scap_event_gap_unexplained(ev);
	enum place first_at, last_at;
	uint64_t n, first, last;

	*ret = (struct loss){ 0 };
	note_clock(s, ev);
	if (scap_event_gap(ev, &n, &first, &last) ||
	    scap_filter_gap(s->filter, ev, &ret->lost, &ret->unknown))
		return;
	if (last < first)
		last = first;
	if (s->has_tree) {
		ret->unknown += ret->lost;
		ret->lost = 0;
		if (!begins_too_late(s, first))
			ret->forks = scap_event_gap_forks(ev);
	}
	if (unexplained && (s->filter || s->has_tree))
		last = later(last, NAMES_NS);
	first_at = place_of(s, first);
	last_at = place_of(s, last);
	if (!overlaps(s, first, last))
		ret->lost = ret->unknown = 0;
	else if (!unexplained && (first_at != INSIDE || last_at != INSIDE))
		cut(n, first_at, last_at, ret);
}
