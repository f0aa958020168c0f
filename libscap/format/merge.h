/* SPDX-License-Identifier: MIT */
/*
 * The records of one slice in the order of time. The order of a ring is kept, also where its
 * clock stepped back: such a record is placed as if it had its predecessor's time. Of equal times
 * the lower ring comes first. Rings are numbered cpu * SCAP_LANES + lane.
 */
#ifndef SCAP_FORMAT_MERGE_H
#define SCAP_FORMAT_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

struct scap__cursor {
	const uint8_t *p, *end;
	uint64_t order_ns;	/* where the record at p is placed */
	uint32_t ring;
	uint32_t bytes;		/* of the record at p */
	uint32_t n_left;	/* records that the directory promises, that at p included */
};

struct scap__merge {
	struct scap__cursor *heap;	/* the first is the next one */
	uint32_t n, cap;
	uint64_t start_ns, end_ns;
	struct scap__budget *budget;
};

void scap__merge_init(struct scap__merge *m, struct scap__budget *budget);
void scap__merge_fini(struct scap__merge *m);
/* Begins a slice of at most n_parts parts: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__merge_begin(struct scap__merge *m, uint32_t n_parts, uint64_t start_ns, uint64_t end_ns);
/* Adds a part; empty ones are left out: 0, or SCAP_EDAMAGED when its first record is broken. */
int scap__merge_add(struct scap__merge *m, uint32_t ring, const uint8_t *rows, size_t bytes,
		    uint32_t n_records);
/* Where the next record is, or NULL. */
const struct scap__cursor *scap__merge_top(const struct scap__merge *m);
/* Goes past it: 0, or SCAP_EDAMAGED when the rest of its CPU's part is broken and was dropped. */
int scap__merge_advance(struct scap__merge *m);

#endif
