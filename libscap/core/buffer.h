/* SPDX-License-Identifier: MIT */
/* Memory that grows. */
#ifndef SCAP_CORE_BUFFER_H
#define SCAP_CORE_BUFFER_H

#include "core/arena.h"

struct scap__buffer {
	uint8_t *p;
	size_t n, cap;
	struct scap__budget *budget;	/* NULL: none, and malloc(3) */
};

int scap__buffer_grow(struct scap__buffer *b, size_t n);

/* At least n more bytes behind the buffer's end: 0, -ENOMEM, SCAP_ELIMIT. */
static inline int scap__buffer_reserve(struct scap__buffer *b, size_t n)
{
	return n <= b->cap - b->n ? 0 : scap__buffer_grow(b, n);
}

/* Appends; room must be there. */
void scap__buffer_put(struct scap__buffer *b, const void *data, size_t n);
/* Appends: the same. */
int scap__buffer_add(struct scap__buffer *b, const void *data, size_t n);
void scap__buffer_fini(struct scap__buffer *b);

/* A number of 1 to 10 bytes, 7 bits each, the low ones first. Room for 10 must be there. */
static inline void scap__buffer_put_varint(struct scap__buffer *b, uint64_t v)
{
	while (v >= 0x80) {
		b->p[b->n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	b->p[b->n++] = (uint8_t)v;
}

#define SCAP__VARINT_MAX_BYTES 10

#endif
