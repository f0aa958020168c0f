// SPDX-License-Identifier: GPL-2.0-only
/* Facts about a process: what it has used, its credentials, its namespaces, its cgroup. */
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/ipc_namespace.h>
#include <linux/math64.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/time_namespace.h>
#include <linux/tty.h>
#include <linux/user_namespace.h>
#include <linux/utsname.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "encode.h"
#include "fill.h"

#define MAX_COMPONENTS	64
#define MAX_THREADS	4096	/* that are asked, at the end, for what they used */
#define MAX_TRIES	4

/* ---- what was used -------------------------------------------------------------------------- */

void kscap_usage_thread(struct scap_usage *to, struct task_struct *task)
{
	task_cputime_adjusted(task, &to->utime_ns, &to->stime_ns);
	to->n_minflt = task->min_flt;
	to->n_majflt = task->maj_flt;
	to->n_voluntary = task->nvcsw;
	to->n_involuntary = task->nivcsw;
}

static void add_thread(struct scap_usage *sum, u64 *ran_ns, const struct task_struct *t)
{
	sum->utime_ns += t->utime;
	sum->stime_ns += t->stime;
	sum->n_minflt += t->min_flt;
	sum->n_majflt += t->maj_flt;
	sum->n_voluntary += t->nvcsw;
	sum->n_involuntary += t->nivcsw;
	*ran_ns += t->se.sum_exec_runtime;
}

/* The threads that were reaped, and those that are on their way out. False: there are more. */
static bool sum_up(struct scap_usage *sum, u64 *ran_ns, const struct signal_struct *sig)
{
	const struct task_struct *t;
	int n = 0;

	*sum = (struct scap_usage){
		.utime_ns = sig->utime, .stime_ns = sig->stime, .n_minflt = sig->min_flt,
		.n_majflt = sig->maj_flt, .n_voluntary = sig->nvcsw, .n_involuntary = sig->nivcsw,
	};
	*ran_ns = sig->sum_sched_runtime;
	__for_each_thread(sig, t) {
		if (n++ == MAX_THREADS)
			return false;
		add_thread(sum, ran_ns, t);
	}
	return true;
}

/*
 * Ticks tell user from system time, but only the scheduler knows how long something ran: as
 * cputime_adjust() of the kernel does, which is not exported for processes.
 */
static void scale(struct scap_usage *u, u64 ran_ns)
{
	u64 ticks = u->utime_ns + u->stime_ns;

	if (!u->stime_ns)
		u->utime_ns = ran_ns;
	else if (!u->utime_ns)
		u->stime_ns = ran_ns;
	else
		u->stime_ns = mul_u64_u64_div_u64(u->stime_ns, ran_ns, ticks);
	if (u->stime_ns && u->utime_ns)
		u->utime_ns = ran_ns - u->stime_ns;
}

/* stats_lock is held, with siglock, while a reaped thread is added and taken off the list. */
static unsigned int stats_seq(const struct signal_struct *sig)
{
	return READ_ONCE(sig->stats_lock.seqcount.seqcount.sequence);
}

/* The last thread is about to end. One that is reaped meanwhile could count twice: look again. */
bool kscap_usage_process(struct scap_usage *to, struct task_struct *task)
{
	struct signal_struct *sig = task->signal;
	unsigned int seq, tries = 0;
	bool whole, same;
	u64 ran_ns;

	rcu_read_lock();
	do {
		seq = stats_seq(sig);
		/* Between the sequence and what it protects, as in read_seqbegin() ... */
		smp_rmb();
		whole = sum_up(to, &ran_ns, sig);
		/* ... and read_seqretry(). */
		smp_rmb();
		same = !(seq & 1) && stats_seq(sig) == seq;
	} while (!same && ++tries < MAX_TRIES);
	rcu_read_unlock();
	scale(to, ran_ns);
	return whole && same;
}

/* ---- who ----------------------------------------------------------------------------------- */

void kscap_ids_fill(struct scap_ids *to, const struct cred *cred)
{
	to->uid = __kuid_val(cred->uid);
	to->euid = __kuid_val(cred->euid);
	to->suid = __kuid_val(cred->suid);
	to->fsuid = __kuid_val(cred->fsuid);
	to->gid = __kgid_val(cred->gid);
	to->egid = __kgid_val(cred->egid);
	to->sgid = __kgid_val(cred->sgid);
	to->fsgid = __kgid_val(cred->fsgid);
}

/* 64 bits in one or two pieces, the lower ones first. */
static u64 cap_word(const kernel_cap_t *cap)
{
	u64 word;

	BUILD_BUG_ON(sizeof(*cap) != sizeof(word));
	memcpy(&word, cap, sizeof(word));
	return le64_to_cpu((__force __le64)word);
}

void kscap_caps_fill(struct scap_caps *to, const struct cred *cred)
{
	to->permitted = cap_word(&cred->cap_permitted);
	to->effective = cap_word(&cred->cap_effective);
	to->inheritable = cap_word(&cred->cap_inheritable);
	to->bounding = cap_word(&cred->cap_bset);
	to->ambient = cap_word(&cred->cap_ambient);
}

/* Of current. */
void kscap_namespaces_fill(struct scap_namespaces *to)
{
	const struct nsproxy *ns = current->nsproxy;
	const struct pid_namespace *pid_ns = task_active_pid_ns(current);

	memset(to, 0, sizeof(*to));
	to->user = current_cred()->user_ns->ns.inum;
	to->pid = pid_ns ? pid_ns->ns.inum : 0;
	if (!ns)
		return;
	to->mnt = kscap_mnt_ns_inum(ns->mnt_ns);
	to->net = ns->net_ns->ns.inum;
	to->uts = ns->uts_ns->ns.inum;
	to->ipc = ns->ipc_ns ? ns->ipc_ns->ns.inum : 0;
	to->cgroup = ns->cgroup_ns->ns.inum;
	to->pid_for_children = ns->pid_ns_for_children->ns.inum;
	to->time = ns->time_ns->ns.inum;
	to->time_for_children = ns->time_ns_for_children->ns.inum;
}

/* Of current, in a place without locks. siglock keeps the terminal from being given up. */
u32 kscap_tty_nr(void)
{
	spinlock_t *siglock = &rcu_dereference_sched(current->sighand)->siglock;
	const struct tty_struct *tty;
	unsigned long flags;
	u32 dev = 0;

	spin_lock_irqsave(siglock, flags);
	tty = current->signal->tty;
	if (tty)
		dev = tty_devnum((struct tty_struct *)tty);
	spin_unlock_irqrestore(siglock, flags);
	return dev;
}

/* ---- cgroup --------------------------------------------------------------------------------- */

/* Puts "/name" before *at. False: no room. */
static bool prepend(char *buf, char **at, const char *name)
{
	u32 len = strnlen(name, NAME_MAX);

	if (*at - buf < len + 1)
		return false;
	*at -= len + 1;
	**at = '/';
	memcpy(*at + 1, name, len);
	return true;
}

/*
 * Path of current's cgroup. Its task keeps it, and it its ancestors; in the unified hierarchy names
 * never change, so no lock is needed.
 */
void kscap_blob_cgroup(struct kscap_scratch *s)
{
	char *end = s->path + sizeof(s->path), *at = end, *to;
	struct cgroup *cgroup, *up;
	int i, state = SCAP_STATE_WHOLE;
	u32 n;

	rcu_read_lock();
	cgroup = task_dfl_cgroup(current);
	for (i = 0; (up = cgroup_parent(cgroup)); cgroup = up, i++) {
		if (i < MAX_COMPONENTS && prepend(s->path, &at, kscap_cgroup_name(cgroup)))
			continue;
		state = SCAP_STATE_TRUNCATED;
		break;
	}
	rcu_read_unlock();
	if (at == end)
		*--at = '/';
	n = end - at;
	to = kscap_blob_begin(s, n);
	if (!to)
		return;
	memcpy(to, at, n);
	kscap_blob_end(s, SCAP_SLOT_CGROUP, state, n,
		       state == SCAP_STATE_WHOLE ? n : SCAP_LEN_UNKNOWN);
}
