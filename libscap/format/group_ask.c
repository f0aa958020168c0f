/* SPDX-License-Identifier: MIT */
/* Which of a group's records are wanted, and which introductions these need. */
#include <scap/error.h>

#include "format/group_choose.h"

/* Where the records being asked stand. */
struct asking {
	struct scap__group_in *g;
	uint64_t *tids, *cookies;	/* whose introductions this epoch's events need */
	uint32_t first;			/* place in g->asked where the epoch begins */
	bool any, all;			/* an event was chosen; all introductions are needed */
	bool mid_epoch;			/* what was before the group may have named its threads */
	int rc;
};

static bool file_may(const struct scap__group_in *g, const struct scap__shape *s, uint32_t i,
		     uint32_t i_cookie)
{
	const struct scap__column_event *e = s->event;

	if (e->kind->by_file == SCAP__BY_MORE)
		return true;
	if (e->kind->by_file == SCAP__BY_NEW_FILE && (int64_t)e->result.v[i] < 0)
		return true;
	return s->has_cookies && (scap__set_has(g->files, e->cookie[0].v[i_cookie]) ||
				  scap__set_has(g->files, e->cookie[1].v[i_cookie]));
}

static bool numbers_may(const struct scap__shape *s, uint32_t i)
{
	const struct scap__column_event *e = s->event;
	uint64_t v;

	if (!e->kind->results.all && scap__has_result(s) &&
	    !scap__in_ranges(&e->kind->results, (int64_t)e->result.v[i]))
		return false;
	if (e->kind->latencies.all)
		return true;
	v = e->latency.v[i];
	return v == SCAP_LATENCY_UNKNOWN ? e->kind->no_latency :
	       scap__in_ranges(&e->kind->latencies, (int64_t)v);
}

/* The threads and files that an event is about, to be introduced. */
static int add_names(struct asking *a, const struct scap__shape *s, uint32_t i, uint32_t i_cookie,
		     uint64_t tid)
{
	struct scap__column_event *e = s->event;
	int rc = 0;

	scap__set_add(a->tids, tid);
	if (s->type == SCAP_REC_EXEC) {
		rc = scap__group_need(a->g, &e->words[SCAP__EXEC_COOKIE_WORD]);
		if (!rc)
			scap__set_add(a->cookies, e->words[SCAP__EXEC_COOKIE_WORD].v[i]);
	}
	if (s->type != SCAP_REC_CALL)
		return rc;
	for (unsigned k = 0; !rc && k < 2 && s->has_cookies; k++) {
		rc = scap__group_need(a->g, &e->cookie[k]);
		if (!rc)
			scap__set_add(a->cookies, e->cookie[k].v[i_cookie]);
	}
	return rc;
}

/* An event of a kind that may matter: the ith of its own, the i_call-th of calls. */
static bool event_may(struct asking *a, const struct scap__shape *s, uint32_t i, uint32_t i_cookie,
		      uint32_t i_call)
{
	struct scap__group_in *g = a->g;
	bool call = s->type == SCAP_REC_CALL;
	struct scap__column *tids = s->is_call ? &g->tid : &s->event->words[0];
	uint64_t tid;

	if (call && !s->event->fits && !numbers_may(s, i))
		return false;
	if (call && g->files && !a->mid_epoch && !file_may(g, s, i, i_cookie))
		return false;
	a->rc = scap__group_need(g, tids);
	if (a->rc)
		return false;
	tid = tids->v[s->is_call ? i_call : i];
	if (!g->tids.all && !scap__in_ranges(&g->tids, (int64_t)tid))
		return false;
	/* A fork tells its process itself. */
	if (g->threads && !a->mid_epoch && s->type != SCAP_REC_FORK &&
	    !scap__set_has(g->threads, tid))
		return false;
	a->rc = add_names(a, s, i, i_cookie, tid);
	return true;
}

static inline void ask(struct asking *a, struct scap__asked *r)
{
	struct scap__group_in *g = a->g;
	const struct scap__shape *s = &g->shapes[g->place[r->at]];
	struct scap__column_event *e = s->event;
	uint32_t i, i_cookie;

	r->want = false;
	if (!e->asked)
		return;
	if (!s->type) {
		r->want = true;
		a->all |= s->is_event;
		a->any |= s->is_event;
		return;
	}
	i = e->seen++;
	i_cookie = e->seen_cookies;
	e->seen_cookies += s->has_cookies;
	if (!s->wanted || (e->fits && !e->fits[i]) ||
	    (s->is_call && g->tid_fits && !g->tid_fits[r->call]))
		return;
	r->want = event_may(a, s, i, i_cookie, r->call);
	a->any |= r->want;
}

/* The introductions of an epoch whose events were all asked; those asked end at place `end`. */
static void end_epoch(struct asking *a, uint32_t end)
{
	struct scap__group_in *g = a->g;

	for (uint32_t k = a->first; k < end && !a->rc; k++) {
		struct scap__asked *r = &g->asked[k];
		const struct scap__shape *s = &g->shapes[g->place[r->at]];
		uint64_t *set = s->type == SCAP_REC_INTRO ? a->tids : a->cookies;

		if (!scap__is_intro(s))
			continue;
		if (a->any && !a->all)
			a->rc = scap__group_need(g, &s->event->words[0]);
		r->want = a->all || (a->any && !a->rc &&
				     scap__set_has(set, s->event->words[0].v[s->event->seen]));
		s->event->seen++;
	}
	if (a->any) {
		scap__set_clear(a->tids);
		scap__set_clear(a->cookies);
	}
	a->first = end;
	a->any = a->all = false;
}

/* The next slice of the directory: its epoch, and how many records it has. */
static uint64_t next_slice(struct scap__bytes *slices, struct scap__bytes *parts, uint64_t *ret_n)
{
	struct scap__slice_header head;
	struct scap__group_part part;

	scap__group_get_slice(slices, &head);
	*ret_n = 0;
	for (uint32_t i = 0; i < head.n_parts && parts->n; i++) {
		scap__group_get_part(parts, &part);
		*ret_n += part.n_records;
	}
	return head.start_ns >> SCAP_EPOCH_SHIFT;
}

static int ask_all(struct asking *a)
{
	struct scap__group_in *g = a->g;
	struct scap__bytes slices = g->slices, parts = g->parts;
	uint64_t epoch = 0, n, next, end = 0;
	uint32_t k = 0;

	a->mid_epoch = scap__le64(slices.p) % SCAP_EPOCH_NS;
	for (uint32_t i = 0; !a->rc && i < g->n_slices; i++) {
		next = next_slice(&slices, &parts, &n);
		if (i && next != epoch) {
			end_epoch(a, k);
			a->mid_epoch = false;
		}
		epoch = next;
		for (end += n; !a->rc && k < g->n_asked && g->asked[k].at < end; k++)
			ask(a, &g->asked[k]);
	}
	if (end > g->n_records)
		return scap__group_bad(g, "a slice claims too many records");
	/* What comes behind the group in its last epoch may need any. */
	a->all |= !g->whole_epochs;
	end_epoch(a, k);
	return a->rc;
}

int scap__group_ask(struct scap__group_in *g)
{
	struct asking a = { .g = g };
	int rc = scap__set_new(g, &a.tids);

	if (!rc)
		rc = scap__set_new(g, &a.cookies);
	return rc ? rc : g->n_slices ? ask_all(&a) : 0;
}
