/* SPDX-License-Identifier: MIT */
/* What the two halves of the way from columns to rows share: opening a group, and making rows. */
#ifndef SCAP_FORMAT_GROUP_IN_H
#define SCAP_FORMAT_GROUP_IN_H

#include "core/map.h"
#include "format/choose.h"
#include "format/group.h"

/* A column, and how far it was used. It is unpacked when it is first used. */
struct scap__column {
	const uint64_t *v;	/* NULL: of bytes, or not unpacked yet */
	const uint8_t *p;	/* as stored; of bytes that are unpacked: as they are */
	uint32_t n, at;
	uint32_t raw_bytes, stored_bytes, crc;
	int64_t least, most;	/* if bounded */
	bool of_bytes, unpacked, bounded;
};

struct scap__range {
	int64_t first, last;
};

struct scap__ranges {
	struct scap__range *v;	/* ascending */
	uint32_t n;
	bool all;
};

/* What is wanted of a kind of event. */
struct scap__kind {
	bool may;
	bool no_latency;	/* also where the latency is not known */
	enum scap__by_file by_file;
	struct scap__ranges results, latencies;
};

struct scap__column_event {
	uint8_t type, abi;
	uint16_t nr;
	bool asked;		/* records of some of its shapes may matter */
	struct scap__kind *kind;	/* NULL: not asked for, or stored as it is */
	struct scap__shape *shapes;	/* of it */
	uint32_t seen, seen_cookies;	/* records that were asked; those with cookies */
	uint8_t *fits;		/* whether each one's numbers do; NULL: not decided all at once */
	struct scap__column latency, result, cookie[2], arg[6];
	struct scap__column *words;	/* SCAP__GROUP_WORDS_MAX; NULL: a call or entry */
	struct scap__column *blob[SCAP_SLOTS];	/* two: the blobs, then what is more of them */
	struct scap__column bytes[SCAP_SLOTS];
	uint32_t synced[SCAP_SLOTS];	/* lengths up to which bytes[].at is right */
	uint8_t blob_kind[SCAP_SLOTS];
};

struct scap__shape {
	uint8_t type, flags, shape, more, n_blobs;
	bool is_call;		/* or an entry */
	bool is_event;
	bool has_cookies;	/* columns of them */
	bool wanted;		/* its records may matter, by their kind */
	uint32_t skipped;	/* records that its columns are still to be moved over */
	struct scap__shape *next;	/* of the same event */
	struct scap__column_event *event;
	const uint8_t *blobs;	/* struct scap__group_blob */
};

/* Strings by their place. */
struct scap__string_list {
	struct scap__column lengths, bytes;
	uint32_t *starts;
};

/* A record that may matter, or introduces others. */
struct scap__asked {
	uint32_t at;		/* place in the group */
	uint32_t call;		/* calls and entries before it */
	bool want;
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
	bool whole_epochs;	/* nothing behind it needs its introductions */
	/* Chosen from, see group_choose.c: */
	const struct scap__choice *choice;	/* NULL: all */
	bool any_wanted;	/* an event of a kind that may matter is in it */
	uint16_t *place;	/* the shapes column */
	struct scap__asked *asked;	/* records that may matter; NULL: none */
	uint32_t n_asked, asked_at, n_calls;
	uint32_t *n_of_shape;
	uint64_t *event_bits;	/* of each record, whether it is an event */
	uint32_t *events_before;	/* how many there are before each 64 of these */
	uint8_t *tid_fits;	/* whether each call's tid does; NULL: any */
	uint64_t *threads, *files;	/* sets of tids and cookies that may matter; NULL: any */
	uint8_t *scratch;	/* a record */
	/* From group to group: */
	struct scap__arena kept;
	struct scap__map kinds;	/* struct scap__kind */
	struct scap__ranges tids;
	bool tids_found;
	uint32_t version;	/* of the choice that these were asked of */
};

#define SCAP__EXEC_COOKIE_WORD \
	((offsetof(struct scap_rec_exec, cookie) - sizeof(struct scap_rec)) / 4)

/* Says what is wrong with the group: SCAP_EDAMAGED. */
int scap__group_bad(struct scap__group_in *g, const char *what);
/* Unpacks a column unless it is: 0 or an error. */
int scap__group_load(struct scap__group_in *g, struct scap__column *c);
/* The same of a list, whose strings can be found then. */
int scap__group_load_list(struct scap__group_in *g, struct scap__string_list *l);
/*
 * Makes a record of the shape at p out of the next values of its columns, without its number and
 * time: 0 or an error.
 */
int scap__group_make(struct scap__group_in *g, const struct scap__shape *s, uint8_t *p, size_t cap,
		     size_t *ret_n);
/* A slice's header as the directory has it, in the machine's byte order. */
void scap__group_get_slice(struct scap__bytes *b, struct scap__slice_header *h);
/* A part as the directory has it; false: of a lane that there is not. */
bool scap__group_get_part(struct scap__bytes *b, struct scap__group_part *part);

#endif
