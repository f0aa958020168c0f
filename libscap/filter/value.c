/* SPDX-License-Identifier: MIT */
#include "filter/value.h"

#include "filter/scm.h"
#include "filter/structs.h"

static int64_t word_signed(const struct scap_event *ev, unsigned i)
{
	return ev->abi == SCAP_ABI_I386 ? (int32_t)ev->args[i] : (int64_t)ev->args[i];
}

unsigned scap__n_known_args(const struct scap_event *ev)
{
	unsigned n = ev->nargs < 6 ? ev->nargs : 6;

	return ev->sc && ev->sc->nargs < n ? ev->sc->nargs : n;
}

/* ---- which arguments mean something -------------------------------------------------------- */

#define ROLE_SKIP SCAP_ROLES

struct variant {
	uint32_t value;
	uint16_t role, becomes;
};

#define SCAP_SELECTOR(ID, arg, mask, otherwise)
#define SCAP_VARIANT(ID, value, ROLE) { value, SCAP_ROLE_##ID, SCAP_ROLE_##ROLE },
static const struct variant variants[] = {
#include <scap/variants.def>
};
#undef SCAP_SELECTOR
#undef SCAP_VARIANT

#define SCAP_SELECTOR(ID, arg, mask, otherwise) \
	[SCAP_ROLE_##ID] = { mask, arg, SCAP_ROLE_##otherwise },
#define SCAP_VARIANT(ID, value, ROLE)
static const struct {
	uint32_t mask;		/* 0: the role stands for itself */
	uint16_t arg, otherwise;
} selectors[SCAP_ROLES] = {
#include <scap/variants.def>
};
#undef SCAP_SELECTOR
#undef SCAP_VARIANT

/* The role itself, or the one that it stands for in this call. */
static unsigned resolved_role(const struct scap_event *ev, unsigned role)
{
	uint32_t value;

	if (!selectors[role].mask)
		return role;
	value = (uint32_t)ev->args[selectors[role].arg] & selectors[role].mask;
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++)
		if (variants[i].role == role && variants[i].value == value)
			return variants[i].becomes;
	return selectors[role].otherwise;
}

unsigned scap__ret_role(const struct scap_event *ev)
{
	return ev->sc ? resolved_role(ev, ev->sc->ret_role) : SCAP_ROLE_RESULT;
}

/* The pointers of clone are only looked at if a flag says so. */
static unsigned clone_arg_role(uint64_t flags, const struct scap__arg *arg)
{
	bool used = true;

	if (arg->name[0] == 'p')
		used = flags & (0x100000 | 0x1000);	/* PARENT_SETTID, PIDFD */
	else if (arg->name[0] == 'c')
		used = flags & (0x1000000 | 0x200000);	/* CHILD_SETTID, CHILD_CLEARTID */
	else if (arg->name[0] == 't')
		used = flags & 0x80000;			/* SETTLS */
	return used ? arg->role : ROLE_SKIP;
}

static unsigned arg_role(const struct scap_event *ev, unsigned i)
{
	const struct scap__arg *args = ev->sc->args;
	unsigned role = resolved_role(ev, args[i].role);

	if (role == SCAP_ROLE_NONE)
		return ROLE_SKIP;
	if (!i)
		return role;
	switch (args[i - 1].role) {
	case SCAP_ROLE_OPEN_FLAGS:
		if (role == SCAP_ROLE_MODE && !(ev->args[i - 1] & SCAP__OPEN_CREATES))
			return ROLE_SKIP;
		break;
	case SCAP_ROLE_SOCK_TYPE:
		if (role == SCAP_ROLE_SOCK_PROTO && ev->args[0] != 2 && ev->args[0] != 10)
			return SCAP_ROLE_INT;
		break;
	}
	if (args[0].role == SCAP_ROLE_CLONE_FLAGS && i >= 2)
		return clone_arg_role(ev->args[0], &args[i]);
	return role;
}

/* ---- parameters ----------------------------------------------------------------------------- */

static struct scap__param *add(struct scap__param *p, unsigned *n, const char *name,
			       enum scap__param_kind kind)
{
	struct scap__param *new = &p[(*n)++];

	new->name = name;
	new->kind = (uint8_t)kind;
	return new;
}

static void add_arg(struct scap__param *p, unsigned *n, const char *name, unsigned i, unsigned role)
{
	struct scap__param *new = add(p, n, name, SCAP__PARAM_ARG);

	new->arg = (uint8_t)i;
	new->role = (uint16_t)role;
}

static void add_number(struct scap__param *p, unsigned *n, const char *name, uint64_t value)
{
	add(p, n, name, SCAP__PARAM_NUMBER)->value = value;
}

static void add_slot(const struct scap_event *ev, struct scap__param *p, unsigned *n,
		     const char *name, enum scap__param_kind kind, unsigned slot)
{
	if (scap__event_blob(ev, slot))
		add(p, n, name, kind)->arg = (uint8_t)slot;
}

static unsigned unknown_args(const struct scap_event *ev, struct scap__param *p)
{
	static const char *const names[6] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };
	unsigned n = 0, n_args = scap__n_known_args(ev);

	for (unsigned i = 0; i < n_args; i++)
		add_arg(p, &n, names[i], i, SCAP_ROLE_HEX64);
	return n;
}

static bool same_path(const struct scap__blob *b, const struct scap__file *f)
{
	return b->bytes == f->path_bytes && !memcmp(b->data, f->path, b->bytes);
}

/* Whether the file that was found has another path than the one asked for in `slot`. */
static bool resolved_differs(const struct scap_event *ev, unsigned slot)
{
	const struct scap__blob *b = scap__event_blob(ev, slot);

	return b && ev->file && ev->file->path && !same_path(b, ev->file);
}

/* Whether argument i is a path that led to a file of another path. */
static bool path_was_resolved(const struct scap_event *ev, unsigned i, unsigned role)
{
	if (role == SCAP_ROLE_EXEC_PATH)
		return scap__path_file(ev, 0) && resolved_differs(ev, SCAP_SLOT_FILENAME);
	return role == SCAP_ROLE_PATH && scap__find_role(ev, role) == (int)i &&
	       scap__path_file(ev, 0) && resolved_differs(ev, i);
}

static unsigned message_params(const struct scap_event *ev, struct scap__param *p, unsigned n)
{
	const struct scap__blob *scm = scap__event_blob(ev, SCAP_SLOT_SCM);

	add_slot(ev, p, &n, "addr", SCAP__PARAM_ADDRESS, SCAP_SLOT_NAME);
	if (scm && scap__scm_has_fds(scm))
		add_slot(ev, p, &n, "fds", SCAP__PARAM_SCM_FDS, SCAP_SLOT_SCM);
	if (scm && scap__scm_has_creds(scm))
		add_slot(ev, p, &n, "creds", SCAP__PARAM_SCM_CREDS, SCAP_SLOT_SCM);
	return n;
}

static unsigned call_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__file *work_dir = scap__work_dir(ev);
	unsigned n = 0, n_args = scap__n_known_args(ev);

	for (unsigned i = 0; i < n_args; i++) {
		unsigned role = arg_role(ev, i);

		if (role == ROLE_SKIP)
			continue;
		add_arg(p, &n, ev->sc->args[i].name, i, role);
		if (path_was_resolved(ev, i, role))
			add(p, &n, "resolved", SCAP__PARAM_FILE);
		else if (role == SCAP_ROLE_MSG_IN || role == SCAP_ROLE_MSG_OUT ||
			 role == SCAP_ROLE_MMSG_IN || role == SCAP_ROLE_MMSG_OUT)
			n = message_params(ev, p, n);
	}
	if (work_dir)
		add(p, &n, "cwd", work_dir == ev->file ? SCAP__PARAM_FILE : SCAP__PARAM_FILE2);
	return n;
}

static unsigned fork_params(const struct scap_event *ev, struct scap__param *p)
{
	bool thread = ev->u.fork.child_tgid == ev->u.fork.tgid;
	unsigned n = 0;

	add_number(p, &n, "child_tid", ev->u.fork.child_tid);
	add_number(p, &n, "child_pid", ev->u.fork.child_tgid);
	if (ev->u.fork.child_vtid != ev->u.fork.child_tid)
		add_number(p, &n, "child_vtid", ev->u.fork.child_vtid);
	add(p, &n, "kind", SCAP__PARAM_TEXT)->text = thread ? "thread" : "process";
	return n;
}

static unsigned exec_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add_slot(ev, p, &n, "filename", SCAP__PARAM_STRING, SCAP_SLOT_FILENAME);
	add_slot(ev, p, &n, "interp", SCAP__PARAM_STRING, SCAP_SLOT_INTERP);
	if (ev->file && ev->file->path &&
	    (!scap__event_blob(ev, SCAP_SLOT_FILENAME) || resolved_differs(ev, SCAP_SLOT_FILENAME)))
		add(p, &n, "exe", SCAP__PARAM_FILE);
	if (ev->u.exec.old_tid != ev->tid)
		add_number(p, &n, "old_tid", ev->u.exec.old_tid);
	return n;
}

static unsigned exit_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add(p, &n, "status", SCAP__PARAM_STATUS)->value = ev->u.exit.status;
	add(p, &n, "last_thread", SCAP__PARAM_TEXT)->text =
		ev->u.exit.group_dead ? "true" : "false";
	return n;
}

static unsigned intro_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add(p, &n, "comm", SCAP__PARAM_TEXT)->text = ev->u.intro.comm;
	add_number(p, &n, "pid", ev->u.intro.tgid);
	add_number(p, &n, "ppid", ev->u.intro.ppid);
	add_number(p, &n, "uid", ev->u.intro.uid);
	add_number(p, &n, "gid", ev->u.intro.gid);
	add_number(p, &n, "cgroup_id", ev->u.intro.cgroup_id);
	return n;
}

static unsigned file_params(const struct scap_event *ev, struct scap__param *p)
{
	unsigned n = 0;

	add_number(p, &n, "cookie", ev->u.file_rec.cookie);
	add(p, &n, "kind", SCAP__PARAM_TEXT)->text = scap__file_type(&ev->u.file_rec);
	add_number(p, &n, "ino", ev->u.file_rec.ino);
	add_slot(ev, p, &n, "path", SCAP__PARAM_STRING, SCAP_SLOT_PATH);
	return n;
}

unsigned scap__params(const struct scap_event *ev, struct scap__param p[SCAP__PARAMS_MAX])
{
	switch (ev->type) {
	case SCAP_REC_CALL:
		if (ev->more & SCAP_MORE_ARGS_LOST)
			return 0;
		return ev->sc ? call_params(ev, p) : unknown_args(ev, p);
	case SCAP_REC_ENTER:
		return ev->sc ? call_params(ev, p) : unknown_args(ev, p);
	case SCAP_REC_FORK:
		return fork_params(ev, p);
	case SCAP_REC_EXEC:
		return exec_params(ev, p);
	case SCAP_REC_EXIT:
		return exit_params(ev, p);
	case SCAP_REC_INTRO:
		return intro_params(ev, p);
	case SCAP_REC_FILE:
		return file_params(ev, p);
	default:
		return 0;
	}
}

unsigned scap__param_slot(const struct scap__param *p)
{
	return p->kind == SCAP__PARAM_ARG && p->role == SCAP_ROLE_EXEC_PATH ? SCAP_SLOT_FILENAME
									    : p->arg;
}

bool scap__is_string_role(unsigned role)
{
	struct scap__pointee pt;

	return role == SCAP_ROLE_PATH || role == SCAP_ROLE_STR || role == SCAP_ROLE_EXEC_PATH ||
	       (scap__role_pointee(role, &pt) && pt.kind == SCAP__POINTEE_TEXT);
}

static bool is_data_role(unsigned role)
{
	struct scap__pointee pt;

	return role == SCAP_ROLE_BUF_IN || role == SCAP_ROLE_BUF_OUT || role == SCAP_ROLE_IOV_IN ||
	       role == SCAP_ROLE_IOV_OUT || role == SCAP_ROLE_MSG_IN || role == SCAP_ROLE_MSG_OUT ||
	       (scap__role_pointee(role, &pt) && pt.kind == SCAP__POINTEE_BYTES);
}

bool scap__path_is_files(const struct scap_event *ev, const struct scap__param *p)
{
	if (!ev->file || !ev->file->path)
		return false;
	if (p->role == SCAP_ROLE_PATH)
		return scap__returns_new_fd(ev) && scap__new_file(ev) &&
		       scap__find_role(ev, SCAP_ROLE_PATH) == p->arg;
	return p->role == SCAP_ROLE_EXEC_PATH && scap__exec_succeeded(ev);
}

/* Text in a buffer: it may have its NUL. */
static bool is_fetched_text(const struct scap__param *p)
{
	return p->kind == SCAP__PARAM_ARG && p->role >= SCAP_FETCH_FIRST &&
	       scap__is_string_role(p->role);
}

bool scap__param_bytes(const struct scap_event *ev, const struct scap__param *p,
		       const uint8_t **ret_data, size_t *ret_bytes,
		       const struct scap__blob **ret_blob)
{
	const struct scap__blob *b = NULL;

	if (p->kind == SCAP__PARAM_STRING ||
	    (p->kind == SCAP__PARAM_ARG &&
	     (scap__is_string_role(p->role) || is_data_role(p->role))))
		b = scap__event_blob(ev, scap__param_slot(p));
	*ret_blob = b;
	if (b) {
		*ret_data = b->data;
		*ret_bytes = b->bytes;
		if (is_fetched_text(p))
			*ret_bytes = strnlen((const char *)b->data, b->bytes);
		return true;
	}
	if (p->kind == SCAP__PARAM_FILE2) {
		*ret_data = (const uint8_t *)ev->file2->path;
		*ret_bytes = ev->file2->path_bytes;
		return true;
	}
	if (p->kind != SCAP__PARAM_FILE &&
	    (p->kind != SCAP__PARAM_ARG || !scap__path_is_files(ev, p)))
		return false;
	*ret_data = (const uint8_t *)ev->file->path;
	*ret_bytes = ev->file->path_bytes;
	return true;
}

bool scap__param_number(const struct scap_event *ev, const struct scap__param *p, bool *ret_signed,
			uint64_t *ret_value)
{
	*ret_signed = false;
	*ret_value = p->value;
	if (p->kind == SCAP__PARAM_NUMBER)
		return true;
	if (p->kind != SCAP__PARAM_ARG)
		return false;
	switch (p->role) {
	case SCAP_ROLE_INT:
	case SCAP_ROLE_PID:
		*ret_signed = true;
		*ret_value = (uint64_t)(int64_t)(int32_t)ev->args[p->arg];
		return true;
	case SCAP_ROLE_UID:
	case SCAP_ROLE_GID:
		*ret_signed = (uint32_t)ev->args[p->arg] == UINT32_MAX;
		*ret_value = *ret_signed ? UINT64_MAX : (uint32_t)ev->args[p->arg];
		return true;
	case SCAP_ROLE_LONG:
	case SCAP_ROLE_OFF:
		*ret_signed = true;
		*ret_value = (uint64_t)word_signed(ev, p->arg);
		return true;
	case SCAP_ROLE_UINT:
		*ret_value = (uint32_t)ev->args[p->arg];
		return true;
	case SCAP_ROLE_ULONG:
	case SCAP_ROLE_SIZE:
		*ret_value = ev->args[p->arg];
		return true;
	default:
		return false;
	}
}
