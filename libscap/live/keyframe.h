/* SPDX-License-Identifier: MIT */
/*
 * When a recorder takes keyframes, and how they get into the file: part by part, between rounds of
 * draining, so that the rings need not wait for a whole one.
 */
#ifndef SCAP_LIVE_KEYFRAME_H
#define SCAP_LIVE_KEYFRAME_H

#include <scap/live.h>

#include <stdbool.h>

#define SCAP__KEYFRAME_MIN_NS	10000000000ull	/* at most every so often */
#define SCAP__KEYFRAME_MAX_NS	300000000000ull	/* at least every so often */
#define SCAP__KEYFRAME_SHARE	10		/* between: under 1/10 of the events' bytes since */

#define SCAP__KEYFRAME_NS_MAX	64
#define SCAP__KEYFRAME_WITNESSES 4

/* A mount namespace, and processes that see it. */
struct scap__mount_ns {
	uint32_t inum;
	uint32_t n_tgids;
	uint32_t tgids[SCAP__KEYFRAME_WITNESSES];
};

struct scap__keyframer {
	bool off;		/* the module has none, or there is no memory */
	bool busy;		/* one is under way */
	bool wanted;		/* now, whatever the time and its size */
	uint32_t number;	/* of the last one begun */
	uint64_t begin_raw_ns;	/* of it */
	uint64_t mark_bytes;	/* events' bytes in the file when it began */
	uint64_t last_bytes;	/* its own in the file, so far */
	uint64_t all_bytes;	/* of all keyframes in the file */
	struct scap_live_keyframe at;
	struct scap_keyframe_part part;
	uint8_t *buf;
	size_t n;
	struct scap__mount_ns ns[SCAP__KEYFRAME_NS_MAX];
	uint32_t n_ns;
};

/* Begins the first one, and goes on for a few milliseconds. Errors are the writer's. */
int scap__keyframer_start(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			  uint64_t now_raw_ns);
/* Begins one when it is due; goes on with the one under way for some milliseconds. */
int scap__keyframer_round(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			  uint64_t now_raw_ns);
/* What is under way comes to its end. */
int scap__keyframer_finish(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w);
/* What is under way ends where it stands. */
int scap__keyframer_cut(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w);
/* Begins the first one of another file; nothing is under way. */
int scap__keyframer_next(struct scap__keyframer *k, struct scap_live *l, struct scap_writer *w,
			 uint64_t now_raw_ns);
void scap__keyframer_fini(struct scap__keyframer *k);

/* Texts of the host (live/host_text.c); *ret_data must be freed. 0, or a negative error. */
int scap__host_mounts(const struct scap__mount_ns *ns, struct scap_keyframe_text *ret_text);
int scap__host_names(enum scap_keyframe_text_kind kind, const char *path,
		     struct scap_keyframe_text *ret_text);

#endif
