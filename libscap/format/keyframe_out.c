/* SPDX-License-Identifier: MIT */
/* The KEYFRAME section, on its way out. */
#include <endian.h>
#include <errno.h>
#include <scap/abi.h>

#include "core/bytes.h"
#include "core/error.h"
#include "format/writer.h"

#define PART_MAX_BYTES (32u << 20)

static size_t text_bytes(const struct scap_keyframe_text *text)
{
	/* At least one NUL behind it. */
	return sizeof(struct scap__keyframe_text) + text->bytes + SCAP__ALIGN -
	       text->bytes % SCAP__ALIGN;
}

/* Goes over the records' headers: 0, or -EINVAL when they do not fill the part. */
static int walk(const struct scap_keyframe_part *part, struct scap__keyframe_header *h)
{
	const uint8_t *p = part->rows;
	uint32_t n_records = 0;
	size_t left = part->bytes;

	if (left >= sizeof(struct scap_rec))
		memcpy(&h->first_seq, p + offsetof(struct scap_rec, seq), sizeof(h->first_seq));
	while (left) {
		size_t n = left < sizeof(struct scap_rec) ? 0 : (size_t)scap__le16(p) * 8;

		if (n < sizeof(struct scap_rec) || n > left)
			return -EINVAL;
		p += n;
		left -= n;
		n_records++;
	}
	h->n_records = htole32(n_records);
	return 0;
}

static void put_text(struct scap__buffer *b, const struct scap_keyframe_text *text)
{
	static const uint8_t zeros[SCAP__ALIGN];
	struct scap__keyframe_text t = {
		.kind = htole16((uint16_t)text->kind),
		.state = htole16((uint16_t)text->state),
		.bytes = htole32((uint32_t)text->bytes),
		.key = htole64(text->key),
	};

	scap__buffer_put(b, &t, sizeof(t));
	scap__buffer_put(b, text->data, text->bytes);
	scap__buffer_put(b, zeros, SCAP__ALIGN - text->bytes % SCAP__ALIGN);
}

static int write_part(struct scap_writer *w, const struct scap_keyframe_part *part,
		      const struct scap__keyframe_header *h, size_t bytes)
{
	int rc = scap__section_begin(w);

	if (rc)
		return rc;
	if (scap__buffer_reserve(&w->raw, bytes))
		return scap__writer_no_memory(w);
	scap__buffer_put(&w->raw, h, sizeof(*h));
	scap__buffer_put(&w->raw, part->rows, part->bytes);
	for (uint32_t i = 0; i < part->n_texts; i++)
		put_text(&w->raw, &part->texts[i]);
	return scap__groups_section(w, SCAP__SECTION_KEYFRAME);
}

int scap_writer_keyframe(struct scap_writer *w, const struct scap_keyframe_part *part)
{
	struct scap__keyframe_header h = {
		.begin_ns = htole64(part->begin_ns),
		.end_ns = htole64(part->end_ns),
		.clock_raw_ns = htole64(part->clock_raw_ns),
		.clock_real_ns = htole64(part->real_ns),
		.clock_boot_ns = htole64(part->boot_ns),
		.row_bytes = htole64(part->bytes),
		.number = htole32(part->number),
		.part = htole32(part->part),
		.flags = htole32(part->flags),
		.n_texts = htole32(part->n_texts),
	};
	size_t bytes = sizeof(h) + part->bytes;
	bool ok = part->bytes <= PART_MAX_BYTES && part->bytes % SCAP__ALIGN == 0 &&
		  part->number && !walk(part, &h);

	if (w->refusing)
		return w->error.code;
	for (uint32_t i = 0; ok && i < part->n_texts; i++) {
		ok = part->texts[i].bytes <= PART_MAX_BYTES;
		bytes += text_bytes(&part->texts[i]);
		ok = ok && bytes <= PART_MAX_BYTES;
	}
	if (!ok)
		return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
				  "a keyframe's records do not fill their part, or are too many");
	return write_part(w, part, &h, bytes);
}
