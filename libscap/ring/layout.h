/* SPDX-License-Identifier: MIT */
/* A ring file as it lies on disk; docs/format.md says what the fields mean. All little-endian. */
#ifndef SCAP_RING_LAYOUT_H
#define SCAP_RING_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#define SCAP__RING_MAGIC	"\xb5SCR\r\n\x1a\n"	/* 8 bytes */
#define SCAP__RING_VERSION	1

/* Where things lie: the state's page, the fixed sections, the ends, the area to the file's end. */
#define SCAP__RING_STATE_OFFSET	4096u
#define SCAP__RING_FIXED_OFFSET	8192u
#define SCAP__RING_AREA_OFFSET	(2u << 20)
#define SCAP__RING_ENDS		2
#define SCAP__RING_ENDS_BYTES	(128u << 10)
#define SCAP__RING_ENDS_OFFSET	(SCAP__RING_AREA_OFFSET - SCAP__RING_ENDS * SCAP__RING_ENDS_BYTES)
#define SCAP__RING_FIXED_BYTES	(SCAP__RING_ENDS_OFFSET - SCAP__RING_FIXED_OFFSET)

struct scap__ring_header {
	uint8_t magic[8];
	uint16_t header_bytes;
	uint16_t version;
	uint32_t reserved;
	uint64_t ring_id;
	uint64_t area_bytes;
	uint32_t reserved1;
	uint32_t crc;		/* of the bytes before it */
};

/* Changes all the time: a hint. Positions count all bytes since the beginning. */
struct scap__ring_state_page {
	uint64_t tail, head;
	uint64_t fixed_bytes;
	uint64_t closed;	/* 1: its recorder ended as it should */
};

/*
 * Where the rings of the CPUs stood at a moment: as many of struct scap__ring_seq follow. There are
 * two, written in turn: one is whole at any time.
 */
struct scap__ring_ends {
	uint64_t ring_id;
	uint64_t raw_ns;
	uint32_t n_rings;
	uint32_t crc;		/* of the bytes before it, then of the list */
};

#define SCAP__RING_ENDS_MOST \
	((SCAP__RING_ENDS_BYTES - sizeof(struct scap__ring_ends)) / sizeof(struct scap__ring_seq))

/*
 * An entry: this, where the rings of the CPUs stood at its beginning and at its end (struct
 * scap__ring_seq), a section. It never wraps: what is left at the area's end is passed over.
 */
struct scap__ring_entry {
	uint32_t magic;
	uint16_t type;		/* of the section */
	uint16_t flags;		/* SCAP__RING_* */
	uint64_t ring_id;
	uint64_t position;	/* of this entry */
	uint64_t bytes;		/* of all of it; a multiple of 8 */
	uint64_t start_ns, end_ns;	/* KEYFRAME: begin_ns, in both */
	uint64_t start_real_ns;
	uint64_t n_before, n_after;	/* events */
	uint64_t lost_before, lost_after;	/* numbers that were missing */
	uint64_t row_bytes;
	uint32_t n_slices, n_records;
	uint16_t n_rings, n_ends;
	uint32_t crc;		/* of the bytes before it, then of both lists of rings */
};

#define SCAP__RING_ENTRY_MAGIC	0xb5e27219u
#define SCAP__RING_MISSING	0x1u	/* numbers are, in it or in front of it */
#define SCAP__RING_FIRST_PART	0x2u	/* of a keyframe */
#define SCAP__RING_LAST_PART	0x4u

static_assert(sizeof(struct scap__ring_header) == 40, "ring header");
static_assert(sizeof(struct scap__ring_state_page) == 32, "ring state");
static_assert(sizeof(struct scap__ring_ends) == 24, "ring ends");
static_assert(sizeof(struct scap__ring_entry) == 112, "ring entry");

#endif
