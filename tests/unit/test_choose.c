/* SPDX-License-Identifier: MIT */
/* Reading less than all of a capture: what is chosen is as in a whole reading. */
#include <criterion/criterion.h>
#include <string.h>

#include "format/event.h"
#include "format/reader.h"
#include "support_rows.h"

static struct rows_reader input;

static struct scap_reader *open_reader(const struct rows *file)
{
	struct scap_source src = rows_source(&input, file->p, file->n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, &err), 0, "%s", err.text);
	return r;
}

/* ---- choosing by kind ---------------------------------------------------------------------- */

/* Some kinds, as the bits of a number say. */
static bool may(void *ctx, const struct scap_event *ev, unsigned known)
{
	uint64_t hash = (ev->type * 31u + ev->abi) * 31u + (uint64_t)ev->nr;

	cr_assert(known & SCAP__KNOWN_KIND);
	return *(uint64_t *)ctx >> hash % 64 & 1;
}

static enum scap__by_file by_more(void *ctx, const struct scap_event *ev)
{
	(void)ctx;
	(void)ev;
	return SCAP__BY_MORE;
}

/* The events that may() says yes to, with what they know of their thread and file. */
static size_t read_kinds(const struct capture *c, uint64_t *kinds, bool choose,
			 struct rows_seen *out, uint64_t *ret_last)
{
	struct scap__chooser chooser = { .ctx = kinds, .may = may, .by_file = by_more };
	struct scap_reader *r = open_reader(&c->file);
	const struct scap_event *ev;
	size_t n = 0;
	int rc;

	*ret_last = 0;
	if (choose)
		scap__reader_choose(r, &chooser);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		*ret_last += 1;
		if (ev->num && !may(kinds, ev, SCAP__KNOWN_KIND))
			continue;
		out[n++] = rows_see(ev);
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	scap_reader_close(r);
	return n;
}

Test(choose, chosen_kinds_are_as_in_the_whole)
{
	static struct rows_seen whole[20000], chosen[20000];
	uint64_t left_out = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct capture_spec spec = { .seed = seed, .n_cpus = 1 + seed % 5,
					     .n_slices = seed % 3 ? 4 : 40,
					     .per_slice = seed % 3 ? 60 : 4, .gaps = seed % 4 == 0,
					     .slices_per_epoch = seed % 4, .groups = true };
		uint64_t kinds = seed % 7 ? rows_random(&spec.seed) : 0, n_whole, n_chosen;
		struct capture c;
		size_t n;

		kinds &= rows_random(&spec.seed);
		rows_capture(&c, &spec);
		n = read_kinds(&c, &kinds, false, whole, &n_whole);
		cr_assert_eq(read_kinds(&c, &kinds, true, chosen, &n_chosen), n);
		for (size_t i = 0; i < n; i++)
			cr_assert(rows_same(&whole[i], &chosen[i]), "seed %lu, event %zu", seed, i);
		cr_assert_leq(n_chosen, n_whole);
		left_out += n_whole - n_chosen;
		capture_free(&c);
	}
	cr_assert_gt(left_out, 3000);
}

/* ---- choosing by a filter ------------------------------------------------------------------- */

/* The events that the filter matches. */
static size_t read_matches(const struct capture *c, const struct scap_filter *f, bool choose,
			   struct rows_seen *out, uint64_t *ret_n)
{
	struct scap_reader *r = open_reader(&c->file);
	const struct scap_event *ev;
	size_t n = 0;
	int rc;

	*ret_n = 0;
	if (choose)
		scap_reader_choose(r, f);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		*ret_n += 1;
		if (!ev->num || scap_filter_match(f, ev))
			out[n++] = rows_see(ev);
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	scap_reader_close(r);
	return n;
}

static const char *const filters[] = {
	"evt.failed=true", "evt.failed!=true", "evt.res=EACCES", "evt.res!=SUCCESS",
	"evt.res contains E", "evt.res=-300", "evt.res exists", "not evt.res exists",
	"evt.rawres<-1", "evt.rawres in (1, 3, -2)", "evt.rawres>=4294967296",
	"evt.latency>1ms", "evt.latency<=1000", "not evt.latency exists",
	"evt.latency>=18446744073709551615", "thread.tid=103", "thread.tid!=103",
	"thread.tid<101 or thread.tid>106", "proc.name=sh", "proc.name!=sh", "not proc.name=sh",
	"proc.name startswith fift and evt.failed=true", "not proc.name exists", "proc.pid>0",
	"fd.name contains /srv/data/01", "fd.name=/srv/data/0", "not fd.name contains 0",
	"fd.name exists", "fd.type=file", "fd.type=ipv4 or fd.port=80", "fd.num>=0",
	"fd.name contains 7 or evt.rawres=7", "proc.name=sh and fd.name contains /srv",
	"proc.name=sh and evt.type=procexec", "proc.exepath exists or proc.name=httpd",
	"evt.type in (read, write, openat) and fd.name endswith 3",
	"evt.num<50", "evt.type=connect or fd.sport=1", "evt.type=procexec", "proc.cmdnargs>=0",
	"(evt.failed=true or evt.latency>5us) and not proc.name=httpd",
};

/* Whatever the filter asks of columns, what matches is what matches in a whole reading. */
Test(choose, chosen_by_filters_are_as_in_the_whole)
{
	static struct rows_seen whole[20000], chosen[20000];
	uint64_t left_out = 0, n_whole, n_chosen, matched = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct capture_spec spec = { .seed = seed * 77, .n_cpus = 1 + seed % 4,
					     .n_slices = seed % 3 ? 4 : 20, .groups = true,
					     .per_slice = seed % 3 ? 80 : 10,
					     .slices_per_epoch = seed % 4 };
		struct capture c;

		rows_capture(&c, &spec);
		for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
			struct scap_filter *f;
			size_t n;

			if (scap_filter_compile(filters[i], &f, NULL))
				continue;
			n = read_matches(&c, f, false, whole, &n_whole);
			cr_assert_eq(read_matches(&c, f, true, chosen, &n_chosen), n, "%s: %zu",
				     filters[i], n);
			for (size_t k = 0; k < n; k++)
				cr_assert(rows_same(&whole[k], &chosen[k]),
					  "seed %lu, %s, event %zu", seed, filters[i], k);
			left_out += n_whole - n_chosen;
			matched += n;
			scap_filter_free(f);
		}
		capture_free(&c);
	}
	cr_assert_gt(left_out, 100000);
	cr_assert_gt(matched, 10000);
}

/*
 * Records of a type that this library does not know are left out of chosen slices, too. They are
 * events, and have the numbers that others see them with.
 */
Test(choose, unknown_types_are_not_chosen)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = SCAP_WRITER_GROUPS };
	struct capture c = { 0 };
	struct scap_sink sink = rows_sink(&c.file);
	struct scap_slice_part part = { .cpu = 0 };
	struct scap_slice s = { .start_ns = SCAP_EPOCH_NS, .end_ns = 2 * SCAP_EPOCH_NS,
				.n_parts = 1, .parts = &part };
	struct scap_ring_end end = { .next_seq = 30 };
	uint64_t all = UINT64_MAX, n_events;
	static struct rows_seen seen[40];
	struct scap_writer *w;
	struct rows rows = { 0 };

	for (uint32_t i = 0; i < 30; i++) {
		if (i % 3)
			rows_call(&rows, i, SCAP_EPOCH_NS + i, 7, 39, 7);
		else
			rows_end(&rows, rows_begin(&rows, 14, 0, i, SCAP_EPOCH_NS + i));
	}
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	cr_assert_eq(scap_writer_close(w, 2 * SCAP_EPOCH_NS, &end, 1, NULL), 0);
	for (int choose = 0; choose < 2; choose++) {
		cr_assert_eq(read_kinds(&c, &all, choose, seen, &n_events), 20, "%d", choose);
		cr_assert_eq(n_events, 20);
		for (uint64_t k = 0; k < 20; k++)
			cr_assert_eq(seen[k].num, k / 2 * 3 + k % 2 + 2, "%d", choose);
	}
	rows_free(&rows);
	rows_free(&c.file);
}
