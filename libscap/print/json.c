/* SPDX-License-Identifier: MIT */
/*
 * An event as one JSON object. Always valid UTF-8: bytes that are not go out in base64 under the
 * key NAME_b64 instead of NAME; in names of things (comm, paths of files) invalid bytes become
 * U+FFFD.
 */
#include "filter/structs.h"
#include "filter/value.h"
#include "print/json.h"
#include "print/line.h"

/* ---- structures of user memory ---- */

static void out_struct(struct scap__json *j, const struct scap__layout *l,
		       const struct scap__memory *mem);

static void next_item(struct scap__json *j)
{
	if (j->more)
		scap__out_char(&j->o, ',');
	j->more = true;
}

static void open_array(struct scap__json *j)
{
	scap__out_char(&j->o, '[');
	j->more = false;
}

static void close_array(struct scap__json *j)
{
	scap__out_char(&j->o, ']');
	j->more = true;
}

static void out_signals(struct scap__json *j, const struct scap__memory *mem)
{
	open_array(j);
	for (size_t i = 0; i < 8 * mem->n; i++) {
		if (!scap__memory_bit(mem, i))
			continue;
		next_item(j);
		scap__out_char(&j->o, '"');
		scap__out_enum(&j->o, &scap__domain_signal, i + 1);
		scap__out_char(&j->o, '"');
	}
	close_array(j);
}

static void out_fds(struct scap__json *j, const struct scap__memory *mem)
{
	open_array(j);
	for (size_t i = 0; i < 8 * mem->n; i++) {
		if (!scap__memory_bit(mem, i))
			continue;
		next_item(j);
		scap__out_uint(&j->o, i);
	}
	close_array(j);
}

/* Numbers as numbers; what has names, or is read in hex, as a string. */
static void out_value(struct scap__json *j, const struct scap__member *m,
		      const struct scap__memory *mem)
{
	switch (m->kind) {
	case SCAP__MEMBER_INT:
	case SCAP__MEMBER_UINT:
		scap__out_member(&j->o, m, mem);
		break;
	case SCAP__MEMBER_SIGSET:
		out_signals(j, mem);
		break;
	case SCAP__MEMBER_STRUCT:
		out_struct(j, m->nested, mem);
		break;
	default:
		scap__out_char(&j->o, '"');
		scap__out_member(&j->o, m, mem);
		scap__out_char(&j->o, '"');
	}
}

/* Members of text and payload may be no UTF-8: they have keys as parameters have. */
static void member_value(struct scap__json *j, const struct scap__member *m,
			 const struct scap__memory *mem)
{
	if (m->kind == SCAP__MEMBER_CHARS) {
		scap__json_bytes(j, m->name, mem->p, scap__memory_chars(mem));
	} else if (m->kind == SCAP__MEMBER_REST) {
		scap__json_bytes(j, m->name, mem->p, mem->n);
	} else {
		scap__json_key(j, m->name, "");
		out_value(j, m, mem);
		j->more = true;
	}
}

static void out_struct(struct scap__json *j, const struct scap__layout *l,
		       const struct scap__memory *mem)
{
	struct scap__memory value;

	if (l->n_members == 1 && !l->members[0].name[0]) {
		if (scap__memory_member(mem, l->members, &value))
			out_value(j, l->members, &value);
		else
			scap__out_lit(&j->o, "null");
		return;
	}
	scap__out_char(&j->o, '{');
	j->more = false;
	for (uint16_t i = 0; i < l->n_members; i++)
		if (scap__memory_member(mem, &l->members[i], &value))
			member_value(j, &l->members[i], &value);
	scap__json_close(j);
}

static void out_elements(struct scap__json *j, const struct scap__layout *l,
			 const struct scap__memory *mem)
{
	size_t n = scap__memory_elements(mem, l);

	open_array(j);
	for (size_t i = 0; i < n; i++) {
		struct scap__memory element = scap__memory_element(mem, l, i);

		next_item(j);
		out_struct(j, l, &element);
		j->more = true;
	}
	close_array(j);
}

/* False: the parameter is none that has a structure, or it was not captured. */
static bool member_pointee(struct scap__json *j, const struct scap_event *ev,
			   const struct scap__param *p, uint32_t max)
{
	const struct scap__blob *b;
	struct scap__memory mem;
	struct scap__pointee pt;

	if (p->kind != SCAP__PARAM_ARG || !scap__role_pointee(p->role, &pt))
		return false;
	b = scap__event_blob(ev, p->arg);
	if (!b || (!b->bytes && b->state != SCAP_STATE_WHOLE))
		return false;
	mem = (struct scap__memory){ b->data, scap__pointee_shown(&pt, b->bytes, max),
				     ev->abi == SCAP_ABI_I386 };
	switch (pt.kind) {
	case SCAP__POINTEE_ONE:
		scap__json_key(j, p->name, "");
		out_struct(j, pt.layout, &mem);
		break;
	case SCAP__POINTEE_ARRAY:
		scap__json_key(j, p->name, "");
		out_elements(j, pt.layout, &mem);
		break;
	case SCAP__POINTEE_FD_SET:
		scap__json_key(j, p->name, "");
		out_fds(j, &mem);
		break;
	case SCAP__POINTEE_OPTION:
		if (mem.n != 4) {
			scap__json_bytes(j, p->name, mem.p, mem.n);
			break;
		}
		scap__json_key(j, p->name, "");
		scap__out_int(&j->o, scap__memory_int(&mem));
		break;
	default:
		return false;
	}
	j->more = true;
	return true;
}

/* Room for the longest text composed: a descriptor with a path of which every byte is escaped. */
#define COMPOSED_MAX (4 * SCAP_PATH_MAX_BYTES + 64)

static void member_composed(struct scap__json *j, const char *name, const struct scap_event *ev,
			    const struct scap__param *p, uint32_t max_bytes)
{
	char tmp[COMPOSED_MAX];
	struct scap__out text;
	size_t n;

	scap__out_init(&text, tmp, sizeof(tmp));
	scap__out_param(&text, ev, p, max_bytes);
	n = text.len < sizeof(tmp) ? text.len : sizeof(tmp) - 1;
	scap__json_key(j, name, "");
	scap__json_text(&j->o, (const uint8_t *)tmp, n);
}

static void member_param(struct scap__json *j, const struct scap_event *ev,
			 const struct scap__param *p, uint32_t max)
{
	const struct scap__blob *b;
	const uint8_t *data;
	uint64_t value;
	bool is_signed;
	size_t n;

	if (scap__param_number(ev, p, &is_signed, &value)) {
		scap__json_key(j, p->name, "");
		if (is_signed)
			scap__out_int(&j->o, (int64_t)value);
		else
			scap__out_uint(&j->o, value);
	} else if ((p->kind == SCAP__PARAM_STRINGS ||
		    (p->kind == SCAP__PARAM_ARG && p->role == SCAP_ROLE_ARGV)) &&
		   (b = scap__event_blob(ev, p->arg))) {
		scap__json_strings(j, p->name, b);
	} else if (member_pointee(j, ev, p, max)) {
		return;
	} else if (scap__param_bytes(ev, p, &data, &n, &b)) {
		scap__json_bytes(j, p->name, data, max && n > max ? max : n);
	} else {
		member_composed(j, p->name, ev, p, max);
	}
}

/* The blob behind a parameter; NULL: none. */
static const struct scap__blob *param_blob(const struct scap_event *ev, const struct scap__param *p)
{
	if (p->kind != SCAP__PARAM_ARG && p->kind != SCAP__PARAM_STRING &&
	    p->kind != SCAP__PARAM_ADDRESS && p->kind != SCAP__PARAM_STRINGS &&
	    p->kind != SCAP__PARAM_SCM_FDS)
		return NULL;
	return scap__event_blob(ev, scap__param_slot(p));
}

static bool is_cut(const struct scap__param *p, const struct scap__blob *b, uint32_t max)
{
	struct scap__pointee pt;

	if (p->kind == SCAP__PARAM_ARG && scap__role_pointee(p->role, &pt))
		return scap__pointee_shown(&pt, b->bytes, max) < b->bytes;
	return max && b->bytes > max;
}

static const char *state_name(const struct scap__param *p, const struct scap__blob *b, uint32_t max)
{
	switch (b->state) {
	case SCAP_STATE_TRUNCATED:
		return "truncated";
	case SCAP_STATE_UNREADABLE:
		return "unreadable";
	case SCAP_STATE_REDACTED:
		return "redacted";
	default:
		return is_cut(p, b, max) ? "cut" : NULL;
	}
}

static void member_state(struct scap__json *j, const char *name, const struct scap__blob *b,
			 const char *state)
{
	scap__json_open(j, name);
	scap__json_string(j, "state", state);
	scap__json_uint(j, "bytes", b->bytes);
	if (b->orig_bytes != SCAP_LEN_UNKNOWN)
		scap__json_uint(j, "orig_bytes", b->orig_bytes);
	scap__json_close(j);
}

/* Says of each parameter that is not whole what became of it. */
static void member_states(struct scap__json *j, const struct scap_event *ev,
			  const struct scap__param *params, unsigned n, uint32_t max)
{
	bool open = false;

	for (unsigned i = 0; i < n; i++) {
		const struct scap__blob *b = param_blob(ev, &params[i]);
		const char *state = b ? state_name(&params[i], b, max) : NULL;

		if (!state)
			continue;
		if (!open)
			scap__json_open(j, "states");
		open = true;
		member_state(j, params[i].name, b, state);
	}
	if (open)
		scap__json_close(j);
}

static void member_params(struct scap__json *j, const struct scap_event *ev, uint32_t max_bytes)
{
	struct scap__param params[SCAP__PARAMS_MAX];
	unsigned n = scap__params(ev, params);

	scap__json_open(j, "args");
	for (unsigned i = 0; i < n; i++)
		member_param(j, ev, &params[i], max_bytes);
	scap__json_close(j);
	member_states(j, ev, params, n, max_bytes);
}

/* As strings: a 64-bit word is more than a JSON number holds in most programs. */
static void member_raw_args(struct scap__json *j, const struct scap_event *ev)
{
	unsigned n = ev->nargs < 6 ? ev->nargs : 6;

	scap__json_key(j, "raw_args", "");
	scap__out_char(&j->o, '[');
	for (unsigned i = 0; i < n; i++) {
		scap__out_str(&j->o, i ? "," : "");
		if (!scap__arg_word_known(ev, i)) {
			scap__out_lit(&j->o, "null");
			continue;
		}
		scap__out_char(&j->o, '"');
		scap__out_hex(&j->o, ev->args[i]);
		scap__out_char(&j->o, '"');
	}
	scap__out_char(&j->o, ']');
}

static void member_ends(struct scap__json *j, const struct scap__file *f)
{
	static const char *const keys[2][2] = { { "local_ip", "local_port" },
						{ "remote_ip", "remote_port" } };
	struct scap__addr ends[2];
	unsigned n;

	if (!scap__file_ends(f, ends, &n))
		return;
	for (unsigned i = 0; i < n; i++) {
		scap__json_key(j, keys[i][0], "");
		scap__out_char(&j->o, '"');
		if (ends[i].v6)
			scap__out_ipv6(&j->o, ends[i].bytes);
		else
			scap__out_ipv4(&j->o, ends[i].bytes);
		scap__out_char(&j->o, '"');
		scap__json_uint(j, keys[i][1], ends[i].port);
	}
}

static void member_file_name(struct scap__json *j, const struct scap__file *f)
{
	char tmp[1024];
	struct scap__out text;
	size_t n;

	if (f->path) {
		scap__json_bytes(j, "name", (const uint8_t *)f->path, f->path_bytes);
		return;
	}
	scap__out_init(&text, tmp, sizeof(tmp));
	scap__out_file_name(&text, f);
	n = text.len < sizeof(tmp) ? text.len : sizeof(tmp) - 1;
	scap__json_key(j, "name", "");
	scap__json_text(&j->o, (const uint8_t *)tmp, n);
}

static void member_true(struct scap__json *j, const char *name, bool is_so)
{
	if (!is_so)
		return;
	scap__json_key(j, name, "");
	scap__out_lit(&j->o, "true");
}

static void member_file_marks(struct scap__json *j, const struct scap__file *f)
{
	member_true(j, "deleted", f->flags & SCAP_FILE_DELETED);
	member_true(j, "uncertain", f->flags & SCAP_FILE_UNCERTAIN);
	member_true(j, "detached", f->flags & SCAP_FILE_DETACHED);
	member_true(j, "outside", f->seen == SCAP__SEEN_OUTSIDE);
	if (f->seen == SCAP__SEEN_OUTSIDE && f->ns_mnt)
		scap__json_uint(j, "mnt_ns", f->ns_mnt);
}

static void member_fd(struct scap__json *j, const struct scap_event *ev)
{
	const struct scap__file *f;
	struct scap__file meant;
	int64_t num;

	if (!scap__event_fd(ev, &num, &f))
		return;
	f = scap__as_connected(ev, f, &meant);
	scap__json_open(j, "fd");
	scap__json_key(j, "num", "");
	scap__out_int(&j->o, num);
	if (f) {
		member_file_name(j, f);
		scap__json_string(j, "type", scap__file_type(f));
		member_ends(j, f);
		if (f->sock.peer_pid)
			scap__json_uint(j, "peer_pid", f->sock.peer_pid);
		if (f->sock.peer_ino)
			scap__json_uint(j, "peer_ino", f->sock.peer_ino);
		scap__json_uint(j, "dev", f->dev);
		scap__json_uint(j, "ino", f->ino);
		if (f->mnt_id)
			scap__json_uint(j, "mnt_id", f->mnt_id);
		member_file_marks(j, f);
	}
	scap__json_close(j);
}

/* The paths that the call names, in full. */
static void member_paths(struct scap__json *j, const struct scap_event *ev)
{
	static const char *const names[2][2] = { { "path" }, { "source", "target" } };
	unsigned n = scap__n_paths(ev);

	for (unsigned i = 0; i < n && n <= 2; i++) {
		char tmp[2 * SCAP_PATH_MAX_BYTES + 8];
		struct scap__out path;

		scap__out_init(&path, tmp, sizeof(tmp));
		if (scap__out_path(&path, ev, i) && path.len < sizeof(tmp))
			scap__json_bytes(j, names[n - 1][i], (const uint8_t *)tmp, path.len);
	}
}

/* Where the thread's paths start, if that is not the root of the system's start. */
static void member_root(struct scap__json *j, const struct scap__thread *t)
{
	if (t->root)
		scap__json_bytes(j, "root", (const uint8_t *)t->root, t->root_bytes);
	member_true(j, "root_uncertain", t->thread_flags & SCAP_THREAD_ROOT_DOUBT);
	if (t->thread_flags & SCAP_THREAD_OTHER_MNT)
		scap__json_uint(j, "mnt_ns", t->ns_mnt);
}

static void member_time(struct scap__json *j, const char *name, uint64_t wall_ns)
{
	scap__json_key(j, name, "");
	scap__out_char(&j->o, '"');
	scap__out_date(&j->o, wall_ns, 0);
	scap__out_char(&j->o, 'T');
	scap__out_clock(&j->o, wall_ns, 0);
	scap__out_lit(&j->o, "Z\"");
}

static void member_thread(struct scap__json *j, const struct scap_event *ev)
{
	scap__json_key(j, "proc", "");
	if (ev->thread)
		scap__json_text(&j->o, (const uint8_t *)ev->thread->comm, strlen(ev->thread->comm));
	else
		scap__out_lit(&j->o, "null");
	if (ev->thread) {
		scap__json_uint(j, "pid", ev->thread->tgid);
		scap__json_uint(j, "ppid", ev->thread->ppid);
		scap__json_uint(j, "uid", ev->thread->uid);
		member_root(j, ev->thread);
	}
	scap__json_uint(j, "tid", ev->tid);
}

static void member_result(struct scap__json *j, const struct scap_event *ev)
{
	const char *name = scap__ret_errno(ev);

	scap__json_key(j, "latency_ns", "");
	if (ev->latency_ns == SCAP_LATENCY_NONE)
		scap__out_lit(&j->o, "null");
	else
		scap__out_uint(&j->o, ev->latency_ns);
	scap__json_key(j, "res", "");
	if (scap_event_has_ret(ev))
		scap__out_int(&j->o, ev->ret);
	else
		scap__out_lit(&j->o, "null");
	if (name)
		scap__json_string(j, "errno", name);
}

static void array_item(struct scap__json *j, bool *open, bool set, const char *text)
{
	if (!set)
		return;
	if (!*open) {
		scap__json_key(j, "flags", "");
		scap__out_char(&j->o, '[');
	} else {
		scap__out_char(&j->o, ',');
	}
	*open = true;
	scap__out_char(&j->o, '"');
	scap__out_str(&j->o, text);
	scap__out_char(&j->o, '"');
}

static void member_flags(struct scap__json *j, const struct scap_event *ev)
{
	bool open = false;

	array_item(j, &open, ev->flags & SCAP_CALL_TRAPPED, "trapped");
	array_item(j, &open, ev->flags & SCAP_CALL_CHILD, "child");
	array_item(j, &open, ev->flags & SCAP_CALL_NO_ENTRY, "no_entry");
	array_item(j, &open, ev->flags & SCAP_CALL_FD_SHARED, "fd_shared");
	array_item(j, &open, ev->more & SCAP_MORE_MIDCALL, "mid_call");
	array_item(j, &open, ev->more & SCAP_MORE_NO_STASH, "no_stash");
	array_item(j, &open, ev->more & SCAP_MORE_ARGS_LOST, "args_lost");
	if (open)
		scap__out_char(&j->o, ']');
}

static void member_gap(struct scap__json *j, const struct scap_event *ev)
{
	struct scap__tally_item items[SCAP__TALLY_SHOWN];
	uint64_t rest;
	unsigned n = scap__gap_tally(ev, items, &rest);

	scap__json_uint(j, "lost", ev->u.gap.n_lost);
	scap__json_uint(j, "first_ns", scap__gap_wall_ns(ev, ev->u.gap.first_ns));
	scap__json_uint(j, "last_ns", scap__gap_wall_ns(ev, ev->u.gap.last_ns));
	member_time(j, "first_time", scap__gap_wall_ns(ev, ev->u.gap.first_ns));
	member_time(j, "last_time", scap__gap_wall_ns(ev, ev->u.gap.last_ns));
	scap__json_open(j, "lost_types");
	for (unsigned i = 0; i < n; i++)
		scap__json_uint(j, items[i].name, items[i].count);
	scap__json_close(j);
	if (rest)
		scap__json_uint(j, "lost_others", rest);
	if (ev->u.gap.unexplained) {
		scap__json_key(j, "unexplained", "");
		scap__out_lit(&j->o, "true");
	}
}

static void member_call(struct scap__json *j, const struct scap_event *ev, uint32_t max_bytes)
{
	static const char *const abis[SCAP_ABIS] = { "x86_64", "i386", "x32" };
	bool call = ev->type == SCAP_REC_CALL || ev->type == SCAP_REC_ENTER;

	if (call)
		scap__json_string(j, "abi", ev->abi < SCAP_ABIS ? abis[ev->abi] : "unknown");
	if (ev->type == SCAP_REC_CALL)
		member_result(j, ev);
	member_params(j, ev, max_bytes);
	if (call)
		member_raw_args(j, ev);
	if (ev->type == SCAP_REC_CALL) {
		member_paths(j, ev);
		member_fd(j, ev);
		member_flags(j, ev);
	}
}

size_t scap_print_json(const struct scap_event *ev, const struct scap_print_options *opt,
		       char *buf, size_t cap)
{
	struct scap_print_options options;
	struct scap__json j = { .more = false };

	scap__print_options(&options, opt);
	scap__out_init(&j.o, buf, cap);
	scap__out_char(&j.o, '{');
	scap__json_uint(&j, "num", ev->num);
	scap__json_uint(&j, "time_ns", ev->wall_ns);
	member_time(&j, "time", ev->wall_ns);
	scap__json_uint(&j, "cpu", ev->cpu);
	scap__json_string(&j, "type", scap_event_name(ev));
	if (ev->type == SCAP_REC_GAP) {
		member_gap(&j, ev);
	} else {
		member_thread(&j, ev);
		member_call(&j, ev, options.max_bytes);
	}
	scap__out_char(&j.o, '}');
	return scap__out_end(&j.o);
}
