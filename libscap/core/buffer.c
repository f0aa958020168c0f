/* SPDX-License-Identifier: MIT */
#include "core/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int scap__buffer_reserve(struct scap__buffer *b, size_t n)
{
	size_t cap;
	uint8_t *p;

	if (n <= b->cap - b->n)
		return 0;
	cap = b->n + n + (b->n + n) / 4;
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

void scap__buffer_put(struct scap__buffer *b, const void *data, size_t n)
{
	if (n)
		memcpy(b->p + b->n, data, n);
	b->n += n;
}

int scap__buffer_add(struct scap__buffer *b, const void *data, size_t n)
{
	int rc = scap__buffer_reserve(b, n);

	if (!rc)
		scap__buffer_put(b, data, n);
	return rc;
}

void scap__buffer_fini(struct scap__buffer *b)
{
	free(b->p);
	*b = (struct scap__buffer){ 0 };
}
