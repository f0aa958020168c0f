/* SPDX-License-Identifier: MIT */
/* Times as people write them. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "tools/times.c"

#define START 1700000000123456789ull	/* 2023-11-14 22:13:20.123456789 UTC */
#define BAD UINT64_MAX

static const struct {
	const char *text;
	uint64_t wall_ns;
} rows[] = {
	{ "22:13:21", 1700000001000000000ull },
	{ "22:13", 1699999980000000000ull },
	{ "22:13:21.5", 1700000001500000000ull },
	{ "22:13:21.000000001", 1700000001000000001ull },
	{ "22:13:21.0000000019", 1700000001000000001ull },	/* digits behind ns count nothing */
	{ "00:00:01", 1700006401000000000ull },	/* behind midnight */
	{ "12:00:00", 1699963200000000000ull },	/* within twelve hours before: that day */
	{ "2023-11-14 22:13:21", 1700000001000000000ull },
	{ "2023-11-14T22:13:21.25", 1700000001250000000ull },
	{ "2023-11-13 00:00:00", 1699833600000000000ull },
	{ "+0", START },
	{ "+1.5", START + 1500000000ull },
	{ "1700000000", 1700000000000000000ull },
	{ "1700000000.000000123", 1700000000000000123ull },
	{ "", BAD }, { "+", BAD }, { "yesterday", BAD }, { "24:00:00", BAD }, { "1:60", BAD },
	{ "22:13:21x", BAD }, { "22:13:21.", BAD }, { "22:13:", BAD },
	{ "2023-13-01 00:00:00", BAD },
	{ "2023-11-14", BAD }, { "-5", BAD }, { "+-5", BAD }, { "12345678901", BAD },
	{ "1e3", BAD }, { ":", BAD }, { "2023-11-14 ", BAD },
};

Test(tool_times, parse)
{
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t t = 1;
		bool ok = time_parse(rows[i].text, START, &t);

		cr_expect_eq(ok, rows[i].wall_ns != BAD, "'%s'", rows[i].text);
		if (ok)
			cr_expect_eq(t, rows[i].wall_ns, "'%s': %llu", rows[i].text,
				     (unsigned long long)t);
	}
}

Test(tool_times, zone)
{
	char buf[TIME_TEXT_BYTES];
	uint64_t t;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	cr_assert_eq(time_utc_offset(START), 3600);
	cr_assert_eq(time_utc_offset(1690000000000000000ull), 7200, "summer");
	cr_assert(time_parse("23:13:20", START, &t));
	cr_assert_eq(t, 1700000000000000000ull);
	cr_assert_str_eq(time_of_day(START, buf), "23:13:20.123456789");
	cr_assert_str_eq(time_and_date(START, buf), "2023-11-14 23:13:20.123456789");
}

Test(tool_times, span)
{
	char buf[TIME_TEXT_BYTES];

	cr_assert_str_eq(time_span(1500000000, buf), "1.500 s");
	cr_assert_str_eq(time_span(182ull * 1000000000, buf), "3 min 2 s");
	cr_assert_str_eq(time_span(7500ull * 1000000000, buf), "2 h 5 min");
}
