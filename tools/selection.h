/* SPDX-License-Identifier: MIT */
/* The events that are asked for, and which of those that are missing may have been among them. */
#ifndef SCAP_TOOLS_SELECTION_H
#define SCAP_TOOLS_SELECTION_H

#include "tree.h"

#include <scap/filter.h>

struct selection {
	struct scap_filter *filter;	/* NULL: none */
	struct tree tree;
	bool has_tree;
	uint64_t from_ns, to_ns;	/* ends included; 0 and UINT64_MAX: no limit */
	uint64_t clock_min, clock_max;	/* wall less raw time, as met so far */
	bool clock_known;
};

/* Of what a gap tells of. */
struct loss {
	uint64_t lost;		/* these were chosen ones for certain */
	uint64_t unknown;	/* of these nobody knows */
	uint64_t forks;		/* by these the tree may have grown before its events end */
};

/* Everything, with neither filter nor tree. */
void selection_init(struct selection *s);
void selection_fini(struct selection *s);
/* Whether the event is chosen. All events must pass through here, in their order. */
bool selection_has(struct selection *s, const struct scap_event *ev);
/* The same for a gap. */
void selection_gap(struct selection *s, const struct scap_event *ev, struct loss *ret);
/*
 * Whether something that happened to the capture between two moments may have to do with chosen
 * events: those of then, and with a tree all later ones.
 */
bool selection_touched(const struct selection *s, uint64_t first_ns, uint64_t last_ns);

#endif
