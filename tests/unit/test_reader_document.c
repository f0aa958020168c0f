/* SPDX-License-Identifier: MIT */
/* The example in docs/format.md, byte by byte as it stands there. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support_rows.h"

static void read_example(struct rows *out)
{
	FILE *f = fopen("docs/format.md", "r");
	char line[200];
	bool inside = false;

	cr_assert_not_null(f, "run from the top of the source tree");
	while (fgets(line, sizeof(line), f)) {
		unsigned byte;
		int n;

		if (!strncmp(line, "```", 3))
			inside = !strcmp(line, "```hex\n");
		else if (inside)
			for (const char *p = line; sscanf(p, "%2x%n", &byte, &n) == 1; p += n)
				rows_put(out, &(uint8_t){ byte }, 1);
	}
	fclose(f);
}

Test(document, example)
{
	struct rows file = { 0 };
	struct rows_reader input;
	struct scap_error err = { 0 };
	const struct scap_event *ev;
	struct scap_source src;
	struct scap_reader *r;

	read_example(&file);
	cr_assert_eq(file.n, 384);
	src = rows_source(&input, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, &err), 0, "%s", err.text);
	cr_assert_str_eq(scap_reader_info(r)->hostname, "host");
	cr_assert_eq(scap_reader_next(r, &ev), 0, "%s", scap_reader_error(r)->text);
	cr_assert_str_eq(scap_event_name(ev), "getpid");
	cr_assert_eq(scap_event_tid(ev), 7);
	cr_assert_eq(scap_event_ret(ev), 7);
	cr_assert_eq(scap_event_latency_ns(ev), 100);
	cr_assert_eq(scap_event_raw_ns(ev), 1073741834);
	cr_assert_eq(scap_event_wall_ns(ev), 1700000000ull * 1000000000 + 10);
	cr_assert_eq(scap_reader_next(r, &ev), 1, "%s", scap_reader_error(r)->text);
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);
	rows_free(&file);
}
