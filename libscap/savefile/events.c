/* SPDX-License-Identifier: MIT */
/* Entries and exits become calls. */
#include <string.h>

#include "savefile/call.h"

#define NR_MAX 0xffff

/* ---- entries -------------------------------------------------------------------------------- */

static bool keep_params(struct scap__savefile *sf, struct scap__sf_entry *e,
			const struct scap__sf_event *ev)
{
	uint32_t n = ev->n_params * 4;
	uint8_t *to;

	for (uint32_t i = 0; i < ev->n_params; i++)
		n += ev->params[i].n;
	if (n > e->cap || !e->p) {
		scap__free(sf->budget, e->p, e->cap);
		e->p = scap__new(sf->budget, n + 64);
		e->cap = e->p ? n + 64 : 0;
		if (!e->p)
			return false;
	}
	to = e->p;
	for (uint32_t i = 0; i < ev->n_params; i++, to += 4)
		memcpy(to, &ev->params[i].n, 4);
	for (uint32_t i = 0; i < ev->n_params; to += ev->params[i++].n)
		if (ev->params[i].n)
			memcpy(to, ev->params[i].p, ev->params[i].n);
	e->n_params = ev->n_params;
	return true;
}

static void keep_entry(struct scap__savefile *sf, struct scap__sf_entry *e,
		       const struct scap__sf_event *ev)
{
	e->any = keep_params(sf, e, ev);
	e->ts = ev->ts;
	e->cpu = ev->cpu;
	e->type = ev->type;
	e->told = false;
}

static void entry_event(const struct scap__sf_thread *t, struct scap__sf_event *ev)
{
	const struct scap__sf_entry *e = &t->entry;
	const uint8_t *p = e->p + e->n_params * 4;

	ev->ts = e->ts;
	ev->tid = t->tid;
	ev->cpu = e->cpu;
	ev->type = e->type;
	ev->hidden = false;
	ev->n_params = e->n_params;
	for (uint32_t i = 0; i < e->n_params; i++) {
		memcpy(&ev->params[i].n, e->p + i * 4, 4);
		ev->params[i].p = p;
		p += ev->params[i].n;
	}
}

/* ---- calls ---------------------------------------------------------------------------------- */

/* The number of the event's call, from its type or parameters; -1: it has none. */
static int64_t number_of(struct scap__savefile *sf, const struct scap__sf_event *ev)
{
	struct scap__sf_value v[SCAP__SF_PLACES];
	uint64_t code, native;

	if (ev->type > SCAP__SF_TYPE_GENERIC)
		return scap__sf_nr_of_type(sf, ev->type);
	memset(v, 0, sizeof(v));
	scap__sf_collect(v, ev);
	code = scap__sf_number_or(&v[SCAP__SF_SC_ID], 0);
	native = scap__sf_number_or(&v[SCAP__SF_NATIVE], UINT64_MAX);
	return scap__sf_nr_of_code(sf, code, native);
}

/* The same; of an exit that does not say it is the entry's. */
static int64_t number_in_thread(struct scap__savefile *sf, const struct scap__sf_event *ev,
				const struct scap__sf_thread *t)
{
	int64_t nr = number_of(sf, ev);
	struct scap__sf_event entry;

	if (nr >= 0 || ev->type != SCAP__SF_TYPE_GENERIC || !t || !t->entry.any ||
	    t->entry.type >= SCAP__SF_TYPE_GENERIC)
		return nr;
	entry_event(t, &entry);
	return number_of(sf, &entry);
}

static void init_call(struct scap__sf_call *c, struct scap__savefile *sf,
		      const struct scap__sf_event *ev, struct scap__sf_thread *t, int64_t nr)
{
	memset(c, 0, offsetof(struct scap__sf_call, scratch));
	c->n_scratch = 0;
	c->sf = sf;
	c->ev = ev;
	c->t = t;
	c->nr = nr;
	c->sc = scap__syscall_lookup(SCAP_ABI_X86_64, nr);
	c->latency_ns = SCAP_LATENCY_NONE;
}

static bool is_exec(const struct scap__syscall *sc)
{
	return scap__sf_find_arg(sc, SCAP_ROLE_EXEC_PATH) >= 0;
}

/* Calls that never return, or of which recorders told no exit. */
static bool never_returns(const struct scap__syscall *sc)
{
	return sc && sc->ret_role == SCAP_ROLE_RET_NONE;
}

static void put_entry(struct scap__savefile *sf, const struct scap__sf_event *ev,
		      struct scap__sf_thread *t, int64_t nr)
{
	struct scap__sf_call c;

	init_call(&c, sf, ev, t, nr);
	scap__sf_collect(c.v, ev);
	scap__sf_fill_words(&c);
	scap__sf_before(&c);
	scap__sf_fill_blobs(&c);
	scap__sf_put_enter(&c);
	scap__sf_release(&c);
}

/* An entry whose exit does not come: the call is told by its entry alone. */
static void give_up_entry(struct scap__savefile *sf, struct scap__sf_thread *t)
{
	struct scap__sf_event ev;
	int64_t nr;

	if (!t || !t->entry.any)
		return;
	t->entry.any = false;
	if (t->entry.told)
		return;
	entry_event(t, &ev);
	nr = number_of(sf, &ev);
	if (nr >= 0 && nr <= NR_MAX)
		put_entry(sf, &ev, t, nr);
}

static void take_entry(struct scap__savefile *sf, const struct scap__sf_event *ev,
		       struct scap__sf_thread *t, int64_t nr)
{
	const struct scap__syscall *sc = scap__syscall_lookup(SCAP_ABI_X86_64, nr);
	bool told = never_returns(sc) || is_exec(sc);

	give_up_entry(sf, t);
	if (told && !ev->hidden)
		put_entry(sf, ev, t, nr);
	if (t && !never_returns(sc)) {
		keep_entry(sf, &t->entry, ev);
		t->entry.told = told || ev->hidden;
	}
}

/* The entry's parameters first: what the exit says, too, counts. */
static void take_exit(struct scap__savefile *sf, const struct scap__sf_event *ev,
		      struct scap__sf_thread *t, int64_t nr)
{
	struct scap__sf_event entry;
	struct scap__sf_call c;

	init_call(&c, sf, ev, t, nr);
	if (t && t->entry.any) {
		entry_event(t, &entry);
		c.has_entry = number_of(sf, &entry) == nr;
		if (!c.has_entry)
			give_up_entry(sf, t);
		else if (entry.ts <= ev->ts)
			c.latency_ns = ev->ts - entry.ts;
		if (c.has_entry)
			scap__sf_collect(c.v, &entry);
		if (c.v[SCAP__SF_S0].form == SCAP__SF_FDLIST)
			c.v[SCAP__SF_WANTED] = c.v[SCAP__SF_S0];
	}
	scap__sf_collect(c.v, ev);
	scap__sf_fill_words(&c);
	scap__sf_before(&c);
	scap__sf_fill_blobs(&c);
	if (!ev->hidden)
		scap__sf_put_call(&c);
	if (t)
		t->entry.any = false;
	scap__sf_after(&c);
	scap__sf_release(&c);
}

bool scap__sf_has_record(struct scap__savefile *sf, const struct scap__sf_event *ev)
{
	const struct scap__sf_type *type = scap__sf_type_of(ev->type);
	int64_t nr;

	if (!type)
		return false;
	if (type->what == SCAP__SF_OTHER)
		return scap__sf_is_other(ev->type);
	nr = number_in_thread(sf, ev, scap__sf_thread_get(&sf->state, ev->tid));
	return nr >= 0 && nr <= NR_MAX;
}

int scap__sf_event(struct scap__savefile *sf, const struct scap__sf_event *ev)
{
	const struct scap__sf_type *type = scap__sf_type_of(ev->type);
	struct scap__sf_thread *t;
	int64_t nr;
	int rc = scap__sf_advance(sf, ev->ts);

	if (rc)
		return rc;
	if (type->what == SCAP__SF_OTHER) {
		t = scap__sf_thread_get(&sf->state, ev->tid);
		if (ev->type == SCAP__SF_PROCEXIT_OLD || ev->type == SCAP__SF_PROCEXIT)
			give_up_entry(sf, t);
		scap__sf_put_other(sf, ev);
		return 0;
	}
	t = scap__sf_thread_make(&sf->state, ev->tid);
	nr = number_in_thread(sf, ev, t);
	if (type->what == SCAP__SF_ENTER)
		take_entry(sf, ev, t, nr);
	else
		take_exit(sf, ev, t, nr);
	return 0;
}

int scap__sf_unfinished(struct scap__savefile *sf)
{
	int rc = sf->in_events ? scap__sf_advance(sf, sf->last_ns) : 0;

	for (uint32_t i = 0; sf->in_events && !rc && i < sf->state.threads.n_slots; i++)
		give_up_entry(sf, sf->state.threads.slots[i].value);
	return rc;
}
