/* SPDX-License-Identifier: MIT */
#include "print/line.h"

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t tally_count(const struct scap_event *ev, uint32_t i)
{
	return le32(ev->u.gap.tally + (size_t)i * sizeof(struct scap_tally) + 4);
}

/* Index of the largest count behind (count, index) in descending order; n_tally: none. */
static uint32_t next_largest(const struct scap_event *ev, uint64_t count, uint32_t index)
{
	uint32_t best = ev->u.gap.n_tally, best_count = 0;

	for (uint32_t i = 0; i < ev->u.gap.n_tally; i++) {
		uint32_t c = tally_count(ev, i);
		bool behind = c < count || (c == count && i > index);

		if (behind && c > best_count) {
			best = i;
			best_count = c;
		}
	}
	return best;
}

static void fill_item(const struct scap_event *ev, uint32_t i, struct scap__tally_item *item)
{
	uint32_t key = le32(ev->u.gap.tally + (size_t)i * sizeof(struct scap_tally));

	item->count = tally_count(ev, i);
	item->name = scap__tally_name(key, item->name_buf, sizeof(item->name_buf));
}

unsigned scap__gap_tally(const struct scap_event *ev, struct scap__tally_item *items,
			 uint64_t *ret_rest)
{
	uint64_t total = 0, count = UINT64_MAX;
	uint32_t index = 0;
	unsigned n = 0;

	for (uint32_t i = 0; i < ev->u.gap.n_tally; i++)
		total += tally_count(ev, i);
	while (n < SCAP__TALLY_SHOWN) {
		index = next_largest(ev, count, index);
		if (index == ev->u.gap.n_tally)
			break;
		fill_item(ev, index, &items[n]);
		count = items[n++].count;
		total -= count;
	}
	*ret_rest = total;
	return n;
}

uint64_t scap__gap_wall_ns(const struct scap_event *ev, uint64_t raw_ns)
{
	return raw_ns + (ev->wall_ns - ev->raw_ns);
}

void scap__out_gap(struct scap__out *o, const struct scap_event *ev,
		   const struct scap_print_options *opt)
{
	struct scap__tally_item items[SCAP__TALLY_SHOWN];
	uint64_t rest;
	unsigned n = scap__gap_tally(ev, items, &rest);

	scap__out_uint(o, ev->u.gap.n_lost);
	scap__out_str(o, ev->u.gap.unexplained ? " events missing" : " events lost");
	scap__out_lit(o, " on cpu ");
	scap__out_uint(o, ev->cpu);
	scap__out_lit(o, " between ");
	scap__out_moment(o, scap__gap_wall_ns(ev, ev->u.gap.first_ns), opt);
	scap__out_lit(o, " and ");
	scap__out_moment(o, scap__gap_wall_ns(ev, ev->u.gap.last_ns), opt);
	if (ev->u.gap.unexplained)
		scap__out_lit(o, ", without a record of what they were");
	for (unsigned i = 0; i < n; i++) {
		scap__out_str(o, i ? ", " : ": ");
		scap__out_str(o, items[i].name);
		scap__out_char(o, ' ');
		scap__out_uint(o, items[i].count);
	}
	if (rest) {
		scap__out_lit(o, ", others ");
		scap__out_uint(o, rest);
	}
}
