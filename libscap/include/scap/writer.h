/* SPDX-License-Identifier: MIT */
/* Writing a capture: a header, slices, an end. One thread per writer. */
#ifndef SCAP_WRITER_H
#define SCAP_WRITER_H

#include <scap/error.h>
#include <scap/io.h>
#include <stdbool.h>
#include <stdint.h>

struct scap_writer;

#define SCAP_WRITER_FORCE 0x1	/* overwrite an existing regular file */
#define SCAP_WRITER_ROWS 0x2	/* no groups: every slice is in the file when it was taken */
#define SCAP_WRITER_GROUPS 0x4	/* groups, also into a sink or a special file */
#define SCAP_WRITER_SYNC 0x8	/* what was taken survives a power cut: waits for the disk */

struct scap_writer_options {
	size_t size;		/* sizeof(struct scap_writer_options) */
	uint32_t flags;
	int32_t level;		/* zstd level; 0: the default, 1 */
	/* What goes into the header. Strings are copied; NULL: this host's. */
	const char *hostname, *kernel, *machine, *boot_id, *recorder, *filter;
	uint32_t n_cpus, snaplen, recorder_tgid, clock_source;
	uint64_t ring_bytes;
	uint64_t raw_ns, real_ns, boot_ns;	/* the first clock triple */
	uint64_t group_ns;	/* time in a group at most; 0: 10 s; UINT64_MAX: any, and groups
				   four times as large */
	/*
	 * NULL: malloc(3). All of the writer's memory comes from it, and is given back by
	 * scap_writer_close(), but for what zstd takes: contexts whose size the level decides. With
	 * groups it is called by two threads at a time.
	 */
	const struct scap_allocator *allocator;
	/*
	 * Bytes, of the same memory; 0: no limit. A slice that would need more: SCAP_ELIMIT, and
	 * the writer takes no more, as where memory is out. Most of it is the group that grows and
	 * the one that is being packed.
	 */
	uint64_t memory_limit;
};

/* Records of one ring within a slice: whole records, as they lay there. */
struct scap_slice_part {
	uint32_t cpu;
	uint32_t lane;		/* SCAP_LANE_* of abi.h */
	const void *rows;
	size_t bytes;
};

/*
 * A slice holds every record with start_ns <= time < end_ns, over all CPUs. Slices come in order
 * and do not overlap.
 */
struct scap_slice {
	uint64_t start_ns, end_ns;
	uint64_t real_ns;	/* wall clock at raw time clock_raw_ns */
	uint64_t boot_ns;
	uint64_t clock_raw_ns;
	uint32_t n_parts;
	uint32_t pad;
	const struct scap_slice_part *parts;	/* ascending cpu, then lane */
};

/*
 * What a keyframe says beside its records: tables of the host as text, as they lie in /proc and
 * /etc.
 */
enum scap_keyframe_text_kind {
	SCAP_KEYFRAME_MOUNTS = 1,	/* mountinfo; key: the mount namespace's inode number */
	SCAP_KEYFRAME_USERS = 2,	/* passwd */
	SCAP_KEYFRAME_GROUPS = 3,	/* group */
};

struct scap_keyframe_text {
	uint32_t kind;		/* enum scap_keyframe_text_kind */
	uint32_t state;		/* SCAP_STATE_WHOLE, or TRUNCATED */
	uint64_t key;
	const void *data;
	size_t bytes;
};

#define SCAP_KEYFRAME_LAST 0x1		/* no further part follows */
#define SCAP_KEYFRAME_INCOMPLETE 0x2	/* it was not told to its end */

/* A part of a keyframe: whole records, in order, as the kernel told them. */
struct scap_keyframe_part {
	uint64_t begin_ns;	/* raw time, the same in all parts */
	uint64_t end_ns;	/* raw time; 0 before the last part */
	uint64_t clock_raw_ns;	/* a clock triple, the same in all parts */
	uint64_t real_ns, boot_ns;
	uint32_t number;	/* of the keyframe in the capture, from 1 */
	uint32_t part;		/* from 0 */
	uint32_t flags;		/* SCAP_KEYFRAME_* */
	uint32_t n_texts;
	const void *rows;
	size_t bytes;
	const struct scap_keyframe_text *texts;
};

/* For each ring: the number that its next attempt would get. */
struct scap_ring_end {
	uint32_t cpu;
	uint32_t next_seq;
	uint32_t lane;
	uint32_t pad;
};

/*
 * Creates the file 0600, O_EXCL, following no link; SCAP_WRITER_FORCE truncates an existing
 * regular file that is not a link. Writes the header at once. -EEXIST: it exists.
 * Special files such as /dev/null are written to as they are.
 *
 * In a regular file slices are packed into groups (docs/format.md): when some 6 MiB of records or
 * 10 s are together, before a keyframe, and at the end. Until then they lie in PATH.journal, where
 * readers find them if this process dies; a clean end leaves no journal. Sinks and special files
 * get each slice as it comes, unless SCAP_WRITER_GROUPS asks otherwise.
 */
SCAP_API int scap_writer_open_path(const char *path, const struct scap_writer_options *opt,
				   struct scap_writer **ret_w, struct scap_error *err);
/*
 * Creates a file by the same rules, for what writes a capture to a descriptor, as
 * scap_ring_recover(): always a regular file; force truncates one that is there. -EEXIST, -ELOOP,
 * -EINVAL: what is there is something else; -errno of open.
 */
SCAP_API int scap_file_create(const char *path, bool force, int *ret_fd, struct scap_error *err);
/* Takes over sink, also on failure. */
SCAP_API int scap_writer_open_sink(const struct scap_sink *sink,
				   const struct scap_writer_options *opt,
				   struct scap_writer **ret_w, struct scap_error *err);
/*
 * Directly after opening, if the capture goes on where another one ended: from start_raw_ns on, the
 * beginning of an epoch; what that one's end said of the rings. Without it the numbers of all rings
 * begin with 0.
 */
SCAP_API int scap_writer_start(struct scap_writer *w, uint64_t start_raw_ns,
			       const struct scap_ring_end *rings, uint32_t n_rings);
/* Compresses and writes; the slice's memory is the caller's again afterwards. */
SCAP_API int scap_writer_slice(struct scap_writer *w, const struct scap_slice *slice);
/* The same for a part of a keyframe, between any two slices; at most 32 MiB in all. */
SCAP_API int scap_writer_keyframe(struct scap_writer *w, const struct scap_keyframe_part *part);
/* Bytes written so far. */
SCAP_API uint64_t scap_writer_bytes(const struct scap_writer *w);
/* All that was taken becomes a group now: waits until it is written. */
SCAP_API int scap_writer_flush(struct scap_writer *w);
/* Bytes of records that were taken and are in no section of the file yet: their group grows. */
SCAP_API uint64_t scap_writer_pending(const struct scap_writer *w);
SCAP_API const struct scap_error *scap_writer_error(const struct scap_writer *w);
/*
 * Writes the end section (where each ring stood, end_raw_ns) and closes. The writer is gone
 * afterwards, also on failure, which err then describes. rings NULL: close without an end, as a
 * crash would.
 */
SCAP_API int scap_writer_close(struct scap_writer *w, uint64_t end_raw_ns,
			       const struct scap_ring_end *rings, uint32_t n_rings,
			       struct scap_error *err);

#endif
