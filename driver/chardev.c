// SPDX-License-Identifier: GPL-2.0-only
#include "chardev.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "capture.h"
#include "clock.h"
#include "compat.h"
#include "consumer.h"
#include "ring.h"
#include "snapshot.h"
#include "stash.h"

/* Asked once: afterwards possession of the descriptor counts. */
static bool may_attach(void)
{
	return capable(CAP_SYS_ADMIN) || (capable(CAP_PERFMON) && capable(CAP_SYS_PTRACE));
}

static int kdev_open(struct inode *inode, struct file *file)
{
	struct kscap_consumer *c;
	int rc;

	if (!may_attach())
		return -EPERM;
	rc = kscap_consumer_new(&c);
	if (rc)
		return rc;
	file->private_data = c;
	return nonseekable_open(inode, file);
}

/* The last mapping holds the file, so the rings are no longer mapped here. */
static int kdev_release(struct inode *inode, struct file *file)
{
	kscap_consumer_free(file->private_data);
	return 0;
}

static __poll_t kdev_poll(struct file *file, poll_table *wait)
{
	struct kscap_consumer *c = file->private_data;
	__poll_t mask = 0;
	unsigned int ring;

	poll_wait(file, &c->wq, wait);
	if (!READ_ONCE(c->started))
		return EPOLLERR;
	if (READ_ONCE(c->stopped))
		return EPOLLIN | EPOLLRDNORM;
	kscap_for_each_ring(ring, c)
		if (kscap_ring_poll(&c->rings[ring]))
			mask = EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int map_data(struct kscap_consumer *c, struct vm_area_struct *vma, u64 offset)
{
	u64 ring = (offset - SCAP_MMAP_DATA(0)) >> 41;

	if (ring >= (u64)nr_cpu_ids * SCAP_LANES || !cpu_possible(ring / SCAP_LANES) ||
	    offset != SCAP_MMAP_DATA(ring))
		return -EINVAL;
	kscap_vma_restrict(vma, false);
	return kscap_ring_map(&c->rings[ring], vma);
}

/* Everything but the positions is read-only, and stays so. */
static int kdev_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct kscap_consumer *c = file->private_data;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	int rc = -EINVAL;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE && offset != SCAP_MMAP_POS)
		return -EPERM;
	/* Not c->lock: mmap_lock is held here, and ioctls fault under c->lock. */
	if (!smp_load_acquire(&c->ready))
		return -EINVAL;
	if (offset == SCAP_MMAP_CTL) {
		kscap_vma_restrict(vma, false);
		rc = remap_vmalloc_range(vma, c->ctl, 0);
	} else if (offset == SCAP_MMAP_POS) {
		kscap_vma_restrict(vma, true);
		rc = remap_vmalloc_range(vma, c->pos, 0);
	} else if (offset >= SCAP_MMAP_DATA(0)) {
		rc = map_data(c, vma, offset);
	}
	return rc;
}

/* Structures that begin with their size: longer than ours is fine where the rest is zero. */
static int get_sized(void *dst, size_t size, const void __user *src)
{
	u32 given;

	if (get_user(given, (const u32 __user *)src))
		return -EFAULT;
	if (given < 8 || given > PAGE_SIZE)
		return -EINVAL;
	return copy_struct_from_user(dst, size, src, given);
}

/* As much as there is room for; the size that src begins with becomes how much that was. */
static int put_sized(void __user *dst, void *src, size_t size)
{
	u32 room;

	if (get_user(room, (const u32 __user *)dst))
		return -EFAULT;
	if (room < 8)
		return -EINVAL;
	size = min_t(size_t, room, size);
	*(u32 *)src = size;
	return copy_to_user(dst, src, size) ? -EFAULT : 0;
}

static int ioc_info(struct kscap_consumer *c, void __user *arg)
{
	struct scap_info info = {
		.abi_version = SCAP_ABI_VERSION,
		.n_cpus = nr_cpu_ids,
		.max_consumers = KSCAP_MAX_CONSUMERS,
	};

	kscap_consumer_room(&info.ring_cap_bytes, &info.ring_used_bytes);
	kscap_clock_read(&info.clock);
	return put_sized(arg, &info, sizeof(info));
}

static int ioc_setup(struct kscap_consumer *c, void __user *arg)
{
	struct scap_setup setup;
	int rc = get_sized(&setup, sizeof(setup), arg);

	if (!rc && setup.abi_version != SCAP_ABI_VERSION)
		rc = -EPROTO;
	if (!rc)
		rc = kscap_consumer_setup(c, &setup);
	if (rc)
		return rc;
	/* Pairs with kdev_mmap(): who sees it sees the rings whole. */
	smp_store_release(&c->ready, true);
	return 0;
}

static int ioc_filter(struct kscap_consumer *c, void __user *arg)
{
	struct scap_filter_spec spec;
	int rc = get_sized(&spec, sizeof(spec), arg);

	return rc ? rc : kscap_consumer_filter(c, &spec);
}

static int ioc_snaplen(struct kscap_consumer *c, void __user *arg)
{
	struct scap_snaplens s;
	int rc = get_sized(&s, sizeof(s), arg);

	return rc ? rc : kscap_consumer_snaplen(c, s.snaplen);
}

static int ioc_tree_add(struct kscap_consumer *c, void __user *arg)
{
	u32 tgid;

	if (get_user(tgid, (u32 __user *)arg))
		return -EFAULT;
	return kscap_consumer_tree_add(c, tgid);
}

static int ioc_start(struct kscap_consumer *c, void __user *arg)
{
	return kscap_consumer_start(c);
}

static int ioc_stop(struct kscap_consumer *c, void __user *arg)
{
	kscap_consumer_stop(c);
	return 0;
}

static int ioc_flush(struct kscap_consumer *c, void __user *arg)
{
	return c->started ? kscap_capture_flush(c) : -EINVAL;
}

static int ioc_watermark(struct kscap_consumer *c, void __user *arg)
{
	struct scap_watermark wm;

	if (!c->started)
		return -EINVAL;
	kscap_consumer_watermark(c, &wm);
	return copy_to_user(arg, &wm, sizeof(wm)) ? -EFAULT : 0;
}

static int ioc_clock(struct kscap_consumer *c, void __user *arg)
{
	struct scap_clock clock;

	kscap_clock_read(&clock);
	return copy_to_user(arg, &clock, sizeof(clock)) ? -EFAULT : 0;
}

static int ioc_stats(struct kscap_consumer *c, void __user *arg)
{
	struct scap_stats stats = { 0 };

	if (!c->started)
		return -EINVAL;
	stats.n_stash_slots = kscap_stash.n_slots;
	stats.n_stash_full = kscap_stash_n_full();
	stats.n_reserve_retry = kscap_consumer_retries(c);
	kscap_capture_stats(&stats);
	return put_sized(arg, &stats, sizeof(stats));
}

static int ioc_keyframe(struct kscap_consumer *c, void __user *arg)
{
	struct scap_keyframe kf;
	int rc = get_sized(&kf, sizeof(kf), arg);

	if (!rc)
		rc = kscap_snapshot_next(c, &kf);
	return rc ? rc : put_sized(arg, &kf, sizeof(kf));
}

static int (*const ioctls[])(struct kscap_consumer *c, void __user *arg) = {
	[_IOC_NR(SCAP_IOC_INFO)] = ioc_info,
	[_IOC_NR(SCAP_IOC_SETUP)] = ioc_setup,
	[_IOC_NR(SCAP_IOC_FILTER)] = ioc_filter,
	[_IOC_NR(SCAP_IOC_TREE_ADD)] = ioc_tree_add,
	[_IOC_NR(SCAP_IOC_START)] = ioc_start,
	[_IOC_NR(SCAP_IOC_STOP)] = ioc_stop,
	[_IOC_NR(SCAP_IOC_FLUSH)] = ioc_flush,
	[_IOC_NR(SCAP_IOC_WATERMARK)] = ioc_watermark,
	[_IOC_NR(SCAP_IOC_CLOCK)] = ioc_clock,
	[_IOC_NR(SCAP_IOC_STATS)] = ioc_stats,
	[_IOC_NR(SCAP_IOC_KEYFRAME)] = ioc_keyframe,
	[_IOC_NR(SCAP_IOC_SNAPLEN)] = ioc_snaplen,
};

/*
 * The structures' sizes are part of the numbers but not compared: they may grow. A caller of
 * another ABI version then gets an answer it can understand.
 */
static long kdev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kscap_consumer *c = file->private_data;
	unsigned int nr = _IOC_NR(cmd);
	long rc;

	if (_IOC_TYPE(cmd) != SCAP_IOC_MAGIC || nr >= ARRAY_SIZE(ioctls) || !ioctls[nr])
		return -ENOTTY;
	if (mutex_lock_interruptible(&c->lock))
		return -EINTR;
	rc = ioctls[nr](c, (void __user *)arg);
	mutex_unlock(&c->lock);
	return rc;
}

static const struct file_operations kdev_fops = {
	.owner = THIS_MODULE,
	.open = kdev_open,
	.release = kdev_release,
	.poll = kdev_poll,
	.mmap = kdev_mmap,
	.unlocked_ioctl = kdev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = no_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kscap",
	.fops = &kdev_fops,
	.mode = 0600,
};

int __init kscap_chardev_init(void)
{
	return misc_register(&dev);
}

void kscap_chardev_fini(void)
{
	misc_deregister(&dev);
}
