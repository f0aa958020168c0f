/* SPDX-License-Identifier: MIT */
#include "filter/field.h"

#include <errno.h>
#include <stdlib.h>

#include "filter/field_get.h"
#include "filter/lex.h"
#include "filter/params.h"
#include "filter/suggest.h"

#define FLAGS_NONE false, false
#define FLAGS_LARGE false, true
#define FLAGS_NAMED true, false
#define FLAGS_NAMED_LARGE true, true

static const struct scap__field_def fields[] = {
#define SCAP_FIELD(name, type, getter, flags, part, text)                                        \
	{ name, SCAP__TYPE_##type, FLAGS_##flags, SCAP__PART_##part, scap__get_##getter, text },
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

void scap__out_value(struct scap__out *o, unsigned type, const struct scap__value *v)
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
	scap__out_value(o, f->def->type, &v);
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
	scap__out_value(o, f->def->type, &v);
	return true;
}

int scap__field_parse(struct scap_field *f, const char *name, struct scap_error *err)
{
	struct scap__cursor c = { .text = name, .n = strlen(name) };
	struct scap__field_token t;
	int rc = scap__lex_field(&c, &t, err);

	if (rc < 0)
		return rc;
	if (c.pos != c.n)
		return scap__syntax_error(err, c.pos + 1, "expected the end of the field's name");
	return scap__field_init(f, t.name, t.n_name, t.column, t.arg, t.n_arg, t.arg_column, err);
}

int scap_field_compile(const char *name, struct scap_field **ret_f, struct scap_error *err)
{
	struct scap_field *f = malloc(sizeof(*f));
	int rc;

	if (!f)
		return scap__no_memory(err);
	rc = scap__field_parse(f, name, err);
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
