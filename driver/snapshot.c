// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk over all tasks and their tables of descriptors. It goes by pid numbers, so that it can
 * let go of everything between two tasks. What begins or ends meanwhile is in the rings: each
 * entry's time is taken before its state is read.
 */
#include "snapshot.h"

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "compat.h"
#include "consumer.h"
#include "fill.h"
#include "ref.h"

/*
 * A call returns after this long. References dropped in it may be the last ones: then files are
 * closed when the caller returns to user space, for which their readers at other ends may wait.
 */
#define BUSY_MAX_NS	2000000

/* Bits of a table looked at under one hold of a lock. */
#define SCAN_MAX_FDS	65536

/* ---- records --------------------------------------------------------------------------------- */

static u64 now_ns(void)
{
	u64 now;

	preempt_disable();
	now = kscap_now();
	preempt_enable();
	return now;
}

u64 kscap_snapshot_now(void)
{
	return now_ns() - kscap_clock_skew_ns();
}

void *kscap_snapshot_begin(struct kscap_snapshot *s, u8 type, u32 bytes, u64 now)
{
	struct scap_rec *rec = (struct scap_rec *)(s->out + s->n);

	memset(rec, 0, bytes);
	rec->type = type;
	rec->seq = s->seq;
	rec->time_ns = now;
	s->at = s->n;
	s->n += bytes;
	return rec;
}

void kscap_snapshot_blob(struct kscap_snapshot *s, unsigned int slot, unsigned int state,
			 const void *data, u32 bytes, u32 orig_bytes)
{
	struct scap_blob *blob = (struct scap_blob *)(s->out + s->n);
	u32 end = ALIGN(bytes, 8);

	blob->meta = SCAP_BLOB_META(slot, state, bytes);
	blob->orig_bytes = orig_bytes;
	memcpy(blob + 1, data, bytes);
	memset((u8 *)(blob + 1) + bytes, 0, end - bytes);
	s->n += sizeof(*blob) + end;
}

void kscap_snapshot_end(struct kscap_snapshot *s)
{
	struct scap_rec *rec = (struct scap_rec *)(s->out + s->at);

	rec->len8 = (s->n - s->at) / 8;
	s->seq++;
}

void kscap_snapshot_held(struct kscap_snapshot *s, u64 since_ns)
{
	s->end.lock_max_ns = max_t(s64, s->end.lock_max_ns, kscap_now() - since_ns);
}

/* A collision in the cache repeats an introduction. */
u32 kscap_snapshot_file(struct kscap_snapshot *s, struct file *file, u64 now)
{
	struct kscap_file_ref *ref = &s->scratch.refs[0];
	struct scap_rec *rec;
	u64 *seen;

	/* The walk for the path, and a socket's peer, need RCU. */
	rcu_read_lock();
	kscap_ref_set(&s->scratch, 0, file);
	s->scratch.cookies = 0;
	seen = &s->seen[ref->cookie % KSCAP_SNAPSHOT_SEEN];
	if (*seen != ref->key) {
		*seen = ref->key;
		kscap_file_fill(&s->scratch, ref);
	}
	rcu_read_unlock();
	if (!ref->bytes)
		return ref->cookie;
	rec = kscap_snapshot_begin(s, SCAP_REC_FILE, ref->bytes, now);
	ref->rec.h = (struct scap_rec){
		.type = SCAP_REC_FILE, .flags = ref->rec.h.flags, .seq = s->seq, .time_ns = now,
	};
	memcpy(rec, &ref->rec, ref->bytes);
	kscap_snapshot_end(s);
	s->end.n_files++;
	return ref->cookie;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

/* Under the task's lock: pins at most `max` files from s->fd on. Advances s->fd. */
static u32 pin_fds(struct kscap_snapshot *s, struct files_struct *files, u32 max)
{
	struct fdtable *fdt;
	u32 n = 0, fd, end;

	rcu_read_lock();
	fdt = rcu_dereference_raw(files->fdt);
	end = min(fdt->max_fds, s->fd + SCAN_MAX_FDS);
	for (fd = s->fd; n < max; fd++) {
		struct kscap_snapshot_fd *to = &s->fds[n];

		fd = find_next_bit(fdt->open_fds, end, fd);
		if (fd >= end)
			break;
		to->file = kscap_file_of_slot(&fdt->fd[fd]);
		to->fd = fd;
		to->cloexec = test_bit(fd, fdt->close_on_exec);
		n += !!to->file;
	}
	s->fd = fd < fdt->max_fds ? fd : U32_MAX;
	rcu_read_unlock();
	return n;
}

static void put_fd(struct kscap_snapshot *s, const struct kscap_snapshot_fd *from, u64 now)
{
	u32 cookie = kscap_snapshot_file(s, from->file, now);
	struct scap_rec_key_fd *rec = kscap_snapshot_begin(s, SCAP_REC_KEY_FD, sizeof(*rec), now);

	rec->h.flags = from->cloexec ? SCAP_KEY_FD_CLOEXEC : 0;
	rec->tid = s->rec.who.tid;
	rec->fd = from->fd;
	rec->start_ns = s->start_ns;
	rec->table = s->table;
	rec->pos = READ_ONCE(from->file->f_pos);
	rec->cookie = cookie;
	rec->open_flags = READ_ONCE(from->file->f_flags);
	kscap_snapshot_end(s);
	s->end.n_fds++;
}

/*
 * The next descriptors of s->task: false when all are told. A files_struct is only pinned while
 * its task's lock is held. Where the task exchanged its table (exec, unshare), the rest is told of
 * the new one: each entry says what the task had at its time.
 */
static bool tell_fds(struct kscap_snapshot *s)
{
	u32 max = min_t(u32, KSCAP_SNAPSHOT_FDS, (s->room - s->n) / KSCAP_SNAPSHOT_FD_MAX);
	u64 now = kscap_snapshot_now(), since;
	u32 n = 0, i;

	task_lock(s->task);
	since = kscap_now();
	if (s->task->files) {
		s->end.n_changed += s->task->files != s->files;
		kscap_snapshot_table(s, s->task->files);
		n = pin_fds(s, s->files, max);
	} else {
		s->fd = U32_MAX;
	}
	kscap_snapshot_held(s, since);
	task_unlock(s->task);
	for (i = 0; i < n; i++) {
		put_fd(s, &s->fds[i], now);
		fput(s->fds[i].file);
	}
	return s->fd != U32_MAX;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

static void drop_task(struct kscap_snapshot *s)
{
	if (s->task)
		put_task_struct(s->task);
	s->task = NULL;
}

/* False: there is no further one. s->task may stay NULL: it has gone by now. */
static bool find_task(struct kscap_snapshot *s)
{
	struct pid *pid;

	rcu_read_lock();
	pid = find_ge_pid(s->next_tid, &init_pid_ns);
	if (pid) {
		s->next_tid = pid_nr(pid) + 1;
		s->task = pid_task(pid, PIDTYPE_PID);
		if (s->task)
			get_task_struct(s->task);
	}
	rcu_read_unlock();
	return pid;
}

static void tell_task(struct kscap_snapshot *s)
{
	if (!kscap_snapshot_task(s)) {
		s->end.n_gone++;
		drop_task(s);
		return;
	}
	s->end.n_tasks++;
	kscap_snapshot_call(s);
	s->fd = 0;
	if (!(s->rec.who.h.flags & SCAP_KEY_TASK_TABLE))
		drop_task(s);
}

static void tell_end(struct kscap_snapshot *s)
{
	struct scap_rec_key_end *rec = kscap_snapshot_begin(s, SCAP_REC_KEY_END, sizeof(*rec),
							    kscap_snapshot_now());

	s->end.h = rec->h;
	*rec = s->end;
	kscap_snapshot_end(s);
	s->done = true;
}

/* One task, or some descriptors of one. */
static void step(struct kscap_snapshot *s)
{
	if (s->task) {
		if (!tell_fds(s))
			drop_task(s);
	} else if (!find_task(s)) {
		tell_end(s);
	} else if (s->task) {
		tell_task(s);
	}
}

/* ---- the device ------------------------------------------------------------------------------ */

void kscap_snapshot_free(struct kscap_snapshot *s)
{
	if (s)
		drop_task(s);
	kvfree(s);
}

static int begin(struct kscap_consumer *c)
{
	struct kscap_snapshot *s = c->snapshot;
	u64 number = s ? s->number + 1 : 1;

	if (!s)
		s = kvmalloc(sizeof(*s), GFP_KERNEL);
	else
		drop_task(s);
	if (!s)
		return -ENOMEM;
	c->snapshot = s;
	memset(s, 0, offsetof(struct kscap_snapshot, scratch));
	s->scratch.cookies = 0;
	s->number = number;
	s->next_tid = 1;
	s->has_stash = c->holds_probes;
	s->begin_boot_ns = ktime_get_boottime_ns();
	s->end.begin_ns = kscap_snapshot_now();
	return 0;
}

/* The cursor names the keyframe and the next record of it: nothing to be believed. */
static int resume(struct kscap_consumer *c, const u64 cursor[2])
{
	struct kscap_snapshot *s = c->snapshot;

	if (!cursor[0] && !cursor[1])
		return begin(c);
	if (!s || s->done || cursor[0] != s->number || cursor[1] != s->seq)
		return -EINVAL;
	s->has_stash = c->holds_probes;
	return 0;
}

/* Fills s->out: whether the call should go on. */
static bool fill(struct kscap_snapshot *s, u64 room, u64 begin_ns)
{
	s->n = 0;
	s->room = min_t(u64, room, sizeof(s->out));
	do {
		step(s);
		cond_resched();
		if (s->done || fatal_signal_pending(current) || now_ns() - begin_ns > BUSY_MAX_NS)
			return false;
	} while (s->room - s->n >= KSCAP_SNAPSHOT_TASK_MAX);
	return true;
}

static int deliver(struct kscap_snapshot *s, struct scap_keyframe *kf)
{
	u64 begin_ns = now_ns();
	bool more;

	do {
		more = fill(s, kf->room_bytes - kf->filled_bytes, begin_ns);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (s->done)
			((struct scap_rec_key_end *)(s->out + s->at))->busy_ns +=
				now_ns() - begin_ns;
		if (copy_to_user(u64_to_user_ptr(kf->buf + kf->filled_bytes), s->out, s->n))
			return -EFAULT;
		kf->filled_bytes += s->n;
	} while (more && kf->room_bytes - kf->filled_bytes >= SCAP_KEYFRAME_MIN_BYTES);
	s->end.busy_ns += now_ns() - begin_ns;
	return 0;
}

int kscap_snapshot_next(struct kscap_consumer *c, struct scap_keyframe *kf)
{
	struct kscap_snapshot *s;
	int rc;

	BUILD_BUG_ON(KSCAP_SNAPSHOT_TASK_MAX > SCAP_KEYFRAME_MIN_BYTES);
	BUILD_BUG_ON(KSCAP_SNAPSHOT_BYTES < SCAP_KEYFRAME_MIN_BYTES);
	if (kf->room_bytes < SCAP_KEYFRAME_MIN_BYTES)
		return -EINVAL;
	rc = resume(c, kf->cursor);
	if (rc)
		return rc;
	s = c->snapshot;
	kf->filled_bytes = 0;
	rc = deliver(s, kf);
	if (rc || s->done)
		drop_task(s);
	if (rc)
		s->done = true;
	kf->done = s->done;
	kf->cursor[0] = s->number;
	kf->cursor[1] = s->seq;
	return rc;
}
