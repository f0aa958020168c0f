/* SPDX-License-Identifier: MIT */
/* What the two halves of the way from columns to rows share: opening a group, and making rows. */
#ifndef SCAP_FORMAT_GROUP_IN_H
#define SCAP_FORMAT_GROUP_IN_H

#include "format/group.h"

/* A column, and how far it was used. It is unpacked when it is first used. */
struct scap__column {
	const uint64_t *v;	/* NULL: of bytes, or not unpacked yet */
	const uint8_t *p;	/* as stored; of bytes that are unpacked: as they are */
	uint32_t n, at;
	uint32_t raw_bytes, stored_bytes, crc;
	bool of_bytes, unpacked;
};

struct scap__column_event {
	uint8_t type, abi;
	uint16_t nr;
	struct scap__column latency, result, cookie[2], arg[6];
	struct scap__column *words;	/* SCAP__GROUP_WORDS_MAX; NULL: a call or entry */
	struct scap__column *blob[SCAP_SLOTS];	/* two: the blobs, then what is more of them */
	struct scap__column bytes[SCAP_SLOTS];
	uint8_t blob_kind[SCAP_SLOTS];
};

struct scap__shape {
	uint8_t type, flags, shape, more, n_blobs;
	bool wanted;
	struct scap__column_event *event;
	const uint8_t *blobs;	/* struct scap__group_blob */
};

/* Strings by their place. */
struct scap__string_list {
	struct scap__column lengths, bytes;
	uint32_t *starts;
};

struct scap__group_in {
	struct scap__budget *budget;
	ZSTD_DCtx *zstd;
	struct scap__arena arena;	/* of one group */
	const char *what;		/* what is wrong */
	struct scap__bytes slices, parts, body;
	struct scap__column_event **events;
	struct scap__shape *shapes;
	uint32_t n_events, n_shapes, n_records, n_slices, n_slices_left, n_parts_left;
	struct scap__column shape, time, seq, tid, raw_length, raw_bytes;
	struct scap__string_list names, data;
	uint8_t *rows;			/* of one slice */
	size_t rows_cap;
	struct scap__group_part *slice_parts;
	struct scap__group_slice slice;
	const struct scap__choice *choice;	/* NULL: all */
	bool any_wanted;	/* an event of a kind that may matter is in it */
	bool whole_epochs;	/* nothing behind it needs its introductions */
};


/* Says what is wrong with the group: SCAP_EDAMAGED. */
int scap__group_bad(struct scap__group_in *g, const char *what);
/* Unpacks a column unless it is: 0 or an error. */
int scap__group_load(struct scap__group_in *g, struct scap__column *c);
/* The same of a list, whose strings can be found then. */
int scap__group_load_list(struct scap__group_in *g, struct scap__string_list *l);

#endif
