/* SPDX-License-Identifier: MIT */
/*
 * What was there before the capture: what keyframes tell, and what the first event that uses it
 * does. What the events themselves make (forks, opens) is not among it.
 */
#include "savefile/out.h"

#include <errno.h>
#include <string.h>

#include "filter/value.h"

/* Marks: a key that is there without a value would be none. */
static char opened;

static int learn_thread(struct scap_export *x, const struct scap__thread *who,
			struct scap__export_task **ret)
{
	struct scap__export_task *t;
	int rc = scap__export_task_get(x, who->tid, &t);

	if (rc)
		return rc;
	*ret = t;
	if (t->listed && !t->guessed)
		return 0;
	x->counts.n_tasks += !t->listed;
	t->listed = true;
	t->guessed = false;
	t->tgid = who->tgid;
	t->ppid = who->ppid;
	t->vtid = who->vtid;
	t->vtgid = who->vtgid;
	t->uid = who->euid;
	t->gid = who->egid;
	t->cgroup_id = who->cgroup_id;
	memcpy(t->comm, who->comm, sizeof(t->comm));
	return 0;
}

static bool is_born(const struct scap_export *x, uint32_t tid)
{
	return scap__map_get(&x->born, tid) != NULL;
}

/* Descriptors are listed with the first thread: until it shows itself, as one of the others. */
static int learn_process(struct scap_export *x, const struct scap__thread *who)
{
	struct scap__export_task *t = scap__export_task(x, who->tgid);
	struct scap__thread leader = *who;
	int rc;

	if (who->tid == who->tgid || !who->tgid || (t && t->listed) || is_born(x, who->tgid))
		return 0;
	leader.tid = who->tgid;
	leader.vtid = who->vtgid;
	rc = learn_thread(x, &leader, &t);
	if (!rc)
		t->guessed = true;
	return rc;
}

static int learn_blob(struct scap_export *x, const struct scap_event *ev, unsigned slot,
		      struct scap__export_text *to, size_t max)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);

	return b ? scap__export_text_set(x, to, b->data, b->bytes, max) : 0;
}

static int learn_task(struct scap_export *x, const struct scap_event *ev)
{
	const struct scap__key_task *k = &ev->u.key_task;
	const struct scap__file *exe = ev->file;
	struct scap__export_task *t;
	int rc;

	if (is_born(x, k->who.tid))
		return 0;
	rc = learn_thread(x, &k->who, &t);
	if (rc)
		return rc;
	t->session = k->session;
	t->pgrp = k->pgrp;
	t->tty = k->tty;
	t->loginuid = k->loginuid;
	t->cap_inheritable = k->cap_inheritable;
	t->cap_permitted = k->cap_permitted;
	t->cap_effective = k->cap_effective;
	t->exe_ino = exe ? exe->ino : 0;
	if (exe && exe->path)
		rc = scap__export_text_set(x, &t->exe_path, exe->path, exe->path_bytes,
					   SCAP__EXPORT_PATH_MAX);
	if (!rc)
		rc = learn_blob(x, ev, SCAP_SLOT_ARGV, &t->args, SCAP__EXPORT_ARGS_MAX);
	if (!rc)
		rc = learn_blob(x, ev, SCAP_SLOT_CWD, &t->cwd, SCAP__EXPORT_PATH_MAX);
	if (!rc)
		rc = learn_blob(x, ev, SCAP_SLOT_ROOT, &t->root, SCAP__EXPORT_PATH_MAX);
	return rc;
}

/* ---- descriptors --------------------------------------------------------------------------- */

static uint64_t fd_key(uint32_t tgid, int64_t fd)
{
	return (uint64_t)tgid << 32 | ((uint32_t)fd + 1);
}

/* A copy that lives as long as the exporter; NULL of NULL, or with *rc set. */
static const void *keep(struct scap_export *x, const void *from, size_t n, int *rc)
{
	void *p = NULL;

	if (!from || *rc)
		return NULL;
	*rc = scap__arena_get(&x->arena, n + 1, &p);
	return *rc ? NULL : memcpy(p, from, n);
}

static int copy_file(struct scap_export *x, struct scap__file *to, const struct scap__file *f)
{
	int rc = 0;

	*to = *f;
	to->path = keep(x, f->path, f->path_bytes, &rc);
	to->sun_local = keep(x, f->sun_local, f->sock.local_len, &rc);
	to->sun_remote = keep(x, f->sun_remote, f->sock.remote_len, &rc);
	return rc;
}

static int learn_fd(struct scap_export *x, uint32_t tgid, int64_t fd, const struct scap__file *f,
		    uint32_t open_flags)
{
	uint64_t key = fd_key(tgid, fd);
	struct scap__export_fd *entry;
	void *p;
	int rc;

	if (fd < 0 || !f || !tgid || is_born(x, tgid) || scap__map_get(&x->fds, key))
		return 0;
	rc = scap__arena_get(&x->arena, sizeof(*entry), &p);
	if (rc)
		return rc;
	entry = p;
	entry->key = key;
	entry->open_flags = open_flags;
	rc = copy_file(x, &entry->file, f);
	if (!rc)
		rc = scap__map_set(&x->fds, key, entry);
	if (rc)
		return rc;
	entry->next = x->fd_list;
	x->fd_list = entry;
	x->n_fds++;
	return 0;
}

static int mark_opened(struct scap_export *x, uint32_t tgid, int64_t fd)
{
	uint64_t key = fd_key(tgid, fd);

	if (fd < 0 || !tgid || is_born(x, tgid) || scap__map_get(&x->fds, key))
		return 0;
	return scap__map_set(&x->fds, key, &opened);
}

static int mark_pair(struct scap_export *x, const struct scap_event *ev, uint32_t tgid)
{
	const struct scap__blob *b;
	int rc = 0;

	for (unsigned i = 0; !rc && i < ev->sc->nargs; i++) {
		if (ev->sc->args[i].role != SCAP_ROLE_FD_PAIR)
			continue;
		b = scap__event_blob(ev, i);
		for (unsigned k = 0; !rc && b && b->bytes >= 8 && k < 2; k++)
			rc = mark_opened(x, tgid, (int32_t)scap__le32(b->data + k * 4));
	}
	return rc;
}

/* First what it uses, then what it makes: dup2 may do both to one number. */
static int learn_call(struct scap_export *x, const struct scap_event *ev)
{
	uint32_t tgid = ev->thread ? ev->thread->tgid : 0;
	int rc = 0;

	if (!ev->sc || !tgid || is_born(x, tgid))
		return 0;
	for (unsigned i = 0; !rc && i < ev->sc->nargs && i < ev->nargs; i++)
		if (scap__is_fd_role(ev->sc->args[i].role))
			rc = learn_fd(x, tgid, (int32_t)ev->args[i], scap__arg_file(ev, i), 0);
	if (!rc && ev->ret >= 0 && scap__returns_new_fd(ev))
		rc = mark_opened(x, tgid, ev->ret);
	return rc || ev->ret < 0 ? rc : mark_pair(x, ev, tgid);
}

/* ---- calls that take long ------------------------------------------------------------------- */

/* Shorter ones stay within the window. */
#define LONG_NS 10000000u

static bool is_long(const struct scap_export *x, const struct scap_event *ev)
{
	return x->profile == SCAP_EXPORT_SYSDIG && ev->latency_ns != SCAP_LATENCY_NONE &&
	       ev->latency_ns >= LONG_NS && ev->num && !scap__map_get(&x->ahead, ev->num);
}

/* Its enter can be put where it belongs now, as it is known before anything is written. */
static int learn_enter(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	const struct scap__export_row *row = scap__export_row(x, ev);
	struct scap__export_event e;
	uint32_t bytes;
	int rc;

	/* An exec's has a record of its own. */
	if (!is_long(x, ev) || (row && row->out[0].kind == SCAP__EXPORT_EXEC) ||
	    (flags & SCAP_EXPORT_STATE && !scap__export_changes_state(ev)) ||
	    !scap__export_enter(x, ev, row, flags, &e) || !e.early)
		return 0;
	bytes = scap__export_block_bytes(x);
	if (bytes > x->ahead_limit - x->ahead_bytes)
		return 0;
	rc = scap__map_set(&x->ahead, ev->num, x);
	if (rc)
		return rc;
	x->ahead_bytes += bytes;
	return scap__export_hold(x, &e, true);
}

/* ---- names --------------------------------------------------------------------------------- */

static int learn_cgroup(struct scap_export *x, const struct scap_event *ev, uint64_t id)
{
	const struct scap__blob *b = scap__event_blob(ev, SCAP_SLOT_CGROUP);
	struct scap__export_text *t;
	void *p;
	int rc;

	if (!id || !b || scap__map_get(&x->cgroups, id))
		return 0;
	rc = scap__arena_get(&x->arena, sizeof(*t) + b->bytes, &p);
	if (rc)
		return rc;
	t = p;
	t->p = (char *)(t + 1);
	t->n = b->bytes;
	memcpy(t->p, b->data, b->bytes);
	return scap__map_set(&x->cgroups, id, t);
}

static int learn(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	struct scap__export_task *t;
	int rc = 0;

	if (ev->in_keyframe && ev->type == SCAP_REC_KEY_TASK)
		return learn_task(x, ev);
	if (ev->in_keyframe && ev->type == SCAP_REC_KEY_FD)
		return learn_fd(x, ev->thread ? ev->thread->tgid : 0, ev->u.key_fd.fd, ev->file,
				ev->u.key_fd.open_flags);
	if (ev->in_keyframe || ev->type == SCAP_REC_FILE || ev->type == SCAP_REC_GAP)
		return 0;
	if (ev->thread && !is_born(x, ev->tid))
		rc = learn_thread(x, ev->thread, &t);
	if (!rc && ev->thread)
		rc = learn_process(x, ev->thread);
	if (!rc && ev->type == SCAP_REC_FORK)
		rc = scap__map_set(&x->born, ev->u.fork.child_tid, x);
	if (!rc && ev->type == SCAP_REC_EXEC)
		rc = learn_cgroup(x, ev, ev->u.exec.cgroup_id);
	if (!rc && ev->type == SCAP_REC_CGROUP && !ev->u.event.hierarchy)
		rc = learn_cgroup(x, ev, ev->u.event.cgroup_id);
	if (!rc && ev->type == SCAP_REC_CALL)
		rc = learn_call(x, ev);
	if (!rc && ev->type == SCAP_REC_CALL)
		rc = learn_enter(x, ev, flags);
	return rc;
}

int scap_export_learn(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	int rc;

	if (x->failed)
		return x->failed;
	if (x->begun)
		return -EINVAL;
	rc = learn(x, ev, flags);
	if (rc == SCAP_ELIMIT) {
		x->counts.n_unlisted++;
		return 0;
	}
	return rc == -ENOMEM ? scap__export_fail(x, rc, "out of memory") : 0;
}

/* ---- users --------------------------------------------------------------------------------- */

#define USER_NAME_MAX 255u

static int put_user(struct scap_export *x, bool user, uint32_t id, const char *name, size_t n)
{
	uint8_t entry[4 + 1 + 8 + 2 + USER_NAME_MAX + 4] = { 0 }, *p = entry + 5;
	uint32_t le = htole32(id), none = UINT32_MAX, bytes;
	uint16_t len = htole16((uint16_t)n);

	memcpy(p, &le, 4);
	p += 4;
	if (user) {
		memcpy(p, &none, 4);	/* its group: not recorded */
		p += 4;
	}
	memcpy(p, &len, 2);
	memcpy(p + 2, name, n);
	p += 2 + n + (user ? 4 : 0);	/* home and shell: empty */
	entry[4] = user ? 0 : 1;
	bytes = htole32((uint32_t)(p - entry));
	memcpy(entry, &bytes, 4);
	if (scap__buffer_reserve(&x->users, (size_t)(p - entry)))
		return -ENOMEM;
	scap__buffer_put(&x->users, entry, (size_t)(p - entry));
	return 0;
}

/* A line: a number, a blank, a name. */
static int learn_line(struct scap_export *x, bool user, const char *line, size_t n)
{
	uint64_t id = 0;
	size_t i = 0;

	for (; i < n && line[i] >= '0' && line[i] <= '9' && id <= UINT32_MAX; i++)
		id = id * 10 + (uint64_t)(line[i] - '0');
	if (!i || i + 1 >= n || line[i] != ' ' || id > UINT32_MAX)
		return 0;
	i++;
	n -= i;
	return put_user(x, user, (uint32_t)id, line + i, n < USER_NAME_MAX ? n : USER_NAME_MAX);
}

int scap_export_learn_text(struct scap_export *x, const struct scap_keyframe_text *text)
{
	bool user = text->kind == SCAP_KEYFRAME_USERS;
	const char *p = text->data, *end = p + text->bytes;
	int rc = 0;

	if (x->failed || (!user && text->kind != SCAP_KEYFRAME_GROUPS))
		return x->failed;
	if (x->begun)
		return -EINVAL;
	while (!rc && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		rc = learn_line(x, user, p, (size_t)(stop - p));
		p = stop + 1;
	}
	return rc ? scap__export_fail(x, rc, "out of memory") : 0;
}
