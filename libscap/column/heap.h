/* SPDX-License-Identifier: MIT */
/* Strings of bytes, each kept once and named by its place in the list. */
#ifndef SCAP_COLUMN_HEAP_H
#define SCAP_COLUMN_HEAP_H

#include "column/column.h"

struct scap__heap {
	struct scap__values lengths;
	struct scap__buffer bytes;
	struct scap__values starts;
	uint32_t *table;	/* place + 1; 0: free */
	uint64_t *hashes;	/* of each place */
	size_t n_table;		/* twice the hashes there is room for */
	struct scap__budget *budget;
};

void scap__heap_init(struct scap__heap *h, struct scap__budget *budget);
/* Its place in the list, to which it is added where it is new: 0, or there is no memory. */
int scap__heap_place(struct scap__heap *h, const void *p, size_t n, uint64_t *ret_place);
void scap__heap_clear(struct scap__heap *h);
void scap__heap_fini(struct scap__heap *h);

#endif
