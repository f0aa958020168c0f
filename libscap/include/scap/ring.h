/* SPDX-License-Identifier: MIT */
/*
 * A flight recorder's ring: the last so many bytes of a recording, in a mapped file that outlives
 * the process. A writer fills it; captures are cut out of it while it goes on.
 *
 *	scap_ring_create(path, bytes, &ring, &err);
 *	scap_ring_writer(ring, &writer_options, &w, &err);	for scap_recorder_new()
 *	...
 *	scap_ring_cut(ring, &cut_options, &cut, &err);
 *	while ((rc = scap_cut_step(cut)) > 0)
 *		...more is still to come: wait
 *	scap_cut_close(cut, &outcome, &err);
 *	...
 *	scap_ring_close(ring);			after the writer was closed
 *
 * The ring is created, filled and closed by one thread; scap_ring_cut() and scap_cut_*() may be
 * called by one other; scap_ring_info() by any. Groups lie in the ring as they will lie in the
 * captures: each cut writes them from there, however many cuts there are. The one who fills the
 * ring never waits for them: a cut that is overtaken says so.
 */
#ifndef SCAP_RING_H
#define SCAP_RING_H

#include <scap/error.h>
#include <scap/trigger.h>
#include <scap/writer.h>

struct scap_ring;
struct scap_cut;

#define SCAP_RING_MIN_BYTES (32ull << 20)

struct scap_ring_info {
	uint64_t bytes, used_bytes;	/* room for sections, and how much of it is used */
	uint64_t n_sections, n_evicted;	/* there now; no longer there */
	uint64_t n_dropped;		/* too large for the ring */
	uint64_t start_raw_ns, end_raw_ns;	/* what is there; 0: nothing */
	uint64_t n_events, n_seen;	/* there now; since the beginning */
	uint64_t journal_errors;	/* slices that a crash would have lost */
};

enum scap_ring_state {
	SCAP_RING_NONE,		/* no such file, or an empty one */
	SCAP_RING_IN_USE,	/* a recorder fills it */
	SCAP_RING_CLOSED,	/* its recorder ended as it should */
	SCAP_RING_ABANDONED,	/* it did not: scap_ring_recover() makes a capture of it */
	SCAP_RING_FOREIGN,	/* no ring, or of another version */
};

/* What there is at path. Nothing is changed. */
SCAP_API enum scap_ring_state scap_ring_state(const char *path);
/*
 * Creates the file, 0600, following no link, with all its room reserved, and maps it; an existing
 * ring that nobody uses is replaced. -EBUSY: somebody uses it; -EEXIST: what is there is no ring;
 * -EINVAL: bytes is less than SCAP_RING_MIN_BYTES; -ENOSPC, -ENOMEM, -errno of open.
 */
SCAP_API int scap_ring_create(const char *path, uint64_t bytes, struct scap_ring **ret_r,
			      struct scap_error *err);
/*
 * The writer that fills it, once. What waits for its group lies in journals beside the ring, as it
 * does beside a file; where these cannot be written, the recording goes on without them.
 */
SCAP_API int scap_ring_writer(struct scap_ring *r, const struct scap_writer_options *opt,
			      struct scap_writer **ret_w, struct scap_error *err);
/*
 * Everything before raw_ns is in the ring, for the writer was flushed; rings as in
 * scap_writer_close(). Cuts that wait for that moment can end.
 */
SCAP_API void scap_ring_complete(struct scap_ring *r, uint64_t raw_ns,
				 const struct scap_ring_end *rings, uint32_t n_rings);
/*
 * Before each slice is handed to the writer (scap_recorder_options.on_slice): where the rings stand
 * behind it, as scap_recorder_rings() says, and raw_ns, where it ends. It lies in the file, for
 * scap_ring_recover(): what no record up to there has was lost. Without it nobody knows.
 */
SCAP_API void scap_ring_ends(struct scap_ring *r, uint64_t raw_ns,
			     const struct scap_ring_end *rings, uint32_t n_rings);
SCAP_API void scap_ring_info(struct scap_ring *r, struct scap_ring_info *ret);
/* Unmaps; the file stays, for scap_ring_recover(). NULL is allowed. */
SCAP_API void scap_ring_close(struct scap_ring *r);

struct scap_cut_options {
	size_t size;		/* sizeof(struct scap_cut_options) */
	int fd;			/* where it goes: a new regular file, which the cut closes */
	uint32_t pad;
	/*
	 * raw_ns, before_ns and after_ns give the window; event is the number in the recording (as
	 * scap_monitor counts) of the event that fired it. Copied.
	 */
	const struct scap_trigger *trigger;
	uint64_t max_bytes;	/* of the file, but for its end; 0: no limit */
	/*
	 * Asked before so many bytes are written; false: the capture ends there, as at -ENOSPC.
	 * NULL: whatever the disk takes.
	 */
	bool (*room)(void *ctx, uint64_t bytes);
	void *room_ctx;
};

/*
 * Begins a capture of all sections that hold anything of the window, and of the last keyframe
 * before it if that is near; and of those behind it, up to 10 s, that may tell what was lost in it.
 * A CPU that is silent longer tells later: then what scap_ring_complete() was told counts, if the
 * cut is not more than 16 such calls late. The descriptor is closed also on failure.
 */
SCAP_API int scap_ring_cut(struct scap_ring *r, const struct scap_cut_options *opt,
			   struct scap_cut **ret_c, struct scap_error *err);
/* Copies what is there by now: 1: more is to come; 0: all is there; or an error, as -ENOSPC. */
SCAP_API int scap_cut_step(struct scap_cut *c);
/*
 * Writes the end, syncs, closes; earlier than scap_cut_step() returned 0: the capture says that
 * it was cut (SCAP_TRIGGER_CUT). ret_outcome, if not NULL: from_raw_ns, to_raw_ns, n_lost, flags
 * and event of what is in the file. After an error of a step what was written before is whole.
 */
SCAP_API int scap_cut_close(struct scap_cut *c, struct scap_trigger *ret_outcome,
			    struct scap_error *err);
SCAP_API uint64_t scap_cut_bytes(const struct scap_cut *c);
SCAP_API const struct scap_error *scap_cut_error(const struct scap_cut *c);

struct scap_ring_recovered {
	uint64_t n_sections;	/* of the ring */
	uint64_t n_slices;	/* of its journals */
	uint64_t n_damaged;	/* places in the ring where something else lies than it should */
	uint64_t n_events;
	uint64_t start_raw_ns, end_raw_ns;
	uint64_t bytes;		/* of the capture */
};

/*
 * Makes a capture of what an abandoned or closed ring and its journals hold, in fd, a new regular
 * file, which is closed. The file may be cut or overwritten in places: what is whole is taken, and
 * what is missing shows in the capture as loss. The capture, whose TRIGGER is named "recovered",
 * ends with the last slice, or where scap_ring_ends() was told of next; without that losses at its
 * end may be untold (SCAP_TRIGGER_KILLED). -EBUSY: it is in use; SCAP_ENOTSCAP: it is no ring;
 * -ENODATA: there is nothing in it; SCAP_EDAMAGED: nothing in it is whole.
 */
SCAP_API int scap_ring_recover(const char *path, int fd, struct scap_ring_recovered *ret,
			       struct scap_error *err);

#endif
