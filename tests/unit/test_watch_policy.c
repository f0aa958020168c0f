/* SPDX-License-Identifier: MIT */
/* When a trigger that fires makes a capture, and when not. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watch/policy.h"

#define S 1000000000ull

static struct policy p;
static char why[200];

static enum capture_outcome ask(const struct trigger_config *c, uint64_t s, const char *fingerprint)
{
	return policy_ask(&p, c, s * S, fingerprint, why, sizeof(why));
}

static void setup(void)
{
	memset(&p, 0, sizeof(p));
}

TestSuite(watch_policy, .init = setup);

Test(watch_policy, cool_down)
{
	struct trigger_config c = { .cooldown_ns = 60 * S };

	cr_assert_eq(ask(&c, 100, NULL), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 159, NULL), CAPTURE_REFUSED_COOLDOWN);
	cr_assert_str_eq(why, "the trigger fired a short while ago: the cool-down lasts 1.000 s "
			 "more");
	/* What was refused does not put it off. */
	cr_assert_eq(ask(&c, 160, NULL), CAPTURE_WRITTEN);
	c.cooldown_ns = 0;
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(ask(&c, 161, NULL), CAPTURE_WRITTEN);
}

/* Another alert is no repetition; the same one is, and many others do not hide it. */
Test(watch_policy, fingerprints)
{
	struct trigger_config c = { .cooldown_ns = 60 * S };
	char other[20];

	cr_assert_eq(ask(&c, 100, "a"), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 101, "a"), CAPTURE_REFUSED_COOLDOWN);
	for (unsigned i = 0; i < POLICY_FINGERPRINTS - 1; i++) {
		snprintf(other, sizeof(other), "b%u", i);
		cr_assert_eq(ask(&c, 102, other), CAPTURE_WRITTEN);
		cr_assert_eq(ask(&c, 103, other), CAPTURE_REFUSED_COOLDOWN);
	}
	cr_assert_eq(ask(&c, 104, "a"), CAPTURE_REFUSED_COOLDOWN);
	/* The oldest one makes room. */
	cr_assert_eq(ask(&c, 105, "c"), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 106, "b0"), CAPTURE_REFUSED_COOLDOWN);
	cr_assert_eq(ask(&c, 160, "a"), CAPTURE_WRITTEN);
}

/* What came to nothing repeats nothing, and is none of those of this hour; the others stay. */
Test(watch_policy, forget)
{
	struct trigger_config c = { .cooldown_ns = 60 * S, .per_hour = 2 };

	cr_assert_eq(ask(&c, 100, "a"), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 101, "b"), CAPTURE_WRITTEN);
	policy_forget(&p, 101 * S);
	cr_assert_eq(ask(&c, 102, "a"), CAPTURE_REFUSED_COOLDOWN);
	cr_assert_eq(ask(&c, 102, "b"), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 103, "b"), CAPTURE_REFUSED_COOLDOWN);
	cr_assert_eq(ask(&c, 103, "c"), CAPTURE_REFUSED_LIMIT);
	policy_forget(&p, 102 * S);
	cr_assert_eq(ask(&c, 104, NULL), CAPTURE_WRITTEN);
	/* Of an hour that is over. */
	cr_assert_eq(ask(&c, 5000, "d"), CAPTURE_WRITTEN);
	policy_forget(&p, 104 * S);
	cr_assert_eq(ask(&c, 5001, "e"), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 5002, "f"), CAPTURE_REFUSED_LIMIT);
}

Test(watch_policy, per_hour)
{
	struct trigger_config c = { .per_hour = 3 };

	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(ask(&c, 10 + i, NULL), CAPTURE_WRITTEN);
	cr_assert_eq(ask(&c, 13, NULL), CAPTURE_REFUSED_LIMIT);
	cr_assert_not_null(strstr(why, "3 captures within this hour"));
	cr_assert_eq(ask(&c, 10 + 3599, "x"), CAPTURE_REFUSED_LIMIT);
	cr_assert_eq(ask(&c, 10 + 3600, NULL), CAPTURE_WRITTEN);
}
