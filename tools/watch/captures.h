/* SPDX-License-Identifier: MIT */
/* Triggers that fire, and the captures that they make: a thread writes them. */
#ifndef WATCH_CAPTURES_H
#define WATCH_CAPTURES_H

#include <scap/ring.h>

#include "watch/config.h"
#include "watch/metrics.h"
#include "watch/server.h"
#include "watch/store.h"

struct captures;

/* Captures that are written at the same time. */
#define CAPTURES_MOST 64

struct captures_totals {
	uint32_t n_capturing;
	uint64_t n_write_errors;
	uint64_t seal_ns, seal_max_ns;	/* from windows' ends to sealed files: all, the most */
	uint64_t n_sealed;
};

/* A trigger that fires. */
struct firing {
	enum trigger_source by;
	const char *name;	/* of any trigger; NULL: the only one of that source */
	const char *source;	/* "event", "alert", "hand", "signal" */
	const char *why;
	/* In place of why, if a capture comes of it: most events fall into a cool-down. */
	void (*describe)(void *ctx, char *buf, size_t cap);
	void *ctx;
	const char *fingerprint;	/* NULL: none */
	const struct scap_label *labels;
	uint32_t n_labels;
	uint64_t raw_ns, real_ns;
	uint64_t event;		/* number in the recording; 0: none */
	uint64_t before_ns, after_ns;	/* UINT64_MAX: as configured */
};

/* Who fires, and waits. */
struct captures_waiter {
	bool sealed;		/* until the file is sealed; else until it has a name: 1 s */
	bool (*gone)(void *ctx);	/* nobody wants to know any more; NULL: always somebody */
	void *gone_ctx;
};

/* Starts the thread that writes. c, ring and store must outlive it. NULL: no memory, or thread. */
struct captures *captures_start(const struct watch_config *c, struct scap_ring *ring,
				struct store *store);
/*
 * All that is there by now is written and sealed; captures whose time is not over say that they
 * were cut. Nothing is taken any more.
 */
void captures_stop(struct captures *s);
void captures_free(struct captures *s);
/* What another configuration takes. NULL: no memory. */
struct captures_config;
struct captures_config *captures_prepare(const struct watch_config *c);
void captures_discard(struct captures_config *c);
/* It is in force, and no longer the caller's; counts of triggers that have the same name stay. */
void captures_configure(struct captures *s, struct captures_config *c);
/*
 * From any thread. reply may be NULL. Without a waiter it does not wait, as the recorder's thread
 * must not, and the reply tells of no file.
 */
void captures_fire(struct captures *s, const struct firing *f, struct watch_reply *reply,
		   const struct captures_waiter *waiter);
/*
 * What was recorded before this time, raw, is waited for; UINT64_MAX: nothing is. When it is all
 * there the recorder flushes, says so to the ring, and up to which time by captures_more().
 */
uint64_t captures_due_ns(struct captures *s);
void captures_more(struct captures *s, uint64_t complete_raw_ns);
/* Once for each capture that begins: the state of the machine belongs into it. */
bool captures_want_keyframe(struct captures *s);
void captures_totals(struct captures *s, struct captures_totals *ret);
/* A copy of the counts by trigger, of at most n: how many. Names live until the next configure. */
uint32_t captures_health(struct captures *s, struct watch_trigger_health *ret, uint32_t n);

/* keep.c: of the capture in fd, whose place is at its beginning, what filter chooses, into out. */
bool keep_chosen(int fd, const char *filter, int out, const struct scap_trigger *t,
		 char *err, size_t cap);

#endif
