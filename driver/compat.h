/* SPDX-License-Identifier: GPL-2.0-only */
/* The only file that may ask which kernel it is built for. */
#ifndef KSCAP_COMPAT_H
#define KSCAP_COMPAT_H

#include <linux/cgroup.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/hugetlb_inline.h>
#include <linux/kernfs.h>
#include <linux/mm.h>
#include <linux/nsproxy.h>
#include <linux/ns_common.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/time_namespace.h>
#include <linux/version.h>
#include <net/sock.h>

#ifdef CONFIG_PREEMPT_RT
#error "spinlocks sleep on PREEMPT_RT, where probes must not: not supported yet"
#endif

/* Protects a read-only or positions-only mapping from being widened, inherited or dumped. */
static inline void kscap_vma_restrict(struct vm_area_struct *vma, bool writable)
{
	unsigned long set = VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	unsigned long clear = writable ? VM_EXEC | VM_MAYEXEC :
					 VM_EXEC | VM_MAYEXEC | VM_WRITE | VM_MAYWRITE;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* The grace period that poll_state_synchronize_rcu() asks for came with 5.13. */
static inline unsigned long kscap_rcu_start(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
	return start_poll_synchronize_rcu();
#else
	synchronize_rcu();
	return 0;
#endif
}

static inline bool kscap_rcu_done(unsigned long cookie)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
	return poll_state_synchronize_rcu(cookie);
#else
	return true;
#endif
}

/*
 * Probes of system calls run with preemption off up to 6.12; from 6.13 on it is up to them. The
 * others always do.
 */
static __always_inline void kscap_probe_enter(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	preempt_disable_notrace();
#endif
}

static __always_inline void kscap_probe_leave(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	preempt_enable_notrace();
#endif
}

/* The peer's pid as it was when it connected; under a lock of its own since 5.15. */
static inline u32 kscap_sock_peer_pid(struct sock *sk)
{
	u32 nr;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 15, 0)
	spin_lock(&sk->sk_peer_lock);
	nr = pid_nr(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
#else
	nr = pid_nr(READ_ONCE(sk->sk_peer_pid));
#endif
	return nr;
}

/* Defined without CONFIG_TIME_NS, too, but empty-handed. */
static inline u32 kscap_time_ns_inum(const struct time_namespace *ns)
{
#ifdef CONFIG_TIME_NS
	return ns->ns.inum;
#else
	return 0;
#endif
}

/* struct mnt_namespace is private, but begins with its ns_common since 5.11. */
static inline u32 kscap_mnt_ns_inum(const struct mnt_namespace *ns)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
	return ns ? ((const struct ns_common *)ns)->inum : 0;
#else
	return 0;
#endif
}

/* Names of the unified hierarchy do not change; from 6.15 on they are under RCU all the same. */
static inline const char *kscap_cgroup_name(const struct cgroup *cgroup)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return rcu_dereference(cgroup->kn->name);
#else
	return cgroup->kn->name;
#endif
}

static inline s64 kscap_ctime_ns(const struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	struct timespec64 ts = inode_get_ctime(inode);
#else
	struct timespec64 ts = inode->i_ctime;
#endif
	return timespec64_to_ns(&ts);
}

static inline s64 kscap_mtime_ns(const struct inode *inode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct timespec64 ts = inode_get_mtime(inode);
#else
	struct timespec64 ts = inode->i_mtime;
#endif
	return timespec64_to_ns(&ts);
}

/*
 * (task, uid) since 6.8, but also in later releases of 6.1 and 6.6: only the prototype tells. To be
 * used where trace/events/oom.h is included.
 */
#define KSCAP_IF_MARK_VICTIM_TELLS_PID(yes, no) \
	__builtin_choose_expr(__builtin_types_compatible_p( \
		typeof(check_trace_callback_type_mark_victim), void (void (*)(void *, int))), \
		yes, no)

/* Is the task on a CPU at this moment? */
static inline bool kscap_task_on_cpu(const struct task_struct *task)
{
#ifdef CONFIG_SMP
	return READ_ONCE(task->on_cpu);
#else
	return task == current;
#endif
}

/* A referenced file out of a table of descriptors; NULL: none. Under RCU, the table held. */
static inline struct file *kscap_file_of_slot(struct file __rcu **slot)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return get_file_rcu(slot);
#else
	struct file *file = rcu_dereference(*slot);

	return file && get_file_rcu(file) ? file : NULL;
#endif
}

/*
 * The page at an address of another process, if it is there now: never faults it in, nor waits.
 * mmap_lock is held for reading. Pages of hugetlbfs are left out, for they are faulted in even
 * with FOLL_NOFAULT, which came with 5.16. The caller puts the page.
 */
static inline struct page *kscap_page_if_present(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct page *page = NULL;
	long n = 0;

	if (!vma || vma->vm_start > addr || is_vm_hugetlb_page(vma))
		return NULL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	n = get_user_pages_remote(mm, addr, 1, FOLL_NOFAULT, &page, NULL);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(5, 16, 0)
	n = get_user_pages_remote(mm, addr, 1, FOLL_NOFAULT, &page, NULL, NULL);
#endif
	return n == 1 ? page : NULL;
}

#endif
