// SPDX-License-Identifier: GPL-2.0-only
#include "intro.h"

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "compat.h"

static u64 cgroup_id_of(struct task_struct *task)
{
	return task_dfl_cgroup(task)->kn->id;
}

static u32 vnr(struct pid *pid)
{
	return pid ? pid->numbers[pid->level].nr : 0;
}

static void fill_ns(struct scap_rec_intro *rec, struct task_struct *task, const struct cred *cred)
{
	const struct nsproxy *ns = task->nsproxy;
	struct pid_namespace *pid_ns = task_active_pid_ns(task);

	rec->ns_user = cred->user_ns->ns.inum;
	rec->ns_pid = pid_ns ? pid_ns->ns.inum : 0;
	rec->ns_mnt = ns ? kscap_mnt_ns_inum(ns) : 0;
	rec->ns_net = ns && ns->net_ns ? ns->net_ns->ns.inum : 0;
	rec->ns_uts = ns && ns->uts_ns ? ns->uts_ns->ns.inum : 0;
	rec->ns_ipc = ns && ns->ipc_ns ? ns->ipc_ns->ns.inum : 0;
}

void kscap_intro_fill(struct scap_rec_intro *rec, struct task_struct *task)
{
	const struct cred *cred = rcu_dereference_sched(task->cred);

	rec->tid = task->pid;
	rec->tgid = task->tgid;
	rec->ppid = rcu_dereference_sched(task->real_parent)->tgid;
	rec->vtid = vnr(task->thread_pid);
	rec->vtgid = vnr(task->signal->pids[PIDTYPE_TGID]);
	rec->uid = cred->uid.val;
	rec->euid = cred->euid.val;
	rec->gid = cred->gid.val;
	rec->egid = cred->egid.val;
	rec->thread_flags = task->flags & PF_KTHREAD ? SCAP_THREAD_KERNEL : 0;
	rec->start_ns = task->start_boottime;
	rec->cgroup_id = cgroup_id_of(task);
	memcpy(rec->comm, task->comm, sizeof(rec->comm));
	rec->comm[sizeof(rec->comm) - 1] = 0;
	fill_ns(rec, task, cred);
}
