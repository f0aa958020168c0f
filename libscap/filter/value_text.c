/* SPDX-License-Identifier: MIT */
/* Parameters and results as text. */
#include "filter/value.h"

#include "filter/names.h"
#include "filter/scm.h"
#include "filter/structs.h"

#define CWD_FD		(-100)
#define MAX_ERRNO	4095

/* ---- parameters as text --------------------------------------------------------------------- */

/* What is to be said about bytes of which `shown` were shown. */
static void out_state(struct scap__out *o, const struct scap__blob *b, size_t shown)
{
	if (b->state == SCAP_STATE_UNREADABLE) {
		scap__out_lit(o, "<unreadable>");
	} else if (b->state == SCAP_STATE_REDACTED) {
		scap__out_lit(o, "<redacted>");
	} else if (b->state == SCAP_STATE_TRUNCATED || shown < b->bytes) {
		scap__out_lit(o, "...");
		if (b->orig_bytes != SCAP_LEN_UNKNOWN) {
			scap__out_char(o, '(');
			scap__out_uint(o, b->orig_bytes);
			scap__out_char(o, ')');
		}
	}
}

static void out_bytes(struct scap__out *o, const struct scap__blob *b, bool quoted, uint32_t max)
{
	size_t n = max && b->bytes > max ? max : b->bytes;

	if (n || (b->state != SCAP_STATE_UNREADABLE && b->state != SCAP_STATE_REDACTED)) {
		if (quoted)
			scap__out_quoted(o, b->data, n);
		else
			scap__out_word(o, b->data, n);
	}
	out_state(o, b, n);
}

static void out_argv(struct scap__out *o, const struct scap__blob *b, uint32_t max)
{
	size_t n = max && b->bytes > max ? max : b->bytes, i = 0;

	scap__out_char(o, '[');
	while (i < n) {
		size_t len = strnlen((const char *)b->data + i, n - i);

		if (i)
			scap__out_lit(o, ", ");
		scap__out_quoted(o, b->data + i, len);
		i += len + 1;
	}
	scap__out_char(o, ']');
	out_state(o, b, n);
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* Word i of a structure of 64-bit words; 0 behind its end, as the kernel reads it. */
static uint64_t word_of(const struct scap__blob *b, unsigned i)
{
	return b->bytes >= 8 * (i + 1) ? le64(b->data + 8 * i) : 0;
}

static void out_clone_args(struct scap__out *o, const struct scap__blob *b)
{
	scap__out_lit(o, "{flags=");
	scap__out_flags(o, &scap__domain_clone_flags, word_of(b, 0));
	if (b->state == SCAP_STATE_TRUNCATED && b->bytes < 5 * 8) {
		scap__out_char(o, '}');
		out_state(o, b, b->bytes);
		return;
	}
	scap__out_lit(o, ", exit_signal=");
	scap__out_enum(o, &scap__domain_signal, word_of(b, 4));
	scap__out_lit(o, ", stack=");
	scap__out_hex(o, word_of(b, 5));
	scap__out_lit(o, ", stack_size=");
	scap__out_hex(o, word_of(b, 6));
	scap__out_char(o, '}');
	out_state(o, b, b->bytes);
}

static void out_open_how(struct scap__out *o, const struct scap__blob *b)
{
	uint64_t flags = word_of(b, 0);

	scap__out_lit(o, "{flags=");
	scap__out_flags(o, &scap__domain_open_flags, flags);
	if (flags & SCAP__OPEN_CREATES) {
		scap__out_lit(o, ", mode=");
		scap__out_oct(o, word_of(b, 1));
	}
	scap__out_lit(o, ", resolve=");
	scap__out_flags(o, &scap__domain_resolve_flags, word_of(b, 2));
	scap__out_char(o, '}');
	out_state(o, b, b->bytes);
}

void scap__out_fd(struct scap__out *o, int32_t fd, const struct scap__file *f)
{
	if (fd == CWD_FD)
		scap__out_lit(o, "AT_FDCWD");
	else
		scap__out_int(o, fd);
	if (!f)
		return;
	scap__out_char(o, '<');
	scap__out_file_name(o, f);
	scap__out_char(o, '>');
	if (f->flags & SCAP_FILE_DELETED)
		scap__out_lit(o, "(deleted)");
	if (f->flags & SCAP_FILE_UNCERTAIN)
		scap__out_lit(o, "(uncertain)");
	if (f->flags & SCAP_FILE_DETACHED)
		scap__out_lit(o, "(detached)");
	if (f->seen == SCAP__SEEN_OUTSIDE)
		scap__out_lit(o, "(outside)");
}

static void out_fd_pair(struct scap__out *o, const struct scap_event *ev,
			const struct scap__blob *b)
{
	if (b->bytes < 8) {
		out_bytes(o, b, true, 0);
		return;
	}
	scap__out_char(o, '[');
	scap__out_fd(o, (int32_t)le32(b->data), ev->file);
	scap__out_lit(o, ", ");
	scap__out_fd(o, (int32_t)le32(b->data + 4), ev->file2);
	scap__out_char(o, ']');
}

static void out_status_blob(struct scap__out *o, const struct scap__blob *b)
{
	if (b->bytes < 4)
		out_bytes(o, b, true, 0);
	else
		scap__out_wait_status(o, le32(b->data));
}

static void out_address(struct scap__out *o, const struct scap__blob *b)
{
	if (b->bytes)
		scap__out_sockaddr(o, b->data, b->bytes);
	out_state(o, b, b->bytes);
}

#define ELEMENTS_SHOWN 32

/* Structures and arrays are shown as far as they go; the rest of a blob has no meaning. */
static void out_structured(struct scap__out *o, const struct scap_event *ev,
			   const struct scap__pointee *pt, const struct scap__blob *b, uint32_t max)
{
	size_t n = scap__pointee_shown(pt, b->bytes, max);
	struct scap__memory mem = { b->data, n, ev->abi == SCAP_ABI_I386 };

	if (b->bytes || (b->state != SCAP_STATE_UNREADABLE && b->state != SCAP_STATE_REDACTED))
		scap__out_pointee(o, pt, &mem, max ? ELEMENTS_SHOWN : 0);
	out_state(o, b, n);
}

static void out_fetched(struct scap__out *o, const struct scap_event *ev,
			const struct scap__param *p, const struct scap__blob *b, uint32_t max)
{
	const struct scap__blob *shown;
	struct scap__pointee pt;
	const uint8_t *data;
	struct scap__blob cut;
	size_t n;

	if (!scap__role_pointee(p->role, &pt) || pt.kind == SCAP__POINTEE_BYTES ||
	    pt.kind == SCAP__POINTEE_TEXT) {
		cut = *b;
		if (scap__param_bytes(ev, p, &data, &n, &shown))
			cut.bytes = (uint32_t)n;
		out_bytes(o, &cut, !scap__is_string_role(p->role), max);
	} else {
		out_structured(o, ev, &pt, b, max);
	}
}

/* What a pointer leads to; false: nothing was captured. */
static bool out_pointee(struct scap__out *o, const struct scap_event *ev,
			const struct scap__param *p, uint32_t max)
{
	const struct scap__blob *b = scap__event_blob(ev, scap__param_slot(p));

	if (!b) {
		if (!scap__path_is_files(ev, p))
			return false;
		scap__out_word(o, (const uint8_t *)ev->file->path, ev->file->path_bytes);
		return true;
	}
	switch (p->role) {
	case SCAP_ROLE_ARGV:
		out_argv(o, b, max);
		break;
	case SCAP_ROLE_FD_PAIR:
		out_fd_pair(o, ev, b);
		break;
	case SCAP_ROLE_STATUS_OUT:
		out_status_blob(o, b);
		break;
	case SCAP_ROLE_CLONE_ARGS:
		out_clone_args(o, b);
		break;
	case SCAP_ROLE_OPEN_HOW:
		out_open_how(o, b);
		break;
	case SCAP_ROLE_SOCKADDR_IN:
	case SCAP_ROLE_SOCKADDR_OUT:
		out_address(o, b);
		break;
	default:
		out_fetched(o, ev, p, b, max);
	}
	return true;
}

static void out_pointer(struct scap__out *o, uint64_t v)
{
	if (v)
		scap__out_hex(o, v);
	else
		scap__out_lit(o, "NULL");
}

static void out_arg(struct scap__out *o, const struct scap_event *ev, const struct scap__param *p,
		    uint32_t max)
{
	uint64_t v = ev->args[p->arg];
	const struct scap__domain *d;
	struct scap__file meant;
	bool is_signed;

	switch (scap__role_kind(p->role)) {
	case SCAP__PRINT_FD:
		scap__out_fd(o, (int32_t)v,
			     scap__as_connected(ev, scap__arg_file(ev, p->arg), &meant));
		break;
	case SCAP__PRINT_PTR:
		if (!out_pointee(o, ev, p, max))
			out_pointer(o, v);
		break;
	case SCAP__PRINT_FLAGS:
		d = scap__role_domain(p->role);
		scap__out_flags(o, d, v);
		break;
	case SCAP__PRINT_ENUM:
		d = scap__role_domain(p->role);
		scap__out_enum(o, d, v);
		break;
	case SCAP__PRINT_CODE:
		d = scap__role_domain(p->role);
		scap__out_code(o, d, v);
		break;
	case SCAP__PRINT_OCT:
		scap__out_oct(o, (uint32_t)v);
		break;
	case SCAP__PRINT_INT:
	case SCAP__PRINT_UINT:
	case SCAP__PRINT_ERRNO:
		if (!scap__param_number(ev, p, &is_signed, &v))
			v = ev->args[p->arg];
		if (is_signed)
			scap__out_int(o, (int64_t)v);
		else
			scap__out_uint(o, v);
		break;
	case SCAP__PRINT_HEX:
		if (p->role == SCAP_ROLE_HEX32)
			v = (uint32_t)v;
		scap__out_hex(o, v);
		break;
	}
}

/* From the initial namespace inwards; what lies between the last two of many is not known. */
static void out_pids(struct scap__out *o, const struct scap_event *ev)
{
	uint32_t n = ev->u.fork.n_levels;

	for (uint32_t i = 0; i < n && i < SCAP_PID_LEVELS; i++) {
		if (i)
			scap__out_char(o, '/');
		scap__out_uint(o, ev->u.fork.child_ids[i]);
	}
	if (n > SCAP_PID_LEVELS) {
		scap__out_str(o, n > SCAP_PID_LEVELS + 1 ? "/.../" : "/");
		scap__out_uint(o, ev->u.fork.child_vtid);
	}
}

void scap__out_param(struct scap__out *o, const struct scap_event *ev, const struct scap__param *p,
		     uint32_t max_bytes)
{
	switch (p->kind) {
	case SCAP__PARAM_ARG:
		out_arg(o, ev, p, max_bytes);
		break;
	case SCAP__PARAM_STRING:
		out_bytes(o, scap__event_blob(ev, p->arg), false, max_bytes);
		break;
	case SCAP__PARAM_ADDRESS:
		out_address(o, scap__event_blob(ev, p->arg));
		break;
	case SCAP__PARAM_SCM_FDS:
		scap__out_scm_fds(o, ev, scap__event_blob(ev, p->arg));
		break;
	case SCAP__PARAM_SCM_CREDS:
		scap__out_scm_creds(o, scap__event_blob(ev, p->arg));
		break;
	case SCAP__PARAM_FILE:
		scap__out_word(o, (const uint8_t *)ev->file->path, ev->file->path_bytes);
		break;
	case SCAP__PARAM_FILE2:
		scap__out_word(o, (const uint8_t *)ev->file2->path, ev->file2->path_bytes);
		break;
	case SCAP__PARAM_NUMBER:
		scap__out_uint(o, p->value);
		break;
	case SCAP__PARAM_TEXT:
		scap__out_word(o, (const uint8_t *)p->text, strlen(p->text));
		break;
	case SCAP__PARAM_STATUS:
		scap__out_wait_status(o, (uint32_t)p->value);
		break;
	case SCAP__PARAM_INT:
		scap__out_int(o, (int64_t)p->value);
		break;
	case SCAP__PARAM_HEX:
		scap__out_hex(o, p->value);
		break;
	case SCAP__PARAM_OCT:
		scap__out_oct(o, p->value);
		break;
	case SCAP__PARAM_FLAGS:
		scap__out_flags(o, p->domain, p->value);
		break;
	case SCAP__PARAM_ENUM:
		scap__out_enum(o, p->domain, p->value);
		break;
	case SCAP__PARAM_STRINGS:
		out_argv(o, scap__event_blob(ev, p->arg), max_bytes);
		break;
	case SCAP__PARAM_PIDS:
		out_pids(o, ev);
		break;
	}
}

/* ---- the result ----------------------------------------------------------------------------- */

bool scap__failed(const struct scap_event *ev)
{
	return scap_event_has_ret(ev) && ev->ret < 0 && ev->ret >= -MAX_ERRNO;
}

const char *scap__ret_errno(const struct scap_event *ev)
{
	return scap__failed(ev) ? scap__errno_name((unsigned)-ev->ret) : NULL;
}

/* A result that is no plain number. */
static void out_meaning(struct scap__out *o, unsigned role, int64_t ret)
{
	switch (scap__role_kind(role)) {
	case SCAP__PRINT_PTR:
		scap__out_hex(o, (uint64_t)ret);
		break;
	case SCAP__PRINT_OCT:
		scap__out_oct(o, (uint32_t)ret);
		break;
	case SCAP__PRINT_FLAGS:
		scap__out_flags(o, scap__role_domain(role), (uint64_t)ret);
		break;
	case SCAP__PRINT_ENUM:
		scap__out_enum(o, scap__role_domain(role), (uint64_t)ret);
		break;
	default:
		scap__out_int(o, ret);
	}
}

void scap__out_result(struct scap__out *o, const struct scap_event *ev)
{
	const char *name;

	if (!scap_event_has_ret(ev)) {
		if (ev->flags & SCAP_CALL_TRAPPED && ev->type == SCAP_REC_CALL)
			scap__out_lit(o, "trapped");
		else
			scap__out_char(o, '?');
		return;
	}
	name = scap__ret_errno(ev);
	if (name) {
		scap__out_str(o, name);
		scap__out_char(o, '(');
		scap__out_int(o, ev->ret);
		scap__out_char(o, ')');
	} else if (scap__ret_file(ev)) {
		scap__out_fd(o, (int32_t)ev->ret, scap__ret_file(ev));
	} else if (scap__failed(ev)) {
		scap__out_int(o, ev->ret);
	} else {
		out_meaning(o, scap__ret_role(ev), ev->ret);
	}
}
