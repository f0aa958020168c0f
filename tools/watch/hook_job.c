/* SPDX-License-Identifier: MIT */
#include "watch/hooks.h"

#include "watch/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 4096
#define NAME_MAX_BYTES 256	/* of a variable */
#define LABELS_MAX 256

static bool add(struct hook_job *j, const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), room = sizeof(j->text) - j->used;

	if (na >= room || nb >= room - na)
		return false;
	memcpy(j->text + j->used, a, na);
	memcpy(j->text + j->used + na, b, nb + 1);
	j->used += na + nb + 1;
	return true;
}

bool hook_job_init(struct hook_job *j, char *const argv[])
{
	*j = (struct hook_job){ .kind = HOOK_RUN };
	for (; argv[j->n_argv]; j->n_argv++)
		if (!add(j, argv[j->n_argv], ""))
			return false;
	return j->n_argv;
}

bool hook_job_env(struct hook_job *j, const char *name, const char *value)
{
	char begin[NAME_MAX_BYTES + 2];
	int n = snprintf(begin, sizeof(begin), "%s=", name);

	if (n < 0 || (size_t)n >= sizeof(begin) || !add(j, begin, value))
		return false;
	j->n_env++;
	return true;
}

/* ---- labels --------------------------------------------------------------------------------- */

/* False: longer than any name that is told. */
static bool label_name(const char *label, char name[NAME_MAX_BYTES + 1])
{
	size_t n = (size_t)snprintf(name, NAME_MAX_BYTES + 1, "SCAP_LABEL_%s", label);

	for (char *p = name; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9')))
			*p = '_';
	return n <= NAME_MAX_BYTES;
}

static bool is_taken(const struct hook_job *j, const char *name)
{
	size_t n = strlen(name);
	const char *p = j->text;

	for (uint32_t i = 0; i < j->n_argv + j->n_env; i++, p += strlen(p) + 1)
		if (i >= j->n_argv && !strncmp(p, name, n) && p[n] == '=')
			return true;
	return false;
}

static bool add_label(struct hook_job *j, const struct scap_label *l)
{
	char name[NAME_MAX_BYTES + 1];

	return label_name(l->name, name) && !is_taken(j, name) && hook_job_env(j, name, l->value);
}

/* The text of a line that may be any length, cut. */
static bool add_why(struct hook_job *j, const char *why)
{
	char text[WHY_MAX + 1];
	bool whole = snprintf(text, sizeof(text), "%s", why) < (int)sizeof(text);

	return hook_job_env(j, "SCAP_WHY", text) &&
	       (whole || hook_job_env(j, "SCAP_WHY_CUT", "1"));
}

bool hook_job_trigger(struct hook_job *j, const char *file, const struct scap_trigger *t)
{
	const char *home = getenv("HOME"), *lang = getenv("LANG"), *path = getenv("PATH");
	char time[WATCH_TIME_BYTES];
	bool ok, whole = true;
	uint32_t used;

	ok = hook_job_env(j, "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin") &&
	     (!home || hook_job_env(j, "HOME", home)) &&
	     (!lang || hook_job_env(j, "LANG", lang)) &&
	     hook_job_env(j, "SCAP_FILE", file) &&
	     hook_job_env(j, "SCAP_TRIGGER", t->name ? t->name : "") &&
	     hook_job_env(j, "SCAP_SOURCE", t->source ? t->source : "") &&
	     hook_job_env(j, "SCAP_TIME", watch_time_rfc3339(t->real_ns, time)) &&
	     add_why(j, t->why ? t->why : "");
	/* Room for the word that something is missing, should that be so. */
	used = j->used;
	ok = ok && hook_job_env(j, "SCAP_LABELS_CUT", "1");
	for (uint64_t i = 0; ok && i < t->n_labels && i < LABELS_MAX; i++)
		whole &= add_label(j, &t->labels[i]);
	whole &= t->n_labels <= LABELS_MAX;
	if (!ok || !whole)
		return ok;
	/* All is there: the word goes. */
	memmove(j->text + used, j->text + used + sizeof("SCAP_LABELS_CUT=1"),
		j->used - used - sizeof("SCAP_LABELS_CUT=1"));
	j->used -= sizeof("SCAP_LABELS_CUT=1");
	j->n_env--;
	return true;
}
