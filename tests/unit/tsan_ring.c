/* SPDX-License-Identifier: MIT */
/*
 * One thread writes into a ring, with reservations nested in reservations as interrupts would;
 * another reads. Under ThreadSanitizer: every record that is read was written before it was
 * published, in order, and every number is either read or counted as lost.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t u32;
typedef uint64_t u64;

static u64 stress_clock(void);
static u64 stress_cmpxchg(u64 *p, u64 old, u64 new);
static u64 stress_read(const u64 *p);

#define RING_CLOCK() stress_clock()
#define RING_CMPXCHG(p, old, new) stress_cmpxchg(p, old, new)
#define RING_READ(p) stress_read(p)
#define RING_LOAD_ACQUIRE(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define RING_STORE_RELEASE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define RING_BARRIER() __asm__ volatile("" ::: "memory")

#include "ring_core.h"

#define SIZE8 4096u
#define N_RECORDS 12000000u
#define MAX8 8u

static u64 data[SIZE8 + MAX8];		/* no second mapping: records that wrap are split below */
static u64 head;
static u32 reader;
static struct ring_core rc;
static u64 now_ns;
static u32 n_attempts, n_full;
static u32 dice = 12345;
static int nesting;
static int masked;		/* interrupts stay out */
static int done;

static u32 roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice;
}

static void put(void);

/* Where an interrupt hurts: with the word read, and with a place taken but not filled. */
static void maybe_interrupt(void)
{
	if (masked || nesting >= 2 || roll() % 16)
		return;
	nesting++;
	put();
	nesting--;
}

static u64 stress_clock(void)
{
	maybe_interrupt();
	return ++now_ns;
}

static u64 stress_read(const u64 *p)
{
	maybe_interrupt();
	return *p;
}

static u64 stress_cmpxchg(u64 *p, u64 old, u64 new)
{
	u64 found;

	maybe_interrupt();
	found = *p;
	if (found == old)
		*p = new;
	if (masked)
		masked = 0;
	return found;
}

/*
 * Written where it will lie before its place is taken, when no reservation is under way: nobody
 * comes between until it is taken. False: not this way.
 */
static int put_outermost(void)
{
	u32 n8 = 2 + roll() % (MAX8 - 1), pos;
	u64 word, ns;

	if (nesting)
		return 0;
	masked = 1;
	word = rc.word;
	pos = (u32)word;
	if (!ring_has_room(&rc, pos, n8)) {
		masked = 0;
		return 0;
	}
	ns = ++now_ns;
	data[pos & (SIZE8 - 1)] = (word >> 32) << 32 | n8;
	data[(pos + 1) & (SIZE8 - 1)] = ns;
	for (u32 i = 2; i < n8; i++)
		data[(pos + i) & (SIZE8 - 1)] = ns + i;
	if (!ring_take_outermost(&rc, word, n8)) {
		printf("a place that nobody else wanted was refused\n");
		exit(1);
	}
	n_attempts++;
	return 1;
}

static void put(void)
{
	struct ring_slot slot;
	u32 n8 = 2 + roll() % (MAX8 - 1);
	int result = ring_reserve(&rc, n8, 1, 0, 63, &slot);

	n_attempts++;
	if (result == RING_OK) {
		data[slot.pos & (SIZE8 - 1)] = (u64)slot.seq << 32 | n8;
		maybe_interrupt();
		data[(slot.pos + 1) & (SIZE8 - 1)] = slot.time_ns;
		for (u32 i = 2; i < n8; i++)
			data[(slot.pos + i) & (SIZE8 - 1)] = slot.time_ns + i;
	} else {
		n_full++;
	}
	ring_leave(&rc);
}

static void *produce(void *unused)
{
	(void)unused;
	while (n_attempts < N_RECORDS)
		if (roll() % 2 || !put_outermost())
			put();
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void die(const char *what, u32 pos)
{
	printf("%s at position %u\n", what, pos);
	exit(1);
}

static u32 next_seq, n_read, n_missing;
static u64 last_ns;

/* One record; how long it was. */
static u32 check(u32 pos, u32 end)
{
	u64 first = data[pos & (SIZE8 - 1)], time_ns = data[(pos + 1) & (SIZE8 - 1)];
	u32 n8 = (u32)first, seq = (u32)(first >> 32);

	if (n8 < 2 || n8 > MAX8 || n8 > end - pos)
		die("impossible length", pos);
	if (time_ns <= last_ns)
		die("time went back", pos);
	if (seq - next_seq > N_RECORDS)
		die("number went back", pos);
	for (u32 i = 2; i < n8; i++)
		if (data[(pos + i) & (SIZE8 - 1)] != time_ns + i)
			die("published before it was written", pos);
	last_ns = time_ns;
	n_missing += seq - next_seq;
	next_seq = seq + 1;
	n_read++;
	return n8;
}

/* Reads what is there; the number that the next attempt would get. */
static u32 drain(void)
{
	u64 word = __atomic_load_n(&head, __ATOMIC_ACQUIRE);
	u32 pos = reader, end = (u32)word;

	if (end - pos > SIZE8)
		die("more than a ring is published", pos);
	while (pos != end)
		pos += check(pos, end);
	__atomic_store_n(&reader, pos, __ATOMIC_RELEASE);
	return (u32)(word >> 32);
}

int main(void)
{
	pthread_t producer;
	u32 end_seq = 0;

	rc.size8 = SIZE8;
	rc.data = data;
	rc.head = &head;
	rc.reader = &reader;
	if (pthread_create(&producer, NULL, produce, NULL))
		return 1;
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		end_seq = drain();
	pthread_join(producer, NULL);
	end_seq = drain();
	n_missing += end_seq - next_seq;
	printf("%u attempts: %u read, %u lost, %u retried\n", n_attempts, n_read, n_missing,
	       rc.n_retry);
	if (n_read + n_missing != n_attempts || n_missing != n_full || end_seq != n_attempts)
		die("attempts do not add up", (u32)head);
	return 0;
}
