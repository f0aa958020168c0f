/* SPDX-License-Identifier: MIT */
/* Conditions: what fires, with which number; as a reader and the filter alone would say. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/filter.h>
#include <stdlib.h>
#include <string.h>

#include "support_monitor.h"

/* ---- beside a reader ----------------------------------------------------------------------- */

static const char *const filters[] = {
	"evt.type=read", "evt.type in (open, openat) and evt.failed=true", "evt.type=procexit",
	"proc.name=httpd", "proc.name=sh and evt.latency > 10us", "evt.type exists",
	"evt.failed=true", "evt.res=ENOENT or evt.type=execve_enter", "evt.num > 500",
	"not evt.type exists", "fd.name startswith /srv", "evt.buffer contains abc",
	"evt.type=oomkill", "not evt.type=read and not evt.failed exists",
	"evt.type=syscall_335", "evt.type=syscall_4711",
	"evt.cpu=1", "evt.rawtime.ns > 500000000", "syscall.type=write and fd.type=unix",
	"evt.type=switch or evt.type=page_fault", "proc.cgroup=77 and evt.type=mmap",
	"not syscall.type in (read, write)", "thread.tid=103 and evt.type=procfork",
};

#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))

/* Records on all rings; times repeat, meet and now and then go back, or out of the slice. */
static void fill_rings(struct watched *w, uint64_t start, uint64_t span, uint64_t *seed)
{
	for (unsigned ring = 0; ring < 4; ring++) {
		uint64_t ns = start;
		unsigned n = rows_random(seed) % 60;

		w->rings[ring].n = 0;
		if (!(rows_random(seed) % 5))
			n = 0;
		for (unsigned i = 0; i < n; i++) {
			uint64_t at;

			ns += rows_random(seed) % 3 ? rows_random(seed) % 40 : 0;
			at = rows_random(seed) % 20 ? ns : ns - rows_random(seed) % 100;
			if (!(rows_random(seed) % 50))
				at = start + span + 5;
			rows_any(&w->rings[ring], w->seq[ring]++, at, seed);
		}
	}
}

static void expect_reader(const struct rows *file, struct watched *w)
{
	struct scap_reader_options opt = { .size = sizeof(opt) };
	struct scap_filter *f[N_FILTERS];
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, file->p, file->n);
	const struct scap_event *ev;
	struct scap_reader *r;
	size_t at = 0;
	int rc;

	for (size_t i = 0; i < N_FILTERS; i++)
		cr_assert_eq(scap_filter_compile(filters[i], &f[i], NULL), 0, "%s", filters[i]);
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	while (!(rc = scap_reader_next(r, &ev)))
		for (uint32_t i = 0; scap_event_num(ev) && i < N_FILTERS; i++) {
			if (!scap_filter_match(f[i], ev))
				continue;
			cr_assert_lt(at, w->n_fired, "%s at %lu", filters[i], scap_event_num(ev));
			cr_assert_eq(w->fired[at].condition, i, "%u at %lu, not %s at %lu",
				     w->fired[at].condition, w->fired[at].num, filters[i],
				     scap_event_num(ev));
			cr_assert_eq(w->fired[at].num, scap_event_num(ev));
			at++;
		}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	cr_assert_eq(at, w->n_fired);
	scap_reader_close(r);
	for (size_t i = 0; i < N_FILTERS; i++)
		scap_filter_free(f[i]);
}

static void beside_reader(uint64_t seed, uint32_t flags)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .hostname = "h", .raw_ns = 1,
					   .real_ns = 1 };
	struct scap_condition c[N_FILTERS] = { 0 };
	struct scap_ring_end ends[4];
	struct rows file = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_slice_part parts[4];
	struct scap_writer *writer;
	struct scap_slice s;
	struct watched w;

	for (size_t i = 0; i < N_FILTERS; i++)
		c[i].filter = filters[i];
	watched_init(&w, c, N_FILTERS, flags, 4, 4);
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &writer, NULL), 0);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t start = MONITOR_T0 + i * (SCAP_EPOCH_NS / 4);

		fill_rings(&w, start, SCAP_EPOCH_NS / 4, &seed);
		watched_fill(&w, start, start + SCAP_EPOCH_NS / 4, &s, parts);
		cr_assert_eq(scap_monitor_slice(w.m, &s), 0);
		cr_assert_eq(scap_writer_slice(writer, &s), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		ends[i] = (struct scap_ring_end){ i / SCAP_LANES, w.seq[i], i % SCAP_LANES, 0 };
	cr_assert_eq(scap_writer_close(writer, MONITOR_T0 + 20 * SCAP_EPOCH_NS, ends, 4, NULL), 0);
	expect_reader(&file, &w);
	cr_assert_gt(w.n_fired, 1000);
	rows_free(&file);
	watched_fini(&w);
}

Test(monitor, fires_as_a_reader_would_with_its_numbers)
{
	for (uint64_t seed = 1; seed <= 30; seed++)
		beside_reader(seed, seed % 2 ? SCAP_MONITOR_SIGNALS : 0);
}

Test(monitor, numbers_go_on_where_nobody_looked)
{
	static const struct scap_condition c = { .filter = "evt.type=getpid" };
	struct scap_monitor_options opt = { .size = sizeof(opt), .conditions = &c,
					    .n_conditions = 1, .fired = watched_fire };
	struct scap_monitor_totals t;
	struct watched w;

	watched_init(&w, NULL, 0, 0, 0, 0);
	opt.ctx = &w;
	for (unsigned i = 0; i < 7; i++)
		watched_call(&w, &(struct made_call){ .ring = i % 4, .name = "getuid" });
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(scap_monitor_conditions(w.m, &opt, NULL, NULL), 0);
	watched_call(&w, &(struct made_call){ .ring = 1, .name = "getuid" });
	watched_call(&w, &(struct made_call){ .ring = 0, .name = "getpid" });
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(w.n_fired, 1);
	cr_assert_eq(w.fired[0].num, 9);
	scap_monitor_totals(w.m, &t);
	cr_assert_eq(t.n_events, 9);
	cr_assert_eq(t.n_decoded, 1);
	cr_assert_eq(t.n_fired, 1);
	watched_fini(&w);
}

/* Nothing behind a slice's last record is looked at, which may be nothing but a header. */
Test(monitor, the_shortest_record)
{
	static const struct scap_condition c = { .filter = "evt.type exists" };
	struct scap_slice_part part = { .bytes = 16 };
	struct scap_slice s = { .start_ns = MONITOR_T0, .end_ns = MONITOR_T0 + 1, .n_parts = 1,
				.parts = &part };
	struct rows rows = { 0 };
	struct watched w;
	void *p;

	watched_init(&w, &c, 1, 0, 0, 0);
	rows_end(&rows, rows_begin(&rows, 22, 0, 0, MONITOR_T0));
	part.rows = p = malloc(rows.n);
	memcpy(p, rows.p, rows.n);
	cr_assert_eq(scap_monitor_slice(w.m, &s), 0);
	free(p);
	rows_free(&rows);
	watched_fini(&w);
}

/* ---- the triggers that people want ----------------------------------------------------------- */

/* Types that this library does not know are events, but nobody is asked of them. */
Test(monitor, unknown_types_are_counted)
{
	static const struct scap_condition c = { .filter = "evt.type exists" };
	struct watched w;

	watched_init(&w, &c, 1, 0, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		rows_end(&w.rings[i], rows_begin(&w.rings[i], 15, 0, w.seq[i]++, w.ns));
		rows_end(&w.rings[i], rows_begin(&w.rings[i], 22, 0, w.seq[i]++, w.ns));
	}
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	cr_assert_eq(watched_slice(&w), 0);
	cr_assert_eq(w.n_fired, 1);
	cr_assert_eq(w.fired[0].num, 3);
	watched_fini(&w);
}

static void put(struct rows *r, uint8_t type, uint32_t seq, uint64_t ns, const void *rec, size_t n)
{
	size_t at = rows_begin(r, type, 0, seq, ns);

	rows_put(r, (const uint8_t *)rec + sizeof(struct scap_rec), n - sizeof(struct scap_rec));
	rows_end(r, at);
}

static void put_exit(struct watched *w, uint32_t status, uint32_t dead, uint32_t group_status)
{
	struct scap_rec_exit e = { .tid = 100, .status = status, .group_dead = dead,
				   .group_status = group_status };

	put(&w->rings[0], SCAP_REC_EXIT, w->seq[0]++, w->ns += 10, &e, sizeof(e));
}

static void put_execve_enter(struct watched *w, uint32_t tid, const char *path)
{
	struct scap_rec_enter e = { .tid = tid, .nr = 59, .shape = SCAP_SHAPE(0, 3) };
	uint64_t args[3] = { 1, 2, 3 };
	struct rows *r = &w->rings[0];
	size_t at = rows_begin(r, SCAP_REC_ENTER, 0, w->seq[0]++, w->ns += 10);

	rows_put(r, (uint8_t *)&e + sizeof(e.h), sizeof(e) - sizeof(e.h));
	rows_put(r, args, sizeof(args));
	rows_blob(r, SCAP_SLOT_FILENAME, SCAP_STATE_WHOLE, path, strlen(path),
		  (uint32_t)strlen(path));
	rows_end(r, at);
}

static void expect_fired(const struct watched *w, uint32_t condition, const uint64_t *nums,
			 size_t n)
{
	size_t seen = 0;

	for (size_t i = 0; i < w->n_fired; i++) {
		if (w->fired[i].condition != condition)
			continue;
		cr_assert_lt(seen, n, "condition %u: %lu too much", condition, w->fired[i].num);
		cr_assert_eq(w->fired[i].num, nums[seen++]);
	}
	cr_assert_eq(seen, n, "condition %u fired %zu times", condition, seen);
}

#define EXPECT(w, condition, ...) \
	expect_fired(w, condition, (const uint64_t[]){ __VA_ARGS__ }, \
		     sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* The filters of docs/monitor.md. */
Test(monitor, documented_conditions)
{
	static const struct scap_condition c[] = {
		{ .filter = "evt.type=procexit and evt.arg.process_status startswith killed and "
			    "not evt.arg.process_status = \"killed(SIGTERM)\"" },
		{ .filter = "evt.type=oomkill" },
		{ .filter = "evt.type in (execve_enter, execveat_enter) and "
			    "proc.name in (nginx, httpd) and "
			    "evt.arg.filename in (/bin/sh, /bin/bash, /usr/bin/sh)" },
		{ .filter = "evt.type=connect and evt.res=ECONNREFUSED" },
		{ .filter = "evt.type in (fsync, fdatasync) and evt.latency > 50ns" },
		{ .filter = "evt.type in (fsync, fdatasync) and evt.latency > 100ns" },
	};
	struct scap_rec_oom oom = { .victim_tid = 5, .comm = "victim" };
	struct watched w;

	watched_init(&w, c, 6, 0, 0, 0);
	watched_intro(&w, 0, 200, "nginx", 1);
	watched_intro(&w, 0, 201, "bash", 1);
	put_exit(&w, 0, 1, 0);			/* 1: ended well */
	put_exit(&w, 256, 1, 256);		/* 2: exit(1) */
	put_exit(&w, 11, 1, 11 | 0x80);		/* 3: SIGSEGV, with a core */
	put_exit(&w, 9, 0, 0);			/* 4: not its last thread */
	put(&w.rings[0], SCAP_REC_OOM, w.seq[0]++, w.ns += 10, &oom, sizeof(oom));	/* 5 */
	watched_call(&w, &(struct made_call){ .name = "connect", .ret = -ECONNREFUSED });
	watched_call(&w, &(struct made_call){ .name = "connect", .ret = -EINPROGRESS });
	watched_call(&w, &(struct made_call){ .name = "fsync" });	/* 8 */
	put_execve_enter(&w, 200, "/bin/sh");	/* 9 */
	put_execve_enter(&w, 201, "/bin/sh");
	put_execve_enter(&w, 200, "/bin/gzip");
	put_exit(&w, 9, 1, 9);			/* 12: SIGKILL */
	put_exit(&w, 15, 1, 15);		/* 13: SIGTERM */
	cr_assert_eq(watched_slice(&w), 0);
	EXPECT(&w, 0, 3, 12);
	EXPECT(&w, 1, 5);
	EXPECT(&w, 2, 9);
	EXPECT(&w, 3, 6);
	EXPECT(&w, 4, 8);
	expect_fired(&w, 5, NULL, 0);
	watched_fini(&w);
}

/* Calls whose numbers are too large for the table of kinds, and those that have no row. */
Test(monitor, calls_without_a_name)
{
	static const struct scap_condition c[] = {
		{ .filter = "evt.type=syscall_4711" }, { .filter = "evt.type=syscall_4712" },
		{ .filter = "evt.type=read" }, { .filter = "not evt.type=read" },
		{ .filter = "evt.type=syscall_511" }, { .filter = "evt.failed=true" },
	};
	struct watched w;

	watched_init(&w, c, 6, 0, 0, 0);
	rows_call(&w.rings[0], 0, MONITOR_T0, 100, 4711, -38);
	rows_call(&w.rings[0], 1, MONITOR_T0, 100, 511, 0);
	rows_call(&w.rings[0], 2, MONITOR_T0, 100, 0, -5);
	cr_assert_eq(watched_slice(&w), 0);
	EXPECT(&w, 0, 1);
	expect_fired(&w, 1, NULL, 0);
	EXPECT(&w, 2, 3);
	EXPECT(&w, 3, 1, 2);
	EXPECT(&w, 4, 2);
	EXPECT(&w, 5, 1, 3);
	watched_fini(&w);
}

/* ---- counting ------------------------------------------------------------------------------ */

static void at(struct watched *w, uint64_t ns)
{
	rows_call(&w->rings[0], w->seq[0]++, ns, 100, 39, 1);
}

static void rate(uint32_t count, uint64_t window_ns, const uint64_t *times, size_t n,
		 const uint64_t *nums, size_t n_nums)
{
	struct scap_condition c = { .filter = "evt.type=getpid", .count = count,
				    .window_ns = window_ns };
	struct watched w;

	watched_init(&w, &c, 1, 0, 0, 0);
	for (size_t i = 0; i < n; i++)
		at(&w, MONITOR_T0 + times[i]);
	w.ns = MONITOR_T0 + 1000000;
	cr_assert_eq(watched_slice(&w), 0);
	expect_fired(&w, 0, nums, n_nums);
	watched_fini(&w);
}

#define RATE(count, window, times, nums) rate(count, window, \
	(const uint64_t[])times, sizeof((const uint64_t[])times) / 8, \
	(const uint64_t[])nums, sizeof((const uint64_t[])nums) / 8)
#define LIST(...) { __VA_ARGS__ }

Test(monitor, rates)
{
	RATE(1, 0, LIST(1, 2, 3), LIST(1, 2, 3));
	RATE(0, 10, LIST(1, 2), LIST(1, 2));
	RATE(3, 100, LIST(0, 50, 100), LIST(3));		/* the window's end belongs to it */
	RATE(3, 100, LIST(0, 50, 101, 150), LIST(4));
	RATE(2, 10, LIST(0, 5, 6, 7, 8), LIST(2, 4));		/* counted anew */
	RATE(3, 10, LIST(0, 1, 2, 3, 4, 5, 6), LIST(3, 6));
	RATE(2, 10, LIST(0, 20, 31, 41, 60), LIST(4));
	/* Time that goes back stands still. */
	RATE(2, 10, LIST(100, 50, 55, 200, 10, 205), LIST(2, 5));
	RATE(2, 1, LIST(500, 0), LIST(2));
}

Test(monitor, rates_over_slices)
{
	static const struct scap_condition c = { .filter = "evt.type=getpid", .count = 65536,
						 .window_ns = UINT64_MAX };
	struct watched w;

	watched_init(&w, &c, 1, 0, 0, 0);
	for (unsigned i = 0; i < 2 * 65536 + 5; i++) {
		watched_call(&w, &(struct made_call){ .ring = i % 3, .name = "getpid" });
		if (i % 1000 == 0)
			cr_assert_eq(watched_slice(&w), 0);
	}
	cr_assert_eq(watched_slice(&w), 0);
	EXPECT(&w, 0, 65536, 2 * 65536);
	watched_fini(&w);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static int refused(const struct scap_condition *c, uint32_t n, struct scap_error *err,
		   uint32_t *ret_condition)
{
	struct scap_monitor_options opt = { .size = sizeof(opt), .conditions = c,
					    .n_conditions = n, .fired = watched_fire };
	struct scap_monitor *m = NULL;
	int rc = scap_monitor_new(&opt, &m, ret_condition, err);

	cr_assert((rc == 0) == (m != NULL));
	scap_monitor_free(m);
	return rc;
}

Test(monitor, bad_conditions)
{
	struct scap_condition c[1025] = { { .filter = "evt.type=read" } };
	struct scap_error err;
	uint32_t at = 99;

	c[1].filter = "evt.type=reed";
	cr_assert_eq(refused(c, 2, &err, &at), SCAP_ESYNTAX);
	cr_assert_eq(at, 1);
	cr_assert_eq(err.offset, 10);
	c[1] = (struct scap_condition){ 0 };
	cr_assert_eq(refused(c, 2, &err, &at), -EINVAL);
	c[1] = (struct scap_condition){ .kind = 2, .filter = "evt.type=read" };
	cr_assert_eq(refused(c, 2, &err, NULL), -EINVAL);
	c[1] = (struct scap_condition){ .filter = "evt.type=read", .count = 65537, .window_ns = 1 };
	cr_assert_eq(refused(c, 2, &err, &at), -EINVAL);
	c[1] = (struct scap_condition){ .filter = "evt.type=read", .count = 2 };
	cr_assert_eq(refused(c, 2, &err, &at), -EINVAL);
	c[1] = (struct scap_condition){ .kind = SCAP_CONDITION_HTTP_5XX };
	cr_assert_eq(refused(c, 2, &err, &at), 0, "%s", err.text);
	for (unsigned i = 0; i < 1025; i++)
		c[i] = c[0];
	cr_assert_eq(refused(c, 1024, &err, &at), 0, "%s", err.text);
	cr_assert_eq(refused(c, 1025, &err, &at), -EINVAL);
}

Test(monitor, a_bad_change_changes_nothing)
{
	static const struct scap_condition good = { .filter = "evt.type=getpid" };
	static const struct scap_condition bad = { .filter = "evt.type=" };
	struct scap_monitor_options opt = { .size = sizeof(opt), .conditions = &bad,
					    .n_conditions = 1, .fired = watched_fire };
	struct watched w;

	watched_init(&w, &good, 1, 0, 0, 0);
	cr_assert_eq(scap_monitor_conditions(w.m, &opt, NULL, NULL), SCAP_ESYNTAX);
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	cr_assert_eq(watched_slice(&w), 0);
	EXPECT(&w, 0, 1);
	watched_fini(&w);
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* No byte makes it fall over, or count what no reader would have counted in a whole slice. */
Test(monitor, any_byte)
{
	static const struct scap_condition c[] = {
		{ .filter = "proc.name=httpd or evt.args contains z" },
		{ .kind = SCAP_CONDITION_HTTP_5XX },
	};
	struct scap_slice_part parts[4];
	struct scap_slice s;
	struct watched w;
	uint64_t seed = 7;

	watched_init(&w, c, 2, SCAP_MONITOR_SIGNALS, 4, 4);
	fill_rings(&w, MONITOR_T0, SCAP_EPOCH_NS / 4, &seed);
	watched_fill(&w, MONITOR_T0, MONITOR_T0 + SCAP_EPOCH_NS / 4, &s, parts);
	for (unsigned ring = 0; ring < 4; ring++)
		for (size_t i = 0; i < w.rings[ring].n; i++) {
			uint8_t was = w.rings[ring].p[i];

			w.rings[ring].p[i] ^= (uint8_t)(1 + rows_random(&seed) % 255);
			scap_monitor_slice(w.m, &s);
			w.rings[ring].p[i] = was;
			s.start_ns += SCAP_EPOCH_NS;	/* each in an epoch of its own */
			s.end_ns += SCAP_EPOCH_NS;
		}
	watched_fini(&w);
}

Test(monitor, damaged_slices_are_passed_over)
{
	static const struct scap_condition c = { .filter = "evt.type=getpid" };
	struct scap_slice_part parts[2] = { { .cpu = 1 }, { .cpu = 0 } };
	struct scap_slice s = { .start_ns = 1, .end_ns = 2, .n_parts = 2, .parts = parts };
	struct scap_monitor_totals t;
	struct watched w;

	watched_init(&w, &c, 1, SCAP_MONITOR_SIGNALS, 0, 0);
	cr_assert_eq(scap_monitor_slice(w.m, &s), SCAP_EDAMAGED);
	s.n_parts = 1;
	s.end_ns = 1;
	cr_assert_eq(scap_monitor_slice(w.m, &s), SCAP_EDAMAGED);
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	w.rings[0].n -= 8;
	cr_assert_eq(watched_slice(&w), SCAP_EDAMAGED);
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	watched_call(&w, &(struct made_call){ .ring = 1, .name = "getpid" });
	w.rings[1].p[2] = 32;	/* no type */
	cr_assert_eq(watched_slice(&w), SCAP_EDAMAGED);
	scap_monitor_totals(w.m, &t);
	cr_assert_eq(t.n_events, 0);
	cr_assert_eq(w.n_fired, 0);
	/* Shorter than its flags say. */
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	w.rings[0].p[0] = sizeof(struct scap_rec_call) / 8;
	w.rings[0].n = sizeof(struct scap_rec_call);
	w.rings[0].p[3] = SCAP_CALL_RET64;
	cr_assert_eq(watched_slice(&w), SCAP_EDAMAGED);
	/* A rest that is no header. */
	parts[0].rows = calloc(1, 2);
	parts[0].bytes = 2;
	s.end_ns = 2;
	cr_assert_eq(scap_monitor_slice(w.m, &s), SCAP_EDAMAGED);
	free((void *)parts[0].rows);
	scap_monitor_totals(w.m, &t);
	cr_assert_eq(t.n_events, 0);
	/* Whole, but for what it says of its arguments: the others do count. */
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	w.rings[0].p[30] |= 7;
	watched_call(&w, &(struct made_call){ .name = "getpid" });
	cr_assert_eq(watched_slice(&w), SCAP_EDAMAGED);
	cr_assert_eq(w.n_fired, 1);
	watched_fini(&w);
}
