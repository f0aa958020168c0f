/* SPDX-License-Identifier: MIT */
/*
 * Which of a group's records may matter: asked of their kinds, then of columns of numbers, then of
 * the threads and files that their introductions name; then of each (group_ask.c). Only columns
 * that decide are unpacked.
 */
#include "format/group_choose.h"

#include <errno.h>
#include <scap/error.h>
#include <string.h>

#include "format/event.h"

/* ---- kinds ----------------------------------------------------------------------------------- */

/* The ranges of values, from lowest on, that what is known of ev may have. */
static int find_ranges(struct scap__group_in *g, const struct scap__breaks *b, int64_t lowest,
		       struct scap_event *ev, unsigned known, struct scap__ranges *ret)
{
	const struct scap__chooser *c = g->choice->chooser;
	struct scap__range *v;
	void *room;
	int rc = scap__arena_room(&g->kept, (b->n + 1) * sizeof(*v), &room);

	if (rc)
		return rc;
	*ret = (struct scap__ranges){ .v = v = room };
	for (uint32_t i = 0; i <= b->n; i++) {
		int64_t first = i ? b->v[i - 1] : lowest;
		int64_t last = i < b->n ? b->v[i] - 1 : INT64_MAX;

		ev->ret = first;
		ev->latency_ns = (uint64_t)first;
		ev->tid = (uint32_t)first;
		if (last < first || !c->may(c->ctx, ev, known))
			continue;
		if (ret->n && v[ret->n - 1].last == first - 1)
			v[ret->n - 1].last = last;
		else
			v[ret->n++] = (struct scap__range){ first, last };
	}
	ret->all = ret->n == 1 && v[0].first == lowest && v[0].last == INT64_MAX;
	return 0;
}

static int ask_of_kind(struct scap__group_in *g, struct scap__kind *k, struct scap_event *ev)
{
	const struct scap__chooser *c = g->choice->chooser;
	int rc;

	k->may = c->may(c->ctx, ev, SCAP__KNOWN_KIND);
	k->results.all = k->latencies.all = true;
	if (!k->may || ev->type != SCAP_REC_CALL)
		return 0;
	k->by_file = c->by_file(c->ctx, ev);
	if (c->asks & SCAP__KNOWN_RESULT) {
		rc = find_ranges(g, &c->results, INT64_MIN, ev,
				 SCAP__KNOWN_KIND | SCAP__KNOWN_RESULT, &k->results);
		if (rc)
			return rc;
	}
	if (!(c->asks & SCAP__KNOWN_LATENCY))
		return 0;
	rc = find_ranges(g, &c->latencies, 0, ev,
			 SCAP__KNOWN_KIND | SCAP__KNOWN_LATENCY, &k->latencies);
	ev->latency_ns = SCAP_LATENCY_NONE;
	k->no_latency = c->may(c->ctx, ev, SCAP__KNOWN_KIND | SCAP__KNOWN_LATENCY);
	return rc;
}

/* What is known of a kind from this group or another; it stays. */
static int find_kind(struct scap__group_in *g, struct scap__column_event *e)
{
	bool call = e->type == SCAP_REC_CALL || e->type == SCAP_REC_ENTER;
	uint64_t key = 1ull << 32 | (uint64_t)e->type << 24 | e->abi << 16 | e->nr;
	struct scap_event ev;
	void *room;
	int rc;

	e->kind = scap__map_get(&g->kinds, key);
	if (e->kind)
		return 0;
	rc = scap__arena_get(&g->kept, sizeof(*e->kind), &room);
	if (rc)
		return rc;
	scap__event_of_kind(&ev, e->type, e->abi, call ? e->nr : INT64_MIN);
	rc = ask_of_kind(g, room, &ev);
	if (!rc)
		rc = scap__map_set(&g->kinds, key, room);
	e->kind = room;
	return rc;
}

static bool may_be_within(const struct scap__ranges *r, const struct scap__column *c)
{
	if (r->all || !c->n)
		return true;
	for (uint32_t i = 0; i < r->n; i++)
		if (r->v[i].first <= c->most && r->v[i].last >= c->least)
			return true;
	return false;
}

/* Whether the bounds of columns let any record of the shape be wanted. */
static bool bounds_may(const struct scap__group_in *g, const struct scap__shape *s)
{
	const struct scap__column_event *e = s->event;

	if (s->is_call && !may_be_within(&g->tids, &g->tid))
		return false;
	if (s->type != SCAP_REC_CALL)
		return true;
	if (scap__has_result(s) && !may_be_within(&e->kind->results, &e->result))
		return false;
	return may_be_within(&e->kind->latencies, &e->latency) ||
	       (e->kind->no_latency && e->latency.most >= SCAP_LATENCY_UNKNOWN);
}

static int find_tids(struct scap__group_in *g)
{
	const struct scap__chooser *c = g->choice->chooser;
	struct scap_event any = { .type = SCAP_REC_TYPES };

	if (g->tids_found)
		return 0;
	g->tids_found = g->tids.all = true;
	return c->asks & SCAP__KNOWN_TID ?
	       find_ranges(g, &c->tids, 0, &any, SCAP__KNOWN_TID, &g->tids) : 0;
}

static int find_kinds(struct scap__group_in *g)
{
	int rc = find_tids(g);

	for (uint32_t i = 0; !rc && i < g->n_events; i++)
		if (g->events[i]->type)
			rc = find_kind(g, g->events[i]);
	for (uint32_t i = 0; !rc && i < g->n_shapes; i++) {
		struct scap__shape *s = &g->shapes[i];

		/* What is stored as it is may be anything. */
		s->wanted = !s->type || (s->is_event && s->event->kind->may && bounds_may(g, s));
		s->event->asked |= s->wanted;
		g->any_wanted |= s->is_event && s->wanted;
	}
	return rc;
}

/* ---- threads and files ----------------------------------------------------------------------- */

/* An introduction as it was decoded, into the sets. */
static void admit(struct scap__group_in *g, const struct scap_event *ev)
{
	const struct scap__chooser *c = g->choice->chooser;
	struct scap_event any = { .type = SCAP_REC_TYPES };

	if (ev->type == SCAP_REC_INTRO) {
		/* Whose root is another one sees other names. */
		if (ev->u.intro.root)
			g->files = NULL;
		any.thread = &ev->u.intro;
		if (g->threads && c->may(c->ctx, &any, SCAP__KNOWN_THREAD))
			scap__set_add(g->threads, ev->tid);
	} else if (g->files && c->may_file(c->ctx, &ev->u.file_rec)) {
		scap__set_add(g->files, ev->cookie);
	}
}

static int read_intro(struct scap__group_in *g, const struct scap__shape *s)
{
	const char *what = NULL;
	struct scap_event ev;
	size_t n;
	int rc = scap__group_make(g, s, g->scratch, SCAP_REC_MAX_BYTES, &n);

	if (rc)
		return rc;
	g->scratch[n] = 0;
	rc = scap__event_decode(g->scratch, n, &ev, &what);
	if (!rc)
		admit(g, &ev);
	return rc < 0 ? scap__group_bad(g, "its columns do not make its records") : 0;
}

/* The columns of these kinds, back to their beginning. */
static void rewind_intros(struct scap__group_in *g)
{
	for (uint32_t i = 0; i < g->n_events; i++) {
		struct scap__column_event *e = g->events[i];

		if (e->type != SCAP_REC_INTRO && e->type != SCAP_REC_FILE)
			continue;
		for (unsigned w = 0; w < SCAP__GROUP_WORDS_MAX; w++)
			e->words[w].at = 0;
		for (unsigned slot = 0; slot < SCAP_SLOTS; slot++) {
			if (e->blob[slot])
				e->blob[slot][0].at = e->blob[slot][1].at = 0;
			e->bytes[slot].at = e->synced[slot] = 0;
		}
	}
}

/* Whose events may matter, if that is a question at all. */
static int read_intros(struct scap__group_in *g)
{
	const struct scap__chooser *c = g->choice->chooser;
	struct scap_event none = { .type = SCAP_REC_TYPES };
	bool threads, files;
	void *room;
	int rc = 0;

	threads = c->asks & SCAP__KNOWN_THREAD && !c->may(c->ctx, &none, SCAP__KNOWN_THREAD);
	files = c->asks & SCAP__KNOWN_FILE && !c->may_file(c->ctx, NULL);
	if (threads)
		rc = scap__set_new(g, &g->threads);
	if (!rc && files)
		rc = scap__set_new(g, &g->files);
	if (rc || !(threads || files))
		return rc;
	rc = scap__arena_room(&g->arena, SCAP_REC_MAX_BYTES + 1, &room);
	g->scratch = room;
	for (uint32_t i = 0; !rc && i < g->n_asked; i++) {
		const struct scap__shape *s = &g->shapes[g->place[g->asked[i].at]];

		if (scap__is_intro(s) && (files || s->type == SCAP_REC_INTRO))
			rc = read_intro(g, s);
		else if (!s->type && !s->is_event)	/* may be one that is not as others */
			g->threads = g->files = NULL;
	}
	rewind_intros(g);
	return rc;
}

/* ---- all records at a glance ----------------------------------------------------------------- */

static int load_shapes(struct scap__group_in *g)
{
	void *room;
	int rc = scap__group_load(g, &g->shape);

	if (!rc)
		rc = scap__arena_room(&g->arena, g->n_records * sizeof(*g->place) + 1, &room);
	if (rc)
		return rc;
	g->place = room;
	return scap__column_narrow(g->shape.v, g->n_records, g->n_shapes, g->place) ?
	       scap__group_bad(g, "a record is of no shape") : 0;
}

#define FLAG_CALL	0x1u
#define FLAG_EVENT	0x2u
#define FLAG_ASKED	0x4u

static void describe_shapes(struct scap__group_in *g, uint8_t *flags)
{
	for (uint32_t i = 0; i < g->n_shapes; i++) {
		struct scap__shape *s = &g->shapes[i];

		flags[i] = (s->is_call ? FLAG_CALL : 0) | (s->is_event ? FLAG_EVENT : 0) |
			   (s->event->asked || scap__is_intro(s) ? FLAG_ASKED : 0);
	}
}

/* Lists the records to be asked, marks those that are events, counts those of each shape. */
static void scan(struct scap__group_in *g, const uint8_t *restrict flags)
{
	uint32_t n_calls = 0, n_asked = 0, n_events = 0, n = g->n_records;
	uint32_t *restrict n_of_shape = g->n_of_shape;
	struct scap__asked *restrict asked = g->asked;
	const uint16_t *restrict places = g->place;

	for (uint32_t i = 0; i < n; i += 64) {
		uint32_t m = n - i < 64 ? n - i : 64;
		uint64_t bits = 0;

		for (uint32_t k = 0; k < m; k++) {
			uint32_t place = places[i + k];
			unsigned f = flags[place];

			n_of_shape[place]++;
			asked[n_asked].at = i + k;
			asked[n_asked].call = n_calls;
			n_asked += f / FLAG_ASKED;
			n_calls += f & FLAG_CALL;
			bits |= (uint64_t)(f & FLAG_EVENT) / FLAG_EVENT << k;
		}
		g->event_bits[i / 64] = bits;
		g->events_before[i / 64] = n_events;
		n_events += (uint32_t)__builtin_popcountll(bits);
	}
	g->n_asked = n_asked;
	g->n_calls = n_calls;
}

/* Whether the columns that are asked have as many values as there are records. */
static bool counts_fit(const struct scap__group_in *g, const struct scap__column_event *e)
{
	uint32_t n = 0, n_cookies = 0;

	for (const struct scap__shape *s = e->shapes; s; s = s->next) {
		uint32_t n_of = g->n_of_shape[s - g->shapes];

		n += n_of;
		n_cookies += s->has_cookies ? n_of : 0;
	}
	if (e->type == SCAP_REC_CALL)
		return e->latency.n == n && e->result.n == n && e->cookie[0].n == n_cookies &&
		       e->cookie[1].n == n_cookies;
	return !e->words || (e->words[0].n == n && (e->type != SCAP_REC_EXEC ||
						    e->words[SCAP__EXEC_COOKIE_WORD].n == n));
}

static int look_over(struct scap__group_in *g)
{
	const size_t n = g->n_records, sizes[] = {
		(n + 1) * sizeof(*g->asked), n / 8 + 8, n / 16 + 8,
		g->n_shapes * sizeof(*g->n_of_shape) + 1, g->n_shapes + 1,
	};
	void *room[sizeof(sizes) / sizeof(*sizes)];
	bool fit = true;
	int rc = load_shapes(g);

	for (unsigned i = 0; !rc && i < sizeof(sizes) / sizeof(*sizes); i++)
		rc = (i < 3 ? scap__arena_room : scap__arena_get)(&g->arena, sizes[i], &room[i]);
	if (rc)
		return rc;
	g->asked = room[0];
	g->event_bits = room[1];
	g->events_before = room[2];
	g->n_of_shape = room[3];
	describe_shapes(g, room[4]);
	scan(g, room[4]);
	for (uint32_t i = 0; i < g->n_events; i++)
		fit &= counts_fit(g, g->events[i]);
	return fit && g->tid.n == g->n_calls ? 0 :
	       scap__group_bad(g, "its columns do not have a value for each record");
}

/* One range after the other over a whole column, which is done in strides. */
static void fit(uint8_t *restrict fits, const uint64_t *restrict v, uint32_t n,
		const struct scap__ranges *r)
{
	for (uint32_t k = 0; k < r->n; k++) {
		uint64_t first = (uint64_t)r->v[k].first, span = (uint64_t)r->v[k].last - first;

		for (uint32_t i = 0; i < n; i++)
			fits[i] |= v[i] - first <= span;
	}
}

static bool all_have_results(const struct scap__column_event *e)
{
	for (const struct scap__shape *s = e->shapes; s; s = s->next)
		if (!scap__has_result(s))
			return false;
	return true;
}

/* Of a kind whose columns decide by one question, or not at all. */
static int decide_numbers(struct scap__group_in *g, struct scap__column_event *e)
{
	const struct scap__kind *k = e->kind;
	uint32_t n = e->latency.n;
	void *room;
	int rc;

	if (k->results.all == k->latencies.all || (!k->results.all && !all_have_results(e)))
		return 0;
	rc = scap__arena_get(&g->arena, n + 1, &room);
	if (rc)
		return rc;
	e->fits = room;
	if (!k->results.all) {
		fit(e->fits, e->result.v, n, &k->results);
		return 0;
	}
	fit(e->fits, e->latency.v, n, &k->latencies);
	for (uint32_t i = 0; i < n; i++)
		if (e->latency.v[i] == SCAP_LATENCY_UNKNOWN)
			e->fits[i] = k->no_latency;
	return 0;
}

static int decide_tids(struct scap__group_in *g)
{
	void *room;
	int rc;

	if (g->tids.all || !g->tid.n)
		return 0;
	rc = scap__group_need(g, &g->tid);
	if (!rc)
		rc = scap__arena_get(&g->arena, g->tid.n + 1, &room);
	if (rc)
		return rc;
	g->tid_fits = room;
	fit(g->tid_fits, g->tid.v, g->tid.n, &g->tids);
	return 0;
}

/* Columns that decide, of a kind that may matter. */
static int load_kind(struct scap__group_in *g, struct scap__column_event *e)
{
	const struct scap__kind *k = e->kind;
	int rc = 0;

	if (!k || !k->may || e->type != SCAP_REC_CALL)
		return 0;
	if (!k->results.all || (g->files && k->by_file == SCAP__BY_NEW_FILE))
		rc = scap__group_need(g, &e->result);
	if (!rc && !k->latencies.all)
		rc = scap__group_need(g, &e->latency);
	for (unsigned i = 0; !rc && i < 2 && g->files && k->by_file != SCAP__BY_MORE; i++)
		rc = scap__group_need(g, &e->cookie[i]);
	return rc ? rc : decide_numbers(g, e);
}

static int choose_records(struct scap__group_in *g)
{
	int rc = look_over(g);

	if (!rc)
		rc = read_intros(g);
	for (uint32_t i = 0; !rc && i < g->n_events; i++)
		rc = load_kind(g, g->events[i]);
	if (!rc)
		rc = decide_tids(g);
	return rc ? rc : scap__group_ask(g);
}

/* ---- all of it, or some ---------------------------------------------------------------------- */

/*
 * Whether nothing is missing in the group, or between it and what came before. Where anything is,
 * all of the group is read.
 */
static int is_whole(struct scap__group_in *g, const struct scap__choice *choice, bool *ret_whole)
{
	struct scap__bytes parts = g->parts;
	struct scap__group_part part;
	uint32_t n_rings = 0;
	void *room;
	int rc;

	for (uint32_t i = 0; i < g->n_parts_left; i++) {
		scap__group_get_part(&parts, &part);
		if (part.ring >= n_rings)
			n_rings = part.ring + 1;
	}
	/* One more than the number that must follow; 0: the ring was not met yet. */
	rc = scap__arena_get(&g->arena, n_rings * sizeof(uint64_t) + 1, &room);
	if (rc)
		return rc;
	*ret_whole = true;
	parts = g->parts;
	for (uint32_t i = 0; i < g->n_parts_left; i++) {
		uint64_t *expected;

		scap__group_get_part(&parts, &part);
		if (!part.n_records)
			continue;
		expected = (uint64_t *)room + part.ring;
		if (part.next_seq - part.first_seq != part.n_records ||
		    (*expected ? part.first_seq != (uint32_t)(*expected - 1) :
		     !choice->follows(choice->follows_ctx, part.ring, part.first_seq)))
			*ret_whole = false;
		*expected = (uint64_t)part.next_seq + 1;
	}
	return 0;
}

static void forget_answers(struct scap__group_in *g, uint32_t version)
{
	scap__map_clear(&g->kinds);
	scap__arena_reset(&g->kept);
	g->tids_found = false;
	g->version = version;
}

static int choose(struct scap__group_in *g, const struct scap__choice *choice)
{
	bool whole = false;
	int rc = choice->chooser ? is_whole(g, choice, &whole) : 0;

	if (rc || !whole)
		return rc;
	if (choice->version != g->version)
		forget_answers(g, choice->version);
	g->choice = choice;
	rc = find_kinds(g);
	if (rc || (!g->any_wanted && g->whole_epochs))
		return rc;
	return choose_records(g);
}

int scap__group_in_choose(struct scap__group_in *g, const struct scap__choice *choice,
			  const char **ret_what)
{
	int rc = choose(g, choice);

	*ret_what = g->what;
	return rc;
}
