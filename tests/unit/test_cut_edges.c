/* SPDX-License-Identifier: MIT */
/* Windows whose edges lie where little happens: nothing is lost there without it being said. */
#include <criterion/criterion.h>
#include <fcntl.h>

#include "support_recording.h"

TestSuite(cut_edges, .init = recording_setup, .fini = recording_teardown, .timeout = 60);

static struct scap_cut *cut_begin(uint64_t from_ns, uint64_t to_ns)
{
	struct scap_trigger t = {
		.size = sizeof(t), .name = "t", .source = "hand", .raw_ns = to_ns,
		.before_ns = to_ns - from_ns,
	};
	struct scap_cut_options o = { .size = sizeof(o), .trigger = &t };
	struct scap_error err = { 0 };
	struct scap_cut *c;

	o.fd = open(in_dir("out"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	cr_assert_geq(o.fd, 0);
	cr_assert_eq(scap_ring_cut(rec.ring, &o, &c, &err), 0, "%s", err.text);
	return c;
}

static struct scap_trigger cut_end(struct scap_cut *c)
{
	struct scap_error err = { 0 };
	struct scap_trigger out;

	cr_assert_eq(scap_cut_step(c), 0, "%s", scap_cut_error(c)->text);
	cr_assert_eq(scap_cut_close(c, &out, &err), 0, "%s", err.text);
	return out;
}

static struct scap_trigger cut(uint64_t from_ns, uint64_t to_ns)
{
	return cut_end(cut_begin(from_ns, to_ns));
}

/* A slice of n calls of one CPU, which is a group of its own. */
static void slice(unsigned cpu, unsigned n, uint64_t ns)
{
	struct rows rows = { 0 };
	struct scap_slice_part part = { .cpu = cpu };
	struct scap_slice s = {
		.start_ns = rec.now_ns, .end_ns = rec.now_ns + ns, .n_parts = 1, .parts = &part,
	};

	for (unsigned i = 0; i < n; i++)
		rows_call(&rows, rec.seq[cpu]++, rec.now_ns + i, 7, 39, 0);
	rec.n_events += n;
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_slice(rec.w, &s), 0);
	cr_assert_eq(scap_writer_slice(rec.whole, &s), 0);
	cr_assert_eq(scap_writer_flush(rec.w), 0);
	rec.now_ns += ns;
	rows_free(&rows);
}

/* Nothing happens but a keyframe in front of the window: what lies before that is not lost. */
Test(cut_edges, keyframe_amid_silence)
{
	struct scap_trigger out;

	rec_open(1, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	rec.now_ns += SCAP_EPOCH_NS;
	rec_keyframe(1);
	rec.now_ns += SCAP_EPOCH_NS;
	slice(0, 10, SCAP_EPOCH_NS);
	rec_complete();
	out = cut(E0 + 2 * SCAP_EPOCH_NS + 10, rec.now_ns);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_eq(cut_unexplained, 0);
	cr_assert_eq(out.n_lost, 0);
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	rec_close(true);
}

/* All that happened in the window was lost: that is not nothing. */
Test(cut_edges, nothing_but_loss)
{
	struct scap_trigger out;

	rec_open(1, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	rec.now_ns += 2 * SCAP_EPOCH_NS;
	rec.seq[0] += 5;
	rec_complete();
	out = cut(E0 + 2 * SCAP_EPOCH_NS, rec.now_ns);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_eq(n_cut, 0);
	cr_assert_eq(cut_unexplained, 5);
	cr_assert_eq(out.n_lost, 5);
	rec_close(true);
}

/* From the beginning on. */
Test(cut_edges, nothing_but_loss_ever)
{
	struct scap_trigger out;

	rec_open(1, SCAP_RING_MIN_BYTES);
	rec.now_ns += 2 * SCAP_EPOCH_NS;
	rec.seq[0] += 5;
	rec_complete();
	out = cut(E0 + SCAP_EPOCH_NS, rec.now_ns);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_eq(cut_unexplained, 5);
	cr_assert_eq(out.n_lost, 5);
	rec_close(true);
}

/* The ring of a CPU that is silent for long tells late what it lost. */
Test(cut_edges, loss_of_a_silent_ring)
{
	struct scap_trigger out;
	uint64_t to_ns;

	rec_open(2, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	slice(1, 10, SCAP_EPOCH_NS);
	rec.seq[1] += 5;
	rec_complete();
	to_ns = rec.now_ns;
	for (unsigned i = 0; i < 3; i++) {
		slice(0, 10, SCAP_EPOCH_NS);
		rec_complete();
	}
	slice(1, 10, SCAP_EPOCH_NS);
	out = cut(E0, to_ns);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_eq(cut_unexplained, 5);
	cr_assert_eq(out.n_lost, 5);
	rec_close(true);
}

/* A section that was too large for the ring is missing also where the window ends with it. */
Test(cut_edges, dropped_at_the_end)
{
	struct scap_ring_info info;
	struct scap_trigger out;
	uint64_t to_ns;

	seed = 3;
	rec_open(1, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	rec.payload = 50000;
	rec.per_slice = 332;
	rec_slice(1);
	to_ns = rec.now_ns;
	slice(0, 10, SCAP_EPOCH_NS);
	rec_complete();
	scap_ring_info(rec.ring, &info);
	cr_assert_eq(info.n_dropped, 1);
	out = cut(E0, to_ns);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_gt(cut_unexplained, 300);
	cr_assert_eq(out.n_lost, cut_unexplained);
	rec_close(true);
}

/* What a keyframe is waited for does not hide what was lost. */
Test(cut_edges, loss_while_a_keyframe_is_awaited)
{
	struct rows rows = { 0 };
	struct scap_keyframe_part part = { .number = 1 };
	struct scap_trigger out;
	struct scap_cut *c;

	rec_open(2, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	part.begin_ns = part.clock_raw_ns = rec.now_ns - 1;
	rows_file(&rows, 0, rec.now_ns, 5, "/etc/motd");
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_keyframe(rec.w, &part), 0);
	rec.seq[1] += 5;
	rec_complete();
	c = cut_begin(E0, rec.now_ns);
	cr_assert_eq(scap_cut_step(c), 1);
	part.part = 1;
	part.bytes = 0;
	part.flags = SCAP_KEYFRAME_LAST;
	part.end_ns = rec.now_ns;
	cr_assert_eq(scap_writer_keyframe(rec.w, &part), 0);
	rows_free(&rows);
	cr_assert_eq(scap_writer_flush(rec.w), 0);
	cr_assert_eq(scap_cut_step(c), 1);
	slice(0, 10, SCAP_EPOCH_NS);
	out = cut_end(c);
	see_whole();
	see_cut(in_dir("out"));
	cr_assert_eq(out.n_lost, cut_lost + cut_unexplained);
	cr_assert_eq(out.n_lost, 5);
	rec_close(true);
}

/* Names that were introduced before the first event come with it. */
Test(cut_edges, names_before_the_first_event)
{
	struct rows rows = { 0 };
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .start_ns = E0, .end_ns = E0 + 1000, .n_parts = 1,
				.parts = &part };
	struct scap_trigger out;

	rec_open(1, SCAP_RING_MIN_BYTES);
	rows_intro(&rows, rec.seq[0]++, E0, 7, "first");
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_slice(rec.w, &s), 0);
	cr_assert_eq(scap_writer_slice(rec.whole, &s), 0);
	cr_assert_eq(scap_writer_flush(rec.w), 0);
	rows_free(&rows);
	rec.now_ns = s.end_ns;
	slice(0, 10, 1000);
	rec_complete();
	out = cut(E0 + 1500, rec.now_ns);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(out.flags, 0);
	rec_close(true);
}

/* The wall clock was set after the recorder began: the capture begins when it did. */
Test(cut_edges, clock_set_since)
{
	struct rows rows = { 0 };
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .n_parts = 1, .parts = &part };
	const struct scap_event *ev;
	struct scap_trigger out;
	struct scap_reader *r;

	rec_open(1, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	rows_call(&rows, rec.seq[0]++, rec.now_ns, 7, 39, 0);
	part.rows = rows.p;
	part.bytes = rows.n;
	s.start_ns = s.clock_raw_ns = rec.now_ns;
	s.end_ns = rec.now_ns += SCAP_EPOCH_NS;
	s.real_ns = s.start_ns + 3600000000000;
	cr_assert_eq(scap_writer_slice(rec.w, &s), 0);
	rows_free(&rows);
	rec_complete();
	out = cut(s.start_ns, s.end_ns);
	cr_assert_eq(out.from_raw_ns, s.start_ns);
	cr_assert_eq(scap_reader_open_path(in_dir("out"), NULL, &r, NULL), 0);
	cr_assert_eq(scap_reader_info(r)->start_wall_ns, s.real_ns);
	cr_assert_str_eq(scap_reader_info(r)->hostname, "box");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_event_wall_ns(ev), s.real_ns);
	scap_reader_close(r);
	cr_assert_eq(scap_writer_close(rec.whole, 0, NULL, 0, NULL), 0);
	rows_free(&rec.file);
	rec_close(true);
}

/* Where something is lost all the time, a window is over all the same. */
Test(cut_edges, loss_without_end)
{
	struct scap_trigger out;
	uint64_t to_ns = E0 + 3 * SCAP_EPOCH_NS;

	rec_open(1, SCAP_RING_MIN_BYTES);
	for (unsigned i = 0; i < 60; i++) {
		rec.gap_next = true;
		rec_slice(1);
		cr_assert_eq(scap_writer_flush(rec.w), 0);
	}
	out = cut(E0, to_ns);
	see_whole();
	compare(in_dir("out"), out.from_raw_ns, out.to_raw_ns);
	cr_assert_eq(cut_lost, out.n_lost);
	cr_assert_leq(out.to_raw_ns, to_ns + 12 * SCAP_EPOCH_NS);
	cr_assert_gt(out.to_raw_ns, to_ns);
	rec_close(true);
}

static void large_keyframe(uint32_t number)
{
	struct rows rows = { 0 };
	struct scap_keyframe_part part = {
		.begin_ns = rec.now_ns, .end_ns = rec.now_ns + 1, .clock_raw_ns = rec.now_ns,
		.number = number, .flags = SCAP_KEYFRAME_LAST,
	};

	for (uint32_t i = 0; i < 100; i++) {
		size_t at = rows_begin(&rows, SCAP_REC_FILE, 0, i, rec.now_ns);

		for (unsigned k = 0; k < 8000; k++) {
			uint64_t v = rows_random(&seed);

			rows_put(&rows, &v, sizeof(v));
		}
		rows_end(&rows, at);
	}
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_keyframe(rec.w, &part), 0);
	rows_free(&rows);
}

/* Nothing but keyframes is left in the ring: where the numbers stood is not known any more. */
Test(cut_edges, nothing_but_keyframes)
{
	struct scap_trigger out;

	seed = 4;
	rec_open(1, SCAP_RING_MIN_BYTES);
	slice(0, 10, SCAP_EPOCH_NS);
	for (uint32_t i = 1; i < 8; i++)
		large_keyframe(i);
	rec.now_ns += SCAP_EPOCH_NS;
	rec_complete();
	out = cut(rec.now_ns - 1, rec.now_ns);
	cr_assert_eq(out.flags, SCAP_TRIGGER_SHORT);
	cr_assert_eq(out.n_lost, 0);
	see_cut(in_dir("out"));
	cr_assert_eq(n_cut + cut_lost + cut_unexplained, 0);
	see_whole();
	rec_close(true);
}
