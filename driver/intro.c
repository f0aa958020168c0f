// SPDX-License-Identifier: GPL-2.0-only
#include "intro.h"

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "capture.h"
#include "compat.h"
#include "path.h"

static u64 cgroup_id_of(struct task_struct *task)
{
	return task_dfl_cgroup(task)->kn->id;
}

static u32 vnr(struct pid *pid)
{
	return pid ? pid->numbers[pid->level].nr : 0;
}

/* Nobody keeps the parent of a task that was reaped, nor that of an idle one. */
static u32 ppid_of(const struct task_struct *task)
{
	if (!task->pid || !pid_alive(task))
		return 0;
	return rcu_dereference_sched(task->real_parent)->tgid;
}

static void fill_ns(struct scap_rec_intro *rec, struct task_struct *task, const struct cred *cred)
{
	const struct nsproxy *ns = task->nsproxy;
	struct pid_namespace *pid_ns = task_active_pid_ns(task);

	rec->ns_user = cred->user_ns->ns.inum;
	rec->ns_pid = pid_ns ? pid_ns->ns.inum : 0;
	rec->ns_mnt = ns ? kscap_mnt_ns_inum(ns->mnt_ns) : 0;
	rec->ns_net = ns && ns->net_ns ? ns->net_ns->ns.inum : 0;
	rec->ns_uts = ns && ns->uts_ns ? ns->uts_ns->ns.inum : 0;
	rec->ns_ipc = ns && ns->ipc_ns ? ns->ipc_ns->ns.inum : 0;
	rec->ns_cgroup = ns && ns->cgroup_ns ? ns->cgroup_ns->ns.inum : 0;
	rec->ns_time = ns && ns->time_ns ? kscap_time_ns_inum(ns->time_ns) : 0;
	if (ns && ns->mnt_ns != init_task.nsproxy->mnt_ns)
		rec->thread_flags |= SCAP_THREAD_OTHER_MNT;
}

void kscap_intro_fill(struct scap_rec_intro *rec, struct task_struct *task)
{
	kscap_intro_fill_as(rec, task, rcu_dereference_sched(task->cred));
}

void kscap_intro_fill_as(struct scap_rec_intro *rec, struct task_struct *task,
			 const struct cred *cred)
{
	rec->tid = task->pid;
	rec->tgid = task->tgid;
	rec->ppid = ppid_of(task);
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

/* Behind the record, where the thread does not see all of its mount tree. */
static u32 fill_root(struct kscap_scratch *s, struct scap_rec_intro *rec)
{
	struct scap_blob *blob = (struct scap_blob *)(rec + 1);
	struct fs_struct *fs = current->fs;
	struct path root;
	bool cut;
	char *at;
	u8 flags;
	u32 n;

	if (!fs)
		return 0;
	if (!kscap_fs_path(fs, &fs->root, &root)) {
		rec->thread_flags |= SCAP_THREAD_ROOT_DOUBT;
		return 0;
	}
	n = kscap_path_walk(&root, s->path, sizeof(s->path), &at, &flags, &cut);
	if (flags)
		rec->thread_flags |= SCAP_THREAD_ROOT_DOUBT;
	if (n == 1 && !flags)
		return 0;
	rec->thread_flags |= SCAP_THREAD_CHROOT;
	blob->meta = SCAP_BLOB_META(SCAP_SLOT_PATH, cut ? SCAP_STATE_TRUNCATED : SCAP_STATE_WHOLE,
				    n);
	blob->orig_bytes = cut ? SCAP_LEN_UNKNOWN : n;
	memcpy(blob + 1, at, n);
	memset((u8 *)(blob + 1) + n, 0, -n & 7);
	return sizeof(*blob) + ALIGN(n, 8);
}

u32 kscap_intro_make(struct kscap_scratch *s)
{
	struct scap_rec_intro *rec = (struct scap_rec_intro *)s->intro;

	kscap_intro_fill(rec, current);
	return sizeof(*rec) + fill_root(s, rec);
}
