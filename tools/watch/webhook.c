/* SPDX-License-Identifier: MIT */
#include "watch/webhook.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "opts.h"

struct parser {
	struct webhook *w;
	char *err;
	size_t cap;
	int rc;
};

/* False, for the caller to return; the first error is the one that counts. */
__attribute__((format(printf, 3, 4)))
static bool fail(struct parser *p, int rc, const char *fmt, ...)
{
	va_list ap;

	if (p->rc)
		return false;
	p->rc = rc;
	va_start(ap, fmt);
	vsnprintf(p->err, p->cap, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- the text ------------------------------------------------------------------------------- */

/* Bounds what the parser will take. Text that is no JSON may pass: the parser finds that. */
static bool within_bounds(struct parser *p, const char *s, size_t n)
{
	size_t n_values = 0, depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else
				quoted = s[i] != '"';
			continue;
		}
		quoted = s[i] == '"';
		if (s[i] == '[' || s[i] == '{')
			depth++;
		else if ((s[i] == ']' || s[i] == '}') && depth)
			depth--;
		if (depth > WEBHOOK_DEPTH)
			return fail(p, -EINVAL, "byte %zu: more than %d levels of JSON", i,
				    WEBHOOK_DEPTH);
		n_values += strchr("[{,", s[i]) && s[i];
		if (n_values > WEBHOOK_VALUES)
			return fail(p, -EINVAL, "byte %zu: more than %d values", i, WEBHOOK_VALUES);
	}
	return true;
}

static json_t *parse(struct parser *p, const char *body, size_t n)
{
	json_error_t e;
	json_t *root;

	if (!within_bounds(p, body, n))
		return NULL;
	root = json_loadb(body, n, JSON_REJECT_DUPLICATES, &e);
	if (!root) {
		if (json_error_code(&e) == json_error_out_of_memory)
			fail(p, -ENOMEM, "not enough memory");
		else
			fail(p, -EINVAL, "byte %d: %s", e.position, e.text);
		return NULL;
	}
	if (json_is_object(root))
		return root;
	fail(p, -EINVAL, "the body is no JSON object");
	json_decref(root);
	return NULL;
}

/* Where a string of at most max bytes ends between two characters. */
static size_t cut_at(const char *s, size_t n, size_t max)
{
	if (n <= max)
		return n;
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* A copy that lives with w; cut, and marked then. */
static const char *keep(struct parser *p, const char *s)
{
	static const char mark[] = "...";
	size_t all = strlen(s), n = cut_at(s, all, WEBHOOK_TEXT);
	struct webhook *w = p->w;
	char *to;

	if (n < all)
		n = cut_at(s, all, WEBHOOK_TEXT - strlen(mark));
	if (w->text_cap - w->n_text < n + sizeof(mark)) {
		fail(p, -ENOMEM, "more text than the body had");
		return NULL;
	}
	to = w->text + w->n_text;
	memcpy(to, s, n);
	strcpy(to + n, n < all ? mark : "");
	w->n_text += strlen(to) + 1;
	return to;
}

/* In one line: control characters, also those of two bytes, become blanks. */
static const char *keep_line(struct parser *p, const char *s)
{
	char *line = (char *)keep(p, s);

	for (unsigned char *c = (unsigned char *)line; c && *c; c++) {
		if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
		else if (*c == 0xc2 && c[1] < 0xa0)
			c[0] = c[1] = ' ';
	}
	return line;
}

/* ---- members -------------------------------------------------------------------------------- */

/* *ret stays where there is none. where: "" or "alerts[3].". */
static bool get_string(struct parser *p, const json_t *o, const char *where, const char *key,
		       const char **ret)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return true;
	if (!json_is_string(v))
		return fail(p, -EINVAL, "%s%s: not a string", where, key);
	*ret = json_string_value(v);
	return true;
}

static bool get_object(struct parser *p, const json_t *o, const char *where, const char *key,
		       const json_t **ret)
{
	const json_t *v = json_object_get(o, key);

	if (v && !json_is_object(v))
		return fail(p, -EINVAL, "%s%s: not an object", where, key);
	*ret = v;
	return true;
}

static bool get_duration(struct parser *p, const json_t *o, const char *key, uint64_t *ret_ns)
{
	const char *text = NULL;

	if (!get_string(p, o, "", key, &text))
		return false;
	if (!text)
		return true;
	if (!duration_parse_ns(text, ret_ns))
		return fail(p, -EINVAL, "%s: no duration such as \"30s\", \"1.5m\" or \"200ms\"",
			    key);
	return *ret_ns <= WATCH_WINDOW_NS || fail(p, -EINVAL, "%s: more than a day", key);
}

static bool get_ns(struct parser *p, const json_t *o, const char *key, uint64_t *ret_ns)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return true;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return fail(p, -EINVAL, "%s: no number of nanoseconds", key);
	*ret_ns = (uint64_t)json_integer_value(v);
	return *ret_ns <= WATCH_WINDOW_NS || fail(p, -EINVAL, "%s: more than a day", key);
}

static bool get_bool(struct parser *p, const json_t *o, const char *key, bool *ret)
{
	const json_t *v = json_object_get(o, key);

	if (v && !json_is_boolean(v))
		return fail(p, -EINVAL, "%s: neither true nor false", key);
	*ret = json_is_true(v);
	return true;
}

/* A member that nobody knows may be a word misspelt, whose meaning would be lost. */
static bool only(struct parser *p, json_t *o, const char *const *names)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v) {
		unsigned i = 0;

		while (names[i] && strcmp(names[i], key))
			i++;
		if (!names[i])
			return fail(p, -EINVAL, "'%.*s': no such member",
				    (int)cut_at(key, strlen(key), 100), key);
	}
	return true;
}

/* In a capture a name ends at the first '=', while Alertmanager's may be any text. */
static const char *keep_name(struct parser *p, const char *s)
{
	char *name = (char *)keep(p, s);

	for (char *c = name; c && *c; c++)
		if (*c == '=')
			*c = '_';
	return name;
}

static bool add_label(struct parser *p, struct watch_request *r, const char *name,
		      const char *value)
{
	struct scap_label *l = (struct scap_label *)r->labels + r->n_labels;

	l->name = keep_name(p, name);
	l->value = l->name ? keep(p, value) : NULL;
	r->n_labels += l->value != NULL;
	return l->value;
}

/* Room for the labels of request i is behind that of those before it. */
static bool get_labels(struct parser *p, const json_t *o, const char *where,
		       struct watch_request *r)
{
	size_t n = json_object_size(o), seen = 0;
	const char *name;
	char count[24];
	json_t *v;

	r->labels = p->w->labels + (size_t)(r - p->w->requests) * (WEBHOOK_LABELS + 1);
	json_object_foreach((json_t *)o, name, v) {
		if (!json_is_string(v))
			return fail(p, -EINVAL, "%slabels: a value is not a string", where);
		if (!*name)
			return fail(p, -EINVAL, "%slabels: an empty name", where);
		if (seen++ < WEBHOOK_LABELS && !add_label(p, r, name, json_string_value(v)))
			return false;
	}
	if (n <= WEBHOOK_LABELS)
		return true;
	snprintf(count, sizeof(count), "%zu", n - WEBHOOK_LABELS);
	return add_label(p, r, "scap_labels_left_out", count);
}

/* Strings that are NULL, or turn into ones of w's. */
static bool keep_all(struct parser *p, struct watch_request *r)
{
	if (r->name)
		r->name = keep(p, r->name);
	if (r->why)
		r->why = keep_line(p, r->why);
	if (r->fingerprint)
		r->fingerprint = keep(p, r->fingerprint);
	return !p->rc;
}

/* ---- forms ---------------------------------------------------------------------------------- */

static struct watch_request *add_request(struct webhook *w, enum trigger_source source)
{
	struct watch_request *r = &w->requests[w->n_requests++];

	*r = (struct watch_request){
		.source = source, .before_ns = UINT64_MAX, .after_ns = UINT64_MAX,
	};
	return r;
}

static bool take_plain(struct parser *p, json_t *o)
{
	static const char *const names[] = { "trigger", "why", "labels", "before", "after",
					     "fingerprint", "wait", NULL };
	struct watch_request *r = add_request(p->w, TRIGGER_ALERT);
	const json_t *labels = NULL;

	return only(p, o, names) && get_string(p, o, "", "trigger", &r->name) &&
	       get_string(p, o, "", "why", &r->why) &&
	       get_string(p, o, "", "fingerprint", &r->fingerprint) &&
	       get_duration(p, o, "before", &r->before_ns) &&
	       get_duration(p, o, "after", &r->after_ns) && get_bool(p, o, "wait", &r->wait) &&
	       get_object(p, o, "", "labels", &labels) && get_labels(p, labels, "", r) &&
	       keep_all(p, r);
}

static bool take_trigger(struct parser *p, json_t *o)
{
	static const char *const names[] = { "trigger", "name", "why", "labels", "before_ns",
					     "after_ns", "wait", NULL };
	struct watch_request *r = add_request(p->w, TRIGGER_HAND);
	const char *source = "";
	const json_t *labels = NULL;

	if (!only(p, o, names) || !get_string(p, o, "", "trigger", &source))
		return false;
	if (strcmp(source, "hand"))
		return fail(p, -EINVAL, "trigger: not \"hand\"");
	return get_string(p, o, "", "name", &r->name) && get_string(p, o, "", "why", &r->why) &&
	       get_ns(p, o, "before_ns", &r->before_ns) &&
	       get_ns(p, o, "after_ns", &r->after_ns) && get_bool(p, o, "wait", &r->wait) &&
	       get_object(p, o, "", "labels", &labels) && get_labels(p, labels, "", r) &&
	       keep_all(p, r);
}

static bool take_control(struct parser *p, json_t *o)
{
	static const char *const names[] = { "status", NULL };

	if (!json_object_get(o, "status"))
		return take_trigger(p, o);
	if (!only(p, o, names) || !get_bool(p, o, "status", &p->w->status))
		return false;
	return p->w->status || fail(p, -EINVAL, "status: not true");
}

static bool take_alert(struct parser *p, const json_t *a, const char *where)
{
	struct watch_request *r = add_request(p->w, TRIGGER_ALERT);
	const json_t *labels = NULL, *notes = NULL;

	if (!get_object(p, a, where, "labels", &labels) ||
	    !get_object(p, a, where, "annotations", &notes) ||
	    !get_string(p, a, where, "fingerprint", &r->fingerprint) ||
	    !get_string(p, labels, where, "scap_trigger", &r->name) ||
	    /* The last one that is there counts. */
	    !get_string(p, labels, where, "alertname", &r->why) ||
	    !get_string(p, notes, where, "description", &r->why) ||
	    !get_string(p, notes, where, "summary", &r->why))
		return false;
	return get_labels(p, labels, where, r) && keep_all(p, r);
}

static bool take_alerts(struct parser *p, const json_t *alerts)
{
	struct webhook *w = p->w;
	const char *status;
	char where[32];
	json_t *a;
	size_t i;

	json_array_foreach(alerts, i, a) {
		snprintf(where, sizeof(where), "alerts[%zu].", i);
		status = "";
		if (!json_is_object(a))
			return fail(p, -EINVAL, "alerts[%zu]: not an object", i);
		if (!get_string(p, a, where, "status", &status))
			return false;
		if (!strcmp(status, "resolved"))
			w->n_resolved++;
		else if (strcmp(status, "firing"))
			return fail(p, -EINVAL, "%sstatus: neither firing nor resolved", where);
		else if (w->n_requests == WEBHOOK_ALERTS)
			w->n_left_out++;
		else if (!take_alert(p, a, where))
			return false;
	}
	return true;
}

/* Members that are not needed are not looked at: later versions of Alertmanager may add some. */
static bool take_alertmanager(struct parser *p, json_t *o)
{
	const json_t *alerts = json_object_get(o, "alerts");
	const char *version = "";

	if (!get_string(p, o, "", "version", &version))
		return false;
	if (strcmp(version, "4"))
		return fail(p, -EINVAL, "version: not \"4\", that of Alertmanager's webhook");
	if (!json_is_array(alerts))
		return fail(p, -EINVAL, "alerts: not an array");
	return take_alerts(p, alerts);
}

static int take(struct webhook *w, const char *body, size_t n, uint32_t most,
		bool (*form)(struct parser *p, json_t *o), char *err, size_t cap)
{
	struct parser p = { .w = w, .err = err, .cap = cap };
	json_t *root;

	*w = (struct webhook){
		.requests = calloc(most, sizeof(*w->requests)),
		.labels = calloc((size_t)most * (WEBHOOK_LABELS + 1), sizeof(*w->labels)),
		/* A string is kept twice at most: an alert's name is a label, too. */
		.text_cap = 2 * n + most * 64,
	};
	w->text = malloc(w->text_cap);
	if (!w->requests || !w->labels || !w->text) {
		fail(&p, -ENOMEM, "not enough memory");
		return p.rc;
	}
	root = parse(&p, body, n);
	if (!root)
		return p.rc;
	if (!form(&p, root))
		w->n_requests = 0;
	json_decref(root);
	return p.rc;
}

int webhook_alertmanager(struct webhook *w, const char *body, size_t n, char *err, size_t cap)
{
	return take(w, body, n, WEBHOOK_ALERTS, take_alertmanager, err, cap);
}

int webhook_plain(struct webhook *w, const char *body, size_t n, char *err, size_t cap)
{
	return take(w, body, n, 1, take_plain, err, cap);
}

int webhook_control(struct webhook *w, const char *line, size_t n, char *err, size_t cap)
{
	return take(w, line, n, 1, take_control, err, cap);
}

void webhook_fini(struct webhook *w)
{
	free(w->requests);
	free(w->labels);
	free(w->text);
	*w = (struct webhook){ 0 };
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Texts come from files' names and from clients: what is no UTF-8 is shown as '?'. */
static json_t *text_json(const char *s)
{
	json_t *v = json_string(s);
	char *plain;

	if (v)
		return v;
	plain = strdup(s);
	for (char *c = plain; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	v = plain ? json_string(plain) : NULL;
	free(plain);
	return v;
}

static char *dump(json_t *v)
{
	char *line = v ? json_dumps(v, JSON_COMPACT) : NULL;

	json_decref(v);
	return line;
}

static json_t *reply_json(const struct watch_reply *r)
{
	json_t *o = json_pack("{s:b}", "ok", r->code == 0);

	if (r->code > 0)
		json_object_set_new(o, "refused", json_true());
	if (r->code)
		json_object_set_new(o, "error", text_json(r->text));
	/* A request may have failed later than its file was known. */
	if (r->file[0])
		json_object_set_new(o, "file", text_json(r->file));
	return o;
}

char *webhook_answer_one(const struct watch_reply *r)
{
	return dump(reply_json(r));
}

char *webhook_answer_text(bool ok, const char *key, const char *text)
{
	return dump(json_pack("{s:b,s:o}", "ok", ok, key, text_json(text)));
}

char *webhook_answer(const struct webhook *w, const struct watch_reply *replies)
{
	json_t *list = json_array(), *o;
	unsigned n[3] = { 0 };

	for (uint32_t i = 0; i < w->n_requests; i++) {
		const char *print = w->requests[i].fingerprint;

		n[replies[i].code > 0 ? 1 : replies[i].code < 0 ? 2 : 0]++;
		o = reply_json(&replies[i]);
		if (print)
			json_object_set_new(o, "fingerprint", text_json(print));
		json_array_append_new(list, o);
	}
	return dump(json_pack("{s:i,s:i,s:i,s:i,s:i,s:o}", "captures", n[0], "refused", n[1],
			      "failed", n[2], "resolved", (int)w->n_resolved, "left_out",
			      (int)w->n_left_out, "alerts", list));
}
