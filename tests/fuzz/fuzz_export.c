/* SPDX-License-Identifier: MIT */
/*
 * Exporting hostile records. The first byte of an input chooses the profile and what is learned
 * before; the rest are records, one behind the other, of a ring or a keyframe. What is written must
 * be whole blocks, of a size that every reader takes. The mutator makes sound records now and then.
 */
#include <scap/export.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "format/event.h"
#include "format/intro.h"
#include "support_keyframe.h"
#include "support_rows.h"

#define START (1000 * SCAP_EPOCH_NS)
#define EVENT_BLOCK_MAX 65544u

#define FALCO 1
#define LEARN 2
#define GZIP 4
#define STATE 8

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
	struct scap__budget budget;
	struct scap__intros intros;
	struct scap_event ev;
	struct scap__bytes rows;
	uint64_t num;
};

/* The next record that is sound, with names. */
static bool next(struct walk *w)
{
	const char *what;

	while (w->rows.n >= sizeof(struct scap_rec)) {
		size_t n = (size_t)scap__le16(w->rows.p) * 8;
		const uint8_t *p = n ? scap__take(&w->rows, n) : NULL;
		int rc = p ? scap__event_decode(p, n, &w->ev, &what) : -1;

		if (!p)
			return false;
		if (rc)
			continue;
		w->ev.num = ++w->num;
		w->ev.cpu = w->ev.ring = 0;
		w->ev.wall_ns = w->ev.raw_ns;
		w->ev.in_keyframe = w->ev.type >= SCAP_REC_KEY_TASK;
		if (w->ev.type == SCAP_REC_INTRO || w->ev.type == SCAP_REC_FILE ||
		    w->ev.type == SCAP_REC_KEY_TASK)
			scap__intros_add(&w->intros, &w->ev);
		if (w->ev.type != SCAP_REC_INTRO && w->ev.type != SCAP_REC_FILE)
			scap__intros_attach(&w->intros, &w->ev);
		return true;
	}
	return false;
}

static void start(struct walk *w, const uint8_t *p, size_t n)
{
	*w = (struct walk){ .budget.limit = 64 << 20, .rows = { p, n, false } };
	scap__intros_init(&w->intros, &w->budget);
}

static void check(const struct rows *out)
{
	size_t at = 0;

	while (at < out->n) {
		uint32_t type, total;

		if (out->n - at < 12)
			abort();
		type = scap__le32(out->p + at);
		total = scap__le32(out->p + at + 4);
		if (total < 12 || total % 4 || total > out->n - at ||
		    scap__le32(out->p + at + total - 4) != total)
			abort();
		if ((type == 0x216 || type == 0x217) && total > EVENT_BLOCK_MAX)
			abort();
		at += total;
	}
}

static void export(const uint8_t *p, size_t n, uint8_t how, struct rows *out)
{
	struct scap_export_options opt = {
		.size = sizeof(opt), .profile = how & FALCO, .window_bytes = 4096,
		.flags = how & GZIP ? 0 : SCAP_EXPORT_PLAIN, .memory_limit = 1 << 20,
	};
	uint32_t flags = how & STATE ? SCAP_EXPORT_STATE : 0;
	struct scap_sink sink = rows_sink(out);
	struct scap_export_counts counts;
	struct scap_export *x;
	struct walk w;

	if (scap_export_open_sink(&sink, &opt, NULL, &x, NULL))
		abort();
	start(&w, p, n);
	while (how & LEARN && next(&w))
		scap_export_learn(x, &w.ev, flags);
	scap__intros_fini(&w.intros);
	start(&w, p, n);
	while (next(&w))
		if (scap_export_event(x, &w.ev, flags))
			abort();
	scap__intros_fini(&w.intros);
	if (scap_export_close(x, &counts, NULL) || counts.bytes != out->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows out = { 0 };
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	export(copy, size - 1, data[0], &out);
	if (!(data[0] & GZIP))
		check(&out);
	rows_free(&out);
	free(copy);
	return 0;
}

static void make_input(struct rows *out, uint64_t seed)
{
	uint8_t how = (uint8_t)seed;
	uint32_t seq = 0;

	rows_put(out, &how, 1);
	if (seed & 16)
		rows_key_tasks(out, &seq, START, 100, 2);
	for (uint32_t i = 0; i < 8; i++)
		rows_any(out, i, START + 100 + i * 10, &seed);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct rows fresh = { 0 };

	if (size > 32 && seed % 100)
		return LLVMFuzzerMutate(data, size, max_size);
	make_input(&fresh, seed);
	if (fresh.n <= max_size) {
		memcpy(data, fresh.p, fresh.n);
		size = fresh.n;
	}
	rows_free(&fresh);
	return size;
}
