/* SPDX-License-Identifier: MIT */
/* Threads that begin, change and end, and other events that are no calls. */
#include <endian.h>
#include <string.h>

#include "savefile/call.h"

#define FILES		0x400u
#define THREAD		0x10000u
#define IN_PIDNS	0x20000000u	/* of the flags there: the child has other numbers */
#define SIGCHLD		17
#define TYPE_SWITCH_OLD	146
#define TYPE_SWITCH	152
#define TYPE_SIGNAL	232
#define TYPE_FAULT	290

static uint64_t epoch_of(const struct scap__savefile *sf)
{
	return sf->rows.start_ns >> SCAP_EPOCH_SHIFT;
}

static void introduce(struct scap__savefile *sf, const struct scap__sf_event *ev,
		      struct scap__sf_thread *t)
{
	scap__sf_introduce(&sf->rows, ev->cpu, ev->ts, epoch_of(sf), t);
}

/* ---- clone ---------------------------------------------------------------------------------- */

/* What such an event says of the thread that it comes from. */
static void learn(struct scap__sf_call *c)
{
	struct scap__sf_state *s = &c->sf->state;
	struct scap__sf_text exe = scap__sf_string(&c->v[SCAP__SF_EXE]);
	struct scap__sf_text comm = scap__sf_string(&c->v[SCAP__SF_COMM]);
	struct scap__sf_text cwd = scap__sf_string(&c->v[SCAP__SF_CWD]);
	const struct scap__sf_value *args = &c->v[SCAP__SF_ARGV], *cg = &c->v[SCAP__SF_CGROUPS];
	struct scap__sf_text rest = { (char *)args->p, args->n };
	struct scap__sf_thread *t = c->t;

	t->known = true;
	t->told.epoch = UINT64_MAX;
	t->pid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_PID], t->pid);
	t->ppid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_PTID], t->ppid);
	t->vtid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_VTID], t->vtid);
	t->vpid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_VPID], t->vpid);
	t->uid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_UID], t->uid);
	t->gid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_GID], t->gid);
	if (!comm.n)
		comm = exe;	/* before there was one of its own */
	if (comm.n)
		scap__sf_set_comm(t, comm.p, comm.n);
	if (exe.n)
		scap__sf_set_argv(s, t, &exe, &rest);
	scap__sf_set_cwd(s, t, cwd.p, cwd.n);
	if (cg->n)
		scap__sf_set_cgroup(s, t, cg->p, cg->n);
}

static void put_fork(struct scap__sf_call *c, const struct scap__sf_thread *parent,
		     const struct scap__sf_thread *child, uint64_t flags, bool plain)
{
	uint32_t numbers[2] = { child->vtid, child->tid == child->vtid ? 1 : 2 };
	struct scap__sf_rows *r = &c->sf->rows;
	uint32_t ids[SCAP_PID_LEVELS] = { (uint32_t)child->tid };
	int32_t signal = flags & THREAD ? -1 : plain ? SIGCHLD : 0;

	if (numbers[1] > 1)
		ids[1] = child->vtid;
	scap__sf_row_begin(r, c->ev->cpu, SCAP_REC_FORK, 0, c->ev->ts);
	scap__sf_row_u32(r, (uint32_t)parent->tid);
	scap__sf_row_u32(r, parent->pid);
	scap__sf_row_u32(r, (uint32_t)child->tid);
	scap__sf_row_u32(r, child->pid);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, flags);
	scap__sf_row_u32(r, (uint32_t)signal);
	scap__sf_row_u32(r, numbers[0]);
	scap__sf_row_u32(r, numbers[1]);
	scap__sf_row_u32(r, 0);
	for (unsigned i = 0; i < SCAP_PID_LEVELS; i++)
		scap__sf_row_u32(r, ids[i]);
	scap__sf_row_end(r);
}

/* The child is there, whoever of the two tells it first. */
static void begin_thread(struct scap__sf_call *c, struct scap__sf_thread *parent,
			 struct scap__sf_thread *child, uint64_t flags)
{
	struct scap__sf_state *s = &c->sf->state;
	bool plain = scap__sf_find_arg(c->sc, SCAP_ROLE_CLONE_FLAGS) < 0 &&
		     scap__sf_find_arg(c->sc, SCAP_ROLE_CLONE_ARGS) < 0;

	if (flags & THREAD)
		scap__sf_join_group(s, child, parent);
	if (flags & (FILES | THREAD))
		scap__sf_fds_share(s, child, parent);
	else
		scap__sf_fds_copy(s, child, parent);
	if (c->ev->hidden)
		return;
	introduce(c->sf, c->ev, parent);
	put_fork(c, parent, child, flags, plain);
}

static void clone_in_parent(struct scap__sf_call *c, uint64_t flags)
{
	struct scap__sf_state *s = &c->sf->state;
	struct scap__sf_thread *child = scap__sf_thread_get(s, (uint64_t)c->ret);

	/* A number of another namespace is nobody's here. */
	if (child || c->t->vtid != (uint32_t)c->t->tid || c->in_pidns)
		return;
	child = scap__sf_thread_make(s, (uint64_t)c->ret);
	if (!child)
		return;
	scap__sf_copy_identity(s, child, c->t);
	child->pid = flags & THREAD ? c->t->pid : (uint32_t)child->tid;
	child->vpid = flags & THREAD ? c->t->vpid : child->pid;
	child->ppid = flags & THREAD ? c->t->ppid : c->t->pid;
	begin_thread(c, c->t, child, flags);
}

/* What its creator was is known by the number that it gives as its parent's. */
static void clone_in_child(struct scap__sf_call *c, uint64_t flags, bool is_new)
{
	struct scap__sf_state *s = &c->sf->state;
	uint64_t ptid = flags & THREAD ? c->t->pid :
			scap__sf_number_or(&c->v[SCAP__SF_PTID], UINT64_MAX);
	struct scap__sf_thread *parent = scap__sf_thread_get(s, ptid);

	c->child = true;
	if (!is_new || !parent || parent == c->t)
		return;
	scap__sf_file_put(s, c->t->exe);
	c->t->exe = scap__sf_file_get(parent->exe);
	scap__sf_text_set(s->budget, &c->t->root, parent->root.p, parent->root.n);
	if (!c->t->cwd.n)
		scap__sf_set_cwd(s, c->t, parent->cwd.p, parent->cwd.n);
	c->t->sid = parent->sid;
	c->t->pgid = parent->pgid;
	c->t->tty = parent->tty;
	c->t->loginuid = parent->loginuid;
	begin_thread(c, parent, c->t, flags);
}

void scap__sf_cloned(struct scap__sf_call *c)
{
	uint64_t there = 0, flags = scap__sf_number_or(&c->v[SCAP__SF_CLONE_FLAGS], 0);
	struct scap__sf_value raw = c->v[SCAP__SF_CLONE_FLAGS];
	bool is_new = c->t && !c->t->known;

	raw.conv = SCAP__SF_RAW;
	if (scap__sf_number(&raw, &there))
		c->in_pidns = there & IN_PIDNS;
	if (!c->has_ret || c->ret < 0 || !c->t)
		return;
	learn(c);
	if (c->ret > 0)
		clone_in_parent(c, flags);
	else
		clone_in_child(c, flags, is_new);
}

/* ---- exec ----------------------------------------------------------------------------------- */

static unsigned exec_flags(const struct scap__sf_call *c)
{
	/* Of the flags there: writable, upper layer, memfd. */
	uint64_t there = scap__sf_number_or(&c->v[SCAP__SF_EXE_FLAGS], 0);
	unsigned flags = 0;

	if (there & 1)
		flags |= SCAP_EXEC_WRITABLE;
	if (there & (2 | 8))
		flags |= SCAP_EXEC_OVERLAY;
	if (there & 2)
		flags |= SCAP_EXEC_UPPER_LAYER;
	if (there & 4)
		flags |= SCAP_EXEC_MEMFD;
	return flags;
}

static uint32_t count_strings(const struct scap__sf_text *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->n; i++)
		n += !t->p[i];
	return n;
}

static void put_exec_body(struct scap__sf_call *c, const struct scap__sf_text *env)
{
	static const uint8_t before[sizeof(struct scap_namespaces)];
	struct scap__sf_rows *r = &c->sf->rows;
	const struct scap__sf_thread *t = c->t;

	scap__sf_row_u32(r, (uint32_t)t->tid);
	scap__sf_row_u32(r, (uint32_t)t->tid);
	scap__sf_row_u32(r, t->exe ? t->exe->cookie : 0);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, scap__sf_number_or(&c->v[SCAP__SF_EXE_CTIME], 0));
	scap__sf_row_u64(r, scap__sf_number_or(&c->v[SCAP__SF_EXE_MTIME], 0));
	scap__sf_row_u64(r, 0);
	scap__sf_row_u32(r, count_strings(&t->argv));
	scap__sf_row_u32(r, count_strings(env));
	scap__sf_row_put(r, before, sizeof(struct scap_ids));
	for (unsigned i = 0; i < 4; i++)
		scap__sf_row_u32(r, t->uid);
	for (unsigned i = 0; i < 4; i++)
		scap__sf_row_u32(r, t->gid);
	scap__sf_row_u64(r, t->cap_p);
	scap__sf_row_u64(r, t->cap_e);
	scap__sf_row_u64(r, t->cap_i);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_put(r, before, sizeof(struct scap_namespaces));
	scap__sf_row_u32(r, t->loginuid);
	scap__sf_row_u32(r, UINT32_MAX);
	scap__sf_row_u32(r, t->sid);
	scap__sf_row_u32(r, t->pgid);
	scap__sf_row_u32(r, scap__sf_dev(t->tty));
	scap__sf_row_u32(r, 0);
	scap__sf_row_u64(r, 0);
}

static void put_exec(struct scap__sf_call *c)
{
	struct scap__sf_text env = { (char *)c->v[SCAP__SF_ENV].p, c->v[SCAP__SF_ENV].n };
	struct scap__sf_text name = scap__sf_string(&c->v[SCAP__SF_FILENAME]);
	struct scap__sf_rows *r = &c->sf->rows;
	const struct scap__sf_thread *t = c->t;

	introduce(c->sf, c->ev, c->t);
	scap__sf_introduce_file(r, c->ev->cpu, c->ev->ts, epoch_of(c->sf), t->exe);
	scap__sf_row_begin(r, c->ev->cpu, SCAP_REC_EXEC, exec_flags(c), c->ev->ts);
	put_exec_body(c, &env);
	if (name.n)
		scap__sf_row_blob(r, SCAP_SLOT_FILENAME, SCAP_STATE_WHOLE, name.p, name.n, 0);
	if (t->argv.n)
		scap__sf_row_blob(r, SCAP_SLOT_ARGV, SCAP_STATE_WHOLE, t->argv.p, t->argv.n, 0);
	if (env.n)
		scap__sf_row_blob(r, SCAP_SLOT_ENV, SCAP_STATE_WHOLE, env.p, env.n, 0);
	if (t->cgroup.n)
		scap__sf_row_blob(r, SCAP_SLOT_CGROUP, SCAP_STATE_WHOLE, t->cgroup.p, t->cgroup.n,
				  0);
	scap__sf_row_end(r);
}

/* What it executes: what the event says, or else what the path asked for leads to. */
static void learn_exe(struct scap__sf_call *c)
{
	struct scap__sf_text path = scap__sf_string(&c->v[SCAP__SF_EXEPATH]);
	struct scap__sf_text asked = scap__sf_string(&c->v[SCAP__SF_FILENAME]);
	uint64_t ino = scap__sf_number_or(&c->v[SCAP__SF_EXE_INO], 0);
	char whole[SCAP_PATH_MAX_BYTES];
	size_t n = path.n;

	if (!n) {
		n = scap__sf_join(whole, &c->t->cwd, asked.p, asked.n);
		path.p = whole;
	}
	scap__sf_set_exe(&c->sf->state, c->t, path.p, n, ino);
}

/* One that failed changes nothing. */
void scap__sf_executed(struct scap__sf_call *c)
{
	struct scap__sf_thread *t = c->t;

	if (!c->has_ret || c->ret || !t)
		return;
	learn(c);
	t->tty = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_TTY], t->tty);
	t->loginuid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_LOGINUID], t->loginuid);
	t->pgid = (uint32_t)scap__sf_number_or(&c->v[SCAP__SF_PGID], t->pgid);
	t->cap_i = scap__sf_number_or(&c->v[SCAP__SF_CAP_I], t->cap_i);
	t->cap_p = scap__sf_number_or(&c->v[SCAP__SF_CAP_P], t->cap_p);
	t->cap_e = scap__sf_number_or(&c->v[SCAP__SF_CAP_E], t->cap_e);
	learn_exe(c);
	if (!c->ev->hidden)
		put_exec(c);
	c->file2 = c->sc->args[0].role == SCAP_ROLE_DIRFD ? c->file : NULL;
	c->file = t->exe;
}

/* ---- no calls -------------------------------------------------------------------------------- */

static void put_exit(struct scap__savefile *sf, const struct scap__sf_event *ev,
		     const struct scap__sf_value *v)
{
	static const uint8_t usage[2 * sizeof(struct scap_usage) + 8];
	struct scap__sf_thread *t = scap__sf_thread_get(&sf->state, ev->tid);
	uint32_t status = (uint32_t)scap__sf_number_or(&v[SCAP__SF_STATUS], 0);
	bool last = t && t->group->refs == 1;
	struct scap__sf_rows *r = &sf->rows;

	introduce(sf, ev, t);
	scap__sf_row_begin(r, ev->cpu, SCAP_REC_EXIT, 0, ev->ts);
	scap__sf_row_u32(r, (uint32_t)ev->tid);
	scap__sf_row_u32(r, status);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u32(r, last);
	scap__sf_row_u32(r, last ? status : 0);
	scap__sf_row_put(r, usage, sizeof(usage));
	scap__sf_row_end(r);
}

static void put_switch(struct scap__savefile *sf, const struct scap__sf_event *ev,
		       const struct scap__sf_value *v)
{
	uint64_t next = scap__sf_number_or(&v[SCAP__SF_NEXT], 0);
	struct scap__sf_thread *to = scap__sf_thread_get(&sf->state, next);
	struct scap__sf_rows *r = &sf->rows;

	introduce(sf, ev, scap__sf_thread_get(&sf->state, ev->tid));
	scap__sf_row_begin(r, ev->cpu, SCAP_REC_SWITCH, SCAP_SWITCH_NO_STATE, ev->ts);
	scap__sf_row_u32(r, (uint32_t)ev->tid);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u32(r, (uint32_t)next);
	scap__sf_row_u32(r, to ? to->pid : 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_end(r);
}

static void put_signal(struct scap__savefile *sf, const struct scap__sf_event *ev,
		       const struct scap__sf_value *v)
{
	const uint8_t tail[8] = { [5] = SCAP_SIGACT_UNKNOWN };
	struct scap__sf_rows *r = &sf->rows;

	introduce(sf, ev, scap__sf_thread_get(&sf->state, ev->tid));
	scap__sf_row_begin(r, ev->cpu, SCAP_REC_SIGDELIVER, 0, ev->ts);
	scap__sf_row_u32(r, (uint32_t)ev->tid);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u32(r, (uint32_t)scap__sf_number_or(&v[SCAP__SF_SIG], 0));
	scap__sf_row_u32(r, (uint32_t)SCAP_SIGCODE_UNKNOWN);
	scap__sf_row_u64(r, 0);
	scap__sf_row_u64(r, 0);
	scap__sf_row_put(r, tail, sizeof(tail));
	scap__sf_row_end(r);
}

static void put_fault(struct scap__savefile *sf, const struct scap__sf_event *ev,
		      const struct scap__sf_value *v)
{
	struct scap__sf_rows *r = &sf->rows;
	uint64_t error = scap__sf_number_or(&v[SCAP__SF_ERROR], 0);
	bool kernel = !(error & 4);

	introduce(sf, ev, scap__sf_thread_get(&sf->state, ev->tid));
	scap__sf_row_begin(r, ev->cpu, SCAP_REC_FAULT, kernel ? SCAP_FAULT_KERNEL : 0, ev->ts);
	scap__sf_row_u32(r, (uint32_t)ev->tid);
	scap__sf_row_u32(r, 0);
	scap__sf_row_u64(r, scap__sf_number_or(&v[SCAP__SF_ADDRESS], 0));
	scap__sf_row_u64(r, scap__sf_number_or(&v[SCAP__SF_IP], 0));
	scap__sf_row_u64(r, error);
	scap__sf_row_end(r);
}

static const struct other {
	uint16_t type;
	void (*put)(struct scap__savefile *sf, const struct scap__sf_event *ev,
		    const struct scap__sf_value *v);
} others[] = {
	{ SCAP__SF_PROCEXIT_OLD, put_exit }, { SCAP__SF_PROCEXIT, put_exit },
	{ TYPE_SWITCH_OLD, put_switch }, { TYPE_SWITCH, put_switch },
	{ TYPE_SIGNAL, put_signal }, { TYPE_FAULT, put_fault },
};

static const struct other *other_of(unsigned type)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].type == type)
			return &others[i];
	return NULL;
}

bool scap__sf_is_other(unsigned type)
{
	return other_of(type);
}

void scap__sf_put_other(struct scap__savefile *sf, const struct scap__sf_event *ev)
{
	const struct other *o = other_of(ev->type);
	struct scap__sf_value v[SCAP__SF_PLACES] = { 0 };

	scap__sf_collect(v, ev);
	if (!ev->hidden)
		o->put(sf, ev, v);
	if (o->put == put_exit)
		scap__sf_thread_drop(&sf->state, ev->tid);
}
