/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * The contract between kscap.ko and its readers: records, ring geometry, ioctls.
 *
 * A consumer opens /dev/kscap; the open file is its lifetime. It then
 *   1. asks SCAP_IOC_INFO and compares abi_version;
 *   2. calls SCAP_IOC_SETUP, which allocates SCAP_LANES rings per possible CPU;
 *   3. narrows what it wants with SCAP_IOC_FILTER and SCAP_IOC_TREE_ADD;
 *   4. maps SCAP_MMAP_CTL (read-only), SCAP_MMAP_POS (read-write) and each ring's SCAP_MMAP_DATA
 *      (read-only, twice the ring's size: the ring is mapped twice in a row, so that a record
 *      never breaks at the end);
 *   5. calls SCAP_IOC_START, reads, and closes the file.
 *
 * Lanes. Each CPU has a large ring for the many records and a small one for the few that decide:
 * the calls of decisive.def, and all records but CALL. So a flood of reads evicts no exec. Rings
 * are numbered cpu * SCAP_LANES + lane; each has its own sequence and its own introductions. Of a
 * CPU's two rings the records' times tell the order.
 *
 * The ring. A ring has one writer, its CPU. Positions count units of 8 bytes modulo
 * 2^32 and only grow. The kernel publishes `seq << 32 | position` in scap_ring_ctl.head with
 * release order; both halves always belong together: seq is the sequence number that the next
 * attempt will get, position is where it would lie. The reader publishes how far it has read in
 * scap_ring_pos.tail. Everything the kernel reads there is taken as hostile: a tail further than
 * one ring behind the head means "full" and is never used as an index.
 *
 * Records are multiples of 8 bytes, in the CPU's byte order, and begin with struct scap_rec. Time
 * and sequence are given inside the reserve loop: within one ring, ring order = sequence order =
 * time order. Several records reserved together (a gap, introductions, a call) share one time.
 *
 * Loss. An attempt that finds no room takes a sequence number and is tallied. The next record that
 * fits is preceded by a GAP with the missing sequence range, time range and tally. Introductions
 * and gaps that found no room are not attempts of their own: they belong to the record they serve.
 * (One introduction stands alone: the file of a close, written at the call's entry. Where it is
 * lost, it is an attempt of its own, and the tally has a key of type FILE.)
 *
 * Introductions. Time is cut into epochs of 2^SCAP_EPOCH_SHIFT ns. A thread's first record in an
 * epoch on a CPU is preceded, in that ring, by INTRO; a file cookie's first use by FILE. A later
 * introduction of the same tid or cookie in the ring replaces the earlier one. Cookie 0 is none.
 *
 * Keyframes. SCAP_IOC_KEYFRAME tells the state of the whole machine, in records that never lie in
 * a ring: see struct scap_keyframe.
 *
 * Order across CPUs. Time is one clock for all CPUs. SCAP_IOC_WATERMARK returns a time such that
 * every record before it is already below the published heads read after the call.
 *
 * Compatibility: rules are append-only. A new record type, flag, slot or role takes a new number;
 * a reader skips types it does not know by their length. A change of layout raises
 * SCAP_ABI_VERSION, and both sides refuse to work with another version.
 */
#ifndef SCAP_ABI_H
#define SCAP_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#ifndef SCAP_ABI_VERSION	/* tests build tools of another version */
#define SCAP_ABI_VERSION	2
#endif
#define SCAP_DEVICE_PATH	"/dev/kscap"
#define SCAP_EPOCH_SHIFT	30
#define SCAP_EPOCH_NS		(1ULL << SCAP_EPOCH_SHIFT)

/* ---- records ------------------------------------------------------------------------------ */

/* Every record begins so. */
struct scap_rec {
	__u16 len8;		/* length in units of 8 bytes, this header included; never 0 */
	__u8 type;		/* SCAP_REC_*, see events.def */
	__u8 flags;		/* meaning depends on the type */
	__u32 seq;		/* per ring, modulo 2^32 */
	__u64 time_ns;		/* raw monotonic clock of struct scap_clock */
};

#define SCAP_REC_MAX_BYTES	(0xffffu * 8)

enum scap_rec_type {
#define SCAP_EVENT(nr, ID, name, text) SCAP_REC_##ID = nr,
#include "events.def"
#undef SCAP_EVENT
	SCAP_REC_TYPES = 32	/* types are below this; a reader skips the ones it does not know */
};

/* Application binary interfaces of system calls. */
#define SCAP_ABI_X86_64		0
#define SCAP_ABI_I386		1
#define SCAP_ABI_X32		2	/* number holds the bit 0x40000000 */
#define SCAP_ABIS		3

/* `shape` of CALL and ENTER: low 3 bits the number of argument words, next 3 bits the ABI. */
#define SCAP_SHAPE(abi, nargs)	((__u8)((abi) << 3 | (nargs)))
#define SCAP_SHAPE_NARGS(s)	((s) & 7)
#define SCAP_SHAPE_ABI(s)	((s) >> 3 & 7)

/*
 * CALL: one system call, written at its exit. The fixed part is followed, in this order, by
 *   __u64 nr, sign-extended	if NR64	(numbers outside 0..65535)
 *   __s64 ret			if RET64
 *   __u64 latency_ns		if LAT64
 *   __u32 cookie, cookie2	if COOKIES
 *   __u64 args[nargs]		raw registers; zero-extended from 32 bits for i386
 *   blobs up to the record's end, in ascending slot order
 *
 * cookie is the file that the call is about: the new file for calls that return a descriptor and
 * succeeded, otherwise the file behind the first descriptor argument (for close: taken at entry;
 * for a successful exec: the new executable). cookie2 is the descriptor argument's file where
 * cookie is the new one (accept: the listener), or the second file (pipe2: the write end).
 *
 * Calls that name files by path and leave no descriptor have in these places the directories that
 * their paths start from, where those are relative: the first path's, then the second's, each the
 * descriptor before the path or, with AT_FDCWD or without one, the working directory. (Where a
 * descriptor that is no directory comes first, as in inotify_add_watch, cookie is that one's file
 * and cookie2 the first path's directory.) A successful chdir or chroot has the directory that it
 * led to. COOKIES is missing where there is nothing to say.
 */
struct scap_rec_call {
	struct scap_rec h;	/* flags: SCAP_CALL_* */
	__u32 tid;
	__u32 latency_ns;	/* entry to exit; SCAP_LATENCY_UNKNOWN without LAT64: unknown */
	__s32 ret;		/* the whole value unless RET64 */
	__u16 nr;
	__u8 shape;
	__u8 more;		/* SCAP_MORE_* */
};

#define SCAP_LATENCY_UNKNOWN	0xffffffffu

#define SCAP_CALL_NR64		0x01
#define SCAP_CALL_RET64		0x02
#define SCAP_CALL_LAT64		0x04
#define SCAP_CALL_COOKIES	0x08
#define SCAP_CALL_NO_ENTRY	0x10	/* no entry was seen: seccomp, clone child, kernel-started,
					   attached in mid-call, or no room in the stash */
#define SCAP_CALL_TRAPPED	0x20	/* seccomp TRAP or KILL: the call was not made; ret is the
					   rolled-back register, not a result */
#define SCAP_CALL_CHILD		0x40	/* a clone/fork returning in the child */
#define SCAP_CALL_FD_SHARED	0x80	/* descriptor table shared: a racing dup2 could have put
					   another file there between the call and its exit; or
					   the same of a working directory and chdir */

#define SCAP_MORE_MIDCALL	0x01	/* with NO_ENTRY: the call began before the probes came */
#define SCAP_MORE_NO_STASH	0x02	/* with NO_ENTRY: the stash had no room for this task */
#define SCAP_MORE_ARGS_LOST	0x04	/* registers were rewritten and no entry was seen: arguments
					   are not those of the call */
#define SCAP_MORE_NO_RET	0x08	/* the result is not known. Never written by the kernel, but
					   made of other recorders' files */
#define SCAP_MORE_NO_WORDS	0x10	/* the same: words of arguments that have a blob are not
					   known, and 0. An UNREADABLE blob of no bytes in the
					   slot of one that is no pointer says just that */

/*
 * ENTER: the mark of a call that may never return (execve, execveat, exit, exit_group), written
 * at entry. Arguments, then blobs (SCAP_SLOT_FILENAME for exec).
 */
struct scap_rec_enter {
	struct scap_rec h;
	__u32 tid;
	__u16 nr;
	__u8 shape;
	__u8 more;		/* 0, or SCAP_MORE_NO_WORDS */
};

/* FORK, EXEC, EXIT, and all other events: abi_events.h. */

/*
 * INTRO: who a thread is. Paths of files are those of their mount tree, whoever asks. A thread with
 * another root sees less of them: then one blob follows, SCAP_SLOT_PATH, the path of its root.
 */
struct scap_rec_intro {
	struct scap_rec h;
	__u32 tid;
	__u32 tgid;
	__u32 ppid;		/* tgid of the real parent */
	__u32 vtid;		/* tid and tgid in the thread's own pid namespace */
	__u32 vtgid;
	__u32 uid;
	__u32 euid;
	__u32 gid;
	__u32 egid;
	__u32 thread_flags;	/* SCAP_THREAD_* */
	__u64 start_ns;		/* boottime; with tid the thread's identity */
	__u64 cgroup_id;	/* of the unified hierarchy; 0 unknown */
	char comm[16];		/* NUL-terminated */
	__u32 ns_pid;		/* namespace inode numbers; 0 unknown */
	__u32 ns_mnt;
	__u32 ns_net;
	__u32 ns_user;
	__u32 ns_uts;
	__u32 ns_ipc;
	__u32 ns_cgroup;
	__u32 ns_time;
};

#define SCAP_THREAD_KERNEL	0x01
#define SCAP_THREAD_OTHER_MNT	0x02	/* not in the mount namespace of the system's start */
#define SCAP_THREAD_CHROOT	0x04	/* its root is not that of its mount tree: see the blob */
#define SCAP_THREAD_ROOT_DOUBT	0x08	/* renames kept changing that path, or it hangs nowhere */

/*
 * FILE: what a cookie stands for. Followed by one blob: SCAP_SLOT_PATH (paths, and names such as
 * "anon_inode:[eventpoll]") or SCAP_SLOT_SOCK (struct scap_sock), or none.
 */
struct scap_rec_file {
	struct scap_rec h;	/* flags: SCAP_FILE_* */
	__u32 cookie;
	__u32 mode;		/* i_mode */
	__u32 dev;		/* major << 20 | minor, of the file system */
	__u16 kind;		/* SCAP_KIND_* */
	__u16 pad;
	__u64 ino;
	__u32 mnt_id;		/* of mountinfo; 0 unknown */
	__u32 ns_mnt;		/* where it is mounted, as in INTRO; 0 unknown, or nowhere */
};

#define SCAP_FILE_DELETED	0x01	/* no name leads to it any more */
#define SCAP_FILE_UNCERTAIN	0x02	/* renames kept changing the path while it was read */
#define SCAP_FILE_DETACHED	0x04	/* path starts at a mount that hangs nowhere */

enum scap_kind {
	SCAP_KIND_UNKNOWN,
	SCAP_KIND_FILE,
	SCAP_KIND_DIR,
	SCAP_KIND_CHAR,
	SCAP_KIND_BLOCK,
	SCAP_KIND_LINK,
	SCAP_KIND_FIFO,		/* named, or a pipe (path "pipe:[INODE]") */
	SCAP_KIND_INET,
	SCAP_KIND_INET6,
	SCAP_KIND_UNIX,
	SCAP_KIND_NETLINK,
	SCAP_KIND_PACKET,
	SCAP_KIND_SOCKET,	/* any other family */
	SCAP_KIND_EVENTPOLL,
	SCAP_KIND_EVENTFD,
	SCAP_KIND_SIGNALFD,
	SCAP_KIND_TIMERFD,
	SCAP_KIND_INOTIFY,
	SCAP_KIND_MEMFD,
	SCAP_KIND_ANON,		/* another anonymous inode */
	SCAP_KIND_VSOCK,
	SCAP_KINDS
};

/*
 * Both ends of a socket. Ports in host order; IPv4 addresses in the first 4 bytes. Other families,
 * as __u32 from the addresses' beginning: netlink has its port ids, vsock context ids and ports,
 * packet the index of its interface, and its protocol as local_port.
 */
struct scap_sock {
	__u16 family;
	__u16 type;		/* SOCK_STREAM ... */
	__u16 protocol;
	__u8 state;		/* TCP_ESTABLISHED ... as the kernel numbers them; 0 unknown */
	__u8 pad;
	__u16 local_port;
	__u16 remote_port;
	__u32 peer_pid;		/* unix: tgid of the peer when it connected; 0 unknown */
	__u8 local_addr[16];
	__u8 remote_addr[16];
	/* unix: followed by the own address' bytes of sun_path (abstract ones begin with NUL),
	   then, after local_len bytes, the peer's */
	__u16 local_len;
	__u16 remote_len;
	__u32 peer_ino;		/* unix: inode number of the peer's socket; 0 unknown */
};

/* GAP: what found no room before the record that follows. */
struct scap_rec_gap {
	struct scap_rec h;
	__u64 first_ns;		/* time of the first and the last missing attempt */
	__u64 last_ns;
	__u32 first_seq;	/* n_lost numbers from here on are missing */
	__u32 n_lost;		/* == sum of the tally's counts */
	__u32 n_tally;
	__u32 pad;
	/* struct scap_tally tally[n_tally] */
};

struct scap_tally {
	__u32 key;		/* SCAP_TALLY_KEY */
	__u32 count;
};

/* What kind of record was lost; nr: 0xffff for numbers outside 0..65534, 0 where there is none. */
#define SCAP_TALLY_KEY(type, abi, nr)	((__u32)(type) << 24 | (__u32)(abi) << 16 | (__u16)(nr))
#define SCAP_TALLY_TYPE(key)		((key) >> 24)
#define SCAP_TALLY_ABI(key)		((key) >> 16 & 0xff)
#define SCAP_TALLY_NR(key)		((key) & 0xffff)

/* ---- records of a keyframe ----------------------------------------------------------------- */

/*
 * The time of each is taken before its state is read: a reader that applies to it the records from
 * that time on, and only those, has the state at any later time. Records apply to identities: a
 * tid with its start, a file's cookie. `seq` counts the keyframe's records from 0 on.
 *
 * A task gives KEY_TASK, then KEY_CALL if it is in a call, then KEY_FDs if the table of descriptors
 * is told here; FILE comes before the first use of its cookie. KEY_END comes last: without it the
 * keyframe is not whole.
 */

/*
 * KEY_TASK: a thread. Blobs: SCAP_SLOT_CWD, SCAP_SLOT_ROOT, SCAP_SLOT_ARGV; each is missing
 * where there is none (kernel threads, tasks on their way out). argv is read without waiting for
 * any page: what is not in memory now, or behind a lock, is UNREADABLE.
 */
struct scap_rec_key_task {
	struct scap_rec_intro who;	/* who.h.flags: SCAP_KEY_TASK_* */
	__u32 suid;
	__u32 sgid;
	__u32 fsuid;
	__u32 fsgid;
	__u64 cap_effective;
	__u64 cap_permitted;
	__u64 cap_inheritable;
	__u64 cap_bounding;
	__u64 cap_ambient;
	__u32 loginuid;		/* 0xffffffff: none; so is audit_session */
	__u32 audit_session;
	__u32 session;		/* setsid(2), as a tid of the initial namespace; 0: none there */
	__u32 pgrp;
	__u32 tty;		/* major << 20 | minor; 0: none */
	__u32 exit_code;	/* of a zombie */
	__u32 n_threads;	/* of the process */
	__u32 exe_cookie;	/* introduced by FILE; 0: none */
	__u64 table;		/* threads with the same value share their descriptors; 0: none.
				   Not comparable between keyframes of two loads of the module */
	__u8 state;		/* a letter, as in /proc/PID/stat */
	__u8 cwd_flags;		/* SCAP_FILE_* */
	__u8 root_flags;
	__u8 pad[5];
};

#define SCAP_KEY_TASK_TABLE	0x01	/* the KEY_FDs of its table follow; without it they
					   follow another thread of the process with the
					   same `table` */
#define SCAP_KEY_TASK_EXITING	0x02	/* on its way out, or a zombie */

/* KEY_FD: a descriptor. */
struct scap_rec_key_fd {
	struct scap_rec h;	/* flags: SCAP_KEY_FD_* */
	__u32 tid;		/* of the KEY_TASK before it */
	__u32 fd;
	__u64 start_ns;
	__u64 table;		/* other than the KEY_TASK's: exchanged since (exec, unshare) */
	__u64 pos;		/* file position */
	__u32 cookie;
	__u32 open_flags;	/* O_* as the kernel keeps them */
};

#define SCAP_KEY_FD_CLOEXEC	0x01

/* KEY_CALL: a call under way. Calls of tasks that run are only known while probes are attached. */
struct scap_rec_key_call {
	struct scap_rec h;	/* flags: SCAP_KEY_CALL_* */
	__u32 tid;
	__s32 nr;
	__u64 start_ns;
	__u64 enter_ns;		/* raw time of its entry; 0: unknown, for it began before the probes
				   were attached, or is not past its first moments */
	__u64 args[6];		/* registers; all six */
	__u8 abi;
	__u8 pad[7];
};

#define SCAP_KEY_CALL_UNSURE	0x01	/* registers speak of another call: exec, sigreturn, a
					   restart, or it began this moment. nr is the entry's */

/* KEY_END: what it took. */
struct scap_rec_key_end {
	struct scap_rec h;
	__u32 n_tasks;
	__u32 n_fds;
	__u32 n_files;
	__u32 n_calls;
	__u32 n_gone;		/* tasks that ended before they could be told */
	__u32 n_changed;	/* tables that were exchanged while they were told */
	__u64 begin_ns;		/* raw time */
	__u64 busy_ns;		/* spent in the kernel, all calls together */
	__u64 lock_max_ns;	/* the longest time that a task's lock (task_lock) was held */
};

/* ---- blobs: parameters of variable length --------------------------------------------------- */

/* Followed by the captured bytes, padded with zeros to a multiple of 8. */
struct scap_blob {
	__u32 meta;		/* SCAP_BLOB_META */
	__u32 orig_bytes;	/* length in the program; SCAP_LEN_UNKNOWN: not known */
};

#define SCAP_BLOB_META(slot, state, bytes) ((__u32)(slot) << 24 | (__u32)(state) << 20 | (bytes))
#define SCAP_BLOB_SLOT(meta)	((meta) >> 24)
#define SCAP_BLOB_STATE(meta)	((meta) >> 20 & 0xf)
#define SCAP_BLOB_BYTES(meta)	((meta) & 0xfffff)
#define SCAP_LEN_UNKNOWN	0xffffffffu

#define SCAP_STATE_WHOLE	0
#define SCAP_STATE_TRUNCATED	1	/* cut at a limit: bytes < orig_bytes */
#define SCAP_STATE_UNREADABLE	2	/* the memory faulted after `bytes` bytes */
#define SCAP_STATE_REDACTED	3

/*
 * Slots 0 to 5 hold what argument 0 to 5 points to. Strings come without their NUL; argv as
 * strings each with its NUL; I/O vectors as the bytes gathered from all their parts.
 */
#define SCAP_SLOT_PATH		8	/* FILE: resolved path; INTRO: the root directory */
#define SCAP_SLOT_SOCK		9	/* FILE: struct scap_sock */
#define SCAP_SLOT_FILENAME	10	/* exec: the file as asked for */
#define SCAP_SLOT_INTERP	11	/* exec: the interpreter of a script */
#define SCAP_SLOT_NAME		12	/* msghdr: the address in msg_name */
#define SCAP_SLOT_CWD		13	/* KEY_TASK: resolved paths */
#define SCAP_SLOT_ROOT		14
#define SCAP_SLOT_SCM		16	/* msghdr: struct scap_scm */
#define SCAP_SLOT_ARGV		17	/* EXEC, KEY_TASK: arguments */
#define SCAP_SLOT_ENV		18	/* EXEC: environment, as argv */
#define SCAP_SLOT_CGROUP	19	/* path of a cgroup from its hierarchy's root */
#define SCAP_SLOTS		32

/*
 * What the control messages of a socket message hand over. n_fds counts all descriptors; those
 * that follow, in their order, are the first of them, each struct scap_scm_fd. TRUNCATED: not all
 * follow. UNREADABLE: the control buffer faulted.
 */
struct scap_scm {
	__u32 flags;		/* SCAP_SCM_* */
	__u32 n_fds;
	__u32 pid, uid, gid;	/* SCM_CREDENTIALS, as the call's own thread has them */
	__u32 pad;
};

#define SCAP_SCM_CREDS		0x01	/* pid, uid, gid are there */

/* A descriptor of the calling process, with what is behind it: the sender's, or the new one. */
struct scap_scm_fd {
	__s32 fd;
	__u32 file_bytes;	/* of the FILE record that follows; 0: nothing is behind it */
};

#define SCAP_PATH_MAX_BYTES	4096
#define SCAP_ARGV_MAX_BYTES	65536
#define SCAP_KEY_ARGV_MAX_BYTES	4096
#define SCAP_SNAPLEN_DEFAULT	80
#define SCAP_SNAPLEN_MAX	65536
#define SCAP_EXEC_ARGV_MAX	131072	/* also the default */
#define SCAP_EXEC_ENV_MAX	32768

/* ---- argument roles -------------------------------------------------------------------------- */

/*
 * What an argument or a return value is. The kernel acts on those below SCAP_FETCH_END (it fetches
 * what they point to); all others only matter for printing. Rows of syscalls.def use these names.
 */
enum scap_role {
#define SCAP_ROLE(ID, print, domain) SCAP_ROLE_##ID,
#include "roles.def"
#undef SCAP_ROLE
	SCAP_ROLES
};

/* The groups of roles.def. */
#define SCAP_VARIANT_FIRST	SCAP_ROLE_FCNTL_ARG	/* another argument says what it is */
#define SCAP_FETCH_FIRST	SCAP_ROLE_TIMESPEC_IN	/* rows of fetch.def, in their order */
#define SCAP_FETCH_END		SCAP_ROLE_SOCK_OPTNAME
#define SCAP_FETCH_MAX_BYTES	4096

/* ---- the device ---------------------------------------------------------------------------- */

#define SCAP_LANE_MAIN		0
#define SCAP_LANE_DECISIVE	1
#define SCAP_LANES		2

/* Kernel-written, one per ring, in one read-only mapping at SCAP_MMAP_CTL. */
struct scap_ring_ctl {
	__u64 head;		/* seq << 32 | position in units of 8 bytes */
	__u64 pad[15];
};

/* Reader-written, one per ring, in one mapping at SCAP_MMAP_POS. */
struct scap_ring_pos {
	__u32 tail;		/* position in units of 8 bytes */
	__u32 pad[15];
};

#define SCAP_MMAP_CTL		0ULL
#define SCAP_MMAP_POS		(1ULL << 40)
#define SCAP_MMAP_DATA(ring)	((2ULL << 40) + ((__u64)(ring) << 41))

/*
 * One moment on three clocks, read together. Record times are raw_ns.
 */
struct scap_clock {
	__u64 raw_ns;
	__u64 real_ns;		/* since 1970-01-01 UTC */
	__u64 boot_ns;
	__u32 source;		/* SCAP_CLOCK_* */
	__u32 pad;
};

#define SCAP_CLOCK_MONO		0	/* ktime_get_mono_fast_ns() */
#define SCAP_CLOCK_TSC		1	/* the CPU's time stamp counter */

struct scap_info {
	__u32 size;		/* in: sizeof; out: bytes filled in */
	__u32 abi_version;
	__u32 n_cpus;		/* possible CPUs: SCAP_LANES rings each after SETUP */
	__u32 max_consumers;
	__u64 ring_cap_bytes;	/* for all consumers together */
	__u64 ring_used_bytes;
	struct scap_clock clock;
};

/* What I/O data goes through; each has its own limit. */
enum scap_io_class {
	SCAP_IO_FILE,
	SCAP_IO_PIPE,		/* FIFOs, too */
	SCAP_IO_SOCKET,
	SCAP_IO_TTY,
	SCAP_IO_OTHER,
	SCAP_IO_CLASSES
};

struct scap_setup {
	__u32 size;		/* in: sizeof */
	__u32 abi_version;	/* in: what the caller was built for */
	__u64 ring_bytes;	/* in: main lane, per CPU, a power of two from 64 KiB to 1 GiB */
	__u64 lane_bytes;	/* in: decisive lane, the same; 0: an eighth, at least 64 KiB */
	__u32 snaplen[SCAP_IO_CLASSES]; /* in: bytes of I/O data kept per call, by enum
					   scap_io_class, at most SCAP_SNAPLEN_MAX */
	__u32 pad;
	__u32 argv_max;		/* in: bytes of EXEC's argv, at most SCAP_EXEC_ARGV_MAX; 0: that.
				   Both are cut where they would fill a quarter of a ring */
	__u32 env_max;		/* in: of its environment, at most SCAP_EXEC_ENV_MAX; 0: none */
};

/* While recording, too: holds for all calls that end after the ioctl has returned. */
struct scap_snaplens {
	__u32 size;		/* in: sizeof */
	__u32 snaplen[SCAP_IO_CLASSES];
};

#define SCAP_NR_BITMAP		1024
#define SCAP_FILTER_TREE	0x01	/* only processes added with TREE_ADD and their children */
#define SCAP_FILTER_CGROUP	0x02	/* only in or below one of cgroup_ids */
#define SCAP_FILTER_CALLS	0x04	/* only calls in the bitmap */
#define SCAP_FILTER_FAILED	0x08	/* only calls that failed */
#define SCAP_FILTER_LATENCY	0x10	/* only calls of at least min_latency_ns */
#define SCAP_FILTER_UID		0x20	/* only threads with this real uid */

#define SCAP_FILTER_ALL		0x3f
#define SCAP_FILTER_CGROUPS_MAX	16

/* Events that are only recorded on request. */
#define SCAP_CLASS_SCHED	0x01	/* SWITCH, WAKE */
#define SCAP_CLASS_FAULT	0x02	/* FAULT */
#define SCAP_CLASSES		0x03

/*
 * Set before START. TREE, CGROUP and UID choose processes, the others choose among their calls.
 * Whatever the latter say, these pass: all events but calls, and the calls that decisive.def says
 * change who a process is or where it stands. An event that has a target passes if its target or
 * its cause is among the chosen processes; OOM and MODULE always do.
 */
struct scap_filter_spec {
	__u32 size;		/* in: sizeof */
	__u32 flags;		/* SCAP_FILTER_* */
	__u64 min_latency_ns;
	__u32 uid;
	__u32 classes;		/* SCAP_CLASS_* */
	__u32 n_cgroups;
	__u32 pad;
	__u64 cgroup_ids[SCAP_FILTER_CGROUPS_MAX];	/* inode numbers of their directories */
	__u64 calls[2][SCAP_NR_BITMAP / 64];	/* by SCAP_ABI_X86_64, SCAP_ABI_I386 */
};

struct scap_watermark {
	__u64 now_ns;		/* out: raw clock */
	__u64 safe_ns;		/* out: records before this are below the heads read from now on;
				   0: none known yet, ask again */
};

struct scap_stats {
	__u32 size;		/* in: sizeof; out: bytes filled in */
	__u32 n_stash_slots;
	__u64 n_stash_full;	/* calls whose entry found no slot */
	__u64 n_clock_back;	/* latencies clamped to 0 */
	__u64 n_reserve_retry;	/* reservations repeated: an interrupt came between */
	__u64 n_nested_lost;	/* attempts inside another probe on the same CPU */
};

/*
 * The next part of a keyframe, whole records, into the caller's memory. A call returns when the
 * room is used up, after a few milliseconds, or at the end. Works before START and after it. After
 * any error begin anew; a second keyframe begun on the same descriptor ends the first.
 */
struct scap_keyframe {
	__u32 size;		/* in: sizeof */
	__u32 done;		/* out: 1: KEY_END was delivered */
	__u64 buf;		/* in: address */
	__u64 room_bytes;	/* in: at least SCAP_KEYFRAME_MIN_BYTES */
	__u64 filled_bytes;	/* out */
	__u64 cursor[2];	/* in: zeros to begin, then what came back */
};

#define SCAP_KEYFRAME_MIN_BYTES	32768

#define SCAP_IOC_MAGIC		0xB5
#define SCAP_IOC_INFO		_IOWR(SCAP_IOC_MAGIC, 1, struct scap_info)
#define SCAP_IOC_SETUP		_IOW(SCAP_IOC_MAGIC, 2, struct scap_setup)
#define SCAP_IOC_FILTER		_IOW(SCAP_IOC_MAGIC, 3, struct scap_filter_spec)
#define SCAP_IOC_TREE_ADD	_IOW(SCAP_IOC_MAGIC, 4, __u32)	/* a tgid, with its descendants;
								   -ESRCH: there is none */
#define SCAP_IOC_START		_IO(SCAP_IOC_MAGIC, 5)
#define SCAP_IOC_STOP		_IO(SCAP_IOC_MAGIC, 6)	/* returns when no probe writes any more */
#define SCAP_IOC_FLUSH		_IO(SCAP_IOC_MAGIC, 7)	/* write pending GAPs where there is room */
#define SCAP_IOC_WATERMARK	_IOR(SCAP_IOC_MAGIC, 8, struct scap_watermark)
#define SCAP_IOC_CLOCK		_IOR(SCAP_IOC_MAGIC, 9, struct scap_clock)
#define SCAP_IOC_STATS		_IOWR(SCAP_IOC_MAGIC, 10, struct scap_stats)
#define SCAP_IOC_SNAPLEN	_IOW(SCAP_IOC_MAGIC, 13, struct scap_snaplens)
#define SCAP_IOC_KEYFRAME	_IOWR(SCAP_IOC_MAGIC, 11, struct scap_keyframe)

/*
 * poll(): readable when a ring is a quarter full, or after STOP. A reader that wants records
 * sooner polls with a timeout.
 */

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif
#define SCAP_ASSERT_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), #type)
SCAP_ASSERT_SIZE(scap_rec, 16);
SCAP_ASSERT_SIZE(scap_rec_call, 32);
SCAP_ASSERT_SIZE(scap_rec_enter, 24);
SCAP_ASSERT_SIZE(scap_rec_intro, 120);
SCAP_ASSERT_SIZE(scap_rec_file, 48);
SCAP_ASSERT_SIZE(scap_sock, 56);
SCAP_ASSERT_SIZE(scap_rec_gap, 48);
SCAP_ASSERT_SIZE(scap_rec_key_task, 224);
SCAP_ASSERT_SIZE(scap_rec_key_fd, 56);
SCAP_ASSERT_SIZE(scap_rec_key_call, 96);
SCAP_ASSERT_SIZE(scap_rec_key_end, 64);
SCAP_ASSERT_SIZE(scap_tally, 8);
SCAP_ASSERT_SIZE(scap_blob, 8);
SCAP_ASSERT_SIZE(scap_scm, 24);
SCAP_ASSERT_SIZE(scap_scm_fd, 8);
SCAP_ASSERT_SIZE(scap_ring_ctl, 128);
SCAP_ASSERT_SIZE(scap_ring_pos, 64);
SCAP_ASSERT_SIZE(scap_clock, 32);
SCAP_ASSERT_SIZE(scap_info, 64);
SCAP_ASSERT_SIZE(scap_setup, 56);
SCAP_ASSERT_SIZE(scap_snaplens, 24);
SCAP_ASSERT_SIZE(scap_filter_spec, 416);
SCAP_ASSERT_SIZE(scap_watermark, 16);
SCAP_ASSERT_SIZE(scap_stats, 40);
SCAP_ASSERT_SIZE(scap_keyframe, 48);

#include "abi_events.h"

#endif
