/* SPDX-License-Identifier: MIT */
/* Columns of numbers: every encoding gives back what was put in; damage is no danger. */
#include <criterion/criterion.h>
#include <scap/error.h>
#include <stdlib.h>
#include <string.h>

#include "column/column.h"

static uint64_t seed;

static uint64_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 11 ^ seed << 40;
}

/* Kinds of columns as they occur, and worse. */
static void fill(unsigned kind, uint64_t *v, size_t n)
{
	uint64_t x = rnd();

	for (size_t i = 0; i < n; i++) {
		switch (kind) {
		case 0: v[i] = 77; break;
		case 1: v[i] = rnd(); break;
		case 2: v[i] = x += rnd() % 3000; break;
		case 3: v[i] = (uint64_t)(int64_t)(rnd() % 5) - 3; break;
		case 4: v[i] = rnd() % 100 ? rnd() % 90 : rnd(); break;
		case 5: v[i] = x = rnd() % 50 ? x : rnd(); break;
		case 6: v[i] = (rnd() % 300) << 40; break;
		case 7: v[i] = x += 1000 + rnd() % 2; break;
		case 8: v[i] = (rnd() % 4090) * 0x100000001; break;
		default: v[i] = i % 2 ? UINT64_MAX : 0; break;
		}
	}
}

#define KINDS 10

static struct scap__trial trial;
static struct scap__buffer out;

static void begin(void)
{
	cr_assert_eq(scap__trial_init(&trial, NULL), 0);
	seed = 42;
}

static void end(void)
{
	scap__trial_fini(&trial);
	scap__buffer_fini(&out);
}

TestSuite(column, .init = begin, .fini = end);

static void check(const uint64_t *v, size_t n, size_t begin_at)
{
	uint64_t *got = malloc(n * sizeof(*got) + 1);

	cr_assert_eq(scap__column_get(NULL, out.p + begin_at, out.n - begin_at, got, n), 0);
	cr_assert(!memcmp(got, v, n * sizeof(*v)));
	free(got);
}

Test(column, all_encodings_hold_all_kinds)
{
	static const size_t sizes[] = { 1, 2, 3, 15, 64, 1000, 5000 };
	uint64_t v[5000];
	unsigned n_held = 0;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			fill(kind, v, sizes[s]);
			for (int e = 0; e < SCAP__ENCODINGS; e++) {
				int rc;

				out.n = 0;
				cr_assert_eq(scap__buffer_reserve(&out, 3), 0);
				out.n = 3;
				rc = scap__column_put_as(&trial, (enum scap__encoding)e, v,
							 sizes[s], &out);
				cr_assert_geq(rc, 0);
				if (rc)
					continue;
				check(v, sizes[s], 3);
				n_held++;
			}
		}
	}
	cr_assert_gt(n_held, KINDS * 7 * 3);
}

/* How many bytes the choice takes, compressed. */
static size_t bytes_of(unsigned kind)
{
	static uint64_t v[20000];
	static uint8_t packed[200000];
	size_t n;

	fill(kind, v, 20000);
	out.n = 0;
	cr_assert_eq(scap__column_put(&trial, v, 20000, &out), 0);
	check(v, 20000, 0);
	n = ZSTD_compress(packed, sizeof(packed), out.p, out.n, 1);
	cr_assert(!ZSTD_isError(n));
	return n;
}

Test(column, the_choice_is_small)
{
	cr_expect_lt(bytes_of(0), 30u);
	cr_expect_leq(bytes_of(1), 8 * 20000 + 100u);
	cr_expect_lt(bytes_of(2), 2 * 20000 + 100u);
	cr_expect_lt(bytes_of(3), 20000 / 2u);
	cr_expect_lt(bytes_of(4), 20000 + 16 * 300u);
	cr_expect_lt(bytes_of(5), 20000 / 4u);
	cr_expect_lt(bytes_of(6), 3 * 20000 / 2u);
	cr_expect_lt(bytes_of(7), 20000 / 4u);
	cr_expect_lt(bytes_of(8), 4 * 20000u);
}

Test(column, empty)
{
	uint64_t v = 0;

	cr_assert_eq(scap__column_put(&trial, &v, 0, &out), 0);
	cr_assert_eq(scap__column_get(NULL, out.p, out.n, &v, 0), 0);
}

/* Cut at every byte, and each byte changed: an error or numbers, and nothing out of bounds. */
Test(column, damage)
{
	uint64_t v[200], got[200];

	for (unsigned kind = 0; kind < KINDS; kind++) {
		fill(kind, v, 200);
		for (int e = 0; e < SCAP__ENCODINGS; e++) {
			out.n = 0;
			if (scap__column_put_as(&trial, (enum scap__encoding)e, v, 200, &out))
				continue;
			for (size_t i = 0; i < out.n; i++) {
				uint8_t *copy = malloc(i + 1);

				memcpy(copy, out.p, i);
				cr_assert_eq(scap__column_get(NULL, copy, i, got, 200),
					     SCAP_EDAMAGED);
				free(copy);
				copy = malloc(out.n);
				memcpy(copy, out.p, out.n);
				copy[i] ^= (uint8_t)(1 + rnd() % 255);
				scap__column_get(NULL, copy, out.n, got, 200);
				free(copy);
			}
		}
	}
}
