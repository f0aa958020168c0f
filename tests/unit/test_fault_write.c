/* SPDX-License-Identifier: MIT */
/* Writing and exporting while something fails. */
#define _GNU_SOURCE
#include "test_fault.h"

static struct scap_sink sound_sink;

static int sink_write(void *ctx, const void *p, size_t n)
{
	return fails(SINK) ? -ENOSPC : sound_sink.write(ctx, p, n);
}

static struct scap_sink sink(struct rows *to)
{
	struct scap_sink s = sound_sink = rows_sink(to);

	s.write = sink_write;
	return s;
}

TestSuite(fault_write, .init = make, .fini = drop, .timeout = 200);

/* ---- writing --------------------------------------------------------------------------------- */

#define SLICES 8
#define PER_SLICE 20
#define T0 (1000 * SCAP_EPOCH_NS)

static char dir[] = "/tmp/scap-fault-XXXXXX";
static char path[64], journals[2][80];
static struct rows rows, written;
static bool to_path;
static uint32_t writer_flags;

/* Record k of slice i. */
static uint64_t time_of(uint32_t seq)
{
	return T0 + seq / PER_SLICE * SCAP_EPOCH_NS + seq % PER_SLICE;
}

static int write_slice(struct scap_writer *w, uint32_t i)
{
	struct scap_slice_part part = { .rows = rows.p };
	struct scap_slice s = { .start_ns = time_of(i * PER_SLICE), .n_parts = 1, .parts = &part };

	s.end_ns = s.start_ns + SCAP_EPOCH_NS;
	rows.n = 0;
	for (uint32_t seq = i * PER_SLICE; seq < (i + 1) * PER_SLICE; seq++)
		rows_call_file(&rows, seq, time_of(seq), 7 + seq % 3, seq % 5);
	part.bytes = rows.n;
	return scap_writer_slice(w, &s);
}

static int write_keyframe(struct scap_writer *w, uint64_t ns)
{
	struct scap_keyframe_part part = { .begin_ns = ns, .end_ns = ns + 1, .number = 1,
					   .flags = SCAP_KEYFRAME_LAST, .rows = rows.p };
	uint32_t seq = 0;

	rows.n = 0;
	rows_key_tasks(&rows, &seq, ns, 100, 3);
	rows_key_end(&rows, seq, ns, 3);
	part.bytes = rows.n;
	return scap_writer_keyframe(w, &part);
}

static int open_writer(struct scap_writer **ret, struct scap_error *err)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = T0,
					   .flags = writer_flags, .hostname = "h",
					   .allocator = allocator() };
	struct scap_sink s = sink(&written);

	return to_path ? scap_writer_open_path(path, &opt, ret, err) :
			 scap_writer_open_sink(&s, &opt, ret, err);
}

/* A keyframe, groups, and another group: how many slices it took. The first error: in err. */
static uint32_t write_all(int *ret_rc, struct scap_error *err)
{
	struct scap_ring_end end = { .next_seq = SLICES * PER_SLICE };
	struct scap_writer *w;
	uint32_t n = 0;
	int rc = open_writer(&w, err), close_rc;

	*ret_rc = rc;
	if (rc)
		return 0;
	for (n = 0; !rc && n < SLICES; n += !rc) {
		rc = n == 5 ? scap_writer_flush(w) : n == 3 ? write_keyframe(w, time_of(n)) : 0;
		if (!rc)
			rc = write_slice(w, n);
	}
	if (rc)
		*err = *scap_writer_error(w);
	close_rc = scap_writer_close(w, time_of(SLICES * PER_SLICE), &end, 1, rc ? NULL : err);
	*ret_rc = rc ? rc : close_rc;
	return n;
}

static struct scap_reader *open_written(void)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = SCAP_READER_SEALS };
	struct scap_source src = rows_source(&input, written.p, written.n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;
	int rc = to_path ? scap_reader_open_path(path, &opt, &r, &err) :
			   scap_reader_open_source(&src, &opt, &r, &err);

	if (rc)
		cr_assert_eq(rc, SCAP_ETRUNCATED, "%s", err.text);
	return r;
}

/* What is there is right; what was taken is there, or its loss is told. */
static void check_written(uint32_t n_taken, int write_rc, long n)
{
	struct scap_reader *r = open_written();
	uint64_t n_events = 0, n_missing = 0;
	const struct scap_event *ev;
	int rc = SCAP_ETRUNCATED;

	while (r && (rc = scap_reader_next(r, &ev)) == 0) {
		uint32_t seq = (uint32_t)(n_events + n_missing);
		uint64_t lost, unused;

		if (!scap_event_gap(ev, &lost, &unused, &unused)) {
			n_missing += lost;
			continue;
		}
		cr_assert_eq(scap_event_raw_ns(ev), time_of(seq));
		cr_assert_eq(scap_event_tid(ev), 7 + seq % 3);
		n_events++;
	}
	cr_assert(rc == 1 || rc == SCAP_ETRUNCATED, "kind %d, place %ld: %d, %s", failing, n, rc,
		  scap_reader_error(r)->text);
	if (rc == 1)
		cr_assert_eq(n_events + n_missing, SLICES * PER_SLICE);
	else if (to_path && failing != WRITE)
		cr_assert_geq(n_events, n_taken * PER_SLICE, "kind %d, place %ld: %lu of %u",
			      failing, n, n_events, n_taken);
	if (to_path && !write_rc)
		cr_assert_eq(n_events, SLICES * PER_SLICE);
	if (to_path && is_memory(failing))
		cr_assert_geq(n_events, n_taken * PER_SLICE, "place %ld: %lu of %u", n, n_events,
			      n_taken);
	scap_reader_close(r);
}

static void remove_files(void)
{
	unlink(path);
	unlink(journals[0]);
	unlink(journals[1]);
}

static void write_once(long n)
{
	struct scap_error err = { 0 };
	uint32_t n_taken;
	int rc;

	written.n = 0;
	n_taken = write_all(&rc, &err);
	if (stop_failing() && rc) {
		cr_assert_eq(err.code, rc);
		cr_assert_neq(err.text[0], 0, "kind %d, place %ld", failing, n);
		cr_assert(rc == want_of(failing) || failing == SYSCALL, "kind %d, place %ld: %d",
			  failing, n, rc);
	} else {
		cr_assert_eq(rc, 0, "kind %d, place %ld: %s", failing, n, err.text);
	}
	if (to_path ? !access(path, F_OK) : written.n)
		check_written(n_taken, rc, n);
	remove_files();
}

static void prepare(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.scapz", dir);
	snprintf(journals[0], sizeof(journals[0]), "%s.journal", path);
	snprintf(journals[1], sizeof(journals[1]), "%s.journal2", path);
	/* Room, so that nothing of ours is allocated. */
	written = (struct rows){ .p = malloc(1 << 20), .cap = 1 << 20 };
	rows = (struct rows){ .p = malloc(1 << 20), .cap = 1 << 20 };
}

static void finish(void)
{
	remove_files();
	rows_free(&rows);
	rows_free(&written);
	rmdir(dir);
}

static void write_faults(bool path_too, uint32_t writer_options)
{
	static const enum kind of_path[] = { ALLOCATION, OWN_ALLOCATION, WRITE, SHORT_WRITE,
					    SYSCALL };
	static const enum kind of_sink[] = { ALLOCATION, OWN_ALLOCATION, SINK, SYSCALL };

	to_path = path_too;
	writer_flags = writer_options;
	prepare();
	for (unsigned i = 0; i < (to_path ? 5 : 4); i++)
		cr_assert_gt(at_each(to_path ? of_path[i] : of_sink[i], write_once), 0);
	finish();
}

Test(fault_write, write_path)
{
	write_faults(true, 0);
}

Test(fault_write, write_sink)
{
	write_faults(false, SCAP_WRITER_GROUPS);
}

/* Of a recorder that was killed: a journal that can't be read now is not taken for none. */
static void read_killed(long n)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .allocator = allocator() };
	struct scap_error err = { 0 };
	const struct scap_event *ev;
	struct scap_reader *r = NULL;
	uint64_t n_events = 0;
	int rc = scap_reader_open_path(path, &opt, &r, &err);

	while (!rc && !(rc = scap_reader_next(r, &ev)))
		cr_assert_eq(scap_event_raw_ns(ev), time_of((uint32_t)n_events++));
	if (r)
		err = *scap_reader_error(r);
	if (rc == SCAP_ETRUNCATED)
		cr_assert_eq(n_events, SLICES * PER_SLICE, "kind %d, place %ld: %lu", failing, n,
			     n_events);
	else
		check_error(rc, &err, n);
	cr_assert(stop_failing() || rc == SCAP_ETRUNCATED);
	scap_reader_close(r);
}

Test(fault_write, read_journals)
{
	struct scap_writer *w;
	struct scap_error err;

	to_path = true;
	prepare();
	cr_assert_eq(open_writer(&w, &err), 0);
	for (uint32_t i = 0; i < SLICES; i++) {
		cr_assert_eq(write_slice(w, i), 0);
		cr_assert_eq(i == 3 ? scap_writer_flush(w) : 0, 0);
	}
	scap_writer_close(w, 0, NULL, 0, NULL);
	cr_assert_gt(at_each(READ_CALL, read_killed), 3);
	cr_assert_gt(at_each(ALLOCATION, read_killed), 10);
	cr_assert_gt(at_each(OWN_ALLOCATION, read_killed), 10);
	finish();
}

/* ---- exporting ------------------------------------------------------------------------------- */

static int open_cap(struct scap_reader **ret, struct scap_error *err)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags,
					   .allocator = allocator() };
	struct scap_source src = source(cap.file.p, cap.file.n);

	return scap_reader_open_source(&src, &opt, ret, err);
}

/* All events to one of the exporter's functions: 0 or the first error. */
static int export_events(struct scap_export *x, bool learn, struct scap_error *err)
{
	const struct scap_event *ev;
	struct scap_reader *r;
	int rc = open_cap(&r, err);

	if (rc)
		return rc;
	while (!(rc = scap_reader_next(r, &ev))) {
		rc = learn ? scap_export_learn(x, ev, 0) :
		     scap_event_in_keyframe(ev) ? 0 : scap_export_event(x, ev, 0);
		if (rc) {
			*err = *scap_export_error(x);
			break;
		}
	}
	if (rc < 0 && !err->code)
		*err = *scap_reader_error(r);
	scap_reader_close(r);
	return rc == 1 ? 0 : rc;
}

static struct scap_export_counts counts;

static int export_scap(struct scap_error *err)
{
	struct scap_export_options opt = { .size = sizeof(opt), .profile = SCAP_EXPORT_FALCO };
	struct scap_sink s = sink(&written);
	struct scap_export *x;
	int rc = scap_export_open_sink(&s, &opt, NULL, &x, err), close_rc;

	if (rc)
		return rc;
	rc = export_events(x, true, err);
	if (!rc)
		rc = export_events(x, false, err);
	close_rc = scap_export_close(x, &counts, rc ? NULL : err);
	return rc ? rc : close_rc;
}

/* To c, and to its end: 0 or the first error. */
static int copy_events(struct scap_copy *c, struct scap_reader *r, struct scap_error *err)
{
	const struct scap_event *ev;
	int rc, close_rc;

	while (!(rc = scap_reader_next(r, &ev)) && !(rc = scap_copy_event(c, r, ev)))
		;
	if (rc < 0)
		*err = scap_copy_error(c)->code ? *scap_copy_error(c) : *scap_reader_error(r);
	close_rc = scap_copy_close(c, scap_reader_info(r), rc < 0 ? NULL : err);
	return rc < 0 ? rc : close_rc;
}

static int export_copy(struct scap_error *err)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = SCAP_WRITER_GROUPS,
					   .hostname = "h", .allocator = allocator() };
	struct scap_sink s = sink(&written);
	struct scap_reader *r;
	struct scap_writer *w;
	struct scap_copy *c;
	int rc = open_cap(&r, err);

	if (rc)
		return rc;
	opt.raw_ns = scap_reader_info(r)->start_raw_ns;
	opt.real_ns = scap_reader_info(r)->start_wall_ns;
	rc = scap_writer_open_sink(&s, &opt, &w, err);
	if (!rc && scap_copy_new(w, &c)) {
		scap_writer_close(w, 0, NULL, 0, NULL);
		*err = (struct scap_error){ .code = -ENOMEM, .text = "no text is promised" };
		rc = -ENOMEM;
	}
	if (!rc)
		rc = copy_events(c, r, err);
	scap_reader_close(r);
	return rc;
}

static int (*export)(struct scap_error *err);

/* The place of the first hole, in what was read. */
static size_t hole_in(const struct rows *text)
{
	size_t at = 0;

	while (at < text->n && !strstr((char *)text->p + at, "\"unexplained\":true"))
		at += strlen((char *)text->p + at) + 1;
	return at;
}

/* A copy holds what it was given before: the beginning of what the capture says, then a hole. */
static void check_copy(int rc)
{
	static struct rows bytes;
	struct scap_error err = { 0 };
	int read_rc;

	bytes.n = got.n = 0;
	rows_put(&bytes, written.p, written.n);
	file = &bytes;
	read_rc = bytes.n > 64 ? read_file(&got, &err) : SCAP_ETRUNCATED;
	cr_assert(read_rc == 1 || read_rc == SCAP_ETRUNCATED, "%d, %s", read_rc, err.text);
	cr_assert(rc || read_rc == 1);
	got.n = hole_in(&got);
	cr_assert(rc ? got.n <= sound.n : got.n == sound.n);
	cr_assert(!got.n || !memcmp(got.p, sound.p, got.n));
}

static struct rows whole;	/* what is written when nothing fails */

/* Some memory can be done without. */
static bool same_as_whole(void)
{
	return written.n == whole.n && !memcmp(written.p, whole.p, whole.n);
}

static void export_once(long n)
{
	struct scap_error err = { 0 };
	bool any;
	int rc;

	written.n = 0;
	rc = export(&err);
	any = stop_failing();
	if (any && rc)
		check_error(rc, &err, n);
	else
		cr_assert_eq(rc, 0, "kind %d, place %ld: %s", failing, n, err.text);
	if (export == export_copy)
		check_copy(rc);
	else if (any && !rc)
		cr_assert(counts.n_unlisted || same_as_whole(),
			  "kind %d, place %ld: nothing was said", failing, n);
}

static void export_faults(int (*run)(struct scap_error *err), uint32_t reader_flags)
{
	static const enum kind kinds[] = { ALLOCATION, OWN_ALLOCATION, SINK, READ };
	struct scap_error err = { 0 };

	export = run;
	flags = reader_flags;
	file = &cap.file;
	filter_text = NULL;
	cr_assert_eq(read_file(&sound, &err), 1);
	rows_put(&got, sound.p, sound.n);
	written = (struct rows){ .p = malloc(1 << 20), .cap = 1 << 20 };
	cr_assert_eq(run(&err), 0);
	rows_put(&whole, written.p, written.n);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_gt(at_each(kinds[i], export_once), 0);
	rows_free(&written);
	rows_free(&whole);
}

Test(fault_write, export_scap)
{
	export_faults(export_scap, SCAP_READER_KEYFRAMES);
}

Test(fault_write, export_copy)
{
	export_faults(export_copy, SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES);
}
