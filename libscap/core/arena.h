/* SPDX-License-Identifier: MIT */
/* Memory that is given back all at once, within a budget that several owners may share. */
#ifndef SCAP_CORE_ARENA_H
#define SCAP_CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct scap__budget {
	uint64_t used, limit;	/* bytes */
};

/* 0, SCAP_ELIMIT; takes n bytes, or gives them back. */
int scap__budget_take(struct scap__budget *b, uint64_t n);
void scap__budget_give(struct scap__budget *b, uint64_t n);

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
