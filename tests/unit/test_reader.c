/* SPDX-License-Identifier: MIT */
/* Order, numbering, introductions, time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "format/reader.h"
#include "support_rows.h"

static struct rows_reader input;

static struct scap_reader *open_reader(const struct rows *file, uint32_t flags, size_t max_read)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_source src = rows_source(&input, file->p, file->n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	input.max_read = max_read;
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, &err), 0, "%s", err.text);
	return r;
}

static void same_record(const struct capture *c, const struct expected *x,
			const struct scap_event *ev)
{
	cr_assert_eq(scap_event_cpu(ev), x->cpu);
	cr_assert_eq(ev->seq, x->seq);
	cr_assert_eq(scap_event_raw_ns(ev), x->ns);
	cr_assert_eq(ev->rec_bytes, x->bytes);
	cr_assert_eq(memcmp(ev->rec, c->cpu_rows[x->cpu].p + x->at, x->bytes), 0);
}

static void read_all(const struct capture *c, uint32_t flags, size_t max_read)
{
	struct scap_reader *r = open_reader(&c->file, flags, max_read);
	const struct scap_event *ev;
	uint64_t num = 0;
	size_t i = 0;
	int rc;

	while ((rc = scap_reader_next(r, &ev)) == 0) {
		while (!(flags & SCAP_READER_BOOKKEEPING) && i < c->n_expect &&
		       (c->expect[i].type == SCAP_REC_INTRO || c->expect[i].type == SCAP_REC_FILE))
			i++;
		cr_assert_lt(i, c->n_expect, "more events than were written");
		cr_assert_eq(ev->num, c->expect[i].type >= SCAP_REC_INTRO ? 0 : ++num);
		same_record(c, &c->expect[i++], ev);
	}
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	while (i < c->n_expect && c->expect[i].type >= SCAP_REC_INTRO &&
	       c->expect[i].type != SCAP_REC_GAP)
		i++;
	cr_assert_eq(i, c->n_expect, "fewer events than were written");
	cr_assert_eq(num, c->n_stored);
	cr_assert_eq(scap_reader_next(r, &ev), 1, "the end stays the end");
	cr_assert(scap_reader_info(r)->complete);
	scap_reader_close(r);
}

/* As rows, then as columns. */
static void round_trip(const struct capture_spec *spec, uint32_t flags, size_t max_read)
{
	for (int groups = 0; groups < 2; groups++) {
		struct capture_spec s = *spec;
		struct capture c;

		s.groups = groups;
		rows_capture(&c, &s);
		read_all(&c, flags, max_read);
		capture_free(&c);
	}
}

Test(reader, order_equals_a_full_sort)
{
	static const uint32_t cpus[] = { 1, 2, 3, 8, 33, 256 };

	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++)
		for (uint64_t seed = 1; seed <= 4; seed++)
			round_trip(&(struct capture_spec){
				.seed = seed * 100 + i, .n_cpus = cpus[i], .n_slices = 5,
				.per_slice = 40, .gaps = true, .slices_per_epoch = (seed & 1) * 3,
			}, SCAP_READER_BOOKKEEPING, 0);
}

Test(reader, without_bookkeeping)
{
	round_trip(&(struct capture_spec){ .seed = 3, .n_cpus = 4, .n_slices = 4, .per_slice = 50,
					   .gaps = true }, 0, 0);
}

Test(reader, short_reads)
{
	struct capture_spec spec = { .seed = 4, .n_cpus = 3, .n_slices = 3, .per_slice = 30,
				     .gaps = true };

	round_trip(&spec, SCAP_READER_BOOKKEEPING, 1);
	round_trip(&spec, SCAP_READER_BOOKKEEPING, 7);
	round_trip(&spec, SCAP_READER_BOOKKEEPING, 4096);
}

Test(reader, empty_slices_and_no_slices)
{
	round_trip(&(struct capture_spec){ .seed = 5, .n_cpus = 2, .n_slices = 3 }, 0, 0);
	round_trip(&(struct capture_spec){ .seed = 5, .n_cpus = 2 }, 0, 0);
}

/* ---- introductions against a naive model --------------------------------------------------- */

struct memory {			/* what was introduced, newest last */
	uint64_t epoch;
	uint32_t cpu, id;
	char text[40];
};

struct model {
	struct memory *m;
	size_t n;
};

static void remember(struct model *m, const struct scap_event *ev, uint32_t id, const char *text)
{
	struct memory *x = &m->m[m->n++];

	x->epoch = ev->raw_ns >> SCAP_EPOCH_SHIFT;
	x->cpu = ev->cpu;
	x->id = id;
	snprintf(x->text, sizeof(x->text), "%s", text);
}

/* The newest one of this CPU in this epoch, else the newest one of any CPU. */
static const char *recall(const struct model *m, const struct scap_event *ev, uint32_t id)
{
	const char *any = NULL;

	for (size_t i = m->n; i-- > 0;) {
		const struct memory *x = &m->m[i];

		if (x->epoch != ev->raw_ns >> SCAP_EPOCH_SHIFT || x->id != id)
			continue;
		if (x->cpu == ev->cpu)
			return x->text;
		if (!any)
			any = x->text;
	}
	return any;
}

static void same_text(const char *want, const char *got)
{
	cr_assert_eq(!want, !got, "want %s, got %s", want ? want : "none", got ? got : "none");
	if (want)
		cr_assert_str_eq(want, got);
}

static const char *file_text(const struct scap__file *f)
{
	if (!f)
		return NULL;
	if (f->path)
		return f->path;
	cr_assert_eq(memcmp(f->sun_local, "/run/a.sok", 10), 0);
	cr_assert_eq(memcmp(f->sun_remote, "/run/peer.sock", 14), 0);
	return "socket";
}

static void check_names(const struct model *threads, const struct model *files,
			const struct scap_event *ev)
{
	same_text(recall(threads, ev, ev->tid), scap_event_comm(ev));
	same_text(ev->cookie ? recall(files, ev, ev->cookie) : NULL, file_text(ev->file));
	same_text(ev->cookie2 ? recall(files, ev, ev->cookie2) : NULL, file_text(ev->file2));
}

static void compare_with_model(const struct capture *c)
{
	struct scap_reader *r = open_reader(&c->file, SCAP_READER_BOOKKEEPING, 0);
	struct model threads = { calloc(c->n_expect, sizeof(struct memory)), 0 };
	struct model files = { calloc(c->n_expect, sizeof(struct memory)), 0 };
	const struct scap_event *ev;

	while (scap_reader_next(r, &ev) == 0) {
		if (ev->type == SCAP_REC_INTRO)
			remember(&threads, ev, ev->tid, ev->u.intro.comm);
		else if (ev->type == SCAP_REC_FILE)
			remember(&files, ev, ev->cookie, file_text(&ev->u.file_rec));
		else if (ev->type != SCAP_REC_GAP)
			check_names(&threads, &files, ev);
	}
	cr_assert_gt(threads.n, 10);
	cr_assert_gt(files.n, 10);
	free(threads.m);
	free(files.m);
	scap_reader_close(r);
}

Test(reader, introductions_equal_a_model)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct capture_spec spec = { .seed = seed, .n_cpus = 1 + seed % 5, .n_slices = 9,
					     .per_slice = 60, .slices_per_epoch = seed % 4 };
		struct capture c;

		rows_capture(&c, &spec);
		compare_with_model(&c);
		capture_free(&c);
	}
}

/* ---- captures made by hand ----------------------------------------------------------------- */

#define E0 (500 * SCAP_EPOCH_NS)

static void write_slices(struct rows *file, const struct scap_slice *slices, uint32_t n,
			 uint64_t real_ns)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = E0, .real_ns = real_ns,
					   .hostname = "h", .n_cpus = 2 };
	struct scap_sink sink = rows_sink(file);
	struct scap_ring_end none = { 0 };
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	for (uint32_t i = 0; i < n; i++)
		cr_assert_eq(scap_writer_slice(w, &slices[i]), 0, "%s",
			     scap_writer_error(w)->text);
	cr_assert_eq(scap_writer_close(w, E0 + SCAP_EPOCH_NS, &none, 0, NULL), 0);
}

static struct scap_slice slice_of(uint64_t start, uint64_t end, const struct scap_slice_part *parts,
				  uint32_t n)
{
	return (struct scap_slice){ .start_ns = start, .end_ns = end, .n_parts = n,
				    .parts = parts };
}

Test(reader, thread_that_moved)
{
	struct rows a = { 0 }, b = { 0 }, c = { 0 }, file = { 0 };
	struct scap_slice_part first[2], second[1];
	struct scap_slice slices[2];
	const struct scap_event *ev;
	struct scap_reader *r;

	/* Introduced on CPU 0, closes on CPU 1; CPU 1 then knows the file by another name. */
	rows_intro(&a, 0, E0 + 1, 7, "first");
	rows_file(&a, 1, E0 + 1, 99, "/12345678");	/* path fills its padding */
	rows_call_file(&a, 2, E0 + 1, 7, 99);
	rows_call_file(&b, 0, E0 + 2, 7, 99);
	rows_file(&b, 1, E0 + 3, 99, "/other789abcdef");
	rows_call_file(&b, 2, E0 + 3, 7, 99);
	rows_call_file(&a, 3, E0 + 4, 7, 99);
	rows_call_file(&c, 4, E0 + SCAP_EPOCH_NS, 7, 99);
	first[0] = (struct scap_slice_part){ .cpu = 0, .rows = a.p, .bytes = a.n };
	first[1] = (struct scap_slice_part){ .cpu = 1, .rows = b.p, .bytes = b.n };
	second[0] = (struct scap_slice_part){ .cpu = 0, .rows = c.p, .bytes = c.n };
	slices[0] = slice_of(E0, E0 + SCAP_EPOCH_NS, first, 2);
	slices[1] = slice_of(E0 + SCAP_EPOCH_NS, E0 + 2 * SCAP_EPOCH_NS, second, 1);
	write_slices(&file, slices, 2, 0);
	r = open_reader(&file, 0, 0);

	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_str_eq(ev->file->path, "/12345678");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(ev->cpu, 1);
	cr_assert_str_eq(ev->file->path, "/12345678", "from where it came");
	cr_assert_str_eq(scap_event_comm(ev), "first");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_str_eq(ev->file->path, "/other789abcdef");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_str_eq(ev->file->path, "/12345678", "its own CPU answers first");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_null(ev->file, "a new epoch forgets");
	cr_assert_null(scap_event_comm(ev));
	cr_assert_eq(scap_event_tgid(ev), 0);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&a);
	rows_free(&b);
	rows_free(&c);
	rows_free(&file);
}

/* One part, one slice of the epoch; checks the raw times delivered. */
static void expect_times(const struct rows *rows, const uint64_t *ns, size_t n)
{
	struct scap_slice_part part = { .cpu = 0, .rows = rows->p, .bytes = rows->n };
	struct scap_slice s = slice_of(E0, E0 + SCAP_EPOCH_NS, &part, 1);
	const struct scap_event *ev;
	struct rows file = { 0 };
	struct scap_reader *r;

	write_slices(&file, &s, 1, 0);
	r = open_reader(&file, 0, 0);
	for (size_t i = 0; i < n; i++) {
		cr_assert_eq(scap_reader_next(r, &ev), 0, "%s", scap_reader_error(r)->text);
		cr_assert_eq(ev->raw_ns, ns[i]);
	}
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&file);
}

/* A clock read in an interrupt may step back by little; ring order is the truth. */
Test(reader, clock_that_steps_back)
{
	uint64_t ns[] = { E0 + 10, E0 + 8, E0 + 11, E0 - 1 };
	struct rows a = { 0 };

	for (uint32_t i = 0; i < 4; i++)
		rows_call(&a, i, ns[i], 1, 39, 0);
	expect_times(&a, ns, 4);
	rows_free(&a);
}

/* Not even over the bounds of its slice does a clock make a record change its epoch. */
Test(reader, clock_that_leaves_the_epoch)
{
	struct rows a = { 0 }, file = { 0 };
	struct scap_slice_part part;
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_slice s;

	rows_intro(&a, 0, E0, 7, "sh");
	rows_call(&a, 1, E0 - 1, 7, 39, 0);
	rows_call(&a, 2, E0 + SCAP_EPOCH_NS, 7, 39, 0);
	rows_call(&a, 3, E0 + 5, 7, 39, 0);
	part = (struct scap_slice_part){ .rows = a.p, .bytes = a.n };
	s = slice_of(E0, E0 + SCAP_EPOCH_NS, &part, 1);
	write_slices(&file, &s, 1, 0);
	r = open_reader(&file, 0, 0);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(scap_reader_next(r, &ev), 0);
		cr_assert_not_null(scap_event_comm(ev));
	}
	scap_reader_close(r);
	rows_free(&a);
	rows_free(&file);
}

Test(reader, wall_time_follows_the_triples)
{
	struct rows a = { 0 }, b = { 0 }, file = { 0 };
	struct scap_slice_part pa, pb;
	struct scap_slice s[2];
	const struct scap_event *ev;
	struct scap_reader *r;

	rows_call(&a, 0, E0 + 100, 1, 39, 0);
	rows_call(&b, 1, E0 + 600, 1, 39, 0);
	rows_call(&b, 2, E0 + 800, 1, 39, 0);
	pa = (struct scap_slice_part){ .rows = a.p, .bytes = a.n };
	pb = (struct scap_slice_part){ .rows = b.p, .bytes = b.n };
	s[0] = slice_of(E0, E0 + 500, &pa, 1);
	s[1] = slice_of(E0 + 500, E0 + 1000, &pb, 1);
	s[1].clock_raw_ns = E0 + 700;
	s[1].real_ns = 5000;
	write_slices(&file, s, 2, 1000);
	r = open_reader(&file, 0, 0);
	cr_assert_eq(scap_reader_info(r)->start_wall_ns, 1000);
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_event_wall_ns(ev), 1100);
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_event_wall_ns(ev), 4900, "the slice's own triple, though later than it");
	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_event_wall_ns(ev), 5100);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&a);
	rows_free(&b);
	rows_free(&file);
}

/* Where the section with this index begins. */
static size_t section_at(const struct rows *file, uint32_t index)
{
	static const uint8_t magic[4] = { 0xc5, 0x5e, 0xc7, 0xb5 };

	for (size_t i = 64; i + 48 <= file->n; i += 8)
		if (!memcmp(file->p + i, magic, 4) && !memcmp(file->p + i + 8, &index, 4))
			return i;
	cr_assert_fail("no section %u", index);
	return 0;
}

/* Damage elsewhere moves no event in time: a lost slice takes its triple with it. */
Test(reader, wall_time_without_the_slice_before)
{
	struct rows rows[3] = { 0 }, file = { 0 };
	struct scap_slice_part parts[3];
	struct scap_slice s[3];
	const struct scap_event *ev;
	struct scap_reader *r;

	for (uint32_t i = 0; i < 3; i++) {
		rows_call(&rows[i], i, E0 + i * 100 + 50, 1, 39, 0);
		parts[i] = (struct scap_slice_part){ .rows = rows[i].p, .bytes = rows[i].n };
		s[i] = slice_of(E0 + i * 100, E0 + (i + 1) * 100, &parts[i], 1);
		s[i].clock_raw_ns = E0 + (i + 1) * 100;
		s[i].real_ns = 9000 + (i + 1) * 101;
	}
	write_slices(&file, s, 3, 9000);
	for (int broken = 0; broken < 2; broken++) {
		uint64_t wall = 0;

		if (broken)
			file.p[section_at(&file, 2) + 50] ^= 1;
		r = open_reader(&file, 0, 0);
		for (int rc; (rc = scap_reader_next(r, &ev)) != 1;)
			if (!rc && scap_event_num(ev))
				wall = scap_event_wall_ns(ev);
		cr_assert_eq(wall, 9303 - 50);
		cr_assert_eq(scap_reader_info(r)->n_slices, broken ? 2 : 3);
		scap_reader_close(r);
	}
	for (int i = 0; i < 3; i++)
		rows_free(&rows[i]);
	rows_free(&file);
}

/* ---- sequence numbers that nothing explains ------------------------------------------------ */

static void expect_hole(struct scap_reader *r, uint32_t first_seq, uint64_t n, uint64_t first_ns,
			uint64_t last_ns)
{
	uint64_t got_n, got_first, got_last;
	const struct scap_event *ev;

	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(scap_event_gap(ev, &got_n, &got_first, &got_last), 0, "seq %u", ev->seq);
	cr_assert(scap_event_gap_unexplained(ev));
	cr_assert_eq(scap_event_num(ev), 0);
	cr_assert_eq(scap_event_cpu(ev), 0);
	cr_assert_str_eq(scap_event_name(ev), "gap");
	cr_assert_eq(ev->u.gap.first_seq, first_seq);
	cr_assert_eq(ev->u.gap.n_tally, 0);
	cr_assert_eq(got_n, n);
	cr_assert_eq(got_first, first_ns);
	cr_assert_eq(got_last, last_ns);
}

static void expect_seq(struct scap_reader *r, uint32_t seq, unsigned type)
{
	const struct scap_event *ev;

	cr_assert_eq(scap_reader_next(r, &ev), 0);
	cr_assert_eq(ev->seq, seq);
	cr_assert_eq(ev->type, type);
	cr_assert_not(scap_event_gap_unexplained(ev));
}

Test(reader, holes_are_events)
{
	struct scap_tally t = { SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 39), 2 };
	struct scap_ring_end ring = { .next_seq = 16 };
	struct rows a = { 0 }, file = { 0 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_slice_part part;
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_writer *w;
	struct scap_slice s;
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = E0, .real_ns = E0 };

	rows_call(&a, 1, E0 + 10, 1, 39, 0);	/* 0 is missing */
	rows_intro(&a, 2, E0 + 15, 1, "x");	/* no event, but a witness */
	rows_call(&a, 5, E0 + 20, 1, 39, 0);
	rows_gap(&a, 10, E0 + 30, 8, &t, 1);	/* 6 and 7 are not explained */
	rows_call(&a, 11, E0 + 40, 1, 39, 0);
	part = (struct scap_slice_part){ .rows = a.p, .bytes = a.n };
	s = slice_of(E0, E0 + 1000, &part, 1);
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	cr_assert_eq(scap_writer_close(w, E0 + 1000, &ring, 1, NULL), 0);
	r = open_reader(&file, 0, 0);
	expect_hole(r, 0, 1, E0, E0 + 10);
	expect_seq(r, 1, SCAP_REC_CALL);
	expect_hole(r, 3, 2, E0 + 15, E0 + 20);
	expect_seq(r, 5, SCAP_REC_CALL);
	expect_hole(r, 6, 2, E0 + 20, E0 + 30);
	expect_seq(r, 10, SCAP_REC_GAP);
	expect_seq(r, 11, SCAP_REC_CALL);
	expect_hole(r, 12, 4, E0 + 40, E0 + 1000);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&a);
	rows_free(&file);
}

/* ---- rows that lie, behind checksums that are right ---------------------------------------- */

/* Reads one part; returns how often damage was told, and the number of events. */
static unsigned read_lies(const struct rows *rows, unsigned *ret_events)
{
	struct scap_slice_part part = { .cpu = 0, .rows = rows->p, .bytes = rows->n };
	struct scap_slice s = slice_of(E0, E0 + SCAP_EPOCH_NS, &part, 1);
	const struct scap_event *ev;
	struct rows file = { 0 };
	struct scap_reader *r;
	unsigned n_damage = 0;
	int rc;

	write_slices(&file, &s, 1, 0);
	r = open_reader(&file, 0, 0);
	*ret_events = 0;
	while ((rc = scap_reader_next(r, &ev)) != 1) {
		cr_assert(rc == 0 || rc == SCAP_EDAMAGED);
		n_damage += rc != 0;
		*ret_events += rc == 0;
	}
	scap_reader_close(r);
	rows_free(&file);
	return n_damage;
}

Test(reader, sequence_that_goes_back)
{
	struct rows a = { 0 };
	unsigned n;

	rows_call(&a, 0, E0 + 1, 1, 39, 0);
	rows_call(&a, 1, E0 + 2, 1, 39, 0);
	rows_call(&a, 1, E0 + 3, 1, 39, 0);
	rows_call(&a, 2, E0 + 4, 1, 39, 0);
	cr_assert_eq(read_lies(&a, &n), 1);
	cr_assert_eq(n, 3);
	rows_free(&a);
}

Test(reader, gap_that_claims_too_much)
{
	struct scap_tally t = { SCAP_TALLY_KEY(SCAP_REC_CALL, 0, 39), 3 };
	struct rows a = { 0 };
	unsigned n;

	rows_call(&a, 0, E0 + 1, 1, 39, 0);
	rows_gap(&a, 4, E0 + 2, 1, &t, 1);
	rows_call(&a, 5, E0 + 3, 1, 39, 0);
	cr_assert_eq(read_lies(&a, &n), 0);
	cr_assert_eq(n, 3);
	rows_gap(&a, 8, E0 + 4, 6, &t, 1);	/* numbers 6 and 7 only */
	rows_call(&a, 9, E0 + 5, 1, 39, 0);
	cr_assert_eq(read_lies(&a, &n), 1);
	cr_assert_eq(n, 5, "the numbers 6 to 8 are told as a hole");
	rows_free(&a);
}

Test(reader, record_that_does_not_decode)
{
	struct rows a = { 0 };
	unsigned n;
	size_t at;

	rows_call(&a, 0, E0 + 1, 1, 39, 0);
	at = a.n;
	rows_call(&a, 1, E0 + 2, 1, 39, 0);
	a.p[at + offsetof(struct scap_rec_call, shape)] = 7;
	rows_call(&a, 2, E0 + 3, 1, 39, 0);
	cr_assert_eq(read_lies(&a, &n), 1);
	cr_assert_eq(n, 3, "two calls, and that one is missing");
	rows_free(&a);
}

Test(reader, record_type_of_the_future)
{
	struct rows a = { 0 };
	unsigned n;

	rows_call(&a, 0, E0 + 1, 1, 39, 0);
	rows_call(&a, 1, E0 + 2, 1, 39, 0);
	a.p[a.n / 2 + 2] = SCAP_REC_TYPES - 1;
	rows_call(&a, 2, E0 + 3, 1, 39, 0);
	cr_assert_eq(read_lies(&a, &n), 0);
	cr_assert_eq(n, 2);
	rows_free(&a);
}
