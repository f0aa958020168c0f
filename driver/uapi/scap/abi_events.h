/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/* The records of all events that are no calls; a part of abi.h, which includes it. */
#ifndef SCAP_ABI_EVENTS_H
#define SCAP_ABI_EVENTS_H

#include "abi.h"

/*
 * FORK: written by the parent before the child can run. child_ids are the child's numbers in the
 * pid namespaces that see it, from the initial one inwards; where there are more than
 * SCAP_PID_LEVELS, the innermost is in child_vtid only.
 */
#define SCAP_PID_LEVELS	8

struct scap_rec_fork {
	struct scap_rec h;
	__u32 tid;		/* parent thread */
	__u32 tgid;
	__u32 child_tid;
	__u32 child_tgid;	/* == tgid: a thread */
	__u64 child_start_ns;	/* boottime; with child_tid the child's identity */
	__u64 clone_flags;	/* CLONE_*, without the signal */
	__s32 exit_signal;	/* sent to the parent when it ends; -1: none, a thread */
	__u32 child_vtid;	/* in its own pid namespace */
	__u32 n_levels;		/* pid namespaces that see it: 1 without any but the initial one */
	__u32 pad;
	__u32 child_ids[SCAP_PID_LEVELS];	/* 0 from n_levels on */
};

/* User and group ids: real, effective, saved, of file accesses. */
struct scap_ids {
	__u32 uid, euid, suid, fsuid;
	__u32 gid, egid, sgid, fsgid;
};

/* Capability sets, bit n for capability n. */
struct scap_caps {
	__u64 permitted, effective, inheritable, bounding, ambient;
};

/* Namespaces' inode numbers; 0 unknown. */
struct scap_namespaces {
	__u32 mnt, net, user, uts, ipc, cgroup;
	__u32 pid, pid_for_children;
	__u32 time, time_for_children;
};

/*
 * EXEC: the new image is in place. Blobs: SCAP_SLOT_FILENAME; SCAP_SLOT_INTERP if it differs;
 * SCAP_SLOT_ARGV; SCAP_SLOT_ENV if the consumer asked for it; SCAP_SLOT_CGROUP. The file named by
 * cookie, and all of exe_*, is what was mapped: for a script its interpreter.
 */
struct scap_rec_exec {
	struct scap_rec h;	/* flags: SCAP_EXEC_* */
	__u32 tid;
	__u32 old_tid;		/* != tid: a thread other than the leader called exec */
	__u32 cookie;		/* executable; 0 unknown */
	__u32 exe_mode;		/* i_mode */
	__u64 exe_size;
	__s64 exe_ctime_ns;	/* since 1970-01-01 UTC */
	__s64 exe_mtime_ns;
	__u32 exe_uid;
	__u32 exe_gid;
	__u32 argc;
	__u32 envc;
	struct scap_ids before;	/* at the entry of the call, if SCAP_EXEC_BEFORE */
	struct scap_ids ids;	/* all else is as it is after it */
	struct scap_caps caps;
	struct scap_namespaces ns;
	__u32 loginuid;		/* 0xffffffff: not set */
	__u32 sessionid;	/* of the audit system; 0xffffffff: not set */
	__u32 sid;		/* session and process group, in the initial pid namespace */
	__u32 pgid;
	__u32 tty;		/* major << 20 | minor; 0: none */
	__u32 pad;
	__u64 cgroup_id;	/* of the unified hierarchy; 0 unknown */
};

#define SCAP_EXEC_WRITABLE	0x01	/* exe_mode, with its owner and group, lets the caller (ids
					   before the call) write it. Nothing else is asked: no
					   capability, ACL, or read-only mount */
#define SCAP_EXEC_OVERLAY	0x02	/* on an overlay file system */
#define SCAP_EXEC_UPPER_LAYER	0x04	/* with OVERLAY: in its upper layer */
#define SCAP_EXEC_MEMFD		0x08	/* from memfd_create(): never had a name */
#define SCAP_EXEC_DELETED	0x10	/* no name leads to it any more */
#define SCAP_EXEC_SCRIPT	0x20	/* #! or binfmt_misc: FILENAME is what was asked for */
#define SCAP_EXEC_SECURE	0x40	/* it gained privileges: set-user-id, capabilities ... */
#define SCAP_EXEC_BEFORE	0x80	/* `before` is known */

/*
 * What a thread or process has used. CPU times come from the scheduler's sums and are up to a tick
 * old.
 */
struct scap_usage {
	__u64 utime_ns;
	__u64 stime_ns;
	__u64 n_minflt;
	__u64 n_majflt;
	__u64 n_voluntary;	/* context switches */
	__u64 n_involuntary;
};

/* EXIT: a thread ends. */
struct scap_rec_exit {
	struct scap_rec h;	/* flags: SCAP_EXIT_INEXACT */
	__u32 tid;
	__u32 status;		/* as wait(2) reports it, core flag 0x80 included */
	__u64 start_ns;		/* boottime */
	__u32 group_dead;	/* 1: no thread of its process is left alive */
	__u32 group_status;	/* with group_dead: what wait(2) reports of the process, else 0 */
	struct scap_usage thread;
	struct scap_usage process;	/* with group_dead: of all its threads, else 0 */
	__u64 max_rss_kib;	/* with group_dead: of the process, else 0 */
};

#define SCAP_EXIT_INEXACT	0x01	/* `process`: so many threads ended at once that one may be
					   missing, or counted twice */

/*
 * The events below happen anywhere, also in interrupts. `tid` is the thread that ran, or 0 with
 * SCAP_EVENT_IRQ: an interrupt did it, and the thread that it interrupted has nothing to do with
 * it. late_ns: it came into another probe on its CPU and was written when that ended: it happened
 * so much before the record's time; 0: it did not.
 */
#define SCAP_EVENT_IRQ		0x80	/* in flags */

/* What `value` of a signal is. */
#define SCAP_SIGVAL_NONE	0
#define SCAP_SIGVAL_VALUE	1	/* si_value of sigqueue(), a timer ... */
#define SCAP_SIGVAL_ADDR	2	/* si_addr of a fault */
#define SCAP_SIGVAL_STATUS	3	/* si_status of a child */
#define SCAP_SIGVAL_BAND	4	/* si_band of a descriptor */

#define SCAP_SIGRES_DELIVERED	0	/* it is pending now */
#define SCAP_SIGRES_IGNORED	1
#define SCAP_SIGRES_PENDING	2	/* it was already: nothing changes */
#define SCAP_SIGRES_LOST	3	/* a real-time signal, and the queue is full */
#define SCAP_SIGRES_NO_INFO	4	/* pending, but what belongs to it is lost */

/* SIGNAL: a signal is sent. */
struct scap_rec_signal {
	struct scap_rec h;	/* flags: SCAP_EVENT_IRQ, SCAP_SIGNAL_GROUP */
	__u32 tid;		/* sender */
	__u32 late_ns;
	__u32 target_tid;	/* of a process that is meant as a whole: one of its threads */
	__u32 target_tgid;
	__u64 target_start_ns;
	__s32 signo;
	__s32 code;		/* si_code */
	__u64 value;
	__u8 value_kind;	/* SCAP_SIGVAL_* */
	__u8 result;		/* SCAP_SIGRES_* */
	__u8 pad[6];
};

#define SCAP_SIGNAL_GROUP	0x01	/* to the whole process */

#define SCAP_SIGACT_DEFAULT	0	/* what the kernel does with this signal */
#define SCAP_SIGACT_IGNORE	1
#define SCAP_SIGACT_HANDLER	2

/* Not known: made of other recorders' files, as SCAP_MORE_NO_RET. */
#define SCAP_SIGACT_UNKNOWN	0xff
#define SCAP_SIGCODE_UNKNOWN	(-0x7fffffff - 1)

/*
 * SIGDELIVER: tid takes a signal from those that are pending. One that ends the process is taken,
 * by each of its threads, as SIGKILL: EXIT says which it was.
 */
struct scap_rec_sigdeliver {
	struct scap_rec h;
	__u32 tid;
	__u32 late_ns;
	__s32 signo;
	__s32 code;
	__u64 value;
	__u64 handler;		/* its address; 0 where there is none */
	__u32 sa_flags;		/* SA_* */
	__u8 value_kind;	/* SCAP_SIGVAL_* */
	__u8 action;		/* SCAP_SIGACT_* */
	__u8 pad[2];
};

/* OOM: the victim will be killed. Sizes are its own when it was chosen; 0 unknown. */
struct scap_rec_oom {
	struct scap_rec h;
	__u32 tid;		/* who asked for memory */
	__u32 late_ns;
	__u32 victim_tid;
	__u32 victim_tgid;
	__u64 victim_start_ns;
	__u64 vm_kib;
	__u64 anon_kib;
	__u64 file_kib;
	__u64 shmem_kib;
	__u32 uid;
	__s32 score_adj;
	char comm[16];		/* NUL-terminated */
};

/* MODULE: a kernel module. */
struct scap_rec_module {
	struct scap_rec h;	/* flags: SCAP_MODULE_UNLOAD */
	__u32 tid;
	__u32 late_ns;
	__u64 taints;		/* that are due to it, bits as in /proc/sys/kernel/tainted */
	char name[56];		/* NUL-terminated */
};

#define SCAP_MODULE_UNLOAD	0x01

/* CGROUP: a task is in another cgroup now. Blob: SCAP_SLOT_CGROUP. */
struct scap_rec_cgroup {
	struct scap_rec h;	/* flags: SCAP_CGROUP_PROCESS */
	__u32 tid;		/* who moved it */
	__u32 late_ns;
	__u32 target_tid;
	__u32 target_tgid;
	__u64 target_start_ns;
	__u64 cgroup_id;
	__u32 hierarchy;	/* 0: the unified one */
	__u32 pad;
};

#define SCAP_CGROUP_PROCESS	0x01	/* with all threads of its process */

/* SWITCH, of SCAP_CLASS_SCHED: the CPU leaves tid and goes on with next_tid; 0: it idles. */
struct scap_rec_switch {
	struct scap_rec h;	/* flags: SCAP_SWITCH_PREEMPTED */
	__u32 tid;
	__u32 late_ns;
	__u32 next_tid;
	__u32 next_tgid;
	__u32 state;		/* the kernel's TASK_* bits of tid; 0: it could have gone on */
	__u32 pad;
};

/* It could have gone on: an involuntary switch, as the kernel counts. Never of the idle task. */
#define SCAP_SWITCH_PREEMPTED	0x01
#define SCAP_SWITCH_NO_STATE	0x02	/* state is not known; as SCAP_SIGACT_UNKNOWN */

/* WAKE, of SCAP_CLASS_SCHED: the target can run from now on. */
struct scap_rec_wake {
	struct scap_rec h;	/* flags: SCAP_EVENT_IRQ, SCAP_WAKE_NEW */
	__u32 tid;		/* who wakes it */
	__u32 late_ns;
	__u32 target_tid;
	__u32 target_tgid;
};

#define SCAP_WAKE_NEW		0x01	/* for the first time */

/* FAULT, of SCAP_CLASS_FAULT: a page fault. Those of the module's own copies are left out. */
struct scap_rec_fault {
	struct scap_rec h;	/* flags: SCAP_EVENT_IRQ, SCAP_FAULT_KERNEL */
	__u32 tid;
	__u32 late_ns;
	__u64 address;
	__u64 ip;
	__u32 error;		/* the CPU's error code: x86 bit 0 present, 1 write, 2 user */
	__u32 pad;
};

#define SCAP_FAULT_KERNEL	0x01	/* the kernel's code faulted */

SCAP_ASSERT_SIZE(scap_rec_fork, 96);
SCAP_ASSERT_SIZE(scap_ids, 32);
SCAP_ASSERT_SIZE(scap_caps, 40);
SCAP_ASSERT_SIZE(scap_namespaces, 40);
SCAP_ASSERT_SIZE(scap_rec_exec, 248);
SCAP_ASSERT_SIZE(scap_usage, 48);
SCAP_ASSERT_SIZE(scap_rec_exit, 144);
SCAP_ASSERT_SIZE(scap_rec_signal, 64);
SCAP_ASSERT_SIZE(scap_rec_sigdeliver, 56);
SCAP_ASSERT_SIZE(scap_rec_oom, 96);
SCAP_ASSERT_SIZE(scap_rec_module, 88);
SCAP_ASSERT_SIZE(scap_rec_cgroup, 56);
SCAP_ASSERT_SIZE(scap_rec_switch, 40);
SCAP_ASSERT_SIZE(scap_rec_wake, 32);
SCAP_ASSERT_SIZE(scap_rec_fault, 48);

#endif
