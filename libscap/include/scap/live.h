/* SPDX-License-Identifier: MIT */
/*
 * Recording from the running kernel, in two layers.
 *
 * struct scap_live is a consumer of the kernel module: its rings, its filter, its clock. Closing
 * it, or the end of the process, takes the consumer away.
 *
 *	scap_live_open(&opt, &live, &err);	rings are allocated
 *	scap_live_filter(live, &filter);	optional
 *	scap_live_start(live);
 *	while (...)
 *		poll() on scap_live_fd(live), then for each of the n_rings
 *			scap_live_read(live, ring, &batch), use it, scap_live_release(live, &batch);
 *	scap_live_stop(live);
 *	scap_live_close(live);
 *
 * struct scap_recorder is the pipeline on top of it: it drains the rings, cuts the records of all
 * CPUs into slices and hands these to a writer. It replaces the inner part of the loop above.
 *
 * Both are used by one thread at a time. Functions return 0 or a negative error, whose details
 * are in scap_live_error() and scap_recorder_error(), unless they say otherwise.
 */
#ifndef SCAP_LIVE_H
#define SCAP_LIVE_H

#include <scap/error.h>
#include <scap/writer.h>

#include <stddef.h>
#include <stdint.h>

/* ---- the consumer ------------------------------------------------------------------------- */

struct scap_live;

struct scap_live_options {
	size_t size;		/* sizeof(struct scap_live_options) */
	uint64_t ring_bytes;	/* per CPU, a power of two; 0: 8 MiB, or what the cap lets */
	uint32_t snaplen;	/* bytes of I/O data kept per call; SCAP_LIVE_SNAPLEN_DEFAULT: 80 */
	uint32_t pad;
	const char *device;	/* NULL: /dev/kscap */
	/* By what the data goes through (SCAP_LIVE_IO_*): bytes + 1; 0: as snaplen says. */
	uint32_t snaplens[5];
	uint32_t argv_max;	/* bytes of a new program's arguments kept; 0: 128 KiB, the most */
	uint32_t env_max;	/* of its environment, at most 32 KiB; 0: none */
	uint32_t pad2;
};

/* Places in snaplens. */
#define SCAP_LIVE_IO_FILE 0
#define SCAP_LIVE_IO_PIPE 1
#define SCAP_LIVE_IO_SOCKET 2
#define SCAP_LIVE_IO_TTY 3
#define SCAP_LIVE_IO_OTHER 4

#define SCAP_LIVE_SNAPLEN_DEFAULT UINT32_MAX

struct scap_live_info {
	uint32_t n_cpus;	/* possible CPUs */
	uint32_t n_rings;	/* two for each: the main lane's, then the decisive lane's */
	uint64_t ring_bytes;	/* of each main lane, as allocated */
	uint64_t lane_bytes;	/* of each decisive lane */
	uint32_t snaplen;	/* of files */
	uint32_t pad;
	uint32_t clock_source;	/* SCAP_CLOCK_* */
	uint32_t abi_version;
};

#define SCAP_LIVE_FAILED 0x1	/* only calls that failed */
#define SCAP_LIVE_UID 0x2	/* only threads with this real uid */
#define SCAP_LIVE_TREE 0x4	/* only trees, also when none is given yet: see tree_add */

/* Events that are only recorded on request. */
#define SCAP_LIVE_SCHED 0x1	/* context switches and wake-ups */
#define SCAP_LIVE_FAULT 0x2	/* page faults */

/* What is given must all hold. Everything 0: the whole machine. */
struct scap_live_filter {
	size_t size;		/* sizeof(struct scap_live_filter) */
	uint32_t flags;		/* SCAP_LIVE_* */
	uint32_t uid;
	uint64_t min_latency_ns;
	const char *calls;	/* names, separated by commas, in any ABI; NULL: all calls */
	/* In or below any of these directories of the cgroup tree, absolute or from its root. */
	const char *const *cgroups;
	const uint32_t *tgids;	/* these processes and all that descends from them */
	uint32_t n_tgids;
	uint32_t n_cgroups;	/* at most 16 */
	uint32_t classes;	/* SCAP_LIVE_SCHED, SCAP_LIVE_FAULT */
	uint32_t pad;
};

/* One moment on three clocks. */
struct scap_live_clock {
	uint64_t raw_ns, real_ns, boot_ns;
};

struct scap_live_watermark {
	uint64_t now_ns;	/* raw clock */
	uint64_t safe_ns;	/* records before this are in the rings by now; 0: not known yet */
};

/* Records of one ring, in the ring itself: valid until they are released. */
struct scap_live_batch {
	uint32_t cpu;
	uint32_t lane;		/* 0 main, 1 decisive */
	uint32_t next_seq;	/* what the next attempt in this ring will get */
	uint32_t pad;
	const void *rows;	/* whole records, struct scap_rec of abi.h */
	size_t bytes;
};

struct scap_live_stats {
	uint64_t n_stash_full, n_clock_back, n_reserve_retry, n_nested_lost;
	uint32_t n_stash_slots;
	uint32_t pad;
};

/* Where a keyframe stands; zeros to begin one. */
struct scap_live_keyframe {
	uint64_t cursor[2];
};

#define SCAP_LIVE_KEYFRAME_MIN_BYTES 32768

/*
 * Connects to the kernel module and allocates rings; nothing is recorded yet. opt may be NULL.
 * -ENOENT: the module is not loaded; -EACCES, -EPERM: not allowed; SCAP_EABI: the module speaks
 * another version; -EBUSY: too many consumers; SCAP_ELIMIT: the rings would exceed the cap;
 * -EINVAL: an option out of its range. err may be NULL. The process that opens is never recorded.
 */
SCAP_API int scap_live_open(const struct scap_live_options *opt, struct scap_live **ret_l,
			    struct scap_error *err);
/* NULL is allowed. Batches not yet released are gone, too. */
SCAP_API void scap_live_close(struct scap_live *l);
SCAP_API const struct scap_error *scap_live_error(const struct scap_live *l);
SCAP_API const struct scap_live_info *scap_live_info(const struct scap_live *l);

/*
 * Before scap_live_start(). -EINVAL: an unknown call name (the text suggests the nearest);
 * -ESRCH: no such process; -ENOENT: no such cgroup. A second call replaces all but the trees.
 */
SCAP_API int scap_live_filter(struct scap_live *l, const struct scap_live_filter *f);
/* Whether names and paths in it stand for something, without a consumer. Errors as above. */
SCAP_API int scap_live_filter_check(const struct scap_live_filter *f, struct scap_error *err);
/* Adds a process and its descendants to a filter with trees. -ESRCH: there is none. */
SCAP_API int scap_live_tree_add(struct scap_live *l, uint32_t tgid);

/*
 * Changes the snaplens (see struct scap_live_options), also while recording: it holds for all calls
 * that end after this has returned. -EINVAL: too many bytes.
 */
SCAP_API int scap_live_snaplens(struct scap_live *l, const uint32_t bytes[5]);

SCAP_API int scap_live_start(struct scap_live *l);
/* No record is written any more when it returns; what is in the rings can still be read. */
SCAP_API int scap_live_stop(struct scap_live *l);
/* Writes outstanding GAP records, where there is room. */
SCAP_API int scap_live_flush(struct scap_live *l);

/* For poll(): readable when a ring is a quarter full, or after the stop. */
SCAP_API int scap_live_fd(const struct scap_live *l);
/*
 * All whole records that this ring holds now: 0, or 1 when there is none. Every length
 * was checked. SCAP_EDAMAGED: the ring holds nonsense.
 */
SCAP_API int scap_live_read(struct scap_live *l, uint32_t ring, struct scap_live_batch *ret_batch);
/* Gives the batch's room back to the kernel. */
SCAP_API void scap_live_release(struct scap_live *l, const struct scap_live_batch *batch);
SCAP_API int scap_live_watermark(struct scap_live *l, struct scap_live_watermark *ret_w);
SCAP_API int scap_live_clock(struct scap_live *l, struct scap_live_clock *ret_c);
SCAP_API int scap_live_stats(struct scap_live *l, struct scap_live_stats *ret_s);
/*
 * The next part of a keyframe, the state of the whole machine, into buf: whole records, see
 * abi.h. 0: more follows; 1: that was the last part. room at least SCAP_LIVE_KEYFRAME_MIN_BYTES.
 * -ENOTTY: the module has none. After an error begin anew. Before the start, too.
 */
SCAP_API int scap_live_keyframe(struct scap_live *l, struct scap_live_keyframe *k, void *buf,
				size_t room, size_t *ret_bytes);

/* ---- the pipeline ------------------------------------------------------------------------- */

struct scap_recorder;

struct scap_recorder_options {
	size_t size;		/* sizeof(struct scap_recorder_options) */
	uint64_t buffer_bytes;	/* rows kept before a slice is cut early; 0: 6 MiB. Never more
				   than twice as much is kept */
	int wake_fd;		/* a step ends when this is readable; it is not read. -1: none */
	uint32_t pad;
	/*
	 * Sees each slice, in order, before it is written, within a step; its rows live until it
	 * returns. NULL: nobody does.
	 */
	void (*on_slice)(void *ctx, const struct scap_slice *slice);
	void *ctx;
};

struct scap_recorder_totals {
	uint64_t n_stored;	/* events taken from the rings */
	uint64_t n_lost;	/* events that found no room, as told by GAP records */
	uint64_t n_bookkeeping;	/* INTRO, FILE, GAP records */
	uint64_t row_bytes;	/* of all records */
	uint64_t buffered_bytes;	/* of these, not yet in the file itself */
	uint64_t n_slices;
	uint64_t n_wakeups;
	uint64_t file_bytes;	/* written up to the last whole slice */
	uint64_t end_raw_ns;	/* after the finish: where the capture ends */
	uint64_t n_keyframes;	/* begun */
	uint64_t start_raw_ns;	/* where the capture begins */
	uint64_t complete_raw_ns;	/* all records before this were handed to the writer */
};

/* The next file of a recording. Both are called in a step, by its thread; they must not step. */
struct scap_recorder_next {
	void *ctx;
	/*
	 * The writer, just opened, which the recorder takes over: 0; or an error, described in err:
	 * it is the recorder's then, and the file before is still the one that is written.
	 */
	int (*open)(void *ctx, struct scap_writer **ret_w, struct scap_error *err);
	/* The file before is closed; what it holds. May be NULL. */
	void (*closed)(void *ctx, const struct scap_recorder_totals *file);
};

/*
 * Starts nothing yet. The recorder borrows l, which must outlive it, and takes over w, also on
 * failure. w NULL: every record is visited and dropped. opt and err may be NULL.
 */
SCAP_API int scap_recorder_new(struct scap_live *l, struct scap_writer *w,
			       const struct scap_recorder_options *opt,
			       struct scap_recorder **ret_r, struct scap_error *err);
/* Starts the consumer, and begins the first keyframe. */
SCAP_API int scap_recorder_start(struct scap_recorder *r);
/*
 * Waits until there is work, at most max_wait_ms (negative: as long as the recorder thinks right,
 * which is never longer than 250 ms), then drains the rings and writes the slices that are
 * complete. A signal or wake_fd ends the wait early. Errors are final, but finish may follow.
 */
SCAP_API int scap_recorder_step(struct scap_recorder *r, int max_wait_ms);
/* What lies in slices already is in the file itself afterwards, as file_bytes then shows. */
SCAP_API int scap_recorder_flush(struct scap_recorder *r);
/*
 * Where each ring stands now, at the first record that was not handed to the writer: n_rings of
 * struct scap_live_info. Numbers before that which are in no record are of events that were lost,
 * also those of which a later record tells. In on_slice: behind the slice. NULL, and the
 * recorder's error, on failure. Lives until the next call.
 */
SCAP_API const struct scap_ring_end *scap_recorder_rings(struct scap_recorder *r);
/*
 * What lies before raw_ns is waited for: complete_raw_ns reaches that as soon as all of it is here,
 * and not only with the end of its epoch. The last call counts.
 */
SCAP_API void scap_recorder_want(struct scap_recorder *r, uint64_t raw_ns);
/* Begins a keyframe with the next step, unless one is under way. */
SCAP_API void scap_recorder_keyframe(struct scap_recorder *r);
/*
 * Goes on in another file from the next seam on: where an epoch ends after this call, as one does
 * about every second, so that each file has the names of its events; nothing is lost or doubled.
 * There next->open() is called, and the file before gets its end; the new one says where it begins,
 * and gets a keyframe. Only once: for a further seam ask again. A finish before it forgets it.
 * -EINVAL: there is no file, or it is not being written.
 */
SCAP_API int scap_recorder_rotate(struct scap_recorder *r, const struct scap_recorder_next *next);
/* Of the file that is being written, or was the last one; n_stored holds what is still to come. */
SCAP_API const struct scap_recorder_totals *scap_recorder_file(const struct scap_recorder *r);
/* Steps until scap_recorder_request_stop(), from a signal handler or another thread. */
SCAP_API int scap_recorder_run(struct scap_recorder *r);
SCAP_API void scap_recorder_request_stop(struct scap_recorder *r);
/*
 * Stops the consumer, drains what is left, writes the last slices and the end, closes the writer.
 * Where writing failed before (a full disk), the capture ends with the last slice that was
 * written; what came later is dropped and not counted as stored.
 */
SCAP_API int scap_recorder_finish(struct scap_recorder *r);
/* The same without what is not yet in a slice: to be called when the disk is nearly full. */
SCAP_API int scap_recorder_finish_short(struct scap_recorder *r);
SCAP_API const struct scap_recorder_totals *scap_recorder_totals(const struct scap_recorder *r);
/* Events lost on one CPU; 0 where there is no such CPU. */
SCAP_API uint64_t scap_recorder_lost(const struct scap_recorder *r, uint32_t cpu);
SCAP_API const struct scap_error *scap_recorder_error(const struct scap_recorder *r);
/* Without a finish the file gets no end, as in a crash. NULL is allowed. */
SCAP_API void scap_recorder_free(struct scap_recorder *r);

#endif
