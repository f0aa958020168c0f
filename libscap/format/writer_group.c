/* SPDX-License-Identifier: MIT */
/*
 * Slices on their way into groups. Taking a slice is cheap; packing a group takes a while, in which
 * the rings must be drained: a thread does it. All writing is done by the writer's own caller.
 */
#include "format/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "core/error.h"

/* What makes a group full. */
#define GROUP_BYTES (6u << 20)
#define GROUP_RECORDS (96u << 10)
#define GROUP_NS (10 * 1000000000ull)

/* The time between seals. */
#define SEAL_NS (10 * 1000000000ull)

/* A section that waits until the group before it is written. */
struct waiting {
	struct waiting *next;
	struct scap__buffer raw;
	uint16_t type;
};

struct scap__groups {
	struct scap__group_out *growing, *packing;
	uint64_t max_ns;		/* of a group */
	uint64_t start_ns;		/* of the growing one */
	uint64_t end_ns;		/* of the one that is being packed */
	uint32_t n_slices, n_records;	/* of the one that is being packed */
	uint64_t row_bytes;
	struct scap__index_facts facts, packed_facts;	/* of the growing and the packing one */
	bool busy;			/* the thread has one, or it was not written yet */
	struct waiting *first, **last;
	pthread_t thread;
	bool started;
	/* Both sides, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool work, done, quit;
	int rc;
	struct scap__buffer payload;
};

static void *pack(void *arg)
{
	struct scap__groups *g = arg;

	pthread_mutex_lock(&g->lock);
	for (;;) {
		int rc;

		while (!g->work && !g->quit)
			pthread_cond_wait(&g->changed, &g->lock);
		if (g->quit)
			break;
		g->work = false;
		pthread_mutex_unlock(&g->lock);
		rc = scap__group_out_finish(g->packing, &g->payload);
		pthread_mutex_lock(&g->lock);
		g->rc = rc;
		g->done = true;
		pthread_cond_broadcast(&g->changed);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* It takes no signal: these are the caller's. */
static int start(struct scap__groups *g)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&g->thread, NULL, pack, g);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	g->started = !rc;
	return -rc;
}

int scap__groups_init(struct scap_writer *w, const struct scap_writer_options *opt)
{
	int level = opt->level ? opt->level : 1;
	struct scap__groups *g = scap__new(w->budget, sizeof(*g));

	w->groups = g;
	if (!g)
		return scap__writer_no_memory(w);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->changed, NULL);
	g->payload.budget = g->facts.rings.budget = g->packed_facts.rings.budget = w->budget;
	g->facts.ends.budget = g->packed_facts.ends.budget = w->budget;
	g->last = &g->first;
	g->max_ns = opt->group_ns ? opt->group_ns : GROUP_NS;
	if (scap__group_out_new(w->budget, level, &g->growing) ||
	    scap__group_out_new(w->budget, level, &g->packing))
		return scap__writer_no_memory(w);
	return 0;
}

void scap__groups_fini(struct scap_writer *w)
{
	struct scap__groups *g = w->groups;

	if (!g)
		return;
	if (g->started) {
		pthread_mutex_lock(&g->lock);
		g->quit = true;
		pthread_cond_broadcast(&g->changed);
		pthread_mutex_unlock(&g->lock);
		pthread_join(g->thread, NULL);
	}
	while (g->first) {
		struct waiting *next = g->first->next;

		scap__buffer_fini(&g->first->raw);
		scap__free(w->budget, g->first, sizeof(*g->first));
		g->first = next;
	}
	scap__group_out_free(g->growing);
	scap__group_out_free(g->packing);
	scap__buffer_fini(&g->payload);
	scap__buffer_fini(&g->facts.rings);
	scap__buffer_fini(&g->facts.ends);
	scap__buffer_fini(&g->packed_facts.rings);
	scap__buffer_fini(&g->packed_facts.ends);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->changed);
	scap__free(w->budget, g, sizeof(*g));
	w->groups = NULL;
}

/* ---- the packed group ------------------------------------------------------------------------ */

static int write_described(struct scap_writer *w, struct scap__groups *g)
{
	int rc = scap__schema_write(w);

	if (rc)
		return rc;
	g->packed_facts.n_slices = g->n_slices;
	g->packed_facts.n_records = g->n_records;
	g->packed_facts.row_bytes = g->row_bytes;
	w->about = &g->packed_facts;
	rc = scap__section_write_from(w, SCAP__SECTION_GROUP, &g->payload);
	w->about = NULL;
	return rc;
}

/*
 * On a full disk a group takes the place of its rows in the journal, which are more: better than a
 * file without an end, though a crash in between would lose it.
 */
static int write_in_place_of_journal(struct scap_writer *w, struct scap__groups *g)
{
	struct scap_error error = w->error;
	size_t n = g->payload.n;
	bool refusing = w->refusing;
	int rc = write_described(w, g);

	w->only_in_journal = rc && w->journals[0].w;
	if (rc != -ENOSPC || w->broken || !w->only_in_journal)
		return rc;
	rc = scap__journal_restart(w);
	if (rc)
		return rc;
	w->only_in_journal = false;
	w->refusing = refusing;
	w->error = error;
	g->payload.n = n;
	return write_described(w, g);
}

/* What was taken and is in no group is in a journal, if there is one: no end may hide it. */
static int group_failed(struct scap_writer *w, int rc)
{
	w->only_in_journal = w->journals[0].w;
	w->refusing = true;
	return rc;
}

static int write_group(struct scap_writer *w, struct scap__groups *g)
{
	int rc = g->rc;

	if (rc)
		return group_failed(w, scap__writer_no_memory(w));
	rc = write_in_place_of_journal(w, g);
	if (rc)
		return rc;
	w->n_slices += g->n_slices;
	w->n_records += g->n_records;
	w->row_bytes += g->row_bytes;
	scap__index_section(w, SCAP__SECTION_GROUP, &g->packed_facts);
	rc = g->end_ns - w->sealed_ns >= SEAL_NS ? scap__seal_write(w, g->end_ns) : 0;
	return rc ? rc : scap__journal_restart(w);
}

static int write_indexed(struct scap_writer *w, uint16_t type)
{
	struct scap__index_facts f;
	uint32_t part = type == SCAP__SECTION_KEYFRAME ? scap__index_keyframe(w, &f) : 1;
	int rc;

	w->about = type == SCAP__SECTION_KEYFRAME ? &f : NULL;
	rc = scap__section_write(w, type);
	w->about = NULL;
	if (!rc && !part)
		scap__index_section(w, type, &f);
	return rc;
}

static int write_waiting(struct scap_writer *w, struct scap__groups *g, int rc)
{
	while (g->first) {
		struct waiting *s = g->first;
		struct scap__buffer mine = w->raw;

		w->raw = s->raw;
		if (!rc)
			rc = write_indexed(w, s->type);
		scap__buffer_fini(&w->raw);
		w->raw = mine;
		g->first = s->next;
		scap__free(w->budget, s, sizeof(*s));
	}
	g->last = &g->first;
	return rc;
}

/* Writes the group that was being packed, if it is ready or must be: 0 or an error. */
static int collect(struct scap_writer *w, struct scap__groups *g, bool must)
{
	if (!g->busy)
		return 0;
	pthread_mutex_lock(&g->lock);
	while (must && !g->done)
		pthread_cond_wait(&g->changed, &g->lock);
	if (!g->done) {
		pthread_mutex_unlock(&g->lock);
		return 0;
	}
	g->done = false;
	pthread_mutex_unlock(&g->lock);
	g->busy = false;
	return write_waiting(w, g, write_group(w, g));
}

/* For the schema in front of the group. */
static int note_kinds(struct scap_writer *w, const struct scap__group_out *g)
{
	struct scap__group_event e;
	int rc = 0;

	for (uint32_t i = 0; !rc && scap__group_out_kind(g, i, &e) == 0; i++)
		rc = scap__schema_kind(&w->schema, e.type, e.abi, e.nr);
	return rc;
}

static int no_thread(struct scap_writer *w)
{
	return group_failed(w, scap__fail(&w->error, -EAGAIN, SCAP_NO_OFFSET,
					  "no thread can be started"));
}

/* Hands the growing group to the thread. */
static int begin_packing(struct scap_writer *w, struct scap__groups *g)
{
	struct scap__group_out *full = g->growing;
	struct scap__index_facts facts;
	int rc;

	if (!scap__group_out_slices(full))
		return 0;
	rc = collect(w, g, true);
	if (!rc && !g->started && start(g))
		rc = no_thread(w);
	if (!rc && scap__section_room(&g->payload))
		rc = group_failed(w, scap__writer_no_memory(w));
	if (rc)
		return rc;
	if (note_kinds(w, full))
		return group_failed(w, scap__writer_no_memory(w));
	g->n_slices = scap__group_out_slices(full);
	g->n_records = scap__group_out_records(full);
	g->row_bytes = scap__group_out_row_bytes(full);
	g->end_ns = w->last_end_ns;
	facts = g->packed_facts;	/* its memory is used again */
	g->packed_facts = g->facts;
	g->facts = facts;
	g->growing = g->packing;
	g->packing = full;
	g->busy = true;
	scap__journal_turn(w);
	pthread_mutex_lock(&g->lock);
	g->work = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return 0;
}

/* ---- what comes in --------------------------------------------------------------------------- */

uint64_t scap__groups_pending(const struct scap__groups *g)
{
	return scap__group_out_row_bytes(g->growing) + (g->busy ? g->row_bytes : 0);
}

static bool is_full(const struct scap_writer *w, const struct scap__groups *g)
{
	/* Who does not mind the time is no recorder beside what it records: it may take memory. */
	unsigned times = g->max_ns == UINT64_MAX ? 4 : 1;

	return scap__group_out_row_bytes(g->growing) >= times * GROUP_BYTES ||
	       scap__group_out_records(g->growing) >= times * GROUP_RECORDS ||
	       w->last_end_ns - g->start_ns >= g->max_ns;
}

int scap__groups_slice(struct scap_writer *w, const struct scap_slice *s)
{
	struct scap_writer *journal;
	struct scap__groups *g = w->groups;
	int rc = collect(w, g, false);

	if (rc)
		return rc;
	journal = w->journals[w->journal].w;
	if (journal && scap_writer_slice(journal, s)) {
		w->journal_errors++;
		if (!w->journal_optional) {
			w->error = journal->error;
			w->refusing = true;
			return w->error.code;
		}
	}
	if (!scap__group_out_slices(g->growing)) {
		g->start_ns = s->start_ns;
		rc = scap__index_begin(&w->index, &g->facts, s);
	}
	if (rc || scap__index_slice(&w->index, &g->facts, s) ||
	    scap__group_out_slice(g->growing, s))
		return group_failed(w, scap__writer_no_memory(w));
	return is_full(w, g) ? begin_packing(w, g) : 0;
}

int scap__groups_flush(struct scap_writer *w)
{
	int rc;

	if (!w->groups || w->only_in_journal)
		return 0;
	rc = begin_packing(w, w->groups);
	return rc ? rc : collect(w, w->groups, true);
}

int scap__groups_section(struct scap_writer *w, uint16_t type)
{
	struct waiting *s;
	int rc;

	if (!w->groups)
		return write_indexed(w, type);
	/* Nothing that was taken before it comes behind it. */
	rc = begin_packing(w, w->groups);
	if (!rc)
		rc = collect(w, w->groups, false);
	if (rc || !w->groups->busy)
		return rc ? rc : write_indexed(w, type);
	s = scap__new(w->budget, sizeof(*s));
	if (!s)
		return scap__writer_no_memory(w);
	s->type = type;
	s->raw = w->raw;
	w->raw = (struct scap__buffer){ .budget = w->budget };
	*w->groups->last = s;
	w->groups->last = &s->next;
	return 0;
}
