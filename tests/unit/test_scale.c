/* SPDX-License-Identifier: MIT */
/*
 * A machine of 256 CPUs, each with records in both lanes in each slice, a million in all: what
 * recorder and writer, and then readers, take of memory. The linker sends allocations through the
 * functions here, those of zstd too; rings are no allocations.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scap/scap.h>

#include "format/event.h"
#include "support_device.h"

#define CPUS 256
#define CALLS 1100000
#define STEP_NS 9000		/* between calls: some 110,000 per second */
#define WRITER_MAX (64ull << 20)
#define READER_MAX (96ull << 20)

static atomic_llong used, peak;

static void *count(void *p)
{
	long long now, most = atomic_load(&peak);

	if (!p)
		return p;
	now = atomic_fetch_add(&used, malloc_usable_size(p)) + malloc_usable_size(p);
	while (now > most && !atomic_compare_exchange_weak(&peak, &most, now))
		;
	return p;
}

#define WRAP(name, params, args) \
	void *__real_##name params; \
	void *__wrap_##name params; \
	void *__wrap_##name params { return count(__real_##name args); }

WRAP(malloc, (size_t n), (n))
WRAP(calloc, (size_t n, size_t size), (n, size))

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	long long before = p ? malloc_usable_size(p) : 0;
	void *q = __real_realloc(p, n);

	if (q)
		atomic_fetch_sub(&used, before);
	return count(q);
}

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	if (p)
		atomic_fetch_sub(&used, malloc_usable_size(p));
	__real_free(p);
}

/* What was taken at most since the last call, beyond what there was then. */
static unsigned long long take_peak(void)
{
	static long long before;
	long long most = atomic_load(&peak) - before;

	before = atomic_load(&used);
	atomic_store(&peak, before);
	return most > 0 ? (unsigned long long)most : 0;
}

static struct fake_device fake;
static char path[] = "/tmp/scap-scale-XXXXXX";
static uint64_t seed = 1;

/* One CPU after the other, so that all have records in each slice. */
static void busy(struct fake_device *f, int timeout_ms)
{
	uint64_t end = f->now_ns + (uint64_t)timeout_ms * 1000000;
	static uint32_t cpu;

	for (; f->now_ns < end && f->n_calls < CALLS; cpu = (cpu + 1) % CPUS) {
		f->now_ns += STEP_NS;
		fake_call(f, cpu, rows_random(&seed) % 12);
	}
	if (f->now_ns < end)
		f->now_ns = end;
}

static void record(void)
{
	struct scap__device dev = fake_device(&fake);
	struct scap_live_options lo = { .size = sizeof(lo), .ring_bytes = 256 << 10,
					.snaplen = SCAP_LIVE_SNAPLEN_DEFAULT };
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = CPUS,
					  .flags = SCAP_WRITER_FORCE };
	struct scap_recorder_options ro = { .size = sizeof(ro), .wake_fd = -1 };
	struct scap_recorder *r;
	struct scap_error err;
	struct scap_writer *w;
	struct scap_live *live;

	cr_assert_eq(scap__live_open_device(&dev, &lo, &live, &err), 0, "%s", err.text);
	cr_assert_eq(scap_writer_open_path(path, &wo, &w, &err), 0, "%s", err.text);
	cr_assert_eq(scap_recorder_new(live, w, &ro, &r, &err), 0, "%s", err.text);
	cr_assert_eq(scap_recorder_start(r), 0);
	while (fake.n_calls < CALLS)
		cr_assert_eq(scap_recorder_step(r, -1), 0);
	cr_assert_eq(scap_recorder_finish(r), 0, "%s", scap_recorder_error(r)->text);
	cr_assert_eq(fake.n_lost, 0);
	cr_assert_eq(scap_recorder_totals(r)->n_stored, CALLS);
	scap_recorder_free(r);
	scap_live_close(live);
}

static uint64_t read_all(bool chosen)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .memory_limit = READER_MAX };
	uint32_t next[CPUS * SCAP_LANES] = { 0 };
	const struct scap_event *ev;
	struct scap_error err;
	struct scap_reader *r;
	struct scap_filter *none;
	uint64_t n = 0, last_ns = 0;
	int rc;

	cr_assert_eq(scap_filter_compile("evt.rawres<0", &none, &err), 0);
	cr_assert_eq(scap_reader_open_path(path, &opt, &r, &err), 0, "%s", err.text);
	if (chosen)
		scap_reader_choose(r, none);
	for (; (rc = scap_reader_next(r, &ev)) == 0; n++) {
		cr_assert_geq(scap_event_raw_ns(ev), last_ns);
		cr_assert_eq(ev->seq, next[ev->ring]++);
		cr_assert_eq(scap_event_ret(ev), ev->seq);
		last_ns = scap_event_raw_ns(ev);
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	for (unsigned i = 0; n && i < CPUS * SCAP_LANES; i++)
		cr_assert_gt(next[i], 500);
	scap_reader_close(r);
	scap_filter_free(none);
	return n;
}

Test(scale, cpus_256, .timeout = 250)
{
	unsigned long long n;

	close(mkstemp(path));
	fake_init(&fake, CPUS);
	fake.both_lanes = true;
	fake.on_wait = busy;
	take_peak();
	record();
	n = take_peak();
	fprintf(stderr, "recorder and writer: %llu KiB\n", n >> 10);
	cr_assert_leq(n, WRITER_MAX);
	fake_fini(&fake);
	take_peak();
	cr_assert_eq(read_all(false), CALLS);
	n = take_peak();
	fprintf(stderr, "reader: %llu KiB\n", n >> 10);
	cr_assert_leq(n, READER_MAX);
	cr_assert_eq(read_all(true), 0);
	n = take_peak();
	fprintf(stderr, "reader that chooses: %llu KiB\n", n >> 10);
	cr_assert_leq(n, READER_MAX);
	unlink(path);
}
