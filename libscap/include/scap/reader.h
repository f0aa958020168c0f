/* SPDX-License-Identifier: MIT */
/*
 * Reading a capture: events in time order, merged over CPUs, with names attached.
 *
 *	struct scap_error err;
 *	struct scap_reader *r;
 *	const struct scap_event *ev;
 *
 *	if (scap_reader_open_path("x.scapz", NULL, &r, &err) < 0)
 *		...err.text...
 *	while ((rc = scap_reader_next(r, &ev)) == 0)
 *		...
 *	if (rc < 0)
 *		...scap_reader_error(r)->text...
 *	scap_reader_close(r);
 *
 * A reader is used by one thread at a time. Memory: one slice and its introductions.
 */
#ifndef SCAP_READER_H
#define SCAP_READER_H

#include <scap/error.h>
#include <scap/event.h>
#include <scap/filter.h>
#include <scap/io.h>
#include <scap/writer.h>

struct scap_reader;

#define SCAP_READER_BOOKKEEPING 0x1	/* deliver INTRO and FILE records as events, too */
#define SCAP_READER_KEYFRAMES 0x2	/* deliver the records of keyframes as events, too */
#define SCAP_READER_SEALS 0x4	/* check seals; one that is broken is damage */
#define SCAP_READER_SCHEMA 0x8	/* keep the schema */
#define SCAP_READER_SEGMENTS 0x10	/* scap_reader_next() tells where a segment ends */

struct scap_reader_options {
	size_t size;		/* sizeof(struct scap_reader_options) */
	uint32_t flags;		/* SCAP_READER_* */
	uint32_t pad;
	uint64_t memory_limit;	/* bytes; 0: 256 MiB. A capture that needs more: SCAP_ELIMIT */
	const char *path;	/* of a source: beside it lie the journals of a capture that has no
				   end; NULL: nowhere. scap_reader_open_path() knows it */
	/*
	 * NULL: malloc(3). All of the reader's memory, which memory_limit bounds, comes from it and
	 * has gone back when scap_reader_close() returns. Not so what zstd takes: a few contexts of
	 * fixed size, and the window of a .scap file that is packed with it, at most a quarter of
	 * the limit. Filters and summaries use malloc(3).
	 */
	const struct scap_allocator *allocator;
};

/* What seals say, as far as the capture was read. */
struct scap_seal_info {
	uint64_t n_sealed;	/* sections that a seal vouches for */
	uint64_t n_open;	/* that none does yet: of a capture that has no end */
	uint8_t last[32];	/* digest of the segment's last seal; zeros: none */
};

/* What the capture says about itself; strings live as long as the reader. */
struct scap_capture_info {
	const char *hostname, *kernel, *machine, *boot_id, *recorder, *filter;
	uint32_t n_cpus;	/* possible CPUs */
	uint32_t snaplen;
	uint32_t format_version;
	uint32_t recorder_tgid;	/* left out of the capture */
	uint64_t ring_bytes;	/* per CPU */
	uint64_t start_raw_ns, start_wall_ns;
	/* Known once the end was read: */
	bool complete;		/* the writer closed the file; events may be missing all the same */
	uint64_t end_raw_ns, end_wall_ns;
	uint64_t n_slices, file_bytes, raw_bytes;	/* so far */
	uint64_t n_keyframes, keyframe_bytes;	/* so far; keyframe_bytes: in the file */
	uint64_t keyframe_tasks, keyframe_fds, keyframe_calls;	/* in the first one */
	bool continues;		/* goes on where another file ended */
	bool translated;	/* from a .scap file: docs/format-scap.md */
	uint64_t n_untranslated;	/* its events of which there is nothing here, so far */
	uint64_t n_unknown;	/* sections of kinds that this library does not know, so far */
	/*
	 * Captures one behind the other are the segments of one. So far: how many they are, and
	 * how many of these have no end although another one follows. The host, the start and what
	 * was recorded are the first one's, the end is the last one's, complete are all or none.
	 */
	uint64_t n_segments, n_cut;
	bool is_last;		/* nothing follows the segment at hand: its index says so */
	/* Of scap_reader_segment() alone: */
	uint64_t offset;	/* where it begins in the file */
	bool goes_on;		/* of the same host and boot as the segment before, and later */
};

/* On success *ret_r must be closed. err may be NULL. A directory: -EISDIR. "-": standard input. */
SCAP_API int scap_reader_open_path(const char *path, const struct scap_reader_options *opt,
				   struct scap_reader **ret_r, struct scap_error *err);
/* Takes over src, also on failure. */
SCAP_API int scap_reader_open_source(const struct scap_source *src,
				     const struct scap_reader_options *opt,
				     struct scap_reader **ret_r, struct scap_error *err);
/*
 * What the segment that the last event was of says about itself alone; n_segments: its number,
 * from 1. Its strings live until the next segment begins.
 */
SCAP_API const struct scap_capture_info *scap_reader_segment(const struct scap_reader *r);
/* With SCAP_READER_SEALS: of what was read so far. Lives as long as the reader. */
SCAP_API const struct scap_seal_info *scap_reader_seals(const struct scap_reader *r);
/*
 * Lets the reader leave out events that f does not match; it need not. Numbers of events, gaps and
 * counts stay what they are. f NULL: all events. It holds for what is read from the file from
 * then on; f must live as long as the reader. Without effect with SCAP_READER_BOOKKEEPING.
 */
SCAP_API void scap_reader_choose(struct scap_reader *r, const struct scap_filter *f);
/*
 * With SCAP_READER_SCHEMA: names of the records, calls and arguments that were met so far, as the
 * recorder knew them, in the form that docs/format.md gives. Valid until the next event is read.
 */
SCAP_API const char *scap_reader_schema(const struct scap_reader *r);
#define SCAP_SEEK_KEYFRAME 0x1	/* not behind the last keyframe that was begun by then */

/*
 * Goes on at or before the first event at wall_ns, so near to it as the capture's index lets, and
 * not so near that a name or a gap of what follows were missed. What is read afterwards is as in a
 * whole reading, numbers too. -ENOTSUP, and nothing changed: there is no index (the recorder was
 * killed; a .scap file), the source can't seek, the wall clock went back, or seals are checked.
 */
SCAP_API int scap_reader_seek(struct scap_reader *r, uint64_t wall_ns, uint32_t flags);
/*
 * The next event: 0; 1 at the end; negative on damage, when everything before it was delivered.
 * GAP records are delivered as events (they say what is missing at their place in time), and so
 * are holes in the sequence numbers that no GAP explains: scap_event_gap_unexplained().
 * A keyframe's records (type SCAP_REC_KEY_* or FILE) come at the place where the keyframe was
 * taken; they have no number, and each its own time.
 * After SCAP_EDAMAGED in a slice, calling again goes on behind it where that is possible;
 * after SCAP_ETRUNCATED it returns the same again.
 * Segments are read one after the other: events are numbered on, but time may go back, and names
 * begin anew. With SCAP_READER_SEGMENTS, 2 is returned at the end of each but the last, once.
 */
SCAP_API int scap_reader_next(struct scap_reader *r, const struct scap_event **ret_ev);
/*
 * With SCAP_READER_KEYFRAMES, while the event is a keyframe's last one: its texts, NUL-terminated.
 * 0, or 1 when i is past the last.
 */
SCAP_API int scap_reader_keyframe_text(const struct scap_reader *r, unsigned i,
				       struct scap_keyframe_text *ret_text);
SCAP_API const struct scap_error *scap_reader_error(const struct scap_reader *r);
SCAP_API const struct scap_capture_info *scap_reader_info(const struct scap_reader *r);
/*
 * At the end: wall-clock time up to which all losses were told. A ring tells them with its next
 * record, or with the capture's end: where there is none, this is the time of the last record of
 * the ring that was silent for longest. UINT64_MAX: the capture has its end, and its recorder
 * was not killed (SCAP_TRIGGER_KILLED).
 */
SCAP_API uint64_t scap_reader_told_wall_ns(const struct scap_reader *r);
/* NULL is allowed. */
SCAP_API void scap_reader_close(struct scap_reader *r);

#endif
