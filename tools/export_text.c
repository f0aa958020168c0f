/* SPDX-License-Identifier: MIT */
/*
 * scap export --to ndjson and csv: a line per event. A field of CSV is a member of the event's JSON
 * object, which has settled already how bytes become text.
 */
#include "export.h"

#include <scap/print.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of a JSON text; p NULL: not there. */
struct span {
	const char *p;
	size_t n;
};

struct text_run {
	const struct export_request *req;
	struct input in;
	struct output out;
	struct scap_filter *filter;
	struct export_target target;
	bool csv;
	char *line;
	size_t cap;
	int exit;
};

/* ---- JSON of our own making ---------------------------------------------------------------- */

static const char *string_end(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

/* Behind the value that begins at p. */
static const char *value_end(const char *p)
{
	unsigned depth = 0;

	while (*p) {
		if (!depth && (*p == ',' || *p == '}' || *p == ']'))
			return p;
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p = *p == '"' ? string_end(p) : p + 1;
	}
	return p;
}

static bool is_key(const char *p, const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return !strncmp(p, name, n) && !strncmp(p + n, suffix, m) && p[n + m] == '"';
}

static struct span member(const char *object, const char *name, const char *suffix)
{
	const char *p = object;

	while (p && (*p == '{' || *p == ',')) {
		const char *key = p + 2, *value = string_end(p + 1);

		if (p[1] != '"' || *value != ':')
			break;
		p = value_end(value + 1);
		if (is_key(key, name, suffix))
			return (struct span){ value + 1, (size_t)(p - value - 1) };
	}
	return (struct span){ 0 };
}

/* ---- CSV ----------------------------------------------------------------------------------- */

/* Only added to, at the end. */
static const struct { const char *column, *object, *member; } columns[] = {
	{ "num", NULL, "num" }, { "time_ns", NULL, "time_ns" }, { "time", NULL, "time" },
	{ "cpu", NULL, "cpu" }, { "proc", NULL, "proc" }, { "pid", NULL, "pid" },
	{ "tid", NULL, "tid" }, { "ppid", NULL, "ppid" }, { "uid", NULL, "uid" },
	{ "type", NULL, "type" }, { "latency_ns", NULL, "latency_ns" }, { "res", NULL, "res" },
	{ "errno", NULL, "errno" }, { "path", NULL, "path" }, { "fd", "fd", "num" },
	{ "fd_name", "fd", "name" }, { "fd_type", "fd", "type" }, { "args", NULL, "args" },
	{ "lost", NULL, "lost" },
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A string without its quotes; JSON's escapes stay, so that a record is a line. */
static void put_field(struct output *out, struct span s, const char *prefix)
{
	bool string = s.n >= 2 && s.p[0] == '"', quote;

	if (string) {
		s.p++;
		s.n -= 2;
	}
	if (!s.p || (!string && s.n == 4 && !strncmp(s.p, "null", 4)))
		return;
	quote = memchr(s.p, '"', s.n) || memchr(s.p, ',', s.n);
	output_string(out, quote ? "\"" : "");
	output_string(out, prefix);
	for (size_t i = 0; i < s.n;) {
		const char *q = memchr(s.p + i, '"', s.n - i);
		size_t n = q ? (size_t)(q + 1 - (s.p + i)) : s.n - i;

		output_write(out, s.p + i, n);
		output_string(out, q ? "\"" : "");
		i += n;
	}
	output_string(out, quote ? "\"" : "");
}

static void put_csv(struct text_run *run)
{
	for (unsigned i = 0; i < N_COLUMNS; i++) {
		const char *object = run->line;
		struct span s = { 0 };

		if (columns[i].object)
			object = member(run->line, columns[i].object, "").p;
		output_string(&run->out, i ? "," : "");
		s = member(object, columns[i].member, "");
		if (s.p)
			put_field(&run->out, s, "");
		else
			put_field(&run->out, member(object, columns[i].member, "_b64"), "base64:");
	}
	output_string(&run->out, "\r\n");
}

static void put_head(struct text_run *run)
{
	for (unsigned i = 0; i < N_COLUMNS; i++) {
		output_string(&run->out, i ? "," : "");
		output_string(&run->out, columns[i].column);
	}
	output_string(&run->out, "\r\n");
}

/* ---- lines --------------------------------------------------------------------------------- */

static bool render(struct text_run *run, const struct scap_event *ev)
{
	struct scap_print_options opt = { .size = sizeof(opt) };
	size_t n = scap_print_json(ev, &opt, run->line, run->cap);
	char *line;

	if (n < run->cap)
		return true;
	line = realloc(run->line, n + 1);
	if (!line) {
		tool_error("not enough memory");
		run->exit = TOOL_FAILED;
		return false;
	}
	run->line = line;
	run->cap = n + 1;
	scap_print_json(ev, &opt, run->line, run->cap);
	return true;
}

static bool event(struct text_run *run, const struct scap_event *ev)
{
	/* A gap is no event that a filter could choose. */
	if (run->filter && scap_event_num(ev) && !scap_filter_match(run->filter, ev))
		return true;
	if (!render(run, ev))
		return false;
	if (run->csv) {
		put_csv(run);
	} else {
		output_string(&run->out, run->line);
		output_string(&run->out, "\n");
	}
	return !run->out.failed;
}

static void damage(struct text_run *run, int rc)
{
	const struct scap_error *err = scap_reader_error(run->in.reader);

	run->exit = input_failed(&run->in, rc, err);
	if (!run->csv && run->exit == TOOL_DAMAGED)
		output_printf(&run->out, "{\"type\":\"damage\",\"offset\":%" PRIu64 "}\n",
			      err->offset == SCAP_NO_OFFSET ? 0 : err->offset);
}

static void read_all(struct text_run *run)
{
	const struct scap_event *ev;
	int rc;

	for (;;) {
		rc = scap_reader_next(run->in.reader, &ev);
		if (rc > 0 || (rc == 0 && !event(run, ev)))
			return;
		if (rc < 0)
			damage(run, rc);
		if (rc < 0 && rc != SCAP_EDAMAGED)
			return;
	}
}

static void write_all(struct text_run *run)
{
	if (run->filter)
		scap_reader_choose(run->in.reader, run->filter);
	if (run->csv)
		put_head(run);
	read_all(run);
	input_clear_progress(&run->in);
	output_flush(&run->out);
	if (run->out.failed)
		run->exit = TOOL_FAILED;
	run->target.bytes = 1;	/* what is there stays */
}

static int export_text(const struct export_request *req, bool csv)
{
	struct text_run run = { .req = req, .csv = csv, .in.fd = -1, .target.fd = -1 };
	int ret = TOOL_USAGE;

	if (!query_compile(&req->query, &run.filter))
		return ret;
	if (input_open(&run.in, req->query.path, 0, NULL, &ret)) {
		ret = TOOL_FAILED;
		if (export_open_target(req, false, &run.target) &&
		    output_init(&run.out, run.target.fd)) {
			write_all(&run);
			ret = run.exit;
			output_fini(&run.out);
		}
		if (!export_close_target(req, &run.target))
			ret = TOOL_FAILED;
	}
	input_close(&run.in);
	scap_filter_free(run.filter);
	free(run.line);
	return ret;
}

int export_csv(const struct export_request *req)
{
	return export_text(req, true);
}

int export_ndjson(const struct export_request *req)
{
	return export_text(req, false);
}
