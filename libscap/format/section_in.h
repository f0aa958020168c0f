/* SPDX-License-Identifier: MIT */
/* Sections on their way in: framing, checksums, decompression, the way back after damage. */
#ifndef SCAP_FORMAT_SECTION_IN_H
#define SCAP_FORMAT_SECTION_IN_H

#include <scap/error.h>
#include <zstd.h>

#include "core/arena.h"
#include "core/digest.h"
#include "format/input.h"
#include "format/layout.h"

struct scap__section {
	uint16_t type;
	uint32_t index, flags;
	uint64_t offset;	/* of its header in the file */
	uint64_t stored_bytes, raw_bytes;
	uint32_t payload_crc;
};

struct scap__section_in {
	struct scap__input input;
	struct scap__budget *budget;
	struct scap_error *error;
	ZSTD_DCtx *zstd;
	uint8_t *stored, *raw;	/* kept from section to section */
	size_t stored_cap, raw_cap;
	uint64_t file_id;
	uint32_t next_index;
	bool lost;		/* the last header was damaged: search for the next one */
	bool several;		/* another segment may follow; set by who can read it */
	bool between;		/* only the next segment is searched for */
	uint64_t n_again;	/* bytes put back so far */
	bool sealing;		/* digests are made */
	struct scap__digest digest;	/* of the section at hand */
	uint8_t file_digest[SCAP__DIGEST_BYTES];	/* of the file header */
};

#define SCAP__NEXT_SEGMENT 2

/* Takes over src, also on failure. */
int scap__section_in_init(struct scap__section_in *s, const struct scap_source *src,
			  struct scap__budget *budget, struct scap_error *error);
void scap__section_in_fini(struct scap__section_in *s);
/* Reads and checks the file header; version: out. */
int scap__section_in_start(struct scap__section_in *s, uint32_t *ret_version);
/*
 * The next section's header: 0; 1 at the file's end, exactly behind a section;
 * SCAP__NEXT_SEGMENT at a file header, which stays to be read; SCAP_ETRUNCATED;
 * SCAP_EDAMAGED, after which calling again goes on where that is possible.
 */
int scap__section_next(struct scap__section_in *s, struct scap__section *ret);
/* Only looks: 1: a section of this type, and of the index expected, is next; 0; or an error. */
int scap__section_is_next(struct scap__section_in *s, uint16_t type);
/* The header at this place, whatever its index, and past it: 0 or an error. */
int scap__section_find(struct scap__section_in *s, struct scap__section *ret);
/* Its payload, whole and checked, until the next call: 0 or an error. */
int scap__section_payload(struct scap__section_in *s, const struct scap__section *sec,
			  const uint8_t **ret_p);
/* Goes past it instead, still comparing its checksum. */
int scap__section_skip(struct scap__section_in *s, const struct scap__section *sec);

/* segment_in.c */
/* Whether it is the header of a section of the file with this id. */
bool scap__is_section(const uint8_t *p, uint64_t file_id);
/* Of n bytes: do they begin with a sound file header? */
bool scap__file_header_at(const uint8_t *p, size_t n);
/* The same, and a HOST section follows. */
bool scap__segment_at(const uint8_t *p, size_t n);
/*
 * n bytes at p, just read, are what there is of a section's payload, which is damaged, and no
 * section follows it. Does another segment begin in it? Then that is read next.
 */
bool scap__segment_inside(struct scap__section_in *s, const uint8_t *p, size_t n);
/*
 * A header of another segment comes next, but a section's header was damaged, and recorded data
 * may hold captures. Does one of the file's own sections still follow, within the size of a
 * section? Then that one comes next.
 */
bool scap__segment_is_payload(struct scap__section_in *s);

#endif
