/* SPDX-License-Identifier: MIT */
/* What a filter can say of events of which only parts are known. */
#include <errno.h>
#include <scap/reader.h>
#include <stdlib.h>
#include <string.h>

#include "filter/names.h"
#include "filter/program.h"

#define MANY_CHECKS	256
#define MAX_ERRNO	4095
#define NAMED_ERRNOS	133	/* the greatest number that has a name, at most */

struct walk {
	const struct scap_filter *f;
	const struct scap_event *ev;
	unsigned known;
	uint32_t end;		/* SCAP__ACCEPT or SCAP__REJECT */
	uint8_t *seen;		/* checks, a bit each */
};

/* Errors without a name are shown by their number, each another one. */
static bool nameless(const struct scap_event *ev)
{
	return ev->ret < -NAMED_ERRNOS && ev->ret >= -MAX_ERRNO;
}

/* Whether what is known decides the check. */
static bool decides(const struct walk *w, const struct scap_field *f)
{
	bool kind = w->known & SCAP__KNOWN_KIND, call = w->ev->type == SCAP_REC_CALL;

	switch (f->def->part) {
	case SCAP__PART_KIND:
		return kind;
	case SCAP__PART_RESULT:
		return kind && (!call || (w->known & SCAP__KNOWN_RESULT &&
					  (f->def->type != SCAP__TYPE_STRING || !nameless(w->ev))));
	case SCAP__PART_LATENCY:
		return kind && (!call || w->known & SCAP__KNOWN_LATENCY);
	case SCAP__PART_FILE:
		return w->known & SCAP__KNOWN_FILE || (kind && !call);
	case SCAP__PART_TID:
		return w->known & SCAP__KNOWN_TID;
	case SCAP__PART_THREAD:
		return w->known & SCAP__KNOWN_THREAD;
	case SCAP__PART_EXEC:
		return kind && w->ev->type != SCAP_REC_EXEC;
	}
	return false;
}

/* Whether w->end can be reached; a check that can't be decided goes both ways. */
static bool reaches(struct walk *w, uint32_t i)
{
	while (i < SCAP__REJECT) {
		const struct scap__check *check = &w->f->checks[i];

		if (w->seen[i / 8] & 1 << i % 8)
			return false;
		w->seen[i / 8] |= (uint8_t)(1 << i % 8);
		if (decides(w, &check->field)) {
			i = scap__check_holds(check, w->ev) ? check->on_true : check->on_false;
			continue;
		}
		if (reaches(w, check->on_true))
			return true;
		i = check->on_false;
	}
	return i == w->end;
}

static bool may_end(const struct scap_filter *f, const struct scap_event *ev, unsigned known,
		    uint32_t end)
{
	uint8_t seen[MANY_CHECKS / 8] = { 0 };
	struct walk w = { f, ev, known, end, seen };

	/* Each check is gone into once: the depth is at most their number. */
	return f->n_checks > MANY_CHECKS || reaches(&w, f->entry);
}

static bool may(void *ctx, const struct scap_event *ev, unsigned known)
{
	return may_end(ctx, ev, known, SCAP__ACCEPT);
}

bool scap__filter_may_end(const struct scap_filter *f, unsigned type, unsigned abi, int64_t nr,
			  uint32_t end)
{
	struct scap_event ev;

	scap__event_of_kind(&ev, type, abi, nr);
	return may_end(f, &ev, SCAP__KNOWN_KIND, end);
}

uint32_t scap__filter_entry(const struct scap_filter *f, unsigned type, unsigned abi, int64_t nr)
{
	struct scap_event ev;
	struct walk w = { .f = f, .ev = &ev, .known = SCAP__KNOWN_KIND };
	uint32_t i = f->entry;

	scap__event_of_kind(&ev, type, abi, nr);
	while (i < SCAP__REJECT && decides(&w, &f->checks[i].field))
		i = scap__check_holds(&f->checks[i], &ev) ? f->checks[i].on_true :
							    f->checks[i].on_false;
	return i;
}

/* ---- for readers ----------------------------------------------------------------------------- */

/* Of calls that are told by their files: as of a read(2) of it. */
static bool may_file(void *ctx, const struct scap__file *file)
{
	struct scap_event ev;

	/* Where a datagram went may come with the call. */
	if (file && file->sock.family && !scap__is_stream(file))
		return true;
	scap__event_of_kind(&ev, SCAP_REC_CALL, SCAP_ABI_X86_64, 0);
	ev.nargs = 1;
	ev.file = file;
	return may(ctx, &ev, SCAP__KNOWN_FILE);
}

/* Failed opens have the path that they asked for; an address may come with a call. */
static enum scap__by_file by_file(void *ctx, const struct scap_event *ev)
{
	(void)ctx;
	if (scap__open_like(ev))
		return SCAP__BY_NEW_FILE;
	return ev->sc && !strcmp(ev->sc->row, "connect") ? SCAP__BY_MORE : SCAP__BY_FILE;
}

static unsigned known_of(unsigned part)
{
	static const uint8_t known[] = {
		[SCAP__PART_RESULT] = SCAP__KNOWN_RESULT,
		[SCAP__PART_LATENCY] = SCAP__KNOWN_LATENCY,
		[SCAP__PART_FILE] = SCAP__KNOWN_FILE, [SCAP__PART_TID] = SCAP__KNOWN_TID,
		[SCAP__PART_THREAD] = SCAP__KNOWN_THREAD, [SCAP__PART_WHOLE] = 0,
	};

	return known[part];
}

static void add(int64_t *v, uint32_t *n, int64_t first)
{
	v[(*n)++] = first;
}

/* A number is compared with constants: its order changes at each, and behind it. */
static void add_constants(int64_t *v, uint32_t *n, const struct scap__check *check)
{
	for (uint32_t i = 0; i < check->n_constants; i++) {
		int64_t c = check->constants[i].i;

		if (c < 0 && check->field.def->type == SCAP__TYPE_RELTIME)
			continue;	/* beyond what there is */
		add(v, n, c);
		if (c < INT64_MAX)
			add(v, n, c + 1);
	}
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static struct scap__breaks breaks_of(const struct scap_filter *f, unsigned part, int64_t *v)
{
	uint32_t n = 0, kept = 0;
	bool names = false;

	for (uint32_t i = 0; i < f->n_checks; i++) {
		const struct scap__check *check = &f->checks[i];

		if (check->field.def->part != part)
			continue;
		if (check->field.def->type == SCAP__TYPE_STRING)
			names = true;
		if (check->field.def->type == SCAP__TYPE_BOOL) {
			add(v, &n, -MAX_ERRNO);
			add(v, &n, 0);
		} else if (check->field.def->type != SCAP__TYPE_STRING) {
			add_constants(v, &n, check);
		}
	}
	if (names)
		add(v, &n, -MAX_ERRNO);
	for (int64_t e = -NAMED_ERRNOS; names && e <= 0; e++)
		add(v, &n, e);
	qsort(v, n, sizeof(*v), ascending);
	for (uint32_t i = 0; i < n; i++)
		if (!i || v[i] != v[i - 1])
			v[kept++] = v[i];
	return (struct scap__breaks){ v, kept };
}

int scap__filter_init_chooser(struct scap_filter *f)
{
	size_t most = NAMED_ERRNOS + 4;
	int64_t *v;

	for (uint32_t i = 0; i < f->n_checks; i++) {
		f->chooser.asks |= known_of(f->checks[i].field.def->part);
		most += 2 + 2 * (size_t)f->checks[i].n_constants;
	}
	f->breaks = v = calloc(most, sizeof(*v));
	if (!v)
		return -ENOMEM;
	f->chooser.ctx = f;
	f->chooser.may = may;
	f->chooser.may_file = may_file;
	f->chooser.by_file = by_file;
	f->chooser.results = breaks_of(f, SCAP__PART_RESULT, v);
	v += f->chooser.results.n;
	f->chooser.latencies = breaks_of(f, SCAP__PART_LATENCY, v);
	v += f->chooser.latencies.n;
	f->chooser.tids = breaks_of(f, SCAP__PART_TID, v);
	return 0;
}

void scap_reader_choose(struct scap_reader *r, const struct scap_filter *f)
{
	scap__reader_choose(r, f ? &f->chooser : NULL);
}
