/* SPDX-License-Identifier: MIT */
/*
 * A bounded cursor over bytes that are not to be trusted. A read past the end gives 0 (or NULL)
 * and sets `bad`, which stays set: a caller may read a whole structure and look once at its end.
 */
#ifndef SCAP_CORE_BYTES_H
#define SCAP_CORE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct scap__bytes {
	const uint8_t *p;
	size_t n;		/* bytes that remain */
	bool bad;
};

static inline uint16_t scap__le16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t scap__le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t scap__le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* The next n bytes, or NULL. */
static inline const uint8_t *scap__take(struct scap__bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if (n > b->n || b->bad) {
		b->bad = true;
		return NULL;
	}
	b->p += n;
	b->n -= n;
	return p;
}

static inline uint8_t scap__get_u8(struct scap__bytes *b)
{
	const uint8_t *p = scap__take(b, 1);

	return p ? *p : 0;
}

static inline uint16_t scap__get_u16(struct scap__bytes *b)
{
	const uint8_t *p = scap__take(b, 2);

	return p ? scap__le16(p) : 0;
}

static inline uint32_t scap__get_u32(struct scap__bytes *b)
{
	const uint8_t *p = scap__take(b, 4);

	return p ? scap__le32(p) : 0;
}

static inline uint64_t scap__get_u64(struct scap__bytes *b)
{
	const uint8_t *p = scap__take(b, 8);

	return p ? scap__le64(p) : 0;
}

/* A number of 7 bits per byte, the low ones first; one that does not fit into 64 bits is bad. */
static inline uint64_t scap__get_varint(struct scap__bytes *b)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = scap__get_u8(b);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	b->bad = true;
	return 0;
}

#endif
