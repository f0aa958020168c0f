/* SPDX-License-Identifier: MIT */
/* The ring's arithmetic on its own: room, loss, wrap, epochs, and interrupts at every point. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;

static u64 ring_test_clock(void);
static u64 ring_test_cmpxchg(u64 *p, u64 old, u64 new);
static u64 ring_test_read(u64 *p);

#define RING_CLOCK() ring_test_clock()
#define RING_CMPXCHG(p, old, new) ring_test_cmpxchg(p, old, new)
#define RING_READ(p) ring_test_read(p)
#define RING_LOAD_ACQUIRE(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define RING_STORE_RELEASE(p, v) ring_test_publish(p, v)
#define RING_BARRIER() ring_test_point()

static void ring_test_publish(u64 *p, u64 v);
static void ring_test_point(void);

#include "ring_core.h"

#define SIZE8 64u
#define EPOCH_SHIFT 30

/* A record of the test: its length, number and time, then the number again up to its end. */
struct rec {
	u32 n8, seq;
	u64 time_ns;
};

static struct {
	struct ring_core rc;
	u64 data[2 * SIZE8];
	u64 head;
	u32 reader;
	u64 now_ns;
	int lying;		/* the reader's position is nonsense */
	int n_points;		/* interruptible points passed */
	int fire_at;		/* an interrupt comes at this one; -1: never */
	int fire_every;		/* and then again after so many; 0: no more */
	int nesting, max_nesting;
	int n_fired;
} t;

static void put(u32 n8);

/* Any place where an interrupt may come in between. */
static void ring_test_point(void)
{
	/* Some interrupts, not a storm: a reservation that is always interrupted never ends. */
	if (t.nesting >= t.max_nesting || t.n_fired >= 40 || t.n_points++ != t.fire_at)
		return;
	t.fire_at = t.fire_every ? t.n_points + t.fire_every : -1;
	t.n_fired++;
	t.nesting++;
	put(2 + rand() % 3);
	t.nesting--;
}

static u64 ring_test_clock(void)
{
	ring_test_point();
	return ++t.now_ns;
}

static u64 ring_test_read(u64 *p)
{
	u64 v = *p;

	ring_test_point();
	return v;
}

static u64 ring_test_cmpxchg(u64 *p, u64 old, u64 new)
{
	u64 found;

	ring_test_point();
	found = *p;
	if (found == old)
		*p = new;
	ring_test_point();
	return found;
}

/* What is in the double mapping must look the same twice. */
static void write_word(u32 pos, u64 v)
{
	t.data[pos & (SIZE8 - 1)] = t.data[(pos & (SIZE8 - 1)) + SIZE8] = v;
}

static const u64 *word_at(u32 pos)
{
	return &t.data[pos & (SIZE8 - 1)];
}

/* Everything below a published head is written, in order, without a hole. */
static void check_range(u32 from, u32 to)
{
	static u64 last_ns;
	u32 pos = from;

	last_ns = 0;
	while (pos != to) {
		struct rec r;

		memcpy(&r, word_at(pos), sizeof(r));
		cr_assert(r.n8 >= 2 && r.n8 <= 8, "record of %u units published at %u", r.n8, pos);
		cr_assert_gt(r.time_ns, last_ns);
		last_ns = r.time_ns;
		for (u32 i = 2; i < r.n8; i++)
			cr_assert_eq(*word_at(pos + i), r.seq);
		pos += r.n8;
		cr_assert_leq(pos - from, to - from);
	}
}

static void ring_test_publish(u64 *p, u64 v)
{
	ring_test_point();
	cr_assert((u32)v - (u32)*p < 1u << 31, "the published head went back");
	if (!t.lying)
		check_range(t.reader, (u32)v);
	*p = v;
	ring_test_point();
}

static void set_up(void)
{
	memset(&t, 0, sizeof(t));
	t.rc.size8 = SIZE8;
	t.rc.data = t.data;
	t.rc.head = &t.head;
	t.rc.reader = &t.reader;
	t.fire_at = -1;
	t.now_ns = 1000;
	srand(1);
}

static int reserve(u32 n8, u32 n_seq, struct ring_slot *slot)
{
	return ring_reserve(&t.rc, n8, n_seq, (t.now_ns + 1) >> EPOCH_SHIFT, EPOCH_SHIFT, slot);
}

static void fill(const struct ring_slot *slot, u32 n8)
{
	struct rec r = { n8, slot->seq, slot->time_ns };
	u64 words[2];

	memcpy(words, &r, sizeof(r));
	write_word(slot->pos, words[0]);
	ring_test_point();
	write_word(slot->pos + 1, words[1]);
	for (u32 i = 2; i < n8; i++) {
		ring_test_point();
		write_word(slot->pos + i, slot->seq);
	}
}

static void put(u32 n8)
{
	struct ring_slot slot;

	if (reserve(n8, 1, &slot) == RING_OK)
		fill(&slot, n8);
	ring_test_point();
	ring_leave(&t.rc);
}

Test(ring, empty_and_full)
{
	struct ring_slot slot;

	set_up();
	for (u32 i = 0; i < SIZE8 / 8; i++) {
		cr_assert_eq(reserve(8, 1, &slot), RING_OK);
		cr_assert_eq(slot.seq, i);
		cr_assert_eq(slot.pos, 8 * i);
		cr_assert_eq(slot.rec, t.data + 8 * i);
		fill(&slot, 8);
		ring_leave(&t.rc);
	}
	cr_assert_eq(t.head, (u64)8 << 32 | SIZE8);
	/* Lost attempts take a number each and no place, and are seen in the head. */
	cr_assert_eq(reserve(2, 1, &slot), RING_FULL);
	ring_leave(&t.rc);
	cr_assert_eq(reserve(2, 3, &slot), RING_FULL);
	ring_leave(&t.rc);
	cr_assert_eq(t.head, (u64)10 << 32 | SIZE8);
	t.reader = 8;
	cr_assert_eq(reserve(10, 1, &slot), RING_FULL, "only 8 units are free");
	ring_leave(&t.rc);
	cr_assert_eq(reserve(8, 3, &slot), RING_OK);
	cr_assert_eq(slot.seq, 11);
	cr_assert_eq(slot.pos, SIZE8);
	cr_assert_eq(slot.rec, t.data);
	fill(&slot, 8);
	ring_leave(&t.rc);
	cr_assert_eq(t.head >> 32, 14);
}

Test(ring, wraps_everywhere)
{
	u32 pos = 0xffffff00u;

	set_up();
	/* Positions and numbers both pass 2^32. */
	t.rc.word = t.head = (u64)0xfffffff0u << 32 | pos;
	t.rc.tail = t.reader = pos;
	for (int i = 0; i < 1000; i++) {
		u32 n8 = 2 + i % 7;
		u64 before = t.head;

		put(n8);
		cr_assert_eq((u32)t.head, (u32)before + n8);
		cr_assert_eq((u32)(t.head >> 32), (u32)(before >> 32) + 1);
		t.reader = (u32)t.head;
	}
}

Test(ring, hostile_reader)
{
	struct ring_slot slot;
	u32 bad[] = { 1, 2, SIZE8 + 1, 0x80000000u, 0xffffff00u, 0u - SIZE8 - 1 };

	set_up();
	t.lying = 1;
	while (reserve(4, 1, &slot) == RING_OK) {
		fill(&slot, 4);
		ring_leave(&t.rc);
	}
	ring_leave(&t.rc);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		u32 tail = SIZE8 + bad[i];

		/* Beyond the head, or more than a ring behind it: as if nothing was read. */
		cr_assert_gt(SIZE8 - tail, SIZE8);
		t.reader = tail;
		cr_assert_eq(reserve(4, 1, &slot), RING_FULL, "reader at %u", tail);
		ring_leave(&t.rc);
		cr_assert_eq((u32)t.rc.word, SIZE8, "the position moved");
	}
	/* A reader that goes back can only hurt itself: within one ring it is believed. */
	t.reader = SIZE8;
	cr_assert_eq(reserve(4, 1, &slot), RING_OK);
	fill(&slot, 4);
	ring_leave(&t.rc);
	t.reader = 8;
	put(4);
	cr_assert_leq((u32)t.rc.word - t.rc.tail, SIZE8);
}

Test(ring, epoch_ends)
{
	struct ring_slot slot;
	u64 epoch = t.now_ns >> EPOCH_SHIFT;

	set_up();
	t.now_ns = (1ull << EPOCH_SHIFT) - 1;
	cr_assert_eq(ring_reserve(&t.rc, 4, 1, epoch, EPOCH_SHIFT, &slot), RING_EPOCH);
	cr_assert_eq(slot.time_ns, 1ull << EPOCH_SHIFT);
	cr_assert_eq(t.rc.word, 0, "nothing may be taken");
	ring_leave(&t.rc);
	cr_assert_eq(t.rc.depth, 0);
	cr_assert_eq(ring_reserve(&t.rc, 4, 1, epoch + 1, EPOCH_SHIFT, &slot), RING_OK);
	fill(&slot, 4);
	ring_leave(&t.rc);
	cr_assert_eq(t.head, (u64)1 << 32 | 4);
}

/* The outer reservation is not left yet: nothing behind it may be seen. */
Test(ring, nested_is_not_published_early)
{
	struct ring_slot outer, inner;

	set_up();
	cr_assert_eq(reserve(4, 1, &outer), RING_OK);
	cr_assert_eq(reserve(3, 1, &inner), RING_OK);
	fill(&inner, 3);
	ring_leave(&t.rc);
	cr_assert_eq(t.head, 0);
	cr_assert_lt(outer.time_ns, inner.time_ns);
	fill(&outer, 4);
	ring_leave(&t.rc);
	cr_assert_eq(t.head, (u64)2 << 32 | 7);
}

/* Written before its place is taken. */
static int put_outermost(u64 word, u32 n8)
{
	struct ring_slot slot = { t.now_ns, (u32)(word >> 32), (u32)word, NULL };

	fill(&slot, n8);
	return ring_take_outermost(&t.rc, word, n8);
}

Test(ring, outermost)
{
	u64 word;

	set_up();
	cr_assert(put_outermost(0, 4));
	cr_assert_eq(t.head, (u64)1 << 32 | 4);
	cr_assert_eq(t.head, t.rc.word);
	/* Somebody was faster. */
	word = t.rc.word;
	put(4);
	cr_assert_not(ring_take_outermost(&t.rc, word, 4));
	cr_assert_eq(t.rc.word, (u64)2 << 32 | 8);
	/* The position would carry into the number. */
	word = t.rc.word = t.head = (u64)7 << 32 | 0xfffffffcu;
	t.rc.tail = t.reader = 0xfffffffcu;
	cr_assert_not(put_outermost(word, 4));
	cr_assert_not(put_outermost(word, 5));
	cr_assert_eq(t.rc.word, word);
	t.now_ns += 10;
	cr_assert(put_outermost(word, 3));
	cr_assert_eq(t.head, (u64)8 << 32 | 0xffffffffu);
}

/*
 * An interrupt at each point of a reservation in turn, up to three deep, over and over: order,
 * completeness and what is published are checked at each store of the head.
 */
Test(ring, interrupts_at_every_point)
{
	for (int depth = 1; depth <= 3; depth++)
		for (int every = 0; every < 12; every++)
			for (int at = 0; at < 60; at++) {
				set_up();
				t.max_nesting = depth;
				t.fire_every = every;
				t.fire_at = at;
				for (int i = 0; i < 5; i++) {
					put(4);
					cr_assert_eq(t.rc.depth, 0);
					cr_assert_eq(t.head, t.rc.word,
						     "something reserved was not published");
					t.reader = (u32)t.head;
				}
				cr_assert(at > 40 || t.n_fired);
				cr_assert_eq(t.head >> 32, 5u + t.n_fired);
			}
}
