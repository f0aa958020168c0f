/* SPDX-License-Identifier: MIT */
/*
 * Groups of columns on hostile bytes. An input is the payload of a GROUP section of which nothing
 * is compressed; its checksums are put right first, otherwise nothing behind them would be reached.
 * The mutator makes sound ones out of nothing now and then, so no corpus of seeds is needed.
 */
#include <endian.h>
#include <scap/error.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "core/crc32c.h"
#include "format/event.h"
#include "format/group.h"
#include "support_rows.h"

#define HEAD sizeof(struct scap__group_header)
#define COLUMN sizeof(struct scap__group_column)
#define MEMORY (64 << 20)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink_of_sums;

static void look_at(const uint8_t *p, size_t n)
{
	uint64_t s = 0;

	while (n--)
		s += *p++;
	sink_of_sums += s;
}

/* ---- checksums ------------------------------------------------------------------------------- */

/* Those of columns that lie within the payload. */
static void repair_columns(uint8_t *list, uint32_t n, uint8_t *body, size_t left)
{
	for (uint32_t i = 0; i < n; i++, list += COLUMN) {
		struct scap__group_column c;

		memcpy(&c, list, COLUMN);
		if (c.stored_bytes > left)
			return;
		c.crc = scap__crc32c(0, body, c.stored_bytes);
		memcpy(list, &c, COLUMN);
		body += c.stored_bytes;
		left -= c.stored_bytes;
	}
}

static void repair(uint8_t *p, size_t n)
{
	struct scap__group_header h;

	if (n < HEAD)
		return;
	memcpy(&h, p, HEAD);
	if (h.dir_stored_bytes <= n - HEAD) {
		uint8_t *body = p + HEAD + h.dir_stored_bytes;

		if (h.n_columns <= h.dir_stored_bytes / COLUMN)
			repair_columns(body - h.n_columns * COLUMN, h.n_columns, body,
				       n - HEAD - h.dir_stored_bytes);
		h.dir_crc = scap__crc32c(0, p + HEAD, h.dir_stored_bytes);
	}
	h.crc = scap__crc32c(0, &h, HEAD - 4);
	memcpy(p, &h, HEAD);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Answers and questions as the bits of a number have it. */
static bool may(void *ctx, const struct scap_event *ev, unsigned known)
{
	uint64_t about = ev->type + ev->abi + (uint64_t)ev->nr;

	if (known & SCAP__KNOWN_RESULT)
		about += (uint64_t)ev->ret;
	if (known & SCAP__KNOWN_LATENCY)
		about += ev->latency_ns;
	if (known & SCAP__KNOWN_THREAD)
		about += ev->thread ? ev->thread->tid + (uint8_t)ev->thread->comm[0] : 2;
	return *(const uint8_t *)ctx >> about % 8 & 1;
}

static bool may_file(void *ctx, const struct scap__file *file)
{
	uint64_t about = file ? file->cookie + file->path_bytes : 3;

	for (uint32_t i = 0; file && i < file->path_bytes; i++)
		about += (uint8_t)file->path[i];
	return *(const uint8_t *)ctx >> about % 8 & 1;
}

static enum scap__by_file by_file(void *ctx, const struct scap_event *ev)
{
	(void)ctx;
	return (enum scap__by_file)((uint64_t)ev->nr % 3);
}

static bool follows(void *ctx, uint32_t ring, uint32_t first_seq)
{
	(void)ctx;
	return (ring + first_seq) % 16;
}

static void look_at_chosen(const struct scap__group_slice *s)
{
	for (uint32_t i = 0; i < s->head.n_parts; i++) {
		const struct scap__group_part *part = &s->parts[i];

		look_at(part->rows, part->n_bytes);
		if (part->n_rows > part->n_records || part->n_bytes > part->bytes)
			abort();
		for (uint32_t k = 0; part->order && k < part->n_rows; k++)
			sink_of_sums += scap__group_rank(s, part, part->index[k]);
	}
}

static void read_group(const uint8_t *p, size_t n, const struct scap__choice *choice)
{
	struct scap__budget budget = { .limit = MEMORY };
	struct scap__group_slice *s;
	struct scap__group_in *g;
	const char *what = NULL;
	int rc;

	if (scap__group_in_new(&budget, &g))
		return;
	rc = scap__group_in_begin(g, p, n, &what);
	if (!rc && choice)
		rc = scap__group_in_choose(g, choice, &what);
	while (!rc) {
		rc = scap__group_in_slice(g, &s, &what);
		if (rc)
			break;
		if (s->chosen)
			look_at_chosen(s);
		for (uint32_t i = 0; !s->chosen && i < s->head.n_parts; i++)
			look_at(s->parts[i].rows, s->parts[i].bytes);
	}
	if (rc == SCAP_EDAMAGED && !what)
		abort();
	scap__group_in_free(g);
	if (budget.used)
		abort();
}

static void read_column(const uint8_t *p, size_t n)
{
	static uint64_t v[4096];
	uint8_t *copy = malloc(n + 1);

	memcpy(copy, p, n);
	if (!scap__column_get(NULL, copy, n, v, n ? p[n - 1] * 16u : 0))
		sink_of_sums += v[0];
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1), kinds = size ? data[size - 1] : 0;
	static const int64_t breaks[] = { -2, 0, 1, 100 };
	struct scap__chooser chooser = {
		.ctx = &kinds, .may = may, .may_file = may_file, .by_file = by_file,
		.asks = kinds ^ 0x3c, .results = { breaks, 4 }, .latencies = { breaks + 1, 3 },
		.tids = { breaks + 2, 2 },
	};
	struct scap__choice choice = { .chooser = &chooser, .follows = follows };

	memcpy(copy, data, size);
	repair(copy, size);
	read_group(copy, size, NULL);
	read_group(copy, size, &choice);
	free(copy);
	read_column(data, size);
	return 0;
}

/* ---- sound inputs ---------------------------------------------------------------------------- */

/* Appends what lies there, unpacked. */
static void put_unpacked(struct rows *out, const uint8_t *p, size_t stored, size_t raw)
{
	uint8_t *room = malloc(raw + 1);

	if (stored == raw)
		rows_put(out, p, raw);
	else if (ZSTD_decompress(room, raw, p, stored) == raw)
		rows_put(out, room, raw);
	free(room);
}

/* The same group with nothing compressed. */
static void expand(struct rows *out, const uint8_t *p)
{
	const struct scap__group_header *h = (const void *)p;
	const uint8_t *body = p + HEAD + h->dir_stored_bytes;
	size_t list;

	rows_put(out, p, HEAD);
	put_unpacked(out, p + HEAD, h->dir_stored_bytes, h->dir_raw_bytes);
	list = out->n - h->n_columns * COLUMN;
	for (uint32_t i = 0; i < h->n_columns; i++) {
		struct scap__group_column c;

		memcpy(&c, out->p + list + i * COLUMN, COLUMN);
		put_unpacked(out, body, c.stored_bytes, c.raw_bytes);
		body += c.stored_bytes;
		c.stored_bytes = c.raw_bytes;
		memcpy(out->p + list + i * COLUMN, &c, COLUMN);
	}
	((struct scap__group_header *)out->p)->dir_stored_bytes = h->dir_raw_bytes;
}

static size_t make(uint8_t *data, size_t max_size, uint64_t seed)
{
	struct scap__buffer payload = { 0 };
	struct scap__group_out *g;
	struct rows rows[2] = { 0 }, out = { 0 };
	size_t n = 0;

	if (scap__group_out_new(NULL, 1, &g))
		abort();
	for (uint32_t s = 0; s < 1 + seed % 3; s++) {
		struct scap_slice_part parts[2];
		struct scap_slice slice = { .start_ns = s * 1000, .end_ns = s * 1000 + 1000,
					    .n_parts = 2, .parts = parts };

		for (uint32_t i = 0; i < 2; i++) {
			rows[i].n = 0;
			for (uint32_t k = 0; k < rows_random(&seed) % 20; k++)
				rows_any(&rows[i], s * 20 + k, s * 1000 + k * 7, &seed);
			parts[i] = (struct scap_slice_part){ .cpu = i, .rows = rows[i].p,
							     .bytes = rows[i].n };
		}
		scap__group_out_slice(g, &slice);
	}
	if (scap__group_out_finish(g, &payload))
		abort();
	expand(&out, payload.p);
	if (out.n <= max_size) {
		memcpy(data, out.p, out.n);
		n = out.n;
	}
	scap__group_out_free(g);
	scap__buffer_fini(&payload);
	rows_free(&rows[0]);
	rows_free(&rows[1]);
	rows_free(&out);
	return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t n = 0;

	if (size < HEAD || seed % 50 == 0)
		n = make(data, max_size, seed);
	return n ? n : LLVMFuzzerMutate(data, size, max_size);
}
