/* SPDX-License-Identifier: MIT */
/* The exporter: which events of ours become which of theirs. */
#include "savefile/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/options.h"
#include "filter/value.h"

#define WINDOW_BYTES (32u << 20)
#define MEMORY_LIMIT (256u << 20)

int scap__export_fail(struct scap_export *x, int code, const char *what)
{
	if (x->failed)
		return x->failed;
	x->failed = code;
	if (code < 0 && code > -2000 && code != -ENOMEM)
		return scap__fail(&x->error, code, SCAP_NO_OFFSET, "%s: %s", what,
				  strerror(-code));
	return scap__fail(&x->error, code, SCAP_NO_OFFSET, "%s", what);
}

/* ---- opening and closing ------------------------------------------------------------------- */

static void free_export(struct scap_export *x)
{
	scap__export_gzip_close(x);
	for (uint32_t i = 0; i < x->n_heap; i++)
		free(x->heap[i].block);
	free(x->heap);
	scap__export_tasks_fini(x);
	scap__map_fini(&x->tasks);
	scap__map_fini(&x->born);
	scap__map_fini(&x->fds);
	scap__map_fini(&x->cgroups);
	scap__map_fini(&x->enters);
	scap__map_fini(&x->ahead);
	scap__arena_fini(&x->arena);
	free(x->out.p);
	free(x->block.p);
	free(x->users.p);
	free(x);
}

static void init_export(struct scap_export *x, const struct scap_export_options *opt,
			const struct scap_capture_info *info)
{
	x->profile = opt->profile;
	x->flags = opt->flags;
	/* Without enters, all comes in order. */
	if (x->profile == SCAP_EXPORT_SYSDIG)
		x->window_bytes = opt->window_bytes ? opt->window_bytes : WINDOW_BYTES;
	x->budget.limit = opt->memory_limit ? opt->memory_limit : MEMORY_LIMIT;
	scap__arena_init(&x->arena, &x->budget);
	scap__map_init(&x->tasks, &x->budget);
	scap__map_init(&x->born, &x->budget);
	scap__map_init(&x->fds, &x->budget);
	scap__map_init(&x->cgroups, &x->budget);
	scap__map_init(&x->enters, &x->budget);
	scap__map_init(&x->ahead, &x->budget);
	x->ahead_limit = x->budget.limit / 2;
	x->error.offset = SCAP_NO_OFFSET;
	x->n_cpus = info ? info->n_cpus : 0;
	if (info && info->hostname)
		strncpy(x->hostname, info->hostname, sizeof(x->hostname) - 1);
}

static int close_sink(const struct scap_sink *sink)
{
	return sink->close ? sink->close(sink->ctx) : 0;
}

static int check_options(struct scap_export_options *opt, const struct scap_export_options *from,
			 struct scap_error *err)
{
	int rc = scap__options_copy(opt, sizeof(*opt), from);

	if (!rc && (opt->profile > SCAP_EXPORT_FALCO ||
		    opt->flags & ~SCAP_EXPORT_PLAIN))
		rc = -EINVAL;
	return rc ? scap__fail(err, rc, SCAP_NO_OFFSET, "the options make no sense") : 0;
}

int scap_export_open_sink(const struct scap_sink *sink, const struct scap_export_options *options,
			  const struct scap_capture_info *info, struct scap_export **ret_x,
			  struct scap_error *err)
{
	struct scap_export_options opt;
	struct scap_export *x = NULL;
	int rc = check_options(&opt, options, err);

	if (!rc) {
		x = calloc(1, sizeof(*x));
		if (!x)
			rc = scap__fail(err, -ENOMEM, SCAP_NO_OFFSET, "out of memory");
	}
	if (rc) {
		close_sink(sink);
		return rc;
	}
	init_export(x, &opt, info);
	x->sink = *sink;
	if (scap__export_gzip_open(x)) {
		rc = x->failed;
		if (err)
			*err = x->error;
		close_sink(sink);
		free_export(x);
		return rc;
	}
	*ret_x = x;
	return 0;
}

int scap_export_create(const char *path, bool force, int *ret_fd, bool *ret_created,
		       struct scap_error *err)
{
	bool regular, created;
	int rc = scap__file_create(path, force, ret_fd, &regular, &created, err);

	if (!rc && ret_created)
		*ret_created = created;
	return rc;
}

const struct scap_error *scap_export_error(const struct scap_export *x)
{
	return &x->error;
}

int scap_export_close(struct scap_export *x, struct scap_export_counts *ret_counts,
		      struct scap_error *err)
{
	int rc = scap__export_begin(x);

	if (!rc)
		rc = scap__export_flush(x);
	rc = scap__export_gzip_close(x);
	if (!rc) {
		rc = close_sink(&x->sink);
		if (rc)
			scap__export_fail(x, rc, "writing failed");
	} else {
		close_sink(&x->sink);
	}
	if (err && rc)
		*err = x->error;
	if (ret_counts)
		*ret_counts = x->counts;
	free_export(x);
	return rc;
}

/* ---- calls --------------------------------------------------------------------------------- */

static struct scap__export_event event_of(const struct scap_event *ev, uint16_t type,
					  uint32_t flags)
{
	return (struct scap__export_event){
		.ns = ev->wall_ns, .tid = ev->tid, .cpu = ev->cpu, .type = type,
		.state_only = flags & SCAP_EXPORT_STATE,
	};
}

static void begin_params(struct scap_export *x)
{
	x->params.n = x->params.used = 0;
	x->params.cut = false;
}

static void fill_generic(struct scap_export *x, const struct scap_event *ev, bool native)
{
	begin_params(x);
	scap__export_put_u16(&x->params, scap__export_call(x, ev));
	if (native)
		scap__export_put_u16(&x->params, (uint16_t)ev->nr);
}

bool scap__export_enter(struct scap_export *x, const struct scap_event *ev,
			const struct scap__export_row *row, uint32_t flags,
			struct scap__export_event *ret_e)
{
	bool call = ev->type == SCAP_REC_CALL;

	if (x->profile != SCAP_EXPORT_SYSDIG || (call && ev->flags & SCAP_CALL_CHILD))
		return false;
	*ret_e = event_of(ev, row ? row->enter : SCAP__EXPORT_GENERIC_ENTER, flags);
	if (call && ev->latency_ns != SCAP_LATENCY_NONE && ev->latency_ns < ret_e->ns) {
		ret_e->ns -= ev->latency_ns;
		ret_e->early = true;
	}
	if (row)
		scap__export_params_fill(x, ev, row->in, SCAP__EXPORT_ENTER_MAX);
	else
		fill_generic(x, ev, true);
	return true;
}

static int put_enter(struct scap_export *x, const struct scap_event *ev,
		     const struct scap__export_row *row, uint32_t flags)
{
	struct scap__export_event e;

	if (!scap__export_enter(x, ev, row, flags, &e))
		return 0;
	x->counts.n_no_entry += ev->type == SCAP_REC_CALL && !e.early;
	return scap__export_emit(x, &e);
}

static int put_exit(struct scap_export *x, const struct scap_event *ev,
		    const struct scap__export_row *row, uint32_t flags)
{
	bool sysdig = x->profile == SCAP_EXPORT_SYSDIG;
	struct scap__export_event e = event_of(ev, row ? row->exit : SCAP__EXPORT_GENERIC_EXIT,
					       flags);

	if (row)
		scap__export_params_fill(x, ev, row->out,
					 sysdig ? row->n_old : SCAP__EXPORT_EXIT_MAX);
	else
		fill_generic(x, ev, !sysdig);
	/* The Falco libraries know a new program by one type, however it was called. */
	if (!sysdig && row && row->out[0].kind == SCAP__EXPORT_EXEC && ev->ret == 0)
		e.type = SCAP__EXPORT_EXECVE_EXIT;
	return scap__export_emit(x, &e);
}

bool scap__export_changes_state(const struct scap_event *ev)
{
	static const char *const rows[] = {
		"close", "bind", "connect", "pipe", "pipe2", "socketpair", "chdir", "fchdir",
		"chroot", "fcntl", "fcntl64", "setuid", "setuid32", "setgid", "setgid32",
		"setresuid", "setresuid32", "setresgid", "setresgid32", "setpgid", "execve",
		"execveat", "clone", "clone3", "clone_i386", "fork", "vfork", "setsid",
		"sendto", "recvfrom", "sendmsg", "recvmsg",
	};

	if (!ev->sc || scap__returns_new_fd(ev))
		return ev->sc;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i], ev->sc->row))
			return true;
	return false;
}

static bool enter_written(struct scap_export *x, uint32_t tid)
{
	if (!tid || !scap__map_get(&x->enters, tid))
		return false;
	scap__map_set(&x->enters, tid, NULL);
	return true;
}

static int call(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	const struct scap__export_row *row = scap__export_row(x, ev);
	bool entered = enter_written(x, ev->tid) || scap__map_get(&x->ahead, ev->num);
	bool trapped = ev->flags & SCAP_CALL_TRAPPED;

	if (flags & SCAP_EXPORT_STATE && !scap__export_changes_state(ev))
		return 0;
	if (!row) {
		x->counts.n_generic++;
		x->counts.n_no_number += !scap__export_call(x, ev);
	}
	x->counts.n_trapped += trapped;
	x->counts.n_left_out += trapped;
	if (!entered && put_enter(x, ev, row, flags))
		return x->failed;
	return trapped ? 0 : put_exit(x, ev, row, flags);
}

/* exit and exit_group are nothing but their entry; of exec, the exit follows. */
static int enter(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	const struct scap__export_row *row = scap__export_row(x, ev);

	if (flags & SCAP_EXPORT_STATE && !row)
		return 0;
	if (x->profile != SCAP_EXPORT_SYSDIG) {
		x->counts.n_folded += row != NULL;
		x->counts.n_left_out += !row;
		return 0;
	}
	x->counts.n_generic += !row;
	if (row && ev->tid)
		scap__map_set(&x->enters, ev->tid, x);
	return put_enter(x, ev, row, flags);
}

/* ---- other events -------------------------------------------------------------------------- */

static int procexit(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	struct scap__export_event e = event_of(ev, SCAP__EXPORT_PROCEXIT, flags);
	uint32_t status = ev->u.exit.status;

	enter_written(x, ev->tid);
	begin_params(x);
	scap__export_put_u64(&x->params, status);
	scap__export_put_u64(&x->params, status >> 8 & 0xff);
	scap__export_put_u8(&x->params, status & 0x7f);
	scap__export_put_u8(&x->params, !!(status & 0x80));
	if (x->profile == SCAP_EXPORT_FALCO)
		scap__export_put_u64(&x->params, 0);	/* who takes its children */
	return scap__export_emit(x, &e);
}

static int sched_switch(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_event e = event_of(ev, SCAP__EXPORT_SWITCH, 0);

	begin_params(x);
	scap__export_put_u64(&x->params, ev->u.event.target_tid);
	scap__export_put_u64(&x->params, 0);	/* faults and sizes: not recorded */
	scap__export_put_u64(&x->params, 0);
	for (unsigned i = 0; i < 3; i++)
		scap__export_put_u32(&x->params, 0);
	return scap__export_emit(x, &e);
}

/* The sender of the last signal of that number to that process. */
static uint32_t sender_of(struct scap_export *x, uint32_t tgid, int32_t signo)
{
	for (unsigned i = 1; i <= SCAP__EXPORT_SENT; i++) {
		const struct scap__export_sent *s;

		s = &x->sent[(x->next_sent - i) % SCAP__EXPORT_SENT];
		if (s->target == tgid && s->signo == signo)
			return s->sender;
	}
	return 0;
}

static int signal_taken(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_event e = event_of(ev, SCAP__EXPORT_SIGNAL, 0);
	uint32_t tgid = ev->thread ? ev->thread->tgid : ev->tid;

	begin_params(x);
	scap__export_put_u64(&x->params, sender_of(x, tgid, ev->u.event.signo));
	scap__export_put_u64(&x->params, tgid);
	scap__export_put_u8(&x->params, (uint8_t)ev->u.event.signo);
	return scap__export_emit(x, &e);
}

static int page_fault(struct scap_export *x, const struct scap_event *ev)
{
	struct scap__export_event e = event_of(ev, SCAP__EXPORT_PAGE_FAULT, 0);
	uint32_t error = ev->u.event.error;

	begin_params(x);
	scap__export_put_u64(&x->params, ev->u.event.address);
	scap__export_put_u64(&x->params, ev->u.event.ip);
	/* A bit for each of both answers. */
	scap__export_put_u32(&x->params, (error & 1 ? 1 : 2) | (error & 2 ? 4 : 8) |
			     (error & 4 ? 0x10 : 0x20) | (error & 8 ? 0x40 : 0) |
			     (error & 0x10 ? 0x80 : 0));
	return scap__export_emit(x, &e);
}

static int other(struct scap_export *x, const struct scap_event *ev)
{
	switch (ev->type) {
	case SCAP_REC_SWITCH: return sched_switch(x, ev);
	case SCAP_REC_SIGDELIVER: return signal_taken(x, ev);
	case SCAP_REC_FAULT: return page_fault(x, ev);
	case SCAP_REC_FORK:
	case SCAP_REC_EXEC: x->counts.n_folded++; return 0;
	}
	x->counts.n_left_out++;
	return 0;
}

static bool is_event(const struct scap_event *ev)
{
	return !ev->in_keyframe && ev->type != SCAP_REC_INTRO && ev->type != SCAP_REC_FILE;
}

int scap_export_event(struct scap_export *x, const struct scap_event *ev, uint32_t flags)
{
	int rc = scap__export_begin(x);

	if (rc || !is_event(ev))
		return rc;
	if (ev->type == SCAP_REC_GAP) {
		x->counts.n_lost += ev->u.gap.n_lost;
		return 0;
	}
	rc = scap__export_follow(x, ev);
	if (rc)
		return scap__export_fail(x, rc, "out of memory");
	x->counts.n_events += !(flags & SCAP_EXPORT_STATE);
	switch (ev->type) {
	case SCAP_REC_CALL: return call(x, ev, flags);
	case SCAP_REC_ENTER: return enter(x, ev, flags);
	case SCAP_REC_EXIT: return procexit(x, ev, flags);
	}
	return flags & SCAP_EXPORT_STATE ? 0 : other(x, ev);
}
