/* SPDX-License-Identifier: MIT */
#include <scap/summary.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/map.h"
#include "format/reader.h"

#define NAME_BYTES 40
#define NR_OTHER 0xffff
#define MEMORY_LIMIT_BYTES (256ull << 20)

struct type_count {
	struct type_count *next;	/* in no order */
	struct type_count *same_hash;
	uint64_t stored, lost;
	char name[NAME_BYTES];
};

struct cpu_count {
	uint32_t cpu;
	uint64_t stored, lost;
};

struct scap_summary {
	struct scap_summary_totals totals;
	struct scap__budget budget;
	struct scap__map by_key;	/* tally key + 1 -> the type's count */
	struct scap__map by_hash;	/* of its name */
	struct type_count *list;
	struct type_count **types;	/* sorted, once all is read */
	uint32_t n_types;
	struct cpu_count *cpus;
	uint32_t n_cpus;
	uint64_t *ring_gaps;		/* lost by ring as GAPs tell, n_ring_gaps */
	uint32_t n_ring_gaps;
	struct scap_summary_segment *segments;
	uint32_t n_segments;
	uint64_t segment_last_ns;	/* wall time of the latest event of the one at hand */
	uint64_t segment_first;		/* events before it */
};

/* FNV-1a, never 0. */
static uint64_t hash_of(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (*name)
		h = (h ^ (uint8_t)*name++) * 0x100000001b3ull;
	return h | 1;
}

/* The count of a name; one for all ABIs in which a call has it. NULL: no memory. */
static struct type_count *by_name(struct scap_summary *s, const char *name)
{
	uint64_t hash = hash_of(name);
	struct type_count *first = scap__map_get(&s->by_hash, hash), *t;

	for (t = first; t; t = t->same_hash)
		if (!strcmp(t->name, name))
			return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	if (scap__map_set(&s->by_hash, hash, t)) {
		free(t);
		return NULL;
	}
	t->same_hash = first;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->next = s->list;
	s->list = t;
	s->n_types++;
	return t;
}

static struct type_count *by_key(struct scap_summary *s, uint32_t key)
{
	struct type_count *t = scap__map_get(&s->by_key, key + 1ull);
	char buf[NAME_BYTES];

	if (t)
		return t;
	t = by_name(s, scap__tally_name(key, buf, sizeof(buf)));
	if (!t || scap__map_set(&s->by_key, key + 1ull, t))
		return NULL;
	return t;
}

/* Numbers that no key holds are rare: those are looked up by the event's own name. */
static struct type_count *by_event(struct scap_summary *s, const struct scap_event *ev)
{
	if (ev->nr == INT64_MIN)
		return by_key(s, SCAP_TALLY_KEY(ev->type, 0, 0));
	if (ev->nr < 0 || ev->nr >= NR_OTHER)
		return by_name(s, scap_event_name(ev));
	return by_key(s, SCAP_TALLY_KEY(ev->type, ev->abi, ev->nr));
}

static int grow_gaps(struct scap_summary *s, uint32_t ring)
{
	uint64_t *p;

	if (ring < s->n_ring_gaps)
		return 0;
	p = realloc(s->ring_gaps, (ring + 1) * sizeof(*p));
	if (!p)
		return -ENOMEM;
	memset(p + s->n_ring_gaps, 0, (ring + 1 - s->n_ring_gaps) * sizeof(*p));
	s->ring_gaps = p;
	s->n_ring_gaps = ring + 1;
	return 0;
}

static int add_gap(struct scap_summary *s, const struct scap_event *ev)
{
	if (ev->u.gap.unexplained)
		return 0;	/* counted by the reader */
	if (grow_gaps(s, ev->ring))
		return -ENOMEM;
	s->totals.n_gaps++;
	s->totals.lost += ev->u.gap.n_lost;
	s->ring_gaps[ev->ring] += ev->u.gap.n_lost;
	for (uint32_t i = 0; i < ev->u.gap.n_tally; i++) {
		const uint8_t *p = ev->u.gap.tally + i * sizeof(struct scap_tally);
		struct type_count *t = by_key(s, scap__le32(p));

		if (!t)
			return -ENOMEM;
		t->lost += scap__le32(p + 4);
	}
	return 0;
}

int scap_summary_add(struct scap_summary *s, const struct scap_event *ev)
{
	struct scap_summary_totals *t = &s->totals;
	struct type_count *type;

	if (ev->type == SCAP_REC_GAP)
		return add_gap(s, ev);
	if (!ev->num)
		return 0;	/* book-keeping: counted by the reader */
	type = by_event(s, ev);
	if (!type)
		return -ENOMEM;
	type->stored++;
	if (!t->first_wall_ns || ev->wall_ns < t->first_wall_ns)
		t->first_wall_ns = ev->wall_ns;
	if (ev->wall_ns > t->last_wall_ns)
		t->last_wall_ns = ev->wall_ns;
	if (ev->wall_ns > s->segment_last_ns)
		s->segment_last_ns = ev->wall_ns;
	return 0;
}

/* What is known of a segment when all of it was read. */
int scap_summary_end_segment(struct scap_summary *s, const struct scap_reader *r)
{
	static const uint8_t none[sizeof(r->seals.last)];
	const struct scap_capture_info *info = &r->info;
	struct scap_summary_segment *seg;

	if (s->n_segments == SCAP_SUMMARY_SEGMENTS_MAX)
		return 0;
	seg = realloc(s->segments, (s->n_segments + 1) * sizeof(*seg));
	if (!seg)
		return -ENOMEM;
	s->segments = seg;
	seg += s->n_segments++;
	*seg = (struct scap_summary_segment){
		.offset = info->offset, .bytes = info->file_bytes,
		.start_wall_ns = info->start_wall_ns, .n_events = r->n_events - s->segment_first,
		.end_wall_ns = info->complete ? info->end_wall_ns : s->segment_last_ns,
		.complete = info->complete,
		.sealed = memcmp(r->seals.last, none, sizeof(none)),
	};
	memcpy(seg->seal, r->seals.last, sizeof(seg->seal));
	s->segment_last_ns = 0;
	s->segment_first = r->n_events;
	return 0;
}

static bool can_go_on(int rc)
{
	return rc == SCAP_EDAMAGED || rc == SCAP_EVERSION;
}

/* 0, -ENOMEM of our own, or *ret_damage: the first thing that was wrong with the capture. */
static int read_all(struct scap_summary *s, struct scap_reader *r, struct scap_error *ret_damage)
{
	for (;;) {
		const struct scap_event *ev;
		int rc = scap_reader_next(r, &ev);

		if (rc < 0 && !ret_damage->code)
			*ret_damage = r->error;
		if (rc == 1 || (rc < 0 && !can_go_on(rc)))
			return 0;
		if (rc > 1 && scap_summary_end_segment(s, r))
			return -ENOMEM;
		if (!rc && scap_summary_add(s, ev))
			return -ENOMEM;
	}
}

static struct cpu_count *cpu_of_ring(struct scap_summary *s, uint32_t ring)
{
	uint32_t cpu = ring / SCAP_LANES;

	if (!s->n_cpus || s->cpus[s->n_cpus - 1].cpu != cpu)
		s->cpus[s->n_cpus++] = (struct cpu_count){ .cpu = cpu };
	return &s->cpus[s->n_cpus - 1];
}

/* What only the reader counted: per CPU, and what its sequence numbers say is missing. */
static int add_cpus(struct scap_summary *s, const struct scap_reader *r)
{
	s->cpus = calloc(r->n_rings + 1, sizeof(*s->cpus));
	if (!s->cpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->n_rings; i++) {
		const struct scap__ring *c = &r->rings[i];
		uint64_t gaps = i < s->n_ring_gaps ? s->ring_gaps[i] : 0;

		s->totals.stored += c->events;
		s->totals.bookkeeping += c->bookkeeping;
		s->totals.unexplained += c->unexplained;
		s->totals.row_bytes += c->row_bytes;
		if (c->seen) {
			struct cpu_count *cpu = cpu_of_ring(s, i);

			cpu->stored += c->events;
			cpu->lost += gaps + c->unexplained;
		}
	}
	s->totals.lost += s->totals.unexplained;
	s->totals.attempted = s->totals.stored + s->totals.lost;
	return 0;
}

static int add_unknown(struct scap_summary *s, const struct scap_reader *r)
{
	struct type_count *t;
	uint64_t stored = 0;

	for (uint32_t i = 0; i < r->n_rings; i++)
		stored += r->rings[i].unknown;
	if (!stored && !s->totals.unexplained)
		return 0;
	t = by_name(s, "unknown");
	if (!t)
		return -ENOMEM;
	t->stored += stored;
	t->lost += s->totals.unexplained;
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct type_count *x = *(struct type_count *const *)a;
	const struct type_count *y = *(struct type_count *const *)b;
	uint64_t n = x->stored + x->lost, m = y->stored + y->lost;

	if (n != m)
		return n < m ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int sort_types(struct scap_summary *s)
{
	uint32_t n = 0;

	s->types = calloc(s->n_types ? s->n_types : 1, sizeof(*s->types));
	if (!s->types)
		return -ENOMEM;
	for (struct type_count *t = s->list; t; t = t->next)
		s->types[n++] = t;
	qsort(s->types, n, sizeof(*s->types), by_count);
	return 0;
}

int scap_summary_new(struct scap_summary **ret_s)
{
	struct scap_summary *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->budget.limit = MEMORY_LIMIT_BYTES;
	scap__map_init(&s->by_key, &s->budget);
	scap__map_init(&s->by_hash, &s->budget);
	*ret_s = s;
	return 0;
}

int scap_summary_finish(struct scap_summary *s, const struct scap_reader *r)
{
	return scap_summary_end_segment(s, r) || add_cpus(s, r) || add_unknown(s, r) ||
	       sort_types(s) ? -ENOMEM : 0;
}

int scap_summary_read(struct scap_reader *r, struct scap_summary **ret_s)
{
	struct scap_error damage = { 0 };
	struct scap_summary *s;

	if (scap_summary_new(&s))
		return -ENOMEM;
	r->flags |= SCAP_READER_SEGMENTS;
	s->budget.limit = r->budget.limit;
	if (read_all(s, r, &damage) || scap_summary_finish(s, r)) {
		scap_summary_free(s);
		return -ENOMEM;
	}
	if (damage.code)
		r->error = damage;
	*ret_s = s;
	return damage.code;
}

const struct scap_summary_totals *scap_summary_totals(const struct scap_summary *s)
{
	return &s->totals;
}

int scap_summary_type(const struct scap_summary *s, unsigned i, const char **ret_name,
		      uint64_t *ret_stored, uint64_t *ret_lost)
{
	if (i >= s->n_types)
		return 1;
	*ret_name = s->types[i]->name;
	*ret_stored = s->types[i]->stored;
	*ret_lost = s->types[i]->lost;
	return 0;
}

int scap_summary_cpu(const struct scap_summary *s, unsigned i, uint32_t *ret_cpu,
		     uint64_t *ret_stored, uint64_t *ret_lost)
{
	if (i >= s->n_cpus)
		return 1;
	*ret_cpu = s->cpus[i].cpu;
	*ret_stored = s->cpus[i].stored;
	*ret_lost = s->cpus[i].lost;
	return 0;
}

const struct scap_summary_segment *scap_summary_segment(const struct scap_summary *s, unsigned i)
{
	return i < s->n_segments ? &s->segments[i] : NULL;
}

void scap_summary_free(struct scap_summary *s)
{
	if (!s)
		return;
	while (s->list) {
		struct type_count *next = s->list->next;

		free(s->list);
		s->list = next;
	}
	scap__map_fini(&s->by_key);
	scap__map_fini(&s->by_hash);
	free(s->types);
	free(s->cpus);
	free(s->ring_gaps);
	free(s->segments);
	free(s);
}
