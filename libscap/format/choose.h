/* SPDX-License-Identifier: MIT */
/*
 * What a reader need not deliver: asked of parts of events, before their columns are unpacked. An
 * answer of "may" is always right; "no" must be certain.
 */
#ifndef SCAP_FORMAT_CHOOSE_H
#define SCAP_FORMAT_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

struct scap_event;
struct scap_reader;
struct scap__file;

/* What is known of an event; whatever is not is to be taken for anything. */
#define SCAP__KNOWN_KIND	0x1u	/* type, abi, nr */
#define SCAP__KNOWN_RESULT	0x2u	/* ret */
#define SCAP__KNOWN_LATENCY	0x4u
#define SCAP__KNOWN_TID		0x8u
#define SCAP__KNOWN_THREAD	0x10u	/* thread, or that there is none */
#define SCAP__KNOWN_FILE	0x20u	/* of a call about it: see by_file */

/* How the file of a call decides. */
enum scap__by_file {
	SCAP__BY_FILE,		/* the files of its cookies, or that it has none */
	SCAP__BY_NEW_FILE,	/* the same, but only if the call did not fail */
	SCAP__BY_MORE,		/* its file is not all that counts */
};

struct scap__breaks {
	const int64_t *v;	/* ascending */
	uint32_t n;
};

struct scap__chooser {
	void *ctx;
	bool (*may)(void *ctx, const struct scap_event *ev, unsigned known);
	/* Of calls whose file it is; NULL: that have none. */
	bool (*may_file)(void *ctx, const struct scap__file *file);
	enum scap__by_file (*by_file)(void *ctx, const struct scap_event *ev);
	unsigned asks;		/* SCAP__KNOWN_* that may change an answer */
	/* The first value of each range in which an answer stays the same, but for the lowest. */
	struct scap__breaks results, latencies, tids;
};

/* As scap_reader_choose(). */
void scap__reader_choose(struct scap_reader *r, const struct scap__chooser *chooser);

#endif
