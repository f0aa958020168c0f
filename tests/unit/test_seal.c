/* SPDX-License-Identifier: MIT */
/* Seals: sound checksums around changed contents do not help who changed them. */
#include <criterion/criterion.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "core/crc32c.h"
#include "core/digest.h"
#include "format/layout.h"
#include "support_rows.h"

#define HEAD sizeof(struct scap__section_header)

static struct rows file;
static size_t at[64];		/* sections */
static unsigned n_sections;

/* Groups of 10 s, so that there are several seals. */
static void make(unsigned n_slices)
{
	struct scap_writer_options opt = { .size = sizeof(opt), .flags = SCAP_WRITER_GROUPS };
	struct scap_sink sink = rows_sink(&file);
	struct scap_ring_end end = { .next_seq = n_slices * 10 };
	struct rows rows = { 0 };
	struct scap_writer *w;

	file.n = 0;
	cr_assert_eq(scap_writer_open_sink(&sink, &opt, &w, NULL), 0);
	for (unsigned i = 0; i < n_slices; i++) {
		struct scap_slice_part part = { .cpu = 0 };
		struct scap_slice s = { .start_ns = (i + 1) * SCAP_EPOCH_NS, .n_parts = 1,
					.end_ns = (i + 2) * SCAP_EPOCH_NS, .parts = &part };

		rows.n = 0;
		for (uint32_t k = 0; k < 10; k++)
			rows_call(&rows, i * 10 + k, s.start_ns + k, 7, 39, 1);
		part.rows = rows.p;
		part.bytes = rows.n;
		cr_assert_eq(scap_writer_slice(w, &s), 0);
	}
	cr_assert_eq(scap_writer_close(w, 1000 * SCAP_EPOCH_NS, &end, 1, NULL), 0);
	rows_free(&rows);
}

static struct scap__section_header *header(unsigned i)
{
	return (struct scap__section_header *)(file.p + at[i]);
}

static size_t section_bytes(unsigned i)
{
	return HEAD + ((size_t)header(i)->stored_bytes + 7) / 8 * 8;
}

static void find_sections(void)
{
	n_sections = 0;
	for (size_t p = 64; p < file.n; p += section_bytes(n_sections++)) {
		cr_assert_lt(n_sections, 64);
		at[n_sections] = p;
	}
}

/* Puts index and checksums of a section right. */
static void repair(unsigned i, uint32_t index)
{
	struct scap__section_header *h = header(i);

	h->index = index;
	h->payload_crc = scap__crc32c(0, file.p + at[i] + HEAD, h->stored_bytes);
	h->crc = scap__crc32c(0, h, HEAD - 4);
}

/* 1, or the first error; ret_seals: what seals said at the end. */
static int read_all(uint32_t flags, struct scap_seal_info *ret_seals)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = flags };
	struct rows_reader rr;
	struct scap_source src = rows_source(&rr, file.p, file.n);
	const struct scap_event *ev;
	struct scap_reader *r;
	int rc, first = 0;

	cr_assert_eq(scap_reader_open_source(&src, &opt, &r, NULL), 0);
	while ((rc = scap_reader_next(r, &ev)) <= 0) {
		if (rc < 0 && !first)
			first = rc;
		if (rc < 0 && rc != SCAP_EDAMAGED)
			break;
	}
	*ret_seals = *scap_reader_seals(r);
	scap_reader_close(r);
	return first ? first : rc;
}

static void done(void)
{
	rows_free(&file);
}

TestSuite(seal, .fini = done);

Test(seal, vouches_for_all)
{
	static const uint8_t none[32];
	struct scap_seal_info seals;
	unsigned n_seals = 0;

	make(45);
	find_sections();
	for (unsigned i = 0; i < n_sections; i++)
		n_seals += header(i)->type == SCAP__SECTION_SEAL;
	cr_assert_geq(n_seals, 4);
	cr_assert_eq(header(n_sections - 1)->type, SCAP__SECTION_INDEX);
	cr_assert_eq(header(n_sections - 2)->type, SCAP__SECTION_SEAL);
	cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), 1);
	cr_assert_eq(seals.n_sealed, n_sections - n_seals - 1);
	cr_assert_eq(seals.n_open, 0);
	cr_assert(memcmp(seals.last, none, sizeof(none)));
	cr_assert_eq(read_all(0, &seals), 1, "without being asked, nothing is looked at");
	cr_assert_eq(seals.n_sealed, 0);
}

/* A byte of each section's payload; seals' own lists, too. The index says nothing new. */
Test(seal, changed_contents)
{
	struct scap_seal_info seals;

	make(25);
	find_sections();
	for (unsigned i = 0; i < n_sections - 1; i++) {
		uint8_t *p = file.p + at[i] + HEAD + header(i)->stored_bytes - 1;

		*p ^= 1;
		repair(i, i);
		cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), SCAP_EDAMAGED, "section %u", i);
		*p ^= 1;
		repair(i, i);
		cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), 1);
	}
}

/* The file's header: who changes the version, say. */
Test(seal, changed_file_header)
{
	struct scap_seal_info seals;
	uint32_t crc;

	make(5);
	file.p[40] ^= 1;	/* reserved: ignored by readers */
	crc = scap__crc32c(0, file.p, 60);
	memcpy(file.p + 60, &crc, 4);
	cr_assert_eq(read_all(0, &seals), 1);
	cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), SCAP_EDAMAGED);
}

/* A group is taken out with its seal, and all behind it renumbered. */
Test(seal, missing_sections)
{
	struct scap_seal_info seals;
	size_t from, n;

	make(45);
	find_sections();
	cr_assert_eq(header(4)->type, SCAP__SECTION_GROUP);
	cr_assert_eq(header(5)->type, SCAP__SECTION_SEAL);
	from = at[4];
	n = section_bytes(4) + section_bytes(5);
	memmove(file.p + from, file.p + from + n, file.n - from - n);
	file.n -= n;
	find_sections();
	for (unsigned i = 4; i < n_sections; i++)
		repair(i, i);
	cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), SCAP_EDAMAGED);
}

/* Without its end, and a seal over the rest: of a recorder that was killed. */
Test(seal, open_tail)
{
	struct scap_seal_info seals;

	make(45);
	find_sections();
	file.n = at[n_sections - 3];	/* END */
	cr_assert_eq(read_all(SCAP_READER_SEALS, &seals), SCAP_ETRUNCATED);
	cr_assert_gt(seals.n_sealed, 2);
	cr_assert_eq(seals.n_open, 1, "%lu", seals.n_open);
}

Test(seal, nothing_else_behind_the_end)
{
	struct scap_seal_info seals;

	make(5);
	find_sections();
	rows_put(&file, file.p + at[n_sections - 1], section_bytes(n_sections - 1));
	cr_assert_eq(read_all(0, &seals), SCAP_EDAMAGED);
}

/* As memory of malloc(3) is aligned, or worse. */
Test(seal, alignment)
{
	static uint8_t room[SCAP__DIGEST_ALIGN + sizeof(struct scap__digest)];

	for (size_t i = 0; i < SCAP__DIGEST_ALIGN; i++) {
		struct scap__digest *d = (struct scap__digest *)(room + i);
		uint8_t *state = (uint8_t *)scap__digest_state(d);

		cr_assert_eq((uintptr_t)state % SCAP__DIGEST_ALIGN, 0);
		cr_assert(state >= d->room && state + sizeof(crypto_generichash_blake2b_state) <=
			  d->room + sizeof(d->room));
	}
}
