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
#include "snapshot.h"
#include "stash.h"
#include "table.h"

u32 kscap_active;
struct kscap_consumer *kscap_consumers[KSCAP_MAX_CONSUMERS];
u32 kscap_max_snaplen[SCAP_IO_CLASSES];

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
	unsigned int ring;

	if (c->rings)
		kscap_for_each_ring(ring, c)
			kscap_ring_fini(&c->rings[ring]);
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

static u32 largest_snaplen(const u32 *snaplen)
{
	u32 most = 0;
	int i;

	for (i = 0; i < SCAP_IO_CLASSES; i++)
		most = max(most, snaplen[i]);
	return most;
}

/* What the largest call on the fast way takes: data, two paths, the rest. */
static u32 room8_for(const u32 *snaplen)
{
	return (largest_snaplen(snaplen) + 2 * SCAP_PATH_MAX_BYTES + 1024) / 8;
}

static int alloc_rings(struct kscap_consumer *c)
{
	unsigned int i, n = nr_cpu_ids * SCAP_LANES;
	int rc;

	c->rings = kvcalloc(n, sizeof(*c->rings), GFP_KERNEL);
	c->ctl = vmalloc_user(PAGE_ALIGN(n * sizeof(*c->ctl)));
	c->pos = vmalloc_user(PAGE_ALIGN(n * sizeof(*c->pos)));
	if (!c->rings || !c->ctl || !c->pos)
		return -ENOMEM;
	kscap_for_each_ring(i, c) {
		struct kscap_ring *ring = &c->rings[i];

		rc = kscap_ring_init(ring, i / SCAP_LANES, c->lane_bytes[i % SCAP_LANES],
				     &c->ctl[i].head, &c->pos[i].tail, &c->wq);
		if (rc)
			return rc;
		ring->consumer = c;
		ring->room8 = room8_for(c->snaplen);
	}
	return 0;
}

static bool snaplens_are_valid(const u32 *snaplen)
{
	return largest_snaplen(snaplen) <= SCAP_SNAPLEN_MAX;
}

static bool ring_size_is_valid(u64 bytes)
{
	return bytes >= 64 << 10 && bytes <= 1 << 30 && is_power_of_2(bytes);
}

static u64 total_bytes(const struct kscap_consumer *c)
{
	return (c->lane_bytes[SCAP_LANE_MAIN] + c->lane_bytes[SCAP_LANE_DECISIVE]) *
	       num_possible_cpus();
}

int kscap_consumer_setup(struct kscap_consumer *c, const struct scap_setup *setup)
{
	u64 lane = setup->lane_bytes ?: max_t(u64, setup->ring_bytes / 8, 64 << 10);
	int rc;

	if (c->rings)
		return -EBUSY;
	if (!ring_size_is_valid(setup->ring_bytes) || !ring_size_is_valid(lane) ||
	    !snaplens_are_valid(setup->snaplen) || setup->pad ||
	    setup->argv_max > SCAP_EXEC_ARGV_MAX || setup->env_max > SCAP_EXEC_ENV_MAX)
		return -EINVAL;
	c->lane_bytes[SCAP_LANE_MAIN] = setup->ring_bytes;
	c->lane_bytes[SCAP_LANE_DECISIVE] = lane;
	rc = take_room(total_bytes(c));
	if (rc)
		return rc;
	memcpy(c->snaplen, setup->snaplen, sizeof(c->snaplen));
	c->argv_max = setup->argv_max ?: SCAP_EXEC_ARGV_MAX;
	c->env_max = setup->env_max;
	rc = alloc_rings(c);
	if (rc) {
		free_rings(c);
		give_room(total_bytes(c));
		return rc;
	}
	return 0;
}

static void put_cgroups(struct kscap_filter *f)
{
	while (f->n_cgroups)
		cgroup_put(f->cgroups[--f->n_cgroups]);
}

static int get_cgroups(struct kscap_filter *f, const struct scap_filter_spec *spec)
{
	u32 i;

	for (i = 0; i < spec->n_cgroups; i++) {
		struct cgroup *cgroup = cgroup_get_from_id(spec->cgroup_ids[i]);

		if (IS_ERR_OR_NULL(cgroup))
			return -ENOENT;
		f->cgroups[f->n_cgroups++] = cgroup;
	}
	return 0;
}

int kscap_consumer_filter(struct kscap_consumer *c, const struct scap_filter_spec *spec)
{
	struct kscap_filter f = {
		.flags = spec->flags,
		.uid = spec->uid,
		.classes = spec->classes,
		.tree_bit = c->filter.tree_bit,
		.owner_tgid = c->filter.owner_tgid,
		.min_latency_ns = spec->min_latency_ns,
	};
	int rc;

	if (c->started)
		return -EBUSY;
	if (spec->flags & ~SCAP_FILTER_ALL || spec->classes & ~SCAP_CLASSES || spec->pad ||
	    spec->n_cgroups > SCAP_FILTER_CGROUPS_MAX ||
	    !spec->n_cgroups != !(spec->flags & SCAP_FILTER_CGROUP))
		return -EINVAL;
	rc = get_cgroups(&f, spec);
	if (rc) {
		put_cgroups(&f);
		return rc;
	}
	BUILD_BUG_ON(sizeof(f.calls) != sizeof(spec->calls));
	memcpy(f.calls, spec->calls, sizeof(spec->calls));
	put_cgroups(&c->filter);
	c->filter = f;
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

bool kscap_consumers_skip(const struct task_struct *task, u8 tree)
{
	/* Pairs with update_active(). */
	u32 active = smp_load_acquire(&kscap_active), todo;
	struct kscap_consumer *c;

	kscap_for_each_consumer(c, active, todo)
		if (!kscap_filter_skips(&c->filter, task, tree))
			return false;
	return true;
}

static bool call_is_wanted(u64 call)
{
	const struct kscap_row *row = kscap_row(KSCAP_CALL_ABI(call), KSCAP_CALL_NR(call));

	return KSCAP_CALL_ABI(call) == SCAP_ABI_X32 ||
	       READ_ONCE(kscap_nr_wanted[row - kscap_nr_row]);
}

/*
 * Under consumers_lock. What is built in the only consumer's ring is for its snaplens, so first
 * let that end; the same for probes that judged by who was active before.
 */
static void quiesce(void)
{
	kscap_capture_lead(NULL);
	synchronize_rcu();
}

static void update_snaplens(u32 active)
{
	int i, k;

	for (k = 0; k < SCAP_IO_CLASSES; k++) {
		u32 most = 0;

		for (i = 0; i < KSCAP_MAX_CONSUMERS; i++)
			if (active & 1U << i)
				most = max(most, kscap_consumers[i]->snaplen[k]);
		WRITE_ONCE(kscap_max_snaplen[k], most);
	}
}

static void update_wanted(u32 active)
{
	const unsigned long *calls[KSCAP_MAX_CONSUMERS] = { NULL };
	int i;

	for (i = 0; i < KSCAP_MAX_CONSUMERS; i++)
		if (active & 1U << i && kscap_consumers[i]->filter.flags & SCAP_FILTER_CALLS)
			calls[i] = kscap_consumers[i]->filter.calls[0];
	kscap_table_want(active, calls);
}

/* The fast way asks neither for threads nor for results. */
static struct kscap_consumer *lead_of(u32 active)
{
	struct kscap_consumer *c = is_power_of_2(active) ? kscap_consumers[__ffs(active)] : NULL;

	if (c && c->filter.flags & ~(SCAP_FILTER_TREE | SCAP_FILTER_CALLS))
		return NULL;
	return c;
}

/* The fast way has not looked at the readers' positions for long. */
static void set_lead(u32 active)
{
	struct kscap_consumer *c = lead_of(active);
	unsigned int i;

	if (c)
		kscap_for_each_ring(i, c)
			c->rings[i].limit = (u32)READ_ONCE(c->rings[i].core.word) - 1;
	kscap_capture_lead(c);
}

static void update_active(struct kscap_consumer *c, bool on)
{
	u32 active = on ? kscap_active | 1U << c->id : kscap_active & ~(1U << c->id);

	kscap_consumers[c->id] = c;
	quiesce();
	update_snaplens(active);
	/* Pairs with the probes' loads: they see a consumer's rings and filter whole. */
	smp_store_release(&kscap_active, active);
	synchronize_rcu();
	/* Entries kept until now count if somebody wanted them until now and from now on. */
	if (on)
		kscap_stash_refresh(call_is_wanted, true);
	update_wanted(active);
	if (!on) {
		/* An entry that was still wanted when it was looked at is kept by now. */
		synchronize_rcu();
		kscap_stash_refresh(call_is_wanted, false);
	}
	set_lead(active);
}

/* Rings have room for what was the largest call until now; make it the largest of both first. */
int kscap_consumer_snaplen(struct kscap_consumer *c, const u32 *snaplen)
{
	unsigned int i;

	if (!c->rings || !snaplens_are_valid(snaplen))
		return -EINVAL;
	mutex_lock(&consumers_lock);
	if (c->started && !c->stopped)
		quiesce();
	memcpy(c->snaplen, snaplen, sizeof(c->snaplen));
	kscap_for_each_ring(i, c)
		c->rings[i].room8 = room8_for(snaplen);
	update_snaplens(kscap_active);
	if (c->started && !c->stopped) {
		synchronize_rcu();
		set_lead(kscap_active);
	}
	mutex_unlock(&consumers_lock);
	return 0;
}

int kscap_consumer_start(struct kscap_consumer *c)
{
	int rc;

	if (!c->rings || c->started)
		return -EINVAL;
	rc = hold_probes(c);
	if (rc)
		return rc;
	rc = kscap_class_get(c->filter.classes);
	if (rc)
		return rc;
	c->holds_classes = c->filter.classes;
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
	kscap_class_put(c->holds_classes);
	kscap_snapshot_free(c->snapshot);
	if (c->holds_probes) {
		kscap_stash_tree_clear(c->filter.tree_bit);
		kscap_probe_put();
	}
	put_cgroups(&c->filter);
	if (c->rings) {
		free_rings(c);
		give_room(total_bytes(c));
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
	unsigned int ring;
	u64 n = 0;

	if (c->rings)
		kscap_for_each_ring(ring, c)
			n += READ_ONCE(c->rings[ring].core.n_retry);
	return n;
}
