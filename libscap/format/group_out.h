/* SPDX-License-Identifier: MIT */
/* What the two halves of the way from rows to columns share: taking records, and packing them. */
#ifndef SCAP_FORMAT_GROUP_OUT_H
#define SCAP_FORMAT_GROUP_OUT_H

#include "column/heap.h"
#include "format/group.h"

/* Streams of an event: the columns of calls, or its words; then two for each slot. */
enum {
	SCAP__STREAM_LATENCY,
	SCAP__STREAM_RESULT,
	SCAP__STREAM_COOKIE,
	SCAP__STREAM_COOKIE2,
	SCAP__STREAM_ARG,
	SCAP__STREAM_BLOB = SCAP__GROUP_WORDS_MAX,
	SCAP__STREAM_MORE = SCAP__STREAM_BLOB + SCAP_SLOTS,
	SCAP__STREAMS = SCAP__STREAM_MORE + SCAP_SLOTS
};

#define SCAP__NO_PLACE UINT32_MAX

struct scap__out_event {
	struct scap__out_event *kept;		/* the next of all that ever were */
	struct scap__group_event id;
	uint32_t place;			/* in the group; SCAP__NO_PLACE: it has none of it */
	struct scap__values *streams[SCAP__STREAMS];
	uint8_t blob_kind[SCAP_SLOTS];	/* SCAP__COL_BLOB_*; 0: not known yet */
	struct scap__buffer *bytes[SCAP_SLOTS];
};

struct scap__out_shape {
	uint64_t key[2];
	struct scap__out_event *event;
	uint8_t n_blobs;
	struct scap__group_blob blobs[SCAP__SHAPE_BLOBS_MAX];
};

struct scap__group_out {
	struct scap__budget *budget;
	struct scap__trial trial;
	ZSTD_CCtx *zstd;
	int level, bytes_level;	/* of numbers; of strings and data, which gain more by effort */
	struct scap__out_event **events;
	struct scap__out_event *kept;	/* all, with the memory that the next group needs, too */
	struct scap__out_shape *shapes;
	struct scap__out_shape *last;	/* the last one that was found */
	uint32_t *table;	/* place of a shape + 1; 0: free */
	uint32_t n_events, n_shapes, cap_shapes, n_table;
	struct scap__buffer slices, parts;	/* of the directory */
	uint32_t n_slices, n_parts, n_records, n_columns;
	uint64_t start_ns, end_ns, row_bytes;
	struct scap__values shape, time, seq, tid, raw_length;
	struct scap__buffer raw_bytes;
	struct scap__heap names, data;
	struct scap__buffer dir, body, coded;
	bool no_memory;
};

/* The next group begins; memory stays. */
void scap__group_out_empty(struct scap__group_out *g);

#endif
