// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "emit.h"
#include "fill.h"
#include "ref.h"
#include "stash.h"

/* Before the child can run: it inherits its parent's trees, whoever is started by now. */
void kscap_on_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	struct kscap_stash_slot *from, *to;
	struct scap_rec_fork *rec;
	struct kscap_scratch *s;
	u32 mask;

	if (!kscap_scratch_take(&s))
		return;
	from = kscap_stash_find(current);
	to = kscap_stash_claim(child);
	if (to) {
		to->call = KSCAP_STASH_FORKED;
		if (from && from->tree)
			kscap_stash_tree_set(to, from->tree);
	}
	mask = kscap_event_begin(s, SCAP_REC_FORK, sizeof(*rec));
	if (mask) {
		rec = &s->rec->fork;
		rec->tid = parent->pid;
		rec->tgid = parent->tgid;
		rec->child_tid = child->pid;
		rec->child_tgid = child->tgid;
		rec->child_start_ns = child->start_boottime;
		rec->child_vtid = child->thread_pid->numbers[child->thread_pid->level].nr;
		rec->pad = 0;
		kscap_emit(s, mask);
	}
	kscap_scratch_give(s);
}

void kscap_on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct scap_rec_exec *rec;
	struct kscap_scratch *s;
	u32 mask;

	if (!kscap_scratch_take(&s))
		return;
	mask = kscap_event_begin(s, SCAP_REC_EXEC, sizeof(*rec));
	if (mask) {
		kscap_exec_file(s);
		rec = &s->rec->exec;
		rec->tid = task->pid;
		rec->old_tid = old_pid;
		rec->cookie = (u32)s->cookies;
		rec->pad = 0;
		kscap_exec_blobs_done(s, bprm);
		kscap_emit(s, mask);
		kscap_fd_put(s);
	}
	kscap_scratch_give(s);
}

void kscap_on_exit(void *data, struct task_struct *task)
{
	struct scap_rec_exit *rec;
	struct kscap_scratch *s;
	u32 mask;

	if (!kscap_scratch_take(&s))
		return;
	mask = kscap_event_begin(s, SCAP_REC_EXIT, sizeof(*rec));
	if (mask) {
		rec = &s->rec->exit;
		rec->tid = task->pid;
		rec->status = task->exit_code;
		rec->start_ns = task->start_boottime;
		rec->group_dead = !atomic_read(&task->signal->live);
		rec->pad = 0;
		kscap_emit(s, mask);
	}
	kscap_stash_release(task);
	kscap_scratch_give(s);
}
