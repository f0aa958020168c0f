/* SPDX-License-Identifier: MIT */
/* .scap files that were written into memory, taken apart again. */
#ifndef TEST_EXPORT_FILE_H
#define TEST_EXPORT_FILE_H

#include <scap/export.h>

#include "core/bytes.h"
#include "support_rows.h"
#include "test_filter_event.h"

#define BLOCK_PROCESSES 0x215
#define BLOCK_EVENT 0x216
#define BLOCK_EVENT_FLAGS 0x217
#define BLOCK_FDS 0x218
#define BLOCK_USERS 0x220

static struct rows written;
static struct scap_export_counts counts;

static inline struct scap_export *open_export(unsigned profile, uint32_t flags, uint64_t window)
{
	struct scap_export_options opt = { .size = sizeof(opt), .profile = profile,
					   .flags = flags, .window_bytes = window };
	struct scap_sink sink = rows_sink(&written);
	struct scap_export *x;

	written.n = 0;
	cr_assert_eq(scap_export_open_sink(&sink, &opt, NULL, &x, NULL), 0);
	return x;
}

static inline struct scap_export *open_plain(unsigned profile)
{
	return open_export(profile, SCAP_EXPORT_PLAIN, 0);
}

static inline void close_export(struct scap_export *x)
{
	struct scap_error err = { 0 };

	cr_assert_eq(scap_export_close(x, &counts, &err), 0, "%s", err.text);
}

/* A block: its type, and its body. */
struct block {
	uint32_t type;
	const uint8_t *p;
	size_t n;
};

/* The nth block of that type, from 0; every block on the way is checked. False: there is none. */
static inline bool find_block(uint32_t type, unsigned nth, struct block *ret)
{
	size_t at = 0;

	while (at < written.n) {
		const uint8_t *p = written.p + at;
		uint32_t total;

		cr_assert_geq(written.n - at, 12);
		total = scap__le32(p + 4);
		cr_assert(total >= 12 && total % 4 == 0 && total <= written.n - at);
		cr_assert_eq(scap__le32(p + total - 4), total);
		*ret = (struct block){ scap__le32(p), p + 8, total - 12 };
		if (ret->type == type && !nth--)
			return true;
		at += total;
	}
	return false;
}

struct theirs {
	uint64_t ns, tid;
	uint32_t cpu, flags, n;
	uint16_t type, lens[32];
	const uint8_t *params[32];
};

static inline struct theirs event_in(const struct block *b)
{
	struct scap__bytes in = { b->p, b->n, false };
	struct theirs t = { 0 };
	uint32_t bytes, used = 26;

	t.cpu = scap__get_u16(&in);
	if (b->type == BLOCK_EVENT_FLAGS)
		t.flags = scap__get_u32(&in);
	t.ns = scap__get_u64(&in);
	t.tid = scap__get_u64(&in);
	bytes = scap__get_u32(&in);
	t.type = scap__get_u16(&in);
	t.n = scap__get_u32(&in);
	cr_assert_leq(t.n, 32);
	for (uint32_t i = 0; i < t.n; i++)
		t.lens[i] = scap__get_u16(&in);
	for (uint32_t i = 0; i < t.n; i++) {
		t.params[i] = scap__take(&in, t.lens[i]);
		used += 2u + t.lens[i];
	}
	cr_assert(!in.bad);
	cr_assert_eq(bytes, used);
	cr_assert_lt(in.n, 4);
	return t;
}

/* The nth event that is shown. */
static inline struct theirs event_nth(unsigned nth)
{
	struct block b = { 0 };

	cr_assert(find_block(BLOCK_EVENT, nth, &b), "there is no event %u", nth);
	return event_in(&b);
}

static inline uint64_t number(const struct theirs *t, unsigned i)
{
	uint64_t v = 0;

	cr_assert_lt(i, t->n);
	cr_assert_leq(t->lens[i], 8);
	memcpy(&v, t->params[i], t->lens[i]);
	return v;
}

#define expect_number(t, i, bytes, want) \
	do { \
		cr_expect_eq((t)->lens[i], bytes, "parameter %u has %u bytes", i, (t)->lens[i]); \
		cr_expect_eq(number(t, i), (uint64_t)(want), "parameter %u is %#llx", i, \
			     (unsigned long long)number(t, i)); \
	} while (0)

/* With its NUL. */
#define expect_string(t, i, want) \
	cr_expect((t)->lens[i] == strlen(want) + 1 && \
		  !memcmp((t)->params[i], want, strlen(want) + 1), \
		  "parameter %u is %.*s", i, (int)(t)->lens[i], (t)->params[i])

#define expect_bytes(t, i, want, n) \
	cr_expect((t)->lens[i] == (n) && !memcmp((t)->params[i], want, n), \
		  "parameter %u has %u bytes", i, (t)->lens[i])

/* One event through a whole export: what came of it. Two events for sysdig: 0 enter, 1 exit. */
static inline struct theirs export_one(const struct scap_event *ev, unsigned profile, unsigned nth)
{
	struct scap_export *x = open_plain(profile);

	cr_assert_eq(scap_export_event(x, ev, 0), 0);
	close_export(x);
	return event_nth(nth);
}

#endif
