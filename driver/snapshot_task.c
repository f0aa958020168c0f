// SPDX-License-Identifier: GPL-2.0-only
/* KEY_TASK: who a task is, as far as that can be told without disturbing it. */
#include <linux/audit.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/siphash.h>
#include <linux/tty.h>

#include "clock.h"
#include "compat.h"
#include "intro.h"
#include "path.h"
#include "snapshot.h"

/* ---- under locks ----------------------------------------------------------------------------- */

/*
 * What lock_task_sighand() does, which modules cannot call: the sighand's memory stays one under
 * RCU, and under its lock it is the task's own or not.
 */
static u32 tty_of(struct task_struct *task)
{
	struct sighand_struct *sighand;
	u32 nr = 0;

	rcu_read_lock();
	sighand = rcu_dereference(task->sighand);
	if (sighand) {
		spin_lock_irq(&sighand->siglock);
		if (sighand == rcu_access_pointer(task->sighand) && task->signal->tty)
			nr = tty_devnum(task->signal->tty);
		spin_unlock_irq(&sighand->siglock);
	}
	rcu_read_unlock();
	return nr;
}

static u64 caps_of(kernel_cap_t set)
{
	u64 caps;

	BUILD_BUG_ON(sizeof(set) != sizeof(caps));
	memcpy(&caps, &set, sizeof(caps));
	return caps;
}

static void fill_cred(struct scap_rec_key_task *rec, const struct cred *cred)
{
	rec->suid = cred->suid.val;
	rec->sgid = cred->sgid.val;
	rec->fsuid = cred->fsuid.val;
	rec->fsgid = cred->fsgid.val;
	rec->cap_effective = caps_of(cred->cap_effective);
	rec->cap_permitted = caps_of(cred->cap_permitted);
	rec->cap_inheritable = caps_of(cred->cap_inheritable);
	rec->cap_bounding = caps_of(cred->cap_bset);
	rec->cap_ambient = caps_of(cred->cap_ambient);
}

/* The kernel's addresses are nobody's business. */
void kscap_snapshot_table(struct kscap_snapshot *s, struct files_struct *files)
{
	static siphash_key_t key;

	net_get_random_once(&key, sizeof(key));
	s->files = files;
	s->table = files ? siphash_1u64((unsigned long)files, &key) | 1 : 0;
}

static u64 *told_here(struct kscap_snapshot *s)
{
	return &s->told[s->table / 2 % KSCAP_SNAPSHOT_TOLD];
}

/* Another process may get a table where one lay that was told, and is gone since. */
static u64 told_as(const struct kscap_snapshot *s, const struct task_struct *task)
{
	return s->table ^ (u64)task->tgid << 32;
}

/*
 * Threads mostly share one table: told behind the lowest tid, which the walk meets first. A thread
 * begun since may have got a lower tid than the walk's place: it does not count. So if the lowest
 * one is gone before its table is told, the next one tells it. And if that one got another table
 * since the walk met it, or was not to be met yet, this table was not told: a forgetful memory
 * (who is not in it is told once more) says so.
 */
static bool tells_table(struct kscap_snapshot *s, struct task_struct *task)
{
	struct task_struct *t = task->group_leader;

	if (t == task || *told_here(s) != told_as(s, task))
		return true;
	if (t->files == task->files && t->pid < task->pid && t->start_boottime < s->begin_boot_ns)
		return false;
	for_each_thread(task, t)
		if (READ_ONCE(t->files) == task->files && t->pid < task->pid &&
		    t->start_boottime < s->begin_boot_ns)
			return false;
	return true;
}

static void fill_rec(struct kscap_snapshot *s, struct task_struct *task)
{
	const struct cred *cred = __task_cred(task);
	struct scap_rec_key_task *rec = &s->rec;

	kscap_intro_fill_as(&rec->who, task, cred);
	fill_cred(rec, cred);
	rec->loginuid = __kuid_val(audit_get_loginuid(task));
	rec->audit_session = audit_get_sessionid(task);
	rec->session = pid_nr(task_session(task));
	rec->pgrp = pid_nr(task_pgrp(task));
	rec->exit_code = task->exit_state ? task->exit_code : 0;
	rec->n_threads = get_nr_threads(task);
	rec->state = task_state_to_char(task);
	kscap_snapshot_table(s, task->files);
	rec->table = s->table;
	rec->who.h.flags = task->flags & PF_EXITING ? SCAP_KEY_TASK_EXITING : 0;
	if (task->files && tells_table(s, task)) {
		rec->who.h.flags |= SCAP_KEY_TASK_TABLE;
		*told_here(s) = told_as(s, task);
	}
	s->start_ns = rec->who.start_ns;
}

/* References that keep in memory what is looked at later. A kernel thread's mm is borrowed. */
static void pin(struct kscap_snapshot_pins *pins, struct task_struct *task)
{
	struct fs_struct *fs = task->fs;
	struct file *exe;

	if (task->mm && !(task->flags & PF_KTHREAD)) {
		pins->mm = task->mm;
		mmget(pins->mm);
		exe = rcu_dereference(pins->mm->exe_file);
		if (exe && get_file_rcu(exe))
			pins->exe = exe;
	}
	if (fs) {
		spin_lock(&fs->lock);
		pins->cwd = fs->pwd;
		pins->root = fs->root;
		path_get(&pins->cwd);
		path_get(&pins->root);
		spin_unlock(&fs->lock);
		pins->has_fs = true;
	}
}

/* The last user of an address space takes it down: not here, where it could take long. */
static void unpin(struct kscap_snapshot_pins *pins)
{
	if (pins->has_fs) {
		path_put(&pins->cwd);
		path_put(&pins->root);
	}
	if (pins->exe)
		fput(pins->exe);
	if (pins->mm)
		mmput_async(pins->mm);
	memset(pins, 0, sizeof(*pins));
}

/* False: the task has no ids any more; its parent's memory would not be safe either. */
static bool look(struct kscap_snapshot *s, struct task_struct *task)
{
	bool alive;
	u64 since;

	task_lock(task);
	since = kscap_now();
	rcu_read_lock();
	alive = pid_alive(task);
	if (alive) {
		fill_rec(s, task);
		pin(&s->pins, task);
	}
	rcu_read_unlock();
	kscap_snapshot_held(s, since);
	task_unlock(task);
	return alive;
}

/* ---- without locks --------------------------------------------------------------------------- */

/*
 * Only pages that are there, and only if nobody changes the address space now: one that waits for
 * userfaultfd or FUSE holds nobody up.
 */
static u32 copy_present(struct mm_struct *mm, unsigned long from, u8 *to, u32 want)
{
	u32 n = 0;

	if (!mmap_read_trylock(mm))
		return 0;
	while (n < want) {
		struct page *page = kscap_page_if_present(mm, from + n);
		u32 part = min_t(u32, want - n, PAGE_SIZE - offset_in_page(from + n));
		void *p;

		if (!page)
			break;
		p = kmap_local_page(page);
		memcpy(to + n, p + offset_in_page(from + n), part);
		kunmap_local(p);
		put_page(page);
		n += part;
	}
	mmap_read_unlock(mm);
	return n;
}

static void put_argv(struct kscap_snapshot *s, struct mm_struct *mm)
{
	u8 *to = s->out + s->n + sizeof(struct scap_blob);
	unsigned long start, end;
	unsigned int state;
	u32 want, n;

	spin_lock(&mm->arg_lock);
	start = mm->arg_start;
	end = max(mm->arg_end, start);
	spin_unlock(&mm->arg_lock);
	want = min_t(unsigned long, end - start, SCAP_KEY_ARGV_MAX_BYTES);
	n = copy_present(mm, start, to, want);
	state = n < want ? SCAP_STATE_UNREADABLE :
		want < end - start ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE;
	kscap_snapshot_blob(s, SCAP_SLOT_ARGV, state, to, n,
			    min_t(unsigned long, end - start, SCAP_LEN_UNKNOWN));
}

static u8 put_path(struct kscap_snapshot *s, unsigned int slot, const struct path *path)
{
	char *at, *buf = s->scratch.path;
	bool cut;
	u8 flags;
	u32 n;

	rcu_read_lock();
	n = kscap_path_walk(path, buf, sizeof(s->scratch.path), &at, &flags, &cut);
	rcu_read_unlock();
	if (d_unlinked(path->dentry))
		flags |= SCAP_FILE_DELETED;
	kscap_snapshot_blob(s, slot, cut ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE, at, n,
			    cut ? SCAP_LEN_UNKNOWN : n);
	return flags;
}

static void put_task(struct kscap_snapshot *s, u64 now)
{
	const struct kscap_snapshot_pins *pins = &s->pins;
	struct scap_rec_key_task *rec;

	if (pins->exe)
		s->rec.exe_cookie = kscap_snapshot_file(s, pins->exe, now);
	rec = kscap_snapshot_begin(s, SCAP_REC_KEY_TASK, sizeof(*rec), now);
	s->rec.who.h = (struct scap_rec){
		.type = SCAP_REC_KEY_TASK, .flags = s->rec.who.h.flags, .seq = s->seq,
		.time_ns = now,
	};
	*rec = s->rec;
	if (pins->has_fs) {
		rec->cwd_flags = put_path(s, SCAP_SLOT_CWD, &pins->cwd);
		rec->root_flags = put_path(s, SCAP_SLOT_ROOT, &pins->root);
	}
	if (pins->mm)
		put_argv(s, pins->mm);
	kscap_snapshot_end(s);
}

bool kscap_snapshot_task(struct kscap_snapshot *s)
{
	u64 now = kscap_snapshot_now();

	memset(&s->rec, 0, sizeof(s->rec));
	s->rec.tty = tty_of(s->task);
	if (!look(s, s->task))
		return false;
	put_task(s, now);
	unpin(&s->pins);
	return true;
}
