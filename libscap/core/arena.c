/* SPDX-License-Identifier: MIT */
#include "core/arena.h"

#include <errno.h>
#include <scap/error.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES	(64u << 10)
#define ALIGN		16u

struct scap__chunk {
	struct scap__chunk *next;
	size_t cap, used;
	size_t pad;
	_Alignas(ALIGN) uint8_t data[];
};

int scap__budget_take(struct scap__budget *b, uint64_t n)
{
	if (n > b->limit - b->used)
		return SCAP_ELIMIT;
	b->used += n;
	return 0;
}

void scap__budget_give(struct scap__budget *b, uint64_t n)
{
	b->used -= n;
}

void scap__arena_init(struct scap__arena *a, struct scap__budget *budget)
{
	a->head = NULL;
	a->budget = budget;
}

static int add_chunk(struct scap__arena *a, size_t need)
{
	size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
	struct scap__chunk *c;
	int rc = scap__budget_take(a->budget, sizeof(*c) + cap);

	if (rc)
		return rc;
	c = malloc(sizeof(*c) + cap);
	if (!c) {
		scap__budget_give(a->budget, sizeof(*c) + cap);
		return -ENOMEM;
	}
	c->next = a->head;
	c->cap = cap;
	c->used = 0;
	a->head = c;
	return 0;
}

int scap__arena_room(struct scap__arena *a, size_t n, void **ret_p)
{
	int rc;

	if (n > SIZE_MAX / 2)
		return SCAP_ELIMIT;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!a->head || n > a->head->cap - a->head->used) {
		rc = add_chunk(a, n);
		if (rc)
			return rc;
	}
	*ret_p = a->head->data + a->head->used;
	a->head->used += n;
	return 0;
}

int scap__arena_get(struct scap__arena *a, size_t n, void **ret_p)
{
	int rc = scap__arena_room(a, n, ret_p);

	if (!rc)
		memset(*ret_p, 0, n);
	return rc;
}

static void free_chunks(struct scap__arena *a, struct scap__chunk *c)
{
	while (c) {
		struct scap__chunk *next = c->next;

		scap__budget_give(a->budget, sizeof(*c) + c->cap);
		free(c);
		c = next;
	}
}

void scap__arena_reset(struct scap__arena *a)
{
	if (!a->head)
		return;
	free_chunks(a, a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
}

void scap__arena_fini(struct scap__arena *a)
{
	free_chunks(a, a->head);
	a->head = NULL;
}
