/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <scap/summary.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "support_rows.h"

#define E0 (500 * SCAP_EPOCH_NS)

static struct rows_reader input;

static int summarise(const struct rows *file, struct scap_summary **ret_s,
		     struct scap_reader **ret_r)
{
	struct scap_source src = rows_source(&input, file->p, file->n);

	cr_assert_eq(scap_reader_open_source(&src, NULL, ret_r, NULL), 0);
	return scap_summary_read(*ret_r, ret_s);
}

/* 0 and 0 when there is none. */
static void count_of(const struct scap_summary *s, const char *name, uint64_t *ret_stored,
		     uint64_t *ret_lost)
{
	const char *n;

	*ret_stored = *ret_lost = 0;
	for (unsigned i = 0; !scap_summary_type(s, i, &n, ret_stored, ret_lost); i++) {
		if (!strcmp(n, name))
			return;
		*ret_stored = *ret_lost = 0;
	}
}

static void expect_count(const struct scap_summary *s, const char *name, uint64_t stored,
			 uint64_t lost)
{
	uint64_t got_stored, got_lost;

	count_of(s, name, &got_stored, &got_lost);
	cr_assert_eq(got_stored, stored, "%s: stored %lu", name, (unsigned long)got_stored);
	cr_assert_eq(got_lost, lost, "%s: lost %lu", name, (unsigned long)got_lost);
}

/* Every way of adding up must give the same. */
static void check_sums(const struct scap_summary *s)
{
	const struct scap_summary_totals *t = scap_summary_totals(s);
	uint64_t stored = 0, lost = 0, a, b, last = UINT64_MAX;
	const char *name, *other;
	uint32_t cpu;

	for (unsigned i = 0; !scap_summary_type(s, i, &name, &a, &b); i++) {
		cr_assert_leq(a + b, last, "not sorted");
		last = a + b;
		stored += a;
		lost += b;
		for (unsigned k = 0; k < i; k++) {
			uint64_t c, d;

			scap_summary_type(s, k, &other, &c, &d);
			cr_assert_str_neq(name, other);
		}
	}
	cr_assert_eq(stored, t->stored);
	cr_assert_eq(lost, t->lost);
	stored = lost = 0;
	for (unsigned i = 0; !scap_summary_cpu(s, i, &cpu, &a, &b); i++) {
		stored += a;
		lost += b;
	}
	cr_assert_eq(stored, t->stored);
	cr_assert_eq(lost, t->lost);
	cr_assert_eq(t->attempted, t->stored + t->lost);
}

Test(summary, equals_what_was_written)
{
	for (uint64_t seed = 1; seed <= 6; seed++) {
		const struct scap_summary_totals *t;
		struct scap_summary *s = NULL;
		struct scap_reader *r = NULL;
		struct capture c;
		uint64_t bytes = 0;

		rows_capture(&c, &(struct capture_spec){ .seed = seed, .n_cpus = seed,
			     .n_slices = 6, .per_slice = 100, .gaps = seed & 1 });
		cr_assert_eq(summarise(&c.file, &s, &r), 0);
		t = scap_summary_totals(s);
		check_sums(s);
		cr_assert_eq(t->stored, c.n_stored);
		cr_assert_eq(t->lost, c.n_lost);
		cr_assert_eq(t->n_gaps, c.n_gaps);
		cr_assert_eq(t->bookkeeping, c.n_bookkeeping);
		cr_assert_eq(t->unexplained, 0);
		for (uint32_t i = 0; i < c.n_cpus; i++)
			bytes += c.cpu_rows[i].n;
		cr_assert_eq(t->row_bytes, bytes);
		cr_assert_leq(t->first_wall_ns, t->last_wall_ns);
		scap_summary_free(s);
		scap_reader_close(r);
		capture_free(&c);
	}
}

/* One CPU, one slice. */
static void capture_rows(const struct rows *rows, uint32_t next_seq, struct rows *file)
{
	struct scap_slice_part part = { .cpu = 3, .rows = rows->p, .bytes = rows->n };
	struct scap_slice slice = { .start_ns = E0, .end_ns = E0 + SCAP_EPOCH_NS, .n_parts = 1,
				    .parts = &part };
	struct scap_sink sink = rows_sink(file);
	struct scap_ring_end end = { .cpu = 3, .next_seq = next_seq };
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, NULL, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &slice), 0);
	cr_assert_eq(scap_writer_close(w, E0 + SCAP_EPOCH_NS, &end, 1, NULL), 0);
}

static void put_enter(struct rows *r, uint32_t seq, uint16_t nr)
{
	struct scap_rec_enter e = { .tid = 1, .nr = nr };
	size_t at = rows_begin(r, SCAP_REC_ENTER, 0, seq, E0 + seq);

	rows_put(r, (uint8_t *)&e + 16, 8);
	rows_end(r, at);
}

Test(summary, names_and_numbers)
{
	struct scap_tally t[3] = {
		{ SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, 39), 5 },
		{ SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_I386, 20), 2 },
		{ SCAP_TALLY_KEY(SCAP_REC_EXIT, 0, 0), 1 },
	};
	struct rows rows = { 0 }, file = { 0 };
	struct scap_summary *s;
	struct scap_reader *r;

	rows_call(&rows, 0, E0, 1, 39, 0);
	rows_call(&rows, 1, E0 + 1, 1, 9999, 0);
	rows_gap(&rows, 10, E0 + 2, 2, t, 3);
	put_enter(&rows, 11, 59);
	put_enter(&rows, 12, 231);
	rows_intro(&rows, 13, E0 + 13, 1, "sh");
	rows_call(&rows, 14, E0 + 14, 1, 39, 0);
	capture_rows(&rows, 15, &file);
	cr_assert_eq(summarise(&file, &s, &r), 0);
	check_sums(s);
	expect_count(s, "getpid", 2, 7);
	expect_count(s, "syscall_9999", 1, 0);
	expect_count(s, "execve_enter", 1, 0);
	expect_count(s, "exit_group", 1, 0);
	expect_count(s, "procexit", 0, 1);
	expect_count(s, "unknown", 0, 0);
	cr_assert_eq(scap_summary_totals(s)->attempted, 13);
	cr_assert_eq(scap_summary_totals(s)->bookkeeping, 2);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&rows);
	rows_free(&file);
}

Test(summary, holes_without_a_gap)
{
	struct scap_tally t = { SCAP_TALLY_KEY(SCAP_REC_CALL, SCAP_ABI_X86_64, 39), 2 };
	struct rows rows = { 0 }, file = { 0 };
	struct scap_summary *s;
	struct scap_reader *r;

	rows_call(&rows, 1, E0, 1, 39, 0);		/* 0 is missing */
	rows_call(&rows, 4, E0, 1, 39, 0);		/* 2 and 3 */
	rows_gap(&rows, 10, E0, 6, &t, 1);		/* 5, 8, 9; 6 and 7 are explained */
	rows_call(&rows, 11, E0, 1, 39, 0);
	capture_rows(&rows, 16, &file);			/* 12 to 15 never came */
	cr_assert_eq(summarise(&file, &s, &r), 0);
	check_sums(s);
	cr_assert_eq(scap_summary_totals(s)->unexplained, 1 + 2 + 3 + 4);
	cr_assert_eq(scap_summary_totals(s)->lost, 2 + 10);
	expect_count(s, "unknown", 0, 10);
	expect_count(s, "getpid", 3, 2);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&rows);
	rows_free(&file);
}

/* The summary and the event itself call each stored event the same. */
Test(summary, names_are_the_events_own)
{
	static const int64_t numbers[] = { 0x40000027, -1, 0xffff, 0x4000ffff, 9999, 39 };
	struct rows rows = { 0 }, file = { 0 };
	struct rows_reader own;
	struct scap_source src;
	const struct scap_event *ev;
	struct scap_summary *s;
	struct scap_reader *r, *r2;

	for (uint32_t i = 0; i < 6; i++) {
		struct scap_rec_call c = {
			.tid = 1, .nr = (uint16_t)numbers[i],
			.shape = SCAP_SHAPE(i & 1 ? SCAP_ABI_X86_64 : SCAP_ABI_X32, 0),
		};
		size_t at = rows_begin(&rows, SCAP_REC_CALL, SCAP_CALL_NR64, i, E0 + i);

		rows_put(&rows, (uint8_t *)&c + 16, sizeof(c) - 16);
		rows_put(&rows, &numbers[i], 8);
		rows_end(&rows, at);
	}
	capture_rows(&rows, 6, &file);
	cr_assert_eq(summarise(&file, &s, &r), 0, "%s", scap_reader_error(r)->text);
	src = rows_source(&own, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r2, NULL), 0);
	for (int i = 0; i < 6; i++) {
		uint64_t stored, lost;

		cr_assert_eq(scap_reader_next(r2, &ev), 0);
		count_of(s, scap_event_name(ev), &stored, &lost);
		cr_assert_gt(stored, 0, "%s", scap_event_name(ev));
	}
	check_sums(s);
	expect_count(s, "syscall_-1", 1, 0);
	expect_count(s, "syscall_65535", 1, 0);
	expect_count(s, "getpid", 2, 0);
	expect_count(s, "syscall_other", 0, 0);
	scap_summary_free(s);
	scap_reader_close(r);
	scap_reader_close(r2);
	rows_free(&rows);
	rows_free(&file);
}

/* A CPU of which nothing but losses is known. */
Test(summary, silent_cpu)
{
	struct rows rows = { 0 }, file = { 0 };
	struct scap_summary *s;
	struct scap_reader *r;
	uint64_t stored, lost;
	uint32_t cpu;

	capture_rows(&rows, 50, &file);
	cr_assert_eq(summarise(&file, &s, &r), 0);
	cr_assert_eq(scap_summary_cpu(s, 0, &cpu, &stored, &lost), 0);
	cr_assert_eq(cpu, 3);
	cr_assert_eq(lost, 50);
	cr_assert_eq(scap_summary_cpu(s, 1, &cpu, &stored, &lost), 1);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&file);
}

/* Sequence numbers are modulo 2^32. */
Test(summary, sequence_wraps)
{
	struct rows rows = { 0 }, file = { 0 };
	struct scap_tally t = { SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 39), 0x7fffff00 };
	struct scap_summary *s;
	struct scap_reader *r;

	rows_gap(&rows, 0x7fffff00, E0, 0, &t, 1);
	rows_gap(&rows, 0xfffffe01, E0, 0x7fffff01, &t, 1);
	t.count = 0x400;
	rows_gap(&rows, 0x202, E0, 0xfffffe02, &t, 1);
	rows_call(&rows, 0x203, E0, 1, 39, 0);
	capture_rows(&rows, 0x204, &file);
	cr_assert_eq(summarise(&file, &s, &r), 0, "%s", scap_reader_error(r)->text);
	cr_assert_eq(scap_summary_totals(s)->unexplained, 0);
	cr_assert_eq(scap_summary_totals(s)->lost, 2 * 0x7fffff00ull + 0x400);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&rows);
	rows_free(&file);
}

/* What a damaged slice held is missing, and told as such; the sum over everything stays right. */
Test(summary, damaged_slice)
{
	const struct scap_summary_totals *t;
	struct scap_summary *s = NULL;
	struct scap_reader *r = NULL;
	struct capture c;
	uint64_t seqs = 0, at;

	rows_capture(&c, &(struct capture_spec){ .seed = 4, .n_cpus = 3, .n_slices = 5,
						 .per_slice = 50, .gaps = true });
	at = rows_behind_schema(&c.file, c.slice_ends[1]);
	c.file.p[at + 100] ^= 1;
	c.file.p[rows_behind_schema(&c.file, c.slice_ends[3]) + 100] ^= 1;
	cr_assert_eq(summarise(&c.file, &s, &r), SCAP_EDAMAGED);
	cr_assert_eq(scap_reader_error(r)->offset, at, "the first damage is told");
	t = scap_summary_totals(s);
	check_sums(s);
	for (uint32_t i = 0; i < c.n_cpus; i++)
		seqs += c.ends[i].next_seq;
	cr_assert_eq(t->stored + t->bookkeeping + t->lost, seqs);
	cr_assert_gt(t->unexplained, 0);
	cr_assert_lt(t->stored, c.n_stored);
	scap_summary_free(s);
	scap_reader_close(r);
	capture_free(&c);
}

Test(summary, no_end)
{
	struct scap_summary *s = NULL;
	struct scap_reader *r = NULL;
	struct capture c;

	rows_capture(&c, &(struct capture_spec){ .seed = 4, .n_cpus = 2, .n_slices = 3,
						 .per_slice = 50, .no_end = true });
	cr_assert_eq(summarise(&c.file, &s, &r), SCAP_ETRUNCATED);
	check_sums(s);
	cr_assert_eq(scap_summary_totals(s)->stored, c.n_stored);
	scap_summary_free(s);
	scap_reader_close(r);
	capture_free(&c);
	scap_summary_free(NULL);
}

Test(summary, empty)
{
	struct rows none = { 0 }, file = { 0 };
	struct scap_summary *s;
	struct scap_reader *r;
	const char *name;
	uint64_t a, b;

	capture_rows(&none, 0, &file);
	cr_assert_eq(summarise(&file, &s, &r), 0);
	cr_assert_eq(scap_summary_totals(s)->attempted, 0);
	cr_assert_eq(scap_summary_totals(s)->first_wall_ns, 0);
	cr_assert_eq(scap_summary_type(s, 0, &name, &a, &b), 1);
	scap_summary_free(s);
	scap_reader_close(r);
	rows_free(&file);
}
