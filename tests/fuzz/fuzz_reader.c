/* SPDX-License-Identifier: MIT */
/*
 * The reader on hostile bytes. The first byte of an input says what the rest is:
 *
 *	0	a file, as it is
 *	1	a file whose checksums are put right before it is read: otherwise nothing behind
 *		them would ever be reached
 *	2	the rows of two CPUs, in a sound file around them
 *	3	as 1, but two segments, one in each half; the second as it is every other time
 *
 * The mutator makes sound inputs of all kinds out of nothing now and then, so no corpus of
 * seeds is needed.
 */
#include <scap/columns.h>
#include <scap/copy.h>
#include <scap/summary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/layout.h"
#include "support_rows.h"

#define KINDS 4
#define START (1000 * SCAP_EPOCH_NS)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- looking at everything an event says --------------------------------------------------- */

static volatile uint64_t sink_of_sums;

static uint64_t sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t s = 0;

	while (n--)
		s += *b++;
	return s;
}

static uint64_t look_at_file(const struct scap__file *f)
{
	uint64_t s = 0;

	if (!f)
		return 0;
	if (f->path && f->path[f->path_bytes])
		abort();	/* not terminated */
	if (f->path)
		s += sum(f->path, f->path_bytes);
	if (f->sun_local)
		s += sum(f->sun_local, f->sock.local_len);
	if (f->sun_remote)
		s += sum(f->sun_remote, f->sock.remote_len);
	return s;
}

/* What a filter makes of a gap is never more than the gap. */
static void look_at_gap(const struct scap_event *ev)
{
	static struct scap_filter *f;
	uint64_t sure, maybe;

	if (!f && scap_filter_compile("evt.type=read or proc.name=sh or evt.type=close", &f, NULL))
		abort();
	if (scap_filter_gap(f, ev, &sure, &maybe) || sure + maybe > ev->u.gap.n_lost ||
	    scap_event_gap_forks(ev) > ev->u.gap.n_lost)
		abort();
}

static void look_at(const struct scap_event *ev)
{
	uint64_t s = strlen(scap_event_name(ev)) + sum(ev->rec, ev->rec_bytes);

	if (scap_event_n_args(ev) > 6 || ev->n_blobs > SCAP_SLOTS)
		abort();
	for (unsigned slot = 0; slot < SCAP_SLOTS; slot++) {
		const void *data;
		size_t bytes, orig;
		unsigned state;

		if (!scap_event_bytes(ev, slot, &data, &bytes, &orig, &state))
			s += sum(data, bytes);
	}
	if (scap_event_comm(ev))
		s += strlen(scap_event_comm(ev));
	s += look_at_file(ev->file) + look_at_file(ev->file2);
	if (ev->type == SCAP_REC_FILE)
		s += look_at_file(&ev->u.file_rec);
	if (ev->type == SCAP_REC_GAP) {
		look_at_gap(ev);
		s += sum(ev->u.gap.tally, ev->u.gap.n_tally * sizeof(struct scap_tally));
	}
	sink_of_sums += s;
}

static void look_at_texts(const struct scap_reader *r)
{
	struct scap_keyframe_text text;

	for (unsigned i = 0; scap_reader_keyframe_text(r, i, &text) == 0; i++)
		sink_of_sums += sum(text.data, text.bytes + 1);
}

static void look_at_trigger(const struct scap_reader *r)
{
	const struct scap_trigger *t = scap_reader_trigger(r);
	const char *texts[] = { t ? t->name : NULL, t ? t->source : NULL, t ? t->why : NULL,
				t ? t->config : NULL, t ? t->keep : NULL };

	for (unsigned i = 0; i < 5; i++)
		if (texts[i])
			sink_of_sums += sum(texts[i], strlen(texts[i]));
	for (uint64_t i = 0; t && i < t->n_labels; i++)
		sink_of_sums += sum(t->labels[i].name, strlen(t->labels[i].name)) +
				sum(t->labels[i].value, strlen(t->labels[i].value));
}

static struct scap_reader *open_bytes(struct rows_reader *rr, const uint8_t *p, size_t n,
				      uint32_t flags)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags,
					   .memory_limit = 80 << 20 };
	struct scap_source src = rows_source(rr, p, n);
	struct scap_reader *r;

	rr->max_read = n % 3 ? 0 : 1 + n % 500;
	return scap_reader_open_source(&src, &opt, &r, NULL) ? NULL : r;
}

static void read_events(const uint8_t *p, size_t n)
{
	struct rows_reader rr;
	struct scap_reader *r = open_bytes(&rr, p, n, SCAP_READER_BOOKKEEPING |
					   SCAP_READER_KEYFRAMES | SCAP_READER_SEGMENTS);
	const struct scap_event *ev;
	uint64_t num = 0;
	size_t n_errors = 0, n_ends = 0;

	/* Every call goes forward, so there are never more errors than bytes. */
	while (r && n_errors <= n + 10) {
		int rc = scap_reader_next(r, &ev);

		if (rc == 1)
			break;
		if (rc == 2 && ++n_ends > n / sizeof(struct scap__file_header))
			abort();
		if (rc == 2)
			continue;
		if (rc < 0) {
			n_errors++;
			if (rc != SCAP_EDAMAGED && rc != SCAP_EVERSION)
				break;
			continue;
		}
		if (ev->num && ev->num != ++num)
			abort();
		look_at(ev);
		look_at_texts(r);
	}
	if (n_errors > n + 10)
		abort();
	if (r) {
		sink_of_sums += scap_reader_told_wall_ns(r);
		look_at_trigger(r);
	}
	scap_reader_close(r);
}

/* A copy, whatever it is of, is sound. */
static void read_copy(const struct rows *file)
{
	struct rows_reader rr;
	struct scap_reader *r = open_bytes(&rr, file->p, file->n, SCAP_READER_KEYFRAMES);
	const struct scap_event *ev;
	int rc = 0;

	while (r && !rc)
		rc = scap_reader_next(r, &ev);
	if (!r || (rc != 1 && rc != SCAP_ETRUNCATED && rc != SCAP_ELIMIT)) {
		fprintf(stderr, "%s\n", r ? scap_reader_error(r)->text : "not opened");
		abort();
	}
	scap_reader_close(r);
}

static void copy_chosen(const uint8_t *p, size_t n, const struct scap_filter *f)
{
	struct rows_reader rr;
	struct scap_reader *r = open_bytes(&rr, p, n, SCAP_READER_BOOKKEEPING |
					   SCAP_READER_KEYFRAMES);
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = n % 5 ? 0 :
					   SCAP_WRITER_GROUPS };
	struct rows to = { 0 };
	struct scap_sink sink = rows_sink(&to);
	struct scap_writer *w;

	if (!r)
		return;
	opt.raw_ns = scap_reader_info(r)->start_raw_ns;
	opt.real_ns = scap_reader_info(r)->start_wall_ns;
	if (scap_writer_open_sink(&sink, &opt, &w, NULL))
		abort();
	scap_copy_chosen(r, f, w, NULL);
	if (!scap_copy_finish(w, r, NULL))
		read_copy(&to);
	rows_free(&to);
	scap_reader_close(r);
}

static void read_summary(const uint8_t *p, size_t n)
{
	struct rows_reader rr;
	struct scap_reader *r = open_bytes(&rr, p, n, 0);
	struct scap_summary *s = NULL;

	if (r)
		scap_summary_read(r, &s);
	if (s) {
		const struct scap_summary_totals *t = scap_summary_totals(s);

		if (t->attempted != t->stored + t->lost)
			abort();
	}
	scap_summary_free(s);
	scap_reader_close(r);
}

/* Where an index lets it: from some places on, the last one in the middle of reading. */
static void read_on_from(const uint8_t *p, size_t n)
{
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, p, n);
	const struct scap_event *ev;
	struct scap_reader *r;
	uint64_t wall_ns = 0, sum_of_ns = 0;

	src.seek = rows_seek;
	if (scap_reader_open_source(&src, NULL, &r, NULL))
		return;
	for (unsigned i = 0; i < 4; i++) {
		if (scap_reader_seek(r, wall_ns, i % 2 ? SCAP_SEEK_KEYFRAME : 0))
			break;
		for (unsigned k = 0; k < 1000 && scap_reader_next(r, &ev) == 0; k++) {
			sum_of_ns += scap_event_wall_ns(ev);
			wall_ns = k & (1u << i) ? scap_event_wall_ns(ev) : wall_ns;
		}
	}
	sink_of_sums += sum_of_ns;
	scap_reader_close(r);
}

static void look_at_column(const struct scap_column *col, uint32_t n)
{
	uint64_t s = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (!scap_column_has(col, i))
			s++;
		else if (col->u64)
			s += col->u64[i];
		else if (col->offsets)
			s += sum(col->bytes + col->offsets[i],
				 col->offsets[i + 1] - col->offsets[i]);
	}
	sink_of_sums += s;
}

static void read_columns(const uint8_t *p, size_t n, const struct scap_filter *f)
{
	static const char *const fields[] = { "evt.num", "evt.args", "fd.name", "proc.cmdline" };
	struct rows_reader rr;
	struct scap_reader *r = open_bytes(&rr, p, n, 0);
	const struct scap_columns_batch *b;
	struct scap_columns *c;
	size_t n_errors = 0;
	int rc = r ? scap_columns_open(r, fields, 4, f, &c, NULL) : 1;

	if (rc) {
		scap_reader_close(r);
		return;
	}
	while (rc <= 0 && n_errors <= n + 10) {
		rc = scap_columns_next(c, 1 + n % 50, &b);
		for (unsigned i = 0; !rc && i < 4; i++)
			look_at_column(&b->columns[i], b->n_rows);
		if (rc < 0 && rc != SCAP_EDAMAGED && rc != SCAP_EVERSION)
			break;
		n_errors += rc < 0;
	}
	if (n_errors > n + 10)
		abort();
	scap_columns_close(c);
	scap_reader_close(r);
}

static void read_all(const uint8_t *p, size_t n)
{
	static struct scap_filter *f;

	if (!f && scap_filter_compile("evt.failed=true or evt.latency>5us", &f, NULL))
		abort();
	read_events(p, n);
	read_columns(p, n, n % 2 ? f : NULL);
	read_summary(p, n);
	copy_chosen(p, n, n % 3 ? f : NULL);
	read_on_from(p, n);
}

/* ---- putting checksums right --------------------------------------------------------------- */

static void sign(uint8_t *p, size_t n)
{
	uint32_t crc = scap__crc32c(0, p, n - 4);

	memcpy(p + n - 4, &crc, 4);
}

/* Makes the section at p and its payload pass, if they fit: bytes up to the next one, or 0. */
static size_t repair_section(uint8_t *p, size_t left, const uint8_t *file_id, uint32_t index)
{
	struct scap__section_header h;
	uint64_t stored;

	if (left < sizeof(h))
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.stored_bytes > left - sizeof(h))
		h.stored_bytes = (left - sizeof(h)) & ~7ull;
	stored = (h.stored_bytes + 7) & ~7ull;
	if (stored > left - sizeof(h))
		return 0;
	h.magic = SCAP__SECTION_MAGIC;
	h.header_bytes = sizeof(h);
	memcpy(&h.file_id, file_id, 8);
	h.index = index;
	h.payload_crc = scap__crc32c(0, p + sizeof(h), h.stored_bytes);
	memcpy(p, &h, sizeof(h));
	sign(p, sizeof(h));
	memset(p + sizeof(h) + h.stored_bytes, 0, stored - h.stored_bytes);
	return sizeof(h) + stored;
}

/* The last bytes, as those of an index of which all fits but what it says. */
static void repair_trailer(uint8_t *p, size_t n)
{
	struct scap__index_trailer t;

	memcpy(&t, p + n - sizeof(t), sizeof(t));
	t.file_bytes = n;
	memcpy(&t.file_id, p + offsetof(struct scap__file_header, file_id), 8);
	t.magic = SCAP__INDEX_MAGIC;
	memcpy(p + n - sizeof(t), &t, sizeof(t));
	sign(p + n - sizeof(t), sizeof(t));
}

static void repair(uint8_t *p, size_t n)
{
	size_t at = sizeof(struct scap__file_header), step;
	const uint16_t header_bytes = sizeof(struct scap__file_header);
	uint32_t index = 0;

	if (n < at)
		return;
	memcpy(p, SCAP__FILE_MAGIC, 8);
	memcpy(p + offsetof(struct scap__file_header, header_bytes), &header_bytes, 2);
	sign(p, at);
	if (n >= at + sizeof(struct scap__index_trailer))
		repair_trailer(p, n);
	while ((step = repair_section(p + at, n - at,
				      p + offsetof(struct scap__file_header, file_id), index++)))
		at += step;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void put_section(struct rows *f, uint16_t type, uint32_t index, const struct rows *payload)
{
	struct scap__section_header h = { .type = type, .stored_bytes = payload->n,
					  .raw_bytes = payload->n };
	size_t at = f->n;

	rows_put(f, &h, sizeof(h));
	rows_put(f, payload->p, payload->n);
	rows_put(f, "\0\0\0\0\0\0\0", -payload->n & 7);
	repair_section(f->p + at, f->n - at, f->p + offsetof(struct scap__file_header, file_id),
		       index);
}

/* How many records there are if their lengths are to be believed. */
static uint32_t count_records(const uint8_t *p, size_t n)
{
	uint32_t count = 0;

	while (n >= 16) {
		size_t len = (size_t)(p[0] | p[1] << 8) * 8;

		if (!len || len > n)
			break;
		p += len;
		n -= len;
		count++;
	}
	return count;
}

static void put_part(struct rows *payload, uint32_t cpu, const uint8_t *p, size_t n, size_t offset)
{
	struct scap__slice_part part = { .cpu = cpu, .offset = offset, .bytes = n,
					 .n_records = count_records(p, n) };

	if (n >= 8)
		memcpy(&part.first_seq, p + 4, 4);
	rows_put(payload, &part, sizeof(part));
}

static void read_rows(const uint8_t *p, size_t n)
{
	struct scap__slice_header slice = { .start_ns = START, .end_ns = START + SCAP_EPOCH_NS,
					    .clock_raw_ns = START, .clock_real_ns = 5,
					    .n_parts = 2 };
	struct scap__host_entry host = { .key = 999, .kind = 9 };
	struct rows f = { 0 }, payload = { 0 };
	uint8_t header[sizeof(struct scap__file_header)] = { 0 };
	size_t half = n / 2 & ~7ull;

	n &= ~7ull;
	rows_put(&f, header, sizeof(header));
	repair(f.p, f.n);
	rows_put(&payload, &host, sizeof(host));
	put_section(&f, SCAP__SECTION_HOST, 0, &payload);
	payload.n = 0;
	rows_put(&payload, &slice, sizeof(slice));
	put_part(&payload, 0, p, half, 0);
	put_part(&payload, 1, p + half, n - half, half);
	rows_put(&payload, p, n);
	put_section(&f, SCAP__SECTION_SLICE, 1, &payload);
	read_all(f.p, f.n);
	rows_free(&f);
	rows_free(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size);	/* of exactly its size: a read beyond the end is seen */
	memcpy(copy, data + 1, size - 1);
	if (data[0] % KINDS == 2) {
		read_rows(copy, size - 1);
	} else {
		size_t half = data[0] % KINDS == 3 ? (size - 1) / 2 : size - 1;

		if (data[0] % KINDS)
			repair(copy, half);
		if (data[0] % KINDS == 3 && data[0] & 4)
			repair(copy + half, size - 1 - half);
		read_all(copy, size - 1);
	}
	free(copy);
	return 0;
}

/* ---- sound inputs -------------------------------------------------------------------------- */

/* Sections unpacked, so that mutations reach what is in them. */
static void unpack(struct rows *out, const struct rows *file)
{
	size_t at = sizeof(struct scap__file_header);
	uint32_t index = 0;

	rows_put(out, file->p, at);
	while (at < file->n) {
		struct scap__section_header h;
		struct rows payload = { 0 };

		memcpy(&h, file->p + at, sizeof(h));
		at += sizeof(h);
		payload.p = malloc(h.raw_bytes + 8);
		payload.n = payload.cap = h.raw_bytes;
		if (h.flags & SCAP__SECTION_ZSTD)
			ZSTD_decompress(payload.p, h.raw_bytes, file->p + at, h.stored_bytes);
		else
			memcpy(payload.p, file->p + at, h.raw_bytes);
		put_section(out, h.type, index++, &payload);
		rows_free(&payload);
		at += (h.stored_bytes + 7) & ~7ull;
	}
}

static void make_rows(struct rows *out, uint64_t seed)
{
	for (uint32_t cpu = 0; cpu < 2; cpu++)
		for (uint32_t i = 0; i < 6; i++)
			rows_any(out, i, START + i * 10 + cpu, &seed);
}

static void make_input(struct rows *out, unsigned seed)
{
	uint8_t kind = seed % KINDS;
	struct capture c;

	rows_put(out, &(uint8_t){ kind == 3 ? kind | (seed & 4) : kind }, 1);
	if (kind == 2) {
		make_rows(out, seed);
		return;
	}
	rows_capture(&c, &(struct capture_spec){ .seed = seed, .n_cpus = 2, .n_slices = 3,
		     .per_slice = 3, .gaps = true, .keyframes = seed & 8,
		     .slices_per_epoch = seed / 3 % 3, .groups = seed & 16,
		     .first_seq = seed & 32 ? 1000 : 0, .trigger = seed & 64 });
	if (seed & 4 || kind == 3) {
		rows_put(out, c.file.p, c.file.n);
	} else {
		struct rows plain = { 0 };

		unpack(&plain, &c.file);
		rows_put(out, plain.p, plain.n);
		rows_free(&plain);
	}
	if (kind == 3)
		rows_put(out, c.file.p, c.file.n);
	capture_free(&c);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct rows fresh = { 0 };

	if (size > 32 && seed % 200)
		return LLVMFuzzerMutate(data, size, max_size);
	make_input(&fresh, seed / 200);
	if (fresh.n <= max_size) {
		memcpy(data, fresh.p, fresh.n);
		size = fresh.n;
	} else {
		size = LLVMFuzzerMutate(data, size, max_size);
	}
	rows_free(&fresh);
	return size;
}
