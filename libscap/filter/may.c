/* SPDX-License-Identifier: MIT */
/* What a filter can say of events of which only the kind is known. */
#include <stdlib.h>
#include <string.h>

#include "filter/program.h"
#include "format/event.h"

/* Fields that every event of a kind has the same value of. */
static bool of_kind(const struct scap_field *f)
{
	return !strcmp(f->def->name, "evt.type") || !strcmp(f->def->name, "syscall.type");
}

#define MANY_CHECKS 256

struct walk {
	const struct scap_filter *f;
	const struct scap_event *ev;
	uint8_t *seen;		/* checks, a bit each */
};

/* Whether its end that accepts can be reached; a check that can't be decided goes both ways. */
static bool reaches(struct walk *w, uint32_t i)
{
	while (i < SCAP__REJECT) {
		const struct scap__check *check = &w->f->checks[i];

		if (w->seen[i / 8] & 1 << i % 8)
			return false;
		w->seen[i / 8] |= (uint8_t)(1 << i % 8);
		if (of_kind(&check->field)) {
			i = scap__check_holds(check, w->ev) ? check->on_true : check->on_false;
			continue;
		}
		if (reaches(w, check->on_true))
			return true;
		i = check->on_false;
	}
	return i == SCAP__ACCEPT;
}

bool scap_filter_may_match(void *f, unsigned type, unsigned abi, int64_t nr)
{
	uint8_t seen[MANY_CHECKS / 8] = { 0 };
	struct scap_event ev;
	struct walk w = { f, &ev, seen };

	/* Each check is gone into once: the depth is at most their number. */
	if (w.f->n_checks > MANY_CHECKS)
		return true;
	scap__event_of_kind(&ev, type, abi, nr);
	return reaches(&w, w.f->entry);
}
