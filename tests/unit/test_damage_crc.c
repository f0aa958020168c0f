/* SPDX-License-Identifier: MIT */
/* The checksum, and the small containers of core/. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "core/crc32c.h"
#include "core/map.h"
#include "core/options.h"
#include "support_rows.h"

#include <errno.h>

/* Vectors of RFC 3720, B.4. */
Test(crc32c, vectors)
{
	uint8_t buf[32];

	cr_assert_eq(scap__crc32c(0, "123456789", 9), 0xe3069283u);
	cr_assert_eq(scap__crc32c_portable(0, "123456789", 9), 0xe3069283u);
	memset(buf, 0, sizeof(buf));
	cr_assert_eq(scap__crc32c(0, buf, 32), 0x8a9136aau);
	memset(buf, 0xff, sizeof(buf));
	cr_assert_eq(scap__crc32c(0, buf, 32), 0x62a8ab43u);
	for (unsigned i = 0; i < 32; i++)
		buf[i] = i;
	cr_assert_eq(scap__crc32c(0, buf, 32), 0x46dd794eu);
}

/* Bit by bit, straight from the definition. */
static uint32_t naive(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;

	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

Test(crc32c, same_at_every_length_and_alignment)
{
	uint8_t buf[300];
	uint64_t seed = 5;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = rows_random(&seed);
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; at + n < sizeof(buf); n++) {
			uint32_t want = naive(buf + at, n);

			cr_assert_eq(scap__crc32c_portable(0, buf + at, n), want);
			cr_assert_eq(scap__crc32c(0, buf + at, n), want);
		}
}

Test(crc32c, goes_on)
{
	uint32_t crc = scap__crc32c(0, "1234", 4);

	cr_assert_eq(scap__crc32c(crc, "56789", 5), 0xe3069283u);
}

Test(bytes, never_past_the_end)
{
	const uint8_t data[] = { 1, 2, 3, 4, 5 };
	struct scap__bytes b = { data, sizeof(data), false };

	cr_assert_eq(scap__get_u32(&b), 0x04030201u);
	cr_assert_not(b.bad);
	cr_assert_eq(scap__get_u16(&b), 0);
	cr_assert(b.bad);
	cr_assert_eq(scap__get_u8(&b), 0, "what was bad once stays so");
}

Test(map, as_many_as_go_in_come_out)
{
	struct scap__budget budget = { .limit = 1 << 24 };
	struct scap__map m;
	static int values[5000];

	scap__map_init(&m, &budget);
	for (uint64_t i = 0; i < 5000; i++)
		cr_assert_eq(scap__map_set(&m, (i % 7) << 32 | (i + 1), &values[i]), 0);
	for (uint64_t i = 0; i < 5000; i++)
		cr_assert_eq(scap__map_get(&m, (i % 7) << 32 | (i + 1)), &values[i]);
	cr_assert_null(scap__map_get(&m, 99999));
	scap__map_set(&m, 1, &values[7]);
	cr_assert_eq(scap__map_get(&m, 1), &values[7]);
	scap__map_clear(&m);
	cr_assert_null(scap__map_get(&m, 1));
	scap__map_fini(&m);
	cr_assert_eq(budget.used, 0);
}

Test(arena, keeps_to_its_budget)
{
	struct scap__budget budget = { .limit = 200000 };
	struct scap__arena a;
	void *p;
	int rc = 0, n = 0;

	scap__arena_init(&a, &budget);
	while (!(rc = scap__arena_get(&a, 1000, &p)))
		n++;
	cr_assert_eq(rc, SCAP_ELIMIT);
	cr_assert_gt(n, 100);
	scap__arena_reset(&a);
	cr_assert_eq(scap__arena_get(&a, 150000, &p), SCAP_ELIMIT);
	cr_assert_eq(scap__arena_get(&a, 100000, &p), 0);
	scap__arena_fini(&a);
	cr_assert_eq(budget.used, 0);
}

Test(options, older_and_newer_callers)
{
	struct newer {
		size_t size;
		int a, b;
		long c;
	} in = { sizeof(in), 1, 2, 0 };
	struct { size_t size; int a, b; } ours;

	cr_assert_eq(scap__options_copy(&ours, sizeof(ours), &in), 0);
	cr_assert_eq(ours.b, 2);
	in.c = 1;
	cr_assert_eq(scap__options_copy(&ours, sizeof(ours), &in), -E2BIG);
	in.size = sizeof(size_t) + sizeof(int);
	cr_assert_eq(scap__options_copy(&ours, sizeof(ours), &in), 0);
	cr_assert_eq(ours.b, 0, "what an older caller does not know is 0");
	in.size = 3;
	cr_assert_eq(scap__options_copy(&ours, sizeof(ours), &in), -EINVAL);
}
