/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hot path. The fast way (capture.c) writes a call straight into the ring of the only consumer.
 * The general way (call.c) builds a record in its CPU's scratch memory, then each consumer that
 * wants it gets a copy in its ring, behind the introductions it still needs.
 */
#ifndef KSCAP_CAPTURE_H
#define KSCAP_CAPTURE_H

#include <linux/path.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <scap/abi.h>

#include "compat.h"
#include "late.h"
#include "table.h"

struct file;
struct kscap_consumer;
struct kscap_ring;
struct kscap_stash_slot;
struct pt_regs;

/* argv and environment (or I/O data, which is less), three paths, addresses; with blob headers. */
#define KSCAP_BLOB_BYTES \
	(SCAP_EXEC_ARGV_MAX + SCAP_EXEC_ENV_MAX + 3 * (SCAP_PATH_MAX_BYTES + 8) + 1024)

/* A file that the record is about. */
struct kscap_file_ref {
	struct file *file;	/* NULL: it is known by its path alone */
	struct path path;
	u64 key;		/* identity: changes with the file, its name, a socket's ends */
	u32 cookie;		/* never 0 */
	u32 bytes;		/* of FILE below; 0: not made yet */
	struct scap_rec_file rec;
	struct scap_blob blob;
	u8 data[SCAP_PATH_MAX_BYTES + 8];
};

union kscap_rec {
	struct scap_rec h;
	struct scap_rec_call call;
	struct scap_rec_enter enter;
	struct scap_rec_fork fork;
	struct scap_rec_exec exec;
	struct scap_rec_exit exit;
	struct scap_rec_cgroup cgroup;
	u64 words[16];
};

/* What the single consumer's main ring was last told of a file: see capture.c. */
struct kscap_file_seen {
	const struct dentry *dentry;
	const struct vfsmount *mnt;
	const struct inode *inode;
	const struct dentry *parent;
	u64 name;		/* kscap_name_key() */
	u64 ino;
	u64 token;		/* the ring, its CPU and the epoch */
	u32 cookie;
	u8 io_class;		/* enum scap_io_class */
	u8 pad[3];		/* a power of two is cheaper to index */
};

#define KSCAP_FILES_SEEN	32

/*
 * One CPU's work space, on no stack because the kernel zeroes big locals on every call. In use
 * while busy; whoever finds it busy (an interrupt in the middle of a probe) must not touch it.
 */
struct kscap_scratch {
	int busy;
	atomic_t n_late;	/* events that wait in `late`; more than fit, if some are lost */
	u32 io_bytes;		/* of I/O data in the record; some consumers want less */
	u32 io_at;		/* where its blob begins */
	u32 bytes;		/* of the record so far; 0: introductions alone */
	u64 now;		/* time of the event */
	struct kscap_stash_slot *last_slot;	/* of the last call that was looked at here */
	struct kscap_ring *lead;	/* main ring of the only consumer; NULL: no fast way */
	u64 thread_key;
	u64 cookies;		/* of refs[0], refs[1], 0: none; 0 between probes */
	u8 put;			/* bit i: a reference to refs[i].file is ours */
	u8 lane;		/* SCAP_LANE_* of the record */
	u8 io_class;		/* enum scap_io_class of its I/O data */

	/* The call that the record is about. */
	const struct kscap_row *row;
	struct kscap_stash_slot *slot;	/* NULL: none */
	u64 *args;		/* within the record */
	s64 ret;
	u64 latency_ns;		/* U64_MAX: unknown */
	s32 nr;
	u8 abi;
	bool had_entry;
	u8 flags;		/* SCAP_CALL_* */
	u8 more;		/* SCAP_MORE_* */
	u32 tally_key;

	u64 n_nested;
	u64 n_clock_back;
	union kscap_rec *rec;	/* under construction: in buf, or already where it will lie */
	u32 room;		/* bytes there */
	struct kscap_file_seen files_seen[KSCAP_FILES_SEEN];
	u64 buf[(128 + KSCAP_BLOB_BYTES) / 8];
	struct kscap_late late;
	struct kscap_file_ref refs[2];
	u32 intro_bytes;	/* of current's INTRO below; 0: not made yet */
	u64 intro[(sizeof(struct scap_rec_intro) + sizeof(struct scap_blob) +
		   SCAP_PATH_MAX_BYTES) / 8];
	char path[SCAP_PATH_MAX_BYTES];
};

int kscap_capture_alloc(void);
void kscap_capture_free(void);
/* The only active consumer, where the fast way will do for it, or NULL; while probes run. */
void kscap_capture_lead(struct kscap_consumer *only);
/* Writes due GAPs of all the consumer's rings, on their CPUs. Sleeps. */
int kscap_capture_flush(struct kscap_consumer *c);
void kscap_capture_stats(struct scap_stats *stats);

/* call.c: what the fast way is not for. Scratch memory is taken. */
void kscap_call_entry(struct kscap_scratch *s, struct pt_regs *regs, int nr);
void kscap_call_exit(struct kscap_scratch *s, struct pt_regs *regs, long ret);
/*
 * Begins a record of what current does, all zero so far, and returns who wants it, 0: nobody. Among
 * the chosen processes events pass all other filters.
 */
u32 kscap_event_begin(struct kscap_scratch *s, u8 type, u32 bytes);

/*
 * Part of every token, between ring and epoch: another value makes all tokens void. Raised when
 * tasks get another root directory, perhaps not only the one that asked for it.
 */
extern u64 kscap_roots_gen;
void kscap_roots_changed(void);

DECLARE_PER_CPU(struct kscap_scratch *, kscap_scratch);

/* False: an interrupt came into a probe of this CPU. */
static __always_inline bool kscap_scratch_take(struct kscap_scratch **ret_s)
{
	struct kscap_scratch *s;

	kscap_probe_enter();
	s = this_cpu_read(kscap_scratch);
	if (unlikely(s->busy)) {
		s->n_nested++;
		kscap_probe_leave();
		return false;
	}
	s->busy = 1;
	barrier();
	*ret_s = s;
	return true;
}

static __always_inline void kscap_scratch_give(struct kscap_scratch *s)
{
	barrier();
	s->busy = 0;
	barrier();
	if (unlikely(atomic_read(&s->n_late)))
		kscap_late_flush(s);
	kscap_probe_leave();
}

void kscap_on_sys_enter(void *data, struct pt_regs *regs, long nr);
void kscap_on_sys_exit(void *data, struct pt_regs *regs, long ret);

#endif
