/* SPDX-License-Identifier: MIT */
/*
 * What a whole capture holds: counts, losses, time range; and whether it is sound. Made by reading
 * it once from the start to the end: by scap_summary_read(), or by whoever wants to see the events,
 * too, and hands them on.
 */
#ifndef SCAP_SUMMARY_H
#define SCAP_SUMMARY_H

#include <scap/reader.h>

struct scap_summary;

struct scap_summary_totals {
	uint64_t attempted;	/* stored + lost; book-keeping records are not counted */
	uint64_t stored;
	uint64_t lost;
	uint64_t n_gaps;
	uint64_t unexplained;	/* sequence numbers missing without a GAP: damage, or a lost tail;
				   some of them may have been book-keeping records */
	uint64_t bookkeeping;	/* INTRO, FILE, GAP records */
	uint64_t first_wall_ns, last_wall_ns;	/* of events; 0: none */
	uint64_t row_bytes;	/* of all records as they lay in the rings */
};

/* A capture within the file, if it holds several: see struct scap_capture_info. */
struct scap_summary_segment {
	uint64_t offset, bytes;	/* in the file */
	uint64_t start_wall_ns;
	uint64_t end_wall_ns;	/* of one without an end, its last event's, or 0 */
	uint64_t n_events;	/* that have a number */
	bool complete;		/* it has an end */
	bool sealed;		/* with SCAP_READER_SEALS: seal is the digest of its last seal */
	uint8_t seal[32];
};

#define SCAP_SUMMARY_SEGMENTS_MAX 1000	/* of which more is told than how many they are */

/*
 * Reads r to its end (also behind damaged slices). 0, or the first damage (< 0), in which case
 * *ret_s is there all the same and covers what could be read; only -ENOMEM leaves it untouched.
 */
SCAP_API int scap_summary_read(struct scap_reader *r, struct scap_summary **ret_s);
/* The same step by step: 0 or -ENOMEM. *ret_s is to be freed. */
SCAP_API int scap_summary_new(struct scap_summary **ret_s);
/* Each event that the reader delivers, keyframes' and gaps included. */
SCAP_API int scap_summary_add(struct scap_summary *s, const struct scap_event *ev);
/* When a reader with SCAP_READER_SEGMENTS is between two segments. */
SCAP_API int scap_summary_end_segment(struct scap_summary *s, const struct scap_reader *r);
/* When r will deliver no more: only now is there anything to ask for. */
SCAP_API int scap_summary_finish(struct scap_summary *s, const struct scap_reader *r);
SCAP_API const struct scap_summary_totals *scap_summary_totals(const struct scap_summary *s);
/* Types sorted by descending count: 0, or 1 when i is past the last. */
SCAP_API int scap_summary_type(const struct scap_summary *s, unsigned i, const char **ret_name,
			       uint64_t *ret_stored, uint64_t *ret_lost);
/* Per CPU: 0, or 1 when i is past the last. */
SCAP_API int scap_summary_cpu(const struct scap_summary *s, unsigned i, uint32_t *ret_cpu,
			      uint64_t *ret_stored, uint64_t *ret_lost);
/* One of the first segments, or NULL when i is past the last, or SCAP_SUMMARY_SEGMENTS_MAX. */
SCAP_API const struct scap_summary_segment *scap_summary_segment(const struct scap_summary *s,
								 unsigned i);
SCAP_API void scap_summary_free(struct scap_summary *s);

#endif
