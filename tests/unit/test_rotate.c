/* SPDX-License-Identifier: MIT */
/* A recording in one file after the other: together they hold what one would, each by itself. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <scap/scap.h>

#include "format/event.h"
#include "support_device.h"
#include "support_keyframe.h"

#define MAX_FILES 64
#define MAX_RINGS 16
#define MAX_EPOCHS 256

static struct fake_device fake;
static struct scap_live *live;
static struct scap_recorder *recorder;
static uint64_t seed;
static char dir[] = "/tmp/scap-rotate-XXXXXX";
static unsigned n_opened, n_closed;
static struct scap_recorder_totals files[MAX_FILES];	/* as told when they were closed */

/* What the recorder's process knew, also after it was killed. */
static struct {
	uint64_t n_by_epoch[MAX_EPOCHS];	/* calls */
	uint64_t seam_ns;
} *shared;

static const char *file_path(unsigned i, const char *suffix)
{
	static char path[100];

	snprintf(path, sizeof(path), "%s/%03u.scapz%s", dir, i, suffix);
	return path;
}

static bool file_exists(unsigned i, const char *suffix)
{
	return access(file_path(i, suffix), F_OK) == 0;
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	cr_assert_neq(shared, MAP_FAILED);
}

static void remove_files(void)
{
	for (unsigned i = 0; i < MAX_FILES; i++) {
		unlink(file_path(i, ""));
		unlink(file_path(i, ".journal"));
		unlink(file_path(i, ".journal2"));
	}
}

static void teardown(void)
{
	remove_files();
	rmdir(dir);
}

TestSuite(rotate, .init = setup, .fini = teardown, .timeout = 120);

/* ---- recording ------------------------------------------------------------------------------ */

enum kill_at { NEVER, BEFORE_OPEN, AFTER_OPEN, WHEN_CLOSED, LATER } kill_at;
static int open_fails;

static void maybe_die(enum kill_at where)
{
	if (kill_at == where)
		raise(SIGKILL);
}

static int open_file(void *ctx, struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = fake.n_cpus };
	struct scap_live_clock clock;
	int rc;

	(void)ctx;
	if (open_fails) {
		snprintf(err->text, sizeof(err->text), "no more files");
		return open_fails;
	}
	if (n_opened)
		maybe_die(BEFORE_OPEN);
	scap_live_clock(live, &clock);
	wo.raw_ns = clock.raw_ns;
	wo.real_ns = clock.real_ns;
	wo.boot_ns = clock.boot_ns;
	rc = scap_writer_open_path(file_path(n_opened++, ""), &wo, ret_w, err);
	if (n_opened > 1)
		maybe_die(AFTER_OPEN);
	return rc;
}

static void closed(void *ctx, const struct scap_recorder_totals *file)
{
	struct stat st;

	(void)ctx;
	files[n_closed] = *file;
	cr_assert_eq(stat(file_path(n_closed, ""), &st), 0);
	cr_assert_leq(file->file_bytes, (uint64_t)st.st_size);
	cr_assert_geq(file->file_bytes + 4096, (uint64_t)st.st_size);
	n_closed++;
	shared->seam_ns = file->end_raw_ns;
	maybe_die(WHEN_CLOSED);
}

static const struct scap_recorder_next next_file = { .open = open_file, .closed = closed };

static void begin(uint64_t ring_bytes, uint64_t buffer_bytes)
{
	struct scap_live_options lo = { .size = sizeof(lo), .ring_bytes = ring_bytes };
	struct scap_recorder_options ro = {
		.size = sizeof(ro), .buffer_bytes = buffer_bytes, .wake_fd = -1,
	};
	struct scap__device dev = fake_device(&fake);
	struct scap_writer *w;

	n_opened = n_closed = 0;
	cr_assert_eq(scap__live_open_device(&dev, &lo, &live, NULL), 0);
	cr_assert_eq(open_file(NULL, &w, NULL), 0);
	cr_assert_eq(scap_recorder_new(live, w, &ro, &recorder, NULL), 0);
	cr_assert_eq(scap_recorder_start(recorder), 0);
}

static void end(void)
{
	scap_recorder_free(recorder);
	scap_live_close(live);
	fake_fini(&fake);
}

/* ---- reading -------------------------------------------------------------------------------- */

static struct {
	uint32_t next_seq[MAX_RINGS];
	uint64_t n_calls, n_lost, last_ns, end_ns;
	unsigned n_keyframes;
} seen;

/* Numbers of each ring go on from file to file: nothing is missing, nothing comes twice. */
static void take(const struct scap_event *ev, const struct scap_capture_info *info)
{
	uint32_t *next = &seen.next_seq[ev->ring], first = ev->seq;

	cr_assert_geq(ev->raw_ns, seen.last_ns);
	cr_assert_geq(ev->raw_ns, info->start_raw_ns);
	seen.last_ns = ev->raw_ns;
	if (ev->type == SCAP_REC_GAP) {
		cr_assert(!ev->u.gap.unexplained, "%u missing", ev->u.gap.n_lost);
		first = ev->u.gap.first_seq;
		cr_assert_eq(first + ev->u.gap.n_lost, ev->seq);
		seen.n_lost += ev->u.gap.n_lost;
	} else {
		cr_assert_eq(ev->type, SCAP_REC_CALL);
		seen.n_calls++;
	}
	cr_assert_eq(first, *next, "ring %u: %u follows %u", ev->ring, first, *next);
	*next = ev->seq + 1;
}

/* One of the files, the next in order: what reading it ends with. */
static int read_file(unsigned i)
{
	uint64_t before = seen.n_calls, lost_before = seen.n_lost;
	const struct scap_capture_info *info;
	const struct scap_event *ev;
	struct scap_error err;
	struct scap_reader *r;
	int rc;

	cr_assert_eq(scap_reader_open_path(file_path(i, ""), NULL, &r, &err), 0, "%s", err.text);
	info = scap_reader_info(r);
	while ((rc = scap_reader_next(r, &ev)) == 0)
		take(ev, info);
	if (i && info->n_slices) {
		cr_assert(info->continues);
		cr_assert_eq(info->start_raw_ns, seen.end_ns, "where the one before ended");
		cr_assert_eq(info->start_raw_ns % SCAP_EPOCH_NS, 0);
		cr_assert_eq(info->start_wall_ns, info->start_raw_ns + 1700000000000000000ULL);
	}
	if (info->complete) {
		cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
		cr_assert_lt(seen.last_ns, info->end_raw_ns);
		seen.end_ns = info->end_raw_ns;
		cr_assert(!file_exists(i, ".journal") && !file_exists(i, ".journal2"));
	}
	seen.n_keyframes += info->n_keyframes;
	if (i < n_closed) {
		cr_assert_eq(files[i].n_stored, seen.n_calls - before, "file %u", i);
		cr_assert_eq(files[i].n_lost, seen.n_lost - lost_before, "file %u", i);
		cr_assert_eq(files[i].end_raw_ns, info->end_raw_ns);
		cr_assert_eq(files[i].start_raw_ns, i ? info->start_raw_ns :
			     files[i].start_raw_ns);
		cr_assert_eq(files[i].n_keyframes, info->n_keyframes);
	}
	scap_reader_close(r);
	return rc;
}

/* Each by itself: sealed, and missing nothing. */
static void verify_file(unsigned i)
{
	struct scap_reader_options ro = { .size = sizeof(ro), .flags = SCAP_READER_SEALS };
	struct scap_summary *s;
	struct scap_reader *r;

	cr_assert_eq(scap_reader_open_path(file_path(i, ""), &ro, &r, NULL), 0);
	cr_assert_eq(scap_summary_read(r, &s), 0, "%s", scap_reader_error(r)->text);
	cr_assert_eq(scap_summary_totals(s)->unexplained, 0);
	cr_assert_eq(scap_reader_seals(r)->n_open, 0);
	cr_assert_gt(scap_reader_seals(r)->n_sealed, 0);
	scap_summary_free(s);
	scap_reader_close(r);
}

static void check_files(void)
{
	memset(&seen, 0, sizeof(seen));
	for (unsigned i = 0; i < n_opened; i++) {
		cr_assert_eq(read_file(i), 1);
		verify_file(i);
	}
	cr_assert_eq(n_closed + 1, n_opened);
	cr_assert_eq(seen.n_calls, fake.n_stored);
	cr_assert_eq(seen.n_lost, fake.n_lost);
	cr_assert_eq(scap_recorder_totals(recorder)->n_stored, fake.n_stored);
	cr_assert_eq(scap_recorder_totals(recorder)->n_lost, fake.n_lost);
}

/* ---- nothing is lost, nothing comes twice --------------------------------------------------- */

static void call(struct fake_device *f, uint32_t cpu, uint32_t extra8)
{
	shared->n_by_epoch[f->now_ns >> SCAP_EPOCH_SHIFT]++;
	fake_call(f, cpu, extra8);
}

static void busy(struct fake_device *f, int timeout_ms)
{
	uint64_t until = f->now_ns + (uint64_t)timeout_ms * 1000000;

	while (f->now_ns < until) {
		uint32_t cpu = rows_random(&seed) % f->n_cpus;

		f->now_ns += rows_random(&seed) % 500000;
		call(f, cpu, rows_random(&seed) % 12);
		cpu = rows_random(&seed) % f->n_cpus;
		if (rows_random(&seed) % 64 == 0)
			fake_hold(f, cpu);
		else if (rows_random(&seed) % 8 == 0)
			fake_release(f, cpu);
	}
}

/* More than the rings hold, and then nothing for a while. */
static void bursts(struct fake_device *f, int timeout_ms)
{
	unsigned n = rows_random(&seed) % 4 ? 0 : 4000;

	for (unsigned i = 0; i < n; i++) {
		call(f, rows_random(&seed) % f->n_cpus, rows_random(&seed) % 30);
		f->now_ns += rows_random(&seed) % 20000;
	}
	f->now_ns += (uint64_t)timeout_ms * 1000000;
}

static void run(unsigned every_steps, unsigned n_files)
{
	for (unsigned i = 1; n_closed < n_files; i++) {
		if (i % every_steps == 0)
			cr_assert_eq(scap_recorder_rotate(recorder, &next_file), 0);
		/* Nobody waits while a keyframe is under way. */
		if (fake.keyframe_endless)
			busy(&fake, 100);
		cr_assert_eq(scap_recorder_step(recorder, -1), 0, "%s",
			     scap_recorder_error(recorder)->text);
	}
}

Test(rotate, together_they_hold_everything)
{
	for (unsigned n = 1; n <= 8; n++) {
		seed = n;
		fake_init(&fake, 1 + n % 4);
		fake.both_lanes = n % 2;
		fake.on_wait = busy;
		fake.lag_ns = n % 3 * 20000000;
		begin(1 << 20, 0);
		run(1 + n * 3, 6);
		cr_assert_eq(scap_recorder_finish(recorder), 0);
		cr_assert_eq(fake.n_lost, 0);
		check_files();
		end();
		remove_files();
	}
}

/* Slices are cut early, GAPs come long after what they tell of, also behind a seam. */
Test(rotate, losses)
{
	for (unsigned n = 1; n <= 8; n++) {
		seed = n;
		fake_init(&fake, 3);
		fake.both_lanes = n % 2;
		fake.on_wait = bursts;
		fake.lag_ns = n % 2 * 30000000;
		begin(65536, 65536);
		run(1 + n * 2, 8);
		cr_assert_eq(scap_recorder_finish(recorder), 0);
		cr_assert_gt(fake.n_lost, 1000);
		check_files();
		end();
		remove_files();
	}
}

static void go_to(uint64_t ns)
{
	cr_assert_lt(fake.now_ns, ns);
	fake.now_ns = ns;
}

/*
 * What is lost at the end of an epoch is told behind it: by a GAP that is there when the seam
 * comes, by one that comes later, or by the flush at the recording's end.
 */
Test(rotate, losses_at_the_seam)
{
	for (unsigned when = 0; when < 3; when++) {
		uint64_t seam = 6 * SCAP_EPOCH_NS;

		fake_init(&fake, 1);
		begin(65536, 0);
		fake.on_wait = NULL;
		go_to(seam - 1000000);
		for (unsigned i = 0; i < 3000; i++)
			call(&fake, 0, 0);
		cr_assert_gt(fake.n_lost, 100);
		cr_assert_eq(scap_recorder_rotate(recorder, &next_file), 0);
		cr_assert_eq(scap_recorder_step(recorder, 0), 0);
		cr_assert_eq(n_closed, 0);
		go_to(seam + 50000000);
		if (when == 0)
			call(&fake, 0, 0);
		while (!n_closed)
			cr_assert_eq(scap_recorder_step(recorder, -1), 0);
		if (when == 1)
			call(&fake, 0, 0);
		cr_assert_eq(scap_recorder_finish(recorder), 0);
		cr_assert_eq(files[0].n_lost, 0);
		check_files();
		end();
		remove_files();
	}
}

/* However often it is asked for. */
Test(rotate, never_shorter_than_an_epoch)
{
	seed = 77;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	begin(1 << 20, 0);
	run(1, 5);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_files();
	for (unsigned i = 1; i < n_closed; i++)
		cr_assert_eq(files[i].end_raw_ns - files[i].start_raw_ns, SCAP_EPOCH_NS);
	end();
}

/* Nothing happens: files come all the same, and none of them says that anything is missing. */
Test(rotate, idle)
{
	fake_init(&fake, 2);
	begin(1 << 20, 0);
	call(&fake, 1, 0);
	run(3, 3);
	call(&fake, 0, 0);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	check_files();
	end();
}

Test(rotate, a_request_at_the_end_is_forgotten)
{
	seed = 5;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	begin(1 << 20, 0);
	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(scap_recorder_step(recorder, -1), 0);
	cr_assert_eq(scap_recorder_rotate(recorder, &next_file), 0);
	fake.now_ns += 2 * SCAP_EPOCH_NS;
	call(&fake, 0, 0);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	cr_assert_eq(n_opened, 1);
	check_files();
	end();
}

/* ---- keyframes ------------------------------------------------------------------------------ */

/* How many are whole; such a one comes before all that happened. */
static unsigned n_key_ends(unsigned i)
{
	struct scap_reader_options ro = { .size = sizeof(ro), .flags = SCAP_READER_KEYFRAMES };
	const struct scap_event *ev;
	struct scap_reader *r;
	unsigned n = 0, n_events = 0;
	int rc;

	cr_assert_eq(scap_reader_open_path(file_path(i, ""), &ro, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		if (ev->type == SCAP_REC_KEY_END)
			cr_assert_eq(n_events, 0, "in the front");
		n += ev->type == SCAP_REC_KEY_END;
		n_events += ev->type == SCAP_REC_CALL;
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	scap_reader_close(r);
	return n;
}

Test(rotate, each_has_a_keyframe)
{
	for (unsigned endless = 0; endless < 2; endless++) {
		struct rows keyframe = { 0 };
		uint32_t seq = 0;

		rows_key_tasks(&keyframe, &seq, 1000, 100, 30);
		if (!endless)
			rows_key_end(&keyframe, seq, 2000, 30);
		seed = 4;
		fake_init(&fake, 2);
		fake.on_wait = busy;
		fake.keyframe = &keyframe;
		fake.keyframe_chunk = 5;
		fake.keyframe_endless = endless;
		begin(1 << 20, 0);
		run(5, 4);
		cr_assert_eq(scap_recorder_finish(recorder), 0);
		check_files();
		cr_assert_eq(seen.n_keyframes, 5);
		cr_assert_eq(scap_recorder_totals(recorder)->n_keyframes, 5);
		for (unsigned i = 0; i < n_opened; i++)
			cr_assert_eq(n_key_ends(i), !endless, "where one is cut, it says so");
		end();
		remove_files();
		rows_free(&keyframe);
	}
}

/* ---- failures ------------------------------------------------------------------------------- */

/* The file before goes on to the recording's end, which comes at once. */
Test(rotate, no_next_file)
{
	seed = 6;
	fake_init(&fake, 2);
	fake.on_wait = busy;
	begin(1 << 20, 0);
	run(2, 1);
	open_fails = -ENOSPC;
	cr_assert_eq(scap_recorder_rotate(recorder, &next_file), 0);
	for (int rc = 0; !rc;)
		rc = scap_recorder_step(recorder, -1);
	cr_assert_eq(scap_recorder_finish(recorder), -ENOSPC);
	cr_assert_str_eq(scap_recorder_error(recorder)->text, "no more files");
	cr_assert_eq(n_opened, 2);
	memset(&seen, 0, sizeof(seen));
	cr_assert_eq(read_file(0), 1);
	cr_assert_eq(read_file(1), 1);
	cr_assert_eq(seen.n_calls, scap_recorder_totals(recorder)->n_stored);
	cr_assert_gt(seen.n_calls, files[0].n_stored);
	end();
}

static struct { size_t room; struct rows to; } disk[2];

static int disk_write(void *ctx, const void *buf, size_t n)
{
	unsigned i = (unsigned)(uintptr_t)ctx;

	if (n > disk[i].room)
		return -ENOSPC;
	disk[i].room -= n;
	rows_put(&disk[i].to, buf, n);
	return 0;
}

/* From the opening of the next file on. */
static bool no_end;

static int open_disk(void *ctx, struct scap_writer **ret_w, struct scap_error *err)
{
	struct scap_writer_options wo = { .size = sizeof(wo), .n_cpus = 2 };
	struct scap_sink sink = { .ctx = ctx, .write = disk_write };

	if (n_opened++ && no_end)
		disk[0].room = 10;
	return scap_writer_open_sink(&sink, &wo, ret_w, err);
}

/* No room for START, or for the END of the file before: in no case does anything come twice. */
Test(rotate, disk_full_at_the_seam)
{
	for (unsigned which = 0; which < 2; which++) {
		struct scap_recorder_next next = { .ctx = (void *)1, .open = open_disk };
		struct scap_live_options lo = { .size = sizeof(lo), .ring_bytes = 1 << 20 };
		struct scap__device dev = fake_device(&fake);
		struct rows_reader rr;
		struct scap_source src;
		const struct scap_event *ev;
		struct scap_reader *r;
		struct scap_writer *w;
		uint64_t n = 0;
		int rc = 0;

		seed = 8;
		n_opened = 0;
		no_end = which;
		fake_init(&fake, 2);
		fake.on_wait = busy;
		disk[0].room = 1 << 20;
		disk[1].room = 1 << 20;
		cr_assert_eq(scap__live_open_device(&dev, &lo, &live, NULL), 0);
		cr_assert_eq(open_disk(NULL, &w, NULL), 0);
		if (!which)
			disk[1].room = scap_writer_bytes(w);
		cr_assert_eq(scap_recorder_new(live, w, NULL, &recorder, NULL), 0);
		cr_assert_eq(scap_recorder_start(recorder), 0);
		while (!scap_recorder_totals(recorder)->n_slices)
			cr_assert_eq(scap_recorder_step(recorder, -1), 0);
		cr_assert_eq(scap_recorder_rotate(recorder, &next), 0);
		for (unsigned i = 0; !rc && i < 1000; i++)
			rc = scap_recorder_step(recorder, -1);
		cr_assert_eq(rc, -ENOSPC);
		cr_assert_eq(scap_recorder_finish(recorder), -ENOSPC);
		cr_assert_eq(n_opened, 2);
		src = rows_source(&rr, disk[0].to.p, disk[0].to.n);
		cr_assert_eq(scap_reader_open_source(&src, NULL, &r, NULL), 0);
		while ((rc = scap_reader_next(r, &ev)) == 0)
			n += ev->type == SCAP_REC_CALL;
		cr_assert_eq(rc, which ? SCAP_ETRUNCATED : 1);
		cr_assert_eq(n, scap_recorder_totals(recorder)->n_stored);
		cr_assert_eq(n, scap_recorder_file(recorder)->n_stored, "the only file");
		cr_assert_gt(n, 100);
		scap_reader_close(r);
		end();
		rows_free(&disk[0].to);
		rows_free(&disk[1].to);
		memset(disk, 0, sizeof(disk));
	}
}

Test(rotate, not_without_a_file)
{
	fake_init(&fake, 1);
	begin(1 << 20, 0);
	cr_assert_eq(scap_recorder_finish(recorder), 0);
	cr_assert_eq(scap_recorder_rotate(recorder, &next_file), -EINVAL);
	scap_recorder_free(recorder);
	cr_assert_eq(scap_recorder_new(live, NULL, NULL, &recorder, NULL), 0);
	cr_assert_eq(scap_recorder_rotate(recorder, &next_file), -EINVAL);
	end();
}

/* ---- killed --------------------------------------------------------------------------------- */

static void busy_until_killed(struct fake_device *f, int timeout_ms)
{
	busy(f, timeout_ms);
	if (n_closed == 2 && f->now_ns > shared->seam_ns + 3 * SCAP_EPOCH_NS)
		maybe_die(LATER);
}

/* At the second seam, or behind it. */
static void record_until_killed(enum kill_at where)
{
	/* Nothing lingers where an assertion fails. */
	alarm(30);
	seed = 30 + where;
	fake_init(&fake, 2);
	fake.on_wait = busy_until_killed;
	begin(1 << 20, 0);
	run(3, 1);
	for (unsigned i = 0; i < 30; i++)
		scap_recorder_step(recorder, -1);
	kill_at = where;
	run(3, 2);
	while (where == LATER)
		scap_recorder_step(recorder, -1);
	_exit(1);
}

static uint64_t n_before(uint64_t ns)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < ns >> SCAP_EPOCH_SHIFT; i++)
		n += shared->n_by_epoch[i];
	return n;
}

/* All that lies before the seam is there in any case, in its order. */
Test(rotate, killed)
{
	for (enum kill_at where = BEFORE_OPEN; where <= LATER; where++) {
		unsigned n = where == WHEN_CLOSED || where == LATER ? 3 : 2, last = n - 1;
		int status;
		pid_t pid;

		memset(shared, 0, sizeof(*shared));
		pid = fork();
		if (!pid)
			record_until_killed(where);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		n_closed = 0;	/* what they hold was told to another process */
		memset(&seen, 0, sizeof(seen));
		cr_assert(file_exists(last, "") && file_exists(last, ".journal"));
		for (unsigned i = 0; i < n; i++) {
			bool whole = i < last;

			cr_assert_eq(read_file(i), whole ? 1 : SCAP_ETRUNCATED, "%u of kind %d", i,
				     where);
		}
		if (where == AFTER_OPEN) {
			/* The next file was there, but nothing went into it. */
			cr_assert(file_exists(2, ""));
			cr_assert_eq(read_file(2), SCAP_ETRUNCATED);
		}
		cr_assert_geq(seen.n_calls, n_before(shared->seam_ns));
		if (where == LATER)
			cr_assert_geq(seen.n_calls, n_before(shared->seam_ns + SCAP_EPOCH_NS));
		remove_files();
	}
}
