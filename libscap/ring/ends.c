/* SPDX-License-Identifier: MIT */
/*
 * Where the rings of the CPUs stood, in the ring's file: a recorder that is killed takes with it
 * what only the kernel's rings knew, as how many numbers were lost behind their last records.
 */
#include <endian.h>
#include <errno.h>
#include <scap/abi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/crc32c.h"
#include "ring/ring.h"

/* ---- written -------------------------------------------------------------------------------- */

/* Where the next ends go, behind what put_ends() writes. */
static struct scap__ring_seq *next_ends(const struct scap_ring *r)
{
	return (void *)(r->map + SCAP__RING_ENDS_OFFSET + sizeof(struct scap__ring_ends) +
			r->n_ends % SCAP__RING_ENDS * SCAP__RING_ENDS_BYTES);
}

/* n of them are there by now. */
static void put_ends(struct scap_ring *r, uint64_t raw_ns, uint32_t n)
{
	struct scap__ring_ends e = { htole64(r->id), htole64(raw_ns), htole32(n), 0 };
	struct scap__ring_seq *seqs = next_ends(r);

	e.crc = scap__crc32c(0, &e, offsetof(struct scap__ring_ends, crc));
	e.crc = htole32(scap__crc32c(e.crc, seqs, n * sizeof(*seqs)));
	memcpy((uint8_t *)seqs - sizeof(e), &e, sizeof(e));
	r->n_ends++;
}

void scap__ring_put_ends(struct scap_ring *r, uint64_t raw_ns, const void *seqs, size_t n)
{
	if (n > SCAP__RING_ENDS_MOST)
		return;
	memcpy(next_ends(r), seqs, n * sizeof(struct scap__ring_seq));
	put_ends(r, raw_ns, (uint32_t)n);
}

void scap_ring_ends(struct scap_ring *r, uint64_t raw_ns, const struct scap_ring_end *rings,
		    uint32_t n_rings)
{
	struct scap__ring_seq *seqs = next_ends(r);

	if (n_rings > SCAP__RING_ENDS_MOST)
		return;
	for (uint32_t i = 0; i < n_rings; i++)
		seqs[i] = scap__ring_seq(&rings[i]);
	put_ends(r, raw_ns, n_rings);
}

/* ---- read ----------------------------------------------------------------------------------- */

/* Each ring once, in order, and none that there can't be. */
static bool are_ends(const uint8_t *p, uint32_t n)
{
	int64_t last = -1;

	for (uint32_t i = 0; i < n; i++, p += sizeof(struct scap__ring_seq)) {
		uint32_t lane = scap__le16(p + 2);
		int64_t ring = (int64_t)scap__le16(p) * SCAP_LANES + lane;

		if (lane >= SCAP_LANES || ring <= last)
			return false;
		last = ring;
	}
	return true;
}

static int read_one(const uint8_t *p, struct scap__ring_stood *ret)
{
	const uint8_t *seqs = p + sizeof(struct scap__ring_ends);
	struct scap__ring_ends e;
	uint32_t n, crc;

	memcpy(&e, p, sizeof(e));
	n = le32toh(e.n_rings);
	if (n > SCAP__RING_ENDS_MOST)
		return 0;
	crc = scap__crc32c(0, &e, offsetof(struct scap__ring_ends, crc));
	if (scap__crc32c(crc, seqs, n * sizeof(struct scap__ring_seq)) != le32toh(e.crc) ||
	    !are_ends(seqs, n))
		return 0;
	ret->ends = calloc(n + 1, sizeof(*ret->ends));
	if (!ret->ends)
		return -ENOMEM;
	ret->ring_id = le64toh(e.ring_id);
	ret->raw_ns = le64toh(e.raw_ns);
	ret->n = n;
	scap__ring_list(seqs, n, ret->ends);
	return 0;
}

int scap__ring_stood_read(int fd, struct scap__ring_stood v[SCAP__RING_ENDS])
{
	uint8_t *p = malloc(SCAP__RING_ENDS_BYTES);
	off_t at = SCAP__RING_ENDS_OFFSET;
	int rc = p ? 0 : -ENOMEM;

	for (unsigned i = 0; i < SCAP__RING_ENDS && !rc; i++, at += SCAP__RING_ENDS_BYTES)
		if (pread(fd, p, SCAP__RING_ENDS_BYTES, at) == SCAP__RING_ENDS_BYTES)
			rc = read_one(p, &v[i]);
	free(p);
	return rc;
}

void scap__ring_stood_fini(struct scap__ring_stood v[SCAP__RING_ENDS])
{
	for (unsigned i = 0; i < SCAP__RING_ENDS; i++)
		free(v[i].ends);
}

const struct scap__ring_stood *scap__ring_stood_at(const struct scap__ring_stood v[SCAP__RING_ENDS],
						   uint64_t ring_id, uint64_t end_ns)
{
	const struct scap__ring_stood *next = NULL;

	for (unsigned i = 0; i < SCAP__RING_ENDS; i++)
		if (v[i].ends && v[i].ring_id == ring_id && v[i].raw_ns >= end_ns &&
		    (!next || v[i].raw_ns < next->raw_ns))
			next = &v[i];
	return next;
}

bool scap__ring_stood_fits(const struct scap__ring_stood *s, const struct scap__index *ix)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < ix->n_rings; i++) {
		if (!ix->next_seq[i])
			continue;
		while (at < s->n && s->ends[at].cpu * SCAP_LANES + s->ends[at].lane < i)
			at++;
		if (at == s->n || s->ends[at].cpu * SCAP_LANES + s->ends[at].lane != i ||
		    s->ends[at].next_seq - ix->next_seq[i] > INT32_MAX)
			return false;
	}
	return true;
}
