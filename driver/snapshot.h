/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keyframes: the state of all tasks, told in parts to a consumer that asks (struct scap_keyframe).
 * Process context, sleeping. What other tasks may wait for is held only for short: a task's lock
 * while at most KSCAP_SNAPSHOT_FDS files are pinned, files until the call returns.
 */
#ifndef KSCAP_SNAPSHOT_H
#define KSCAP_SNAPSHOT_H

#include <linux/path.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <scap/abi.h>

#include "capture.h"

struct file;
struct files_struct;
struct kscap_consumer;
struct mm_struct;
struct task_struct;

#define KSCAP_SNAPSHOT_FDS	32	/* pinned under one hold of a lock */
#define KSCAP_SNAPSHOT_BYTES	65536	/* of out */
#define KSCAP_SNAPSHOT_SEEN	4096	/* a power of two */
#define KSCAP_SNAPSHOT_TOLD	1024	/* too */

/* The most that one task, and one descriptor, bring at once. */
#define KSCAP_SNAPSHOT_FILE_MAX	(sizeof(struct scap_rec_file) + 2 * sizeof(struct scap_blob) + \
				 SCAP_PATH_MAX_BYTES)
#define KSCAP_SNAPSHOT_TASK_MAX	(KSCAP_SNAPSHOT_FILE_MAX + sizeof(struct scap_rec_key_task) + \
				 sizeof(struct scap_rec_key_call) + 3 * sizeof(struct scap_blob) + \
				 2 * SCAP_PATH_MAX_BYTES + SCAP_KEY_ARGV_MAX_BYTES)
#define KSCAP_SNAPSHOT_FD_MAX	(KSCAP_SNAPSHOT_FILE_MAX + sizeof(struct scap_rec_key_fd))

/* What was pinned under a task's lock, to be looked at without it. */
struct kscap_snapshot_pins {
	struct mm_struct *mm;
	struct file *exe;
	struct path cwd;
	struct path root;
	bool has_fs;
};

struct kscap_snapshot_fd {
	struct file *file;
	u32 fd;
	bool cloexec;
};

/* One consumer's keyframe under way. Under the consumer's lock. */
struct kscap_snapshot {
	u64 number;		/* of the keyframe; 0: none under way */
	u32 seq;		/* of the next record */
	bool done;
	bool has_stash;		/* probes are held, so the stash is there */
	u32 next_tid;
	u64 begin_boot_ns;
	struct scap_rec_key_end end;	/* counts so far */

	/* The task whose table is being told, referenced; NULL: the next one is due. */
	struct task_struct *task;
	struct files_struct *files;	/* only compared */
	u64 table;
	u64 start_ns;
	u32 fd;			/* the next one */

	u32 at;			/* the record being built, in out */
	u32 n;			/* bytes in out */
	u32 room;		/* in out, for this part */
	struct scap_rec_key_task rec;
	struct kscap_snapshot_pins pins;
	struct kscap_snapshot_fd fds[KSCAP_SNAPSHOT_FDS];
	struct pt_regs regs;
	u64 seen[KSCAP_SNAPSHOT_SEEN];	/* identities of introduced files, by cookie */
	u64 told[KSCAP_SNAPSHOT_TOLD];	/* tables told in this keyframe, by told_as() */
	struct kscap_scratch scratch;	/* for the making of FILE records */
	u8 out[KSCAP_SNAPSHOT_BYTES] __aligned(8);
};

/* Does the ioctl: 0 or an error, after which the keyframe is over. Under c->lock. */
int kscap_snapshot_next(struct kscap_consumer *c, struct scap_keyframe *kf);
void kscap_snapshot_free(struct kscap_snapshot *s);

/* ---- for the snapshot_*.c ---- */

/* Not later than any effect on any CPU from now on: records of such are applied once more. */
u64 kscap_snapshot_now(void);
/* A record of `bytes` bytes without header fields, zeroed; then blobs; then its end. */
void *kscap_snapshot_begin(struct kscap_snapshot *s, u8 type, u32 bytes, u64 now);
void kscap_snapshot_blob(struct kscap_snapshot *s, unsigned int slot, unsigned int state,
			 const void *data, u32 bytes, u32 orig_bytes);
void kscap_snapshot_end(struct kscap_snapshot *s);
/* The table being told. */
void kscap_snapshot_table(struct kscap_snapshot *s, struct files_struct *files);
/* A task's lock was held since. */
void kscap_snapshot_held(struct kscap_snapshot *s, u64 since_ns);
/* Introduces a file, unless it was: its cookie. The caller holds the file. */
u32 kscap_snapshot_file(struct kscap_snapshot *s, struct file *file, u64 now);

/* snapshot_task.c: FILE of the program and KEY_TASK for s->task. False: it has gone. */
bool kscap_snapshot_task(struct kscap_snapshot *s);
/* snapshot_call.c: KEY_CALL, if s->task is in a call. */
void kscap_snapshot_call(struct kscap_snapshot *s);

#endif
