/* SPDX-License-Identifier: MIT */
/* HOST of a capture: the ring's, with the clocks of where the capture begins. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "core/bytes.h"
#include "format/reader.h"
#include "ring/ring.h"

#define HOST_MAX_BYTES (1u << 20)

/* The payload, decompressed, behind the room for a header: 0; 1: it is not to be read; -ENOMEM. */
static int unpack(struct scap__buffer *b, const struct scap__section_header *h,
		  const uint8_t *payload)
{
	uint64_t stored = le64toh(h->stored_bytes), raw = le64toh(h->raw_bytes);

	if (!raw || raw > HOST_MAX_BYTES)
		return 1;
	if (scap__section_room(b) || scap__buffer_reserve(b, raw))
		return -ENOMEM;
	if (le32toh(h->flags) & SCAP__SECTION_ZSTD) {
		if (ZSTD_decompress(b->p + b->n, raw, payload, stored) != raw)
			return 1;
	} else {
		if (stored != raw)
			return 1;
		memcpy(b->p + b->n, payload, raw);
	}
	b->n += raw;
	return 0;
}

static void put_number(const struct scap__entry *e, uint64_t v)
{
	v = htole64(v);
	memcpy((uint8_t *)e->value, &v, sizeof(v));
}

/*
 * The recorder took its triple when it began, and the wall clock may have been set since. Of boot
 * time no more is known than that it goes on.
 */
static void set_clocks(struct scap__buffer *b, uint64_t raw_ns, uint64_t real_ns)
{
	struct scap__bytes in = { b->p, b->n, false };
	struct scap__entry e, raw = { 0 }, real = { 0 }, boot = { 0 };

	scap__take(&in, sizeof(struct scap__section_header));
	while (in.n && scap__entry_get(&in, &e)) {
		if (e.kind != SCAP__HOST_U64)
			continue;
		raw = e.key == SCAP__HOST_raw_ns ? e : raw;
		real = e.key == SCAP__HOST_real_ns ? e : real;
		boot = e.key == SCAP__HOST_boot_ns ? e : boot;
	}
	if (!raw.value || !real.value)
		return;
	if (boot.value)
		put_number(&boot, scap__le64(boot.value) + (raw_ns - scap__le64(raw.value)));
	put_number(&real, real_ns);
	put_number(&raw, raw_ns);
}

int scap__ring_copy_host(struct scap_writer *w, const uint8_t *p, size_t n, uint64_t raw_ns,
			 uint64_t real_ns, size_t *at)
{
	struct scap__section_header h;
	size_t bytes;
	int rc;

	*at = 0;
	bytes = scap__ring_fixed_at(p, n, 0, &h);
	if (!bytes)
		return 0;
	rc = real_ns ? unpack(&w->raw, &h, p + sizeof(h)) : 1;
	if (rc < 0)
		return scap__writer_no_memory(w);
	if (rc)
		return scap__ring_copy_fixed(w, p, bytes, at);
	set_clocks(&w->raw, raw_ns, real_ns);
	*at = bytes;
	return scap__section_write(w, SCAP__SECTION_HOST);
}
