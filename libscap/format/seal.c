/* SPDX-License-Identifier: MIT */
/* Seals: what was written can't be changed later without the chain of digests showing it. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/error.h"
#include "format/writer.h"

int scap__seal_add(struct scap_writer *w, const struct scap__section_header *h,
		   const uint8_t *payload, size_t n)
{
	struct scap__seal_entry e = { .index = h->index };
	struct scap__digest d;

	scap__digest_begin(&d);
	scap__digest_add(&d, h, sizeof(*h) - sizeof(h->crc));
	scap__digest_add(&d, payload, n);
	scap__digest_end(&d, e.digest);
	if (le16toh(h->type) != SCAP__SECTION_SEAL)
		return scap__buffer_add(&w->entries, &e, sizeof(e));
	memcpy(w->last_seal, e.digest, sizeof(w->last_seal));
	return 0;
}

static int write_seal(struct scap_writer *w)
{
	struct scap__seal_header h = {
		.algorithm = htole32(SCAP__SEAL_BLAKE2B),
		.n_entries = htole32((uint32_t)(w->entries.n / sizeof(struct scap__seal_entry))),
	};
	int rc;

	memcpy(h.previous, w->last_seal, sizeof(h.previous));
	rc = scap__section_begin(w);
	if (rc)
		return rc;
	if (scap__buffer_add(&w->raw, &h, sizeof(h)) ||
	    scap__buffer_add(&w->raw, w->entries.p, w->entries.n))
		return scap__writer_no_memory(w);
	return scap__section_write_from(w, SCAP__SECTION_SEAL, &w->raw);
}

int scap__seal_write(struct scap_writer *w, uint64_t end_ns)
{
	struct scap__buffer mine = w->raw;
	int rc;

	if (w->unsealed)
		return scap__writer_no_memory(w);
	if (!w->sealing || !w->entries.n)
		return 0;
	/* The payload of a keyframe may wait there, for the group before it to be written. */
	w->raw = (struct scap__buffer){ .budget = w->budget };
	rc = write_seal(w);
	scap__buffer_fini(&w->raw);
	w->raw = mine;
	if (rc)
		return rc;
	w->entries.n = 0;
	w->sealed_ns = end_ns;
	return 0;
}
