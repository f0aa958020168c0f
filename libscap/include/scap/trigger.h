/* SPDX-License-Identifier: MIT */
/* Why a capture exists: what made a flight recorder write it. */
#ifndef SCAP_TRIGGER_H
#define SCAP_TRIGGER_H

#include <scap/error.h>
#include <scap/reader.h>
#include <scap/writer.h>

#include <stddef.h>
#include <stdint.h>

/* "severity", "page": of an alert, or given by hand. */
struct scap_label {
	const char *name, *value;
};

/* The capture does not hold all that was asked for, because ... */
#define SCAP_TRIGGER_SHORT	0x1	/* the ring did not reach back so far */
#define SCAP_TRIGGER_OVERTAKEN	0x2	/* the ring was overwritten before it was copied */
#define SCAP_TRIGGER_CAPPED	0x4	/* it reached its size limit */
#define SCAP_TRIGGER_CUT	0x8	/* the recorder ended, or the disk was full */
#define SCAP_TRIGGER_CHOSEN	0x10	/* only what `keep` chooses is in it */
#define SCAP_TRIGGER_KILLED	0x20	/* its last losses may be untold */

/*
 * What is known when the trigger fires comes with the first call to scap_writer_trigger(); what the
 * capture came to hold (from_raw_ns and all below it) with the second one, before the end. A string
 * that is NULL says nothing.
 */
struct scap_trigger {
	size_t size;		/* sizeof(struct scap_trigger) */
	const char *name;	/* of the trigger, as it is configured: "http-5xx" */
	const char *source;	/* what fired it: "event", "alert", "hand", "signal" */
	const char *why;	/* a line of text */
	const char *config;	/* how the trigger was configured: filter, rate, ... */
	const char *keep;	/* filter of what goes into the capture */
	const struct scap_label *labels;
	uint64_t n_labels;
	uint64_t raw_ns, real_ns;	/* when: raw and wall clock */
	uint64_t before_ns, after_ns;	/* asked for */
	uint64_t event;		/* number in this capture of the event that fired it; 0: none */
	uint64_t from_raw_ns, to_raw_ns;	/* all from here to there is in it but for losses */
	uint64_t n_lost;	/* events that were lost between these */
	uint64_t flags;		/* SCAP_TRIGGER_* */
};

/*
 * Writes a TRIGGER section: the first time directly after opening and scap_writer_start(), before
 * all else; a second time before scap_writer_close(). At most 256 labels; strings are cut at 4 KiB.
 */
SCAP_API int scap_writer_trigger(struct scap_writer *w, const struct scap_trigger *t);
/*
 * What the TRIGGER sections read so far say; the first is read when the reader is opened. NULL:
 * there is none. Lives as long as the reader, of the first segment that has one.
 */
SCAP_API const struct scap_trigger *scap_reader_trigger(const struct scap_reader *r);

#endif
