/* SPDX-License-Identifier: MIT */
#include "filter/field.h"

#include <errno.h>
#include <stdlib.h>

#include "filter/field_exec.h"
#include "filter/lex.h"
#include "filter/params.h"
#include "filter/suggest.h"

#define GETTER(name)                                                                             \
	static bool get_##name(const struct scap_field *f __attribute__((unused)),               \
			       const struct scap_event *ev,                                      \
			       struct scap__scratch *s __attribute__((unused)),                  \
			       struct scap__value *v)

static bool set_text(struct scap__value *v, const char *text)
{
	v->s.p = (const uint8_t *)text;
	v->s.n = strlen(text);
	return true;
}

/* Ends a composed text. */
static bool set_composed(struct scap__value *v, struct scap__out *o)
{
	v->s.p = (const uint8_t *)o->buf;
	v->s.n = o->len < o->cap ? o->len : o->cap - 1;
	v->composed = true;
	return true;
}

/* ---- evt ------------------------------------------------------------------------------------ */

GETTER(num)
{
	v->u = ev->num;
	return true;
}

GETTER(time)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_clock(&o, ev->wall_ns, s->utc_offset_s);
	return set_composed(v, &o);
}

GETTER(time_s)
{
	get_time(f, ev, s, v);
	v->s.n = sizeof("HH:MM:SS") - 1;
	return true;
}

GETTER(time_iso)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_date(&o, ev->wall_ns, 0);
	scap__out_char(&o, 'T');
	scap__out_clock(&o, ev->wall_ns, 0);
	scap__out_lit(&o, "+0000");
	return set_composed(v, &o);
}

GETTER(datetime)
{
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	scap__out_date(&o, ev->wall_ns, s->utc_offset_s);
	scap__out_char(&o, ' ');
	scap__out_clock(&o, ev->wall_ns, s->utc_offset_s);
	return set_composed(v, &o);
}

GETTER(rawtime)
{
	v->u = ev->wall_ns;
	return true;
}

GETTER(rawtime_s)
{
	v->u = ev->wall_ns / 1000000000;
	return true;
}

GETTER(rawtime_ns)
{
	v->u = ev->wall_ns % 1000000000;
	return true;
}

GETTER(type)
{
	return set_text(v, scap_event_name(ev));
}

GETTER(syscall_type)
{
	if (ev->type != SCAP_REC_CALL)
		return false;
	return set_text(v, scap_event_name(ev));
}

GETTER(cpu)
{
	v->u = ev->cpu;
	return true;
}

GETTER(latency)
{
	v->u = ev->latency_ns;
	return ev->type == SCAP_REC_CALL && ev->latency_ns != SCAP_LATENCY_NONE;
}

GETTER(latency_human)
{
	struct scap__out o;

	if (ev->type != SCAP_REC_CALL || ev->latency_ns == SCAP_LATENCY_NONE)
		return false;
	scap__out_init(&o, s->buf, s->cap);
	scap__out_duration(&o, ev->latency_ns);
	return set_composed(v, &o);
}

GETTER(res)
{
	const char *name;
	struct scap__out o;

	if (!scap_event_has_ret(ev))
		return false;
	if (!scap__failed(ev))
		return set_text(v, "SUCCESS");
	name = scap__ret_errno(ev);
	if (name)
		return set_text(v, name);
	scap__out_init(&o, s->buf, s->cap);
	scap__out_int(&o, ev->ret);
	return set_composed(v, &o);
}

GETTER(rawres)
{
	v->i = ev->ret;
	return scap_event_has_ret(ev);
}

GETTER(failed)
{
	v->b = scap__failed(ev);
	return scap_event_has_ret(ev);
}

/* ---- parameters ----------------------------------------------------------------------------- */

GETTER(args)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	for (unsigned i = 0; i < n; i++) {
		if (params[i].detail)
			continue;
		if (i)
			scap__out_char(&o, ' ');
		scap__out_str(&o, params[i].name);
		scap__out_char(&o, '=');
		scap__out_param(&o, ev, &params[i], 0);
	}
	if (ev->type == SCAP_REC_CALL) {
		scap__out_str(&o, n ? " res=" : "res=");
		scap__out_result(&o, ev);
	}
	return set_composed(v, &o);
}

/* The parameter that f asks for; false: the event has none such. */
static bool find_param(const struct scap_field *f, const struct scap_event *ev,
		       struct scap__param *ret_p)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);

	for (unsigned i = 0; i < n; i++) {
		if (f->index >= 0 ? (unsigned)f->index == i : !strcmp(params[i].name, f->arg)) {
			*ret_p = params[i];
			return true;
		}
	}
	return false;
}

static bool arg_result(const struct scap_event *ev, struct scap__scratch *s, struct scap__value *v)
{
	struct scap__out o;

	if (!scap_event_has_ret(ev))
		return false;
	if (scap__ret_errno(ev))
		return set_text(v, scap__ret_errno(ev));
	scap__out_init(&o, s->buf, s->cap);
	scap__out_result(&o, ev);
	return set_composed(v, &o);
}

GETTER(arg)
{
	const struct scap__blob *b;
	struct scap__param p;
	struct scap__out o;

	if (!find_param(f, ev, &p))
		return f->index < 0 && !strcmp(f->arg, "res") && arg_result(ev, s, v);
	if (scap__param_bytes(ev, &p, &v->s.p, &v->s.n, &b)) {
		if (!v->s.n)
			return set_text(v, p.kind == SCAP__PARAM_ARG &&
					!scap__is_string_role(p.role) ? "NULL" : "<NA>");
		return true;
	}
	scap__out_init(&o, s->buf, s->cap);
	scap__out_param(&o, ev, &p, 0);
	return set_composed(v, &o);
}

GETTER(rawarg)
{
	struct scap__param p;
	bool is_signed;
	uint64_t value;

	if (!find_param(f, ev, &p)) {
		v->i = ev->ret;
		return f->index < 0 && !strcmp(f->arg, "res") && scap_event_has_ret(ev);
	}
	if (!scap__param_number(ev, &p, &is_signed, &value)) {
		if (!scap__param_word(ev, &p, &value))
			return false;
	}
	v->i = (int64_t)value;
	return true;
}

/* The blob of the bytes read or written, and whether the call has such an argument. */
static bool data_blob(const struct scap_event *ev, const struct scap__blob **ret_blob)
{
	*ret_blob = NULL;
	for (unsigned i = 0; ev->sc && i < ev->sc->nargs && i < 6; i++) {
		switch (ev->sc->args[i].role) {
		case SCAP_ROLE_BUF_IN:
		case SCAP_ROLE_BUF_OUT:
		case SCAP_ROLE_IOV_IN:
		case SCAP_ROLE_IOV_OUT:
		case SCAP_ROLE_MSG_IN:
		case SCAP_ROLE_MSG_OUT:
			*ret_blob = scap__event_blob(ev, i);
			return true;
		}
	}
	return false;
}

GETTER(buffer)
{
	const struct scap__blob *b;

	if (!data_blob(ev, &b) || !b)
		return false;
	v->s.p = b->data;
	v->s.n = b->bytes;
	return true;
}

GETTER(buflen)
{
	const struct scap__blob *b;

	if (!data_blob(ev, &b) || !scap_event_has_ret(ev) || ev->ret < 0)
		return false;
	v->u = (uint64_t)ev->ret;
	return true;
}

/* ---- who ------------------------------------------------------------------------------------ */

GETTER(proc_name)
{
	return ev->thread && set_text(v, ev->thread->comm);
}

GETTER(proc_pid)
{
	v->i = scap_event_tgid(ev);
	return v->i != 0;
}

GETTER(proc_ppid)
{
	v->i = ev->thread ? ev->thread->ppid : 0;
	return ev->thread;
}

GETTER(proc_vpid)
{
	v->i = ev->thread ? ev->thread->vtgid : 0;
	return ev->thread;
}

GETTER(tid)
{
	v->i = ev->tid;
	return ev->type != SCAP_REC_GAP;
}

GETTER(vtid)
{
	v->i = ev->thread ? ev->thread->vtid : 0;
	return ev->thread;
}

GETTER(uid)
{
	v->u = ev->thread ? ev->thread->uid : 0;
	return ev->thread;
}

GETTER(gid)
{
	v->u = ev->thread ? ev->thread->gid : 0;
	return ev->thread;
}

/* ---- fd ------------------------------------------------------------------------------------- */

GETTER(fd_num)
{
	const struct scap__file *file;

	return scap__event_fd(ev, &v->i, &file);
}

/* *meant is room for what *ret_file may point to. */
static bool fd_file(const struct scap_event *ev, const struct scap__file **ret_file,
		    struct scap__file *meant)
{
	int64_t num;

	if (!scap__event_fd(ev, &num, ret_file))
		return false;
	*ret_file = scap__as_connected(ev, *ret_file, meant);
	return *ret_file;
}

GETTER(fd_name)
{
	const struct scap__file *file;
	struct scap__file meant;
	struct scap__out o;

	scap__out_init(&o, s->buf, s->cap);
	if (fd_file(ev, &file, &meant)) {
		if (file->path) {
			v->s.p = (const uint8_t *)file->path;
			v->s.n = file->path_bytes;
			return true;
		}
		scap__out_file_name(&o, file);
		return set_composed(v, &o);
	}
	if (!scap__open_like(ev) || ev->ret >= 0 || !scap__out_path(&o, ev, 0))
		return false;
	set_composed(v, &o);
	v->composed = false;
	return true;
}

GETTER(fd_type)
{
	const struct scap__file *file;
	struct scap__file meant;
	struct scap__addr ends[2];
	unsigned n;

	if (!fd_file(ev, &file, &meant))
		return false;
	if (scap__file_ends(file, ends, &n))
		return set_text(v, ends[0].v6 ? "ipv6" : "ipv4");
	return set_text(v, scap__file_type(file));
}

GETTER(fd_ip)
{
	const struct scap__file *file;
	struct scap__file meant;

	return fd_file(ev, &file, &meant) && scap__file_ends(file, v->ends, &v->n_ends);
}

GETTER(fd_lip)
{
	if (!get_fd_ip(f, ev, s, v))
		return false;
	v->n_ends = 1;
	return true;
}

GETTER(fd_rip)
{
	if (!get_fd_ip(f, ev, s, v) || v->n_ends < 2)
		return false;
	v->ends[0] = v->ends[1];
	v->n_ends = 1;
	return true;
}

/* field_path.c */
#define get_proc_root scap__get_proc_root
#define get_proc_mntns scap__get_proc_mntns
#define get_path_name scap__get_path_name
#define get_path_source scap__get_path_source
#define get_path_target scap__get_path_target
#define get_path_nameraw scap__get_path_nameraw
#define get_path_sourceraw scap__get_path_sourceraw
#define get_path_targetraw scap__get_path_targetraw

#define get_fd_port get_fd_ip
#define get_fd_lport get_fd_lip
#define get_fd_rport get_fd_rip

/* field_exec.c */
#define X(name)                                                                                  \
	static bool get_##name(const struct scap_field *f, const struct scap_event *ev,          \
			       struct scap__scratch *s, struct scap__value *v)                   \
	{                                                                                        \
		return scap__get_##name(f, ev, s, v);                                            \
	}
SCAP__EXEC_GETTERS(X)
#undef X

/* ---- the table ------------------------------------------------------------------------------ */

#define FLAGS_NONE false, false
#define FLAGS_LARGE false, true
#define FLAGS_NAMED true, false
#define FLAGS_NAMED_LARGE true, true

static const struct scap__field_def fields[] = {
#define SCAP_FIELD(name, type, getter, flags, text)                                              \
	{ name, SCAP__TYPE_##type, FLAGS_##flags, get_##getter, text },
#include "filter/fields.def"
#undef SCAP_FIELD
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Names that evt.arg knows. */
static const char *const param_names[] = {
#define A(role, name) #name
#define SCAP_SYSCALL(row, ret, ...) "res", ##__VA_ARGS__,
#include <scap/syscalls.def>
#undef SCAP_SYSCALL
#undef A
	"resolved", "addr", "fds", "creds", "cwd", "arg0", "arg1", "arg2", "arg3", "arg4", "arg5",
	SCAP__EVENT_PARAMS
};

const char *scap__type_name(unsigned type)
{
	static const char *const names[] = {
		[SCAP__TYPE_UINT] = "number", [SCAP__TYPE_INT] = "number",
		[SCAP__TYPE_ABSTIME] = "time", [SCAP__TYPE_RELTIME] = "duration",
		[SCAP__TYPE_PORT] = "port", [SCAP__TYPE_BOOL] = "bool",
		[SCAP__TYPE_STRING] = "text", [SCAP__TYPE_BYTES] = "bytes",
		[SCAP__TYPE_IP] = "address",
	};

	return names[type];
}

static int unknown_field(const char *name, size_t n, size_t column, struct scap_error *err)
{
	struct scap__suggest s = { .word = name, .n = n };
	char shown[4 * SCAP__SHOWN_MAX + 8];
	const char *best;

	for (size_t i = 0; i < N_FIELDS; i++)
		scap__suggest_try(&s, fields[i].name);
	best = scap__suggest_best(&s);
	scap__shown(shown, name, n);
	if (best)
		return scap__syntax_error(err, column, "unknown field '%s'; did you mean '%s'?",
					  shown, best);
	return scap__syntax_error(err, column, "unknown field '%s'", shown);
}

static int set_param_name(struct scap_field *f, const char *name, size_t n, size_t column,
			  struct scap_error *err)
{
	struct scap__suggest s = { .word = name, .n = n };
	char shown[4 * SCAP__SHOWN_MAX + 8];
	const char *best;

	for (size_t i = 0; i < sizeof(param_names) / sizeof(param_names[0]); i++) {
		if (strlen(param_names[i]) == n && !memcmp(param_names[i], name, n)) {
			memcpy(f->arg, name, n);
			f->arg[n] = '\0';
			return 0;
		}
		scap__suggest_try(&s, param_names[i]);
	}
	best = scap__suggest_best(&s);
	scap__shown(shown, name, n);
	if (best)
		return scap__syntax_error(err, column,
					  "unknown event argument '%s'; did you mean '%s'?", shown,
					  best);
	return scap__syntax_error(err, column, "unknown event argument '%s'", shown);
}

static int set_param_index(struct scap_field *f, const char *arg, size_t n, size_t column,
			   struct scap_error *err)
{
	int32_t index = 0;

	for (size_t i = 0; i < n; i++) {
		if (arg[i] < '0' || arg[i] > '9' || i >= 4)
			return scap__syntax_error(err, column,
						  "expected a position from 0 in the brackets");
		index = index * 10 + (arg[i] - '0');
	}
	f->index = index;
	return 0;
}

/* The field whose name is all of `name`, or, for one that takes names, a prefix up to a dot. */
static const struct scap__field_def *find_field(const char *name, size_t n, size_t *ret_used)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		size_t len = strlen(fields[i].name);

		if (len > n || memcmp(fields[i].name, name, len))
			continue;
		if (len == n || (fields[i].named && name[len] == '.')) {
			*ret_used = len;
			return &fields[i];
		}
	}
	return NULL;
}

int scap__field_init(struct scap_field *f, const char *name, size_t n_name, size_t column,
		     const char *arg, size_t n_arg, size_t arg_column, struct scap_error *err)
{
	size_t used;

	memset(f, 0, sizeof(*f));
	f->index = -1;
	f->def = find_field(name, n_name, &used);
	if (!f->def)
		return unknown_field(name, n_name, column, err);
	if (used < n_name) {
		if (arg)
			return scap__syntax_error(err, arg_column - 1,
						  "this field takes a name or an index, not both");
		return set_param_name(f, name + used + 1, n_name - used - 1, column + used + 1,
				      err);
	}
	if (f->def->named && !arg)
		return scap__syntax_error(err, column + n_name, "expected .NAME or [N] after '%s'",
					  f->def->name);
	if (!f->def->named && arg)
		return scap__syntax_error(err, arg_column - 1, "'%s' takes no argument in brackets",
					  f->def->name);
	return arg ? set_param_index(f, arg, n_arg, arg_column, err) : 0;
}

int scap_field_describe(unsigned i, const char **ret_name, const char **ret_type,
			const char **ret_text)
{
	if (i >= N_FIELDS)
		return 1;
	*ret_name = fields[i].name;
	*ret_type = scap__type_name(fields[i].type);
	*ret_text = fields[i].text;
	return 0;
}

/* ---- as text -------------------------------------------------------------------------------- */

static void out_ends(struct scap__out *o, const struct scap__value *v, bool port)
{
	for (unsigned i = 0; i < v->n_ends; i++) {
		if (i)
			scap__out_lit(o, "->");
		if (port)
			scap__out_uint(o, v->ends[i].port);
		else if (v->ends[i].v6)
			scap__out_ipv6(o, v->ends[i].bytes);
		else
			scap__out_ipv4(o, v->ends[i].bytes);
	}
}

static void out_value(struct scap__out *o, unsigned type, const struct scap__value *v)
{
	switch (type) {
	case SCAP__TYPE_INT:
		scap__out_int(o, v->i);
		break;
	case SCAP__TYPE_BOOL:
		scap__out_str(o, v->b ? "true" : "false");
		break;
	case SCAP__TYPE_STRING:
	case SCAP__TYPE_BYTES:
		if (v->composed)
			scap__out_bytes(o, v->s.p, v->s.n);
		else
			scap__out_escaped(o, v->s.p, v->s.n, 0);
		break;
	case SCAP__TYPE_IP:
	case SCAP__TYPE_PORT:
		out_ends(o, v, type == SCAP__TYPE_PORT);
		break;
	default:
		scap__out_uint(o, v->u);
	}
}

static __attribute__((noinline)) bool out_large(struct scap__out *o, const struct scap_field *f,
						const struct scap_event *ev)
{
	char buf[SCAP__SCRATCH_LARGE];
	struct scap__scratch s = { buf, sizeof(buf), 0 };
	struct scap__value v;

	if (!scap__field_get(f, ev, &s, &v))
		return false;
	out_value(o, f->def->type, &v);
	return true;
}

bool scap__out_field(struct scap__out *o, const struct scap_field *f, const struct scap_event *ev,
		     int32_t utc_offset_s)
{
	char buf[SCAP__SCRATCH_SMALL];
	struct scap__scratch s = { buf, sizeof(buf), utc_offset_s };
	struct scap__value v;

	if (f->def->large)
		return out_large(o, f, ev);
	if (!scap__field_get(f, ev, &s, &v))
		return false;
	out_value(o, f->def->type, &v);
	return true;
}

int scap_field_compile(const char *name, struct scap_field **ret_f, struct scap_error *err)
{
	struct scap__cursor c = { .text = name, .n = strlen(name) };
	struct scap__field_token t;
	struct scap_field *f;
	int rc = scap__lex_field(&c, &t, err);

	if (rc < 0)
		return rc;
	if (c.pos != c.n)
		return scap__syntax_error(err, c.pos + 1, "expected the end of the field's name");
	f = malloc(sizeof(*f));
	if (!f)
		return scap__no_memory(err);
	rc = scap__field_init(f, t.name, t.n_name, t.column, t.arg, t.n_arg, t.arg_column, err);
	if (rc < 0)
		free(f);
	else
		*ret_f = f;
	return rc;
}

ssize_t scap_field_text(const struct scap_field *f, const struct scap_event *ev, char *buf,
			size_t cap)
{
	struct scap__out o;

	scap__out_init(&o, buf, cap);
	if (!scap__out_field(&o, f, ev, 0)) {
		scap__out_end(&o);
		return -ENODATA;
	}
	return (ssize_t)scap__out_end(&o);
}

void scap_field_free(struct scap_field *f)
{
	free(f);
}
