/* SPDX-License-Identifier: MIT */
/*
 * A damaged capture read in several ways, and each event compared with the original's: what is
 * delivered before anything was told is the same to the last accessor; what comes later is an event
 * of the original, though perhaps without its names.
 */
#ifndef TEST_DAMAGE_READ_H
#define TEST_DAMAGE_READ_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <scap/filter.h>

#include "format/event.h"
#include "format/layout.h"
#include "support_keyframe.h"

#define HEAD sizeof(struct scap__section_header)
#define EVENTS_MAX 1000
#define SECTIONS_MAX 64
#define ALL (SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES)

/* An event as the accessors have it; texts and bytes as hashes, 0: none. */
struct seen {
	struct {		/* what no damage elsewhere may change */
		uint64_t raw_ns, wall_ns, latency_ns, n_lost, first_ns, last_ns, name, slots, rec;
		uint64_t args[6];
		int64_t nr, ret;
		uint32_t ring, seq, cpu, type, abi, tid, child_tid, child_tgid, n_args;
		uint32_t in_keyframe, has_ret;
	} body;
	uint64_t comm, file, file2, tgid, ppid;	/* names */
	uint64_t num;
	size_t section_end;	/* of the section that it was in; of a journal, too */
	size_t whole;		/* its place among all */
};

struct list {
	struct seen *seen;
	size_t n;
};

/* How a capture is read. */
struct mode {
	uint32_t flags;
	const char *text;
	struct scap_filter *filter;
	struct list orig;
};

static struct mode modes[] = {
	{ .flags = ALL },	/* everything: the others are compared with it, too */
	{ .flags = ALL | SCAP_READER_SEALS },
	{ .flags = SCAP_READER_KEYFRAMES, .text = "syscall.type contains e or evt.type = signal" },
	{ .flags = SCAP_READER_SEALS, .text = "evt.type = page_fault" },
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static struct capture cap;
static size_t at_section[SECTIONS_MAX + 1];	/* and the file's end */
static unsigned n_sections;
static const char *journals_of;			/* path beside which they lie, or NULL */

/* ---- events ---------------------------------------------------------------------------------- */

static uint64_t hash(uint64_t h, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3ull;
	return h | 1;
}

static uint64_t hash_text(const char *s)
{
	return s ? hash(7, s, strlen(s)) : 0;
}

static uint64_t hash_file(const struct scap__file *f)
{
	uint64_t h = 7;

	if (!f)
		return 0;
	h = hash(h, &f->cookie, sizeof(f->cookie));
	h = hash(h, &f->ino, sizeof(f->ino));
	h = hash(h, &f->kind, sizeof(f->kind));
	h = hash(h, &f->sock, sizeof(f->sock));
	h = hash(h, &f->seen, sizeof(f->seen));
	return hash(h, f->path, f->path ? f->path_bytes : 0);
}

static uint64_t hash_slots(const struct scap_event *ev)
{
	uint64_t h = 7;

	for (unsigned slot = 0; slot < SCAP_SLOTS; slot++) {
		const void *data;
		size_t n, orig;
		unsigned state;

		if (scap_event_bytes(ev, slot, &data, &n, &orig, &state))
			continue;
		h = hash(h, &slot, sizeof(slot));
		h = hash(h, &orig, sizeof(orig));
		h = hash(h, &state, sizeof(state));
		h = hash(h, data, n);
	}
	return h;
}

static struct seen see(const struct scap_event *ev)
{
	struct seen s;

	memset(&s, 0, sizeof(s));
	s.body.raw_ns = scap_event_raw_ns(ev);
	s.body.wall_ns = scap_event_wall_ns(ev);
	s.body.latency_ns = scap_event_latency_ns(ev);
	scap_event_gap(ev, &s.body.n_lost, &s.body.first_ns, &s.body.last_ns);
	s.body.name = hash_text(scap_event_name(ev));
	s.body.slots = hash_slots(ev);
	s.body.rec = hash(7, ev->rec, ev->rec_bytes);
	s.body.n_args = scap_event_n_args(ev);
	for (unsigned i = 0; i < 6; i++)
		s.body.args[i] = scap_event_arg(ev, i);
	s.body.nr = scap_event_nr(ev);
	s.body.has_ret = scap_event_has_ret(ev);
	s.body.ret = scap_event_ret(ev);
	s.body.ring = ev->ring;
	s.body.seq = ev->seq;
	s.body.cpu = scap_event_cpu(ev);
	s.body.type = scap_event_type(ev);
	s.body.abi = scap_event_abi(ev);
	s.body.tid = scap_event_tid(ev);
	scap_event_child(ev, &s.body.child_tid, &s.body.child_tgid);
	s.body.in_keyframe = scap_event_in_keyframe(ev);
	s.comm = hash_text(scap_event_comm(ev));
	s.file = hash_file(ev->file);
	s.file2 = hash_file(ev->file2);
	s.tgid = scap_event_tgid(ev);
	s.ppid = scap_event_ppid(ev);
	s.num = scap_event_num(ev);
	return s;
}

static bool same(const struct seen *a, const struct seen *b)
{
	return !memcmp(&a->body, &b->body, sizeof(a->body));
}

static void compare(const struct seen *got, const struct seen *want)
{
	cr_assert(same(got, want));
	cr_assert_eq(got->comm, want->comm);
	cr_assert_eq(got->file, want->file);
	cr_assert_eq(got->file2, want->file2);
	cr_assert_eq(got->tgid, want->tgid);
	cr_assert_eq(got->ppid, want->ppid);
	cr_assert_eq(got->num, want->num);
}

/* Its body was found there; names may be missing, but not be others. */
static void compare_names(const struct seen *got, const struct seen *want)
{
	cr_assert(!got->comm || got->comm == want->comm);
	cr_assert(!got->file || got->file == want->file);
	cr_assert(!got->file2 || got->file2 == want->file2);
	cr_assert(!got->tgid || got->tgid == want->tgid);
	cr_assert(!got->ppid || got->ppid == want->ppid);
}

/* ---- reading --------------------------------------------------------------------------------- */

static struct rows_reader input;

/* A reader, or NULL with an error in *ret_rc. */
static struct scap_reader *open_bytes(const struct mode *m, const uint8_t *p, size_t n,
				      int *ret_rc)
{
	struct scap_reader_options opt = { .size = sizeof(opt), .flags = m->flags,
					   .path = journals_of };
	struct scap_source src = rows_source(&input, p, n);
	struct scap_error err = { 0 };
	struct scap_reader *r = NULL;

	*ret_rc = scap_reader_open_source(&src, &opt, &r, &err);
	if (*ret_rc) {
		cr_assert_eq(err.code, *ret_rc);
		cr_assert_neq(err.text[0], 0);
	} else if (m->filter) {
		scap_reader_choose(r, m->filter);
	}
	return r;
}

static void learn(struct mode *m, int want_rc)
{
	struct list *l = &m->orig;
	const struct scap_event *ev;
	struct scap_reader *r;
	size_t at = 0;
	int rc;

	if (m->text)
		cr_assert_eq(scap_filter_compile(m->text, &m->filter, NULL), 0);
	l->seen = calloc(EVENTS_MAX, sizeof(*l->seen));
	r = open_bytes(m, cap.file.p, cap.file.n, &rc);
	while ((rc = scap_reader_next(r, &ev)) == 0) {
		struct seen *s = &l->seen[l->n++];

		cr_assert_lt(l->n, EVENTS_MAX);
		*s = see(ev);
		s->section_end = scap_reader_info(r)->file_bytes;
		while (m != modes && !same(&modes[0].orig.seen[at], s))
			cr_assert_lt(++at, modes[0].orig.n);
		s->whole = m == modes ? l->n - 1 : at++;
		compare(s, &modes[0].orig.seen[s->whole]);
	}
	cr_assert_eq(rc, want_rc);
	scap_reader_close(r);
}

struct outcome {
	size_t n_prefix;	/* delivered before anything was told */
	unsigned n_told;
	int open_rc, first_rc, last_rc;
	uint64_t n_attempts;	/* delivered, lost, or missing */
	uint8_t delivered[EVENTS_MAX];	/* of all */
	bool complete;
};

static void take(const struct mode *m, struct outcome *o, const struct scap_event *ev, bool told,
		 size_t *at)
{
	struct seen got = see(ev);
	const struct list *all = &modes[0].orig;

	if (!told) {
		cr_assert_lt(o->n_prefix, m->orig.n);
		compare(&got, &m->orig.seen[o->n_prefix]);
		*at = m->orig.seen[o->n_prefix++].whole;
	} else {
		while (*at < all->n && !same(&all->seen[*at], &got))
			++*at;
		cr_assert_lt(*at, all->n, "an event that never was: ring %u, %u, type %u",
			     got.body.ring, got.body.seq, got.body.type);
		compare_names(&got, &all->seen[*at]);
	}
	o->delivered[(*at)++] = 1;
}

static struct outcome read_damaged(const struct mode *m, const uint8_t *p, size_t n)
{
	struct outcome o = { 0 };
	const struct scap_event *ev;
	struct scap_reader *r = open_bytes(m, p, n, &o.open_rc);
	bool hole = false;
	size_t at = 0;

	o.n_told = !r;
	while (r) {
		o.last_rc = scap_reader_next(r, &ev);
		if (!o.last_rc && scap_event_gap_unexplained(ev)) {
			cr_assert_gt(ev->u.gap.n_lost, 0);
			o.n_attempts += ev->u.gap.n_lost;
			/* A group that is cut in the middle is in no journal any more, perhaps. */
			cr_assert(o.n_told || journals_of);
			hole = true;
			continue;
		}
		if (!o.last_rc) {
			take(m, &o, ev, o.n_told || hole, &at);
			o.n_attempts += !ev->in_keyframe;
			o.n_attempts += ev->type == SCAP_REC_GAP ? ev->u.gap.n_lost : 0;
			continue;
		}
		if (o.last_rc == 1)
			break;
		cr_assert_eq(scap_reader_error(r)->code, o.last_rc);
		cr_assert_neq(scap_reader_error(r)->text[0], 0);
		cr_assert_lt(o.n_told, 100, "an error without end");
		if (!o.n_told++)
			o.first_rc = o.last_rc;
		if (o.last_rc == SCAP_ETRUNCATED)
			break;
	}
	o.complete = r && scap_reader_info(r)->complete;
	scap_reader_close(r);
	return o;
}

/* ---- the captures ---------------------------------------------------------------------------- */

static struct scap__section_header *header(unsigned i)
{
	return (struct scap__section_header *)(cap.file.p + at_section[i]);
}

static void find_sections(void)
{
	size_t p = sizeof(struct scap__file_header);

	for (n_sections = 0; p < cap.file.n; n_sections++) {
		cr_assert_lt(n_sections, SECTIONS_MAX);
		at_section[n_sections] = p;
		p += HEAD + ((size_t)header(n_sections)->stored_bytes + 7) / 8 * 8;
	}
	at_section[n_sections] = p;
	cr_assert_eq(p, cap.file.n);
}

static unsigned section_of(size_t at)
{
	unsigned i = 0;

	while (at_section[i + 1] <= at)
		i++;
	return i;
}

static void drop(void)
{
	for (unsigned i = 0; i < MODES; i++) {
		scap_filter_free(modes[i].filter);
		free(modes[i].orig.seen);
	}
	capture_free(&cap);
}

/* What lies in sections that end at or before the offset. */
static size_t events_before(const struct mode *m, size_t offset)
{
	size_t n = 0;

	while (n < m->orig.n && m->orig.seen[n].section_end <= offset)
		n++;
	return n;
}

#endif
