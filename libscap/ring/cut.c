/* SPDX-License-Identifier: MIT */
/* Captures cut out of a ring that goes on being filled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/options.h"
#include "ring/ring.h"

#define EPOCH_NS SCAP_EPOCH_NS
#define SEAL_NS (10 * 1000000000ull)
/* A keyframe that is older than this when the window begins is of no use in it. */
#define KEYFRAME_NS (10 * 1000000000ull)
/* So long behind the window may it still be told what was lost in it. */
#define TOLD_NS (10 * 1000000000ull)
#define NOWHERE UINT64_MAX

struct scap_cut {
	struct scap_ring *r;
	struct scap_writer *w;
	struct scap_error error;
	struct scap__arena strings;	/* of the trigger */
	struct scap_trigger trigger;
	uint64_t from_ns, to_ns, max_bytes;
	bool (*room)(void *ctx, uint64_t bytes);
	void *room_ctx;
	uint64_t position;		/* of the next entry */
	uint64_t data_from;		/* position of the first one with events that is copied */
	bool begun, done;
	bool keyframe_open;		/* its last part is still to come */
	size_t fixed_at;
	uint64_t event;			/* number of the one that fired it, in the recording */
	uint64_t complete_head;		/* the head when the window was known to be over */
	uint64_t end_ns;		/* of what was copied, or is known to be all */
	struct scap_ring_end *ends;	/* where the rings stood there */
	uint32_t n_ends;
};

/* ---- a new one ------------------------------------------------------------------------------ */

/* NULL where there is no memory. */
static const char *keep_string(struct scap_cut *c, const char *s, bool *failed)
{
	size_t n = s ? strlen(s) + 1 : 0;
	void *p = NULL;

	if (s && scap__arena_room(&c->strings, n, &p))
		*failed = true;
	return p ? memcpy(p, s, n) : NULL;
}

static int keep_trigger(struct scap_cut *c, const struct scap_trigger *t)
{
	struct scap_label *labels;
	bool failed = false;
	void *p = NULL;

	if (scap__options_copy(&c->trigger, sizeof(c->trigger), t))
		return -EINVAL;
	t = &c->trigger;
	if (t->n_labels > 4096 || scap__arena_get(&c->strings, (t->n_labels + 1) *
						  sizeof(*labels), &p))
		return -ENOMEM;
	labels = p;
	for (uint64_t i = 0; i < t->n_labels; i++) {
		labels[i].name = keep_string(c, t->labels[i].name, &failed);
		labels[i].value = keep_string(c, t->labels[i].value, &failed);
	}
	c->trigger.labels = labels;
	c->trigger.size = sizeof(c->trigger);
	c->trigger.name = keep_string(c, t->name, &failed);
	c->trigger.source = keep_string(c, t->source, &failed);
	c->trigger.why = keep_string(c, t->why, &failed);
	c->trigger.config = keep_string(c, t->config, &failed);
	c->trigger.keep = keep_string(c, t->keep, &failed);
	return failed ? -ENOMEM : 0;
}

static void cut_free(struct scap_cut *c)
{
	scap__arena_fini(&c->strings);
	free(c->ends);
	free(c);
}

static int cut_open(struct scap_cut *c, int fd, struct scap_error *err)
{
	struct scap_writer_options o = { .size = sizeof(o) };
	struct scap_sink sink = scap__fd_sink(fd);
	int rc = scap__writer_open_bare(&sink, fd, &o, 0, NULL, &c->w, err);

	if (rc)
		return rc;
	c->w->sealing = true;
	return 0;
}

int scap_ring_cut(struct scap_ring *r, const struct scap_cut_options *opt, struct scap_cut **ret_c,
		  struct scap_error *err)
{
	const struct scap_trigger *t;
	struct scap_cut *c = calloc(1, sizeof(*c));
	struct scap_cut_options o;
	int rc = scap__options_copy(&o, sizeof(o), opt);

	if (!rc)
		rc = c ? keep_trigger(c, o.trigger) : -ENOMEM;
	if (rc) {
		close(opt->fd);
		if (c)
			cut_free(c);
		return scap__fail(err, rc, SCAP_NO_OFFSET, rc == -ENOMEM ? "out of memory" :
				  "options that are not known here");
	}
	t = &c->trigger;
	c->r = r;
	c->event = t->event;
	c->from_ns = t->raw_ns > t->before_ns ? t->raw_ns - t->before_ns : 0;
	c->to_ns = t->after_ns > UINT64_MAX - t->raw_ns ? UINT64_MAX : t->raw_ns + t->after_ns;
	c->max_bytes = o.max_bytes ? o.max_bytes : UINT64_MAX;
	c->room = o.room;
	c->room_ctx = o.room_ctx;
	rc = cut_open(c, o.fd, err);
	if (rc) {
		cut_free(c);
		return rc;
	}
	*ret_c = c;
	return 0;
}

/* ---- where it begins ------------------------------------------------------------------------ */

/* What lies in the ring, as far as the start is concerned. */
struct plan {
	uint64_t keyframe;		/* position of the last one that is near enough */
	uint64_t data;			/* of the entry that the window begins in */
	uint64_t after_keyframe;	/* of the first one behind it that begins an epoch */
	uint64_t last;			/* of the last entry with events */
	struct scap__ring_found first;	/* at data, or after_keyframe */
	bool aligned;			/* data is at an epoch's beginning: all names are in it */
	bool reached;			/* an entry was met that holds some of the window */
};

static void consider(struct plan *p, const struct scap_cut *c, uint64_t at,
		     const struct scap__ring_found *f)
{
	/* No ring has a number yet: the recording begins here. */
	bool aligned = f->e.start_ns % EPOCH_NS == 0 || !f->e.n_rings;

	if (f->e.type == SCAP__SECTION_KEYFRAME) {
		if (f->e.flags & SCAP__RING_FIRST_PART && f->e.start_ns <= c->from_ns &&
		    f->e.start_ns + KEYFRAME_NS >= c->from_ns) {
			p->keyframe = at;
			p->after_keyframe = NOWHERE;
		}
		return;
	}
	if (aligned && p->keyframe != NOWHERE && p->after_keyframe == NOWHERE)
		p->after_keyframe = at;
	/* The nearest one in front of the window; without any, the first there is. */
	if (p->data == NOWHERE || (f->e.start_ns <= c->from_ns && (aligned || !p->aligned))) {
		p->data = at;
		p->aligned = aligned;
	}
	p->last = at;
	p->reached |= f->e.end_ns > c->from_ns;
}

/* 0; 1: nothing of the window is there yet, p->first is the last entry; -EAGAIN. */
static int make_plan(struct scap_cut *c, struct plan *p)
{
	struct scap__ring_found f;
	uint64_t at = atomic_load(&c->r->tail);
	int rc = 1;

	*p = (struct plan){ .keyframe = NOWHERE, .data = NOWHERE, .after_keyframe = NOWHERE,
			    .last = NOWHERE };
	while (!p->reached && (rc = scap__ring_look(c->r, &at, &f)) == 0) {
		consider(p, c, at, &f);
		at += f.e.bytes;
	}
	if (!p->reached && rc == 1 && p->last != NOWHERE)
		rc = scap__ring_look(c->r, &p->last, &p->first);
	if (!p->reached)
		return rc < 0 ? rc : 1;
	if (p->after_keyframe != NOWHERE && p->after_keyframe <= p->data)
		p->data = p->after_keyframe;
	else
		p->keyframe = p->after_keyframe == NOWHERE ? NOWHERE : p->keyframe;
	return scap__ring_look(c->r, &p->data, &p->first);
}

/* HOST, where the rings stood, why all this is, what things are called. real_ns 0: not known. */
static int write_front(struct scap_cut *c, uint64_t start_ns, uint64_t real_ns,
		       const struct scap_ring_end *rings, uint32_t n_rings)
{
	const uint8_t *fixed = c->r->map + SCAP__RING_FIXED_OFFSET;
	int rc = scap__ring_copy_host(c->w, fixed, atomic_load(&c->r->fixed_bytes), start_ns,
				      real_ns, &c->fixed_at);

	if (!rc && !c->fixed_at)
		return scap__fail(&c->error, SCAP_EDAMAGED, SCAP_NO_OFFSET,
				  "the ring does not begin with a description of its host");
	if (!rc)
		rc = scap_writer_start(c->w, start_ns, rings, n_rings);
	if (!rc)
		rc = scap_writer_trigger(c->w, &c->trigger);
	return rc;
}

static int begin_at(struct scap_cut *c, const struct plan *p)
{
	const struct scap__ring_entry *e = &p->first.e;
	struct scap_ring_end *rings = malloc(UINT16_MAX * sizeof(*rings));
	int rc;

	if (!rings)
		return scap__fail(&c->error, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	scap__ring_list(p->first.rings, e->n_rings, rings);
	if (!scap__ring_holds(c->r, p->data)) {
		free(rings);
		return -EAGAIN;
	}
	c->trigger.from_raw_ns = c->end_ns = e->start_ns;
	c->trigger.event = c->event > e->n_before ? c->event - e->n_before : 0;
	if (e->start_ns > c->from_ns || !p->aligned)
		c->trigger.flags |= SCAP_TRIGGER_SHORT;
	c->data_from = p->data;
	c->position = p->keyframe < p->data ? p->keyframe : p->data;
	rc = write_front(c, e->start_ns, e->start_real_ns, rings, e->n_rings);
	/* Where it ends, too, if all of the window is gone already and nothing is copied. */
	free(c->ends);
	c->ends = rings;
	c->n_ends = e->n_rings;
	c->trigger.event = 0;	/* until it is copied */
	c->begun = true;
	return rc;
}

/* Where the rings stood behind the last entry there is; *ret_ns: when that was, if there is
 * one. */
static int ends_before(struct scap_cut *c, const struct plan *p, struct scap_ring_end *rings,
		       uint32_t *ret_n, uint64_t *ret_ns, uint64_t *ret_real_ns)
{
	const struct scap__ring_entry *e = &p->first.e;

	*ret_n = 0;	/* from the recording's beginning on */
	if (p->last != NOWHERE) {
		scap__ring_list(p->first.ends, e->n_ends, rings);
		*ret_n = e->n_ends;
		*ret_ns = e->end_ns;
		if (e->start_real_ns)
			*ret_real_ns = e->start_real_ns + (e->end_ns - e->start_ns);
		return scap__ring_holds(c->r, p->last) ? 0 : -EAGAIN;
	}
	if (!atomic_load(&c->r->n_evicted))
		return 0;
	/* Nobody knows any more. */
	c->trigger.flags |= SCAP_TRIGGER_SHORT;
	*ret_n = c->n_ends < UINT16_MAX ? c->n_ends : UINT16_MAX;
	if (*ret_n)
		memcpy(rings, c->ends, *ret_n * sizeof(*rings));
	return 0;
}

/* No event of the window is there, and that is known; what was lost since the last one may be. */
static int begin_empty(struct scap_cut *c, const struct plan *p)
{
	struct scap_ring_end *rings = malloc(UINT16_MAX * sizeof(*rings));
	uint64_t from_ns = c->from_ns, real_ns = 0;
	uint32_t n;
	int rc;

	if (!rings)
		return scap__fail(&c->error, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	rc = ends_before(c, p, rings, &n, &from_ns, &real_ns);
	if (!rc) {
		c->trigger.from_raw_ns = from_ns;
		c->trigger.event = 0;
		c->begun = true;
		c->position = c->data_from = c->complete_head;
		rc = write_front(c, from_ns, real_ns, rings, n);
	}
	free(rings);
	return rc;
}

/* ---- what is known to be all ---------------------------------------------------------------- */

/* When everything up to the window's end was in the ring, and nothing behind our place; or NULL. */
static const struct scap__ring_done *find_done(const struct scap_cut *c)
{
	const struct scap_ring *r = c->r;
	uint32_t n = r->n_done < SCAP__RING_DONE ? r->n_done : SCAP__RING_DONE;

	for (uint32_t i = 1; i <= n; i++) {
		const struct scap__ring_done *d = &r->done[(r->n_done - i) % SCAP__RING_DONE];

		if (d->ns >= c->to_ns && (!c->begun || d->head == c->position))
			return d;
	}
	return NULL;
}

/* Then the rings' numbers of that moment are known, also of those that are in no record. */
static bool look_complete(struct scap_cut *c)
{
	const struct scap__ring_done *d;
	struct scap_ring_end *ends;

	pthread_mutex_lock(&c->r->lock);
	d = find_done(c);
	ends = d && d->n_ends ? realloc(c->ends, d->n_ends * sizeof(*ends)) : NULL;
	if (ends) {
		c->ends = ends;
		c->n_ends = d->n_ends;
		memcpy(ends, d->ends, d->n_ends * sizeof(*ends));
	}
	if (d) {
		c->end_ns = d->ns;
		c->complete_head = d->head;
	}
	pthread_mutex_unlock(&c->r->lock);
	return d;
}

/* 0: begun; 1: not yet; or an error. */
static int begin(struct scap_cut *c)
{
	/* Asked first: what comes in while we look may be of the window. */
	bool complete = look_complete(c);
	struct plan p;
	int rc;

	do {
		rc = make_plan(c, &p);
		if (rc == SCAP_EDAMAGED)
			return scap__fail(&c->error, rc, SCAP_NO_OFFSET, "the ring is damaged");
		if (!rc)
			rc = begin_at(c, &p);
		else if (rc == 1 && complete)
			rc = begin_empty(c, &p);
	} while (rc == -EAGAIN);
	return rc;
}

/* ---- copying -------------------------------------------------------------------------------- */

static bool still(void *ctx)
{
	struct scap_cut *c = ctx;

	return scap__ring_holds(c->r, c->position);
}

/* The one who fills the ring was faster: on with what is oldest now. */
static void overtaken(struct scap_cut *c)
{
	c->trigger.flags |= SCAP_TRIGGER_OVERTAKEN;
	c->position = atomic_load(&c->r->tail);
	c->keyframe_open = false;
}

/* From the copy of the list that was made in time. */
static int keep_ends(struct scap_cut *c, uint32_t n)
{
	struct scap_ring_end *ends = realloc(c->ends, (n + 1u) * sizeof(*ends));

	if (!ends)
		return scap__fail(&c->error, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	c->ends = ends;
	c->n_ends = n;
	scap__ring_list(c->w->facts.ends.p, n, ends);
	return 0;
}

/* The number in this file of the event that fired it, if that is what was copied just now. */
static void note_event(struct scap_cut *c, const struct scap__ring_entry *e)
{
	if (c->event > e->n_before && c->event <= e->n_after)
		c->trigger.event = c->w->facts.n_before + (c->event - e->n_before);
}

static bool is_wanted(const struct scap_cut *c, const struct scap__ring_entry *e)
{
	if (e->type != SCAP__SECTION_KEYFRAME)
		return c->position >= c->data_from;
	return c->keyframe_open || (e->flags & SCAP__RING_FIRST_PART && e->start_ns < c->to_ns);
}

/* The window is over; an entry that may tell what was lost in it belongs to it all the same. */
static bool is_behind(const struct scap_cut *c, const struct scap__ring_found *f)
{
	bool tells = f->e.flags & SCAP__RING_MISSING && f->e.start_ns - c->to_ns < TOLD_NS;

	return f->e.type != SCAP__SECTION_KEYFRAME && f->e.start_ns >= c->to_ns && !tells &&
	       !scap__ring_jumped(c->w, f) && scap__ring_holds(c->r, c->position);
}

/* Its last part comes soon, or never: then the keyframe is told as far as it goes. */
static bool waits_for_keyframe(const struct scap_cut *c, uint64_t now_ns)
{
	return c->keyframe_open && now_ns - c->to_ns < KEYFRAME_NS;
}

static int copy(struct scap_cut *c, const struct scap__ring_found *f)
{
	const uint8_t *fixed = c->r->map + SCAP__RING_FIXED_OFFSET;
	struct scap_writer *w = c->w;
	int rc = scap__ring_copy_fixed(w, fixed, atomic_load(&c->r->fixed_bytes), &c->fixed_at);

	if (!rc)
		rc = scap__ring_copy(w, f, still, c);
	if (rc > 0)
		overtaken(c);
	if (rc)
		return rc < 0 ? rc : 0;
	c->position += f->e.bytes;
	if (f->e.type == SCAP__SECTION_KEYFRAME) {
		c->keyframe_open = !(f->e.flags & SCAP__RING_LAST_PART);
		return 0;
	}
	note_event(c, &f->e);
	c->end_ns = f->e.end_ns;
	rc = keep_ends(c, f->e.n_ends);
	if (rc)
		return rc;
	return c->end_ns - w->sealed_ns >= SEAL_NS ? scap__seal_write(w, c->end_ns) : 0;
}

/* The next entry: 0: it was taken; 1: there is none; 2: the capture is done; or an error. */
static int next(struct scap_cut *c)
{
	struct scap__ring_found f;
	int rc = scap__ring_look(c->r, &c->position, &f);

	if (rc == -EAGAIN) {
		overtaken(c);
		return 0;
	}
	if (rc < 0)
		return scap__fail(&c->error, rc, SCAP_NO_OFFSET, "the ring is damaged");
	if (rc)
		return 1;
	if (is_behind(c, &f) && !waits_for_keyframe(c, f.e.start_ns)) {
		/* The ring of a CPU that is silent since tells of its loss only later. */
		look_complete(c);
		return 2;
	}
	if (!is_wanted(c, &f.e)) {
		c->position += f.e.bytes;
		return 0;
	}
	if (scap_writer_bytes(c->w) + f.section_bytes > c->max_bytes) {
		c->trigger.flags |= SCAP_TRIGGER_CAPPED;
		return 2;
	}
	if (c->room && !c->room(c->room_ctx, f.section_bytes))
		return scap__fail(&c->error, -ENOSPC, SCAP_NO_OFFSET, "no room for more of it");
	return copy(c, &f);
}

int scap_cut_step(struct scap_cut *c)
{
	int rc = 0;

	if (c->done || c->error.code)
		return c->error.code;
	if (!c->begun)
		rc = begin(c);
	while (!rc)
		rc = next(c);
	if (rc < 0) {
		if (!c->error.code)
			c->error = *scap_writer_error(c->w);
		return c->error.code = rc;
	}
	if (rc == 1 && c->begun && look_complete(c) && !waits_for_keyframe(c, c->end_ns))
		rc = 2;
	c->done = rc == 2;
	return c->done ? 0 : 1;
}

/* ---- the end -------------------------------------------------------------------------------- */

/*
 * Also after an error, if what was written is whole: without the part that found no room there may
 * be enough for this.
 */
static void write_outcome(struct scap_cut *c, struct scap_writer *w)
{
	bool refusing = w->refusing;

	if (w->broken)
		return;
	w->refusing = false;
	if (!scap_writer_trigger(w, &c->trigger))
		scap__seal_write(w, c->end_ns);
	w->refusing |= refusing;
}

static int finish(struct scap_cut *c, struct scap_error *err)
{
	struct scap_writer *w = c->w;

	c->w = NULL;
	if (!c->begun)
		return scap_writer_close(w, 0, NULL, 0, err);
	write_outcome(c, w);
	return scap__ring_end_capture(w, c->end_ns, c->ends ? c->ends :
				      &(struct scap_ring_end){ 0 }, c->n_ends, NULL, err);
}

int scap_cut_close(struct scap_cut *c, struct scap_trigger *ret_outcome, struct scap_error *err)
{
	struct scap_trigger *t = &c->trigger;
	struct scap_error first = c->error;
	int rc;

	if (!c->done)
		t->flags |= SCAP_TRIGGER_CUT;
	if (c->begun) {
		t->to_raw_ns = c->end_ns;
		t->n_lost = c->w->index.lost_written +
			    scap__ring_lost(c->w, c->ends, c->n_ends);
	}
	rc = finish(c, err);
	if (!c->begun && !rc)
		rc = scap__fail(err, -ENODATA, SCAP_NO_OFFSET, "nothing of the window was there");
	if (first.code && err)
		*err = first;
	if (ret_outcome) {
		*ret_outcome = *t;
		ret_outcome->name = ret_outcome->source = ret_outcome->why = NULL;
		ret_outcome->config = ret_outcome->keep = NULL;
		ret_outcome->labels = NULL;
		ret_outcome->n_labels = 0;
	}
	cut_free(c);
	return first.code ? first.code : rc;
}

uint64_t scap_cut_bytes(const struct scap_cut *c)
{
	return scap_writer_bytes(c->w);
}

const struct scap_error *scap_cut_error(const struct scap_cut *c)
{
	return &c->error;
}
