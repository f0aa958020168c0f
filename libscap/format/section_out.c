/* SPDX-License-Identifier: MIT */
/* Sections on their way out: framing, compression, and what is done when a write fails. */
#include "format/writer.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd_errors.h>

#include "core/crc32c.h"
#include "core/error.h"

#define HEAD_BYTES sizeof(struct scap__section_header)

int scap__section_room(struct scap__buffer *b)
{
	b->n = 0;
	if (scap__buffer_reserve(b, HEAD_BYTES))
		return -ENOMEM;
	b->n = HEAD_BYTES;
	return 0;
}

int scap__section_begin(struct scap_writer *w)
{
	if (scap__section_room(&w->raw))
		return scap__writer_no_memory(w);
	return 0;
}

/*
 * Leaves the compressed payload in w->packed behind room for a header: 1; 0 when that saves less
 * than a thirty-second, because then reading should not have to pay for it.
 */
static int compress(struct scap_writer *w)
{
	size_t raw_bytes = w->raw.n - HEAD_BYTES, n;

	w->packed.n = 0;
	if (scap__buffer_reserve(&w->packed, HEAD_BYTES + ZSTD_compressBound(raw_bytes) +
				 SCAP__ALIGN))
		return -ENOMEM;
	n = ZSTD_compress2(w->zstd, w->packed.p + HEAD_BYTES, w->packed.cap - HEAD_BYTES,
			   w->raw.p + HEAD_BYTES, raw_bytes);
	if (ZSTD_isError(n))
		return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? -ENOMEM : 0;
	w->packed.n = HEAD_BYTES + n;
	return n < raw_bytes - raw_bytes / 32;
}

/*
 * A section that was written in part would look like damage to a reader: take the part back, so
 * that the file ends with its last whole section. Where that works, the end can still be written.
 */
static int write_failed(struct scap_writer *w, int code)
{
	w->refusing = true;
	w->broken = w->fd < 0 || ftruncate(w->fd, (off_t)w->bytes) < 0 ||
		    lseek(w->fd, (off_t)w->bytes, SEEK_SET) < 0;
	return scap__fail(&w->error, code, w->bytes,
			  "writing the capture failed after %llu bytes: %s; %s",
			  (unsigned long long)w->bytes, strerror(-code),
			  w->broken ? "its last part is cut" : "what was written before is whole");
}

/* What was written, and remembered for the seal, is not what it should be: 1. */
static int take_back(struct scap_writer *w)
{
	if (ftruncate(w->fd, (off_t)w->bytes) < 0 || lseek(w->fd, (off_t)w->bytes, SEEK_SET) < 0)
		return write_failed(w, -errno);
	if (w->sealing && !w->unsealed)
		w->entries.n -= sizeof(struct scap__seal_entry);
	return 1;
}

/* Fills in the header in front of the payload in b, pads, writes. */
static int write_section(struct scap_writer *w, struct scap__buffer *b, uint16_t type,
			 uint32_t flags, size_t raw_bytes)
{
	size_t stored = b->n - HEAD_BYTES, pad = -stored & (SCAP__ALIGN - 1);
	struct scap__section_header h = {
		.magic = htole32(SCAP__SECTION_MAGIC),
		.header_bytes = htole16(HEAD_BYTES),
		.type = htole16(type),
		.index = htole32(w->next_index),
		.flags = htole32(flags),
		.file_id = htole64(w->file_id),
		.stored_bytes = htole64(stored),
		.raw_bytes = htole64(raw_bytes),
		.payload_crc = htole32(scap__crc32c(0, b->p + HEAD_BYTES, stored)),
	};
	int rc;

	if (scap__buffer_reserve(b, pad))
		return scap__writer_no_memory(w);
	h.crc = htole32(scap__crc32c(0, &h, HEAD_BYTES - sizeof(h.crc)));
	memcpy(b->p, &h, sizeof(h));
	memset(b->p + b->n, 0, pad);
	b->n += pad;
	rc = w->sink.write(w->sink.ctx, b->p, b->n);
	if (!rc && w->sync && w->fd >= 0 && fdatasync(w->fd) < 0)
		rc = -errno;
	if (rc < 0)
		return write_failed(w, rc);
	w->section_offset = w->bytes;
	w->bytes += b->n;
	w->next_index++;
	/* The section is written all the same; the next seal will fail. */
	if (w->sealing && scap__seal_add(w, &h, b->p + HEAD_BYTES, stored))
		w->unsealed = true;
	return 0;
}

int scap__section_write(struct scap_writer *w, uint16_t type)
{
	size_t raw_bytes = w->raw.n - HEAD_BYTES;
	int rc = w->plain ? 0 : compress(w);

	if (rc < 0)
		return scap__writer_no_memory(w);
	if (rc)
		return write_section(w, &w->packed, type, SCAP__SECTION_ZSTD, raw_bytes);
	return write_section(w, &w->raw, type, 0, raw_bytes);
}

int scap__section_copy(struct scap_writer *w, const struct scap__section_header *from,
		       const uint8_t *payload, bool (*still)(void *ctx), void *ctx)
{
	static const uint8_t zeros[SCAP__ALIGN];
	size_t stored = (size_t)le64toh(from->stored_bytes), pad = -stored & (SCAP__ALIGN - 1);
	struct scap__section_header h = *from;
	int rc;

	h.header_bytes = htole16(HEAD_BYTES);
	h.index = htole32(w->next_index);
	h.file_id = htole64(w->file_id);
	h.crc = htole32(scap__crc32c(0, &h, HEAD_BYTES - sizeof(h.crc)));
	rc = w->sink.write(w->sink.ctx, &h, sizeof(h));
	if (!rc)
		rc = w->sink.write(w->sink.ctx, payload, stored);
	if (!rc)
		rc = w->sink.write(w->sink.ctx, zeros, pad);
	if (!rc && w->sealing && scap__seal_add(w, &h, payload, stored))
		w->unsealed = true;
	if (rc < 0)
		return write_failed(w, rc);
	if (still && !still(ctx))
		return take_back(w);
	w->section_offset = w->bytes;
	w->bytes += sizeof(h) + stored + pad;
	w->next_index++;
	return 0;
}

int scap__section_write_from(struct scap_writer *w, uint16_t type, struct scap__buffer *b)
{
	return write_section(w, b, type, 0, b->n - HEAD_BYTES);
}
