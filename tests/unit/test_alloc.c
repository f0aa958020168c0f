/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers with an allocator of the caller's: all they take comes from it and goes back,
 * and is within the limit. The linker sends allocations of the library, and of zlib, through the
 * functions here: while a reader or writer is at work, there must be none. zstd's are its own.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scap/scap.h>

#include "support_keyframe.h"
#include "support_savefile.h"

/* ---- memory ---------------------------------------------------------------------------------- */

static atomic_bool watching;
static atomic_long strays;	/* allocations, while watching, that are not the allocator's */
static _Thread_local bool ours;	/* this thread is in code of the test */

static void note(void)
{
	if (atomic_load(&watching) && !ours)
		atomic_fetch_add(&strays, 1);
}

#define WRAP(type, name, params, args) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params { note(); return __real_##name args; }

WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t n), (p, n))
WRAP(char *, strdup, (const char *s), (s))

int __wrap_asprintf(char **ret, const char *form, ...);
int __wrap_asprintf(char **ret, const char *form, ...)
{
	va_list ap;
	int n;

	note();
	va_start(ap, form);
	n = vasprintf(ret, form, ap);
	va_end(ap);
	return n;
}

/* What it handed out, each with its size in front. */
struct pool {
	atomic_llong used, peak;
	atomic_long n;
};

#define FRONT 16

static void *pool_alloc(void *ctx, size_t n)
{
	struct pool *pool = ctx;
	uint8_t *p = __real_malloc(FRONT + n);
	long long now = atomic_fetch_add(&pool->used, (long long)n) + (long long)n;
	long long most = atomic_load(&pool->peak);

	cr_assert(p && n);
	while (now > most && !atomic_compare_exchange_weak(&pool->peak, &most, now))
		;
	atomic_fetch_add(&pool->n, 1);
	memcpy(p, &n, sizeof(n));
	return memset(p + FRONT, 0xa5, n);
}

static void pool_free(void *ctx, void *p)
{
	struct pool *pool = ctx;
	size_t n;

	cr_assert_not_null(p);
	memcpy(&n, (uint8_t *)p - FRONT, sizeof(n));
	atomic_fetch_sub(&pool->used, (long long)n);
	free((uint8_t *)p - FRONT);
}

static struct scap_allocator allocator_of(struct pool *pool)
{
	return (struct scap_allocator){ .ctx = pool, .alloc = pool_alloc, .free = pool_free };
}

static void watch(void)
{
	atomic_store(&strays, 0);
	atomic_store(&watching, true);
}

static void check_pool(const struct pool *pool, const char *what)
{
	atomic_store(&watching, false);
	cr_assert_eq(atomic_load(&strays), 0, "%s: %ld allocations elsewhere", what,
		     atomic_load(&strays));
	cr_assert_eq(atomic_load(&pool->used), 0, "%s: %lld bytes are left", what,
		     atomic_load(&pool->used));
}

/* ---- reading --------------------------------------------------------------------------------- */

#define FLAGS (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES | SCAP_READER_SEALS | \
	       SCAP_READER_SCHEMA | SCAP_READER_SEGMENTS)

static char dir[] = "/tmp/scap-alloc-XXXXXX";
static char path[64], journals[2][80];
static struct capture cap, columns;
static struct rows theirs, gzipped, zstded, segments;

static void make(void)
{
	struct capture_spec spec = { .seed = 4, .n_cpus = 2, .n_slices = 6, .per_slice = 400,
				     .keyframes = true, .gaps = true };

	rows_capture(&cap, &spec);
	spec.groups = true;
	rows_capture(&columns, &spec);
	sf_sample(&theirs);
	sf_gzip(&gzipped, theirs.p, theirs.n);
	sf_zstd(&zstded, theirs.p, theirs.n);
	rows_put(&segments, columns.file.p, columns.file.n / 2);
	rows_put(&segments, cap.file.p, cap.file.n);
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.scapz", dir);
	snprintf(journals[0], sizeof(journals[0]), "%s.journal", path);
	snprintf(journals[1], sizeof(journals[1]), "%s.journal2", path);
}

static void drop(void)
{
	capture_free(&cap);
	capture_free(&columns);
	rows_free(&theirs);
	rows_free(&gzipped);
	rows_free(&zstded);
	rows_free(&segments);
	unlink(path);
	unlink(journals[0]);
	unlink(journals[1]);
	rmdir(dir);
}

TestSuite(alloc, .init = make, .fini = drop, .timeout = 100);

/* A number that depends on all that is read. */
static uint64_t sum_event(uint64_t sum, const struct scap_event *ev)
{
	static const struct scap_print_options opt = { .size = sizeof(opt) };
	char text[4096];

	text[0] = 0;
	ours = true;
	scap_print_json(ev, &opt, text, sizeof(text));
	ours = false;
	for (const char *p = text; *p; p++)
		sum = (sum ^ (uint8_t)*p) * 0x100000001b3ull;
	return sum;
}

/* All of it, behind damage too: the last result. */
static int read_on(struct scap_reader *r, uint64_t *ret_sum)
{
	const struct scap_event *ev;
	int rc;

	while ((rc = scap_reader_next(r, &ev)) == 0 || rc == 2 || rc == SCAP_EDAMAGED)
		if (!rc)
			*ret_sum = sum_event(*ret_sum, ev);
	return rc;
}

static int read_file(const struct rows *f, struct scap_reader_options opt, bool seek,
		     const struct scap_filter *filter, uint64_t *ret_sum)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, f->p, f->n);
	struct scap_reader *r;
	struct scap_error err;
	int rc;

	opt.size = sizeof(opt);
	*ret_sum = 0;
	rc = scap_reader_open_source(&src, &opt, &r, &err);
	if (rc)
		return rc;
	if (filter)
		scap_reader_choose(r, filter);
	rc = read_on(r, ret_sum);
	if (rc == 1 && seek && !scap_reader_seek(r, 0, 0))
		rc = read_on(r, ret_sum);
	scap_reader_close(r);
	return rc;
}

static void read_both(const struct rows *f, uint32_t flags, const char *filter, const char *what)
{
	struct scap_reader_options opt = { .flags = flags };
	struct scap_filter *compiled = NULL;
	struct pool pool = { 0 };
	struct scap_allocator a = allocator_of(&pool);
	uint64_t sum, own;
	int rc;

	if (filter)
		cr_assert_eq(scap_filter_compile(filter, &compiled, NULL), 0);
	cr_assert_eq(read_file(f, opt, true, compiled, &sum), 1, "%s", what);
	cr_assert_neq(sum, 0, "%s", what);
	opt.allocator = &a;
	watch();
	rc = read_file(f, opt, true, compiled, &own);
	check_pool(&pool, what);
	cr_assert_eq(rc, 1, "%s", what);
	cr_assert_eq(own, sum, "%s: other events", what);
	cr_assert_gt(atomic_load(&pool.n), 5, "%s", what);
	scap_filter_free(compiled);
}

Test(alloc, reader)
{
	read_both(&cap.file, FLAGS, NULL, "rows");
	read_both(&columns.file, FLAGS, NULL, "columns");
	read_both(&columns.file, 0, NULL, "columns, sought");
	read_both(&columns.file, 0, "evt.type = page_fault", "columns, chosen from");
	read_both(&segments, FLAGS, NULL, "segments");
	read_both(&theirs, FLAGS, NULL, ".scap");
	read_both(&gzipped, FLAGS, NULL, ".scap.gz");
	read_both(&zstded, FLAGS, NULL, ".scap.zst");
}

Test(alloc, reader_fails)
{
	struct pool pool = { 0 };
	struct scap_allocator a = allocator_of(&pool);
	struct scap_reader_options opt = { .allocator = &a };
	struct rows text = { (uint8_t *)"text", 4, 0 };
	uint64_t sum;

	watch();
	cr_expect_eq(read_file(&text, opt, false, NULL, &sum), SCAP_ENOTSCAP);
	check_pool(&pool, "no capture");
	a.free = NULL;
	cr_expect_eq(read_file(&cap.file, opt, false, NULL, &sum), -EINVAL);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void limit_reader(const struct rows *f, bool nameless, const char *what)
{
	struct scap_reader_options opt = { .flags = FLAGS };
	unsigned n_limited = 0;
	uint64_t sum, all;

	cr_assert_eq(read_file(f, opt, false, NULL, &all), 1);
	for (uint64_t limit = 1000; limit < 64 << 20; limit = limit * 5 / 4) {
		struct pool pool = { 0 };
		struct scap_allocator a = allocator_of(&pool);
		int rc;

		opt.allocator = &a;
		opt.memory_limit = limit;
		rc = read_file(f, opt, false, NULL, &sum);
		check_pool(&pool, what);
		cr_assert(rc == SCAP_ELIMIT || rc == 1 || (nameless && rc == -ENOMEM),
			  "%s, limit %lu: %d", what, (unsigned long)limit, rc);
		cr_assert(rc != 1 || nameless || sum == all, "%s, limit %lu", what,
			  (unsigned long)limit);
		cr_assert_leq(atomic_load(&pool.peak), (long long)limit, "%s, limit %lu", what,
			      (unsigned long)limit);
		n_limited += rc != 1;
	}
	cr_assert(n_limited > 5 && n_limited < 45, "%s: %u", what, n_limited);
}

Test(alloc, reader_limit)
{
	limit_reader(&cap.file, false, "rows");
	limit_reader(&columns.file, false, "columns");
	limit_reader(&theirs, true, ".scap");
	limit_reader(&gzipped, true, ".scap.gz");
}

/* ---- writing --------------------------------------------------------------------------------- */

#define SLICES 8
#define PER_SLICE 400
#define T0 (1000 * SCAP_EPOCH_NS)

static int write_keyframe(struct scap_writer *w, struct rows *rows, uint64_t ns)
{
	struct scap_keyframe_part part = { .begin_ns = ns, .end_ns = ns + 1, .number = 1,
					   .flags = SCAP_KEYFRAME_LAST };
	uint32_t seq = 0;

	ours = true;
	rows->n = 0;
	rows_key_tasks(rows, &seq, ns, 100, 3);
	rows_key_end(rows, seq, ns, 3);
	ours = false;
	part.rows = rows->p;
	part.bytes = rows->n;
	return scap_writer_keyframe(w, &part);
}

static int write_slice(struct scap_writer *w, struct rows *rows, uint32_t i, uint64_t *seed)
{
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .start_ns = T0 + i * SCAP_EPOCH_NS, .n_parts = 1, .parts = &part };

	ours = true;
	s.end_ns = s.start_ns + SCAP_EPOCH_NS;
	rows->n = 0;
	for (uint32_t seq = i * PER_SLICE; seq < (i + 1) * PER_SLICE; seq++)
		rows_any(rows, seq, s.start_ns + seq % PER_SLICE, seed);
	ours = false;
	part.rows = rows->p;
	part.bytes = rows->n;
	return scap_writer_slice(w, &s);
}

/* An end that is like a crash's, where the journals stay: the first error. */
static int write_to(const char *to, struct scap_writer_options opt, bool crash)
{
	struct scap_ring_end end = { .next_seq = SLICES * PER_SLICE };
	struct rows rows = { 0 };
	uint64_t seed = 5;
	struct scap_writer *w;
	struct scap_error err;
	int rc, close_rc;

	opt.size = sizeof(opt);
	opt.raw_ns = T0;
	opt.hostname = "h";
	opt.flags |= SCAP_WRITER_FORCE;
	rc = scap_writer_open_path(to, &opt, &w, &err);
	if (rc)
		return rc;
	for (uint32_t i = 0; !rc && i < SLICES; i++) {
		rc = i == 3 ? write_keyframe(w, &rows, T0 + i * SCAP_EPOCH_NS) :
		     i == 5 ? scap_writer_flush(w) : 0;
		if (!rc)
			rc = write_slice(w, &rows, i, &seed);
	}
	close_rc = scap_writer_close(w, T0 + SLICES * SCAP_EPOCH_NS, crash ? NULL : &end, 1, &err);
	rows_free(&rows);
	return rc ? rc : close_rc;
}

static uint64_t events_of(const char *of, struct scap_reader_options opt, int want)
{
	struct scap_reader *r;
	struct scap_error err;
	uint64_t sum = 0;
	int rc;

	opt.size = sizeof(opt);
	cr_assert_eq(scap_reader_open_path(of, &opt, &r, &err), 0, "%s", err.text);
	rc = read_on(r, &sum);
	cr_assert_eq(rc, want, "%d, %s", rc, scap_reader_error(r)->text);
	scap_reader_close(r);
	return sum;
}

Test(alloc, writer)
{
	static const uint32_t flags[] = { 0, SCAP_WRITER_ROWS };

	for (unsigned i = 0; i < 2; i++) {
		struct pool pool = { 0 };
		struct scap_allocator a = allocator_of(&pool);
		struct scap_writer_options opt = { .flags = flags[i] };
		struct scap_reader_options all = { .flags = FLAGS };
		uint64_t sum;

		cr_assert_eq(write_to(path, opt, false), 0);
		sum = events_of(path, all, 1);
		opt.allocator = &a;
		watch();
		cr_assert_eq(write_to(path, opt, false), 0);
		check_pool(&pool, "writer");
		cr_assert_gt(atomic_load(&pool.n), 5);
		cr_assert_eq(events_of(path, all, 1), sum);
	}
}

/* Of a recorder that was killed; its reader has its names from the allocator, too. */
Test(alloc, journals)
{
	struct pool pool = { 0 };
	struct scap_allocator a = allocator_of(&pool);
	struct scap_writer_options opt = { .allocator = &a };
	struct scap_reader_options own = { .allocator = &a };
	uint64_t sum;

	watch();
	cr_assert_eq(write_to(path, opt, true), 0);
	check_pool(&pool, "writer");
	cr_assert_eq(access(journals[0], F_OK), 0);
	sum = events_of(path, (struct scap_reader_options){ 0 }, SCAP_ETRUNCATED);
	watch();
	cr_assert_eq(events_of(path, own, SCAP_ETRUNCATED), sum);
	check_pool(&pool, "reader");
}

Test(alloc, writer_limit)
{
	unsigned n_limited = 0;

	for (uint64_t limit = 1000; limit < 64 << 20; limit = limit * 5 / 4) {
		struct pool pool = { 0 };
		struct scap_allocator a = allocator_of(&pool);
		struct scap_writer_options opt = { .allocator = &a, .memory_limit = limit };
		int rc = write_to(path, opt, false);

		check_pool(&pool, "writer");
		cr_assert(rc == SCAP_ELIMIT || !rc, "limit %lu: %d", (unsigned long)limit, rc);
		cr_assert_leq(atomic_load(&pool.peak), (long long)limit);
		n_limited += rc != 0;
	}
	cr_assert(n_limited > 5 && n_limited < 45, "%u", n_limited);
}
