/* SPDX-License-Identifier: MIT */
/* Groups: rows become columns and come back, to the byte; damage is told. */
#include <criterion/criterion.h>
#include <endian.h>
#include <scap/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/group.h"
#include "support_rows.h"

#define SLICES 5
#define PARTS 3

static struct rows rows[SLICES][PARTS];
static struct scap_slice_part parts[SLICES][PARTS];
static struct scap_slice slices[SLICES];
static struct scap__group_out *out;
static struct scap__group_in *in;
static struct scap__buffer payload;
static struct scap__budget budget = { .limit = 256 << 20 };

static void make_part(unsigned s, unsigned p, unsigned n, uint64_t *seed, uint32_t *seq)
{
	uint64_t ns = 1000 + s * 1000000ull;

	for (unsigned i = 0; i < n; i++) {
		ns += rows_random(seed) % 500;
		*seq += rows_random(seed) % 20 ? 1 : 7;
		if (rows_random(seed) % 4)
			rows_call_file(&rows[s][p], *seq, ns, (uint32_t)(100 + i / 50), i % 7);
		else
			rows_any(&rows[s][p], *seq, ns, seed);
	}
}

static void make(unsigned n_records, uint64_t seed)
{
	uint32_t seq[PARTS] = { 5, 1000, UINT32_MAX - 40 };

	for (unsigned s = 0; s < SLICES; s++) {
		for (unsigned p = 0; p < PARTS; p++) {
			rows[s][p].n = 0;
			make_part(s, p, s == 2 && p == 1 ? 0 : n_records, &seed, &seq[p]);
			parts[s][p] = (struct scap_slice_part){
				.cpu = p, .lane = p & 1, .rows = rows[s][p].p,
				.bytes = rows[s][p].n,
			};
		}
		slices[s] = (struct scap_slice){
			.start_ns = s * 1000000, .end_ns = (s + 1) * 1000000, .real_ns = 77 + s,
			.boot_ns = 5, .clock_raw_ns = s, .n_parts = s == 3 ? 0 : PARTS,
			.parts = parts[s],
		};
	}
}

static void pack(void)
{
	for (unsigned s = 0; s < SLICES; s++)
		cr_assert_eq(scap__group_out_slice(out, &slices[s]), 0);
	payload.n = 0;
	cr_assert_eq(scap__group_out_finish(out, &payload), 0);
}

static void compare_slice(const struct scap__group_slice *got, const struct scap_slice *want)
{
	cr_assert_eq(got->head.start_ns, want->start_ns);
	cr_assert_eq(got->head.end_ns, want->end_ns);
	cr_assert_eq(got->head.clock_raw_ns, want->clock_raw_ns);
	cr_assert_eq(got->head.clock_real_ns, want->real_ns);
	cr_assert_eq(got->head.clock_boot_ns, want->boot_ns);
	cr_assert_eq(got->head.n_parts, want->n_parts);
	for (uint32_t p = 0; p < want->n_parts; p++) {
		cr_assert_eq(got->parts[p].ring, want->parts[p].cpu * SCAP_LANES +
			     want->parts[p].lane);
		cr_assert_eq(got->parts[p].bytes, want->parts[p].bytes);
		cr_assert(!want->parts[p].bytes ||
			  !memcmp(got->parts[p].rows, want->parts[p].rows, want->parts[p].bytes));
	}
}

/* How many slices came back as they were before an error; all of them: SLICES. */
static unsigned unpack(const uint8_t *p, size_t n, int *ret_rc)
{
	struct scap__group_slice *got;
	const char *what = NULL;
	unsigned s = 0;

	*ret_rc = scap__group_in_begin(in, p, n, &what);
	for (; !*ret_rc; s++) {
		*ret_rc = scap__group_in_slice(in, &got, &what);
		if (*ret_rc)
			break;
		cr_assert_lt(s, SLICES);
		compare_slice(got, &slices[s]);
	}
	if (*ret_rc < 0)
		cr_assert_neq(what, NULL);
	return s;
}

static void begin(void)
{
	cr_assert_eq(scap__group_out_new(NULL, 1, &out), 0);
	cr_assert_eq(scap__group_in_new(&budget, &in), 0);
}

static void end(void)
{
	scap__group_out_free(out);
	scap__group_in_free(in);
	cr_expect_eq(budget.used, 0);
	scap__buffer_fini(&payload);
	for (unsigned s = 0; s < SLICES; s++)
		for (unsigned p = 0; p < PARTS; p++)
			rows_free(&rows[s][p]);
}

TestSuite(group, .init = begin, .fini = end);

/* GROUP_ROUNDS=900: some ten million records, in two minutes. */
Test(group, back_to_the_byte, .timeout = 900)
{
	const char *rounds = getenv("GROUP_ROUNDS");
	uint64_t n = rounds ? strtoull(rounds, NULL, 10) : 20;
	int rc;

	for (uint64_t seed = 1; seed < n; seed++) {
		make((unsigned)(seed * 40 % 2000), seed);
		pack();
		cr_assert_eq(unpack(payload.p, payload.n, &rc), SLICES);
		cr_assert_eq(rc, 1);
	}
}

Test(group, nothing)
{
	struct scap__group_slice *got;
	const char *what;

	cr_assert_eq(scap__group_out_finish(out, &payload), 0);
	cr_assert_eq(scap__group_in_begin(in, payload.p, payload.n, &what), 0);
	cr_assert_eq(scap__group_in_slice(in, &got, &what), 1);
}

/* Records that the columns have no place for: unknown types, odd numbers, padding that is not 0. */
Test(group, strange_records)
{
	int rc;

	make(20, 3);
	for (unsigned i = 0; i < 30; i++) {
		struct rows *r = &rows[0][0];
		size_t at = r->n;
		uint64_t nr = 0x4000000000000 + i;

		rows_call(r, 900 + i, 900000 + i, 7, 39, 7);
		switch (i % 6) {
		case 0: r->p[at + 2] = 29; break;
		case 1: r->p[at + 2] = SCAP_REC_GAP; break;
		case 2: r->p[at + 3] |= SCAP_CALL_NR64; r->p[at] += 1; rows_put(r, &nr, 8); break;
		case 3: r->p[at] += 1; rows_put(r, "garbage", 8); break;
		case 4: r->p[at + 30] = 7; break;
		default: r->p[at + 2] = SCAP_REC_INTRO; break;
		}
	}
	parts[0][0].rows = rows[0][0].p;
	parts[0][0].bytes = rows[0][0].n;
	pack();
	cr_assert_eq(unpack(payload.p, payload.n, &rc), SLICES);
	cr_assert_eq(rc, 1);
}

/* Renames, each with two names that no other has: there are more names than records. */
Test(group, more_names_than_records)
{
	struct scap_rec_call c = { .tid = 7, .latency_ns = 100, .nr = 82,
				   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 2) };
	struct rows *r = &rows[0][0];
	uint64_t args[2] = { 0x1000, 0x2000 };
	char name[30];
	int rc;

	make(0, 1);
	for (unsigned i = 0; i < 100; i++) {
		size_t at = rows_begin(r, SCAP_REC_CALL, 0, i, 1000 + i);

		rows_put(r, (uint8_t *)&c + sizeof(struct scap_rec), sizeof(c) -
			 sizeof(struct scap_rec));
		rows_put(r, args, sizeof(args));
		for (unsigned slot = 0; slot < 2; slot++) {
			size_t n = (size_t)snprintf(name, sizeof(name), "/tmp/%u-%u", i, slot);

			rows_blob(r, slot, SCAP_STATE_WHOLE, name, n, (uint32_t)n);
		}
		rows_end(r, at);
	}
	parts[0][0].rows = r->p;
	parts[0][0].bytes = r->n;
	pack();
	cr_assert_eq(unpack(payload.p, payload.n, &rc), SLICES);
	cr_assert_eq(rc, 1);
}

/* A group is used again after it was finished. */
Test(group, again)
{
	struct scap__buffer first;
	int rc;

	make(50, 9);
	pack();
	first = payload;
	payload = (struct scap__buffer){ 0 };
	pack();
	cr_assert_eq(first.n, payload.n);
	cr_assert(!memcmp(first.p, payload.p, first.n));
	scap__buffer_fini(&first);
	cr_assert_eq(unpack(payload.p, payload.n, &rc), SLICES);
}

Test(group, every_byte_is_checked)
{
	int rc;

	make(12, 4);
	pack();
	for (size_t i = 0; i < payload.n; i++) {
		payload.p[i] ^= 0x10;
		cr_assert_lt(unpack(payload.p, payload.n, &rc), SLICES, "byte %zu", i);
		cr_assert_eq(rc, SCAP_EDAMAGED, "byte %zu: %d", i, rc);
		payload.p[i] ^= 0x10;
	}
	for (size_t i = 0; i < payload.n; i++) {
		uint8_t *copy = malloc(i + 1);

		memcpy(copy, payload.p, i);
		cr_assert_eq(unpack(copy, i, &rc), 0);
		cr_assert_eq(rc, SCAP_EDAMAGED);
		free(copy);
	}
}

/* The payload with another directory in front of its columns, and more behind them. */
static void put_directory(struct scap__buffer *out, const uint8_t *dir, uint32_t n,
			  uint32_t n_columns, const void *more, size_t n_more)
{
	struct scap__group_header *h = (struct scap__group_header *)payload.p;
	size_t columns = sizeof(*h) + h->dir_stored_bytes;

	out->n = 0;
	cr_assert_eq(scap__buffer_add(out, h, sizeof(*h)), 0);
	cr_assert_eq(scap__buffer_add(out, dir, n), 0);
	cr_assert_eq(scap__buffer_add(out, payload.p + columns, payload.n - columns), 0);
	cr_assert_eq(scap__buffer_add(out, more, n_more), 0);
	h = (struct scap__group_header *)out->p;
	h->n_columns = n_columns;
	h->dir_stored_bytes = h->dir_raw_bytes = n;
	h->dir_crc = scap__crc32c(0, dir, n);
	h->crc = scap__crc32c(0, h, sizeof(*h) - 4);
}

/* What later versions may add for readers to look at first, or not. */
Test(group, hints_are_passed_over)
{
	struct scap__group_column c = { .kind = 200, .event = 0xffff, .n_values = 9,
					.raw_bytes = 5, .stored_bytes = 5, .crc = 1 };
	struct scap__buffer changed = { 0 };
	struct scap__group_header *h;
	uint8_t dir[65536];
	uint32_t n;
	int rc;

	make(12, 4);
	pack();
	h = (struct scap__group_header *)payload.p;
	n = (uint32_t)ZSTD_decompress(dir, sizeof(dir), payload.p + sizeof(*h),
				      h->dir_stored_bytes);
	cr_assert_eq(n, h->dir_raw_bytes);
	memcpy(dir + n, &c, sizeof(c));
	put_directory(&changed, dir, n + sizeof(c), h->n_columns + 1, "hints", 5);
	cr_assert_eq(unpack(changed.p, changed.n, &rc), SLICES, "%d", rc);
	put_directory(&changed, dir, n + sizeof(c), h->n_columns + 1, "hint", 4);
	cr_assert_eq(unpack(changed.p, changed.n, &rc), 0);
	cr_assert_eq(rc, SCAP_EDAMAGED);
	dir[n] = 127;
	put_directory(&changed, dir, n + sizeof(c), h->n_columns + 1, "hints", 5);
	cr_assert_eq(unpack(changed.p, changed.n, &rc), 0);
	cr_assert_eq(rc, SCAP_EDAMAGED);
	scap__buffer_fini(&changed);
}

/* A record that is stored as it is says what it is: the list of events can't say otherwise. */
Test(group, raw_events_are_events)
{
	struct scap__group_header *h;
	struct scap__buffer plain = { 0 };
	uint8_t dir[4096];
	int rc;

	make(0, 1);
	rows_call(&rows[0][0], 1, 1000, 7, 39, 7);
	rows[0][0].p[0] += 1;
	rows_put(&rows[0][0], "garbage", 8);
	parts[0][0].rows = rows[0][0].p;
	parts[0][0].bytes = rows[0][0].n;
	pack();
	cr_assert_eq(unpack(payload.p, payload.n, &rc), SLICES);
	h = (struct scap__group_header *)payload.p;
	cr_assert_eq(h->n_events, 1);
	rc = (int)ZSTD_decompress(dir, sizeof(dir), payload.p + sizeof(*h), h->dir_stored_bytes);
	cr_assert_eq((uint32_t)rc, h->dir_raw_bytes);
	/* The only event: type 0, ABI 1. */
	dir[h->n_slices * sizeof(struct scap__slice_header) +
	    h->n_parts * sizeof(struct scap__group_dir_part) + 1] = 0;
	put_directory(&plain, dir, h->dir_raw_bytes, h->n_columns, "", 0);
	cr_assert_eq(unpack(plain.p, plain.n, &rc), 0);
	cr_assert_eq(rc, SCAP_EDAMAGED);
	scap__buffer_fini(&plain);
}

static bool getpid_only(void *ctx, const struct scap_event *ev, unsigned known)
{
	(void)ctx;
	(void)known;
	return ev->type != SCAP_REC_CALL || ev->nr == 39;
}

static enum scap__by_file by_more(void *ctx, const struct scap_event *ev)
{
	(void)ctx;
	(void)ev;
	return SCAP__BY_MORE;
}

static bool any_start(void *ctx, uint32_t ring, uint32_t first_seq)
{
	(void)ctx;
	(void)ring;
	(void)first_seq;
	return true;
}

/* Slices of two kinds of calls on one ring; in the last one, or nowhere, a number is missing. */
static void make_two_kinds(bool hole)
{
	uint32_t seq = 0;

	make(0, 1);
	for (unsigned s = 0; s < SLICES; s++) {
		for (unsigned i = 0; i < 20; i++, seq++) {
			seq += hole && s == SLICES - 1 && i == 10;
			rows_call(&rows[s][0], seq, s * 1000000 + i, 7, i % 2 ? 39 : 1, (int)i);
		}
		parts[s][0].rows = rows[s][0].p;
		parts[s][0].bytes = rows[s][0].n;
		slices[s].n_parts = 1;
	}
	pack();
}

/* What is passed over in one slice can't be used in the next: either all of a group, or none. */
Test(group, chosen_or_whole)
{
	struct scap__chooser chooser = { .may = getpid_only, .by_file = by_more };
	struct scap__choice choice = { .chooser = &chooser, .follows = any_start };
	struct scap__group_slice *got;
	const char *what = NULL;

	for (int hole = 0; hole < 2; hole++) {
		make_two_kinds(hole);
		cr_assert_eq(scap__group_in_begin(in, payload.p, payload.n, &what), 0);
		cr_assert_eq(scap__group_in_choose(in, &choice, &what), 0);
		for (unsigned s = 0; s < SLICES; s++) {
			cr_assert_eq(scap__group_in_slice(in, &got, &what), 0, "%s", what);
			cr_assert_eq(got->chosen, !hole);
			if (hole)
				compare_slice(got, &slices[s]);
			else
				cr_assert_eq(got->parts[0].n_rows, 10);
		}
		cr_assert_eq(scap__group_in_slice(in, &got, &what), 1);
	}
}

Test(group, memory_is_bounded)
{
	struct scap__budget small = { .limit = 100000 };
	const char *what = NULL;
	struct scap__group_in *g;

	make(800, 5);
	pack();
	cr_assert_eq(scap__group_in_new(&small, &g), 0);
	cr_assert_eq(scap__group_in_begin(g, payload.p, payload.n, &what), SCAP_ELIMIT);
	scap__group_in_free(g);
	cr_expect_eq(small.used, 0);
}
