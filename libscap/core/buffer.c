/* SPDX-License-Identifier: MIT */
#include "core/buffer.h"

#include <string.h>

int scap__buffer_grow(struct scap__buffer *b, size_t n)
{
	size_t cap = b->n + n + (b->n + n) / 4;
	void *p = b->p;
	int rc = scap__realloc(b->budget, &p, b->cap, cap);

	if (rc)
		return rc;
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
	scap__free(b->budget, b->p, b->cap);
	*b = (struct scap__buffer){ .budget = b->budget };
}
