/* SPDX-License-Identifier: MIT */
/*
 * Columns: fields of events as arrays, some thousand events at a time.
 *
 *	static const char *const fields[] = { "proc.name", "evt.buflen" };
 *	const struct scap_columns_batch *b;
 *
 *	if (scap_columns_open(r, fields, 2, filter, &c, &err) < 0)
 *		...err.text...
 *	while ((rc = scap_columns_next(c, 4096, &b)) == 0)
 *		for (uint32_t i = 0; i < b->n_rows; i++)
 *			if (scap_column_has(&b->columns[1], i))
 *				sum += b->columns[1].u64[i];
 *	if (rc < 0)
 *		...scap_reader_error(r)->text...
 *	scap_columns_close(c);
 *
 * The arrays are laid out as Apache Arrow has them, but for bools. A cursor is used by one thread
 * at a time, that of its reader.
 */
#ifndef SCAP_COLUMNS_H
#define SCAP_COLUMNS_H

#include <scap/error.h>
#include <scap/filter.h>
#include <scap/reader.h>

struct scap_columns;

#define SCAP_COLUMNS_MAX_FIELDS 256
#define SCAP_COLUMNS_MAX_ROWS 65536	/* of a batch */

/*
 * Texts and bytes are raw where programs or the kernel gave them, such as names, paths, payloads:
 * any bytes may be in them. What is composed (evt.args, names of flags, a socket's ends) is safe
 * for a terminal, and cut at 128 KiB. Times of day are in UTC. Addresses and fd.port are as in
 * scap_field_text(): "10.0.0.1", "::1", "80"; both ends "10.0.0.1->10.0.0.2", "4711->80".
 */
enum scap_column_type {
	SCAP_COLUMN_UINT64 = 1,	/* number, time, duration; fd.lport, fd.rport */
	SCAP_COLUMN_INT64 = 2,	/* number that may be negative */
	SCAP_COLUMN_BOOL = 3,
	SCAP_COLUMN_BYTES = 4,	/* text and bytes; addresses; fd.port, which may be two */
};

/* Of the arrays only those of the type are there, the others are NULL. */
struct scap_column {
	uint32_t type;		/* SCAP_COLUMN_* */
	uint32_t n_missing;	/* rows whose event does not have the field */
	/* A bit for each row, the lowest first. 0: missing, and the value is 0, or empty. */
	const uint8_t *valid;
	const uint64_t *u64;
	const int64_t *i64;
	const uint8_t *bools;	/* 0 or 1 */
	const uint32_t *offsets;	/* n_rows + 1 of them: row i is bytes[offsets[i]] up to */
	const uint8_t *bytes;	/* bytes[offsets[i + 1]]; may be NULL if all rows are empty */
};

/*
 * Events that are missing: so far, from the cursor's beginning up to the batch's last row at least.
 * They lie before or between the rows of the batch in which the numbers have grown.
 */
struct scap_columns_batch {
	uint32_t n_rows;	/* 0: the batch only tells of losses */
	uint32_t n_columns;
	const struct scap_column *columns;	/* in the order of the fields */
	uint64_t n_lost;	/* that GAP records tell of, */
	uint64_t n_unexplained;	/* that no record does: scap_event_gap_unexplained() */
	uint64_t n_lost_sure;	/* of both, those that the filter would have chosen for certain, */
	uint64_t n_lost_maybe;	/* and those that it may have: scap_filter_gap() */
};

/*
 * Fields are those of docs/filter.md, such as "proc.name" or "evt.arg[1]"; with none, rows are only
 * counted. f NULL: all events. SCAP_ESYNTAX: err->offset is the column in the field's name, the
 * text begins with the field's number, from 1. SCAP_ELIMIT: too many fields, or more memory than
 * the reader's limit.
 *
 * f is given to scap_reader_choose(): as there, it must live as long as the reader. Until the
 * cursor is closed, nothing else may read from r or seek; then r goes on behind what the cursor
 * has read. All memory counts as the reader's: close the cursor first.
 */
SCAP_API int scap_columns_open(struct scap_reader *r, const char *const *fields, unsigned n_fields,
			       const struct scap_filter *f, struct scap_columns **ret_c,
			       struct scap_error *err);
/*
 * The next max_rows matching events or fewer: 0. A batch ends early where it has 1 MiB of bytes, at
 * SCAP_COLUMNS_MAX_ROWS, and in front of what else there is to tell, which the next call returns: 1
 * at the end, 2 at a segment's, or an error, all as scap_reader_next(); reading goes on after
 * SCAP_EDAMAGED. scap_reader_error() has the details. After SCAP_ELIMIT and -ENOMEM for want of
 * room for the columns themselves, calling again begins with the same event; fewer rows may fit.
 * -EINVAL: max_rows is 0.
 * Book-keeping and keyframes are no events here, whatever the reader delivers.
 * The batch and its arrays are the cursor's and live until the next call.
 */
SCAP_API int scap_columns_next(struct scap_columns *c, uint32_t max_rows,
			       const struct scap_columns_batch **ret_batch);
/* NULL is allowed. */
SCAP_API void scap_columns_close(struct scap_columns *c);

static inline bool scap_column_has(const struct scap_column *c, uint32_t row)
{
	return c->valid[row / 8] >> row % 8 & 1;
}

#endif
