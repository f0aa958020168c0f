/* SPDX-License-Identifier: MIT */
/* The consumer and the whole pipeline, on a device made of memory. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/scap.h>
#include <stdlib.h>
#include <string.h>

#include "live/pace.h"
#include "support_device.h"
#include "support_rows.h"

static struct fake_device fake;
static struct scap_live *live;
static struct scap_error err;
static uint64_t seed;

static int open_fake(uint64_t ring_bytes)
{
	struct scap__device dev = fake_device(&fake);
	struct scap_live_options opt = {
		.size = sizeof(opt), .ring_bytes = ring_bytes, .snaplen = SCAP_LIVE_SNAPLEN_DEFAULT,
	};

	return scap__live_open_device(&dev, &opt, &live, &err);
}

static void close_fake(void)
{
	scap_live_close(live);
	live = NULL;
	cr_assert(fake.closed);
	cr_assert_eq(fake.n_maps, 0);
	fake_fini(&fake);
}

/* ---- opening ------------------------------------------------------------------------------ */

Test(live, no_device)
{
	struct scap_live_options opt = { .size = sizeof(opt), .device = "/nonexistent/kscap" };

	cr_assert_eq(scap_live_open(&opt, &live, &err), -ENOENT);
	cr_assert(strstr(err.text, "insmod kscap.ko"), "%s", err.text);
	opt.device = "/dev/null";
	cr_assert_lt(scap_live_open(&opt, &live, &err), 0);
}

Test(live, other_version)
{
	fake_init(&fake, 2);
	fake.abi_version = SCAP_ABI_VERSION + 41;
	cr_assert_eq(open_fake(0), SCAP_EABI);
	cr_assert(strstr(err.text, "version 43") && strstr(err.text, "version 2"), "%s", err.text);
	cr_assert(fake.closed);
}

Test(live, refused)
{
	static const struct { int nr, code, want; const char *text; } cases[] = {
		{ 2, -EBUSY, -EBUSY, "consumers" },
		{ 2, -ENOSPC, SCAP_ELIMIT, "cap of" },
		{ 2, -ENOMEM, -ENOMEM, "smaller rings" },
		{ 1, -ENOTTY, -ENOTTY, "does not answer" },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		fake_init(&fake, 2);
		fake.fail[cases[i].nr] = cases[i].code;
		cr_assert_eq(open_fake(0), cases[i].want);
		cr_assert(strstr(err.text, cases[i].text), "%s", err.text);
		cr_assert(fake.closed);
	}
}

Test(live, every_mapping_fails_once)
{
	for (int nth = 1; nth <= 5; nth++) {
		fake_init(&fake, 3);
		fake.fail_map = nth;
		cr_assert_eq(open_fake(0), -ENOMEM);
		cr_assert(fake.closed);
		cr_assert_eq(fake.n_maps, 0);
		fake_fini(&fake);
	}
}

Test(live, ring_sizes)
{
	uint64_t bad[] = { 1, 65537, 32768, 1ULL << 31 };

	for (unsigned i = 0; i < 4; i++) {
		fake_init(&fake, 2);
		cr_assert_eq(open_fake(bad[i]), -EINVAL);
	}
	fake_init(&fake, 2);
	cr_assert_eq(open_fake(0), 0);
	cr_assert_eq(scap_live_info(live)->ring_bytes, 8 << 20);
	close_fake();
	/* The default makes do with what the cap leaves. */
	fake_init(&fake, 2);
	fake.ring_cap_bytes = 8 << 20;
	cr_assert_eq(open_fake(0), 0);
	cr_assert_eq(scap_live_info(live)->ring_bytes, 2 << 20);
	close_fake();
}

/* ---- batches ------------------------------------------------------------------------------ */

Test(live, batches)
{
	struct scap_live_batch b;

	fake_init(&fake, 2);
	cr_assert_eq(open_fake(65536), 0);
	scap_live_start(live);
	cr_assert_eq(scap_live_read(live, 4, &b), -EINVAL);
	/* Round and round, so that ranges cross the ring's end. */
	for (int round = 0; round < 500; round++) {
		cr_assert_eq(scap_live_read(live, 2, &b), 1);
		for (int i = 0; i < 20; i++)
			fake_call(&fake, 1, round % 50);
		cr_assert_eq(scap_live_read(live, 2, &b), 0);
		cr_assert_eq(b.next_seq, (round + 1) * 20);
		cr_assert_eq(((const struct scap_rec *)b.rows)->seq, round * 20);
		scap_live_release(live, &b);
	}
	cr_assert_eq(fake.n_lost, 0);
	close_fake();
}

/* What the kernel says is checked: no read outside the ring, an error instead. */
Test(live, hostile_ring)
{
	struct scap_live_batch b;
	uint16_t lengths[] = { 0, 1, 6, 0xffff };

	fake_init(&fake, 1);
	cr_assert_eq(open_fake(65536), 0);
	fake_set_head(&fake, 0, 65536 / 8 + 1);
	cr_assert_eq(scap_live_read(live, 0, &b), SCAP_EDAMAGED);
	fake_set_head(&fake, 0, 0xffffffff);
	cr_assert_eq(scap_live_read(live, 0, &b), SCAP_EDAMAGED);
	cr_assert(strstr(scap_live_error(live)->text, "head"), "looked outside the ring");
	for (unsigned i = 0; i < 4; i++) {
		struct scap_rec *rec = (struct scap_rec *)fake_ring(&fake, 0);

		fake_set_head(&fake, 0, 5);
		rec->len8 = lengths[i];
		rec->type = SCAP_REC_CALL;
		cr_assert_eq(scap_live_read(live, 0, &b), SCAP_EDAMAGED);
		/* A GAP shorter than a GAP. */
		rec->len8 = 5;
		cr_assert_eq(scap_live_read(live, 0, &b), 0);
		rec->type = SCAP_REC_GAP;
		cr_assert_eq(scap_live_read(live, 0, &b), SCAP_EDAMAGED);
	}
	close_fake();
}

/* ---- filters ------------------------------------------------------------------------------ */

Test(live, filter_names)
{
	struct scap_live_filter f = { .size = sizeof(f), .calls = "openat,read,waitpid" };
	uint32_t pids[] = { 7, 8 };

	fake_init(&fake, 1);
	cr_assert_eq(open_fake(0), 0);
	cr_assert_eq(scap_live_filter(live, &f), 0);
	cr_assert_eq(fake.spec.flags, SCAP_FILTER_CALLS);
	cr_assert_eq(fake.spec.calls[0][0], 1 << 0);
	cr_assert_eq(fake.spec.calls[0][4], 1 << 1);	/* openat: 257 */
	cr_assert_eq(fake.spec.calls[1][0], 1 << 3 | 1 << 7);
	cr_assert_eq(fake.spec.calls[1][4], 1ULL << (295 - 256));
	f.calls = "openat,connekt";
	cr_assert_eq(scap_live_filter(live, &f), -EINVAL);
	cr_assert(strstr(scap_live_error(live)->text, "'connect'"));
	f.calls = "read,,write";
	cr_assert_eq(scap_live_filter(live, &f), -EINVAL);
	f.calls = "";
	cr_assert_eq(scap_live_filter(live, &f), -EINVAL);
	f.calls = NULL;
	cr_assert_eq(fake.spec.classes, 0);
	f.classes = SCAP_LIVE_SCHED | SCAP_LIVE_FAULT;
	cr_assert_eq(scap_live_filter(live, &f), 0);
	cr_assert_eq(fake.spec.classes, SCAP_CLASS_SCHED | SCAP_CLASS_FAULT);
	f.size = offsetof(struct scap_live_filter, classes);
	cr_assert_eq(scap_live_filter(live, &f), 0, "a caller who knows no classes");
	cr_assert_eq(fake.spec.classes, 0);
	f.size = sizeof(f);
	f.classes = 4;
	cr_assert_eq(scap_live_filter(live, &f), -EINVAL);
	f.classes = 0;
	f.tgids = pids;
	f.n_tgids = 2;
	cr_assert_eq(scap_live_filter(live, &f), 0);
	cr_assert_eq(fake.spec.flags, SCAP_FILTER_TREE);
	cr_assert(fake.n_tree == 2 && fake.tree[1] == 8);
	fake.fail[4] = -ESRCH;
	cr_assert_eq(scap_live_tree_add(live, 99), -ESRCH);
	cr_assert(strstr(scap_live_error(live)->text, "no process 99"));
	f.n_cgroups = 1;
	f.cgroups = (const char *const[]){ "/no/such/cgroup" };
	cr_assert_eq(scap_live_filter_check(&f, &err), -ENOENT);
	f.cgroups = (const char *const[]){ "/tmp" };
	cr_assert_eq(scap_live_filter_check(&f, &err), -EINVAL);
	close_fake();
}

/* ---- the pipeline ------------------------------------------------------------------------- */

static struct rows file;
static struct scap_recorder *recorder;
static bool groups;	/* are written, not slices */

static void open_recorder(bool write, uint64_t buffer_bytes)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = fake.n_cpus };
	struct scap_recorder_options ro = {
		.size = sizeof(ro), .buffer_bytes = buffer_bytes, .wake_fd = -1,
	};
	struct scap_sink sink = rows_sink(&file);
	struct scap_writer *w = NULL;

	wo.flags = groups ? SCAP_WRITER_GROUPS : 0;
	if (write)
		cr_assert_eq(scap_writer_open_sink(&sink, &wo, &w, &err), 0);
	cr_assert_eq(scap_recorder_new(live, w, &ro, &recorder, &err), 0);
	cr_assert_eq(scap_recorder_start(recorder), 0);
}

static void close_all(void)
{
	scap_recorder_free(recorder);
	rows_free(&file);
	file = (struct rows){ 0 };
	close_fake();
}

/* The file: sound, in order, complete, and with just these numbers. */
static void check_file(uint64_t stored, uint64_t lost)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, file.p, file.n);
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_summary *s;
	uint64_t last_ns = 0, n = 0;
	int rc;

	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, &err), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		cr_assert_geq(scap_event_raw_ns(ev), last_ns);
		last_ns = scap_event_raw_ns(ev);
		n += scap_event_type(ev) == SCAP_REC_CALL;
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	cr_assert_eq(n, stored);
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);

	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, &err), 0);
	cr_assert_eq(scap_summary_read(r, &s), 0);
	cr_assert_eq(scap_summary_totals(s)->stored, stored);
	cr_assert_eq(scap_summary_totals(s)->lost, lost);
	cr_assert_eq(scap_summary_totals(s)->unexplained, 0);
	scap_summary_free(s);
	scap_reader_close(r);
}

/* Some calls here and there while time goes by; now and then one that is held back. */
static void busy(struct fake_device *f, int timeout_ms)
{
	uint64_t end = f->now_ns + (uint64_t)timeout_ms * 1000000;

	while (f->now_ns < end) {
		uint32_t cpu = rows_random(&seed) % f->n_cpus;

		f->now_ns += rows_random(&seed) % 200000;
		fake_call(f, cpu, rows_random(&seed) % 12);
		cpu = rows_random(&seed) % f->n_cpus;
		if (rows_random(&seed) % 64 == 0)
			fake_hold(f, cpu);
		else if (rows_random(&seed) % 8 == 0)
			fake_release(f, cpu);
	}
}

static void check_totals(void)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(recorder);
	uint64_t lost = 0;

	for (uint32_t i = 0; i < fake.n_cpus; i++)
		lost += scap_recorder_lost(recorder, i);
	cr_assert_eq(t->n_lost, lost);
	cr_assert_eq(t->n_stored, fake.n_stored);
	cr_assert_eq(t->n_lost, fake.n_lost);
	cr_assert_eq(t->n_stored + t->n_lost, fake.n_calls);
}

Test(recorder, everything_arrives_in_order)
{
	for (unsigned run = 1; run <= 12; run++) {
		seed = run;
		fake_init(&fake, 1 + run % 5);
		fake.both_lanes = run % 2;
		fake.on_wait = busy;
		fake.lag_ns = run % 3 * 20000000;
		cr_assert_eq(open_fake(1 << 20), 0);
		open_recorder(true, 0);
		while (fake.now_ns < (9 + run % 2) * SCAP_EPOCH_NS)
			cr_assert_eq(scap_recorder_step(recorder, -1), 0);
		cr_assert_eq(scap_recorder_finish(recorder), 0, "%s",
			     scap_recorder_error(recorder)->text);
		check_totals();
		cr_assert_gt(fake.n_stored, 20000);
		cr_assert_eq(fake.n_lost, 0);
		cr_assert_geq(scap_recorder_totals(recorder)->n_slices, 4);
		check_file(fake.n_stored, 0);
		close_all();
	}
}

static void step_until_complete(uint64_t raw_ns)
{
	while (scap_recorder_totals(recorder)->complete_raw_ns < raw_ns)
		cr_assert_eq(scap_recorder_step(recorder, 50), 0);
}

/* Who waits for a time need not wait for its epoch's end; groups begin with an epoch again then. */
Test(recorder, wanted)
{
	const uint64_t wanted = 6 * SCAP_EPOCH_NS + SCAP_EPOCH_NS / 3;
	const struct scap_recorder_totals *t;
	uint64_t bytes;

	seed = 3;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	fake.lag_ns = 20000000;
	groups = true;
	cr_assert_eq(open_fake(1 << 20), 0);
	open_recorder(true, 0);
	t = scap_recorder_totals(recorder);
	step_until_complete(6 * SCAP_EPOCH_NS);
	scap_recorder_want(recorder, wanted);
	step_until_complete(wanted);
	cr_expect_lt(fake.now_ns, wanted + 200000000);
	bytes = t->file_bytes;
	cr_expect_eq(scap_recorder_flush(recorder), 0);
	cr_expect_gt(t->file_bytes, bytes);
	bytes = t->file_bytes;
	step_until_complete(7 * SCAP_EPOCH_NS);
	cr_expect_gt(t->file_bytes, bytes);
	bytes = t->file_bytes;
	step_until_complete(9 * SCAP_EPOCH_NS);
	cr_expect_eq(t->file_bytes, bytes);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_totals();
	check_file(fake.n_stored, 0);
	close_all();
}

static void stop_after_a_while(struct fake_device *f, int timeout_ms)
{
	busy(f, timeout_ms);
	if (f->now_ns > 8 * SCAP_EPOCH_NS)
		scap_recorder_request_stop(recorder);
}

Test(recorder, runs_until_it_is_told_to_stop)
{
	seed = 9;
	fake_init(&fake, 2);
	fake.on_wait = stop_after_a_while;
	cr_assert_eq(open_fake(1 << 20), 0);
	open_recorder(true, 0);
	cr_assert_eq(scap_recorder_run(recorder), 0);
	cr_assert_lt(fake.now_ns, 8 * SCAP_EPOCH_NS + SCAP_EPOCH_NS / 2);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_totals();
	check_file(fake.n_stored, 0);
	close_all();
}

/* Small rings and a small buffer: losses are told, cuts come early, nothing is unexplained. */
static void flood(struct fake_device *f, int timeout_ms)
{
	for (int i = 0; i < 3000; i++) {
		fake_call(f, rows_random(&seed) % f->n_cpus, rows_random(&seed) % 30);
		f->now_ns += 50;
	}
	f->now_ns += (uint64_t)timeout_ms * 1000000;
}

Test(recorder, overload)
{
	for (unsigned run = 1; run <= 6; run++) {
		seed = run;
		fake_init(&fake, 3);
		fake.on_wait = flood;
		fake.lag_ns = run % 2 * 30000000;
		cr_assert_eq(open_fake(65536), 0);
		open_recorder(true, 65536);
		for (int i = 0; i < 300; i++) {
			cr_assert_eq(scap_recorder_step(recorder, -1), 0);
			cr_assert_leq(scap_recorder_totals(recorder)->buffered_bytes, 140000,
				      "round %d", i);
		}
		cr_assert_eq(scap_recorder_finish(recorder), 0);
		check_totals();
		cr_assert_gt(fake.n_lost, 1000);
		check_file(fake.n_stored, fake.n_lost);
		close_all();
	}
}

static void flood_one(struct fake_device *f, int timeout_ms)
{
	for (int i = 0; i < 1000; i++)
		fake_call(f, 0, rows_random(&seed) % 30);
	f->now_ns += (uint64_t)timeout_ms * 1000000;
}

/*
 * A watermark that never comes, and a CPU without a record, of which so nothing is known: the
 * buffer fills up, then the ring; after the stop all is there.
 */
Test(recorder, no_watermark)
{
	seed = 3;
	fake_init(&fake, 2);
	fake.on_wait = flood_one;
	fake.lag_ns = 1ULL << 62;
	cr_assert_eq(open_fake(65536), 0);
	open_recorder(true, 65536);
	for (int i = 0; i < 50; i++) {
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
		cr_assert_leq(scap_recorder_totals(recorder)->buffered_bytes, 140000);
	}
	cr_assert_eq(scap_recorder_totals(recorder)->n_slices, 0);
	cr_assert_gt(fake.n_waits_asleep, 10, "a full device would be readable all the time");
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_totals();
	check_file(fake.n_stored, fake.n_lost);
	close_all();
}

Test(recorder, drain_only)
{
	seed = 4;
	fake_init(&fake, 4);
	fake.on_wait = flood;
	fake.fail[8] = -EIO;	/* no watermark is asked for */
	cr_assert_eq(open_fake(65536), 0);
	open_recorder(false, 0);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_totals();
	close_all();
}

/* Time stops at the last slice that was written: complete until there. */
Test(recorder, short_finish)
{
	uint64_t stored;

	seed = 5;
	fake_init(&fake, 3);
	fake.on_wait = busy;
	cr_assert_eq(open_fake(1 << 20), 0);
	open_recorder(true, 0);
	while (fake.now_ns < 8 * SCAP_EPOCH_NS + SCAP_EPOCH_NS / 2)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	cr_assert_eq(scap_recorder_finish_short(recorder), 0);
	stored = scap_recorder_totals(recorder)->n_stored;
	cr_assert(stored > 1000 && stored < fake.n_stored);
	cr_assert_eq(scap_recorder_totals(recorder)->end_raw_ns, 8 * SCAP_EPOCH_NS);
	check_file(stored, 0);
	close_all();
}

/* The same where records are lost: what a GAP that is not written tells of is not attempted yet. */
Test(recorder, short_finish_in_overload)
{
	const struct scap_recorder_totals *t;
	uint64_t n_gaps = 0;

	for (unsigned run = 1; run <= 20; run++) {
		seed = run;
		fake_init(&fake, 2);
		fake.on_wait = flood;
		cr_assert_eq(open_fake(65536), 0);
		open_recorder(true, 65536);
		for (unsigned i = 0; i < 100 + run; i++)
			cr_assert_eq(scap_recorder_step(recorder, -1), 0);
		cr_assert_eq(scap_recorder_finish_short(recorder), 0);
		t = scap_recorder_totals(recorder);
		check_file(t->n_stored, t->n_lost);
		n_gaps += t->n_lost > 0;
		close_all();
	}
	cr_assert_eq(n_gaps, 20);
}

/* Just so, but certainly: everything is in a slice, then comes a GAP. */
Test(recorder, short_finish_before_gap)
{
	uint64_t stored;

	fake_init(&fake, 1);
	cr_assert_eq(open_fake(65536), 0);
	open_recorder(true, 0);
	for (int i = 0; i < 3000; i++)
		fake_call(&fake, 0, 0);
	stored = fake.n_stored;
	cr_assert_gt(fake.n_lost, 100);
	for (int i = 0; i < 40; i++)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	cr_assert_eq(scap_recorder_totals(recorder)->n_slices, 1);
	fake_call(&fake, 0, 0);
	cr_assert_eq(scap_recorder_finish_short(recorder), 0);
	check_file(stored, 0);
	close_all();
}

/* ---- failures ----------------------------------------------------------------------------- */

static struct { size_t room; struct rows *to; } disk;

static int disk_write(void *ctx, const void *buf, size_t n)
{
	(void)ctx;
	if (n > disk.room)
		return -ENOSPC;
	disk.room -= n;
	rows_put(disk.to, buf, n);
	return 0;
}

Test(recorder, disk_full)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = 2 };
	struct scap_sink sink = { .write = disk_write };
	const struct scap_event *ev;
	struct scap_writer *w;
	struct rows_reader rr;
	struct scap_source src;
	struct scap_reader *r;
	uint64_t n = 0;
	int rc = 0;

	seed = 6;
	disk.room = 500000;
	disk.to = &file;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	cr_assert_eq(open_fake(1 << 20), 0);
	cr_assert_eq(scap_writer_open_sink(&sink, &wo, &w, &err), 0);
	cr_assert_eq(scap_recorder_new(live, w, NULL, &recorder, &err), 0);
	cr_assert_eq(scap_recorder_start(recorder), 0);
	while (!rc && fake.now_ns < 100 * SCAP_EPOCH_NS)
		rc = scap_recorder_step(recorder, -1);
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_eq(scap_recorder_step(recorder, -1), -ENOSPC, "errors are final");
	cr_assert_eq(scap_recorder_finish(recorder), -ENOSPC);
	cr_assert_eq(scap_recorder_error(recorder)->code, -ENOSPC);
	src = rows_source(&rr, file.p, file.n);
	cr_assert_eq(scap_reader_open_source(&src, NULL, &r, &err), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		n++;
	scap_reader_close(r);
	cr_assert_eq(n, scap_recorder_totals(recorder)->n_stored);
	cr_assert_gt(n, 0);
	close_all();
}

/* A ring that breaks ends the recording; what was complete before is in the file. */
Test(recorder, damaged_ring)
{
	int rc = 0;

	seed = 7;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	cr_assert_eq(open_fake(1 << 20), 0);
	open_recorder(true, 0);
	while (fake.now_ns < 7 * SCAP_EPOCH_NS)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	fake.on_wait = NULL;
	fake_set_head(&fake, 1, 0x70000000);
	rc = scap_recorder_step(recorder, -1);
	cr_assert_eq(rc, SCAP_EDAMAGED);
	cr_assert(strstr(scap_recorder_error(recorder)->text, "CPU 1"));
	cr_assert_eq(scap_recorder_finish(recorder), SCAP_EDAMAGED);
	cr_assert_gt(scap_recorder_totals(recorder)->n_stored, 1000);
	close_all();
}

Test(recorder, failing_ioctls)
{
	for (int nr = 5; nr <= 9; nr++) {
		fake_init(&fake, 2);
		cr_assert_eq(open_fake(65536), 0);
		if (nr != 5 && nr != 9) {
			open_recorder(true, 0);
			fake.fail[nr] = -EIO;
			fake_call(&fake, 0, 3);
			scap_recorder_step(recorder, -1);
			cr_assert_eq(scap_recorder_finish(recorder), -EIO, "ioctl %d", nr);
		} else {
			cr_assert_eq(scap_recorder_new(live, NULL, NULL, &recorder, &err), 0);
			fake.fail[nr] = -EIO;
			cr_assert_eq(scap_recorder_start(recorder), -EIO);
			cr_assert_lt(scap_recorder_step(recorder, -1), 0);
		}
		close_all();
	}
}

/* ---- pace --------------------------------------------------------------------------------- */

Test(pace, an_eighth_of_a_ring)
{
	struct scap__pace p;

	/* At any steady rate the next wake-up finds at most an eighth, once it is known. */
	for (uint64_t per_ms = 1; per_ms < 1 << 20; per_ms *= 3) {
		scap__pace_init(&p, 8 << 20, UINT64_MAX);
		for (int i = 0; i < 20; i++) {
			int waited = p.wait_ms;

			cr_assert(waited >= SCAP__PACE_MIN_MS && waited <= SCAP__PACE_MAX_MS);
			scap__pace_update(&p, per_ms * waited, per_ms * waited,
					  waited * 1000000ull);
		}
		cr_assert(p.wait_ms == SCAP__PACE_MIN_MS || per_ms * p.wait_ms <= 1 << 20);
		cr_assert(p.wait_ms == SCAP__PACE_MAX_MS || per_ms * 2 * (p.wait_ms + 1) > 1 << 20);
	}
	/* Nothing comes: back to the longest wait. */
	for (int i = 0; i < 8; i++)
		scap__pace_update(&p, 0, 0, p.wait_ms * 1000000ull);
	cr_assert_eq(p.wait_ms, SCAP__PACE_MAX_MS);
	scap__pace_update(&p, 1 << 22, 1 << 22, 0);
	cr_assert_eq(p.wait_ms, SCAP__PACE_MIN_MS);
}
