/* SPDX-License-Identifier: MIT */
/* A hash table from non-zero 64-bit keys to pointers; entries are only ever removed all at once. */
#ifndef SCAP_CORE_MAP_H
#define SCAP_CORE_MAP_H

#include "core/arena.h"

struct scap__map_slot {
	uint64_t key;		/* 0: free */
	void *value;
};

struct scap__map {
	struct scap__map_slot *slots;
	uint32_t n_slots;	/* a power of two, or 0 */
	uint32_t n_used;
	struct scap__budget *budget;
};

void scap__map_init(struct scap__map *m, struct scap__budget *budget);
/* NULL: not there. */
void *scap__map_get(const struct scap__map *m, uint64_t key);
/* Adds or replaces: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__map_set(struct scap__map *m, uint64_t key, void *value);
void scap__map_clear(struct scap__map *m);
void scap__map_fini(struct scap__map *m);

#endif
