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

/* ---- budgets ------------------------------------------------------------------------------- */

bool scap__allocator_is_valid(const struct scap_allocator *a)
{
	return !a || (a->alloc && a->free);
}

void scap__budget_init(struct scap__budget *b, uint64_t limit,
		       const struct scap_allocator *allocator)
{
	*b = (struct scap__budget){ .limit = limit };
	if (allocator)
		b->allocator = *allocator;
}

int scap__budget_take(struct scap__budget *b, uint64_t n)
{
	uint64_t used = atomic_load_explicit(&b->used, memory_order_relaxed);

	do {
		if (n > b->limit - used) {
			atomic_store_explicit(&b->refused, true, memory_order_relaxed);
			return SCAP_ELIMIT;
		}
	} while (!atomic_compare_exchange_weak_explicit(&b->used, &used, used + n,
							memory_order_relaxed,
							memory_order_relaxed));
	return 0;
}

void scap__budget_give(struct scap__budget *b, uint64_t n)
{
	atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
}

void *scap__allocator_alloc(const struct scap_allocator *a, size_t n)
{
	return a->alloc ? a->alloc(a->ctx, n ? n : 1) : malloc(n);
}

void scap__allocator_free(const struct scap_allocator *a, void *p)
{
	if (p && a->alloc)
		a->free(a->ctx, p);
	else
		free(p);
}

static bool is_plain(const struct scap__budget *b)
{
	return !b || !b->allocator.alloc;
}

/* calloc(3) leaves pages alone that were never used. */
static void *get(struct scap__budget *b, size_t n, bool zeroed)
{
	void *p;

	if (is_plain(b))
		return zeroed ? calloc(1, n) : malloc(n);
	p = scap__allocator_alloc(&b->allocator, n);
	return p && zeroed ? memset(p, 0, n) : p;
}

static int alloc(struct scap__budget *b, size_t n, bool zeroed, void **ret_p)
{
	int rc = b ? scap__budget_take(b, n) : 0;
	void *p;

	if (rc)
		return rc;
	p = get(b, n, zeroed);
	if (p)
		*ret_p = p;
	else if (b)
		scap__budget_give(b, n);
	return p ? 0 : -ENOMEM;
}

int scap__alloc(struct scap__budget *b, size_t n, void **ret_p)
{
	return alloc(b, n, false, ret_p);
}

int scap__alloc_zeroed(struct scap__budget *b, size_t n, void **ret_p)
{
	return alloc(b, n, true, ret_p);
}

void *scap__new(struct scap__budget *b, size_t n)
{
	void *p;

	return scap__alloc_zeroed(b, n, &p) ? NULL : p;
}

static int move(struct scap__budget *b, void **p, size_t old, size_t n)
{
	void *to;
	int rc = scap__alloc(b, n, &to);

	if (rc)
		return rc;
	if (old)
		memcpy(to, *p, old);
	scap__free(b, *p, old);
	*p = to;
	return 0;
}

int scap__realloc(struct scap__budget *b, void **p, size_t old, size_t n)
{
	void *to;
	int rc;

	if (!is_plain(b))
		return move(b, p, old, n);
	rc = b ? scap__budget_take(b, n - old) : 0;
	if (rc)
		return rc;
	to = realloc(*p, n);
	if (to)
		*p = to;
	else if (b)
		scap__budget_give(b, n - old);
	return to ? 0 : -ENOMEM;
}

void scap__free(struct scap__budget *b, void *p, size_t n)
{
	if (is_plain(b))
		free(p);
	else
		scap__allocator_free(&b->allocator, p);
	if (b && p)
		scap__budget_give(b, n);
}

/* ---- arenas -------------------------------------------------------------------------------- */

void scap__arena_init(struct scap__arena *a, struct scap__budget *budget)
{
	a->head = NULL;
	a->budget = budget;
}

static int add_chunk(struct scap__arena *a, size_t need)
{
	size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
	struct scap__chunk *c;
	void *p;
	int rc = scap__alloc(a->budget, sizeof(*c) + cap, &p);

	if (rc)
		return rc;
	c = p;
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

		scap__free(a->budget, c, sizeof(*c) + c->cap);
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
