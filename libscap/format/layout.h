/* SPDX-License-Identifier: MIT */
/* The file as it lies on disk; docs/format.md says what the fields mean. All little-endian. */
#ifndef SCAP_FORMAT_LAYOUT_H
#define SCAP_FORMAT_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#define SCAP__FILE_MAGIC	"\xb5SCZ\r\n\x1a\n"	/* 8 bytes */
/* What follows the names of a file's journals. */
#define SCAP__JOURNAL_SUFFIXES	{ ".journal", ".journal2" }
#define SCAP__FORMAT_VERSION	1
#define SCAP__SECTION_MAGIC	0xb5c75ec5u
#define SCAP__ALIGN		8u

/* Caps that a reader checks before it allocates. */
#define SCAP__HEADER_MAX_BYTES	4096u
#define SCAP__RAW_MAX_BYTES	(64ull << 20)
#define SCAP__CPUS_MAX		65536u

struct scap__file_header {
	uint8_t magic[8];
	uint16_t header_bytes;
	uint16_t version;
	uint32_t compat;
	uint32_t incompat;
	uint32_t reserved0;
	uint64_t file_id;
	uint8_t reserved1[28];
	uint32_t crc;		/* of all header bytes before it; the header's last 4 */
};

enum scap__section_type {
	SCAP__SECTION_HOST = 1,
	SCAP__SECTION_SLICE = 2,
	SCAP__SECTION_END = 3,
	SCAP__SECTION_KEYFRAME = 4,
	SCAP__SECTION_GROUP = 5,
	SCAP__SECTION_SEAL = 6,
	SCAP__SECTION_INDEX = 7,
	SCAP__SECTION_SCHEMA = 8,
	SCAP__SECTION_START = 9,
	SCAP__SECTION_TRIGGER = 10,
	SCAP__SECTION_LAST_KNOWN = SCAP__SECTION_TRIGGER,
};

#define SCAP__START_INDEX	1u	/* of START, where there is one */

#define SCAP__SECTION_ZSTD	0x1u
#define SCAP__SECTION_FLAGS	0x1u	/* all known ones */

struct scap__section_header {
	uint32_t magic;
	uint16_t header_bytes;
	uint16_t type;
	uint32_t index;		/* 0, 1, 2 ... in the file */
	uint32_t flags;
	uint64_t file_id;
	uint64_t stored_bytes;
	uint64_t raw_bytes;
	uint32_t payload_crc;	/* of the stored bytes */
	uint32_t crc;		/* of the header bytes before it */
};

/* HOST: entries, each followed by its value, padded with zeros to 8 bytes. */
struct scap__host_entry {
	uint16_t key;
	uint16_t kind;		/* enum scap__host_kind */
	uint32_t bytes;
};

enum scap__host_kind {
	SCAP__HOST_STRING = 1,
	SCAP__HOST_U64 = 2,
};

/* Key number, member of struct scap_capture_info. */
#define SCAP__HOST_STRINGS(X) \
	X(1, hostname) X(2, kernel) X(3, machine) X(4, boot_id) X(5, recorder) X(6, filter)
#define SCAP__HOST_NUMBERS(X) \
	X(16, n_cpus) X(17, snaplen) X(18, recorder_tgid) X(19, ring_bytes)

enum scap__host_key {
#define X(nr, member) SCAP__HOST_##member = nr,
	SCAP__HOST_STRINGS(X) SCAP__HOST_NUMBERS(X)
#undef X
	SCAP__HOST_clock_source = 20,
	SCAP__HOST_raw_ns = 21,
	SCAP__HOST_real_ns = 22,
	SCAP__HOST_boot_ns = 23,
	SCAP__HOST_abi_version = 24,
};

/* TRIGGER: entries as HOST's. Key number, member of struct scap_trigger. */
#define SCAP__TRIGGER_STRINGS(X) \
	X(1, name) X(2, source) X(3, why) X(4, config) X(5, keep)
#define SCAP__TRIGGER_NUMBERS(X) \
	X(16, raw_ns) X(17, real_ns) X(18, before_ns) X(19, after_ns) X(20, event) \
	X(21, from_raw_ns) X(22, to_raw_ns) X(23, n_lost) X(24, flags)
#define SCAP__TRIGGER_LABEL 32u		/* "name=value"; any number of them, up to */

#define SCAP__TRIGGER_MAX_LABELS	256u
#define SCAP__TRIGGER_MAX_BYTES		4096u	/* of a string */
#define SCAP__TRIGGER_RAW_MAX_BYTES	(2u << 20)

/* SLICE: this, the parts, the rows. */
struct scap__slice_header {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t clock_raw_ns;
	uint64_t clock_real_ns;
	uint64_t clock_boot_ns;
	uint32_t n_parts;
	uint32_t reserved;
};

struct scap__slice_part {
	uint16_t cpu;
	uint16_t lane;
	uint32_t n_records;
	uint32_t first_seq;
	uint32_t reserved;
	uint64_t offset;	/* from the first row on */
	uint64_t bytes;
};

/*
 * GROUP: this, the directory, the columns. The directory: slices (struct scap__slice_header), parts
 * (struct scap__group_dir_part), events, shapes (each with its blobs), columns.
 */
struct scap__group_header {
	uint64_t start_ns;	/* of the first slice */
	uint64_t end_ns;	/* of the last */
	uint64_t row_bytes;	/* of all parts */
	uint32_t n_slices;
	uint32_t n_parts;
	uint32_t n_records;
	uint32_t n_events;
	uint32_t n_shapes;
	uint32_t n_columns;
	uint32_t dir_raw_bytes;
	uint32_t dir_stored_bytes;	/* fewer: one zstd frame */
	uint32_t dir_crc;	/* of the stored bytes */
	uint32_t crc;		/* of the header bytes before it */
};

struct scap__group_dir_part {
	uint16_t cpu;
	uint16_t lane;
	uint32_t n_records;
	uint32_t first_seq;
	uint32_t next_seq;	/* one more than that of its last record */
	uint32_t n_events;	/* records but INTRO, FILE, GAP, KEY_* */
	uint32_t bytes;
	uint64_t last_ns;	/* of its last record */
};

/* A kind of record that has columns of its own. */
struct scap__group_event {
	uint8_t type;		/* SCAP_REC_*; 0: records that are stored as they are */
	uint8_t abi;		/* of calls and entries; with type 0: 1: they are events */
	uint16_t nr;
};

/* All of a record that is not in columns. Followed by n_blobs of struct scap__group_blob. */
struct scap__group_shape {
	uint16_t event;
	uint8_t flags;
	uint8_t shape;
	uint8_t more;
	uint8_t n_blobs;
};

struct scap__group_blob {
	uint8_t slot;
	uint8_t state;
};

struct scap__group_column {
	uint8_t kind;		/* enum scap__column_kind */
	uint8_t index;
	uint16_t event;		/* 0xffff: of none */
	uint32_t n_values;
	uint32_t raw_bytes;
	uint32_t stored_bytes;	/* fewer: one zstd frame */
	uint32_t crc;		/* of the stored bytes */
	uint32_t reserved;
	uint64_t least, most;	/* values of tid, latency and result (as signed); otherwise 0 */
};

/* KEYFRAME: this, the rows, the texts. */
struct scap__keyframe_header {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t clock_raw_ns;
	uint64_t clock_real_ns;
	uint64_t clock_boot_ns;
	uint64_t row_bytes;
	uint32_t number;
	uint32_t part;
	uint32_t flags;		/* SCAP_KEYFRAME_* of scap/writer.h */
	uint32_t n_records;
	uint32_t first_seq;
	uint32_t n_texts;
};

/* Followed by its bytes, padded with zeros to 8. */
struct scap__keyframe_text {
	uint16_t kind;		/* SCAP_KEYFRAME_MOUNTS ... */
	uint16_t state;		/* SCAP_STATE_* */
	uint32_t bytes;
	uint64_t key;
};

/* SEAL: this, then an entry for each section since the last SEAL, or the file's beginning. */
struct scap__seal_header {
	uint32_t algorithm;	/* SCAP__SEAL_BLAKE2B */
	uint32_t n_entries;
	uint8_t previous[32];	/* digest of the SEAL before it; of the first: of the file header */
};

#define SCAP__SEAL_BLAKE2B 1u

/* digest: of the section's header but for its crc, and the stored payload. */
struct scap__seal_entry {
	uint32_t index;
	uint32_t reserved;
	uint8_t digest[32];
};

/* START: this, then the rings. */
struct scap__start_header {
	uint64_t start_raw_ns;
	uint32_t n_rings;
	uint32_t reserved;
};

/* END: this, then the rings. */
struct scap__end_header {
	uint64_t end_raw_ns;
	uint64_t n_slices;
	uint64_t n_records;
	uint64_t row_bytes;
	uint32_t n_rings;
	uint32_t reserved;
};

/* Where a ring's numbers stand at the file's beginning, or at its end. */
struct scap__ring_seq {
	uint16_t cpu;
	uint16_t lane;
	uint32_t next_seq;
};

/* INDEX: this, the entries, the lists of rings of those that have one, the trailer. */
struct scap__index_header {
	uint32_t n_entries;
	uint32_t n_rings;	/* of all lists */
	uint64_t end_raw_ns;	/* as in END */
	uint64_t end_real_ns;	/* 0: not known */
	uint64_t n_events;
};

/* A SLICE, a GROUP, or the first part of a KEYFRAME. */
struct scap__index_entry {
	uint64_t offset;	/* of the section's header, from the file header on */
	uint64_t start_ns;	/* KEYFRAME: begin_ns, in both */
	uint64_t end_ns;
	uint64_t start_real_ns;	/* wall time at start_ns; 0: not known */
	uint64_t n_before;	/* events before it */
	uint32_t index;		/* of the section */
	uint16_t type;		/* of the section */
	uint16_t flags;		/* SCAP__INDEX_MISSING */
	uint32_t n_rings;	/* in its list: struct scap__ring_seq as of its beginning */
	uint32_t reserved1;
};

#define SCAP__INDEX_MISSING	0x1u	/* numbers are, in it or in front of it: it has a list */

/* The last bytes of a file. */
struct scap__index_trailer {
	uint64_t index_bytes;	/* from the INDEX section's header on */
	uint64_t file_bytes;	/* from the file header on */
	uint64_t file_id;
	uint32_t magic;
	uint32_t crc;		/* of the bytes before it */
};

#define SCAP__INDEX_MAGIC	0xb51de71au
#define SCAP__INDEX_MAX_ENTRIES	(1u << 20)
#define SCAP__INDEX_MAX_RINGS	(1u << 20)

static_assert(sizeof(struct scap__index_header) == 32, "index header");
static_assert(sizeof(struct scap__index_entry) == 56, "index entry");
static_assert(sizeof(struct scap__index_trailer) == 32, "index trailer");
static_assert(sizeof(struct scap__file_header) == 64, "file header");
static_assert(sizeof(struct scap__section_header) == 48, "section header");
static_assert(sizeof(struct scap__host_entry) == 8, "host entry");
static_assert(sizeof(struct scap__slice_header) == 48, "slice header");
static_assert(sizeof(struct scap__slice_part) == 32, "slice part");
static_assert(sizeof(struct scap__group_header) == 64, "group header");
static_assert(sizeof(struct scap__group_dir_part) == 32, "group part");
static_assert(sizeof(struct scap__group_event) == 4, "group event");
static_assert(sizeof(struct scap__group_shape) == 6, "group shape");
static_assert(sizeof(struct scap__group_blob) == 2, "group blob");
static_assert(sizeof(struct scap__group_column) == 40, "group column");
static_assert(sizeof(struct scap__keyframe_header) == 72, "keyframe header");
static_assert(sizeof(struct scap__keyframe_text) == 16, "keyframe text");
static_assert(sizeof(struct scap__seal_header) == 40, "seal header");
static_assert(sizeof(struct scap__seal_entry) == 40, "seal entry");
static_assert(sizeof(struct scap__start_header) == 16, "start header");
static_assert(sizeof(struct scap__end_header) == 40, "end header");
static_assert(sizeof(struct scap__ring_seq) == 8, "ring's numbers");

#endif
