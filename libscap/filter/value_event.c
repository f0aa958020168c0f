/* SPDX-License-Identifier: MIT */
/* The parameters of everything that is no call. */
#include "filter/names.h"
#include "filter/params.h"

#define ROWS(domain) static const struct scap__name rows_##domain[]
#define ROW(bits, name) { (bits) ? (bits) : UINT64_MAX, bits, name, sizeof(name) - 1 }
#define DOMAIN(domain)                                                                           \
	static const struct scap__domain domain = {                                              \
		rows_##domain, sizeof(rows_##domain) / sizeof(rows_##domain[0]), true            \
	}

ROWS(exec_flags) = {
	ROW(SCAP_EXEC_WRITABLE, "writable"), ROW(SCAP_EXEC_OVERLAY, "overlay"),
	ROW(SCAP_EXEC_UPPER_LAYER, "upper_layer"), ROW(SCAP_EXEC_MEMFD, "memfd"),
	ROW(SCAP_EXEC_DELETED, "deleted"), ROW(SCAP_EXEC_SCRIPT, "script"),
	ROW(SCAP_EXEC_SECURE, "secure"),
};
DOMAIN(exec_flags);

ROWS(task_state) = {
	ROW(0, "running"), ROW(0x402, "idle"), ROW(0x1, "interruptible"),
	ROW(0x2, "uninterruptible"), ROW(0x4, "stopped"), ROW(0x8, "traced"), ROW(0x40, "parked"),
	ROW(0x80, "dead"), ROW(0x100, "killable"), ROW(0x400, "noload"), ROW(0x2000, "freezable"),
	ROW(0x8000, "frozen"),
};
DOMAIN(task_state);

ROWS(fault_error) = {
	ROW(0, "none"), ROW(0x1, "present"), ROW(0x2, "write"), ROW(0x4, "user"),
	ROW(0x8, "reserved"), ROW(0x10, "fetch"), ROW(0x20, "key"), ROW(0x40, "shadow_stack"),
};
DOMAIN(fault_error);

ROWS(sa_flags) = {
	ROW(0, "0"), ROW(0x1, "SA_NOCLDSTOP"), ROW(0x2, "SA_NOCLDWAIT"), ROW(0x4, "SA_SIGINFO"),
	ROW(0x4000000, "SA_RESTORER"), ROW(0x8000000, "SA_ONSTACK"), ROW(0x10000000, "SA_RESTART"),
	ROW(0x40000000, "SA_NODEFER"), ROW(0x80000000, "SA_RESETHAND"),
};
DOMAIN(sa_flags);

/* ---- small things ---------------------------------------------------------------------------- */

static struct scap__param *add_value(struct scap__param *p, unsigned *n, const char *name,
				     enum scap__param_kind kind, uint64_t value)
{
	struct scap__param *new = scap__add(p, n, name, kind);

	new->value = value;
	return new;
}

static struct scap__param *add_named(struct scap__param *p, unsigned *n, const char *name,
				     enum scap__param_kind kind, const struct scap__domain *domain,
				     uint64_t value)
{
	struct scap__param *new = add_value(p, n, name, kind, value);

	new->domain = domain;
	return new;
}

static struct scap__param *add_text(struct scap__param *p, unsigned *n, const char *name,
				    const char *text)
{
	struct scap__param *new = scap__add(p, n, name, SCAP__PARAM_TEXT);

	new->text = text;
	return new;
}

static void add_true(struct scap__param *p, unsigned *n, const char *name, bool is)
{
	if (is)
		add_text(p, n, name, "true");
}

static const char *truth(bool is)
{
	return is ? "true" : "false";
}

/* A user, group or session: all ones is none. */
static struct scap__param *add_id(struct scap__param *p, unsigned *n, const char *name, uint32_t id)
{
	return add_value(p, n, name, SCAP__PARAM_INT,
			 id == UINT32_MAX ? UINT64_MAX : (uint64_t)id);
}

/* ---- processes ----------------------------------------------------------------------------- */

static unsigned fork_params(const struct scap_event *ev, struct scap__param *p)
{
	bool thread = ev->u.fork.child_tgid == ev->u.fork.tgid;
	unsigned n = 0;

	scap__add_number(p, &n, "child_tid", ev->u.fork.child_tid);
	scap__add_number(p, &n, "child_pid", ev->u.fork.child_tgid);
	if (ev->u.fork.child_vtid != ev->u.fork.child_tid)
		scap__add_number(p, &n, "child_vtid", ev->u.fork.child_vtid);
	add_text(p, &n, "kind", thread ? "thread" : "process");
	add_named(p, &n, "flags", SCAP__PARAM_FLAGS, &scap__domain_clone_flags,
		  ev->u.fork.clone_flags);
	if (ev->u.fork.exit_signal > 0)
		add_named(p, &n, "exit_signal", SCAP__PARAM_ENUM, &scap__domain_signal,
			  (uint64_t)ev->u.fork.exit_signal);
	scap__add(p, &n, "child_ids", SCAP__PARAM_PIDS)->detail = ev->u.fork.n_levels < 2;
	return n;
}

static void add_ids(struct scap__param *p, unsigned *n, const struct scap__exec *x, bool before)
{
	static const char *const names[2][8] = {
		{ "uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid" },
		{ "old_uid", "old_euid", "old_suid", "old_fsuid", "old_gid", "old_egid", "old_sgid",
		  "old_fsgid" },
	};
	const struct scap_ids *ids = before ? &x->before : &x->ids;
	const uint32_t values[8] = { ids->uid, ids->euid, ids->suid, ids->fsuid,
				     ids->gid, ids->egid, ids->sgid, ids->fsgid };

	for (unsigned i = 0; i < 8; i++)
		add_id(p, n, names[before][i], values[i])->detail = true;
}

/* The line shows effective ids where the program got other ones. */
static void show_changed_ids(struct scap__param *p, unsigned n, const struct scap__exec *x)
{
	for (unsigned i = 0; i < n; i++) {
		const char *name = strncmp(p[i].name, "old_", 4) ? p[i].name : p[i].name + 4;

		if ((!strcmp(name, "euid") && x->before.euid != x->ids.euid) ||
		    (!strcmp(name, "egid") && x->before.egid != x->ids.egid))
			p[i].detail = false;
	}
}

static void add_privileges(struct scap__param *p, unsigned *n, const struct scap__exec *x)
{
	add_value(p, n, "cap_permitted", SCAP__PARAM_HEX, x->caps.permitted)->detail = true;
	add_value(p, n, "cap_effective", SCAP__PARAM_HEX, x->caps.effective)->detail = true;
	add_value(p, n, "cap_inheritable", SCAP__PARAM_HEX, x->caps.inheritable)->detail = true;
	add_value(p, n, "cap_bounding", SCAP__PARAM_HEX, x->caps.bounding)->detail = true;
	add_value(p, n, "cap_ambient", SCAP__PARAM_HEX, x->caps.ambient)->detail = true;
	add_id(p, n, "loginuid", x->loginuid)->detail = true;
	add_id(p, n, "sessionid", x->sessionid)->detail = true;
}

static void add_namespaces(struct scap__param *p, unsigned *n, const struct scap_namespaces *ns)
{
	scap__add_number(p, n, "ns_mnt", ns->mnt)->detail = true;
	scap__add_number(p, n, "ns_net", ns->net)->detail = true;
	scap__add_number(p, n, "ns_user", ns->user)->detail = true;
	scap__add_number(p, n, "ns_uts", ns->uts)->detail = true;
	scap__add_number(p, n, "ns_ipc", ns->ipc)->detail = true;
	scap__add_number(p, n, "ns_cgroup", ns->cgroup)->detail = true;
	scap__add_number(p, n, "ns_pid", ns->pid)->detail = true;
	scap__add_number(p, n, "ns_pid_for_children", ns->pid_for_children)->detail = true;
	scap__add_number(p, n, "ns_time", ns->time)->detail = true;
	scap__add_number(p, n, "ns_time_for_children", ns->time_for_children)->detail = true;
}

static void add_exe(struct scap__param *p, unsigned *n, const struct scap__exec *x)
{
	add_value(p, n, "exe_mode", SCAP__PARAM_OCT, x->exe_mode)->detail = true;
	add_id(p, n, "exe_uid", x->exe_uid)->detail = true;
	add_id(p, n, "exe_gid", x->exe_gid)->detail = true;
	scap__add_number(p, n, "exe_size", x->exe_size)->detail = true;
	add_value(p, n, "exe_ctime_ns", SCAP__PARAM_INT, (uint64_t)x->exe_ctime_ns)->detail = true;
	add_value(p, n, "exe_mtime_ns", SCAP__PARAM_INT, (uint64_t)x->exe_mtime_ns)->detail = true;
}

static void add_place(const struct scap_event *ev, struct scap__param *p, unsigned *n)
{
	const struct scap__exec *x = &ev->u.exec;
	unsigned at = *n;

	scap__add_number(p, n, "sid", x->sid)->detail = true;
	scap__add_number(p, n, "pgid", x->pgid)->detail = true;
	add_value(p, n, "tty", SCAP__PARAM_HEX, x->tty)->detail = true;
	scap__add_slot(ev, p, n, "cgroup", SCAP__PARAM_STRING, SCAP_SLOT_CGROUP);
	scap__add_number(p, n, "cgroup_id", x->cgroup_id)->detail = true;
	for (; at < *n; at++)
		p[at].detail = true;
}

static void add_env(const struct scap_event *ev, struct scap__param *p, unsigned *n)
{
	if (scap__event_blob(ev, SCAP_SLOT_ENV)) {
		scap__add_slot(ev, p, n, "env", SCAP__PARAM_STRINGS, SCAP_SLOT_ENV);
		p[*n - 1].detail = true;
	}
}

static unsigned exec_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__exec *x = &ev->u.exec;
	uint8_t flags = ev->flags & (uint8_t)~SCAP_EXEC_BEFORE;
	unsigned n = 0, ids;

	scap__add_slot(ev, p, &n, "filename", SCAP__PARAM_STRING, SCAP_SLOT_FILENAME);
	scap__add_slot(ev, p, &n, "interp", SCAP__PARAM_STRING, SCAP_SLOT_INTERP);
	if (ev->file && ev->file->path &&
	    (!scap__event_blob(ev, SCAP_SLOT_FILENAME) ||
	     scap__resolved_differs(ev, SCAP_SLOT_FILENAME)))
		scap__add(p, &n, "exe", SCAP__PARAM_FILE);
	scap__add_slot(ev, p, &n, "argv", SCAP__PARAM_STRINGS, SCAP_SLOT_ARGV);
	if (x->old_tid != ev->tid)
		scap__add_number(p, &n, "old_tid", x->old_tid);
	if (flags)
		add_named(p, &n, "flags", SCAP__PARAM_FLAGS, &exec_flags, flags);
	ids = n;
	add_ids(p, &n, x, false);
	if (ev->flags & SCAP_EXEC_BEFORE) {
		add_ids(p, &n, x, true);
		show_changed_ids(p + ids, n - ids, x);
	}
	add_privileges(p, &n, x);
	add_place(ev, p, &n);
	add_namespaces(p, &n, &x->ns);
	add_exe(p, &n, x);
	scap__add_number(p, &n, "argc", x->argc)->detail = true;
	scap__add_number(p, &n, "envc", x->envc)->detail = true;
	add_env(ev, p, &n);
	return n;
}

static void add_usage(struct scap__param *p, unsigned *n, const char *const names[6],
		      const struct scap_usage *u)
{
	const uint64_t values[6] = { u->utime_ns, u->stime_ns, u->n_minflt, u->n_majflt,
				     u->n_voluntary, u->n_involuntary };

	for (unsigned i = 0; i < 6; i++)
		scap__add_number(p, n, names[i], values[i])->detail = true;
}

static unsigned exit_params(const struct scap_event *ev, struct scap__param *p)
{
	static const char *const of_thread[6] = { "utime_ns", "stime_ns", "minflt", "majflt",
						  "voluntary", "involuntary" };
	static const char *const of_process[6] = {
		"process_utime_ns", "process_stime_ns", "process_minflt", "process_majflt",
		"process_voluntary", "process_involuntary",
	};
	unsigned n = 0;

	add_value(p, &n, "status", SCAP__PARAM_STATUS, ev->u.exit.status);
	add_text(p, &n, "last_thread", truth(ev->u.exit.group_dead));
	add_usage(p, &n, of_thread, &ev->u.exit.thread);
	if (!ev->u.exit.group_dead)
		return n;
	add_value(p, &n, "process_status", SCAP__PARAM_STATUS, ev->u.exit.group_status)->detail =
		ev->u.exit.group_status == ev->u.exit.status;
	add_usage(p, &n, of_process, &ev->u.exit.process);
	scap__add_number(p, &n, "max_rss_kib", ev->u.exit.max_rss_kib)->detail = true;
	add_true(p, &n, "inexact", ev->flags & SCAP_EXIT_INEXACT);
	return n;
}

/* ---- signals --------------------------------------------------------------------------------- */

static const struct {
	int32_t signo;		/* 0: any */
	int32_t code;
	const char *name;
} codes[] = {
	{ 0, 0, "SI_USER" }, { 0, 128, "SI_KERNEL" }, { 0, -1, "SI_QUEUE" }, { 0, -2, "SI_TIMER" },
	{ 0, -3, "SI_MESGQ" }, { 0, -4, "SI_ASYNCIO" }, { 0, -5, "SI_SIGIO" },
	{ 0, -6, "SI_TKILL" }, { 0, -60, "SI_ASYNCNL" },
	{ 4, 1, "ILL_ILLOPC" }, { 4, 2, "ILL_ILLOPN" }, { 4, 3, "ILL_ILLADR" },
	{ 4, 4, "ILL_ILLTRP" }, { 4, 5, "ILL_PRVOPC" },
	{ 5, 1, "TRAP_BRKPT" }, { 5, 2, "TRAP_TRACE" }, { 5, 4, "TRAP_HWBKPT" },
	{ 7, 1, "BUS_ADRALN" }, { 7, 2, "BUS_ADRERR" }, { 7, 3, "BUS_OBJERR" },
	{ 7, 4, "BUS_MCEERR_AR" }, { 7, 5, "BUS_MCEERR_AO" },
	{ 8, 1, "FPE_INTDIV" }, { 8, 2, "FPE_INTOVF" }, { 8, 3, "FPE_FLTDIV" },
	{ 11, 1, "SEGV_MAPERR" }, { 11, 2, "SEGV_ACCERR" }, { 11, 3, "SEGV_BNDERR" },
	{ 11, 4, "SEGV_PKUERR" },
	{ 17, 1, "CLD_EXITED" }, { 17, 2, "CLD_KILLED" }, { 17, 3, "CLD_DUMPED" },
	{ 17, 4, "CLD_TRAPPED" }, { 17, 5, "CLD_STOPPED" }, { 17, 6, "CLD_CONTINUED" },
	{ 31, 1, "SYS_SECCOMP" }, { 31, 2, "SYS_USER_DISPATCH" },
};

static void add_code(struct scap__param *p, unsigned *n, const struct scap__event *e)
{
	if (e->code == SCAP_SIGCODE_UNKNOWN)
		return;
	for (unsigned i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == e->code && (!codes[i].signo || codes[i].signo == e->signo)) {
			add_text(p, n, "code", codes[i].name);
			return;
		}
	add_value(p, n, "code", SCAP__PARAM_INT, (uint64_t)(int64_t)e->code);
}

static void add_signal_value(struct scap__param *p, unsigned *n, const struct scap__event *e)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} kinds[] = {
		[SCAP_SIGVAL_VALUE] = { "value", SCAP__PARAM_HEX },
		[SCAP_SIGVAL_ADDR] = { "addr", SCAP__PARAM_HEX },
		[SCAP_SIGVAL_STATUS] = { "child_status", SCAP__PARAM_INT },
		[SCAP_SIGVAL_BAND] = { "band", SCAP__PARAM_HEX },
	};

	if (e->value_kind && e->value_kind < sizeof(kinds) / sizeof(kinds[0]))
		add_value(p, n, kinds[e->value_kind].name, kinds[e->value_kind].kind, e->value);
}

static void add_signal(struct scap__param *p, unsigned *n, const struct scap__event *e)
{
	add_named(p, n, "sig", SCAP__PARAM_ENUM, &scap__domain_signal, (uint32_t)e->signo);
}

static void add_choice(struct scap__param *p, unsigned *n, const char *name,
		       const char *const *names, unsigned n_names, uint64_t value)
{
	if (value < n_names)
		add_text(p, n, name, names[value]);
	else
		scap__add_number(p, n, name, value);
}

static void add_target(struct scap__param *p, unsigned *n, const struct scap__event *e)
{
	scap__add_number(p, n, "target_tid", e->target_tid);
	scap__add_number(p, n, "target_pid", e->target_tgid);
}

static unsigned signal_params(const struct scap_event *ev, struct scap__param *p)
{
	static const char *const results[] = { "delivered", "ignored", "already_pending", "lost",
					       "delivered_without_info" };
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	add_signal(p, &n, e);
	add_target(p, &n, e);
	add_code(p, &n, e);
	add_signal_value(p, &n, e);
	add_choice(p, &n, "result", results, 5, e->result);
	add_true(p, &n, "whole_process", ev->flags & SCAP_SIGNAL_GROUP);
	return n;
}

static unsigned sigdeliver_params(const struct scap_event *ev, struct scap__param *p)
{
	static const char *const actions[] = { "default", "ignore", "handler" };
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	add_signal(p, &n, e);
	add_code(p, &n, e);
	add_signal_value(p, &n, e);
	if (e->action != SCAP_SIGACT_UNKNOWN)
		add_choice(p, &n, "action", actions, 3, e->action);
	if (e->handler)
		add_value(p, &n, "handler", SCAP__PARAM_HEX, e->handler);
	add_named(p, &n, "sa_flags", SCAP__PARAM_FLAGS, &sa_flags, e->sa_flags)->detail = true;
	return n;
}

/* ---- the others ---------------------------------------------------------------------------- */

static unsigned oom_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	add_text(p, &n, "victim", e->name);
	add_target(p, &n, e);
	add_id(p, &n, "victim_uid", e->uid);
	scap__add_number(p, &n, "vm_kib", e->vm_kib);
	scap__add_number(p, &n, "anon_kib", e->anon_kib);
	scap__add_number(p, &n, "file_kib", e->file_kib);
	scap__add_number(p, &n, "shmem_kib", e->shmem_kib);
	add_value(p, &n, "score_adj", SCAP__PARAM_INT, (uint64_t)(int64_t)e->score_adj);
	return n;
}

static unsigned module_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add_text(p, &n, "module", ev->u.event.name);
	add_text(p, &n, "action", ev->flags & SCAP_MODULE_UNLOAD ? "unload" : "load");
	add_value(p, &n, "taints", SCAP__PARAM_HEX, ev->u.event.taints);
	return n;
}

static unsigned cgroup_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	add_target(p, &n, e);
	scap__add_slot(ev, p, &n, "cgroup", SCAP__PARAM_STRING, SCAP_SLOT_CGROUP);
	scap__add_number(p, &n, "cgroup_id", e->cgroup_id);
	scap__add_number(p, &n, "hierarchy", e->hierarchy)->detail = !e->hierarchy;
	add_true(p, &n, "whole_process", ev->flags & SCAP_CGROUP_PROCESS);
	return n;
}

static unsigned switch_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	scap__add_number(p, &n, "next_tid", e->target_tid);
	scap__add_number(p, &n, "next_pid", e->target_tgid);
	if (!(ev->flags & SCAP_SWITCH_NO_STATE))
		add_named(p, &n, "state", SCAP__PARAM_FLAGS, &task_state, e->state);
	add_true(p, &n, "preempted", ev->flags & SCAP_SWITCH_PREEMPTED);
	return n;
}

static unsigned wake_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add_target(p, &n, &ev->u.event);
	add_true(p, &n, "new", ev->flags & SCAP_WAKE_NEW);
	return n;
}

static unsigned fault_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__event *e = &ev->u.event;
	unsigned n = 0;

	add_value(p, &n, "addr", SCAP__PARAM_HEX, e->address);
	add_value(p, &n, "ip", SCAP__PARAM_HEX, e->ip);
	add_named(p, &n, "error", SCAP__PARAM_FLAGS, &fault_error, e->error);
	add_true(p, &n, "kernel", ev->flags & SCAP_FAULT_KERNEL);
	return n;
}

/* ---- introductions ------------------------------------------------------------------------- */

static unsigned intro_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add_text(p, &n, "comm", ev->u.intro.comm);
	scap__add_number(p, &n, "pid", ev->u.intro.tgid);
	scap__add_number(p, &n, "ppid", ev->u.intro.ppid);
	scap__add_number(p, &n, "uid", ev->u.intro.uid);
	scap__add_number(p, &n, "gid", ev->u.intro.gid);
	scap__add_number(p, &n, "cgroup_id", ev->u.intro.cgroup_id);
	return n;
}

static unsigned file_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	scap__add_number(p, &n, "cookie", ev->u.file_rec.cookie);
	add_text(p, &n, "kind", scap__file_type(&ev->u.file_rec));
	scap__add_number(p, &n, "ino", ev->u.file_rec.ino);
	scap__add_slot(ev, p, &n, "path", SCAP__PARAM_STRING, SCAP_SLOT_PATH);
	return n;
}

/* ---- keyframes ------------------------------------------------------------------------------ */

static unsigned key_task_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = intro_params(ev, p);

	scap__add_number(p, &n, "session", ev->u.key_task.session);
	scap__add_slot(ev, p, &n, "argv", SCAP__PARAM_STRINGS, SCAP_SLOT_ARGV);
	if (ev->file && ev->file->path)
		scap__add(p, &n, "exe", SCAP__PARAM_FILE);
	scap__add_slot(ev, p, &n, "cwd", SCAP__PARAM_STRING, SCAP_SLOT_CWD);
	scap__add_slot(ev, p, &n, "root", SCAP__PARAM_STRING, SCAP_SLOT_ROOT);
	return n;
}

static unsigned key_fd_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	scap__add_number(p, &n, "fd", ev->u.key_fd.fd);
	scap__add(p, &n, "kind", SCAP__PARAM_TEXT)->text =
		ev->file ? scap__file_type(ev->file) : "none";
	if (ev->file && ev->file->path)
		scap__add(p, &n, "name", SCAP__PARAM_FILE);
	scap__add_number(p, &n, "pos", ev->u.key_fd.pos);
	scap__add_number(p, &n, "cookie", ev->cookie);
	return n;
}

static unsigned key_call_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	if (ev->sc)
		scap__add(p, &n, "call", SCAP__PARAM_TEXT)->text = ev->sc->name;
	scap__add_number(p, &n, "nr", (uint64_t)ev->nr);
	if (ev->latency_ns != SCAP_LATENCY_NONE)
		scap__add_number(p, &n, "since_ns", ev->latency_ns);
	return n;
}

static unsigned key_end_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	scap__add_number(p, &n, "tasks", ev->u.key_end.n_tasks);
	scap__add_number(p, &n, "fds", ev->u.key_end.n_fds);
	scap__add_number(p, &n, "calls", ev->u.key_end.n_calls);
	scap__add_number(p, &n, "gone", ev->u.key_end.n_gone);
	scap__add_number(p, &n, "changed", ev->u.key_end.n_changed);
	scap__add_number(p, &n, "busy_ns", ev->u.key_end.busy_ns);
	scap__add_number(p, &n, "lock_max_ns", ev->u.key_end.lock_max_ns);
	return n;
}

unsigned scap__event_params(const struct scap_event *ev, struct scap__param *p)
{
	static unsigned (*const makers[SCAP_REC_TYPES])(const struct scap_event *,
							struct scap__param *) = {
		[SCAP_REC_FORK] = fork_params,
		[SCAP_REC_EXEC] = exec_params,
		[SCAP_REC_EXIT] = exit_params,
		[SCAP_REC_SIGNAL] = signal_params,
		[SCAP_REC_SIGDELIVER] = sigdeliver_params,
		[SCAP_REC_OOM] = oom_params,
		[SCAP_REC_MODULE] = module_params,
		[SCAP_REC_CGROUP] = cgroup_params,
		[SCAP_REC_SWITCH] = switch_params,
		[SCAP_REC_WAKE] = wake_params,
		[SCAP_REC_FAULT] = fault_params,
		[SCAP_REC_INTRO] = intro_params,
		[SCAP_REC_FILE] = file_params,
		[SCAP_REC_KEY_TASK] = key_task_params,
		[SCAP_REC_KEY_FD] = key_fd_params,
		[SCAP_REC_KEY_CALL] = key_call_params,
		[SCAP_REC_KEY_END] = key_end_params,
	};
	unsigned n;

	if (ev->type >= SCAP_REC_TYPES || !makers[ev->type])
		return 0;
	n = makers[ev->type](ev, p);
	if (ev->type < SCAP_REC_SIGNAL || ev->type > SCAP_REC_FAULT)
		return n;
	add_true(p, &n, "interrupt", ev->flags & SCAP_EVENT_IRQ);
	if (ev->u.event.late_ns)
		scap__add_number(p, &n, "late_ns", ev->u.event.late_ns);
	return n;
}
