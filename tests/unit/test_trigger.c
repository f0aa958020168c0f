/* SPDX-License-Identifier: MIT */
/* Why a capture was written: what is put into it comes out of it, and lies are told. */
#include <criterion/criterion.h>
#include <errno.h>
#include <scap/scap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/writer.h"
#include "support_rows.h"

#define E0 (1000 * SCAP_EPOCH_NS)

static struct rows file;

static struct scap_writer *open_writer(uint32_t flags, bool start)
{
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = flags, .raw_ns = E0, .real_ns = E0 + 5,
	};
	struct scap_ring_end ring = { .next_seq = 500 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	if (start)
		cr_assert_eq(scap_writer_start(w, E0, &ring, 1), 0);
	return w;
}

static void put_call(struct scap_writer *w, uint64_t ns, uint32_t seq)
{
	struct rows rows = { 0 };
	struct scap_slice_part part;
	struct scap_slice s = { .start_ns = ns, .end_ns = ns + 1000, .n_parts = 1, .parts = &part,
				.clock_raw_ns = ns, .real_ns = ns + 5 };

	rows_call(&rows, seq, ns, 7, 39, 0);
	part = (struct scap_slice_part){ .rows = rows.p, .bytes = rows.n };
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	rows_free(&rows);
}

static void close_writer(struct scap_writer *w, uint32_t next_seq)
{
	struct scap_ring_end end = { .next_seq = next_seq };

	cr_assert_eq(scap_writer_close(w, E0 + 500000, &end, 1, NULL), 0);
}

static const struct scap_label labels[] = {
	{ "severity", "page" }, { "empty", "" }, { "equals", "a=b=c" },
};

static struct scap_trigger first_one(void)
{
	return (struct scap_trigger){
		.size = sizeof(struct scap_trigger), .name = "http-5xx", .source = "event",
		.why = "HTTP/1.1 500", .config = "filter: evt.type=write", .labels = labels,
		.n_labels = 3, .raw_ns = E0 + 1000, .real_ns = E0 + 1005,
		.before_ns = 30000000000, .after_ns = 10000000000, .event = 2,
	};
}

static struct scap_reader *open_file(uint32_t flags, bool seek, struct rows_reader *rr)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_source src = rows_source(rr, file.p, file.n);
	struct scap_reader *r;
	struct scap_error err;

	if (seek)
		src.seek = rows_seek;
	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, &err), 0, "%s", err.text);
	return r;
}

/* Reads all: events. */
static unsigned read_all(struct scap_reader *r)
{
	const struct scap_event *ev;
	unsigned n = 0;
	int rc;

	while ((rc = scap_reader_next(r, &ev)) == 0)
		n++;
	cr_assert_eq(rc, 1, "%s", scap_reader_error(r)->text);
	return n;
}

/* A capture with both: 20 calls, each in a slice of its own. */
static void write_both(uint32_t flags, bool start)
{
	struct scap_writer *w = open_writer(flags, start);
	struct scap_trigger t = first_one();
	static const struct scap_label more[] = { { "severity", "ticket" }, { "x", "y" } };
	uint32_t seq = start ? 500 : 0;

	cr_assert_eq(scap_writer_trigger(w, &t), 0, "%s", scap_writer_error(w)->text);
	for (unsigned i = 0; i < 20; i++)
		put_call(w, E0 + i * 1000, seq + i);
	t.why = t.source = t.name = t.config = NULL;
	t.labels = more;
	t.n_labels = 2;
	t.keep = "fd.type=ipv4";
	t.from_raw_ns = E0;
	t.to_raw_ns = E0 + 20000;
	t.n_lost = 3;
	t.flags = SCAP_TRIGGER_SHORT | SCAP_TRIGGER_CHOSEN;
	cr_assert_eq(scap_writer_trigger(w, &t), 0, "%s", scap_writer_error(w)->text);
	close_writer(w, seq + 20);
}

static void check_first(const struct scap_trigger *t)
{
	cr_assert(t);
	cr_assert_eq(t->size, sizeof(*t));
	cr_assert_str_eq(t->name, "http-5xx");
	cr_assert_str_eq(t->source, "event");
	cr_assert_str_eq(t->why, "HTTP/1.1 500");
	cr_assert_str_eq(t->config, "filter: evt.type=write");
	cr_assert_eq(t->raw_ns, E0 + 1000);
	cr_assert_eq(t->real_ns, E0 + 1005);
	cr_assert_eq(t->before_ns, 30000000000);
	cr_assert_eq(t->after_ns, 10000000000);
	cr_assert_eq(t->event, 2);
}

static void check_label(const struct scap_trigger *t, unsigned i, const char *name,
			const char *value)
{
	cr_assert_lt(i, t->n_labels);
	cr_assert_str_eq(t->labels[i].name, name);
	cr_assert_str_eq(t->labels[i].value, value);
}

Test(trigger, what_is_written_is_read)
{
	static const uint32_t forms[] = { SCAP_WRITER_ROWS, SCAP_WRITER_GROUPS };

	for (unsigned i = 0; i < 16; i++) {
		bool start = i & 2, seek = i & 4;
		uint32_t flags = i & 8 ? SCAP_READER_SEALS : 0;
		const struct scap_trigger *t;
		struct rows_reader rr;
		struct scap_reader *r;

		file.n = 0;
		write_both(forms[i & 1], start);
		r = open_file(flags, seek, &rr);
		t = scap_reader_trigger(r);
		check_first(t);
		cr_assert_eq(t->n_labels, 3);
		check_label(t, 0, "severity", "page");
		check_label(t, 1, "empty", "");
		check_label(t, 2, "equals", "a=b=c");
		cr_assert_eq(t->flags, 0);
		cr_assert_null(t->keep);
		cr_assert_eq(scap_reader_info(r)->continues, start, "known at once");
		cr_assert_eq(read_all(r), 20);
		t = scap_reader_trigger(r);
		check_first(t);
		cr_assert_eq(t->n_labels, 4);
		check_label(t, 0, "severity", "ticket");
		check_label(t, 3, "x", "y");
		cr_assert_str_eq(t->keep, "fd.type=ipv4");
		cr_assert_eq(t->from_raw_ns, E0);
		cr_assert_eq(t->to_raw_ns, E0 + 20000);
		cr_assert_eq(t->n_lost, 3);
		cr_assert_eq(t->flags, SCAP_TRIGGER_SHORT | SCAP_TRIGGER_CHOSEN);
		cr_assert_eq(scap_reader_info(r)->n_unknown, 0);
		scap_reader_close(r);
	}
	rows_free(&file);
}

/* The outcome is read again and again, and is none the worse for it. */
Test(trigger, seeking)
{
	const struct scap_event *ev;
	struct rows_reader rr;
	struct scap_reader *r;

	write_both(SCAP_WRITER_ROWS, false);
	r = open_file(0, true, &rr);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(scap_reader_seek(r, E0 + 5 + 1000 * i, 0), 0);
		cr_assert_eq(scap_reader_next(r, &ev), 0);
		cr_assert_eq(scap_event_num(ev), scap_event_raw_ns(ev) / 1000 % 1000 -
			     E0 / 1000 % 1000 + 1);
		cr_assert_geq(read_all(r), 10);
		check_first(scap_reader_trigger(r));
		cr_assert_eq(scap_reader_trigger(r)->n_labels, 4);
	}
	scap_reader_close(r);
	rows_free(&file);
}

Test(trigger, none)
{
	struct scap_writer *w = open_writer(0, false);
	struct rows_reader rr;
	struct scap_reader *r;

	put_call(w, E0, 0);
	close_writer(w, 1);
	r = open_file(0, true, &rr);
	cr_assert_null(scap_reader_trigger(r));
	cr_assert_eq(read_all(r), 1);
	cr_assert_null(scap_reader_trigger(r));
	scap_reader_close(r);
	rows_free(&file);
}

/* Of several captures in a file, that of the first one that has one. */
Test(trigger, segments)
{
	struct scap_writer *w = open_writer(0, false);
	struct rows_reader rr;
	struct scap_reader *r;

	put_call(w, E0, 0);
	close_writer(w, 1);
	write_both(0, true);
	w = open_writer(0, false);
	cr_assert_eq(scap_writer_trigger(w, &(struct scap_trigger){
		.size = sizeof(struct scap_trigger), .name = "other" }), 0);
	close_writer(w, 0);
	r = open_file(0, false, &rr);
	cr_assert_null(scap_reader_trigger(r));
	cr_assert_eq(read_all(r), 21);
	check_first(scap_reader_trigger(r));
	scap_reader_close(r);
	rows_free(&file);
}

Test(trigger, only_where_it_belongs)
{
	struct scap_trigger t = first_one();
	struct scap_writer *w = open_writer(0, false);
	struct scap_label bad = { "a=b", "c" };

	put_call(w, E0, 0);
	cr_assert_eq(scap_writer_trigger(w, &t), -EINVAL, "behind a slice");
	close_writer(w, 1);
	w = open_writer(SCAP_WRITER_GROUPS, true);
	put_call(w, E0, 500);
	cr_assert_eq(scap_writer_trigger(w, &t), -EINVAL, "behind one that waits for its group");
	close_writer(w, 501);
	w = open_writer(0, false);
	t.labels = &bad;
	t.n_labels = 1;
	cr_assert_eq(scap_writer_trigger(w, &t), -EINVAL, "a name with a =");
	t.n_labels = 0;
	cr_assert_eq(scap_writer_trigger(w, &t), 0);
	cr_assert_eq(scap_writer_trigger(w, &t), 0);
	cr_assert_eq(scap_writer_trigger(w, &t), -EINVAL, "a third time");
	close_writer(w, 0);
	rows_free(&file);
}

static const char *text_of(unsigned n)
{
	static char texts[1 << 20];

	memset(texts, 'x', sizeof(texts) - 1);
	return texts + sizeof(texts) - 1 - n;
}

/* What is too much is cut, between characters. */
Test(trigger, bounds)
{
	static struct scap_label many[300];
	struct scap_trigger t = { .size = sizeof(t), .labels = many, .n_labels = 300 };
	struct scap_writer *w = open_writer(0, false);
	const struct scap_trigger *got;
	struct rows_reader rr;
	struct scap_reader *r;
	static char names[300][8], umlauts[6002] = "x";

	for (unsigned i = 1; i < 6000; i += 2)
		memcpy(umlauts + i, "\xc3\xa4", 2);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		many[i] = (struct scap_label){ names[i], text_of(i < 4 ? 9000 : 10) };
	}
	t.why = text_of(4096);
	t.config = text_of(1000000);
	t.keep = umlauts;
	cr_assert_eq(scap_writer_trigger(w, &t), 0);
	close_writer(w, 0);
	r = open_file(0, true, &rr);
	got = scap_reader_trigger(r);
	cr_assert(got);
	cr_assert_eq(got->n_labels, 256);
	cr_assert_eq(strlen(got->labels[0].value), 4096 - 3);
	cr_assert_str_eq(got->labels[255].name, "n255");
	cr_assert_eq(strlen(got->why), 4096);
	cr_assert_eq(strlen(got->config), 4096);
	cr_assert_eq(strlen(got->keep), 4095, "%zu", strlen(got->keep));
	cr_assert_eq(read_all(r), 0);
	scap_reader_close(r);
	rows_free(&file);
}

/* ---- lies ----------------------------------------------------------------------------------- */

static void put_raw(struct scap_writer *w, const void *p, size_t n)
{
	cr_assert_eq(scap__section_begin(w), 0);
	cr_assert_eq(scap__buffer_add(&w->raw, p, n), 0);
	cr_assert_eq(scap__section_write(w, SCAP__SECTION_TRIGGER), 0);
}

static void put_entry(struct rows *to, uint16_t key, uint16_t kind, uint32_t claimed,
		      const void *p, size_t n)
{
	struct scap__host_entry e = { key, kind, claimed };

	rows_put(to, &e, sizeof(e));
	rows_put(to, p, n);
	rows_put(to, "\0\0\0\0\0\0\0", -n & 7);
}

/* The first call of next() tells it, with its place; the events are there. */
static void expect_damage(struct rows *payload, const char *what)
{
	struct scap_writer *w = open_writer(0, false);
	const struct scap_event *ev;
	uint64_t at = file.n;
	struct rows_reader rr;
	struct scap_reader *r;

	put_raw(w, payload->p, payload->n);
	put_call(w, E0, 0);
	close_writer(w, 1);
	r = open_file(0, true, &rr);
	cr_assert_null(scap_reader_trigger(r), "%s", what);
	cr_assert_eq(scap_reader_next(r, &ev), SCAP_EDAMAGED, "%s", what);
	cr_assert(strstr(scap_reader_error(r)->text, what), "%s", scap_reader_error(r)->text);
	cr_assert_eq(scap_reader_error(r)->offset, at);
	cr_assert_eq(read_all(r), 1);
	cr_assert_null(scap_reader_trigger(r), "nothing of it is believed");
	scap_reader_close(r);
	rows_free(payload);
	rows_free(&file);
}

static struct rows begin_lie(void)
{
	struct rows r = { 0 };

	put_entry(&r, 1, SCAP__HOST_STRING, 4, "name", 4);
	return r;
}

Test(trigger, lies)
{
	const char *long_text = text_of(5000);
	struct rows r = begin_lie();

	put_entry(&r, 3, SCAP__HOST_STRING, 100, "short", 5);
	expect_damage(&r, "do not fit");
	r = begin_lie();
	put_entry(&r, 16, SCAP__HOST_U64, 4, "1234", 4);
	expect_damage(&r, "do not fit");
	r = begin_lie();
	rows_put(&r, "123", 3);
	expect_damage(&r, "do not fit");
	r = begin_lie();
	put_entry(&r, 3, SCAP__HOST_STRING, 5000, long_text, 5000);
	expect_damage(&r, "too long");
	r = begin_lie();
	put_entry(&r, 32, SCAP__HOST_STRING, 5000, long_text, 5000);
	expect_damage(&r, "too long");
	r = begin_lie();
	put_entry(&r, 32, SCAP__HOST_STRING, 4, "a\0=b", 4);
	expect_damage(&r, "NUL");
	r = begin_lie();
	put_entry(&r, 32, SCAP__HOST_STRING, 4, "abcd", 4);
	expect_damage(&r, "no value");
	r = begin_lie();
	for (unsigned i = 0; i < 257; i++)
		put_entry(&r, 32, SCAP__HOST_STRING, 3, "a=b", 3);
	expect_damage(&r, "too many");
	r = begin_lie();
	for (unsigned i = 0; i < 600; i++)
		put_entry(&r, 1000, SCAP__HOST_STRING, 5000, long_text, 5000);
	expect_damage(&r, "too large");
}

/* Keys and kinds of later versions are passed over; a third section is damage. */
Test(trigger, later_versions)
{
	struct scap_writer *w = open_writer(0, false);
	const struct scap_event *ev;
	struct rows payload = begin_lie();
	struct rows_reader rr;
	struct scap_reader *r;
	uint64_t v = 77;

	put_entry(&payload, 1000, SCAP__HOST_STRING, 4, "what", 4);
	put_entry(&payload, 1001, SCAP__HOST_U64, 8, &v, 8);
	put_entry(&payload, 1, 9, 3, "abc", 3);
	put_entry(&payload, 23, SCAP__HOST_U64, 8, &v, 8);
	put_raw(w, payload.p, payload.n);
	put_raw(w, payload.p, payload.n);
	put_raw(w, payload.p, payload.n);
	put_call(w, E0, 0);
	close_writer(w, 1);
	r = open_file(0, true, &rr);
	cr_assert_str_eq(scap_reader_trigger(r)->name, "name");
	cr_assert_eq(scap_reader_trigger(r)->n_lost, le64toh(77));
	cr_assert_eq(scap_reader_next(r, &ev), SCAP_EDAMAGED);
	cr_assert(strstr(scap_reader_error(r)->text, "two already"));
	cr_assert_eq(read_all(r), 1);
	scap_reader_close(r);
	rows_free(&payload);
	rows_free(&file);
}

/* ---- damage --------------------------------------------------------------------------------- */

/* Reads what there is of n bytes: events; damage is told, and never twice in the same place. */
static unsigned read_damaged(size_t n, bool *ret_damaged)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, file.p, n);
	const struct scap_event *ev;
	unsigned n_events = 0, n_errors = 0;
	struct scap_reader *r;
	int rc;

	*ret_damaged = true;
	if (scap_reader_open_source(&src, NULL, &r, NULL))
		return 0;
	while ((rc = scap_reader_next(r, &ev)) != 1 && rc != SCAP_ETRUNCATED) {
		n_events += !rc;
		n_errors += rc < 0;
		cr_assert_lt(n_errors, 10);
	}
	if (rc == SCAP_ETRUNCATED)
		cr_assert_eq(scap_reader_next(r, &ev), SCAP_ETRUNCATED, "it stays so");
	*ret_damaged = rc < 0 || n_errors;
	scap_reader_close(r);
	return n_events;
}

/* A file that is cut in its trigger goes on with its journal. */
Test(trigger, cut_in_front_of_a_journal)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .raw_ns = E0, .real_ns = E0 };
	char dir[] = "/tmp/scap-trigger-XXXXXX";
	struct scap_trigger t = first_one();
	const struct scap_event *ev;
	struct scap_reader *r;
	struct scap_writer *w;
	off_t n;

	cr_assert(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(scap_writer_open_path("x", &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_trigger(w, &t), 0);
	n = (off_t)scap_writer_bytes(w);
	put_call(w, E0, 0);
	scap_writer_close(w, 0, NULL, 0, NULL);
	cr_assert_eq(truncate("x", n - 16), 0);
	cr_assert_eq(scap_reader_open_path("x", NULL, &r, NULL), 0);
	cr_assert_null(scap_reader_trigger(r));
	cr_assert_eq(scap_reader_next(r, &ev), 0, "%s", scap_reader_error(r)->text);
	cr_assert_eq(scap_event_num(ev), 1);
	cr_assert_eq(scap_reader_next(r, &ev), SCAP_ETRUNCATED);
	scap_reader_close(r);
	unlink("x");
	unlink("x.journal");
	cr_assert_eq(rmdir(dir), 0);
}

Test(trigger, every_byte)
{
	size_t whole, index_bytes;
	bool is_damaged;

	write_both(SCAP_WRITER_ROWS, true);
	memcpy(&index_bytes, file.p + file.n - sizeof(struct scap__index_trailer), 8);
	whole = file.n - (size_t)le64toh(index_bytes);
	for (size_t n = 0; n < file.n; n++) {
		unsigned n_events = read_damaged(n, &is_damaged);

		cr_assert_eq(is_damaged, n != whole, "cut at %zu", n);
		cr_assert_leq(n_events, 20);
	}
	for (size_t n = 0; n < file.n; n++) {
		file.p[n] ^= 0x10;
		read_damaged(file.n, &is_damaged);
		cr_assert(is_damaged, "byte %zu", n);
		file.p[n] ^= 0x10;
	}
	rows_free(&file);
}
