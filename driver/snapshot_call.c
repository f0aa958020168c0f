// SPDX-License-Identifier: GPL-2.0-only
/*
 * KEY_CALL: the call that a task is in. The stash knows since when; the registers at the end of
 * the task's stack know the arguments, and the number of calls that began before the stash was
 * there. Both change while they are read, unless the task is off its CPU.
 */
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include <asm/syscall.h>

#include "compat.h"
#include "snapshot.h"
#include "stash.h"
#include "arch/x86.h"

#define MAX_TRIES	3

struct view {
	u64 enter_ns;		/* 0: the stash knows no call */
	s32 nr;
	u8 abi;
	bool on_cpu;
	unsigned long n_switches;
};

/* The slot is another task's: read twice, and of use only if nothing changed. */
static void view_task(const struct kscap_snapshot *s, struct task_struct *task, struct view *v)
{
	const struct kscap_stash_slot *slot = s->has_stash ? kscap_stash_find(task) : NULL;
	u64 call;

	memset(v, 0, sizeof(*v));
	v->on_cpu = kscap_task_on_cpu(task);
	v->n_switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
	if (!slot)
		return;
	v->enter_ns = READ_ONCE(slot->time_ns);
	smp_rmb();	/* the slot's owner is looked at again behind all that is read ... */
	call = kscap_stash_call(READ_ONCE(slot->call));
	v->nr = KSCAP_CALL_NR(call);
	v->abi = KSCAP_CALL_ABI(call);
	smp_rmb();	/* ... of it */
	if (READ_ONCE(slot->task) != task || !KSCAP_CALL_IS(call))
		v->enter_ns = 0;
}

/*
 * The stack cannot be pinned from a module. A task gives it up after it is marked as exiting, and
 * its memory is freed a grace period later, or used again: so a copy that cannot fault, and a look
 * at the mark behind it.
 */
static bool copy_regs(struct kscap_snapshot *s, struct task_struct *task)
{
	bool ok = false;

	rcu_read_lock();
	if (READ_ONCE(task->stack) && !(READ_ONCE(task->flags) & PF_EXITING))
		ok = !copy_from_kernel_nofault(&s->regs, task_pt_regs(task), sizeof(s->regs));
	smp_rmb();	/* the copy comes before the look at the mark */
	ok = ok && !(READ_ONCE(task->flags) & PF_EXITING);
	rcu_read_unlock();
	return ok;
}

/* Stash and registers of one moment, or *ret_moved. False: the task is going. */
static bool view_call(struct kscap_snapshot *s, struct task_struct *task, struct view *v,
		      bool *ret_moved)
{
	struct view again;
	int i;

	for (i = 0; i < MAX_TRIES; i++) {
		view_task(s, task, v);
		smp_rmb();	/* the registers lie between the two views */
		if (!copy_regs(s, task))
			return false;
		smp_rmb();	/* so here, too */
		view_task(s, task, &again);
		*ret_moved = memcmp(v, &again, sizeof(*v));
		if (!*ret_moved)
			break;
	}
	return true;
}

void kscap_snapshot_call(struct kscap_snapshot *s)
{
	struct task_struct *task = s->task;
	u64 now = kscap_snapshot_now();
	struct scap_rec_key_call *rec;
	struct view v;
	bool moved;
	int nr;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER) || task == current ||
	    !view_call(s, task, &v, &moved))
		return;
	nr = syscall_get_nr(task, &s->regs);
	if (!v.enter_ns && (moved || v.on_cpu || !kscap_arch_in_call(&s->regs)))
		return;
	rec = kscap_snapshot_begin(s, SCAP_REC_KEY_CALL, sizeof(*rec), now);
	rec->tid = s->rec.who.tid;
	rec->start_ns = s->start_ns;
	rec->enter_ns = v.enter_ns;
	rec->nr = v.enter_ns ? v.nr : nr;
	rec->abi = v.enter_ns ? v.abi : kscap_arch_abi_of(task, nr);
	rec->h.flags = moved || rec->nr != nr ? SCAP_KEY_CALL_UNSURE : 0;
	kscap_arch_args(&s->regs, rec->abi, rec->args, 6);
	kscap_snapshot_end(s);
	s->end.n_calls++;
}
