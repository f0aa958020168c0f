/* SPDX-License-Identifier: MIT */
/* Seals of a capture that is read: do they vouch for what was there? */
#include <string.h>

#include "core/error.h"
#include "format/reader.h"

#define ENTRY sizeof(struct scap__seal_entry)
#define HEAD sizeof(struct scap__seal_header)

/* Behind each section, when its payload was read or passed over: 0 or an error. */
int scap__seals_add(struct scap_reader *r, const struct scap__section *sec)
{
	struct scap__seal_entry e = { .index = htole32(sec->index) };
	int rc;

	if (!r->in.sealing || sec->type == SCAP__SECTION_INDEX)
		return 0;
	scap__digest_end(&r->in.digest, e.digest);
	if (sec->type == SCAP__SECTION_SEAL) {
		memcpy(r->seals.last, e.digest, sizeof(e.digest));
		return 0;
	}
	rc = scap__buffer_add(&r->entries, &e, ENTRY);
	if (rc)
		return scap__fail(&r->error, rc, sec->offset, "too many sections without a seal");
	r->seals.n_open++;
	return 0;
}

void scap__seals_begin(struct scap_reader *r)
{
	r->entries.n = 0;
	r->end_sealed = false;
	memset(r->seals.last, 0, sizeof(r->seals.last));
}

static int broken(struct scap_reader *r, const struct scap__section *sec, const char *what)
{
	r->seals.n_open -= r->entries.n / ENTRY;
	r->entries.n = 0;
	return scap__fail(&r->error, SCAP_EDAMAGED, sec->offset, "a seal is broken: %s", what);
}

/* The payload of a SEAL, against the sections that were read since the last one. */
int scap__seal_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	static const uint8_t none[SCAP__DIGEST_BYTES];
	struct scap__bytes b = { p, (size_t)sec->raw_bytes, false };
	uint32_t algorithm = scap__get_u32(&b), n = scap__get_u32(&b);
	const uint8_t *previous = scap__take(&b, SCAP__DIGEST_BYTES);
	const uint8_t *first = memcmp(r->seals.last, none, sizeof(none)) ? r->seals.last :
			       r->in.file_digest;

	if (b.bad || b.n != (uint64_t)n * ENTRY)
		return broken(r, sec, "its list does not fit");
	if (algorithm != SCAP__SEAL_BLAKE2B)
		return broken(r, sec, "it is of a kind that this library does not know");
	if (memcmp(previous, first, SCAP__DIGEST_BYTES))
		return broken(r, sec, "it does not follow the one before it");
	if (b.n != r->entries.n)
		return broken(r, sec, "sections are missing, or were added");
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(b.p + i * ENTRY, r->entries.p + i * ENTRY, ENTRY))
			return broken(r, sec, "a section before it was changed");
	r->seals.n_sealed += n;
	r->seals.n_open -= n;
	r->entries.n = 0;
	return 0;
}

const struct scap_seal_info *scap_reader_seals(const struct scap_reader *r)
{
	return &r->seals;
}
