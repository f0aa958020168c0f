/* SPDX-License-Identifier: MIT */
/*
 * What the parts of an exporter share. An event goes through: the tables (which event of theirs,
 * which parameters), the parameters (bytes), a block, the order, gzip, the sink.
 */
#ifndef SCAP_SAVEFILE_OUT_H
#define SCAP_SAVEFILE_OUT_H

#include <scap/export.h>
#include <zlib.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "core/map.h"
#include "format/event.h"
#include "format/writer.h"

/* ---- the tables ---------------------------------------------------------------------------- */

enum scap__export_domain {
#define SCAP_EXPORT_DOMAIN(name, kind, keep) SCAP__EXPORT_D_##name,
#define SCAP_EXPORT_FLAG(name, ours, theirs)
#include "out_flags.def"
#undef SCAP_EXPORT_DOMAIN
#undef SCAP_EXPORT_FLAG
	SCAP__EXPORT_D_NUMBER
};

enum scap__export_kind {
	SCAP__EXPORT_END,	/* no further parameter */
	SCAP__EXPORT_RES, SCAP__EXPORT_RES32, SCAP__EXPORT_GOT32,
	SCAP__EXPORT_FD, SCAP__EXPORT_PID, SCAP__EXPORT_I64, SCAP__EXPORT_U64,
	SCAP__EXPORT_I32, SCAP__EXPORT_U32, SCAP__EXPORT_U32AS64, SCAP__EXPORT_U16,
	SCAP__EXPORT_U8, SCAP__EXPORT_SIG, SCAP__EXPORT_POS, SCAP__EXPORT_HILO,
	SCAP__EXPORT_F8, SCAP__EXPORT_F16, SCAP__EXPORT_F32, SCAP__EXPORT_OPENF,
	SCAP__EXPORT_CREATE,
	SCAP__EXPORT_PATH, SCAP__EXPORT_STR, SCAP__EXPORT_FILENAME, SCAP__EXPORT_DATA,
	SCAP__EXPORT_IOSIZE, SCAP__EXPORT_ADDR, SCAP__EXPORT_OUTBOUND, SCAP__EXPORT_INBOUND,
	SCAP__EXPORT_FDS_IN, SCAP__EXPORT_FDS_OUT, SCAP__EXPORT_TIME, SCAP__EXPORT_SIGSET,
	SCAP__EXPORT_GOTU32, SCAP__EXPORT_GOTU64, SCAP__EXPORT_LIMIT, SCAP__EXPORT_FD0,
	SCAP__EXPORT_FD1, SCAP__EXPORT_HOW, SCAP__EXPORT_OPT, SCAP__EXPORT_DEV, SCAP__EXPORT_INO,
	SCAP__EXPORT_PEER, SCAP__EXPORT_WORD, SCAP__EXPORT_NAME,
	SCAP__EXPORT_CLONE, SCAP__EXPORT_EXEC,
	SCAP__EXPORT_Z8, SCAP__EXPORT_Z16, SCAP__EXPORT_Z32, SCAP__EXPORT_Z64, SCAP__EXPORT_NONE,
};

struct scap__export_param {
	uint8_t kind, arg, domain;
};

#define SCAP__EXPORT_ENTER_MAX 7
#define SCAP__EXPORT_EXIT_MAX 11

struct scap__export_row {
	const char *call;	/* its row of syscalls.def */
	uint8_t profiles;	/* bit by enum scap_export_profile */
	uint8_t n_old;		/* parameters of the exit in SCAP_EXPORT_SYSDIG */
	uint16_t enter, exit;	/* event types */
	struct scap__export_param in[SCAP__EXPORT_ENTER_MAX], out[SCAP__EXPORT_EXIT_MAX];
};

/* What a call becomes: found by names once, then kept. */
struct scap__export_kept {
	const struct scap__syscall *sc;	/* NULL: not looked for yet */
	const struct scap__export_row *row;
	uint16_t number;
};

#define SCAP__EXPORT_KEPT 1024	/* of two calls with the same place, the last one is kept */

/* NULL: they have nothing for it. */
const struct scap__export_row *scap__export_row(struct scap_export *x, const struct scap_event *ev);
/* Their number of the call; 0: none. */
uint16_t scap__export_call(struct scap_export *x, const struct scap_event *ev);
uint32_t scap__export_flags(unsigned domain, uint64_t ours);
uint32_t scap__export_open_flags(uint64_t ours);

/* Events that are not of the table of calls. */
#define SCAP__EXPORT_GENERIC_ENTER 0
#define SCAP__EXPORT_GENERIC_EXIT 1
#define SCAP__EXPORT_SWITCH 152
#define SCAP__EXPORT_PROCEXIT 186
#define SCAP__EXPORT_SIGNAL 232
#define SCAP__EXPORT_PAGE_FAULT 290
#define SCAP__EXPORT_EXECVE_EXIT 293

/* ---- processes ----------------------------------------------------------------------------- */

struct scap__export_text {
	char *p;		/* NULL: not known */
	uint32_t n;
};

/* A thread. What is of the process is at its leader. */
struct scap__export_task {
	uint32_t tid, tgid, ppid, vtid, vtgid, uid, gid;
	uint32_t session, pgrp, tty, loginuid;
	uint32_t clone_flags;	/* theirs, of the call that made it */
	uint64_t cap_inheritable, cap_permitted, cap_effective, cgroup_id;
	uint64_t exe_ino, exe_ctime_ns, exe_mtime_ns;
	uint32_t exec_flags;	/* theirs */
	bool listed;		/* it was there before the capture */
	bool guessed;		/* listed for another thread of the process */
	char comm[17];
	struct scap__export_text exe_path, args, env, cwd, root, cgroup;	/* args: argv */
};

struct scap__export_fd {
	struct scap__export_fd *next;
	uint64_t key;		/* tgid << 32 | fd + 1 */
	uint32_t open_flags;
	struct scap__file file;
};

/* Who sent a signal, until it is taken. */
struct scap__export_sent {
	uint32_t target, sender;
	int32_t signo;
};

#define SCAP__EXPORT_SENT 64

/* ---- parameters ---------------------------------------------------------------------------- */

#define SCAP__EXPORT_PARAMS_MAX 32
/* A block is at most 65544 bytes in all; heads and lengths take their part. */
#define SCAP__EXPORT_DATA_MAX 65000u

/* The parameters of one event; data and lengths. */
struct scap__export_params {
	unsigned n;
	uint32_t used;
	bool cut;
	uint16_t lens[SCAP__EXPORT_PARAMS_MAX];
	uint8_t data[SCAP__EXPORT_DATA_MAX];
};

/* A device number of ours as theirs. */
uint32_t scap__export_dev(uint32_t dev);

void scap__export_put(struct scap__export_params *p, const void *data, size_t n);
void scap__export_put_u8(struct scap__export_params *p, uint8_t v);
void scap__export_put_u16(struct scap__export_params *p, uint16_t v);
void scap__export_put_u32(struct scap__export_params *p, uint32_t v);
void scap__export_put_u64(struct scap__export_params *p, uint64_t v);
/* With a NUL, cut to at most max bytes in all. */
void scap__export_put_text(struct scap__export_params *p, const void *s, size_t n, size_t max);
/* Further bytes of the parameter put last. */
void scap__export_more(struct scap__export_params *p, const void *data, size_t n);

/* ---- the exporter -------------------------------------------------------------------------- */

/* A finished block that waits for its place. */
struct scap__export_held {
	uint64_t ns, order;
	uint8_t *block;
	uint32_t bytes;
	bool ahead;		/* told before its exit was met: the window does not count it */
};

struct scap_export {
	struct scap_error error;
	int failed;		/* the first error; 0: none */
	unsigned profile;
	uint32_t flags;
	struct scap_export_counts counts;

	struct scap__export_kept kept[SCAP__EXPORT_KEPT];

	/* The machine, from the capture. */
	uint32_t n_cpus;
	char hostname[128];

	/* Where blocks go. */
	struct scap_sink sink;
	z_stream gz;
	bool gz_open;
	uint64_t member_bytes;	/* uncompressed, in the member at hand */
	struct scap__buffer out;	/* gzip's output */
	struct scap__buffer block;	/* one of the blocks at the beginning */

	/* The order. */
	struct scap__export_held *heap;
	uint32_t n_heap, heap_cap;
	uint64_t held_bytes, window_bytes;
	uint64_t last_ns;	/* of the last block written */
	uint64_t next_order;

	/* What was learned. */
	bool begun;		/* the lists are written */
	struct scap__budget budget;
	struct scap__arena arena;
	struct scap__map tasks;		/* by tid: struct scap__export_task */
	struct scap__map born;		/* threads that FORK told of, by tid */
	struct scap__map fds;		/* by tgid << 32 | fd + 1; or a mark: opened since */
	struct scap__map cgroups;	/* by id: struct scap__export_text */
	struct scap__map enters;	/* by tid: an enter was written and no exit */
	struct scap__map ahead;		/* by event number: its enter is held already */
	uint64_t ahead_bytes, ahead_limit;
	struct scap__export_fd *fd_list;
	uint32_t n_fds;
	struct scap__buffer users;	/* entries of the user list */
	struct scap__export_task **task_list;
	uint32_t n_tasks, tasks_cap;
	struct scap__export_sent sent[SCAP__EXPORT_SENT];
	unsigned next_sent;

	struct scap__export_params params;
};

/* Records the first failure. */
int scap__export_fail(struct scap_export *x, int code, const char *what);

/* out_gzip.c */
int scap__export_gzip_open(struct scap_export *x);
int scap__export_write(struct scap_export *x, const void *data, size_t n);
/* Ends the member. */
int scap__export_gzip_close(struct scap_export *x);

/* out_block.c: blocks, and their order. */
struct scap__export_event {
	uint64_t ns, tid;
	uint32_t cpu;
	uint16_t type;
	bool state_only;
	bool early;		/* an enter: its time may lie before what is held back */
};
/* x->params as an event of theirs. */
int scap__export_emit(struct scap_export *x, const struct scap__export_event *e);
/* The same, to be written when its time comes; ahead: beside the window. */
int scap__export_hold(struct scap_export *x, const struct scap__export_event *e, bool ahead);
/* At most so many bytes will x->params take. */
uint32_t scap__export_block_bytes(const struct scap_export *x);
/* All that is held back. */
int scap__export_flush(struct scap_export *x);
/* x->block as a block of that type. */
int scap__export_block(struct scap_export *x, uint32_t type);

/* out_export.c */
/* The call's enter into x->params. False: it has none that could be told. */
bool scap__export_enter(struct scap_export *x, const struct scap_event *ev,
			const struct scap__export_row *row, uint32_t flags,
			struct scap__export_event *ret_e);
/* Whether readers learn from it who there is, or what a descriptor is. */
bool scap__export_changes_state(const struct scap_event *ev);

/* out_lists.c: what stands at the file's beginning. */
int scap__export_begin(struct scap_export *x);

/* out_param.c */
void scap__export_params_fill(struct scap_export *x, const struct scap_event *ev,
			      const struct scap__export_param *list, unsigned n);
/* out_sock.c */
void scap__export_put_addr(struct scap__export_params *p, const uint8_t *addr, size_t n);
void scap__export_put_tuple(struct scap__export_params *p, const struct scap__file *f,
			    bool inbound);

/* out_proc.c */
void scap__export_put_clone(struct scap_export *x, const struct scap_event *ev);
void scap__export_put_exec(struct scap_export *x, const struct scap_event *ev);

/* out_task.c: who there is. */
/* The process of that number, or NULL. */
struct scap__export_task *scap__export_task(const struct scap_export *x, uint32_t tid);
/* The same, made if there is none: 0 or an error. */
int scap__export_task_get(struct scap_export *x, uint32_t tid, struct scap__export_task **ret);
/* Copies at most max bytes. */
int scap__export_text_set(struct scap_export *x, struct scap__export_text *t, const void *s,
			  size_t n, size_t max);
int scap__export_set_cgroup(struct scap_export *x, struct scap__export_task *t, const char *path,
			    size_t n);
/* What an event changes. */
int scap__export_follow(struct scap_export *x, const struct scap_event *ev);
void scap__export_tasks_fini(struct scap_export *x);

/* Limits of the readers, on processes' strings. */
#define SCAP__EXPORT_PATH_MAX 1023u
#define SCAP__EXPORT_ARGS_MAX 4096u

#endif
