/* SPDX-License-Identifier: MIT */
/* scap read -A and -B against a simple model, and their limit of memory. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tools/opts.c"
#include "tools/output.c"
#include "tools/context.c"

#define N_EVENTS 400
#define N_THREADS 5

static bool matches[N_EVENTS];
static uint32_t tids[N_EVENTS];

/* Is event i shown, and after which match at the latest must it be? */
static bool expected(unsigned i, unsigned before, unsigned after)
{
	unsigned n = 0;

	if (matches[i])
		return true;
	for (unsigned j = i; j-- > 0 && n < after;)
		if (tids[j] == tids[i]) {
			n++;
			if (matches[j])
				return true;
		}
	n = 0;
	for (unsigned j = i + 1; j < N_EVENTS && n < before; j++)
		if (tids[j] == tids[i]) {
			n++;
			if (matches[j])
				return true;
		}
	return false;
}

static void run(unsigned before, unsigned after)
{
	struct context c;
	struct output out;
	char line[32];
	bool shown[N_EVENTS] = { false };
	char *p;

	cr_assert(output_init(&out, -1));
	cr_assert(context_init(&c, before, after, false));
	for (unsigned i = 0; i < N_EVENTS; i++) {
		int n = snprintf(line, sizeof(line), "%u\n", i), what;

		if (matches[i]) {
			cr_assert(context_match(&c, tids[i], &out));
			output_write(&out, line, n);
			continue;
		}
		what = context_other(&c, tids[i]);
		if (what == 1)
			output_write(&out, line, n);
		else if (what == 0)
			cr_assert(context_keep(&c, tids[i], line, n));
	}
	output_write(&out, "", 1);
	for (p = out.buf; *p; p = strchr(p, '\n') + 1) {
		unsigned i = atoi(p);

		cr_assert_not(shown[i], "event %u came twice", i);
		shown[i] = true;
	}
	for (unsigned i = 0; i < N_EVENTS; i++)
		cr_assert_eq(shown[i], expected(i, before, after), "-B %u -A %u: event %u", before,
			     after, i);
	out.used = 0;
	output_fini(&out);
	context_fini(&c);
	cr_assert_eq(c.bytes, 0);
}

Test(tool_context, model)
{
	uint32_t x = 12345;

	for (unsigned i = 0; i < N_EVENTS; i++) {
		x = x * 1103515245 + 12345;
		tids[i] = 1 + (x >> 16) % N_THREADS;
		matches[i] = (x >> 8) % 17 == 0;
	}
	for (unsigned before = 0; before < 6; before++)
		for (unsigned after = 0; after < 6; after++)
			if (before || after)
				run(before, after);
}

Test(tool_context, separator)
{
	struct context c;
	struct output out;

	cr_assert(output_init(&out, -1));
	cr_assert(context_init(&c, 1, 0, true));
	context_match(&c, 1, &out);
	context_match(&c, 1, &out);
	cr_assert_eq(out.used, 0, "next to each other");
	context_keep(&c, 1, "a\n", 2);
	context_match(&c, 1, &out);
	cr_assert_eq(out.used, 2, "nothing was left out between them");
	context_keep(&c, 1, "b\n", 2);
	context_keep(&c, 1, "c\n", 2);
	context_match(&c, 1, &out);
	cr_assert_eq(out.used, 7);
	cr_assert(!memcmp(out.buf, "a\n--\nc\n", 7));
	out.used = 0;
	output_fini(&out);
	context_fini(&c);
}

Test(tool_context, memory_is_bounded)
{
	static char line[100000];
	struct context c;

	cr_assert(context_init(&c, 100, 0, false));
	for (uint32_t tid = 1; tid < 3000; tid++) {
		cr_assert(context_keep(&c, tid, line, sizeof(line)));
		cr_assert_leq(c.bytes, CONTEXT_MAX_BYTES);
	}
	cr_assert_gt(c.bytes, CONTEXT_MAX_BYTES - 2 * sizeof(line), "but it is used");
	context_fini(&c);
	/* One thread alone. */
	cr_assert(context_init(&c, CONTEXT_MAX_LINES, 0, false));
	for (unsigned i = 0; i < 3000; i++)
		cr_assert(context_keep(&c, 7, line, sizeof(line)));
	cr_assert_leq(c.bytes, CONTEXT_MAX_BYTES);
	context_fini(&c);
}
