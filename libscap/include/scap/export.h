/* SPDX-License-Identifier: MIT */
/*
 * Writing events into the other format: .scap files, which sysdig, the Falco libraries and
 * Wireshark read. docs/export.md says what of an event gets into them.
 *
 *	scap_export_open_sink(&sink, &opt, scap_reader_info(r), &x, &err);
 *	each event of a first reader, with keyframes:	scap_export_learn(x, ev, 0);
 *	each event of a second one:			scap_export_event(x, ev, 0);
 *	scap_export_close(x, &counts, &err);
 *
 * The lists of processes and descriptors stand at such a file's beginning: they hold what was
 * learned until the first event. An exporter is used by one thread at a time.
 */
#ifndef SCAP_EXPORT_H
#define SCAP_EXPORT_H

#include <scap/copy.h>
#include <scap/error.h>
#include <scap/event.h>
#include <scap/io.h>
#include <scap/reader.h>
#include <scap/writer.h>
#include <stdint.h>

struct scap_export;

enum scap_export_profile {
	SCAP_EXPORT_SYSDIG,	/* pairs of enter and exit events, as sysdig 0.29 knows them */
	SCAP_EXPORT_FALCO,	/* exit events, as the Falco libraries from 0.22 on know them */
};

#define SCAP_EXPORT_PLAIN 0x1	/* no gzip */

struct scap_export_options {
	size_t size;		/* sizeof(struct scap_export_options) */
	uint32_t profile;	/* enum scap_export_profile */
	uint32_t flags;		/* SCAP_EXPORT_* */
	/*
	 * Enter events are learned of at the exit. So many bytes are kept back to put them where
	 * they belong; of calls that took longer, and of which nothing was learned before, the
	 * entry moves to the first place that is still to be written. 0: 32 MiB.
	 */
	uint64_t window_bytes;
	uint64_t memory_limit;	/* for what is learned; 0: 256 MiB. What is beyond it is left out */
};

struct scap_export_counts {
	uint64_t n_events;	/* given */
	uint64_t n_written;	/* events in the file: an enter and an exit are two */
	uint64_t n_generic;	/* calls of which the format only has the number */
	uint64_t n_no_number;	/* of these: not even that */
	uint64_t n_folded;	/* forks and execs: told by the exits of those calls */
	uint64_t n_left_out;	/* events that the format has nothing for */
	uint64_t n_trapped;	/* of these: calls that were not made, so that they have no exit */
	uint64_t n_lost;	/* events that gaps say are missing: the file does not tell */
	uint64_t n_late_enters;	/* entries that are told later than they were */
	uint64_t n_no_entry;	/* exits whose entry was not seen: told at the exit's time */
	uint64_t n_cut;		/* events with a parameter that had to be cut */
	uint64_t n_tasks, n_fds;	/* in the lists at the beginning */
	uint64_t n_unlisted;	/* events of which memory_limit let nothing be learned */
	uint64_t bytes;		/* of the file */
};

/*
 * Takes over sink, also on failure. info, of the capture, may be NULL. -EINVAL: an option is out of
 * its range.
 */
SCAP_API int scap_export_open_sink(const struct scap_sink *sink,
				   const struct scap_export_options *opt,
				   const struct scap_capture_info *info, struct scap_export **ret_x,
				   struct scap_error *err);
#define SCAP_EXPORT_STATE 0x1	/* readers shall learn from it but not show it */

/*
 * What the event says of threads, descriptors and names that were there before the capture; and of
 * calls that took long, when they began. Any event of a reader, in its order; of keyframes, too.
 * flags: as scap_export_event() will get them. -EINVAL: an event was already written.
 */
SCAP_API int scap_export_learn(struct scap_export *x, const struct scap_event *ev, uint32_t flags);
/* The same of a keyframe's text. */
SCAP_API int scap_export_learn_text(struct scap_export *x, const struct scap_keyframe_text *text);

/*
 * Writes the event. With SCAP_EXPORT_STATE, only if it says something about processes or
 * descriptors. Once it has failed it fails for ever.
 */
SCAP_API int scap_export_event(struct scap_export *x, const struct scap_event *ev, uint32_t flags);
/* Writes what is kept back: to be called between two segments, since time may go back there. */
SCAP_API int scap_export_flush(struct scap_export *x);
SCAP_API const struct scap_error *scap_export_error(const struct scap_export *x);
/*
 * Writes what is kept back, and closes. The exporter is gone afterwards, also on failure, which err
 * then describes. ret_counts and err may be NULL.
 */
SCAP_API int scap_export_close(struct scap_export *x, struct scap_export_counts *ret_counts,
			       struct scap_error *err);

/*
 * A file to export to, in whatever form: created 0600, never through a link. An existing regular
 * file is only overwritten with force. *ret_created, which may be NULL: it is a new one.
 */
SCAP_API int scap_export_create(const char *path, bool force, int *ret_fd, bool *ret_created,
				struct scap_error *err);

#endif
