/* SPDX-License-Identifier: MIT */
/*
 * Columns of numbers, as docs/format.md section 8.4 has them: each is encoded in the way that
 * a trial finds smallest. What an encoder here makes is meant to be compressed by zstd afterwards.
 */
#ifndef SCAP_COLUMN_COLUMN_H
#define SCAP_COLUMN_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zstd.h>

#include "core/buffer.h"

enum scap__encoding {
	SCAP__ENC_CONST,	/* one value for all */
	SCAP__ENC_PLAIN,	/* fixed width above a base, with exceptions */
	SCAP__ENC_DELTA,	/* the same of the differences */
	SCAP__ENC_DELTA2,	/* the same of the differences' differences */
	SCAP__ENC_DICT,		/* fixed width, each the place of a value in a list */
	SCAP__ENC_RUNS,		/* values and how often each comes in a row */
	SCAP__ENCODINGS
};

#define SCAP__DICT_MAX 4096

/* The numbers of a column on their way in. */
struct scap__values {
	uint64_t *v;
	size_t n, cap;
	struct scap__budget *budget;	/* as of a buffer */
};

/* 0, -ENOMEM, SCAP_ELIMIT. */
int scap__values_grow(struct scap__values *c);
void scap__values_fini(struct scap__values *c);

static inline int scap__values_add(struct scap__values *c, uint64_t v)
{
	if (c->n == c->cap && scap__values_grow(c))
		return -1;
	c->v[c->n++] = v;
	return 0;
}

/* What trials need; kept from column to column. */
struct scap__trial {
	ZSTD_CCtx *zstd;
	struct scap__buffer coded, packed;
	struct scap__values a, b;
	uint64_t *dict;		/* room for a dictionary, and a table that finds its values */
	uint32_t *table;
	struct scap__budget *budget;
};

/* 0, or there is no memory. */
int scap__trial_init(struct scap__trial *t, struct scap__budget *budget);
void scap__trial_fini(struct scap__trial *t);

/* Appends the n numbers to out, in the encoding that seems smallest: 0; < 0: no memory. */
int scap__column_put(struct scap__trial *t, const uint64_t *v, size_t n, struct scap__buffer *out);
/* The same in a given encoding; 1: it can't hold these. */
int scap__column_put_as(struct scap__trial *t, enum scap__encoding enc, const uint64_t *v, size_t n,
			struct scap__buffer *out);
/*
 * Reads exactly `bytes` bytes that hold n numbers, into v: 0, -ENOMEM, SCAP_ELIMIT, SCAP_EDAMAGED.
 * Runs take memory of the budget meanwhile; NULL: malloc(3).
 */
int scap__column_get(struct scap__budget *budget, const uint8_t *p, size_t bytes, uint64_t *v,
		     size_t n);

/* The numbers, all below limit, which is at most 65536, in 16 bits each; -1: one is not. */
int scap__column_narrow(const uint64_t *v, size_t n, uint32_t limit, uint16_t *out);

#endif
