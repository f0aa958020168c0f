/* SPDX-License-Identifier: MIT */
/* Who there is: threads, and what belongs to their processes. Followed through the events. */
#include "savefile/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/value.h"

struct scap__export_task *scap__export_task(const struct scap_export *x, uint32_t tid)
{
	return tid ? scap__map_get(&x->tasks, tid) : NULL;
}

static int list_task(struct scap_export *x, struct scap__export_task *t)
{
	if (x->n_tasks == x->tasks_cap) {
		uint32_t cap = x->tasks_cap ? x->tasks_cap * 2 : 256;
		void *list = realloc(x->task_list, cap * sizeof(*x->task_list));

		if (!list)
			return -ENOMEM;
		x->task_list = list;
		x->tasks_cap = cap;
	}
	x->task_list[x->n_tasks++] = t;
	return 0;
}

int scap__export_task_get(struct scap_export *x, uint32_t tid, struct scap__export_task **ret)
{
	struct scap__export_task *t = scap__export_task(x, tid);
	void *p;
	int rc;

	if (!tid)
		return -EINVAL;
	if (!t) {
		rc = scap__arena_get(&x->arena, sizeof(*t), &p);
		if (rc)
			return rc;
		t = p;
		t->tid = t->tgid = tid;
		t->loginuid = UINT32_MAX;
		rc = list_task(x, t);
		if (!rc)
			rc = scap__map_set(&x->tasks, tid, t);
		if (rc)
			return rc;
	}
	*ret = t;
	return 0;
}

int scap__export_text_set(struct scap_export *x, struct scap__export_text *t, const void *s,
			  size_t n, size_t max)
{
	void *p = NULL;
	int rc;

	if (n > max)
		n = max;
	if (s && n) {
		rc = scap__alloc(&x->budget, n, &p);
		if (rc)
			return rc;
		memcpy(p, s, n);
	}
	scap__free(&x->budget, t->p, t->n);
	*t = (struct scap__export_text){ p, p ? (uint32_t)n : 0 };
	return 0;
}

static struct scap__export_text *texts_of(struct scap__export_task *t, unsigned i)
{
	struct scap__export_text *texts[] = {
		&t->exe_path, &t->args, &t->cwd, &t->root, &t->cgroup, &t->env,
	};

	return i < sizeof(texts) / sizeof(texts[0]) ? texts[i] : NULL;
}

static void clear_texts(struct scap_export *x, struct scap__export_task *t)
{
	struct scap__export_text *text;

	for (unsigned i = 0; (text = texts_of(t, i)); i++)
		scap__export_text_set(x, text, NULL, 0, 0);
}

void scap__export_tasks_fini(struct scap_export *x)
{
	for (uint32_t i = 0; i < x->n_tasks; i++)
		clear_texts(x, x->task_list[i]);
	free(x->task_list);
	x->task_list = NULL;
	x->n_tasks = 0;
}

/* ---- the changes --------------------------------------------------------------------------- */

static int inherit(struct scap_export *x, struct scap__export_task *child,
		   struct scap__export_task *parent)
{
	struct scap__export_text *to, *from;
	int rc = 0;

	child->session = parent->session;
	child->pgrp = parent->pgrp;
	child->tty = parent->tty;
	child->loginuid = parent->loginuid;
	child->cap_inheritable = parent->cap_inheritable;
	child->cap_permitted = parent->cap_permitted;
	child->cap_effective = parent->cap_effective;
	child->exe_ino = parent->exe_ino;
	child->exe_ctime_ns = parent->exe_ctime_ns;
	child->exe_mtime_ns = parent->exe_mtime_ns;
	child->exec_flags = parent->exec_flags;
	for (unsigned i = 0; !rc && (to = texts_of(child, i)); i++) {
		from = texts_of(parent, i);
		rc = scap__export_text_set(x, to, from->p, from->n, SCAP__EXPORT_ARGS_MAX);
	}
	return rc;
}

static int follow_fork(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_task *child, *parent = scap__export_task(x, ev->u.fork.tgid);
	int rc = scap__export_task_get(x, ev->u.fork.child_tid, &child);

	if (rc)
		return rc;
	child->tgid = ev->u.fork.child_tgid;
	child->clone_flags = scap__export_flags(SCAP__EXPORT_D_CLONE, ev->u.fork.clone_flags);
	clear_texts(x, child);
	if (child->tgid != child->tid || !parent || parent == child)
		return 0;
	return inherit(x, child, parent);
}

#define CGROUP_PREFIX "memory="

/* They have a path for each hierarchy, by one of its controllers. */
int scap__export_set_cgroup(struct scap_export *x, struct scap__export_task *t, const char *path,
		      size_t n)
{
	char text[sizeof(CGROUP_PREFIX) + SCAP__EXPORT_PATH_MAX + 1] = CGROUP_PREFIX;
	size_t at = sizeof(CGROUP_PREFIX) - 1;

	if (n > SCAP__EXPORT_PATH_MAX)
		n = SCAP__EXPORT_PATH_MAX;
	memcpy(text + at, path, n);
	text[at + n] = 0;
	return scap__export_text_set(x, &t->cgroup, text, at + n + 1, sizeof(text));
}

static uint32_t exec_flags(uint8_t ours)
{
	return (ours & SCAP_EXEC_WRITABLE ? 1 : 0) | (ours & SCAP_EXEC_UPPER_LAYER ? 2 : 0) |
	       (ours & SCAP_EXEC_MEMFD ? 4 : 0) |
	       ((ours & SCAP_EXEC_OVERLAY) && !(ours & SCAP_EXEC_UPPER_LAYER) ? 8 : 0);
}

static int exec_texts(struct scap_export *x, const struct scap_event *ev,
		      struct scap__export_task *t)
{
	const struct scap__blob *argv = scap__event_blob(ev, SCAP_SLOT_ARGV);
	const struct scap__blob *env = scap__event_blob(ev, SCAP_SLOT_ENV);
	const struct scap__blob *cgroup = scap__event_blob(ev, SCAP_SLOT_CGROUP);
	const struct scap__file *f = ev->file;
	int rc;

	rc = scap__export_text_set(x, &t->args, argv ? argv->data : NULL, argv ? argv->bytes : 0,
				   SCAP__EXPORT_ARGS_MAX);
	if (!rc)
		rc = scap__export_text_set(x, &t->env, env ? env->data : NULL,
					   env ? env->bytes : 0, SCAP__EXPORT_ARGS_MAX);
	if (!rc)
		rc = scap__export_text_set(x, &t->exe_path, f ? f->path : NULL,
					   f && f->path ? f->path_bytes : 0,
					   SCAP__EXPORT_PATH_MAX);
	if (!rc && cgroup)
		rc = scap__export_set_cgroup(x, t, (const char *)cgroup->data, cgroup->bytes);
	return rc;
}

static int follow_exec(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__exec *e = &ev->u.exec;
	struct scap__export_task *t;
	int rc = scap__export_task_get(x, ev->tid, &t);

	if (rc)
		return rc;
	t->session = e->sid;
	t->pgrp = e->pgid;
	t->tty = e->tty;
	t->loginuid = e->loginuid;
	t->cap_inheritable = e->caps.inheritable;
	t->cap_permitted = e->caps.permitted;
	t->cap_effective = e->caps.effective;
	t->exe_ino = ev->file ? ev->file->ino : 0;
	t->exe_ctime_ns = (uint64_t)e->exe_ctime_ns;
	t->exe_mtime_ns = (uint64_t)e->exe_mtime_ns;
	t->exec_flags = exec_flags(ev->flags);
	return exec_texts(x, ev, t);
}

static int follow_cgroup(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__blob *b = scap__event_blob(ev, SCAP_SLOT_CGROUP);
	struct scap__export_task *t = scap__export_task(x, ev->u.event.target_tgid);

	if (!b || !t || ev->u.event.hierarchy)
		return 0;
	return scap__export_set_cgroup(x, t, (const char *)b->data, b->bytes);
}

static void follow_ids(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_task *t = scap__export_task(x, ev->thread ? ev->thread->tgid : ev->tid);
	uint32_t pid = (uint32_t)scap_event_arg(ev, 0), pgid = (uint32_t)scap_event_arg(ev, 1);

	if (ev->ret < 0 || !ev->sc)
		return;
	if (t && !strcmp(ev->sc->row, "setsid")) {
		t->session = t->pgrp = t->tid;
		t->tty = 0;
	} else if (!strcmp(ev->sc->row, "setpgid") && ev->ret == 0) {
		t = pid ? scap__export_task(x, pid) : t;
		if (t)
			t->pgrp = pgid ? pgid : t->tid;
	}
}

static void follow_signal(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_sent *s = &x->sent[x->next_sent++ % SCAP__EXPORT_SENT];

	s->target = ev->u.event.target_tgid;
	s->signo = ev->u.event.signo;
	s->sender = ev->flags & SCAP_EVENT_IRQ ? 0 : ev->thread ? ev->thread->tgid : ev->tid;
}

int scap__export_follow(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_task *t;
	int rc = 0;

	switch (ev->type) {
	case SCAP_REC_FORK: rc = follow_fork(x, ev); break;
	case SCAP_REC_EXEC: rc = follow_exec(x, ev); break;
	case SCAP_REC_CGROUP: rc = follow_cgroup(x, ev); break;
	case SCAP_REC_SIGNAL: follow_signal(x, ev); break;
	case SCAP_REC_CALL: follow_ids(x, ev); break;
	case SCAP_REC_EXIT:
		t = scap__export_task(x, ev->thread ? ev->thread->tgid : ev->tid);
		if (t && ev->u.exit.group_dead)
			clear_texts(x, t);
		break;
	}
	/* What does not fit into the limit is told without those names. */
	return rc == SCAP_ELIMIT || rc == -EINVAL ? 0 : rc;
}
