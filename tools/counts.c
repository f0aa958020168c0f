/* SPDX-License-Identifier: MIT */
#include "counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void counts_init(struct counts *c)
{
	*c = (struct counts){ 0 };
}

void counts_fini(struct counts *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		free(c->rows[i].text);
	free(c->rows);
	free(c->index);
	*c = (struct counts){ 0 };
}

static uint32_t hash_of(const char *text, size_t bytes)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	return h;
}

static uint32_t find(const struct counts *c, const char *text, uint32_t bytes, uint32_t hash)
{
	uint32_t i = hash & (c->index_cap - 1);

	for (; c->index[i]; i = (i + 1) & (c->index_cap - 1)) {
		const struct count *row = &c->rows[c->index[i] - 1];

		if (row->hash == hash && row->bytes == bytes && !memcmp(row->text, text, bytes))
			break;
	}
	return i;
}

static int grow(struct counts *c)
{
	uint32_t cap = c->cap ? c->cap * 2 : 256;
	uint32_t *index = calloc(cap * 2, sizeof(*index));
	struct count *rows = index ? realloc(c->rows, cap * sizeof(*rows)) : NULL;

	if (!rows) {
		free(index);
		return -ENOMEM;
	}
	free(c->index);
	c->rows = rows;
	c->index = index;
	c->cap = cap;
	c->index_cap = cap * 2;
	for (uint32_t i = 0; i < c->n; i++)
		index[find(c, rows[i].text, rows[i].bytes, rows[i].hash)] = i + 1;
	return 0;
}

static int insert(struct counts *c, const char *text, size_t bytes, uint32_t hash)
{
	char *copy;

	if (c->n == COUNTS_MAX || bytes >= COUNTS_MAX_BYTES - c->text_bytes)
		return -E2BIG;
	if (c->n == c->cap && grow(c) < 0)
		return -ENOMEM;
	copy = malloc(bytes + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, bytes);
	copy[bytes] = 0;
	c->text_bytes += bytes + 1;
	c->index[find(c, text, bytes, hash)] = c->n + 1;
	c->rows[c->n++] = (struct count){ .text = copy, .hash = hash, .bytes = bytes, .n = 1 };
	return 0;
}

int counts_add(struct counts *c, const char *text, size_t bytes)
{
	uint32_t hash = hash_of(text, bytes), i;

	if (c->n) {
		i = find(c, text, bytes, hash);
		if (c->index[i]) {
			c->rows[c->index[i] - 1].n++;
			return 0;
		}
	}
	return insert(c, text, bytes, hash);
}

static int compare(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->text, y->text);
}

void counts_sort(struct counts *c)
{
	if (c->n)
		qsort(c->rows, c->n, sizeof(*c->rows), compare);
}
