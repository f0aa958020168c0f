/* SPDX-License-Identifier: MIT */
/* scap export --to scap: what was there before, then the events. */
#include "export.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct export_run {
	const struct export_request *req;
	struct input in;
	struct scap_filter *filter;
	struct export_target target;
	struct scap_export *x;
	bool events;		/* the second way through the file, or the only one */
	int exit;
};

static int learn_texts(struct export_run *run)
{
	struct scap_keyframe_text text;
	int rc = 0;

	for (unsigned i = 0; !rc; i++) {
		if (scap_reader_keyframe_text(run->in.reader, i, &text))
			return 0;
		rc = scap_export_learn_text(run->x, &text);
	}
	return rc;
}

/* 0, or the exporter's error. */
static int event(struct export_run *run, const struct scap_event *ev)
{
	bool keyframe = scap_event_in_keyframe(ev);
	uint32_t flags = 0;
	int rc;

	if (run->filter && scap_event_num(ev) && !scap_filter_match(run->filter, ev))
		flags = SCAP_EXPORT_STATE;
	if (!run->events || keyframe) {
		rc = scap_export_learn(run->x, ev, flags);
		if (!rc && keyframe)
			rc = learn_texts(run);
		/* Too late: an event was written already. */
		return run->events ? scap_export_error(run->x)->code : rc;
	}
	return scap_export_event(run->x, ev, flags);
}

static void export_failed(struct export_run *run, const struct scap_error *err)
{
	input_clear_progress(&run->in);
	tool_error("%s: %s", run->req->output ? run->req->output : "standard output", err->text);
	run->exit = TOOL_FAILED;
}

/* True: it came to the end, or as far as the file can be read. */
static bool read_all(struct export_run *run)
{
	const struct scap_event *ev;
	int rc;

	for (;;) {
		rc = scap_reader_next(run->in.reader, &ev);
		if (rc == 1)
			return true;
		if (rc == 2 && run->events && scap_export_flush(run->x)) {
			export_failed(run, scap_export_error(run->x));
			return false;
		}
		if (rc == 2)
			continue;
		if (rc == 0) {
			if (!event(run, ev))
				continue;
			export_failed(run, scap_export_error(run->x));
			return false;
		}
		if (run->events)
			run->exit = input_failed(&run->in, rc, scap_reader_error(run->in.reader));
		if (rc != SCAP_EDAMAGED)
			return rc == SCAP_ETRUNCATED || !run->events;
	}
}

static bool open_input(struct export_run *run)
{
	uint32_t flags = SCAP_READER_KEYFRAMES | SCAP_READER_SEGMENTS;

	if (!input_open(&run->in, run->req->query.path, flags, NULL, &run->exit))
		return false;
	run->exit = TOOL_OK;
	return true;
}

static bool open_export(struct export_run *run)
{
	struct scap_export_options opt = {
		.size = sizeof(opt), .profile = run->req->profile, .flags = run->req->flags,
	};
	struct scap_sink sink = export_sink(&run->target);
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (!export_open_target(run->req, true, &run->target))
		return false;
	if (scap_export_open_sink(&sink, &opt, scap_reader_info(run->in.reader), &run->x, &err)) {
		export_failed(run, &err);
		return false;
	}
	return true;
}

static bool both_ways(struct export_run *run)
{
	if (strcmp(run->req->query.path, "-")) {
		if (!read_all(run))
			return false;
		input_close(&run->in);
		if (!open_input(run))
			return false;
	}
	run->events = true;
	return read_all(run);
}

/* ---- the report ---------------------------------------------------------------------------- */

static void report_json(const struct scap_export_counts *c)
{
	const struct { const char *name; uint64_t n; } members[] = {
		{ "events", c->n_events }, { "written", c->n_written },
		{ "generic", c->n_generic }, { "no_number", c->n_no_number },
		{ "folded", c->n_folded }, { "left_out", c->n_left_out },
		{ "trapped", c->n_trapped }, { "lost", c->n_lost },
		{ "late_enters", c->n_late_enters }, { "no_entry", c->n_no_entry },
		{ "cut", c->n_cut }, { "threads", c->n_tasks }, { "descriptors", c->n_fds },
		{ "unlisted", c->n_unlisted }, { "bytes", c->bytes },
	};

	for (unsigned i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		fprintf(stderr, "%s\"%s\":%" PRIu64, i ? "," : "{", members[i].name, members[i].n);
	fputs("}\n", stderr);
}

static void report_text(const struct scap_export_counts *c)
{
	const struct { uint64_t n; const char *what; } lines[] = {
		{ c->n_generic, "calls without parameters: a .scap file only has their number" },
		{ c->n_no_number, "of these without a number, either" },
		{ c->n_folded, "forks and execs told by the exits of those calls" },
		{ c->n_left_out, "events left out: a .scap file has nothing for them" },
		{ c->n_late_enters, "entries told later than they were, of calls that took long" },
		{ c->n_no_entry, "calls whose entry was not seen, told without a latency" },
		{ c->n_cut, "events with a parameter that was cut" },
		{ c->n_unlisted, "events of which nothing was listed, for want of memory" },
		{ c->n_lost, "events missing in the capture: a .scap file cannot tell" },
	};

	fprintf(stderr, "%" PRIu64 " events, as %" PRIu64 " in %" PRIu64 " bytes; %" PRIu64
		" threads and %" PRIu64 " descriptors from before\n", c->n_events, c->n_written,
		c->bytes, c->n_tasks, c->n_fds);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].n)
			fprintf(stderr, "%12" PRIu64 " %s\n", lines[i].n, lines[i].what);
	if (!c->n_written)
		fputs("readers of .scap files refuse one without an event\n", stderr);
}

static void finish(struct export_run *run)
{
	struct scap_export_counts counts;
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	int rc = scap_export_close(run->x, &counts, &err);

	input_clear_progress(&run->in);
	if (rc && run->exit != TOOL_FAILED)
		export_failed(run, &err);
	if (!export_close_target(run->req, &run->target))
		run->exit = TOOL_FAILED;
	if (run->exit == TOOL_FAILED)
		return;
	if (run->req->json)
		report_json(&counts);
	else
		report_text(&counts);
}

int export_scap(const struct export_request *req)
{
	struct export_run run = { .req = req, .in.fd = -1, .target.fd = -1, .exit = TOOL_USAGE };

	if (!query_compile(&req->query, &run.filter))
		return TOOL_USAGE;
	if (open_input(&run)) {
		if (open_export(&run)) {
			both_ways(&run);
			finish(&run);
		} else {
			run.exit = TOOL_FAILED;
			export_close_target(req, &run.target);
		}
	}
	input_close(&run.in);
	scap_filter_free(run.filter);
	return run.exit;
}
