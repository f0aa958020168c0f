/* SPDX-License-Identifier: MIT */
/* What the two halves of choosing share: which kinds may matter, and which records. */
#ifndef SCAP_FORMAT_GROUP_CHOOSE_H
#define SCAP_FORMAT_GROUP_CHOOSE_H

#include <string.h>

#include "format/group_in.h"

/* Sets of tids, and of cookies: a bit for each, which others may share. */
#define SCAP__SET_BITS 15

static inline uint32_t scap__set_bit(uint64_t id)
{
	return (uint32_t)id * 0x9e3779b1u >> (32 - SCAP__SET_BITS);
}

static inline void scap__set_add(uint64_t *set, uint64_t id)
{
	uint32_t bit = scap__set_bit(id);

	set[bit / 64] |= 1ull << bit % 64;
}

static inline bool scap__set_has(const uint64_t *set, uint64_t id)
{
	uint32_t bit = scap__set_bit(id);

	return set[bit / 64] >> bit % 64 & 1;
}

static inline int scap__set_new(struct scap__group_in *g, uint64_t **ret)
{
	void *room;
	int rc = scap__arena_get(&g->arena, sizeof(uint64_t) << (SCAP__SET_BITS - 6), &room);

	*ret = room;
	return rc;
}

static inline void scap__set_clear(uint64_t *set)
{
	memset(set, 0, sizeof(*set) << (SCAP__SET_BITS - 6));
}

static inline bool scap__in_ranges(const struct scap__ranges *r, int64_t v)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (v >= r->v[i].first && v <= r->v[i].last)
			return true;
	return false;
}

static inline bool scap__has_result(const struct scap__shape *s)
{
	return !(s->more & SCAP_MORE_NO_RET) && !(s->flags & SCAP_CALL_TRAPPED);
}

static inline bool scap__is_intro(const struct scap__shape *s)
{
	return s->type == SCAP_REC_INTRO || s->type == SCAP_REC_FILE;
}

static inline int scap__group_need(struct scap__group_in *g, struct scap__column *c)
{
	return c->unpacked ? 0 : scap__group_load(g, c);
}

/*
 * Asks the records that g->asked lists, in their order, and says which are wanted: 0 or an error.
 * Columns that decide are unpacked, or have decided.
 */
int scap__group_ask(struct scap__group_in *g);

#endif
