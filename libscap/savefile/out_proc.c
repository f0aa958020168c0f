/* SPDX-License-Identifier: MIT */
/* What is said of a process where it is made, or has a new program. */
#include "savefile/out.h"

#include <string.h>

#define CLONE_CHILD_IN_PIDNS 0x20000000u

/* argv as they have it: the first string, then the others. */
static void put_args(struct scap_export *x, const struct scap__export_text *argv)
{
	size_t n = argv && argv->p ? argv->n : 0;
	size_t first = n ? strnlen(argv->p, n) : 0;
	size_t rest = first < n ? first + 1 : n;

	scap__export_put_text(&x->params, n ? argv->p : "", first, SCAP__EXPORT_ARGS_MAX);
	scap__export_put(&x->params, n ? argv->p + rest : NULL, n - rest);
}

static void put_ids(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__thread *t = ev->thread;

	scap__export_put_u64(&x->params, ev->tid);
	scap__export_put_u64(&x->params, t ? t->tgid : ev->tid);
	scap__export_put_u64(&x->params, t ? t->ppid : 0);
}

/* The working directory, which they keep themselves; limits, faults and sizes: not recorded. */
static void put_unrecorded(struct scap_export *x)
{
	scap__export_put_text(&x->params, "", 0, 1);
	for (unsigned i = 0; i < 3; i++)
		scap__export_put_u64(&x->params, 0);
	for (unsigned i = 0; i < 3; i++)
		scap__export_put_u32(&x->params, 0);
}

static void put_comm(struct scap_export *x, const struct scap_event *ev)
{
	const char *comm = ev->thread ? ev->thread->comm : "";

	scap__export_put_text(&x->params, comm, strlen(comm), sizeof(ev->thread->comm));
}

static void put_text(struct scap_export *x, const struct scap__export_text *t)
{
	scap__export_put(&x->params, t ? t->p : NULL, t && t->p ? t->n : 0);
}

static struct scap__export_task *process_of(const struct scap_export *x,
					    const struct scap_event *ev)
{
	return scap__export_task(x, ev->thread ? ev->thread->tgid : ev->tid);
}

static uint32_t clone_flags(const struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__export_task *child;
	const struct scap__blob *b = scap__event_blob(ev, 0);
	uint64_t flags = 0;

	child = scap__export_task(x, ev->ret > 0 ? (uint32_t)ev->ret : ev->tid);
	if (child && child->clone_flags)
		return child->clone_flags;
	if (b && b->bytes >= 8 && ev->sc && !strcmp(ev->sc->row, "clone3"))
		flags = scap__le64(b->data);
	else if (ev->sc && !strncmp(ev->sc->row, "clone", 5) && strcmp(ev->sc->row, "clone3"))
		flags = scap_event_arg(ev, 0) & ~0xffull;	/* without the signal */
	return scap__export_flags(SCAP__EXPORT_D_CLONE, flags);
}

void scap__export_put_clone(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__export_task *me = process_of(x, ev);
	const struct scap__thread *t = ev->thread;
	uint32_t flags = clone_flags(x, ev);

	if (t && t->vtid != t->tid)
		flags |= CLONE_CHILD_IN_PIDNS;
	scap__export_put_u64(&x->params, (uint64_t)ev->ret);
	put_args(x, me ? &me->args : NULL);
	put_ids(x, ev);
	put_unrecorded(x);
	put_comm(x, ev);
	put_text(x, me ? &me->cgroup : NULL);
	scap__export_put_u32(&x->params, flags);
	scap__export_put_u32(&x->params, t ? t->euid : UINT32_MAX);
	scap__export_put_u32(&x->params, t ? t->egid : UINT32_MAX);
	scap__export_put_u64(&x->params, t ? t->vtid : ev->tid);
	scap__export_put_u64(&x->params, t ? t->vtgid : ev->tid);
	if (x->profile == SCAP_EXPORT_FALCO)
		scap__export_put_u64(&x->params, 0);	/* start of the pid namespace */
}

/* What they have got since. */
static void put_exec_more(struct scap_export *x, const struct scap_event *ev,
			  const struct scap__export_task *me)
{
	const struct scap__thread *t = ev->thread;

	scap__export_put_u64(&x->params, me ? me->cap_inheritable : 0);
	scap__export_put_u64(&x->params, me ? me->cap_permitted : 0);
	scap__export_put_u64(&x->params, me ? me->cap_effective : 0);
	scap__export_put_u64(&x->params, me ? me->exe_ino : 0);
	scap__export_put_u64(&x->params, me ? me->exe_ctime_ns : 0);
	scap__export_put_u64(&x->params, me ? me->exe_mtime_ns : 0);
	scap__export_put_u32(&x->params, t ? t->euid : UINT32_MAX);
	if (me && me->exe_path.p)
		scap__export_put_text(&x->params, me->exe_path.p, me->exe_path.n,
				      SCAP__EXPORT_PATH_MAX + 1);
	else
		scap__export_put(&x->params, NULL, 0);
	scap__export_put_u64(&x->params, me ? me->pgrp : 0);
	scap__export_put_u32(&x->params, t ? t->egid : UINT32_MAX);
}

/* The arguments of a call that failed: what it asked for. */
static struct scap__export_text asked_args(const struct scap_event *ev)
{
	const struct scap__blob *b = NULL;

	for (unsigned i = 0; ev->sc && i < ev->sc->nargs; i++)
		if (ev->sc->args[i].role == SCAP_ROLE_ARGV)
			b = scap__event_blob(ev, i);
	if (!b)
		b = scap__event_blob(ev, SCAP_SLOT_FILENAME);
	return (struct scap__export_text){ b ? (char *)b->data : NULL,
		b && b->bytes > SCAP__EXPORT_ARGS_MAX ? SCAP__EXPORT_ARGS_MAX : b ? b->bytes : 0 };
}

void scap__export_put_exec(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__export_task *me = process_of(x, ev);
	struct scap__export_text asked = asked_args(ev);
	bool done = ev->ret == 0 && me;

	scap__export_put_u64(&x->params, (uint64_t)ev->ret);
	put_args(x, done && me->args.p ? &me->args : &asked);
	put_ids(x, ev);
	put_unrecorded(x);
	put_comm(x, ev);
	put_text(x, me ? &me->cgroup : NULL);
	put_text(x, done ? &me->env : NULL);
	scap__export_put_u32(&x->params, me ? scap__export_dev(me->tty) : 0);
	scap__export_put_u64(&x->params, me ? me->pgrp : 0);
	scap__export_put_u32(&x->params, me ? me->loginuid : UINT32_MAX);
	scap__export_put_u32(&x->params, done ? me->exec_flags : 0);
	if (x->profile == SCAP_EXPORT_FALCO)
		put_exec_more(x, ev, me);
}
