/* SPDX-License-Identifier: MIT */
/* What the parts of the recorder share. */
#ifndef SCAP_LIVE_RECORDER_H
#define SCAP_LIVE_RECORDER_H

#include <scap/live.h>

#include "live/keyframe.h"
#include "live/pace.h"
#include "live/slice.h"

struct scap_recorder {
	struct scap_live *live;
	struct scap_writer *writer;	/* NULL: drain only, or closed */
	struct scap__slicer *slicer;	/* NULL: drain only */
	uint32_t n_rings;
	int wake_fd;
	void (*on_slice)(void *ctx, const struct scap_slice *slice);
	void *on_slice_ctx;
	uint64_t slice_end_ns;		/* of the slice that on_slice() is called for; else 0 */
	size_t buffer_bytes;
	struct scap__pace pace;
	struct scap__keyframer key;
	uint64_t now_ns;		/* raw, of the last watermark */
	uint64_t safe_ns;
	uint64_t drained_mono_ns;	/* when the last round began */
	uint64_t step_max_bytes;	/* what the current step brought: the fullest ring */
	uint64_t step_sum_bytes;
	bool more;			/* something was left in a ring that can be taken at once */
	bool held;			/* something was left, but only a watermark makes room */
	bool started, finished;
	bool write_failed;
	bool flushed_early;		/* inside an epoch, which is not over yet */
	struct scap_recorder_next next;	/* open NULL: nobody asked for a seam */
	uint64_t asked_ns;		/* raw */
	int stop_requested;
	struct scap__row_counts visited;	/* drain only */
	struct scap_recorder_totals totals;
	struct scap_recorder_totals before;	/* of the files that are closed */
	struct scap_recorder_totals file;	/* of the one that is being written */
	struct scap_error error;
	struct scap_live_batch *ranges;
	struct scap_ring_end *ends;
	uint64_t *lost;			/* by CPU; drain only */
};

/* Notes the writer's error: nothing more is written. Returns rc. */
int scap__recorder_fail_write(struct scap_recorder *r, int rc);
/* All totals; those of the file at hand follow from them. */
void scap__recorder_update_totals(struct scap_recorder *r);

/* rotate.c */
void scap__recorder_update_file(struct scap_recorder *r);
/* Goes on in the next file, if that was asked for and is possible here. */
int scap__recorder_seam(struct scap_recorder *r);

#endif
