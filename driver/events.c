// SPDX-License-Identifier: GPL-2.0-only
#include "events.h"

#include <linux/cgroup.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "emit.h"
#include "encode.h"
#include "fill.h"
#include "late.h"
#include "ref.h"
#include "stash.h"

/* ---- processes ------------------------------------------------------------------------------ */

static void fill_fork(struct scap_rec_fork *rec, const struct task_struct *child,
		      unsigned long clone_flags)
{
	const struct pid *pid = child->thread_pid;
	int i;

	rec->tid = current->pid;
	rec->tgid = current->tgid;
	rec->child_tid = child->pid;
	rec->child_tgid = child->tgid;
	rec->child_start_ns = child->start_boottime;
	rec->clone_flags = clone_flags;
	rec->exit_signal = child->exit_signal;
	rec->child_vtid = pid->numbers[pid->level].nr;
	rec->n_levels = pid->level + 1;
	for (i = 0; i < SCAP_PID_LEVELS && i <= pid->level; i++)
		rec->child_ids[i] = pid->numbers[i].nr;
}

/*
 * Before the child can run: it inherits its parent's trees, whoever is started by now. Unlike
 * sched_process_fork this tracepoint knows the flags, and sees the workers of io_uring.
 */
void kscap_on_fork(void *data, struct task_struct *child, unsigned long clone_flags)
{
	struct kscap_stash_slot *from, *to;
	struct kscap_scratch *s;
	u32 mask;

	/* A CPU's idle task is made as if it were a fork. */
	if (!child->pid || !kscap_scratch_take(&s))
		return;
	from = kscap_stash_find(current);
	to = kscap_stash_claim(child);
	if (to) {
		if (from && from->tree)
			kscap_stash_tree_set(to, from->tree);
		to->call = KSCAP_STASH_FORKED;
	}
	mask = kscap_event_begin(s, SCAP_REC_FORK, sizeof(struct scap_rec_fork));
	if (mask) {
		fill_fork(&s->rec->fork, child, clone_flags);
		kscap_emit(s, mask);
	}
	kscap_scratch_give(s);
}

void kscap_on_exec(void *data, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct kscap_scratch *s;
	u32 mask;

	if (!kscap_scratch_take(&s))
		return;
	mask = kscap_event_begin(s, SCAP_REC_EXEC, sizeof(struct scap_rec_exec));
	if (mask) {
		kscap_exec_file(s);
		kscap_exec_emit(s, bprm, old_pid, mask);
		kscap_fd_put(s);
	}
	kscap_scratch_give(s);
}

/* What wait() will report of the process, now that its last thread ends. */
static u32 status_of_process(const struct task_struct *task)
{
	const struct signal_struct *sig = task->signal;

	return sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code :
						task->group_leader->exit_code;
}

/*
 * Threads that end at once may all find that none lives any more: the first to ask was the last.
 * A collision lets a second one of them think so, too.
 */
static bool is_last(const struct task_struct *task)
{
	static u64 ended[256];
	u64 key = task->group_leader->start_boottime ^ (u64)task->tgid << 42;

	return !atomic_read(&task->signal->live) && xchg(&ended[hash_64(key, 8)], key) != key;
}

static void fill_exit(struct scap_rec_exit *rec, struct task_struct *task)
{
	rec->tid = task->pid;
	rec->status = task->exit_code;
	rec->start_ns = task->start_boottime;
	kscap_usage_thread(&rec->thread, task);
	if (!is_last(task))
		return;
	rec->group_dead = 1;
	rec->group_status = status_of_process(task);
	if (!kscap_usage_process(&rec->process, task))
		rec->h.flags = SCAP_EXIT_INEXACT;
	rec->max_rss_kib = (u64)task->signal->maxrss << (PAGE_SHIFT - 10);
}

void kscap_on_exit(void *data, struct task_struct *task)
{
	struct kscap_scratch *s;
	u32 mask;

	if (!kscap_scratch_take(&s))
		return;
	mask = kscap_event_begin(s, SCAP_REC_EXIT, sizeof(struct scap_rec_exit));
	if (mask) {
		fill_exit(&s->rec->exit, task);
		kscap_emit(s, mask);
	}
	kscap_scratch_give(s);
}

/*
 * Not in the exit's probe: behind that a task tells its parent of its end and leaves its CPU for
 * the last time, and whether it is among the chosen processes is in the stash.
 */
void kscap_on_free(void *data, struct task_struct *task)
{
	kscap_stash_release(task);
}

/* ---- who wants an event --------------------------------------------------------------------- */

/* kscap_filter_task() for a task that need not be current. Under rcu_read_lock(). */
static bool is_chosen(const struct kscap_filter *f, struct task_struct *task)
{
	const struct kscap_stash_slot *slot = kscap_stash_find(task);

	if (kscap_filter_skips(f, task, slot ? slot->tree : 0))
		return false;
	if (f->flags & SCAP_FILTER_UID && __kuid_val(__task_cred(task)->uid) != f->uid)
		return false;
	return !(f->flags & SCAP_FILTER_CGROUP) || kscap_filter_cgroup(f, task);
}

/* Of those that asked for the class (0: everybody) if one of the tasks (NULL: none) is chosen. */
static u32 wanted(u32 class, struct task_struct *cause, struct task_struct *target)
{
	u32 active = kscap_active_now(), mask = 0, todo;
	struct kscap_consumer *c;

	rcu_read_lock();
	kscap_for_each_consumer(c, active, todo) {
		if ((c->filter.classes & class) != class)
			continue;
		if ((cause && is_chosen(&c->filter, cause)) ||
		    (target && is_chosen(&c->filter, target)))
			mask |= todo & -todo;
	}
	rcu_read_unlock();
	return mask;
}

/* NULL in an interrupt: the thread that runs is not the cause. */
static struct task_struct *cause_of(void)
{
	return in_task() ? current : NULL;
}

/* The header's flags and who: `rec` is zero so far. */
static void begin(void *rec, u8 type, u8 flags)
{
	struct kscap_late_head *head = rec;

	head->h.type = type;
	head->h.flags = flags | (in_task() ? 0 : SCAP_EVENT_IRQ);
	head->tid = in_task() ? current->pid : 0;
}

/* ---- signals -------------------------------------------------------------------------------- */

/* Under the target's siglock, perhaps in an interrupt. */
void kscap_on_signal(void *data, int sig, struct kernel_siginfo *info, struct task_struct *task,
		     int group, int result)
{
	u32 mask = wanted(0, cause_of(), task);
	struct scap_rec_signal rec = { };

	if (!mask)
		return;
	begin(&rec, SCAP_REC_SIGNAL, group ? SCAP_SIGNAL_GROUP : 0);
	rec.target_tid = task->pid;
	rec.target_tgid = task->tgid;
	rec.target_start_ns = task->start_boottime;
	rec.signo = sig;
	kscap_signal_info(sig, info, &rec.code, &rec.value, &rec.value_kind);
	rec.result = result;
	kscap_event_emit(&rec, sizeof(rec), mask);
}

void kscap_on_sigdeliver(void *data, int sig, struct kernel_siginfo *info, struct k_sigaction *ka)
{
	u32 mask = wanted(0, current, NULL);
	struct scap_rec_sigdeliver rec = { };

	if (!mask)
		return;
	begin(&rec, SCAP_REC_SIGDELIVER, 0);
	rec.signo = sig;
	kscap_signal_info(sig, info, &rec.code, &rec.value, &rec.value_kind);
	rec.sa_flags = ka->sa.sa_flags;
	if (ka->sa.sa_handler == SIG_IGN) {
		rec.action = SCAP_SIGACT_IGNORE;
	} else if (ka->sa.sa_handler != SIG_DFL) {
		rec.action = SCAP_SIGACT_HANDLER;
		rec.handler = (unsigned long)ka->sa.sa_handler;
	}
	kscap_event_emit(&rec, sizeof(rec), mask);
}

/* ---- the machine's -------------------------------------------------------------------------- */

void kscap_on_oom(void *data, struct task_struct *victim, uid_t uid)
{
	struct scap_rec_oom rec = { };

	begin(&rec, SCAP_REC_OOM, 0);
	kscap_oom_fill(&rec, victim);
	kscap_event_emit(&rec, sizeof(rec), kscap_active_now());
}

/* What kernels before 6.8, and the first releases of 6.1, tell of the victim. */
void kscap_on_oom_pid(void *data, int pid)
{
	struct task_struct *victim;

	rcu_read_lock();
	victim = pid_task(find_pid_ns(pid, &init_pid_ns), PIDTYPE_PID);
	if (victim)
		kscap_on_oom(data, victim, 0);
	rcu_read_unlock();
}

static void module_event(const struct module *mod, u8 flags)
{
	struct scap_rec_module rec = { };

	begin(&rec, SCAP_REC_MODULE, flags);
	rec.taints = mod->taints;
	BUILD_BUG_ON(sizeof(rec.name) != sizeof(mod->name));
	strscpy(rec.name, mod->name, sizeof(rec.name));
	kscap_event_emit(&rec, sizeof(rec), kscap_active_now());
}

void kscap_on_module_load(void *data, struct module *mod)
{
	module_event(mod, 0);
}

void kscap_on_module_free(void *data, struct module *mod)
{
	module_event(mod, SCAP_MODULE_UNLOAD);
}

/* Only in a system call of the one who moves it: never inside another probe. */
void kscap_on_cgroup(void *data, struct cgroup *cgroup, const char *path, struct task_struct *task,
		     bool whole_process)
{
	u32 mask = wanted(0, cause_of(), task);
	struct scap_rec_cgroup *rec;
	struct kscap_scratch *s;

	if (!mask || !kscap_scratch_take(&s))
		return;
	kscap_rec_begin(s, SCAP_REC_CGROUP, sizeof(*rec), SCAP_TALLY_KEY(SCAP_REC_CGROUP, 0, 0));
	rec = &s->rec->cgroup;
	memset(rec, 0, sizeof(*rec));
	begin(rec, SCAP_REC_CGROUP, whole_process ? SCAP_CGROUP_PROCESS : 0);
	rec->target_tid = task->pid;
	rec->target_tgid = task->tgid;
	rec->target_start_ns = task->start_boottime;
	rec->cgroup_id = cgroup->kn->id;
	rec->hierarchy = cgroup->root->hierarchy_id;
	kscap_blob_str(s, SCAP_SLOT_CGROUP, path);
	kscap_emit(s, mask);
	kscap_scratch_give(s);
}

/* ---- on request ----------------------------------------------------------------------------- */

/* Under the run queue's lock. */
void kscap_on_switch(void *data, bool preempt, struct task_struct *prev, struct task_struct *next,
		     unsigned int prev_state)
{
	u32 mask = wanted(SCAP_CLASS_SCHED, prev, next);
	struct scap_rec_switch rec = { };

	if (!mask)
		return;
	begin(&rec, SCAP_REC_SWITCH, prev->pid && (preempt || !prev_state) ?
	      SCAP_SWITCH_PREEMPTED : 0);
	rec.next_tid = next->pid;
	rec.next_tgid = next->tgid;
	rec.state = preempt ? 0 : prev_state;
	kscap_event_emit(&rec, sizeof(rec), mask);
}

static void wake_event(struct task_struct *task, u8 flags)
{
	u32 mask = wanted(SCAP_CLASS_SCHED, cause_of(), task);
	struct scap_rec_wake rec = { };

	if (!mask)
		return;
	begin(&rec, SCAP_REC_WAKE, flags);
	rec.target_tid = task->pid;
	rec.target_tgid = task->tgid;
	kscap_event_emit(&rec, sizeof(rec), mask);
}

/* Under the target's pi_lock; often in an interrupt. */
void kscap_on_waking(void *data, struct task_struct *task)
{
	wake_event(task, 0);
}

void kscap_on_wakeup_new(void *data, struct task_struct *task)
{
	wake_event(task, SCAP_WAKE_NEW);
}

static void fault_event(unsigned long address, struct pt_regs *regs, unsigned long error, u8 flags)
{
	u32 mask = wanted(SCAP_CLASS_FAULT, cause_of(), NULL);
	struct scap_rec_fault rec = { };

	if (!mask)
		return;
	begin(&rec, SCAP_REC_FAULT, flags);
	rec.address = address;
	rec.ip = instruction_pointer(regs);
	rec.error = error;
	kscap_event_emit(&rec, sizeof(rec), mask);
}

void kscap_on_fault_user(void *data, unsigned long address, struct pt_regs *regs,
			 unsigned long error)
{
	fault_event(address, regs, error, 0);
}

/* Anywhere. In a probe, with faults disabled, it is one of our own copies that found no page. */
void kscap_on_fault_kernel(void *data, unsigned long address, struct pt_regs *regs,
			   unsigned long error)
{
	if (in_task() && pagefault_disabled() && READ_ONCE(this_cpu_read(kscap_scratch)->busy))
		return;
	fault_event(address, regs, error, SCAP_FAULT_KERNEL);
}
