/* SPDX-License-Identifier: MIT */
#include "filter/value.h"

#include "filter/params.h"
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

bool scap__arg_unknown(const struct scap_event *ev, unsigned i)
{
	const struct scap__blob *b = scap__event_blob(ev, i);

	return b && ev->more & SCAP_MORE_NO_WORDS && b->state == SCAP_STATE_UNREADABLE &&
	       !b->bytes &&
	       scap__role_kind(ev->sc->args[i].role) != SCAP__PRINT_PTR;
}

bool scap__arg_word_known(const struct scap_event *ev, unsigned i)
{
	bool exec = ev->sc && ev->sc->args[i].role == SCAP_ROLE_EXEC_PATH;

	return !(ev->more & SCAP_MORE_NO_WORDS) || ev->args[i] ||
	       !scap__event_blob(ev, exec ? SCAP_SLOT_FILENAME : i);
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

static void add_arg(struct scap__param *p, unsigned *n, const char *name, unsigned i, unsigned role)
{
	struct scap__param *new = scap__add(p, n, name, SCAP__PARAM_ARG);

	new->arg = (uint8_t)i;
	new->role = (uint16_t)role;
}

static unsigned unknown_args(const struct scap_event *ev, struct scap__param *p)
{
	static const char *const names[6] = { "arg0", "arg1", "arg2", "arg3", "arg4", "arg5" };
	unsigned n = 0, n_args = scap__n_known_args(ev);

	for (unsigned i = 0; i < n_args; i++)
		add_arg(p, &n, names[i], i, SCAP_ROLE_HEX64);
	return n;
}

/* Whether argument i is a path that led to a file of another path. */
static bool path_was_resolved(const struct scap_event *ev, unsigned i, unsigned role)
{
	if (role == SCAP_ROLE_EXEC_PATH)
		return scap__path_file(ev, 0) && scap__resolved_differs(ev, SCAP_SLOT_FILENAME);
	return role == SCAP_ROLE_PATH && scap__find_role(ev, role) == (int)i &&
	       scap__path_file(ev, 0) && scap__resolved_differs(ev, i);
}

static unsigned message_params(const struct scap_event *ev, struct scap__param *p, unsigned n)
{
	const struct scap__blob *scm = scap__event_blob(ev, SCAP_SLOT_SCM);

	scap__add_slot(ev, p, &n, "addr", SCAP__PARAM_ADDRESS, SCAP_SLOT_NAME);
	if (scm && scap__scm_has_fds(scm))
		scap__add_slot(ev, p, &n, "fds", SCAP__PARAM_SCM_FDS, SCAP_SLOT_SCM);
	if (scm && scap__scm_has_creds(scm))
		scap__add_slot(ev, p, &n, "creds", SCAP__PARAM_SCM_CREDS, SCAP_SLOT_SCM);
	return n;
}

static unsigned call_params(const struct scap_event *ev, struct scap__param *p)
{
	const struct scap__file *work_dir = scap__work_dir(ev);
	unsigned n = 0, n_args = scap__n_known_args(ev);

	for (unsigned i = 0; i < n_args; i++) {
		unsigned role = arg_role(ev, i);

		if (role == ROLE_SKIP || scap__arg_unknown(ev, i))
			continue;
		add_arg(p, &n, ev->sc->args[i].name, i, role);
		if (path_was_resolved(ev, i, role))
			scap__add(p, &n, "resolved", SCAP__PARAM_FILE);
		else if (role == SCAP_ROLE_MSG_IN || role == SCAP_ROLE_MSG_OUT ||
			 role == SCAP_ROLE_MMSG_IN || role == SCAP_ROLE_MMSG_OUT)
			n = message_params(ev, p, n);
	}
	if (work_dir)
		scap__add(p, &n, "cwd",
			  work_dir == ev->file ? SCAP__PARAM_FILE : SCAP__PARAM_FILE2);
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
	default:
		return scap__event_params(ev, p);
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
	*ret_value = p->value;
	*ret_signed = p->kind == SCAP__PARAM_INT;
	if (p->kind == SCAP__PARAM_NUMBER || p->kind == SCAP__PARAM_INT)
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

bool scap__param_word(const struct scap_event *ev, const struct scap__param *p, uint64_t *ret_value)
{
	*ret_value = p->value;
	if (p->kind == SCAP__PARAM_HEX || p->kind == SCAP__PARAM_OCT ||
	    p->kind == SCAP__PARAM_FLAGS || p->kind == SCAP__PARAM_ENUM)
		return true;
	if (p->kind != SCAP__PARAM_ARG || !scap__arg_word_known(ev, p->arg))
		return false;
	*ret_value = scap__is_fd_role(p->role) ? (uint64_t)(int64_t)(int32_t)ev->args[p->arg] :
					   ev->args[p->arg];
	return true;
}
