/* SPDX-License-Identifier: MIT */
/* A process and its descendants, followed through the events in time order. */
#ifndef SCAP_TOOLS_TREE_H
#define SCAP_TOOLS_TREE_H

#include <scap/event.h>

struct tree {
	uint32_t *slots;	/* process ids; 0: free */
	unsigned n, cap;
	uint32_t root;
	bool seen;		/* the root, or a child of it */
	bool failed;		/* no memory; the message was printed */
};

bool tree_init(struct tree *t, uint32_t root);
void tree_fini(struct tree *t);
/*
 * Process numbers are used again. The root is the process that had the number first: since before
 * the capture, or from its birth on, which is an event of its parent and not of the tree.
 */
bool tree_seen(const struct tree *t);
/* Whether the event belongs to the tree; learns from it. Every event must pass through here. */
bool tree_step(struct tree *t, const struct scap_event *ev);

#endif
