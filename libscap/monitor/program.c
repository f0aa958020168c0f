/* SPDX-License-Identifier: MIT */
/* Programs, as far as signals tell them apart: a name in a cgroup. */
#include "monitor/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMM_BYTES 16

int scap__programs_init(struct scap__programs *p, uint32_t max)
{
	*p = (struct scap__programs){ .max = max + 1, .n = 1, .n_slots = 2 };
	while (p->n_slots < 2 * p->max)
		p->n_slots *= 2;
	p->v = calloc(p->max, sizeof(*p->v));
	p->slots = calloc(p->n_slots, sizeof(*p->slots));
	return p->v && p->slots ? 0 : -ENOMEM;
}

void scap__programs_fini(struct scap__programs *p)
{
	free(p->v);
	free(p->slots);
}

static uint32_t hash(const char *comm, uint64_t cgroup_id)
{
	uint64_t h = cgroup_id * 0x9e3779b97f4a7c15ull;

	for (unsigned i = 0; i < COMM_BYTES; i++)
		h = (h ^ (uint8_t)comm[i]) * 0x100000001b3ull;
	return (uint32_t)(h ^ h >> 32);
}

struct scap__program *scap__programs_get(struct scap__programs *p, const uint8_t *comm,
					 uint64_t cgroup_id)
{
	char name[COMM_BYTES + 1] = { 0 };	/* compared whole: zeros behind its end */
	struct scap_signals *s;
	uint32_t i;

	memcpy(name, comm, strnlen((const char *)comm, COMM_BYTES));
	i = hash(name, cgroup_id) & (p->n_slots - 1);
	for (; p->slots[i]; i = (i + 1) & (p->n_slots - 1)) {
		s = &p->v[p->slots[i]].s;
		if (s->cgroup_id == cgroup_id && !memcmp(s->comm, name, sizeof(name)))
			return &p->v[p->slots[i]];
	}
	if (p->n == p->max) {
		p->n_dropped++;
		return &p->v[0];
	}
	p->slots[i] = p->n;
	s = &p->v[p->n].s;
	s->cgroup_id = cgroup_id;
	memcpy(s->comm, name, sizeof(name));
	return &p->v[p->n++];
}
