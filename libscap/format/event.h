/* SPDX-License-Identifier: MIT */
/* The decoded view of one record, shared by reader, filter and printing. */
#ifndef SCAP_FORMAT_EVENT_H
#define SCAP_FORMAT_EVENT_H

#include <scap/abi.h>
#include <scap/event.h>

#include "table.h"

struct scap__blob {
	uint8_t slot, state;
	uint32_t bytes, orig_bytes;	/* SCAP_LEN_UNKNOWN: not known */
	const uint8_t *data;
};

/* From INTRO. */
struct scap__thread {
	uint32_t tid, tgid, ppid, vtid, vtgid, uid, euid, gid, egid, thread_flags;
	uint64_t start_ns, cgroup_id;
	char comm[17];
	uint32_t ns_pid, ns_mnt, ns_net, ns_user, ns_uts, ns_ipc, ns_cgroup, ns_time;
	const char *root;	/* its root directory; NULL: the mount tree's */
	uint32_t root_bytes;
	uint8_t root_state;	/* SCAP_STATE_* */
};

/* How a file's path relates to the thread that uses it. */
enum scap__seen {
	SCAP__SEEN_TREE,	/* the path in the mount tree */
	SCAP__SEEN_BELOW_ROOT,	/* the thread's root has been taken off: as the thread sees it */
	SCAP__SEEN_OUTSIDE,	/* not below the thread's root, or in another mount namespace */
};

/* From FILE. */
struct scap__file {
	uint32_t cookie, mode, dev, mnt_id, ns_mnt;
	uint16_t kind;		/* SCAP_KIND_* */
	uint8_t flags;		/* SCAP_FILE_* */
	uint64_t ino;
	struct scap_sock sock;	/* for socket kinds */
	const char *path;	/* NULL: none. Sockets: NULL (see sock). NUL-terminated as the
				   reader gives it; straight from scap__event_decode it is not */
	uint32_t path_bytes;
	uint8_t path_state;	/* SCAP_STATE_* */
	uint8_t seen;		/* SCAP__SEEN_* */
	const uint8_t *sun_local, *sun_remote;	/* unix: sock.local_len, sock.remote_len bytes */
};

/* From EXEC. */
struct scap__exec {
	uint32_t old_tid, exe_mode, exe_uid, exe_gid, argc, envc;
	uint64_t exe_size, cgroup_id;
	int64_t exe_ctime_ns, exe_mtime_ns;
	struct scap_ids before, ids;
	struct scap_caps caps;
	struct scap_namespaces ns;
	uint32_t loginuid, sessionid, sid, pgid, tty;
};

/* From all the others that are no calls; what the type does not have is 0. */
struct scap__event {
	uint32_t late_ns;
	uint32_t target_tid, target_tgid;	/* of SWITCH: the next one; of OOM: the victim */
	uint64_t target_start_ns;
	int32_t signo, code;			/* signals */
	uint64_t value, handler;
	uint32_t sa_flags;
	uint8_t value_kind, result, action;
	uint64_t vm_kib, anon_kib, file_kib, shmem_kib;	/* OOM */
	uint32_t uid;
	int32_t score_adj;
	uint64_t taints;			/* MODULE */
	char name[57];				/* MODULE; OOM: the victim's comm */
	uint64_t cgroup_id;			/* CGROUP */
	uint32_t hierarchy;
	uint32_t state;				/* SWITCH */
	uint64_t address, ip;			/* FAULT */
	uint32_t error;
};

/* From KEY_TASK. */
struct scap__key_task {
	struct scap__thread who;
	uint32_t suid, sgid, fsuid, fsgid;
	uint64_t cap_effective, cap_permitted, cap_inheritable, cap_bounding, cap_ambient;
	uint32_t loginuid, audit_session, session, pgrp, tty, exit_code, exe_cookie;
	uint64_t table;
	uint32_t n_threads;
	char state;
	uint8_t cwd_flags, root_flags;	/* SCAP_FILE_* */
};

struct scap_event {
	uint64_t num;
	uint64_t raw_ns, wall_ns;
	uint32_t cpu;
	uint32_t ring;		/* cpu * SCAP_LANES + lane */
	uint32_t seq;
	uint8_t type;		/* SCAP_REC_* */
	uint8_t flags;		/* SCAP_CALL_* or as the type says */
	uint8_t more;		/* SCAP_MORE_* */
	uint8_t abi;
	uint8_t nargs;
	uint8_t n_blobs;
	bool in_keyframe;
	uint32_t tid;
	int64_t nr;		/* INT64_MIN: not a call */
	const struct scap__syscall *sc;	/* NULL: no row, or not a call */
	int64_t ret;
	uint64_t latency_ns;	/* SCAP_LATENCY_NONE */
	uint32_t cookie, cookie2;
	uint64_t args[6];
	struct scap__blob blobs[SCAP_SLOTS];	/* n_blobs of them, ascending slot */
	const struct scap__thread *thread;	/* NULL: not introduced */
	const struct scap__file *file, *file2;	/* NULL: none or not introduced */
	struct scap__file as_seen[2];	/* what these point to where the thread sees less */
	union {
		struct {
			uint32_t tgid, child_tid, child_tgid, child_vtid, n_levels;
			int32_t exit_signal;
			uint64_t child_start_ns, clone_flags;
			uint32_t child_ids[SCAP_PID_LEVELS];
		} fork;
		struct scap__exec exec;
		struct {
			uint32_t status, group_dead, group_status;
			uint64_t start_ns, max_rss_kib;
			struct scap_usage thread, process;
		} exit;
		struct scap__event event;
		struct {
			uint64_t first_ns, last_ns;
			uint32_t first_seq, n_lost, n_tally;
			bool unexplained;	/* found by the reader: no record says this */
			bool at_end;	/* but the end of what was cut out of a ring does */
			const uint8_t *tally;	/* n_tally struct scap_tally, little-endian */
		} gap;
		struct scap__thread intro;
		struct scap__file file_rec;
		struct scap__key_task key_task;		/* begins as intro does */
		struct {
			uint64_t start_ns, table, pos;
			uint32_t fd, open_flags;
		} key_fd;
		struct { uint64_t start_ns, enter_ns; } key_call;
		struct {
			uint32_t n_tasks, n_fds, n_files, n_calls, n_gone, n_changed;
			uint64_t begin_ns, busy_ns, lock_max_ns;
		} key_end;
	} u;
	const uint8_t *rec;	/* the record itself */
	uint32_t rec_bytes;
	char name_buf[32];	/* for names made up: syscall_999 */
};

/*
 * Decodes one record of exactly n bytes (little-endian, as on disk). Fills everything but num,
 * wall_ns, cpu, ring, thread, file, file2. 0; 1: a type this library does not know (only type, seq,
 * raw_ns are filled); SCAP_EDAMAGED with *ret_what a static text.
 */
int scap__event_decode(const uint8_t *rec, size_t n, struct scap_event *ev, const char **ret_what);
/* An event of which nothing is known but its type, ABI and number. */
void scap__event_of_kind(struct scap_event *ev, unsigned type, unsigned abi, int64_t nr);
const struct scap__blob *scap__event_blob(const struct scap_event *ev, unsigned slot);

#endif
