/* SPDX-License-Identifier: GPL-2.0-only */
/* What a consumer wants to see. Compared field by field in the order of what costs least. */
#ifndef KSCAP_FILTER_H
#define KSCAP_FILTER_H

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <scap/abi.h>

struct kscap_filter {
	u32 flags;		/* SCAP_FILTER_* */
	u32 uid;
	u32 classes;		/* SCAP_CLASS_* */
	u8 tree_bit;		/* this consumer's bit in a stash slot */
	u32 owner_tgid;		/* the consumer's own process: left out */
	u64 min_latency_ns;
	u32 n_cgroups;
	struct cgroup *cgroups[SCAP_FILTER_CGROUPS_MAX];	/* with references */
	unsigned long calls[2][SCAP_NR_BITMAP / BITS_PER_LONG];
};

static inline bool kscap_filter_cgroup(const struct kscap_filter *f, struct task_struct *task)
{
	struct cgroup *cgroup = task_dfl_cgroup(task);
	u32 i;

	for (i = 0; i < f->n_cgroups; i++)
		if (cgroup_is_descendant(cgroup, f->cgroups[i]))
			return true;
	return false;
}

/* Is this task of no interest, as far as that holds for all of its life or until it is added? */
static inline bool kscap_filter_skips(const struct kscap_filter *f, const struct task_struct *task,
				      u8 tree)
{
	return task->tgid == f->owner_tgid ||
	       (f->flags & SCAP_FILTER_TREE && !(tree & f->tree_bit));
}

/* Is this process among the chosen? tree: bits of its stash slot. task is current. */
static inline bool kscap_filter_task(const struct kscap_filter *f, struct task_struct *task,
				     u8 tree)
{
	if (kscap_filter_skips(f, task, tree))
		return false;
	if (f->flags & SCAP_FILTER_UID && __kuid_val(current_uid()) != f->uid)
		return false;
	return !(f->flags & SCAP_FILTER_CGROUP) || kscap_filter_cgroup(f, task);
}

/* Numbers outside the bitmap and those of x32 pass: too strange to be left out. */
static inline bool kscap_filter_nr(const struct kscap_filter *f, unsigned int abi, int nr)
{
	if (!(f->flags & SCAP_FILTER_CALLS) || abi > SCAP_ABI_I386 || (u32)nr >= SCAP_NR_BITMAP)
		return true;
	return test_bit(nr, f->calls[abi]);
}

static inline bool kscap_filter_result(const struct kscap_filter *f, s64 ret,
				       u64 latency_ns)
{
	if (f->flags & SCAP_FILTER_FAILED && !IS_ERR_VALUE((unsigned long)ret))
		return false;
	return !(f->flags & SCAP_FILTER_LATENCY) || latency_ns >= f->min_latency_ns;
}

#endif
