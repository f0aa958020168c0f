/* SPDX-License-Identifier: MIT */
#include "core/map.h"

#include <scap/error.h>
#include <string.h>

#define FIRST_SLOTS	256u
#define MAX_SLOTS	(1u << 28)

void scap__map_init(struct scap__map *m, struct scap__budget *budget)
{
	*m = (struct scap__map){ .budget = budget };
}

/* Keys differ in few low bits of either half: the multiplication spreads both to the top. */
static uint32_t first_slot(uint64_t key, uint32_t n_slots)
{
	key ^= key >> 32;
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (n_slots - 1);
}

/* The key's slot, or the free one where it would go. There is always a free one. */
static struct scap__map_slot *find(struct scap__map_slot *slots, uint32_t n_slots, uint64_t key)
{
	uint32_t i = first_slot(key, n_slots);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (n_slots - 1);
	return &slots[i];
}

void *scap__map_get(const struct scap__map *m, uint64_t key)
{
	struct scap__map_slot *slot;

	if (!m->n_used)
		return NULL;
	slot = find(m->slots, m->n_slots, key);
	return slot->key ? slot->value : NULL;
}

static __attribute__((noinline)) int grow(struct scap__map *m)
{
	uint32_t n_slots = m->n_slots ? m->n_slots * 2 : FIRST_SLOTS;
	struct scap__map_slot *slots;
	void *p;
	int rc;

	if (n_slots > MAX_SLOTS)
		return SCAP_ELIMIT;
	rc = scap__alloc_zeroed(m->budget, n_slots * sizeof(*slots), &p);
	if (rc)
		return rc;
	slots = p;
	for (uint32_t i = 0; i < m->n_slots; i++)
		if (m->slots[i].key)
			*find(slots, n_slots, m->slots[i].key) = m->slots[i];
	scap__free(m->budget, m->slots, m->n_slots * sizeof(*slots));
	m->slots = slots;
	m->n_slots = n_slots;
	return 0;
}

int scap__map_set(struct scap__map *m, uint64_t key, void *value)
{
	struct scap__map_slot *slot;

	if (m->n_used >= m->n_slots / 2) {
		int rc = grow(m);

		if (rc)
			return rc;
	}
	slot = find(m->slots, m->n_slots, key);
	m->n_used += !slot->key;
	slot->key = key;
	slot->value = value;
	return 0;
}

void scap__map_clear(struct scap__map *m)
{
	if (m->n_used)
		memset(m->slots, 0, (size_t)m->n_slots * sizeof(*m->slots));
	m->n_used = 0;
}

void scap__map_fini(struct scap__map *m)
{
	scap__free(m->budget, m->slots, m->n_slots * sizeof(*m->slots));
	scap__map_init(m, m->budget);
}
