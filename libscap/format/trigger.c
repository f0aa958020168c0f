/* SPDX-License-Identifier: MIT */
/* TRIGGER sections, read: why a capture was written. */
#include <string.h>

#include "core/error.h"
#include "format/reader.h"

static int damaged(struct scap_reader *r, const struct scap__section *sec, const char *what)
{
	return scap__fail(&r->error, SCAP_EDAMAGED, sec->offset, "a trigger is damaged: %s", what);
}

bool scap__trigger_here(const struct scap_reader *r)
{
	return r->trigger && r->trigger->segment == r->info.n_segments;
}

bool scap__trigger_killed(const struct scap_reader *r)
{
	return scap__trigger_here(r) && r->trigger->t.flags & SCAP_TRIGGER_KILLED;
}

const struct scap_trigger *scap_reader_trigger(const struct scap_reader *r)
{
	return r->trigger ? &r->trigger->t : NULL;
}

/* ---- what may be in it --------------------------------------------------------------------- */

static bool is_text(const struct scap__entry *e)
{
	switch (e->key) {
#define X(nr, member) case nr:
	SCAP__TRIGGER_STRINGS(X)
#undef X
	case SCAP__TRIGGER_LABEL:
		return e->kind == SCAP__HOST_STRING;
	}
	return false;
}

/* NULL: nothing is wrong. */
static const char *check_entry(const struct scap__entry *e, uint32_t *n_labels)
{
	if (!is_text(e))
		return NULL;
	if (e->bytes > SCAP__TRIGGER_MAX_BYTES)
		return "a text is too long";
	if (memchr(e->value, 0, e->bytes))
		return "a text has a NUL in it";
	if (e->key != SCAP__TRIGGER_LABEL)
		return NULL;
	if (!memchr(e->value, '=', e->bytes))
		return "a label has no value";
	return ++*n_labels > SCAP__TRIGGER_MAX_LABELS ? "it has too many labels" : NULL;
}

/* All of it, before any of it is believed. */
static const char *check(const uint8_t *p, size_t n)
{
	struct scap__bytes b = { p, n, false };
	const char *what = NULL;
	uint32_t n_labels = 0;
	struct scap__entry e;

	if (n > SCAP__TRIGGER_RAW_MAX_BYTES)
		return "it is too large";
	while (!what && b.n) {
		if (!scap__entry_get(&b, &e))
			return "its entries do not fit";
		what = check_entry(&e, &n_labels);
	}
	return what;
}

/* ---- taking it ----------------------------------------------------------------------------- */

static int keep(struct scap_reader *r, const uint8_t *p, size_t n, const char **ret)
{
	void *room;
	int rc = scap__arena_room(&r->strings, n + 1, &room);

	if (rc)
		return rc;
	memcpy(room, p, n);
	((char *)room)[n] = 0;
	*ret = room;
	return 0;
}

/* A label of a name that is there gets another value. */
static int take_label(struct scap_reader *r, const struct scap__entry *e)
{
	size_t n = (size_t)((const uint8_t *)memchr(e->value, '=', e->bytes) - e->value);
	struct scap__trigger_in *in = r->trigger;
	struct scap_label new;
	uint64_t i = 0;
	int rc = keep(r, e->value, n, &new.name);

	if (!rc)
		rc = keep(r, e->value + n + 1, e->bytes - n - 1, &new.value);
	if (rc)
		return rc;
	while (i < in->t.n_labels && strcmp(in->labels[i].name, new.name))
		i++;
	in->labels[i] = new;
	if (i == in->t.n_labels)
		in->t.n_labels++;
	return 0;
}

static int take_string(struct scap_reader *r, const struct scap__entry *e)
{
	switch (e->key) {
#define X(nr, member) case nr: return keep(r, e->value, e->bytes, &r->trigger->t.member);
	SCAP__TRIGGER_STRINGS(X)
#undef X
	case SCAP__TRIGGER_LABEL: return take_label(r, e);
	}
	return 0;
}

static void take_number(struct scap_trigger *t, uint16_t key, uint64_t v)
{
	switch (key) {
#define X(nr, member) case nr: t->member = v; return;
	SCAP__TRIGGER_NUMBERS(X)
#undef X
	}
}

static int take(struct scap_reader *r, const uint8_t *p, size_t n)
{
	struct scap__bytes b = { p, n, false };
	struct scap__entry e;
	int rc = 0;

	while (!rc && b.n && scap__entry_get(&b, &e)) {
		if (e.kind == SCAP__HOST_STRING)
			rc = take_string(r, &e);
		else if (e.kind == SCAP__HOST_U64)
			take_number(&r->trigger->t, e.key, scap__le64(e.value));
	}
	return rc;
}

static int begin(struct scap_reader *r)
{
	void *room;
	int rc = scap__arena_get(&r->strings, sizeof(*r->trigger), &room);

	if (rc)
		return rc;
	r->trigger = room;
	r->trigger->segment = r->info.n_segments;
	r->trigger->t.size = sizeof(r->trigger->t);
	r->trigger->t.labels = r->trigger->labels;
	return 0;
}

int scap__trigger_read(struct scap_reader *r, const struct scap__section *sec, const uint8_t *p)
{
	struct scap__trigger_in *in = r->trigger;
	bool here = !in || in->segment == r->info.n_segments;
	const char *what;
	int rc = 0;

	/* It comes again when an earlier place was sought. */
	if (in && here && sec->index <= in->last_index)
		return 0;
	if (in && here && in->n_read == 2)
		return damaged(r, sec, "there are two already");
	what = check(p, (size_t)sec->raw_bytes);
	if (what)
		return damaged(r, sec, what);
	if (!here)
		return 0;
	if (!in)
		rc = begin(r);
	if (!rc)
		rc = take(r, p, (size_t)sec->raw_bytes);
	if (rc)
		return scap__reader_no_memory(r, rc);
	r->trigger->last_index = sec->index;
	r->trigger->n_read++;
	return 0;
}
