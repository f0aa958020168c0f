/* SPDX-License-Identifier: MIT */
/* Keyframes: written, read, and read from hostile files. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/event.h"
#include "format/reader.h"
#include "format/writer.h"
#include "support_keyframe.h"

#define NS (5 * SCAP_EPOCH_NS)

static struct rows file;
static struct rows_reader input;

static struct scap_reader *open_reader(const struct rows *f, uint32_t flags)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct scap_source src = rows_source(&input, f->p, f->n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, &err), 0, "%s", err.text);
	return r;
}

static struct scap_writer *open_writer(void)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .n_cpus = 1 };
	struct scap_sink sink = rows_sink(&file);
	struct scap_writer *w;

	file.n = 0;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	return w;
}

static void put_slice(struct scap_writer *w, uint64_t ns, uint32_t seq)
{
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .start_ns = ns, .end_ns = ns + 1000, .n_parts = 1, .parts = &part };
	struct rows rows = { 0 };

	rows_call(&rows, seq, ns + 10, 100, 39, 7);
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	rows_free(&rows);
}

static void close_writer(struct scap_writer *w, uint32_t next_seq)
{
	struct scap_ring_end end = { .next_seq = next_seq };

	cr_assert_eq(scap_writer_close(w, NS + 9999, &end, 1, NULL), 0);
}

static void next(struct scap_reader *r, unsigned type, const struct scap_event **ret_ev)
{
	cr_assert_eq(scap_reader_next(r, ret_ev), 0, "%s", scap_reader_error(r)->text);
	cr_assert_eq(scap_event_type(*ret_ev), type);
	cr_assert_eq(scap_event_in_keyframe(*ret_ev), type != SCAP_REC_CALL);
}

static void check_task(struct scap_reader *r, uint32_t tid)
{
	const struct scap_event *ev;
	char text[32];

	next(r, SCAP_REC_KEY_TASK, &ev);
	snprintf(text, sizeof(text), "task.%u", tid);
	cr_assert_eq(ev->num, 0);
	cr_assert_eq(ev->raw_ns, NS + tid);
	cr_assert_eq(ev->wall_ns, NS + tid + 7777777);
	cr_assert_eq(ev->u.key_task.who.start_ns, 1000 + tid);
	cr_assert_eq(ev->u.key_task.suid, 1001);
	cr_assert_eq(ev->u.key_task.cap_bounding, 0x1ffffffffff);
	cr_assert_eq(ev->u.key_task.session, 100);
	cr_assert_eq(ev->u.key_task.state, 'S');
	cr_assert_str_eq(scap_event_comm(ev), text);
	cr_assert_eq(scap__event_blob(ev, SCAP_SLOT_ARGV)->state, SCAP_STATE_TRUNCATED);
	cr_assert_eq(scap__event_blob(ev, SCAP_SLOT_CWD)->bytes, 4);
	next(r, SCAP_REC_KEY_CALL, &ev);
	cr_assert_eq(ev->nr, 0);
	cr_assert_eq(ev->latency_ns, 50);
	cr_assert_eq(ev->args[1], 0x7000);
	cr_assert_str_eq(ev->sc->name, "read");
	cr_assert_str_eq(scap_event_name(ev), "keycall");
	for (uint32_t fd = 3; fd < 5; fd++) {
		next(r, SCAP_REC_FILE, &ev);
		next(r, SCAP_REC_KEY_FD, &ev);
		cr_assert_eq(ev->u.key_fd.fd, fd);
		cr_assert_eq(ev->u.key_fd.pos, 12);
		snprintf(text, sizeof(text), "/f.%u.%u", tid, fd);
		cr_assert_str_eq(ev->file->path, text);
		snprintf(text, sizeof(text), "task.%u", tid);
		cr_assert_str_eq(scap_event_comm(ev), text);
	}
}

Test(keyframe, comes_back_as_it_was)
{
	struct scap_writer *w = open_writer();
	const struct scap_capture_info *info;
	struct scap_keyframe_text text;
	const struct scap_event *ev;
	struct scap_reader *r;

	put_slice(w, NS, 0);
	rows_keyframe(w, 1, NS, 5);
	put_slice(w, NS + 1000, 1);
	rows_keyframe(w, 2, NS, 2);
	close_writer(w, 2);
	r = open_reader(&file, SCAP_READER_KEYFRAMES);
	next(r, SCAP_REC_CALL, &ev);
	cr_assert_eq(ev->thread, NULL, "names of a keyframe are not a slice's");
	for (uint32_t tid = 100; tid < 105; tid++)
		check_task(r, tid);
	cr_assert_eq(scap_reader_keyframe_text(r, 0, &text), 1, "not before its end");
	next(r, SCAP_REC_KEY_END, &ev);
	cr_assert_eq(ev->u.key_end.n_tasks, 5);
	cr_assert_eq(ev->u.key_end.lock_max_ns, 70);
	cr_assert_eq(scap_reader_keyframe_text(r, 0, &text), 0);
	cr_assert_eq(text.kind, SCAP_KEYFRAME_USERS);
	cr_assert_str_eq(text.data, "0 root\n1000 shop\n");
	cr_assert_eq(scap_reader_keyframe_text(r, 1, &text), 1);
	next(r, SCAP_REC_CALL, &ev);
	cr_assert_eq(ev->num, 2);
	cr_assert_eq(ev->thread, NULL);
	cr_assert_eq(scap_reader_keyframe_text(r, 0, &text), 1);
	check_task(r, 100);
	check_task(r, 101);
	next(r, SCAP_REC_KEY_END, &ev);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	info = scap_reader_info(r);
	cr_assert(info->complete);
	cr_assert_eq(info->n_keyframes, 2);
	cr_assert_eq(info->keyframe_tasks, 5);
	cr_assert_eq(info->keyframe_fds, 10);
	cr_assert_eq(info->keyframe_calls, 5);
	cr_assert(info->keyframe_bytes > 200 && info->keyframe_bytes < file.n);
	scap_reader_close(r);
	rows_free(&file);
}

/* Who doesn't ask for them gets the same events as without. */
Test(keyframe, is_beside_the_events)
{
	struct capture_spec spec = { .seed = 8, .n_cpus = 3, .n_slices = 5, .per_slice = 20,
				     .gaps = true };
	struct capture with, without;
	const struct scap_event *a, *b;
	struct rows_reader other;
	struct scap_source src;
	struct scap_reader *r, *q;
	int rc;

	rows_capture(&without, &spec);
	spec.keyframes = true;
	rows_capture(&with, &spec);
	r = open_reader(&with.file, SCAP_READER_BOOKKEEPING);
	src = rows_source(&other, without.file.p, without.file.n);
	cr_assert_eq(scap_reader_open_source(&src, &(struct scap_reader_options){
		     .size = sizeof(struct scap_reader_options),
		     .flags = SCAP_READER_BOOKKEEPING }, &q, NULL), 0);
	while ((rc = scap_reader_next(q, &b)) == 0) {
		cr_assert_eq(scap_reader_next(r, &a), 0);
		cr_assert_eq(a->num, b->num);
		cr_assert_eq(a->wall_ns, b->wall_ns);
		cr_assert_eq(a->rec_bytes, b->rec_bytes);
		cr_assert_eq(memcmp(a->rec, b->rec, b->rec_bytes), 0);
		cr_assert_eq(!a->thread, !b->thread);
	}
	cr_assert_eq(rc, 1);
	cr_assert_eq(scap_reader_next(r, &a), 1);
	cr_assert_eq(scap_reader_info(r)->n_keyframes, 3);
	scap_reader_close(r);
	scap_reader_close(q);
	capture_free(&with);
	capture_free(&without);
}

/* ---- what contradicts itself ---------------------------------------------------------------- */

/* A section of a header, rows and texts, which need not belong together. */
static void put_section(struct scap_writer *w, const struct scap__keyframe_header *h,
			const struct rows *rows, const void *texts, size_t n)
{
	cr_assert_eq(scap__section_begin(w), 0);
	cr_assert_eq(scap__buffer_reserve(&w->raw, sizeof(*h) + rows->n + n), 0);
	scap__buffer_put(&w->raw, h, sizeof(*h));
	scap__buffer_put(&w->raw, rows->p, rows->n);
	scap__buffer_put(&w->raw, texts, n);
	cr_assert_eq(scap__section_write(w, SCAP__SECTION_KEYFRAME), 0);
}

/* The damage is told once, and both slices around it are read. */
static void check_damage(uint32_t flags, const char *what)
{
	struct scap_reader *r = open_reader(&file, flags);
	unsigned n_calls = 0, n_told = 0;
	const struct scap_event *ev;
	int rc;

	while ((rc = scap_reader_next(r, &ev)) <= 0) {
		if (rc == 0) {
			n_calls += ev->type == SCAP_REC_CALL;
			continue;
		}
		cr_assert_eq(rc, SCAP_EDAMAGED);
		cr_assert(strstr(scap_reader_error(r)->text, "keyframe"), "%s",
			  scap_reader_error(r)->text);
		cr_assert_lt(n_told++, 20);
	}
	cr_assert_eq(n_calls, 2, "%s", what);
	cr_assert_eq(n_told, 1, "%s: told %u times", what, n_told);
	scap_reader_close(r);
}

enum bad_header {
	ROW_BYTES_HUGE, ROW_BYTES_BEYOND, ROW_BYTES_ODD, NUMBER_0, MORE_RECORDS, FEWER_RECORDS,
	OTHER_SEQ, PART_1, TEXT_MISSING, TEXT_UNTOLD, BAD_HEADERS
};

static void spoil_header(struct scap__keyframe_header *h, enum bad_header bad)
{
	switch (bad) {
	case ROW_BYTES_HUGE: h->row_bytes = UINT64_MAX - 7; break;
	case ROW_BYTES_BEYOND: h->row_bytes += 32; break;
	case ROW_BYTES_ODD: h->row_bytes -= 4; break;
	case NUMBER_0: h->number = 0; break;
	case MORE_RECORDS: h->n_records++; break;
	case FEWER_RECORDS: h->n_records--; break;
	case OTHER_SEQ: h->first_seq++; break;
	case PART_1: h->part = 1; break;
	case TEXT_MISSING: h->n_texts = 0x10000000; break;
	case TEXT_UNTOLD: h->n_texts = 0; break;
	default: break;
	}
}

Test(keyframe, hostile_headers)
{
	static const uint64_t text[4] = { 4ull << 32 | SCAP_KEYFRAME_USERS, 0, 0x74786574, 0 };

	for (int bad = 0; bad < BAD_HEADERS; bad++) {
		struct scap__keyframe_header h = { .number = 1, .flags = SCAP_KEYFRAME_LAST,
						   .n_records = 11, .n_texts = 1 };
		struct scap_writer *w = open_writer();
		struct rows rows = { 0 };
		uint32_t seq = 0;
		char what[32];

		rows_key_tasks(&rows, &seq, NS, 100, 1);
		rows_key_end(&rows, seq++, NS, 1);
		h.row_bytes = rows.n;
		h.n_records = seq;
		spoil_header(&h, bad);
		put_slice(w, NS, 0);
		put_section(w, &h, &rows, text, 24);
		put_slice(w, NS + 1000, 1);
		close_writer(w, 2);
		snprintf(what, sizeof(what), "header %d", bad);
		check_damage(SCAP_READER_KEYFRAMES, what);
		check_damage(0, what);
		rows_free(&rows);
	}
	rows_free(&file);
}

enum bad_row {
	LENGTH_0, LENGTH_HUGE, NO_SUCH_SEQ, A_CALL, BAD_STATE_LETTER, SHORT_TASK, LONG_FD,
	BLOB_BEYOND, BAD_ROWS
};

/* h: the second of two sound tasks' record. Whether only decoding it can tell. */
static bool spoil_row(uint8_t *rows, enum bad_row bad)
{
	struct scap_rec *h = (void *)rows;
	uint32_t huge = SCAP_BLOB_META(1, 0, 0xffff0);

	switch (bad) {
	case LENGTH_0: h->len8 = 0; return false;
	case LENGTH_HUGE: h->len8 = 0xffff; return false;
	case NO_SUCH_SEQ: h->seq = 77; return false;
	case A_CALL: h->type = SCAP_REC_CALL; return false;
	case BAD_STATE_LETTER: ((struct scap_rec_key_task *)h)->state = '\n'; return true;
	case SHORT_TASK: h->type = SCAP_REC_KEY_END; return true;
	case LONG_FD: h->type = SCAP_REC_KEY_FD; return true;
	case BLOB_BEYOND:
		memcpy(rows + sizeof(struct scap_rec_key_task), &huge, sizeof(huge));
		return true;
	default: return true;
	}
}

Test(keyframe, hostile_rows)
{
	for (int bad = 0; bad < BAD_ROWS; bad++) {
		struct scap__keyframe_header h = { .number = 1, .flags = SCAP_KEYFRAME_LAST };
		struct scap_writer *w = open_writer();
		struct rows rows = { 0 };
		uint32_t seq = 0;
		size_t at;
		char what[32];
		bool deep;

		rows_key_tasks(&rows, &seq, NS, 100, 1);
		at = rows.n;
		rows_key_tasks(&rows, &seq, NS, 101, 1);
		h.row_bytes = rows.n;
		h.n_records = seq;
		deep = spoil_row(rows.p + at, bad);
		put_slice(w, NS, 0);
		put_section(w, &h, &rows, NULL, 0);
		put_slice(w, NS + 1000, 1);
		close_writer(w, 2);
		snprintf(what, sizeof(what), "row %d", bad);
		check_damage(SCAP_READER_KEYFRAMES, what);
		if (!deep)
			check_damage(0, what);
		rows_free(&rows);
	}
	rows_free(&file);
}

Test(keyframe, hostile_texts)
{
	static const struct { uint64_t words[4]; size_t n; } texts[] = {
		{ { 0xffffffffull << 32 | 2, 0 }, 16 },		/* longer than the section */
		{ { 8ull << 32 | 2, 0, 0x6161616161616161 }, 24 },	/* no NUL behind it */
		{ { 4ull << 32 | 2, 0, 0x6161616161 }, 24 },	/* its padding is not zero */
		{ { 4ull << 32 | 9ull << 16 | 2, 0, 0x61616161 }, 24 },	/* no such state */
		{ { 4ull << 32 | 2, 0, 0x61616161, 0 }, 32 },	/* something behind it */
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct scap__keyframe_header h = { .number = 1, .flags = SCAP_KEYFRAME_LAST,
						   .n_texts = 1 };
		struct scap_writer *w = open_writer();
		struct rows rows = { 0 };
		char what[32];

		rows_key_end(&rows, 0, NS, 0);
		h.row_bytes = rows.n;
		h.n_records = 1;
		put_slice(w, NS, 0);
		put_section(w, &h, &rows, texts[i].words, texts[i].n);
		put_slice(w, NS + 1000, 1);
		close_writer(w, 2);
		snprintf(what, sizeof(what), "text %zu", i);
		check_damage(0, what);
		rows_free(&rows);
	}
	rows_free(&file);
}

/* A part that is missing, comes twice, or in a keyframe of its own. */
Test(keyframe, parts_that_do_not_follow)
{
	static const struct { uint32_t number, part, first_seq, flags; } parts[][3] = {
		{ { 1, 0, 0, 0 }, { 1, 2, 1, 1 }, { 2, 0, 0, 1 } },
		{ { 1, 0, 0, 0 }, { 1, 1, 2, 1 }, { 2, 0, 0, 1 } },
		{ { 1, 0, 0, 1 }, { 1, 1, 1, 1 }, { 2, 0, 0, 1 } },
		{ { 1, 0, 0, 1 }, { 1, 0, 0, 1 }, { 2, 0, 0, 1 } },
		{ { 1, 0, 0, 0 }, { 2, 0, 0, 1 }, { 3, 0, 0, 1 } },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct scap_writer *w = open_writer();
		char what[32];

		put_slice(w, NS, 0);
		for (int k = 0; k < 3; k++) {
			struct scap__keyframe_header h = {
				.number = parts[i][k].number, .part = parts[i][k].part,
				.first_seq = parts[i][k].first_seq, .flags = parts[i][k].flags,
				.n_records = 1,
			};
			struct rows rows = { 0 };

			rows_key_end(&rows, h.first_seq, NS, 0);
			h.row_bytes = rows.n;
			put_section(w, &h, &rows, NULL, 0);
			rows_free(&rows);
		}
		put_slice(w, NS + 1000, 1);
		close_writer(w, 2);
		snprintf(what, sizeof(what), "parts %zu", i);
		check_damage(0, what);
	}
	rows_free(&file);
}

/* A keyframe that ends early may have nothing left to say, and one in the middle neither. */
Test(keyframe, parts_of_no_records)
{
	static const struct { uint32_t part, first_seq, n; } parts[] = {
		{ 0, 0, 1 }, { 1, 0, 0 }, { 2, 1, 1 }, { 3, 0, 0 },
	};
	struct scap_writer *w = open_writer();
	const struct scap_event *ev;
	struct scap_reader *r;

	for (size_t i = 0; i < 4; i++) {
		struct scap_keyframe_part part = { .begin_ns = NS, .number = 1,
						   .part = parts[i].part };
		struct rows rows = { 0 };

		if (parts[i].n)
			rows_key_end(&rows, parts[i].first_seq, NS, 0);
		part.rows = rows.p;
		part.bytes = rows.n;
		part.flags = i == 3 ? SCAP_KEYFRAME_LAST | SCAP_KEYFRAME_INCOMPLETE : 0;
		cr_assert_eq(scap_writer_keyframe(w, &part), 0);
		rows_free(&rows);
	}
	put_slice(w, NS, 0);
	close_writer(w, 1);
	r = open_reader(&file, SCAP_READER_KEYFRAMES);
	next(r, SCAP_REC_KEY_END, &ev);
	next(r, SCAP_REC_KEY_END, &ev);
	next(r, SCAP_REC_CALL, &ev);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&file);
}

/* In a slice, a keyframe's record says nothing. */
Test(keyframe, records_in_a_slice)
{
	struct scap_writer *w = open_writer();
	struct scap_slice_part part = { 0 };
	struct scap_slice s = { .start_ns = NS, .end_ns = NS + 5000, .n_parts = 1, .parts = &part };
	const struct scap_event *ev;
	struct rows rows = { 0 };
	struct scap_reader *r;
	uint32_t seq = 0;

	rows_key_tasks(&rows, &seq, NS, 100, 2);
	rows_call(&rows, seq++, NS + 500, 100, 39, 7);
	part.rows = rows.p;
	part.bytes = rows.n;
	cr_assert_eq(scap_writer_slice(w, &s), 0);
	close_writer(w, seq);
	r = open_reader(&file, SCAP_READER_KEYFRAMES);
	next(r, SCAP_REC_CALL, &ev);
	cr_assert_eq(ev->num, 1);
	cr_assert_eq(scap_reader_next(r, &ev), 1);
	scap_reader_close(r);
	rows_free(&rows);
	rows_free(&file);
}

/* Any byte may be another one. */
Test(keyframe, flipped_bytes)
{
	struct scap_writer *w = open_writer();

	rows_keyframe(w, 1, NS, 3);
	put_slice(w, NS, 0);
	close_writer(w, 1);
	for (size_t i = 64; i < file.n; i++) {
		struct scap_keyframe_text text;
		const struct scap_event *ev;
		struct scap_reader *r;
		unsigned n = 0;
		int rc;

		file.p[i] ^= 0x10;
		r = open_reader(&file, SCAP_READER_KEYFRAMES);
		while ((rc = scap_reader_next(r, &ev)) <= 0 && n++ < 100) {
			for (unsigned k = 0; scap_reader_keyframe_text(r, k, &text) == 0; k++)
				cr_assert_eq(strlen(text.data), text.bytes);
			if (rc == SCAP_ETRUNCATED)
				break;
		}
		cr_assert_lt(n, 100);
		scap_reader_close(r);
		file.p[i] ^= 0x10;
	}
	rows_free(&file);
}

Test(keyframe, refuses_to_write)
{
	struct scap_writer *w = open_writer();
	struct scap_keyframe_part part = { .number = 1 };
	struct rows rows = { 0 };

	rows_key_end(&rows, 0, NS, 0);
	part.rows = rows.p;
	part.bytes = rows.n - 8;
	cr_assert_eq(scap_writer_keyframe(w, &part), -EINVAL);
	part.bytes = rows.n;
	part.number = 0;
	cr_assert_eq(scap_writer_keyframe(w, &part), -EINVAL);
	close_writer(w, 0);
	rows_free(&rows);
	rows_free(&file);
}
