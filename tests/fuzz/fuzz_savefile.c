/* SPDX-License-Identifier: MIT */
/*
 * .scap files that are hostile. The first byte of an input says what the rest is:
 *
 *	0	a file, as it is (it may be compressed)
 *	1	a file whose blocks' lengths are put right before it is read
 *	2, 3	the same, read through gzip, zstd
 *
 * Whatever it is, what the translator makes of it must be sound: all damage that the reader finds
 * must be damage of the .scap file. The mutator makes sound files out of nothing now and then, of
 * any events of a few threads and descriptors.
 */
#include <errno.h>
#include <scap/print.h>
#include <scap/reader.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "savefile/call.h"
#include "support_savefile.h"

#define KINDS 4
#define SHB 0x0a0d0d0au

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct scap_reader *r, int rc)
{
	const char *text = scap_reader_error(r)->text;

	if (rc == SCAP_ELIMIT || rc == -ENOMEM)
		return;
	if (!strstr(text, ".scap file"))
		abort();
}

static void print_both(const struct scap_event *ev)
{
	const struct scap_print_options opt = { .size = sizeof(opt) };
	char buf[8192];

	scap_print_text(ev, &opt, buf, sizeof(buf));
	scap_print_json(ev, &opt, buf, sizeof(buf));
}

static void read_file(const uint8_t *p, size_t n, uint32_t flags)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags,
					   .memory_limit = 24 << 20 };
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, p, n);
	const struct scap_event *ev;
	struct scap_reader *r;
	unsigned n_errors = 0;
	int rc;

	rr.max_read = n % 3 ? 0 : 1 + n % 500;
	if (scap_reader_open_source(&src, &opt, &r, NULL))
		return;
	while (n_errors <= n + 10) {
		rc = scap_reader_next(r, &ev);
		if (rc == 1)
			break;
		if (!rc) {
			print_both(ev);
			continue;
		}
		check_error(r, rc);
		n_errors++;
		if (rc != SCAP_EDAMAGED)
			break;
	}
	if (n_errors > n + 10)
		abort();
	scap_reader_close(r);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Makes each block's lengths equal, and as long as there is room for. */
static void repair(uint8_t *p, size_t n)
{
	size_t at = 0;

	while (n - at >= 12) {
		uint32_t total = scap__le32(p + at + 4) & ~3u;

		if (!at)
			put_u32(p, SHB);
		if (total < 12 || total > n - at)
			total = (uint32_t)((n - at) & ~(size_t)3);
		put_u32(p + at + 4, total);
		put_u32(p + at + total - 4, total);
		at += total;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows packed = { 0 };
	unsigned kind;
	uint8_t *p;

	if (!size)
		return 0;
	kind = *data++ % KINDS;
	size--;
	p = malloc(size + 1);
	memcpy(p, data, size);
	if (kind)
		repair(p, size);
	if (kind == 2)
		sf_gzip(&packed, p, size);
	else if (kind == 3)
		sf_zstd(&packed, p, size);
	if (kind >= 2)
		read_file(packed.p, packed.n, 0);
	else
		read_file(p, size, SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES);
	rows_free(&packed);
	free(p);
	return 0;
}

/* ---- sound files of any events -------------------------------------------------------------- */

static void put_small(struct rows *data, uint64_t *seed, unsigned bytes)
{
	uint64_t v = rows_random(seed) % 16;

	if (v == 15)
		v = (uint64_t)-(int64_t)(rows_random(seed) % 120);
	for (unsigned i = 0; i < bytes; i++)
		sf_u8(data, (uint8_t)(v >> (8 * i)));
}

static void put_string(struct rows *data, uint64_t *seed)
{
	static const char *const strings[] = { "a", "/", "/srv/x", "..", "b/../c", "", "<NA>",
					       "(NULL)", "./d" };
	const char *s = strings[rows_random(seed) % 9];

	rows_put(data, s, strlen(s) + 1);
}

static void put_ends(struct rows *data, uint64_t *seed, unsigned n)
{
	static const uint8_t families[] = { 1, 2, 10, 16 };
	uint8_t family = families[rows_random(seed) % 4];
	unsigned bytes = family == 2 ? 6 : family == 10 ? 18 : 8;

	sf_u8(data, family);
	for (unsigned i = 0; i < n * bytes; i++)
		sf_u8(data, (uint8_t)(rows_random(seed) % 3));
	if (family == 1)
		put_string(data, seed);
}

static void put_param(struct rows *data, uint64_t *seed, unsigned form)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8, 1, 2, 4, 8 };
	unsigned n = (unsigned)(rows_random(seed) % 5);

	if (rows_random(seed) % 12 == 0)
		return;
	if (form <= SCAP__SF_I64)
		put_small(data, seed, sizes[form]);
	else if (form == SCAP__SF_STR)
		put_string(data, seed);
	else if (form == SCAP__SF_ADDR || form == SCAP__SF_PAIR)
		put_ends(data, seed, form == SCAP__SF_PAIR ? 2 : 1);
	else if (form == SCAP__SF_TIMESPEC)
		put_small(data, seed, 8);
	else if (form == SCAP__SF_BYTES)
		for (unsigned i = 0; i < n; i++)
			put_string(data, seed);
	if (form == SCAP__SF_DYN) {
		sf_u8(data, (uint8_t)n);
		put_small(data, seed, 8);
	}
	if (form == SCAP__SF_FDLIST) {
		sf_u16(data, (uint16_t)n);
		for (unsigned i = 0; i < n; i++) {
			put_small(data, seed, 8);
			sf_u16(data, 1 << n);
		}
	}
}

static void put_any_event(struct rows *r, uint64_t *seed, uint64_t ts)
{
	unsigned type = (unsigned)(rows_random(seed) % 454);
	const struct scap__sf_type *t = scap__sf_type_of(type);
	struct rows data = { 0 }, lengths = { 0 };
	size_t at;

	if (!t || t->large)
		return;
	for (unsigned i = 0; i < t->n_params; i++) {
		size_t before = data.n;

		put_param(&data, seed, t->params[i].form);
		sf_u16(&lengths, (uint16_t)(data.n - before));
	}
	at = sf_block(r, 0x216);
	sf_u16(r, (uint16_t)(rows_random(seed) % 3));
	sf_u64(r, ts);
	sf_u64(r, rows_random(seed) % 4);
	sf_u32(r, (uint32_t)(26 + lengths.n + data.n));
	sf_u16(r, (uint16_t)type);
	sf_u32(r, t->n_params);
	rows_put(r, lengths.p, lengths.n);
	rows_put(r, data.p, data.n);
	sf_block_end(r, at);
	rows_free(&lengths);
	rows_free(&data);
}

/* Few threads, few descriptors, and all that can happen to them. */
static void any_events(struct rows *r, uint64_t seed)
{
	uint64_t ts = 1600000000000000000ull;

	sf_section(r, 1, 2);
	for (unsigned i = 0; i < 60; i++) {
		ts += rows_random(&seed) % 1000;
		put_any_event(r, &seed, ts);
	}
}

static size_t make_sound(uint8_t *data, size_t max_size, unsigned seed)
{
	struct rows r = { 0 };
	size_t n;

	sf_u8(&r, (uint8_t)(seed % KINDS));
	if (seed % 8)
		any_events(&r, seed);
	else
		sf_sample(&r);
	n = r.n < max_size ? r.n : max_size;
	memcpy(data, r.p, n);
	rows_free(&r);
	return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (seed % 8 == 0 || size < 2)
		return make_sound(data, max_size, seed / 8);
	return LLVMFuzzerMutate(data, size, max_size);
}
