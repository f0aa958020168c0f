/* SPDX-License-Identifier: MIT */
/*
 * checkgaps CAPTURE LOST NS: the gaps' counts and tallies add up to LOST, the time they say that
 * something is missing in is at least NS, and nothing that is there has its time in a gap of its
 * ring. Differences are lines that begin with FAIL.
 */
#include "capture.h"

#define MAX_GAPS 100000

struct gap {
	uint32_t ring;
	uint64_t first_ns, last_ns;
};

static struct gap gaps[MAX_GAPS];
static unsigned n_gaps;

static unsigned long long tallied(const struct scap_event *ev)
{
	unsigned long long n = 0;
	struct scap_tally t;

	for (uint32_t i = 0; i < ev->u.gap.n_tally; i++) {
		memcpy(&t, ev->u.gap.tally + i * sizeof(t), sizeof(t));
		n += t.count;
	}
	return n;
}

static void read_gaps(const char *path, unsigned long long *ret_lost, uint64_t *ret_ns)
{
	struct scap_reader *r = capture_open(path);
	const struct scap_event *ev;

	while ((ev = capture_next(r)) != NULL && n_gaps < MAX_GAPS) {
		if (ev->type != SCAP_REC_GAP)
			continue;
		if (tallied(ev) != ev->u.gap.n_lost)
			printf("FAIL a gap of %u has a tally of %llu\n", ev->u.gap.n_lost,
			       tallied(ev));
		gaps[n_gaps++] = (struct gap){ ev->ring, ev->u.gap.first_ns, ev->u.gap.last_ns };
		*ret_lost += ev->u.gap.n_lost;
		if (ev->u.gap.last_ns - ev->u.gap.first_ns > *ret_ns)
			*ret_ns = ev->u.gap.last_ns - ev->u.gap.first_ns;
	}
	scap_reader_close(r);
}

static bool in_gap(const struct scap_event *ev)
{
	for (unsigned i = 0; i < n_gaps; i++)
		if (gaps[i].ring == ev->ring && ev->raw_ns > gaps[i].first_ns &&
		    ev->raw_ns < gaps[i].last_ns)
			return true;
	return false;
}

static unsigned long in_gaps(const char *path)
{
	struct scap_reader *r = capture_open(path);
	const struct scap_event *ev;
	unsigned long n = 0;

	while ((ev = capture_next(r)) != NULL)
		n += ev->type < 16 && in_gap(ev);
	scap_reader_close(r);
	return n;
}

int main(int argc, char **argv)
{
	unsigned long long lost = 0;
	unsigned long n_inside;
	uint64_t longest = 0;
	bool ok;

	if (argc != 4)
		die("usage: checkgaps CAPTURE LOST NS");
	read_gaps(argv[1], &lost, &longest);
	n_inside = in_gaps(argv[1]);
	printf("%u gaps, %llu lost, the longest %llu ns, %lu events inside\n", n_gaps, lost,
	       (unsigned long long)longest, n_inside);
	ok = lost == strtoull(argv[2], NULL, 10) && longest >= strtoull(argv[3], NULL, 10) &&
	     n_inside == 0 && n_gaps > 0;
	if (!ok)
		printf("FAIL should be %s lost, at least %s ns, none inside\n", argv[2], argv[3]);
	return !ok;
}
