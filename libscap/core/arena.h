/* SPDX-License-Identifier: MIT */
/*
 * Memory within a budget that several owners, and threads, may share, and from an allocator that
 * may be a caller's; and memory that is given back all at once.
 */
#ifndef SCAP_CORE_ARENA_H
#define SCAP_CORE_ARENA_H

#include <scap/io.h>
#include <stdatomic.h>
#include <stdbool.h>

struct scap__budget {
	_Atomic uint64_t used;	/* bytes */
	uint64_t limit;
	atomic_bool refused;	/* anything, ever */
	struct scap_allocator allocator;	/* alloc NULL: malloc(3) */
};

/* NULL, which means malloc(3), is. */
bool scap__allocator_is_valid(const struct scap_allocator *a);
void scap__budget_init(struct scap__budget *b, uint64_t limit,
		       const struct scap_allocator *allocator);
/* 0, SCAP_ELIMIT; takes n bytes, or gives them back, of memory that comes from elsewhere. */
int scap__budget_take(struct scap__budget *b, uint64_t n);
void scap__budget_give(struct scap__budget *b, uint64_t n);

/* n bytes, as they are or zeroed: 0, -ENOMEM, SCAP_ELIMIT. b NULL: malloc(3)'s, no limit. */
int scap__alloc(struct scap__budget *b, size_t n, void **ret_p);
int scap__alloc_zeroed(struct scap__budget *b, size_t n, void **ret_p);
/* Zeroed; NULL: there is none, or none within the limit. */
void *scap__new(struct scap__budget *b, size_t n);
/* *p, of old bytes, becomes larger, and may move: the same; *p stays as it is on failure. */
int scap__realloc(struct scap__budget *b, void **p, size_t old, size_t n);
/* p, of n bytes; NULL is allowed. */
void scap__free(struct scap__budget *b, void *p, size_t n);
/* The allocator alone: for libraries that give back without a size. */
void *scap__allocator_alloc(const struct scap_allocator *a, size_t n);
void scap__allocator_free(const struct scap_allocator *a, void *p);

struct scap__chunk;

struct scap__arena {
	struct scap__chunk *head;
	struct scap__budget *budget;
};

void scap__arena_init(struct scap__arena *a, struct scap__budget *budget);
/* n zeroed bytes, aligned for any type: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__arena_get(struct scap__arena *a, size_t n, void **ret_p);
/* The same, but not zeroed: for what is written at once. */
int scap__arena_room(struct scap__arena *a, size_t n, void **ret_p);
/* Gives everything back but keeps one chunk for the next round. */
void scap__arena_reset(struct scap__arena *a);
void scap__arena_fini(struct scap__arena *a);

#endif
