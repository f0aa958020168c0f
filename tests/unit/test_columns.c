/* SPDX-License-Identifier: MIT */
/* Columns: what batches hold is what fields say, event by event. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <scap/columns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/field.h"
#include "format/event.h"
#include "format/reader.h"
#include "support_rows.h"

#define MAX_FIELDS SCAP_COLUMNS_MAX_FIELDS

static struct rows_reader inputs[2];

static struct scap_reader *open_reader(unsigned which, const struct rows *file, uint32_t flags,
				       uint64_t limit)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags,
					   .memory_limit = limit };
	struct scap_source src = rows_source(&inputs[which], file->p, file->n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, &err), 0, "%s", err.text);
	return r;
}

static struct scap_columns *open_columns(struct scap_reader *r, const char *const *names,
					 unsigned n, const struct scap_filter *f)
{
	struct scap_error err = { 0 };
	struct scap_columns *c = NULL;

	cr_assert_eq(scap_columns_open(r, names, n, f, &c, &err), 0, "%s", err.text);
	return c;
}

static struct scap_filter *compile(const char *text)
{
	struct scap_filter *f = NULL;
	struct scap_error err;

	if (text)
		cr_assert_eq(scap_filter_compile(text, &f, &err), 0, "%s", err.text);
	return f;
}

/* ---- all fields ---------------------------------------------------------------------------- */

static const char *names[MAX_FIELDS];
static struct scap_field fields[MAX_FIELDS];
static unsigned n_fields;

static void add_field(const char *name)
{
	struct scap_error err;

	cr_assert_eq(scap__field_parse(&fields[n_fields], name, &err), 0, "%s", err.text);
	names[n_fields++] = name;
}

/* All of the table; of those that take a name, some. */
static void make_fields(void)
{
	static const char *const more[] = {
		"evt.arg.fd", "evt.arg[0]", "evt.arg[1]", "evt.arg.name", "evt.arg.data",
		"evt.arg.res", "evt.arg.flags", "evt.rawarg.fd", "evt.rawarg[2]", "evt.rawarg.res",
	};
	const char *name, *type, *text;

	n_fields = 0;
	for (unsigned i = 0; scap_field_describe(i, &name, &type, &text) == 0; i++)
		if (strcmp(name, "evt.arg") && strcmp(name, "evt.rawarg"))
			add_field(name);
	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++)
		add_field(more[i]);
}

/* Those that no event of rows_capture() has. */
static bool is_rare(const char *name)
{
	return !strncmp(name, "fd.", 3) ? strstr(name, "ip") || strstr(name, "port") :
	       strstr(name, "exe_ino.") || !strcmp(name, "proc.mntns") ||
	       !strcmp(name, "fs.path.source") || !strcmp(name, "fs.path.target");
}

/* ---- comparing ----------------------------------------------------------------------------- */

static char want[1 << 21], have[1 << 21];

static size_t have_bytes(const struct scap_column *col, uint32_t row, bool composed)
{
	uint32_t from = col->offsets[row], n = col->offsets[row + 1] - from;
	struct scap__out o;

	scap__out_init(&o, have, sizeof(have));
	if (composed)
		scap__out_bytes(&o, col->bytes + from, n);
	else
		scap__out_escaped(&o, col->bytes + from, n, 0);
	return scap__out_end(&o);
}

/* The value as scap_field_text() would show it, with the type that the column says. */
static size_t have_text(const struct scap_column *col, uint32_t row, bool composed)
{
	cr_assert_eq(!!col->u64, col->type == SCAP_COLUMN_UINT64);
	cr_assert_eq(!!col->i64, col->type == SCAP_COLUMN_INT64);
	cr_assert_eq(!!col->bools, col->type == SCAP_COLUMN_BOOL);
	cr_assert_eq(!!col->offsets, col->type == SCAP_COLUMN_BYTES);
	if (col->u64)
		return (size_t)sprintf(have, "%" PRIu64, col->u64[row]);
	if (col->i64)
		return (size_t)sprintf(have, "%" PRId64, col->i64[row]);
	if (col->bools)
		return (size_t)sprintf(have, "%s", (const char *[]){ "false", "true", "neither" }
				       [col->bools[row] < 2 ? col->bools[row] : 2]);
	return have_bytes(col, row, composed);
}

static void check_missing(const struct scap_column *col, uint32_t row)
{
	cr_assert_not(scap_column_has(col, row));
	if (col->u64)
		cr_assert_eq(col->u64[row], 0);
	else if (col->i64)
		cr_assert_eq(col->i64[row], 0);
	else if (col->bools)
		cr_assert_eq(col->bools[row], 0);
	else
		cr_assert_eq(col->offsets[row], col->offsets[row + 1]);
}

static uint64_t n_values[MAX_FIELDS];

static void check_value(unsigned i, const struct scap_column *col, uint32_t row,
			const struct scap_event *ev)
{
	static char buf[SCAP__SCRATCH_LARGE];
	struct scap__scratch s = { buf, sizeof(buf), 0 };
	bool text = fields[i].def->type == SCAP__TYPE_STRING ||
		    fields[i].def->type == SCAP__TYPE_BYTES;
	ssize_t n = scap_field_text(&fields[i], ev, want, sizeof(want));
	struct scap__value v = { 0 };
	bool has = scap__field_get(&fields[i], ev, &s, &v);

	cr_assert_eq(has, n >= 0);
	if (!has) {
		check_missing(col, row);
		return;
	}
	n_values[i]++;
	cr_assert(scap_column_has(col, row), "%s of event %lu", names[i], ev->num);
	cr_assert_eq(have_text(col, row, v.composed || !text), (size_t)n, "%s of event %lu: %s, %s",
		     names[i], ev->num, have, want);
	cr_assert(!memcmp(have, want, (size_t)n), "%s of event %lu: %s, not %s", names[i], ev->num,
		  have, want);
	if (!text)
		return;
	cr_assert_eq(col->offsets[row + 1] - col->offsets[row], v.s.n, "%s", names[i]);
	cr_assert(!v.s.n || !memcmp(col->bytes + col->offsets[row], v.s.p, v.s.n));
}

/* ---- side by side with a reader ------------------------------------------------------------ */

struct losses {
	uint64_t lost, unexplained, sure, maybe;
};

static void add_loss(struct losses *l, const struct scap_event *ev, const struct scap_filter *f)
{
	uint64_t n, sure, maybe, from, to;

	if (scap_event_gap(ev, &n, &from, &to))
		return;
	*(scap_event_gap_unexplained(ev) ? &l->unexplained : &l->lost) += n;
	scap_filter_gap(f, ev, &sure, &maybe);
	l->sure += sure;
	l->maybe += maybe;
}

/* The next event that matches: 0; or what else there is. */
static int next_match(struct scap_reader *r, const struct scap_filter *f, struct losses *l,
		      const struct scap_event **ret_ev)
{
	int rc;

	while ((rc = scap_reader_next(r, ret_ev)) == 0) {
		add_loss(l, *ret_ev, f);
		if ((*ret_ev)->num && (!f || scap_filter_match(f, *ret_ev)))
			return 0;
	}
	return rc;
}

static void check_losses(const struct scap_columns_batch *b, const struct losses *l)
{
	cr_assert_eq(b->n_lost, l->lost);
	cr_assert_eq(b->n_unexplained, l->unexplained);
	cr_assert_eq(b->n_lost_sure, l->sure);
	cr_assert_eq(b->n_lost_maybe, l->maybe);
}

static void check_batch(const struct scap_columns_batch *b, struct scap_reader *r,
			const struct scap_filter *f, struct losses *l)
{
	const struct scap_event *ev;

	cr_assert_eq(b->n_columns, n_fields);
	for (uint32_t row = 0; row < b->n_rows; row++) {
		cr_assert_eq(next_match(r, f, l, &ev), 0);
		for (unsigned i = 0; i < n_fields; i++)
			check_value(i, &b->columns[i], row, ev);
	}
	for (unsigned i = 0; i < n_fields; i++) {
		uint32_t missing = 0;

		for (uint32_t row = 0; row < b->n_rows; row++)
			missing += !scap_column_has(&b->columns[i], row);
		cr_assert_eq(b->columns[i].n_missing, missing);
	}
}

/* The whole file through columns, and through a reader: rows, values, losses, errors. */
static uint64_t compare(const struct rows *file, uint32_t flags, const char *text, uint32_t max)
{
	struct scap_reader *chosen_r = open_reader(0, file, flags, 0);
	struct scap_reader *r = open_reader(1, file, flags, 0);
	struct scap_filter *f = compile(text);
	struct scap_columns *c = open_columns(chosen_r, names, n_fields, f);
	const struct scap_columns_batch *b;
	const struct scap_event *ev;
	struct losses l = { 0 }, seen = { 0 };
	uint64_t n = 0;
	int rc;

	/* What can't match need not be unpacked: see test_choose.c. */
	cr_assert_eq(!!chosen_r->choice.chooser, !!f);
	do {
		while ((rc = scap_columns_next(c, max, &b)) == 0) {
			cr_assert_leq(b->n_rows, max);
			cr_assert(b->n_rows || memcmp(&seen, &b->n_lost, sizeof(seen)),
				  "a batch of nothing");
			memcpy(&seen, &b->n_lost, sizeof(seen));
			check_batch(b, r, f, &l);
			if (b->n_rows == max)
				check_losses(b, &l);
			n += b->n_rows;
		}
		cr_assert_eq(next_match(r, f, &l, &ev), rc);
		cr_assert(!memcmp(&seen, &l, sizeof(l)), "a batch told of all losses");
		if (rc < 0)
			cr_assert_str_eq(scap_reader_error(chosen_r)->text,
					 scap_reader_error(r)->text);
	} while (rc == SCAP_EDAMAGED || rc == 2);
	cr_assert_eq(scap_columns_next(c, max, &b), rc, "it stays");
	scap_columns_close(c);
	scap_reader_close(chosen_r);
	scap_reader_close(r);
	scap_filter_free(f);
	return n;
}

static const uint32_t sizes[] = { 1, 7, 4096 };

static const char *const filters[] = {
	NULL, "evt.failed=true", "evt.latency>50us", "proc.name=sh", "not proc.name exists",
	"fd.name contains /srv and evt.buflen exists", "evt.type=procexec", "evt.num<20",
	"evt.num=0",
};

TestSuite(columns, .init = make_fields, .timeout = 300);

Test(columns, values_are_those_of_fields)
{
	uint64_t n = 0;

	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct capture_spec spec = { .seed = seed, .n_cpus = 1 + seed % 3, .n_slices = 3,
					     .per_slice = 60, .gaps = seed % 2,
					     .groups = seed % 3 };
		struct capture c;

		rows_capture(&c, &spec);
		for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
			for (unsigned k = 0; k < 3; k++)
				n += compare(&c.file, 0, filters[i], sizes[k]);
		capture_free(&c);
	}
	cr_assert_gt(n, 10000);
	/* Nothing is compared where there is nothing. */
	for (unsigned i = 0; i < n_fields; i++)
		cr_assert(n_values[i] || is_rare(names[i]), "%s", names[i]);
}

/* Gaps at the end, which no row follows, are told before it; of many segments, too. */
Test(columns, losses_and_segments)
{
	struct rows two = { 0 };

	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct capture_spec spec = { .seed = seed, .n_cpus = 2, .n_slices = 2,
					     .per_slice = 20, .gaps = true, .keyframes = true,
					     .groups = seed % 2 };
		struct capture c;

		rows_capture(&c, &spec);
		two.n = 0;
		rows_put(&two, c.file.p, c.file.n);
		rows_put(&two, c.file.p, c.file.n);
		for (uint32_t flags = 0; flags <= 3; flags++) {
			compare(&two, flags, NULL, 7);
			compare(&two, flags | SCAP_READER_SEGMENTS, NULL, 4096);
			compare(&two, flags | SCAP_READER_SEGMENTS, "evt.num=0", 4096);
		}
		capture_free(&c);
	}
	rows_free(&two);
}

Test(columns, damage_is_told_in_its_place)
{
	struct capture_spec spec = { .seed = 9, .n_cpus = 2, .n_slices = 6, .per_slice = 10 };
	struct capture c;
	uint64_t all;

	n_fields = 4;
	for (unsigned groups = 0; groups < 2; groups++) {
		spec.groups = groups;
		rows_capture(&c, &spec);
		all = compare(&c.file, 0, NULL, 7);
		for (size_t at = 400; at < c.file.n; at += 29) {
			c.file.p[at] ^= 0x10;
			cr_assert_leq(compare(&c.file, 0, NULL, at % 2 ? 7 : 4096), all);
			c.file.p[at] ^= 0x10;
		}
		for (c.file.n--; c.file.n > 400; c.file.n -= 97)
			compare(&c.file, 0, "evt.failed=true", 7);
		capture_free(&c);
	}
}

/* ---- sockets, and much data ---------------------------------------------------------------- */

static void write_rows(struct rows *file, const struct rows *rows, uint32_t n)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = SCAP_WRITER_GROUPS };
	struct scap_sink sink = rows_sink(file);
	struct scap_slice_part part = { .rows = rows->p, .bytes = rows->n };
	struct scap_slice s = { .start_ns = SCAP_EPOCH_NS, .end_ns = 2 * SCAP_EPOCH_NS,
				.n_parts = 1, .parts = &part };
	struct scap_ring_end end = { .next_seq = n };
	struct scap_writer *w;

	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	cr_assert_eq(scap_writer_close(w, 2 * SCAP_EPOCH_NS, &end, 1, NULL), 0);
}

static void put_socket(struct rows *r, uint32_t seq, uint32_t cookie, const struct scap_sock *sock)
{
	struct scap_rec_file f = { .cookie = cookie, .ino = 9,
				   .kind = sock->family == 2 ? SCAP_KIND_INET : SCAP_KIND_INET6 };
	size_t at = rows_begin(r, SCAP_REC_FILE, 0, seq, SCAP_EPOCH_NS + seq);

	rows_put(r, (const uint8_t *)&f + sizeof(f.h), sizeof(f) - sizeof(f.h));
	rows_blob(r, SCAP_SLOT_SOCK, SCAP_STATE_WHOLE, sock, sizeof(*sock), sizeof(*sock));
	rows_end(r, at);
}

/* Events that have the fields that others don't, besides those of sockets: three rows. */
static void put_rare(struct rows *r, uint32_t seq)
{
	struct scap_rec_intro i = { .tid = 7, .tgid = 7, .comm = "rare", .ns_mnt = 12 };
	struct scap_rec_call c = { .tid = 7, .nr = 82, .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 2) };
	struct scap_rec_exec x = { .tid = 7, .old_tid = 7, .exe_ctime_ns = 1, .exe_mtime_ns = 2 };
	uint64_t args[2] = { 0x1000, 0x2000 };
	size_t at = rows_begin(r, SCAP_REC_INTRO, 0, seq, SCAP_EPOCH_NS + seq);

	rows_put(r, (const uint8_t *)&i + sizeof(i.h), sizeof(i) - sizeof(i.h));
	rows_end(r, at);
	at = rows_begin(r, SCAP_REC_CALL, 0, seq + 1, SCAP_EPOCH_NS + seq);
	rows_put(r, (const uint8_t *)&c + sizeof(c.h), sizeof(c) - sizeof(c.h));
	rows_put(r, args, sizeof(args));
	rows_blob(r, 0, SCAP_STATE_WHOLE, "/from\n", 6, 6);
	rows_blob(r, 1, SCAP_STATE_WHOLE, "/to\\", 4, 4);
	rows_end(r, at);
	at = rows_begin(r, SCAP_REC_EXEC, 0, seq + 2, SCAP_EPOCH_NS + seq);
	rows_put(r, (const uint8_t *)&x + sizeof(x.h), sizeof(x) - sizeof(x.h));
	rows_end(r, at);
}

static const char *text_of(const struct scap_columns_batch *b, unsigned i, uint32_t row)
{
	const struct scap_column *col = &b->columns[i];

	return scap_column_has(col, row) ? have_bytes(col, row, true), have : "<NA>";
}

Test(columns, both_ends_are_text_and_one_port_is_a_number)
{
	static const char *const asked[] = { "fd.ip", "fd.rip", "fd.port", "fd.lport", "fd.rport" };
	struct scap_sock socks[] = {
		{ .family = 2, .type = 1, .state = 1, .local_port = 4711, .remote_port = 80,
		  .local_addr = { 10, 0, 0, 1 }, .remote_addr = { 10, 0, 0, 2 } },
		{ .family = 10, .type = 1, .state = 10, .local_port = 65535,
		  .local_addr = { [15] = 1 } },
	};
	const struct scap_columns_batch *b;
	struct rows rows = { 0 }, file = { 0 };
	struct scap_columns *c;
	struct scap_reader *r;

	for (uint32_t i = 0; i < 2; i++) {
		put_socket(&rows, i * 2, 1 + i, &socks[i]);
		rows_call_file(&rows, i * 2 + 1, SCAP_EPOCH_NS + i * 2 + 1, 7, 1 + i);
	}
	put_rare(&rows, 4);
	write_rows(&file, &rows, 7);
	r = open_reader(0, &file, 0, 0);
	c = open_columns(r, asked, 5, NULL);
	cr_assert_eq(scap_columns_next(c, 10, &b), 0);
	cr_assert_eq(b->n_rows, 4);
	cr_assert_str_eq(text_of(b, 0, 0), "10.0.0.1->10.0.0.2");
	cr_assert_str_eq(text_of(b, 1, 0), "10.0.0.2");
	cr_assert_str_eq(text_of(b, 2, 0), "4711->80");
	cr_assert_eq(b->columns[3].u64[0], 4711);
	cr_assert_eq(b->columns[4].u64[0], 80);
	cr_assert_str_eq(text_of(b, 0, 1), "::1");
	cr_assert_str_eq(text_of(b, 1, 1), "<NA>");
	cr_assert_str_eq(text_of(b, 2, 1), "65535");
	cr_assert_eq(b->columns[3].u64[1], 65535);
	cr_assert_not(scap_column_has(&b->columns[4], 1));
	cr_assert_eq(b->columns[4].n_missing, 3);
	scap_columns_close(c);
	scap_reader_close(r);
	for (unsigned i = 0; i < 3; i++)
		compare(&file, 0, i == 2 ? "fd.rport=80" : NULL, sizes[i]);
	for (unsigned i = 0; i < n_fields; i++)
		cr_assert(n_values[i] || !is_rare(names[i]), "%s", names[i]);
	rows_free(&file);
	rows_free(&rows);
}

#define PAYLOAD 40000u

/* Reads of PAYLOAD bytes each, different ones. */
static void make_reads(struct rows *file, uint32_t n)
{
	static uint8_t data[PAYLOAD];
	struct rows rows = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		struct scap_rec_call c = { .tid = 7, .ret = PAYLOAD, .nr = 0,
					   .shape = SCAP_SHAPE(SCAP_ABI_X86_64, 3) };
		uint64_t args[3] = { 3, 0x7000, PAYLOAD };
		size_t at = rows_begin(&rows, SCAP_REC_CALL, 0, i, SCAP_EPOCH_NS + i);

		memset(data, (int)i, sizeof(data));
		rows_put(&rows, (uint8_t *)&c + sizeof(c.h), sizeof(c) - sizeof(c.h));
		rows_put(&rows, args, sizeof(args));
		rows_blob(&rows, 1, SCAP_STATE_WHOLE, data, PAYLOAD, PAYLOAD);
		rows_end(&rows, at);
	}
	write_rows(file, &rows, n);
	rows_free(&rows);
}

static const char *const buffer[] = { "evt.buffer", "evt.num", "evt.arg.data" };

/* Rows of what make_reads() made, from n on: the first behind it. */
static uint64_t check_reads(const struct scap_columns_batch *b, uint64_t n)
{
	const struct scap_column *col = b->columns;

	for (uint32_t i = 0; i < b->n_rows; i++, n++) {
		cr_assert_eq(col[1].u64[i], n + 1);
		cr_assert_eq(col->offsets[i + 1] - col->offsets[i], PAYLOAD);
		cr_assert_eq(col->bytes[col->offsets[i + 1] - 1], (uint8_t)n);
	}
	return n;
}

Test(columns, a_batch_ends_where_it_has_many_bytes)
{
	const struct scap_columns_batch *b;
	struct rows file = { 0 };
	struct scap_columns *c;
	const uint32_t most = 1048576 / PAYLOAD + 1;
	struct scap_reader *r;
	uint64_t n = 0;

	make_reads(&file, 100);
	r = open_reader(0, &file, 0, 0);
	c = open_columns(r, buffer, 2, NULL);
	while (scap_columns_next(c, UINT32_MAX, &b) == 0) {
		n = check_reads(b, n);
		cr_assert_leq(b->n_rows, most);
		cr_assert(b->n_rows == most || n == 100, "%u", b->n_rows);
	}
	cr_assert_eq(n, 100);
	scap_columns_close(c);
	scap_reader_close(r);
	compare(&file, 0, "evt.num<4", 7);
	rows_free(&file);
}

/* Whatever the limit is: rows in their order, none left out; and when it fits, all. */
Test(columns, memory_is_within_the_readers_limit)
{
	bool refused = false, early = false, all = false;
	struct rows file = { 0 };

	make_reads(&file, 60);
	for (uint64_t limit = 4 << 20; limit < 16 << 20; limit += 100000) {
		const struct scap_columns_batch *b;
		struct scap_reader *r = open_reader(0, &file, 0, limit);
		struct scap_columns *c = open_columns(r, buffer, 3, NULL);
		uint64_t n = 0;
		int rc;

		while ((rc = scap_columns_next(c, 64, &b)) == 0) {
			n = check_reads(b, n);
			early |= n < 60 && b->n_rows < 14;
		}
		cr_assert(rc == 1 ? n == 60 : rc == SCAP_ELIMIT, "%d", rc);
		cr_assert_eq(scap_columns_next(c, 1, &b), rc);
		if (rc != 1)
			cr_assert_neq(scap_reader_error(r)->text[0], 0);
		refused |= rc != 1;
		all |= rc == 1;
		scap_columns_close(c);
		scap_reader_close(r);
	}
	cr_assert(refused && early && all, "%d %d %d", refused, early, all);
	rows_free(&file);
}

/* Arrays that are too large for it: then fewer rows do. */
Test(columns, fewer_rows_need_less)
{
	const struct scap_columns_batch *b;
	struct rows file = { 0 };
	struct scap_columns *c;
	struct scap_reader *r;

	make_reads(&file, 20);
	r = open_reader(0, &file, 0, 8 << 20);
	c = open_columns(r, names, n_fields, NULL);
	cr_assert_eq(scap_columns_next(c, UINT32_MAX, &b), SCAP_ELIMIT);
	cr_assert_eq(scap_reader_error(r)->code, SCAP_ELIMIT);
	cr_assert_eq(scap_columns_next(c, 2, &b), 0);
	cr_assert_eq(b->n_rows, 2);
	cr_assert_eq(b->columns[0].u64[1], 2);
	scap_columns_close(c);
	scap_reader_close(r);
	rows_free(&file);
}

/* ---- what is asked for --------------------------------------------------------------------- */

static void refused(struct scap_reader *r, const char *name, int code)
{
	const char *two[2] = { "evt.num", name };
	struct scap_columns *c = (void *)&two;
	struct scap_error err = { 0 };

	cr_assert_eq(scap_columns_open(r, two, 2, NULL, &c, &err), code, "%.100s", name);
	cr_assert_eq((void *)c, (void *)&two, "untouched");
	cr_assert_eq(err.code, code);
	cr_assert(!strncmp(err.text, "field 2", 7), "%s", err.text);
	cr_assert_eq(err.offset != SCAP_NO_OFFSET, code == SCAP_ESYNTAX);
	for (const char *p = err.text; *p; p++)
		cr_assert(*p >= ' ' && *p <= '~', "%s", err.text);
	cr_assert_eq(scap_columns_open(r, two, 2, NULL, &c, NULL), code);
}

Test(columns, hostile_names)
{
	static const char *const bad[] = {
		"", " ", ".", "evt", "evt.", "evt.nam", "evt.arg", "evt.arg.", "evt.arg[",
		"evt.arg[]", "evt.arg[-1]", "evt.arg[99999]", "evt.arg[0", "evt.arg[0]]",
		"evt.arg[0].x", "evt.arg.nope", "evt.arg.fd[0]", "evt.rawarg", "proc.name[0]",
		"proc.name.x", "evt.num,evt.num", "evt.num=1", "evt.num\n", "\033[31m.red",
		"evt.\xff\xfe", "%s%n.x", "\"evt.num\"", "(evt.num)",
	};
	struct capture_spec spec = { .seed = 1, .n_cpus = 1, .n_slices = 1, .per_slice = 5 };
	static char longest[100001];
	struct scap_reader *r;
	struct capture c;

	rows_capture(&c, &spec);
	r = open_reader(0, &c.file, 0, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(r, bad[i], SCAP_ESYNTAX);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[3] = '.';
	refused(r, longest, SCAP_ESYNTAX);
	memcpy(longest, "evt.arg.", 8);
	refused(r, longest, SCAP_ESYNTAX);
	refused(r, NULL, -EINVAL);
	scap_reader_close(r);
	capture_free(&c);
}

Test(columns, limits)
{
	struct capture_spec spec = { .seed = 1, .n_cpus = 2, .n_slices = 2, .per_slice = 20 };
	const char *many[MAX_FIELDS + 1];
	const struct scap_columns_batch *b = NULL;
	struct scap_error err = { 0 };
	struct scap_columns *c = NULL;
	struct scap_reader *r;
	struct capture cap;

	rows_capture(&cap, &spec);
	for (unsigned i = 0; i <= MAX_FIELDS; i++)
		many[i] = i % 2 ? "evt.num" : "proc.name";
	r = open_reader(0, &cap.file, 0, 0);
	cr_assert_eq(scap_columns_open(r, many, MAX_FIELDS + 1, NULL, &c, &err), SCAP_ELIMIT);
	cr_assert_eq(err.code, SCAP_ELIMIT);
	c = open_columns(r, many, MAX_FIELDS, NULL);
	cr_assert_eq(scap_columns_next(c, 0, &b), -EINVAL);
	cr_assert_eq(scap_reader_error(r)->code, -EINVAL);
	cr_assert_eq(scap_columns_next(c, 3, &b), 0);
	cr_assert_eq(b->columns[255].u64[2], 3);
	scap_columns_close(c);
	/* The reader goes on; without fields, rows are counted. */
	c = open_columns(r, NULL, 0, NULL);
	cr_assert_eq(scap_columns_next(c, 1, &b), 0);
	cr_assert_eq(b->n_rows, 1);
	cr_assert_eq(scap_columns_next(c, 1000000, &b), 0);
	cr_assert_eq(b->n_rows, cap.n_stored - 4);
	cr_assert_eq(b->n_columns, 0);
	cr_assert_eq(scap_columns_next(c, 1, &b), 1);
	scap_columns_close(c);
	scap_columns_close(NULL);
	scap_reader_close(r);
	capture_free(&cap);
}
