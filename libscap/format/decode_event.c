/* SPDX-License-Identifier: MIT */
/* Events that are no calls: driver/uapi/scap/abi_events.h describes them. */
#include "format/decode.h"

#include <string.h>

/* ---- processes ----------------------------------------------------------------------------- */

static int decode_fork(struct scap__bytes *b, struct scap_event *ev)
{
	ev->tid = scap__get_u32(b);
	ev->u.fork.tgid = scap__get_u32(b);
	ev->u.fork.child_tid = scap__get_u32(b);
	ev->u.fork.child_tgid = scap__get_u32(b);
	ev->u.fork.child_start_ns = scap__get_u64(b);
	ev->u.fork.clone_flags = scap__get_u64(b);
	ev->u.fork.exit_signal = (int32_t)scap__get_u32(b);
	ev->u.fork.child_vtid = scap__get_u32(b);
	ev->u.fork.n_levels = scap__get_u32(b);
	scap__get_u32(b);
	for (unsigned i = 0; i < SCAP_PID_LEVELS; i++)
		ev->u.fork.child_ids[i] = scap__get_u32(b);
	return 0;
}

/* A structure of nothing but 32-bit, or 64-bit, numbers. */
static void get_u32s(struct scap__bytes *b, void *to, size_t bytes)
{
	uint32_t *words = to;

	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = scap__get_u32(b);
}

static void get_u64s(struct scap__bytes *b, void *to, size_t bytes)
{
	uint64_t *words = to;

	for (size_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = scap__get_u64(b);
}

static int decode_exec(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	struct scap__exec *x = &ev->u.exec;

	ev->tid = scap__get_u32(b);
	x->old_tid = scap__get_u32(b);
	ev->cookie = scap__get_u32(b);
	x->exe_mode = scap__get_u32(b);
	x->exe_size = scap__get_u64(b);
	x->exe_ctime_ns = (int64_t)scap__get_u64(b);
	x->exe_mtime_ns = (int64_t)scap__get_u64(b);
	x->exe_uid = scap__get_u32(b);
	x->exe_gid = scap__get_u32(b);
	x->argc = scap__get_u32(b);
	x->envc = scap__get_u32(b);
	get_u32s(b, &x->before, sizeof(x->before));
	get_u32s(b, &x->ids, sizeof(x->ids));
	get_u64s(b, &x->caps, sizeof(x->caps));
	get_u32s(b, &x->ns, sizeof(x->ns));
	x->loginuid = scap__get_u32(b);
	x->sessionid = scap__get_u32(b);
	x->sid = scap__get_u32(b);
	x->pgid = scap__get_u32(b);
	x->tty = scap__get_u32(b);
	scap__get_u32(b);
	x->cgroup_id = scap__get_u64(b);
	return scap__decode_blobs(b, ev, ret_what);
}

static int decode_exit(struct scap__bytes *b, struct scap_event *ev)
{
	ev->tid = scap__get_u32(b);
	ev->u.exit.status = scap__get_u32(b);
	ev->u.exit.start_ns = scap__get_u64(b);
	ev->u.exit.group_dead = scap__get_u32(b);
	ev->u.exit.group_status = scap__get_u32(b);
	get_u64s(b, &ev->u.exit.thread, sizeof(ev->u.exit.thread));
	get_u64s(b, &ev->u.exit.process, sizeof(ev->u.exit.process));
	ev->u.exit.max_rss_kib = scap__get_u64(b);
	return 0;
}

/* ---- the others ---------------------------------------------------------------------------- */

static void get_target(struct scap__bytes *b, struct scap__event *e)
{
	e->target_tid = scap__get_u32(b);
	e->target_tgid = scap__get_u32(b);
	e->target_start_ns = scap__get_u64(b);
}

static void decode_signal(struct scap__bytes *b, struct scap__event *e)
{
	get_target(b, e);
	e->signo = (int32_t)scap__get_u32(b);
	e->code = (int32_t)scap__get_u32(b);
	e->value = scap__get_u64(b);
	e->value_kind = scap__get_u8(b);
	e->result = scap__get_u8(b);
	scap__take(b, 6);
}

static void decode_sigdeliver(struct scap__bytes *b, struct scap__event *e)
{
	e->signo = (int32_t)scap__get_u32(b);
	e->code = (int32_t)scap__get_u32(b);
	e->value = scap__get_u64(b);
	e->handler = scap__get_u64(b);
	e->sa_flags = scap__get_u32(b);
	e->value_kind = scap__get_u8(b);
	e->action = scap__get_u8(b);
	scap__take(b, 2);
}

/* A name that need not have its NUL. */
static void get_name(struct scap__bytes *b, struct scap__event *e, size_t bytes)
{
	const uint8_t *p = scap__take(b, bytes);

	if (p)
		memcpy(e->name, p, bytes);
}

static void decode_oom(struct scap__bytes *b, struct scap__event *e)
{
	get_target(b, e);
	e->vm_kib = scap__get_u64(b);
	e->anon_kib = scap__get_u64(b);
	e->file_kib = scap__get_u64(b);
	e->shmem_kib = scap__get_u64(b);
	e->uid = scap__get_u32(b);
	e->score_adj = (int32_t)scap__get_u32(b);
	get_name(b, e, 16);
}

static void decode_module(struct scap__bytes *b, struct scap__event *e)
{
	e->taints = scap__get_u64(b);
	get_name(b, e, 56);
}

static void decode_cgroup(struct scap__bytes *b, struct scap__event *e)
{
	get_target(b, e);
	e->cgroup_id = scap__get_u64(b);
	e->hierarchy = scap__get_u32(b);
	scap__get_u32(b);
}

static void decode_switch(struct scap__bytes *b, struct scap__event *e)
{
	e->target_tid = scap__get_u32(b);
	e->target_tgid = scap__get_u32(b);
	e->state = scap__get_u32(b);
	scap__get_u32(b);
}

static void decode_wake(struct scap__bytes *b, struct scap__event *e)
{
	e->target_tid = scap__get_u32(b);
	e->target_tgid = scap__get_u32(b);
}

static void decode_fault(struct scap__bytes *b, struct scap__event *e)
{
	e->address = scap__get_u64(b);
	e->ip = scap__get_u64(b);
	e->error = scap__get_u32(b);
	scap__get_u32(b);
}

int scap__decode_event(struct scap__bytes *b, struct scap_event *ev, const char **ret_what)
{
	static void (*const bodies[SCAP_REC_TYPES])(struct scap__bytes *, struct scap__event *) = {
		[SCAP_REC_SIGNAL] = decode_signal,
		[SCAP_REC_SIGDELIVER] = decode_sigdeliver,
		[SCAP_REC_OOM] = decode_oom,
		[SCAP_REC_MODULE] = decode_module,
		[SCAP_REC_CGROUP] = decode_cgroup,
		[SCAP_REC_SWITCH] = decode_switch,
		[SCAP_REC_WAKE] = decode_wake,
		[SCAP_REC_FAULT] = decode_fault,
	};

	switch (ev->type) {
	case SCAP_REC_FORK:
		return decode_fork(b, ev);
	case SCAP_REC_EXEC:
		return decode_exec(b, ev, ret_what);
	case SCAP_REC_EXIT:
		return decode_exit(b, ev);
	}
	if (!bodies[ev->type])
		return 1;
	memset(&ev->u.event, 0, sizeof(ev->u.event));
	ev->tid = scap__get_u32(b);
	ev->u.event.late_ns = scap__get_u32(b);
	bodies[ev->type](b, &ev->u.event);
	return ev->type == SCAP_REC_CGROUP ? scap__decode_blobs(b, ev, ret_what) : 0;
}
