/* SPDX-License-Identifier: MIT */
/*
 * Slices: the records of all CPUs, cut by time. Pure logic: no device, no clock, no file.
 *
 * Rows are appended per ring (cpu * SCAP_LANES + lane) in their order there, in which time never
 * goes back. The caller says of each ring up to which time it has everything (its frontier): the
 * time of the first record left in the ring, or the watermark when the ring was drained to a head
 * read after it. What lies before the least frontier is complete, and only there a slice may end:
 *
 *   - at the end of its epoch, as soon as that is complete;
 *   - earlier, when somebody waits for what lies before some time, and that is complete;
 *   - earlier, when more rows are kept than the budget allows.
 *
 * So no record outside a slice has its time inside it. The rows kept never exceed the hard limit
 * by more than one record: scap__slicer_room() says how much may still come, and the one
 * whose frontier holds up all others may always bring its next record.
 */
#ifndef SCAP_LIVE_SLICE_H
#define SCAP_LIVE_SLICE_H

#include <scap/error.h>
#include <scap/writer.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scap__slicer;

/* What was found in rows. */
struct scap__row_counts {
	uint64_t n_records;
	uint64_t n_bookkeeping;
	uint64_t n_lost;	/* as GAP records tell */
};

/*
 * Visits the records in `bytes` bytes of rows, touching the last word of each. Whole records of
 * sane length, or SCAP_EDAMAGED; counts are added to.
 */
int scap__rows_visit(const void *rows, size_t bytes, struct scap__row_counts *counts);
/* The first number that the record at rows speaks of: a GAP of those before its own. */
uint32_t scap__rows_first_seq(const void *rows);
/* The same, but of a GAP that tells of losses before before_ns its own: there they are untold. */
uint32_t scap__rows_untold_seq(const void *rows, uint64_t before_ns);

int scap__slicer_new(uint32_t n_rings, size_t budget_bytes, size_t hard_bytes, uint64_t start_ns,
		     struct scap__slicer **ret_s);
void scap__slicer_free(struct scap__slicer *s);

/*
 * Takes whole records from the front of rows, at most limit bytes of them but, with `force`, at
 * least one. *ret_taken is what was taken. SCAP_EDAMAGED, with scap__slicer_what(): nonsense, also
 * time that goes back; -ENOMEM. The frontier moves to the first record not taken, or to drained_ns
 * if all were.
 */
int scap__slicer_append(struct scap__slicer *s, uint32_t ring, const void *rows, size_t bytes,
			size_t limit, bool force, uint64_t drained_ns, size_t *ret_taken);

const char *scap__slicer_what(const struct scap__slicer *s);

/* Bytes that may still be kept, hard limit considered. */
size_t scap__slicer_room(const struct scap__slicer *s);
size_t scap__slicer_bytes(const struct scap__slicer *s);
/* Everything before this is here; *ret_ring is a ring whose frontier it is. */
uint64_t scap__slicer_complete_ns(const struct scap__slicer *s, uint32_t *ret_ring);
/* Time of the latest record. */
uint64_t scap__slicer_last_ns(const struct scap__slicer *s);
/* Where the open slice ends, or from where on it may, if its size does not cut it earlier. */
uint64_t scap__slicer_due_ns(const struct scap__slicer *s);
uint64_t scap__slicer_start_ns(const struct scap__slicer *s);

/*
 * Somebody waits for what lies before ns: as soon as that is complete, the open slice ends where
 * all is complete. Instead of a slice without a record the open one begins later.
 */
void scap__slicer_want(struct scap__slicer *s, uint64_t ns);
/*
 * The next slice that is due: 0; 1: none is. Slices without a record are passed over. Fills
 * start_ns, end_ns, n_parts and parts, which live until scap__slicer_done().
 */
int scap__slicer_next(struct scap__slicer *s, struct scap_slice *ret_slice);
/* The same at the end of all, when no record can come any more: up to end_ns, exclusive. */
int scap__slicer_last(struct scap__slicer *s, uint64_t end_ns, struct scap_slice *ret_slice);
/* The slice just delivered was written: its rows go. */
void scap__slicer_done(struct scap__slicer *s);

/* What was appended so far. */
const struct scap__row_counts *scap__slicer_counts(const struct scap__slicer *s);
uint64_t scap__slicer_lost(const struct scap__slicer *s, uint32_t ring);
/* Rows of a ring that are in no slice yet. */
const void *scap__slicer_rest(const struct scap__slicer *s, uint32_t ring, size_t *ret_bytes);
/* Those of them that are not in the slice just delivered, either. */
const void *scap__slicer_behind(const struct scap__slicer *s, uint32_t ring, size_t *ret_bytes);
/* The first number in them; where there are none, what follows the last record taken. */
uint32_t scap__slicer_next_seq(const struct scap__slicer *s, uint32_t ring);
void scap__slicer_rest_counts(const struct scap__slicer *s, struct scap__row_counts *ret_counts);
/* Forgets these rows and takes them out of the counts. */
void scap__slicer_drop_rest(struct scap__slicer *s);
/* Memory touched for rows; for tests. */
size_t scap__slicer_resident(const struct scap__slicer *s);

#endif
