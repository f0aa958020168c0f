/* SPDX-License-Identifier: MIT */
/*
 * A capture of our own again, out of what a reader delivers that was opened with
 * SCAP_READER_BOOKKEEPING, and SCAP_READER_KEYFRAMES if they shall be in it: all of it, or a part.
 * Slices, and so order, names and wall time, stay as they are. Records of types that the library
 * does not know are left out, and their numbers are missing then. One copy holds one segment; of
 * several, each gets a writer and a copy of its own, one after the other. Memory: a slice's rows.
 */
#ifndef SCAP_COPY_H
#define SCAP_COPY_H

#include <scap/error.h>
#include <scap/reader.h>
#include <scap/trigger.h>
#include <scap/writer.h>

struct scap_copy;

/* Takes over w if it succeeds: 0, -ENOMEM. */
SCAP_API int scap_copy_new(struct scap_writer *w, struct scap_copy **ret_c);
/*
 * Before all else: events will be left out. The numbers of each ring begin with 0 then, and go on
 * without what was left out; what was lost before stays lost, in the same gaps and holes.
 */
SCAP_API int scap_copy_choose(struct scap_copy *c);
/*
 * An event, while it is r's last one. Once it has failed it fails for ever. -EINVAL: of another
 * segment.
 */
SCAP_API int scap_copy_event(struct scap_copy *c, const struct scap_reader *r,
			     const struct scap_event *ev);
/* The same, but it is left out; with a gap, what it tells of. Every event needs one of the two. */
SCAP_API int scap_copy_skip(struct scap_copy *c, const struct scap_reader *r,
			    const struct scap_event *ev);
/* scap_writer_trigger() in its place: before the first event, and again behind the last. */
SCAP_API int scap_copy_trigger(struct scap_copy *c, const struct scap_reader *r,
			       const struct scap_trigger *t);
/* So many events are in it; the last one has this number. */
SCAP_API uint64_t scap_copy_events(const struct scap_copy *c);
SCAP_API const struct scap_error *scap_copy_error(const struct scap_copy *c);
/*
 * Ends the capture, with an end section only if info (scap_reader_segment(), when the segment was
 * read to its end) says that there was one. c is gone afterwards, and the writer, also on failure,
 * which err describes.
 */
SCAP_API int scap_copy_close(struct scap_copy *c, const struct scap_capture_info *info,
			     struct scap_error *err);

/*
 * All of that at once: reads r, which holds one segment, to its end, and writes to w the events
 * that f matches (NULL: all) with all that explains them: names, gaps, keyframes. w was opened
 * with what r says of its host, start_raw_ns and start_wall_ns for the clocks, and stays the
 * caller's, also on failure: scap_writer_trigger() may come before and after, then
 * scap_copy_finish(). 0; SCAP_EDAMAGED, SCAP_EVERSION, SCAP_ETRUNCATED: all that could be read is
 * copied, and err says what was wrong first; others: it failed.
 */
SCAP_API int scap_copy_chosen(struct scap_reader *r, const struct scap_filter *f,
			      struct scap_writer *w, struct scap_error *err);
/* The number that the event of r's trigger got then; 0: it is not in it. */
SCAP_API uint64_t scap_copy_trigger_event(const struct scap_writer *w);
/* scap_writer_close() with where time and rings ended then; without an end if r has none. */
SCAP_API int scap_copy_finish(struct scap_writer *w, const struct scap_reader *r,
			      struct scap_error *err);

#endif
