/* SPDX-License-Identifier: MIT */
/* Captures cut out of a ring hold what a recording holds of their window, and say what not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_recording.h"

TestSuite(cut, .init = recording_setup, .fini = recording_teardown, .timeout = 300);

/* ---- cuts ----------------------------------------------------------------------------------- */

/* So many slices of events with much in them. */
static void record_large(unsigned n)
{
	rec_open(2, SCAP_RING_MIN_BYTES);
	rec.payload = 50000;
	while (n--)
		rec_slice(1);
	rec_complete();
}

static struct scap_cut *cut_begin(const char *name, const struct scap_trigger *t, uint64_t max)
{
	struct scap_cut_options o = { .size = sizeof(o), .trigger = t, .max_bytes = max };
	struct scap_error err = { 0 };
	struct scap_cut *c;

	o.fd = open(in_dir(name), O_RDWR | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(o.fd, 0);
	cr_assert_eq(scap_ring_cut(rec.ring, &o, &c, &err), 0, "%s", err.text);
	return c;
}

static struct scap_trigger trigger_at(uint64_t raw_ns, uint64_t before_ns, uint64_t after_ns)
{
	return (struct scap_trigger){
		.size = sizeof(struct scap_trigger), .name = "t", .source = "hand",
		.raw_ns = raw_ns, .real_ns = raw_ns + 7777777, .before_ns = before_ns,
		.after_ns = after_ns, .event = rec.n_events,
	};
}

/* Any window, any load: begun when the trigger fires, done when its time is over. */
Test(cut, windows)
{
	for (unsigned round = 0; round < 40; round++) {
		struct scap_trigger t, out;
		struct scap_error err = { 0 };
		struct scap_cut *c = NULL;
		unsigned at = 5 + round % 20, n = 0;

		seed = round + 1;
		rec_open(1 + round % MAX_CPUS, SCAP_RING_MIN_BYTES);
		rec.gaps = round & 1;
		for (unsigned i = 0; i < 60; i++) {
			rec_slice(round & 2 ? 3 : 1);
			if (rows_random(&seed) % 8 == 0)
				scap_writer_flush(rec.w);
			if (i == at) {
				t = trigger_at(rec.now_ns - rows_random(&seed) % SCAP_EPOCH_NS,
					       rows_random(&seed) % (10 * SCAP_EPOCH_NS),
					       rows_random(&seed) % (10 * SCAP_EPOCH_NS));
				c = cut_begin("out", &t, 0);
			}
			if (!c || scap_cut_step(c) == 0)
				continue;
			if (rec.now_ns > t.raw_ns + t.after_ns) {
				rec_complete();
				cr_assert_eq(scap_cut_step(c), 0, "%s", scap_cut_error(c)->text);
				n++;
			}
		}
		cr_assert_eq(scap_cut_step(c), 0);
		cr_assert_eq(scap_cut_close(c, &out, &err), 0, "%s", err.text);
		see_whole();
		compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
		cr_assert_eq(cut_unexplained, 0);
		cr_assert_eq(cut_lost, out.n_lost, "%" PRIu64 " lost, told %" PRIu64, cut_lost,
			     out.n_lost);
		cr_assert(out.from_raw_ns <= t.raw_ns - t.before_ns ||
			  out.flags & SCAP_TRIGGER_SHORT);
		cr_assert_geq(out.to_raw_ns, t.raw_ns + t.after_ns);
		cr_assert_eq(out.flags & ~SCAP_TRIGGER_SHORT, 0);
		if (out.from_raw_ns > E0 + 12 * SCAP_EPOCH_NS)
			cr_assert_eq(out.flags, 0);
		rec_close(true);
		cr_assert_eq(scap_ring_state(in_dir("ring")), SCAP_RING_CLOSED);
		unlink(in_dir("ring"));
	}
}

/* Twenty at a time, from one ring; each is what it would be alone. */
Test(cut, overlapping)
{
	struct scap_cut *c[20];
	struct scap_trigger t[20], out;
	struct scap_error err = { 0 };
	bool done[20] = { false };
	char name[30];

	seed = 77;
	rec_open(3, SCAP_RING_MIN_BYTES);
	for (unsigned i = 0; i < 12; i++)
		rec_slice(1);
	for (unsigned i = 0; i < 20; i++) {
		t[i] = trigger_at(rec.now_ns - i * 50000000, i * 400000000ull,
				  (20 - i) * 300000000ull);
		snprintf(name, sizeof(name), "out%u", i);
		c[i] = cut_begin(name, &t[i], 0);
	}
	for (unsigned round = 0; round < 12; round++) {
		for (unsigned i = 0; i < 20; i++)
			if (!done[i])
				done[i] = scap_cut_step(c[i]) == 0;
		rec_slice(1);
		rec_complete();
	}
	see_whole();
	for (unsigned i = 0; i < 20; i++) {
		cr_assert_eq(scap_cut_step(c[i]), 0);
		cr_assert_eq(scap_cut_close(c[i], &out, &err), 0, "%s", err.text);
		cr_assert_eq(out.flags, 0);
		cr_assert_leq(out.from_raw_ns, t[i].raw_ns - t[i].before_ns);
		cr_assert_geq(out.to_raw_ns, t[i].raw_ns + t[i].after_ns);
		snprintf(name, sizeof(name), "out%u", i);
		compare(in_dir(name), out.from_raw_ns, out.to_raw_ns);
		unlink(in_dir(name));
	}
	rec_close(true);
}

/* More than the ring holds: the oldest goes, and a cut begun late says that it is short. */
Test(cut, ring_turns)
{
	struct scap_ring_info info;
	struct scap_trigger t, out;
	struct scap_error err = { 0 };
	struct scap_cut *c;

	seed = 5;
	record_large(60);
	scap_ring_info(rec.ring, &info);
	cr_assert_gt(info.n_evicted, 3);
	cr_assert_leq(info.used_bytes, info.bytes);
	cr_assert_gt(info.used_bytes, info.bytes / 2);
	cr_assert_eq(info.n_seen, rec.n_events);
	t = trigger_at(rec.now_ns - 1, 100 * SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, &err), 0, "%s", err.text);
	cr_assert_eq(out.flags, SCAP_TRIGGER_SHORT);
	cr_assert_eq(out.from_raw_ns, info.start_raw_ns);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(n_cut, info.n_events);
	cr_assert_eq(out.event, n_cut);
	rec_close(true);
}

/* A cut that is too slow loses what was overwritten, and shows it as missing. */
Test(cut, overtaken)
{
	struct scap_trigger t, out;
	struct scap_error err = { 0 };
	struct scap_cut *c;

	seed = 6;
	record_large(8);
	t = trigger_at(rec.now_ns, 4 * SCAP_EPOCH_NS, 80 * SCAP_EPOCH_NS);
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 1);
	for (unsigned i = 0; i < 60; i++)
		rec_slice(1);
	rec_complete();
	cr_assert_eq(scap_cut_step(c), 1);
	cr_assert_eq(scap_cut_close(c, &out, &err), 0, "%s", err.text);
	cr_assert_eq(out.flags, SCAP_TRIGGER_OVERTAKEN | SCAP_TRIGGER_CUT);
	see_cut(in_dir("out"));
	cr_assert_gt(cut_unexplained, 100);
	see_whole();
	rec_close(true);
}

/* The numbers of all events from a time on, as reading from there gives them. */
static size_t numbers_from(uint64_t wall_ns, bool seek, uint64_t *ret)
{
	const struct scap_event *ev;
	struct scap_reader *r;
	size_t n = 0;

	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, NULL), 0);
	if (seek)
		cr_assert_eq(scap_reader_seek(r, wall_ns, 0), 0);
	while (scap_reader_next(r, &ev) == 0) {
		uint64_t lost, first, last;

		if (scap_event_wall_ns(ev) < wall_ns)
			continue;
		ret[n++] = scap_event_gap(ev, &lost, &first, &last) ? scap_event_num(ev) : lost;
		cr_assert_lt(n, MAX_EVENTS);
	}
	scap_reader_close(r);
	return n;
}

/* What was overwritten counts no events in the file, and is lost also for who begins behind it. */
Test(cut, overtaken_is_indexed)
{
	uint64_t *all = malloc(MAX_EVENTS * sizeof(*all));
	uint64_t *some = malloc(MAX_EVENTS * sizeof(*some));
	struct scap_trigger t, out;
	struct scap_cut *c;
	size_t n;

	seed = 11;
	record_large(8);
	t = trigger_at(rec.now_ns, 4 * SCAP_EPOCH_NS, 60 * SCAP_EPOCH_NS);
	t.event = rec.n_events + 52 * 2 * 18;	/* it comes behind what is overwritten */
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 1);
	for (unsigned i = 0; i < 60; i++)
		rec_slice(1);
	rec_complete();
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	cr_assert_eq(out.flags, SCAP_TRIGGER_OVERTAKEN);
	see_cut(in_dir("out"));
	cr_assert_gt(cut_unexplained, 100);
	cr_assert_eq(out.n_lost, cut_unexplained);
	see_whole();
	cr_assert_gt(out.event, 0);
	cr_assert_eq(whole_seen[t.event - 1].raw_ns, cut_seen[out.event - 1].raw_ns);
	cr_assert_eq(whole_seen[t.event - 1].sum, cut_seen[out.event - 1].sum);
	for (size_t i = 0; i < n_cut; i += n_cut / 40) {
		uint64_t from_ns = cut_seen[i].raw_ns + 7777777;

		n = numbers_from(from_ns, false, all);
		cr_assert_eq(numbers_from(from_ns, true, some), n);
		cr_assert_eq(memcmp(all, some, n * sizeof(*all)), 0);
	}
	free(all);
	free(some);
	rec_close(true);
}

/* Whoever begins so late that all of the window is gone gets nothing, and no loss of others. */
Test(cut, too_late)
{
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 12;
	record_large(8);
	t = trigger_at(rec.now_ns, SCAP_EPOCH_NS, SCAP_EPOCH_NS);
	c = cut_begin("out", &t, 0);
	for (unsigned i = 0; i < 60; i++)
		rec_slice(1);
	rec_complete();
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	cr_assert_eq(out.flags, SCAP_TRIGGER_SHORT);
	cr_assert_eq(out.n_lost + out.event, 0);
	see_cut(in_dir("out"));
	cr_assert_eq(n_cut + cut_lost + cut_unexplained, 0);
	see_whole();
	rec_close(true);
}

/* An option that is not known is refused, and the descriptor is closed. */
Test(cut, options)
{
	struct scap_trigger t;
	struct { struct scap_cut_options o; uint64_t later; } later = {
		.o = { .size = sizeof(later), .trigger = &t }, .later = 1,
	};
	struct scap_error err;
	struct scap_cut *c;

	rec_open(1, SCAP_RING_MIN_BYTES);
	t = trigger_at(E0, 0, 0);
	later.o.fd = open(in_dir("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	cr_assert_eq(scap_ring_cut(rec.ring, &later.o, &c, &err), -E2BIG);
	cr_assert_eq(close(later.o.fd), -1);
	see_whole();
	rec_close(true);
}

Test(cut, size_limit)
{
	struct scap_trigger t, out;
	struct scap_cut *c;
	struct stat st;

	seed = 7;
	record_large(14);
	t = trigger_at(rec.now_ns, 100 * SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 9 << 20);
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	cr_assert(out.flags & SCAP_TRIGGER_CAPPED);
	cr_assert_eq(stat(in_dir("out"), &st), 0);
	cr_assert_leq(st.st_size, (9 << 20) + 4096);
	cr_assert_gt(st.st_size, 1 << 20);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	rec_close(true);
}

/* A disk that is full: what was written before is whole and has an end. */
Test(cut, no_room)
{
	struct rlimit lim = { 7 << 20, RLIM_INFINITY };
	struct scap_error err = { 0 };
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 13;
	record_large(12);
	t = trigger_at(rec.now_ns, 100 * SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 0);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	cr_assert_eq(scap_cut_step(c), -EFBIG);
	cr_assert_eq(scap_cut_step(c), -EFBIG, "it stays so");
	cr_assert_eq(scap_cut_close(c, &out, &err), -EFBIG);
	lim.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &lim), 0);
	cr_assert_not_null(strstr(err.text, "File too large"));
	cr_assert(out.flags & SCAP_TRIGGER_CUT);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_gt(n_cut, 0);
	cr_assert_eq(cut_unexplained, 0);
	rec_close(true);
}

static bool room_for_two(void *ctx, uint64_t bytes)
{
	unsigned *asked = ctx;

	cr_assert_gt(bytes, 0);
	return (*asked)++ < 2;
}

/* The caller wants some of the disk to stay free: as if it were full. */
Test(cut, room_asked)
{
	struct scap_cut_options o = { .size = sizeof(o) };
	struct scap_error err = { 0 };
	struct scap_trigger t, out;
	struct scap_cut *c;
	unsigned asked = 0;

	seed = 13;
	record_large(12);
	t = trigger_at(rec.now_ns, 100 * SCAP_EPOCH_NS, 0);
	o.fd = open(in_dir("out"), O_CREAT | O_TRUNC | O_RDWR, 0600);
	o.trigger = &t;
	o.room = room_for_two;
	o.room_ctx = &asked;
	cr_assert_eq(scap_ring_cut(rec.ring, &o, &c, &err), 0, "%s", err.text);
	cr_assert_eq(scap_cut_step(c), -ENOSPC);
	cr_assert_eq(scap_cut_step(c), -ENOSPC, "it stays so");
	cr_assert_eq(asked, 3);
	cr_assert_eq(scap_cut_close(c, &out, &err), -ENOSPC);
	cr_assert(out.flags & SCAP_TRIGGER_CUT);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_gt(n_cut, 0);
	rec_close(true);
}

/* Nothing happens any more: that is known, and is an empty capture, not an endless wait. */
Test(cut, quiet)
{
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 8;
	rec_open(1, SCAP_RING_MIN_BYTES);
	rec_slice(1);
	rec_complete();
	t = trigger_at(rec.now_ns + 5 * SCAP_EPOCH_NS, SCAP_EPOCH_NS, SCAP_EPOCH_NS);
	t.event = 0;
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 1);
	rec.now_ns += 7 * SCAP_EPOCH_NS;
	rec_complete();
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(n_cut, 0);
	cr_assert_eq(cut_unexplained + cut_lost, 0);
	rec_close(true);
}

/* What was given out at the window's end and is in no record is missing. */
Test(cut, loss_at_the_end)
{
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 9;
	rec_open(1, SCAP_RING_MIN_BYTES);
	rec_slice(1);
	rec.seq[0] += 5;
	rec_complete();
	t = trigger_at(rec.now_ns, SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	cr_assert_eq(out.n_lost, 5);
	see_cut(in_dir("out"));
	cr_assert_eq(cut_unexplained, 5);
	see_whole();
	rec_close(true);
}

/* A loss in the window that is told behind it belongs to it. */
Test(cut, loss_told_later)
{
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 10;
	rec_open(1, SCAP_RING_MIN_BYTES);
	rec_slice(1);
	t = trigger_at(rec.now_ns - 1, SCAP_EPOCH_NS, 1);
	scap_writer_flush(rec.w);
	rec.gap_next = true;
	rec_slice(1);
	scap_writer_flush(rec.w);
	rec_slice(1);
	scap_writer_flush(rec.w);
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	cr_assert_eq(out.n_lost, rec.n_lost);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(cut_lost, rec.n_lost);
	rec_close(true);
}

/* ---- keyframes ------------------------------------------------------------------------------ */

/* The last one before the window comes with it; one that begins in it is whole. */
Test(cut, keyframes)
{
	for (unsigned round = 0; round < 20; round++) {
		struct scap_reader *r;
		struct scap_trigger t, out;
		struct scap_error err = { 0 };
		struct scap_cut *c;
		const struct scap_event *ev;

		seed = 100 + round;
		rec_open(2, SCAP_RING_MIN_BYTES);
		for (unsigned i = 0; i < 20; i++) {
			rec_slice(1 + round % 2);
			if (i % 4 == 1)
				rec_keyframe(1 + i % 3);
		}
		rec_complete();
		t = trigger_at(E0 + (4 + round / 4) * SCAP_EPOCH_NS, SCAP_EPOCH_NS,
			       2 * SCAP_EPOCH_NS);
		c = cut_begin("out", &t, 0);
		cr_assert_eq(scap_cut_step(c), 0, "%s", scap_cut_error(c)->text);
		cr_assert_eq(scap_cut_close(c, &out, &err), 0, "%s", err.text);
		see_whole();
		compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
		cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, NULL), 0);
		while (scap_reader_next(r, &ev) == 0)
			;
		cr_assert_geq(scap_reader_info(r)->n_keyframes, 1);
		scap_reader_close(r);
		rec_close(true);
	}
}

static void limit_files(rlim_t bytes)
{
	struct rlimit l = { bytes, RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* What it came to hold is told also where the next group found no room. */
Test(cut, outcome_without_room)
{
	struct scap_trigger t, out;
	struct scap_error err = { 0 };
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_cut *c;

	seed = 60;
	record_large(14);
	t = trigger_at(rec.now_ns, 100 * SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 0);
	limit_files(9 << 20);
	cr_assert_eq(scap_cut_step(c), -EFBIG);
	limit_files(RLIM_INFINITY);
	cr_assert_eq(scap_cut_close(c, &out, &err), -EFBIG);
	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, &err), 0);
	while (scap_reader_next(r, &ev) == 0)
		;
	cr_assert(scap_reader_info(r)->complete);
	cr_assert(scap_reader_trigger(r)->flags & SCAP_TRIGGER_CUT);
	cr_assert_eq(scap_reader_trigger(r)->to_raw_ns, out.to_raw_ns);
	cr_assert_gt(out.to_raw_ns, 0);
	scap_reader_close(r);
	see_whole();
	rec_close(true);
}

/* A keyframe whose last part never comes: the capture does not wait for it for ever. */
Test(cut, keyframe_without_end)
{
	struct rows rows = { 0 };
	struct scap_keyframe_part part = { .number = 1 };
	struct scap_trigger t, out;
	struct scap_cut *c;

	seed = 61;
	rec_open(1, SCAP_RING_MIN_BYTES);
	rec_slice(1);
	part.begin_ns = part.clock_raw_ns = rec.now_ns;
	rows_file(&rows, 0, rec.now_ns, 5, "/etc/motd");
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_keyframe(rec.w, &part), 0);
	rows_free(&rows);
	rec_slice(1);
	rec_complete();
	t = trigger_at(rec.now_ns, 10 * SCAP_EPOCH_NS, 0);
	c = cut_begin("out", &t, 0);
	cr_assert_eq(scap_cut_step(c), 1, "it may still come");
	rec.now_ns += 10 * SCAP_EPOCH_NS;
	rec_complete();
	cr_assert_eq(scap_cut_step(c), 0);
	cr_assert_eq(scap_cut_close(c, &out, NULL), 0);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(n_cut, rec.n_events);
	rec_close(true);
}
