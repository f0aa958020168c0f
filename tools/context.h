/* SPDX-License-Identifier: MIT */
/*
 * The lines around a match that belong to the same thread: -A and -B. Lines before a match are
 * kept as text, per thread, at most n_before of them and CONTEXT_MAX_BYTES for all threads
 * together; beyond that the thread that was quiet for longest forgets its lines.
 */
#ifndef SCAP_TOOLS_CONTEXT_H
#define SCAP_TOOLS_CONTEXT_H

#include "output.h"

#define CONTEXT_MAX_BYTES (64u << 20)
#define CONTEXT_MAX_LINES 10000u

struct context_line {
	struct context_line *next;
	size_t bytes;
	char text[];
};

struct context_thread {
	struct context_thread *chain;	/* same hash */
	struct context_thread *older, *newer;	/* by last use */
	struct context_line *first, *last;	/* lines kept, oldest first */
	uint32_t tid;
	unsigned n_lines, n_after;	/* lines kept; lines still to be shown behind a match */
	bool left_out;		/* a line of this thread was not shown since its last one */
};

struct context {
	unsigned n_before, n_after;
	unsigned n_open;	/* threads with n_after > 0 */
	bool separators;	/* "--" between groups of lines, as grep has it */
	bool shown_any;
	size_t bytes;
	unsigned n_threads, n_buckets;
	struct context_thread **buckets;
	struct context_thread *oldest, *newest;
};

bool context_init(struct context *c, unsigned n_before, unsigned n_after, bool separators);
void context_fini(struct context *c);
/* A match of this thread: writes what was kept before it. The caller then writes the match. */
bool context_match(struct context *c, uint32_t tid, struct output *out);
/*
 * An event that did not match: 1: show it, it stands behind a match; 0: hand its line to
 * context_keep(); -1: forget it. With no -B, 0 never comes.
 */
int context_other(struct context *c, uint32_t tid);
bool context_keep(struct context *c, uint32_t tid, const char *line, size_t bytes);

#endif
