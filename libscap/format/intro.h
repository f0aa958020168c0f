/* SPDX-License-Identifier: MIT */
/*
 * Introductions seen so far in the running epoch: who is a thread id, which file is a cookie. The
 * record's own CPU answers first. A thread that has moved may use there what was introduced where
 * it came from, so the last introduction on any CPU answers next. Nothing else ever does.
 */
#ifndef SCAP_FORMAT_INTRO_H
#define SCAP_FORMAT_INTRO_H

#include "core/arena.h"
#include "core/map.h"
#include "format/event.h"

struct scap__intros {
	struct scap__arena arena;
	struct scap__map threads, files;
	uint64_t epoch;
};

void scap__intros_init(struct scap__intros *in, struct scap__budget *budget);
void scap__intros_fini(struct scap__intros *in);
/* Forgets everything when the epoch is another one. Pointers given out before die then. */
void scap__intros_enter_epoch(struct scap__intros *in, uint64_t epoch);
/*
 * Remembers what an INTRO, FILE or KEY_TASK says and points the event to it: 0, -ENOMEM,
 * SCAP_ELIMIT.
 */
int scap__intros_add(struct scap__intros *in, struct scap_event *ev);
/* The file as the thread sees it: f, or *room, which holds what differs. Both may be NULL. */
const struct scap__file *scap__file_as_seen(const struct scap__thread *t,
					    const struct scap__file *f, struct scap__file *room);
/* Fills thread, file, file2 of any other event. */
void scap__intros_attach(const struct scap__intros *in, struct scap_event *ev);

#endif
