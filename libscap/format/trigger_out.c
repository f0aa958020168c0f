/* SPDX-License-Identifier: MIT */
/* The TRIGGER section, on its way out. */
#include <errno.h>
#include <scap/trigger.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/options.h"
#include "format/writer.h"

/* How much of a text of n bytes gets in: no character in part. */
static size_t cut(const char *s)
{
	size_t n = strnlen(s, SCAP__TRIGGER_MAX_BYTES + 1);

	if (n <= SCAP__TRIGGER_MAX_BYTES)
		return n;
	n = SCAP__TRIGGER_MAX_BYTES;
	while (n && (s[n] & 0xc0) == 0x80)
		n--;
	return n ? n : SCAP__TRIGGER_MAX_BYTES;
}

static int put_string(struct scap__buffer *b, uint16_t key, const char *s)
{
	return s ? scap__entry_put_string(b, key, s, cut(s)) : 0;
}

static int put_label(struct scap__buffer *b, const struct scap_label *label)
{
	/* One more byte shows that it was cut. */
	char text[SCAP__TRIGGER_MAX_BYTES + 2];

	snprintf(text, sizeof(text), "%s=%s", label->name, label->value ? label->value : "");
	return put_string(b, SCAP__TRIGGER_LABEL, text);
}

static int put_entries(struct scap__buffer *b, const struct scap_trigger *t)
{
	int rc = 0;

#define X(nr, member) rc = rc ? rc : put_string(b, nr, t->member);
	SCAP__TRIGGER_STRINGS(X)
#undef X
#define X(nr, member) rc = rc ? rc : scap__entry_put_u64(b, nr, t->member);
	SCAP__TRIGGER_NUMBERS(X)
#undef X
	for (uint64_t i = 0; !rc && i < t->n_labels && i < SCAP__TRIGGER_MAX_LABELS; i++)
		rc = put_label(b, &t->labels[i]);
	return rc;
}

/* A name is what stands before the first '='. */
static bool labels_are_valid(const struct scap_trigger *t)
{
	for (uint64_t i = 0; i < t->n_labels && i < SCAP__TRIGGER_MAX_LABELS; i++) {
		const char *name = t->labels[i].name;

		if (!name || strchr(name, '=') ||
		    strnlen(name, SCAP__TRIGGER_MAX_BYTES) == SCAP__TRIGGER_MAX_BYTES)
			return false;
	}
	return true;
}

static bool is_in_place(const struct scap_writer *w)
{
	if (w->n_triggers)
		return w->n_triggers == 1;
	return w->next_index == 1u + w->started && w->last_end_ns == w->start_ns;
}

int scap_writer_trigger(struct scap_writer *w, const struct scap_trigger *t)
{
	struct scap_trigger o;
	int rc = scap__options_copy(&o, sizeof(o), t);

	if (w->refusing)
		return w->error.code;
	if (rc || !labels_are_valid(&o))
		return scap__fail(&w->error, rc ? rc : -EINVAL, SCAP_NO_OFFSET,
				  "what the trigger says is not valid");
	if (!is_in_place(w))
		return scap__fail(&w->error, -EINVAL, SCAP_NO_OFFSET,
				  "a trigger is told before all else, and once more at the end");
	rc = scap__groups_flush(w);
	if (!rc)
		rc = scap__section_begin(w);
	if (rc)
		return rc;
	if (put_entries(&w->raw, &o))
		return scap__writer_no_memory(w);
	rc = scap__section_write(w, SCAP__SECTION_TRIGGER);
	w->n_triggers += !rc;
	return rc;
}
