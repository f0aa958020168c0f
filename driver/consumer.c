// SPDX-License-Identifier: GPL-2.0-only
#include "consumer.h"

#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "capture.h"
#include "clock.h"
#include "compat.h"
#include "probe.h"
#include "ring.h"
#include "stash.h"

u32 kscap_active;
struct kscap_consumer *kscap_consumers[KSCAP_MAX_CONSUMERS];
u32 kscap_max_snaplen;

/* Who is there, who is started, how much memory rings have; probes are attached under it. */
static DEFINE_MUTEX(consumers_lock);
static u32 taken;		/* bit c: consumer c exists */
static u64 rings_used_bytes;

static ulong ring_cap_mib;
module_param(ring_cap_mib, ulong, 0644);
MODULE_PARM_DESC(ring_cap_mib, "ring memory of all consumers together, MiB (0: 1/32 of RAM)");

static u64 ring_cap_bytes(void)
{
	if (ring_cap_mib)
		return (u64)ring_cap_mib << 20;
	return ((u64)totalram_pages() << PAGE_SHIFT) / 32;
}

void kscap_consumer_room(u64 *ret_cap, u64 *ret_used)
{
	mutex_lock(&consumers_lock);
	*ret_cap = ring_cap_bytes();
	*ret_used = rings_used_bytes;
	mutex_unlock(&consumers_lock);
}

int kscap_consumer_new(struct kscap_consumer **ret_c)
{
	struct kscap_consumer *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	mutex_init(&c->lock);
	init_waitqueue_head(&c->wq);
	c->filter.owner_tgid = current->tgid;
	mutex_lock(&consumers_lock);
	c->id = ffz(taken);
	if (c->id < KSCAP_MAX_CONSUMERS)
		taken |= 1U << c->id;
	mutex_unlock(&consumers_lock);
	if (c->id >= KSCAP_MAX_CONSUMERS) {
		kfree(c);
		return -EBUSY;
	}
	c->filter.tree_bit = 1U << c->id;
	*ret_c = c;
	return 0;
}

static void free_rings(struct kscap_consumer *c)
{
	int cpu;

	if (c->rings)
		for_each_possible_cpu(cpu)
			kscap_ring_fini(&c->rings[cpu]);
	kvfree(c->rings);
	vfree(c->ctl);
	vfree(c->pos);
	c->rings = NULL;
	c->ctl = NULL;
	c->pos = NULL;
}

static int take_room(u64 bytes)
{
	int rc = 0;

	mutex_lock(&consumers_lock);
	if (rings_used_bytes + bytes > ring_cap_bytes())
		rc = -ENOSPC;
	else
		rings_used_bytes += bytes;
	mutex_unlock(&consumers_lock);
	return rc;
}

static void give_room(u64 bytes)
{
	mutex_lock(&consumers_lock);
	rings_used_bytes -= bytes;
	mutex_unlock(&consumers_lock);
}

static int alloc_rings(struct kscap_consumer *c)
{
	int cpu, rc;

	c->rings = kvcalloc(nr_cpu_ids, sizeof(*c->rings), GFP_KERNEL);
	c->ctl = vmalloc_user(PAGE_ALIGN(nr_cpu_ids * sizeof(*c->ctl)));
	c->pos = vmalloc_user(PAGE_ALIGN(nr_cpu_ids * sizeof(*c->pos)));
	if (!c->rings || !c->ctl || !c->pos)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		rc = kscap_ring_init(&c->rings[cpu], cpu, c->ring_bytes, &c->ctl[cpu].head,
				     &c->pos[cpu].tail, &c->wq);
		if (rc)
			return rc;
		c->rings[cpu].consumer = c;
		c->rings[cpu].owner_tgid = c->filter.owner_tgid;
		c->rings[cpu].room8 = (c->snaplen + 2 * SCAP_PATH_MAX_BYTES + 1024) / 8;
	}
	return 0;
}

int kscap_consumer_setup(struct kscap_consumer *c, const struct scap_setup *setup)
{
	u64 total = setup->ring_bytes * num_possible_cpus();
	int rc;

	if (c->rings)
		return -EBUSY;
	if (setup->ring_bytes < 64 << 10 || setup->ring_bytes > 1 << 30 ||
	    !is_power_of_2(setup->ring_bytes) || setup->snaplen > SCAP_SNAPLEN_MAX || setup->pad)
		return -EINVAL;
	rc = take_room(total);
	if (rc)
		return rc;
	c->ring_bytes = setup->ring_bytes;
	c->snaplen = setup->snaplen;
	rc = alloc_rings(c);
	if (rc) {
		free_rings(c);
		give_room(total);
		return rc;
	}
	return 0;
}

int kscap_consumer_filter(struct kscap_consumer *c, const struct scap_filter_spec *spec)
{
	struct cgroup *cgroup = NULL;

	if (c->started)
		return -EBUSY;
	if (spec->flags & SCAP_FILTER_CGROUP) {
		cgroup = cgroup_get_from_id(spec->cgroup_id);
		if (IS_ERR_OR_NULL(cgroup))
			return -ENOENT;
	}
	if (c->filter.cgroup)
		cgroup_put(c->filter.cgroup);
	c->filter.cgroup = cgroup;
	c->filter.flags = spec->flags;
	c->filter.uid = spec->uid;
	c->filter.min_latency_ns = spec->min_latency_ns;
	BUILD_BUG_ON(sizeof(c->filter.calls) != sizeof(spec->calls));
	memcpy(c->filter.calls, spec->calls, sizeof(spec->calls));
	return 0;
}

/* Is t the process tgid, or did it come from it, as far as parents still tell? */
static bool descends_from(const struct task_struct *t, u32 tgid)
{
	for (; t && t->pid; t = rcu_dereference(t->real_parent))
		if (t->tgid == tgid)
			return true;
	return false;
}

/* One look at all tasks; how many were added, or -ESRCH when the process is not there. */
static int tree_pass(struct kscap_consumer *c, u32 tgid)
{
	struct task_struct *p, *t;
	int n = -ESRCH;

	rcu_read_lock();
	for_each_process_thread(p, t) {
		if (!descends_from(t, tgid))
			continue;
		n = max(n, 0);
		n += kscap_stash_tree_claim(t, c->filter.tree_bit);
	}
	rcu_read_unlock();
	return n;
}

/* The stash, and probes that keep it, are there from the first need until the consumer is freed. */
static int hold_probes(struct kscap_consumer *c)
{
	int rc;

	if (c->holds_probes)
		return 0;
	rc = kscap_probe_get();
	c->holds_probes = !rc;
	return rc;
}

/* A child forked during a pass by a task not yet marked is found by the next one. */
int kscap_consumer_tree_add(struct kscap_consumer *c, u32 tgid)
{
	int rc = hold_probes(c), pass, n = 1;

	if (rc)
		return rc;
	for (pass = 0; pass < 16 && n > 0; pass++) {
		n = tree_pass(c, tgid);
		if (pass == 0 && n < 0)
			return n;
	}
	return 0;
}

static void update_active(struct kscap_consumer *c, bool on)
{
	u32 snaplen = 0, active;
	int i;

	kscap_consumers[c->id] = c;
	active = on ? kscap_active | 1U << c->id : kscap_active & ~(1U << c->id);
	for (i = 0; i < KSCAP_MAX_CONSUMERS; i++)
		if (active & 1U << i)
			snaplen = max(snaplen, kscap_consumers[i]->snaplen);
	/* What is built in the only consumer's ring is for its snaplen: first let that end. */
	kscap_capture_lead(NULL);
	if (snaplen > kscap_max_snaplen && kscap_active)
		synchronize_rcu();
	WRITE_ONCE(kscap_max_snaplen, snaplen);
	kscap_capture_lead(is_power_of_2(active) ? kscap_consumers[__ffs(active)] : NULL);
	smp_store_release(&kscap_active, active);
}

int kscap_consumer_start(struct kscap_consumer *c)
{
	int rc, cpu;

	if (!c->rings || c->started)
		return -EINVAL;
	rc = hold_probes(c);
	if (rc)
		return rc;
	for_each_possible_cpu(cpu)
		c->rings[cpu].filter_flags = c->filter.flags;
	mutex_lock(&consumers_lock);
	update_active(c, true);
	mutex_unlock(&consumers_lock);
	c->started = true;
	return 0;
}

void kscap_consumer_stop(struct kscap_consumer *c)
{
	if (!c->started || c->stopped)
		return;
	mutex_lock(&consumers_lock);
	update_active(c, false);
	mutex_unlock(&consumers_lock);
	/* Probes run with preemption off, which a grace period waits for. */
	synchronize_rcu();
	WRITE_ONCE(c->stopped, true);
	wake_up_all(&c->wq);
}

void kscap_consumer_free(struct kscap_consumer *c)
{
	kscap_consumer_stop(c);
	if (c->holds_probes) {
		kscap_stash_tree_clear(c->filter.tree_bit);
		kscap_probe_put();
	}
	if (c->filter.cgroup)
		cgroup_put(c->filter.cgroup);
	if (c->rings) {
		free_rings(c);
		give_room(c->ring_bytes * num_possible_cpus());
	}
	mutex_lock(&consumers_lock);
	kscap_consumers[c->id] = NULL;
	taken &= ~(1U << c->id);
	mutex_unlock(&consumers_lock);
	kfree(c);
}

/*
 * A probe that took its time before `now` may not have reserved yet, but it runs with preemption
 * off: when a grace period that began after `now` is over, it has committed. Nothing waits here;
 * the reader asks again.
 */
void kscap_consumer_watermark(struct kscap_consumer *c, struct scap_watermark *ret)
{
	if (c->wm_time_ns && kscap_rcu_done(c->wm_cookie)) {
		c->wm_safe_ns = c->wm_time_ns;
		c->wm_time_ns = 0;
	}
	ret->now_ns = kscap_now();
	ret->safe_ns = c->stopped ? ret->now_ns : c->wm_safe_ns;
	if (ret->safe_ns)
		ret->safe_ns -= kscap_clock_skew_ns();
	if (!c->wm_time_ns) {
		c->wm_time_ns = ret->now_ns;
		c->wm_cookie = kscap_rcu_start();
	}
}

u64 kscap_consumer_retries(const struct kscap_consumer *c)
{
	u64 n = 0;
	int cpu;

	if (c->rings)
		for_each_possible_cpu(cpu)
			n += READ_ONCE(c->rings[cpu].core.n_retry);
	return n;
}
