/* SPDX-License-Identifier: MIT */
/*
 * Groups: the records of some slices as columns; docs/format.md says how. Both directions keep
 * every byte: what does not fit the columns' idea of a record is stored as it is.
 */
#ifndef SCAP_FORMAT_GROUP_H
#define SCAP_FORMAT_GROUP_H

#include <scap/abi.h>
#include <scap/writer.h>

#include "column/column.h"
#include "core/arena.h"
#include "core/bytes.h"
#include "format/choose.h"
#include "format/layout.h"

/* Of what the values of a column are; see struct scap__group_column. */
enum scap__column_kind {
	/* Of all records, in their order. */
	SCAP__COL_SHAPE = 1,	/* place in the group's list of shapes */
	SCAP__COL_TIME,
	SCAP__COL_SEQ,		/* less what follows from the record before it in its part */
	/* Of the calls and entries among them. */
	SCAP__COL_TID,
	/* Of those of one event; index: argument, word of 4 bytes, or slot. */
	SCAP__COL_LATENCY,
	SCAP__COL_RESULT,
	SCAP__COL_COOKIE,
	SCAP__COL_COOKIE2,
	SCAP__COL_ARG,
	SCAP__COL_WORD,
	SCAP__COL_BLOB_NAME,	/* place in the list of names */
	SCAP__COL_BLOB_DATA,	/* place in the list of data */
	SCAP__COL_BLOB_BYTES,	/* length; the bytes are in COL_BYTES */
	SCAP__COL_BLOB_MORE,	/* original length less the captured one, modulo 2^32 */
	SCAP__COL_BYTES,	/* no numbers: bytes, one blob behind the other */
	/* Of the group. */
	SCAP__COL_NAME_LENGTH,
	SCAP__COL_NAME_BYTES,
	SCAP__COL_DATA_LENGTH,
	SCAP__COL_DATA_BYTES,
	SCAP__COL_RAW_LENGTH,	/* of records that are stored as they are, without time and seq */
	SCAP__COL_RAW_BYTES,
	SCAP__COLS,
	/* From here on a reader need not know them. */
	SCAP__COL_HINTS = 128,
};

#define SCAP__GROUP_RECORDS_MAX	(1u << 22)
#define SCAP__GROUP_EVENTS_MAX	4096u
#define SCAP__GROUP_SHAPES_MAX	65536u
#define SCAP__GROUP_WORDS_MAX	96u
#define SCAP__SHAPE_BLOBS_MAX	8u

/* The kinds that hold bytes. */
static inline bool scap__column_is_bytes(unsigned kind)
{
	return kind == SCAP__COL_BYTES || kind == SCAP__COL_NAME_BYTES ||
	       kind == SCAP__COL_DATA_BYTES || kind == SCAP__COL_RAW_BYTES;
}

/* Whose least and greatest value stand in the directory. */
static inline bool scap__column_has_bounds(unsigned kind)
{
	return kind == SCAP__COL_TID || kind == SCAP__COL_LATENCY || kind == SCAP__COL_RESULT;
}

/* Size of what stands in front of a record's blobs; 0: not a record of fixed words. */
static inline unsigned scap__fixed_bytes(unsigned type)
{
	static const uint16_t bytes[SCAP_REC_TYPES] = {
		[SCAP_REC_FORK] = sizeof(struct scap_rec_fork),
		[SCAP_REC_EXEC] = sizeof(struct scap_rec_exec),
		[SCAP_REC_EXIT] = sizeof(struct scap_rec_exit),
		[SCAP_REC_SIGNAL] = sizeof(struct scap_rec_signal),
		[SCAP_REC_SIGDELIVER] = sizeof(struct scap_rec_sigdeliver),
		[SCAP_REC_OOM] = sizeof(struct scap_rec_oom),
		[SCAP_REC_MODULE] = sizeof(struct scap_rec_module),
		[SCAP_REC_CGROUP] = sizeof(struct scap_rec_cgroup),
		[SCAP_REC_SWITCH] = sizeof(struct scap_rec_switch),
		[SCAP_REC_WAKE] = sizeof(struct scap_rec_wake),
		[SCAP_REC_FAULT] = sizeof(struct scap_rec_fault),
		[SCAP_REC_INTRO] = sizeof(struct scap_rec_intro),
		[SCAP_REC_FILE] = sizeof(struct scap_rec_file),
	};

	return type < SCAP_REC_TYPES ? bytes[type] : 0;
}

/* What follows a call's first 32 bytes, or an entry's 24, in front of its blobs. */
static inline unsigned scap__call_bytes(unsigned type, unsigned flags, unsigned shape)
{
	unsigned n = SCAP_SHAPE_NARGS(shape) * 8;

	if (type == SCAP_REC_ENTER)
		return sizeof(struct scap_rec_enter) + n;
	n += flags & SCAP_CALL_RET64 ? 8 : 0;
	n += flags & SCAP_CALL_COOKIES ? 8 : 0;
	return sizeof(struct scap_rec_call) + n;
}

/* ---- out ------------------------------------------------------------------------------------ */

struct scap__group_out;

/* 0, or there is no memory. */
int scap__group_out_new(struct scap__budget *budget, int level, struct scap__group_out **ret_g);
void scap__group_out_free(struct scap__group_out *g);
/*
 * Takes the records of a slice, whose parts the caller has checked to hold whole records: 0, or
 * there is no memory. Then the group can only be freed.
 */
int scap__group_out_slice(struct scap__group_out *g, const struct scap_slice *s);
size_t scap__group_out_row_bytes(const struct scap__group_out *g);
uint32_t scap__group_out_records(const struct scap__group_out *g);
uint32_t scap__group_out_slices(const struct scap__group_out *g);
/* The kinds of its records, in the machine's byte order: 0, or 1 when i is past the last. */
int scap__group_out_kind(const struct scap__group_out *g, uint32_t i,
			 struct scap__group_event *ret);
/* Appends the payload of a GROUP section, and empties the group: 0 or -ENOMEM. */
int scap__group_out_finish(struct scap__group_out *g, struct scap__buffer *out);

/* ---- in ------------------------------------------------------------------------------------- */

struct scap__group_in;

/*
 * What a reader needs of a group. Records that the chooser says no to need not come, nor INTRO and
 * FILE that no other record needs. follows(): whether a part that begins with first_seq follows
 * what came of the ring before the group; if it does not, or if anything is missing within the
 * group, all of it comes.
 */
struct scap__choice {
	const struct scap__chooser *chooser;	/* NULL: all */
	uint32_t version;	/* changes with it */
	bool (*follows)(void *ctx, uint32_t ring, uint32_t first_seq);
	void *follows_ctx;
};

/* A part of a slice as it was, or, if it is chosen from, the records of it that may matter. */
struct scap__group_part {
	uint32_t ring, n_records, first_seq, next_seq, n_events;
	uint64_t last_ns;
	size_t bytes;		/* of all records */
	const uint8_t *rows;	/* valid until the next slice is asked for */
	/* Chosen from: */
	size_t n_bytes;		/* there are at rows */
	uint32_t n_rows;	/* records there */
	uint32_t at;		/* the reader's place among them */
	uint32_t *index;	/* of each, its place in the part */
	uint32_t first;		/* place of the part's first record in the group */
	const uint64_t *order;	/* of all of the part's records, where they are placed in time */
};

struct scap__group_slice {
	struct scap__slice_header head;	/* in the machine's byte order */
	struct scap__group_part *parts;
	bool chosen;		/* not all records are there */
	const struct scap__group_in *group;
};

/* What the decompressor needs is kept from group to group. */
int scap__group_in_new(struct scap__budget *budget, struct scap__group_in **ret_g);
void scap__group_in_free(struct scap__group_in *g);
/*
 * Begins with a payload, which must stay where it is until the last slice was asked for: 0; or
 * SCAP_EDAMAGED with *ret_what a static text, -ENOMEM, SCAP_ELIMIT.
 */
int scap__group_in_begin(struct scap__group_in *g, const uint8_t *p, size_t n,
			 const char **ret_what);
/* The next slice: 0; 1 after the last one; or an error, after which the group is at its end. */
int scap__group_in_slice(struct scap__group_in *g, struct scap__group_slice **ret_s,
			 const char **ret_what);
/* Says what matters of the group that was begun: 0 or an error as above. choice must stay. */
int scap__group_in_choose(struct scap__group_in *g, const struct scap__choice *choice,
			  const char **ret_what);
/*
 * Of a chosen slice: its events, over all rings, that come before the record at place i of the
 * part.
 */
uint64_t scap__group_rank(const struct scap__group_slice *s, const struct scap__group_part *part,
			  uint32_t i);

#endif
