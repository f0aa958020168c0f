/* SPDX-License-Identifier: MIT */
/*
 * .scap files that are hostile. The first byte of an input says what the rest is:
 *
 *	0	a file, as it is (it may be compressed)
 *	1	a file whose blocks' lengths are put right before it is read
 *	2, 3	the same, read through gzip, zstd
 *
 * Whatever it is, what the translator makes of it must be sound: all damage that the reader finds
 * must be damage of the .scap file. The mutator makes sound files out of nothing now and then.
 */
#include <errno.h>
#include <scap/print.h>
#include <scap/reader.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
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

static size_t make_sound(uint8_t *data, size_t max_size, unsigned seed)
{
	struct rows r = { 0 };
	size_t n;

	sf_u8(&r, (uint8_t)(seed % KINDS));
	sf_sample(&r);
	n = r.n < max_size ? r.n : max_size;
	memcpy(data, r.p, n);
	rows_free(&r);
	return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (seed % 64 == 0 || size < 2)
		return make_sound(data, max_size, seed / 64);
	return LLVMFuzzerMutate(data, size, max_size);
}
