/* SPDX-License-Identifier: MIT */
#include "watch/job.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "watch/listen.h"

#define WHY_BYTES 400		/* of what describes an event */

char *copy_of(const char *s, bool *failed)
{
	char *p = s ? strdup(s) : NULL;

	*failed |= s && !p;
	return p;
}

uint64_t add_capped(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

void job_close(struct job *j)
{
	if (j->whole >= 0)
		close(j->whole);
	if (j->part >= 0)
		close(j->part);
	j->whole = j->part = -1;
}

void job_put(struct job *j)
{
	if (--j->refs)
		return;
	for (uint64_t i = 0; i < j->trigger.n_labels; i++) {
		free((char *)j->labels[i].name);
		free((char *)j->labels[i].value);
	}
	for (unsigned i = 0; i < sizeof(j->text) / sizeof(*j->text); i++)
		free(j->text[i]);
	free(j->labels);
	free(j);
}

static const char *own(struct job *j, unsigned i, const char *s, bool *failed)
{
	return j->text[i] = copy_of(s, failed);
}

struct job *job_new(const struct firing *f, const struct trigger_config *t)
{
	struct job *j = calloc(1, sizeof(*j));
	char why[WHY_BYTES];
	bool failed = false;

	if (!j)
		return NULL;
	if (f->describe)
		f->describe(f->ctx, why, sizeof(why));
	j->refs = 1;
	j->by = f->by;
	j->whole = j->part = -1;
	j->labels = calloc(f->n_labels + 1, sizeof(*j->labels));
	j->trigger = (struct scap_trigger){
		.size = sizeof(j->trigger), .name = own(j, 0, t->name, &failed),
		.source = own(j, 1, f->source, &failed),
		.why = own(j, 2, f->describe ? why : f->why, &failed),
		.config = own(j, 3, t->text, &failed), .keep = own(j, 4, t->keep, &failed),
		.labels = j->labels, .n_labels = j->labels ? f->n_labels : 0,
		.raw_ns = f->raw_ns, .real_ns = f->real_ns, .event = f->event,
		.before_ns = f->before_ns == UINT64_MAX ? t->before_ns : f->before_ns,
		.after_ns = f->after_ns == UINT64_MAX ? t->after_ns : f->after_ns,
	};
	for (uint64_t i = 0; i < j->trigger.n_labels; i++) {
		j->labels[i].name = copy_of(f->labels[i].name, &failed);
		j->labels[i].value = copy_of(f->labels[i].value, &failed);
	}
	j->max_bytes = t->max_bytes;
	j->end_raw_ns = add_capped(j->trigger.raw_ns, j->trigger.after_ns);
	j->end_mono_ns = add_capped(now_ns(), j->trigger.after_ns);
	if (!failed && j->labels)
		return j;
	job_put(j);
	return NULL;
}
