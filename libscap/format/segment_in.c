/* SPDX-License-Identifier: MIT */
/* Captures one behind the other in a file: where the next segment begins. */
#define _GNU_SOURCE
#include <string.h>

#include "core/crc32c.h"
#include "core/error.h"
#include "format/reader.h"

#define HEAD_BYTES sizeof(struct scap__section_header)
#define MAGIC_BYTES (sizeof(SCAP__FILE_MAGIC) - 1)
/* A hostile file makes the reader look ahead and back all the time; at most for so many bytes. */
#define AGAIN_TIMES 4
#define AGAIN_BYTES (64ull << 20)
#define AHEAD_BYTES (1u << 20)

/* ---- what it looks like -------------------------------------------------------------------- */

bool scap__is_section(const uint8_t *p, uint64_t file_id)
{
	return scap__le32(p) == SCAP__SECTION_MAGIC && scap__le16(p + 4) == HEAD_BYTES &&
	       scap__le64(p + offsetof(struct scap__section_header, file_id)) == file_id &&
	       scap__le32(p + HEAD_BYTES - 4) == scap__crc32c(0, p, HEAD_BYTES - 4);
}

static size_t header_bytes(const uint8_t *p, size_t n)
{
	size_t bytes;

	if (n < sizeof(struct scap__file_header) || memcmp(p, SCAP__FILE_MAGIC, MAGIC_BYTES))
		return 0;
	bytes = scap__le16(p + offsetof(struct scap__file_header, header_bytes));
	return bytes >= sizeof(struct scap__file_header) && bytes <= SCAP__HEADER_MAX_BYTES &&
	       bytes % SCAP__ALIGN == 0 && bytes <= n ? bytes : 0;
}

bool scap__file_header_at(const uint8_t *p, size_t n)
{
	size_t bytes = header_bytes(p, n);

	return bytes && scap__crc32c(0, p, bytes - 4) == scap__le32(p + bytes - 4);
}

/* Recorded data may well begin as a capture does: what is searched for must have a HOST, too. */
bool scap__segment_at(const uint8_t *p, size_t n)
{
	size_t bytes = header_bytes(p, n);
	const uint8_t *host = p + bytes;
	uint64_t id;

	if (!bytes || n - bytes < HEAD_BYTES)
		return false;
	id = scap__le64(p + offsetof(struct scap__file_header, file_id));
	return scap__is_section(host, id) &&
	       scap__le16(host + offsetof(struct scap__section_header, type)) ==
	       SCAP__SECTION_HOST &&
	       !scap__le32(host + offsetof(struct scap__section_header, index)) &&
	       scap__file_header_at(p, n);
}

/* ---- one that begins inside a section ------------------------------------------------------ */

/* Where, of n bytes and those that come next; n: nowhere. */
static size_t find_inside(struct scap__section_in *s, const uint8_t *p, size_t n)
{
	enum { MOST = SCAP__HEADER_MAX_BYTES + HEAD_BYTES };
	uint8_t edge[2 * MOST];
	size_t kept = n < MOST ? n : MOST, at = 0;
	const uint8_t *next, *hit;
	ssize_t got;

	while ((hit = memmem(p + at, n - at, SCAP__FILE_MAGIC, MAGIC_BYTES))) {
		at = (size_t)(hit - p);
		if (n - at < MOST)
			break;
		if (scap__segment_at(hit, n - at))
			return at;
		at++;
	}
	got = scap__input_peek(&s->input, MOST, &next);
	memcpy(edge, p + n - kept, kept);
	if (got > 0)
		memcpy(edge + kept, next, (size_t)got);
	for (size_t i = 0; i < kept; i++)
		if (scap__segment_at(edge + i, kept - i + (got > 0 ? (size_t)got : 0)))
			return n - kept + i;
	return n;
}

/* n bytes at p, just read, come again. */
static bool put_back(struct scap__section_in *s, const uint8_t *p, size_t n)
{
	uint64_t bytes = n + scap__input_ahead(&s->input);

	s->n_again += n;
	if (scap__input_rewind(&s->input, n))
		return true;
	if (scap__input_unread(&s->input, p, n))
		return false;
	s->n_again += bytes - n;
	return true;
}

static uint64_t allowance(const struct scap__section_in *s)
{
	uint64_t most = AGAIN_TIMES * s->input.offset + AGAIN_BYTES;

	return most > s->n_again ? most - s->n_again : 0;
}

bool scap__segment_inside(struct scap__section_in *s, const uint8_t *p, size_t n)
{
	size_t at;

	if (!s->several)
		return false;
	at = find_inside(s, p, n);
	return at < n && allowance(s) && put_back(s, p + at, n - at);
}

/* ---- or only seems to begin ---------------------------------------------------------------- */

/* The first of the file's sections in n bytes, from `from` on; n: none. */
static size_t find_section(const struct scap__section_in *s, const uint8_t *p, size_t from,
			   size_t n)
{
	for (; n - from >= HEAD_BYTES; from++)
		if (p[from] == (SCAP__SECTION_MAGIC & 0xff) &&
		    scap__is_section(p + from, s->file_id) &&
		    scap__le32(p + from + offsetof(struct scap__section_header, index)) >=
		    s->next_index)
			return from;
	return n;
}

/* Reads on, up to most bytes, until one of the file's sections was read: where it is, or buf->n. */
static size_t read_ahead(struct scap__section_in *s, uint64_t most, struct scap__buffer *buf)
{
	size_t at = 0, from = 0;

	while (at == buf->n && buf->n < most) {
		size_t step = most - buf->n < AHEAD_BYTES ? (size_t)(most - buf->n) : AHEAD_BYTES;
		ssize_t got = scap__buffer_reserve(buf, step) ? 0 :
			      scap__input_read(&s->input, buf->p + buf->n, step);

		if (got <= 0)
			break;
		buf->n += (size_t)got;
		at = find_section(s, buf->p, from, buf->n);
		from = buf->n < HEAD_BYTES ? 0 : buf->n - HEAD_BYTES + 1;
	}
	return at;
}

bool scap__segment_is_payload(struct scap__section_in *s)
{
	uint64_t most = allowance(s) < SCAP__RAW_MAX_BYTES ? allowance(s) : SCAP__RAW_MAX_BYTES;
	struct scap__buffer buf = { .budget = s->budget };
	size_t at = read_ahead(s, most, &buf);
	bool found = at < buf.n;

	if (!found)
		at = 0;
	if (buf.n && !put_back(s, buf.p + at, buf.n - at))
		found = true;
	scap__buffer_fini(&buf);
	return found;
}
