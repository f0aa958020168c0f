/* SPDX-License-Identifier: MIT */
/* scap read: a line per event. */
#include "context.h"
#include "counts.h"
#include "export.h"
#include "input.h"
#include "opts.h"
#include "query.h"
#include "times.h"
#include "tree.h"

#include <scap/print.h>
#include <scap/reader.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_FORMAT = 1, OPT_JSON, OPT_N, OPT_TIME, OPT_FROM, OPT_TO, OPT_AFTER, OPT_BEFORE,
	OPT_TREE, OPT_COUNT_BY, OPT_ALL, OPT_KEYFRAMES, OPT_QUIET, OPT_WRITE, OPT_FORCE, OPT_COLOR,
};

static const struct opt read_opts[] = {
	{ OPT_FORMAT, 'p', "print", "FORMAT", "print FORMAT for each event, such as\n"
	  "\"%evt.time %proc.name %evt.args\"" },
	{ OPT_JSON, 'j', "json", NULL, "one JSON object per line" },
	{ OPT_N, 'n', "events", "N", "stop after N matching events" },
	{ OPT_TIME, 't', "time", "a|r|d", "time of day; since the capture's start; since the\n"
	  "line before" },
	{ OPT_FROM, 0, "from", "T", "from this time on: 14:03:07.5, 2026-11-23 14:03:07,\n"
	  "+SECONDS since the start, seconds since 1970, or trigger,\n"
	  "trigger-2s, trigger+500ms: beside what the capture is about" },
	{ OPT_TO, 0, "to", "T", "up to this time" },
	{ OPT_AFTER, 'A', "after", "N", "show N events of the same thread after each match" },
	{ OPT_BEFORE, 'B', "before", "N", "show N events of the same thread before each match" },
	{ OPT_TREE, 0, "tree", "PID", "only this process and its descendants" },
	{ OPT_COUNT_BY, 0, "count-by", "FIELD", "no lines, but a table: how often each value\n"
	  "came" },
	{ OPT_ALL, 0, "all", NULL, "book-keeping records (intro, file), too" },
	{ OPT_KEYFRAMES, 0, "keyframes", NULL, "what keyframes say of threads, descriptors and\n"
	  "calls under way (keytask, keyfd, keycall), too" },
	{ OPT_QUIET, 'q', "quiet", NULL, "read everything, print no events" },
	{ OPT_WRITE, 'w', "write", "OUT", "print nothing: write a capture of these events,\n"
	  "with all that explains them, to OUT, a new file" },
	{ OPT_FORCE, 'f', "force", NULL, "overwrite OUT" },
	{ OPT_COLOR, 0, "color", "WHEN", "auto, always or never" },
	{ 0 }
};

static const char read_details[] =
	"Prints a line per event, in time order: number, time, CPU, process (thread),\n"
	"event, latency, parameters, result. FILE - is standard input. FILTER is an\n"
	"expression such as: evt.type=openat and evt.failed=true\n"
	"A line INCOMPLETE says where events are missing, how many, and when.\n";

static const char read_examples[] =
	"  scap read shop.scapz 'proc.name=httpd and evt.failed=true'\n"
	"  scap read shop.scapz --from 14:03:07 --to 14:03:08.5 -n 20\n"
	"  scap read shop.scapz -B 3 'evt.rawres=-13'\n"
	"  scap read shop.scapz --count-by proc.name evt.type=connect\n"
	"  scap read shop.scapz --from trigger-2s --to trigger proc.name=httpd -w httpd.scapz\n"
	"  scap read shop.scapz -p '%evt.time %fd.name %evt.res' fd.name contains /srv\n";

#define MAX_CPUS 65536u

/* What is missing, for the lines behind a table and the one on standard error. */
struct missing {
	uint64_t n, first_ns, last_ns;	/* n 0: nothing */
};

/* What the command line asks for. */
struct request {
	struct query query;
	const char *format, *count_by;
	uint64_t n_max;		/* 0: no limit */
	uint64_t n_before, n_after, tree;
	uint32_t time_format;
	const char *write;	/* NULL: lines */
	bool force;
	bool json, all, keyframes, quiet, color;
};

struct run {
	const struct request *req;
	struct input in;
	struct output out;
	struct scap_filter *filter;
	struct scap_format *format;
	struct scap_field *count_by;
	struct scap_print_options print;
	struct tree tree;
	struct context context;
	struct counts counts;
	char *line;		/* for what does not go straight to the output */
	size_t line_cap;
	uint64_t from_ns, to_ns;
	uint64_t n_shown;
	struct missing lost, unexplained;
	unsigned n_damages;
	bool use_context, in_gap, ends_early;
	uint64_t segment, n_cut;
	bool past;		/* nothing more is wanted of this segment */
	bool tree_seen;		/* in a segment before */
	uint8_t cpu[MAX_CPUS];	/* CPU_* */
	uint32_t n_behind;	/* CPUs of which nothing later than the range came yet */
	int exit;
};

/* ---- the command line ------------------------------------------------------------ */

static bool time_option(const struct opt_parser *p, uint32_t *ret_format)
{
	if (!strcmp(p->arg, "a"))
		*ret_format = SCAP_TIME_ABSOLUTE;
	else if (!strcmp(p->arg, "r"))
		*ret_format = SCAP_TIME_RELATIVE;
	else if (!strcmp(p->arg, "d"))
		*ret_format = SCAP_TIME_DELTA;
	else
		tool_usage("option --time: '%s' is not a, r or d", p->arg);
	return strlen(p->arg) == 1 && strchr("ard", p->arg[0]);
}

static bool apply_option(struct opt_parser *p, struct request *req, int id)
{
	switch (id) {
	case OPT_OPERAND: return query_operand(&req->query, p->arg);
	case OPT_FORMAT: req->format = p->arg; return true;
	case OPT_JSON: req->json = true; return true;
	case OPT_N: return opt_u64(p, 1, UINT64_MAX, &req->n_max);
	case OPT_TIME: return time_option(p, &req->time_format);
	case OPT_FROM: req->query.from = p->arg; return true;
	case OPT_TO: req->query.to = p->arg; return true;
	case OPT_AFTER: return opt_u64(p, 0, CONTEXT_MAX_LINES, &req->n_after);
	case OPT_BEFORE: return opt_u64(p, 0, CONTEXT_MAX_LINES, &req->n_before);
	case OPT_TREE: return opt_u64(p, 1, UINT32_MAX, &req->tree);
	case OPT_COUNT_BY: req->count_by = p->arg; return true;
	case OPT_ALL: req->all = true; return true;
	case OPT_KEYFRAMES: req->keyframes = true; return true;
	case OPT_QUIET: req->quiet = true; return true;
	case OPT_WRITE: req->write = p->arg; return true;
	case OPT_FORCE: req->force = true; return true;
	case OPT_COLOR: return tool_color(p, p->arg, STDOUT_FILENO, &req->color);
	}
	return false;
}

static bool parse(struct request *req, const struct verb *verb, int argc, char **argv)
{
	struct opt_parser p;
	int id;

	opt_init(&p, verb, argc, argv);
	p.arg = "auto";
	tool_color(&p, p.arg, STDOUT_FILENO, &req->color);
	while ((id = opt_next(&p)) > 0)
		if (!apply_option(&p, req, id))
			return false;
	for (int i = 0; id == 0 && i < p.n_rest; i++)
		if (!query_operand(&req->query, p.rest[i]))
			return false;
	if (id < 0)
		return false;
	if (!req->query.path)
		tool_usage("which capture? Name a FILE, or - for standard input");
	else if (req->json && req->format)
		tool_usage("--json and --print exclude each other");
	else if (req->count_by && (req->format || req->n_before || req->n_after))
		tool_usage("--count-by prints a table: --print, --before, --after have no place");
	else if (req->write && (req->format || req->json || req->count_by || req->n_before ||
				req->n_after || req->n_max))
		tool_usage("--write prints nothing: --print, --json, --count-by, --events, "
			   "--before, --after have no place");
	else if (req->force && !req->write)
		tool_usage("--force is for --write");
	else
		return true;
	return false;
}

/* ---- preparations ------------------------------------------------------------ */

static bool compile(struct run *run)
{
	const struct request *req = run->req;
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (!query_compile(&req->query, &run->filter))
		return false;
	if (req->format && scap_format_compile(req->format, &run->format, &err) < 0)
		return tool_bad_text("format", req->format, &err);
	if (req->count_by && scap_field_compile(req->count_by, &run->count_by, &err) < 0) {
		tool_usage("option --count-by: %s", err.text);
		return false;
	}
	return true;
}

static bool prepare(struct run *run)
{
	const struct request *req = run->req;
	uint32_t flags = (req->all ? SCAP_READER_BOOKKEEPING : 0) |
			 (req->keyframes ? SCAP_READER_KEYFRAMES : 0);

	run->exit = TOOL_USAGE;
	if (!compile(run))
		return false;
	run->exit = TOOL_FAILED;
	if (!output_init(&run->out, STDOUT_FILENO) ||
	    !input_open(&run->in, req->query.path, flags, &run->out, &run->exit))
		return false;
	run->print = (struct scap_print_options){
		.size = sizeof(run->print),
		.flags = req->color ? SCAP_PRINT_COLOR : 0,
		.time_format = req->time_format,
		.start_wall_ns = scap_reader_info(run->in.reader)->start_wall_ns,
	};
	run->exit = TOOL_USAGE;
	if (!query_range(&req->query, run->in.reader, &run->from_ns, &run->to_ns))
		return false;
	run->exit = TOOL_FAILED;
	run->use_context = req->n_before || req->n_after;
	if (run->use_context && !context_init(&run->context, req->n_before, req->n_after,
					      !req->json && !req->format))
		return false;
	if (req->tree && !tree_init(&run->tree, req->tree))
		return false;
	/* Nobody wants to know what came before; where this can't be, all of it is read. */
	if (req->query.from && !req->n_before && !req->tree)
		scap_reader_seek(run->in.reader, run->from_ns, 0);
	/* Context and trees want to see all events, and ends of a range all CPUs. */
	if (run->filter && !run->use_context && !req->tree && !req->query.to)
		scap_reader_choose(run->in.reader, run->filter);
	run->exit = TOOL_OK;
	return true;
}

static void release(struct run *run)
{
	if (run->out.buf)
		output_fini(&run->out);
	input_close(&run->in);
	scap_filter_free(run->filter);
	scap_format_free(run->format);
	scap_field_free(run->count_by);
	context_fini(&run->context);
	tree_fini(&run->tree);
	counts_fini(&run->counts);
	free(run->line);
}

/* ---- lines ------------------------------------------------------------ */

/* A gap has a line of its own kind, whatever the format. */
static size_t render(struct run *run, const struct scap_event *ev, char *buf, size_t cap)
{
	if (run->format && !run->in_gap)
		return scap_format_print(run->format, ev, &run->print, buf, cap);
	if (run->req->json)
		return scap_print_json(ev, &run->print, buf, cap);
	return scap_print_text(ev, &run->print, buf, cap);
}

static bool grow_line(struct run *run, size_t cap)
{
	char *line = realloc(run->line, cap);

	if (!line) {
		tool_error("not enough memory");
		run->exit = TOOL_FAILED;
		return false;
	}
	run->line = line;
	run->line_cap = cap;
	return true;
}

/* The event's line in run->line, its end included; 0: no memory. */
static size_t render_aside(struct run *run, const struct scap_event *ev)
{
	size_t n = render(run, ev, run->line, run->line_cap);

	if (n + 1 >= run->line_cap) {
		if (!grow_line(run, n + 2))
			return 0;
		render(run, ev, run->line, run->line_cap);
	}
	run->line[n] = '\n';
	return n + 1;
}

static void set_zone(struct run *run, const struct scap_event *ev)
{
	if (run->print.time_format == SCAP_TIME_ABSOLUTE)
		run->print.utc_offset_s = time_utc_offset(scap_event_wall_ns(ev));
}

/* Straight into the output's buffer, where it fits: this is the path of millions of lines. */
static void show(struct run *run, const struct scap_event *ev)
{
	size_t cap = run->out.cap - run->out.used, n;

	set_zone(run, ev);
	n = render(run, ev, run->out.buf + run->out.used, cap);
	if (n + 1 < cap) {
		run->out.buf[run->out.used + n] = '\n';
		run->out.used += n + 1;
	} else {
		n = render_aside(run, ev);
		output_write(&run->out, run->line, n);
	}
	run->print.prev_wall_ns = scap_event_wall_ns(ev);
}

/* 0; 1: enough. */
static int match(struct run *run, const struct scap_event *ev)
{
	if (run->use_context && !context_match(&run->context, scap_event_tid(ev), &run->out)) {
		run->exit = TOOL_FAILED;
		return 1;
	}
	if (!run->req->quiet)
		show(run, ev);
	run->n_shown++;
	return run->n_shown == run->req->n_max && !(run->use_context && run->context.n_open);
}

static int other(struct run *run, const struct scap_event *ev)
{
	uint32_t tid = scap_event_tid(ev);
	size_t n;

	switch (context_other(&run->context, tid)) {
	case 1:
		if (!run->req->quiet)
			show(run, ev);
		return run->req->n_max && run->n_shown >= run->req->n_max && !run->context.n_open;
	case 0:
		set_zone(run, ev);
		n = render_aside(run, ev);
		if (!n || !context_keep(&run->context, tid, run->line, n)) {
			run->exit = TOOL_FAILED;
			return 1;
		}
	}
	return 0;
}

static int count(struct run *run, const struct scap_event *ev)
{
	ssize_t n = scap_field_text(run->count_by, ev, run->line, run->line_cap);
	int rc;

	if (n >= 0 && (size_t)n >= run->line_cap) {
		if (!grow_line(run, (size_t)n + 1))
			return 1;
		n = scap_field_text(run->count_by, ev, run->line, run->line_cap);
	}
	rc = n < 0 ? counts_add(&run->counts, "<NA>", 4) : counts_add(&run->counts, run->line, n);
	if (!rc) {
		run->n_shown++;
		return run->n_shown == run->req->n_max;
	}
	input_clear_progress(&run->in);
	if (rc == -E2BIG)
		tool_error("%s has more than %u different values, or more than %u MiB of them: "
			   "narrow it with a filter", run->req->count_by, COUNTS_MAX,
			   COUNTS_MAX_BYTES >> 20);
	else
		tool_error("not enough memory");
	run->exit = TOOL_FAILED;
	return 1;
}

/* ---- what is missing ------------------------------------------------------------ */

static void add_missing(struct missing *m, uint64_t n, uint64_t first_ns, uint64_t last_ns)
{
	if (!m->n || first_ns < m->first_ns)
		m->first_ns = first_ns;
	if (last_ns > m->last_ns)
		m->last_ns = last_ns;
	m->n += n;
}

static void gap(struct run *run, const struct scap_event *ev)
{
	bool unexplained = scap_event_gap_unexplained(ev) && !scap_event_gap_at_end(ev);
	uint64_t n, first, last;

	if (scap_event_gap(ev, &n, &first, &last) || last < run->from_ns || first > run->to_ns)
		return;
	add_missing(unexplained ? &run->unexplained : &run->lost, n, first, last);
	if (run->req->count_by || run->req->quiet)
		return;
	run->in_gap = true;
	show(run, ev);
	run->in_gap = false;
}

static const char ends_early[] = "ends early: an unknown number of events is missing";

static void print_damage(struct run *run, const struct scap_error *err, const char *what)
{
	if (run->req->json)
		output_printf(&run->out, "{\"type\":\"damage\",\"offset\":%" PRIu64 "}\n",
			      err->offset == SCAP_NO_OFFSET ? 0 : err->offset);
	else
		output_printf(&run->out, "INCOMPLETE the file %s\n", what);
}

/*
 * Damage: what is gone can't be counted here; gaps may tell later. The place in the output is the
 * place in time.
 */
static void damage(struct run *run, int rc)
{
	const struct scap_error *err = scap_reader_error(run->in.reader);
	uint64_t n_cut = scap_reader_info(run->in.reader)->n_cut;

	run->exit = input_failed(&run->in, rc, err);
	if (run->exit != TOOL_DAMAGED)
		return;
	run->n_damages++;
	run->ends_early |= rc == SCAP_ETRUNCATED;
	if (!run->req->quiet && (!run->req->count_by || run->req->json))
		print_damage(run, err, rc == SCAP_ETRUNCATED || n_cut != run->n_cut ? ends_early :
			     "is damaged here: events may be missing; lines below count them");
	run->n_cut = n_cut;
}

/* Damage was told already where it was met. */
static void tell_unexplained(struct run *run)
{
	if (!run->unexplained.n || (run->exit != TOOL_OK && run->exit != TOOL_DAMAGED))
		return;
	run->exit = TOOL_DAMAGED;
	if (!run->n_damages)
		tool_error("%s: %" PRIu64 " events are missing without a record of what they were",
			   run->in.path, run->unexplained.n);
}

/* ---- the loop ------------------------------------------------------------ */

#define CLOCK_STEP_NS 2000000000ull

enum { CPU_SILENT, CPU_BEHIND, CPU_PAST };

/*
 * A gap comes with the next record of its CPU, whenever that is: behind the range, reading goes on
 * until each CPU that had records has one later than the range.
 */
static void track_cpu(struct run *run, const struct scap_event *ev)
{
	uint32_t cpu = scap_event_cpu(ev);
	uint8_t now = scap_event_wall_ns(ev) > run->to_ns ? CPU_PAST : CPU_BEHIND;

	if (cpu >= MAX_CPUS || run->cpu[cpu] == CPU_PAST || run->cpu[cpu] == now)
		return;
	run->n_behind += now == CPU_BEHIND;
	run->n_behind -= run->cpu[cpu] == CPU_BEHIND;
	run->cpu[cpu] = now;
}

static bool past_range(const struct run *run, uint64_t wall)
{
	return wall > run->to_ns && wall - run->to_ns > CLOCK_STEP_NS && !run->n_behind;
}

/*
 * The rest of the segment is left out; in another one, time may go back. 1: there is no other, or
 * nothing is wanted. Nobody waits for what a pipe may bring.
 */
static int leave_segment(struct run *run)
{
	if (run->in.waits || scap_reader_info(run->in.reader)->is_last ||
	    (run->req->n_max && run->n_shown >= run->req->n_max))
		return 1;
	run->past = true;
	return 0;
}

/* Threads of another boot are other threads. False: no memory (printed). */
static bool forget_threads(struct run *run)
{
	const struct request *req = run->req;

	if (req->tree) {
		run->tree_seen |= tree_seen(&run->tree);
		tree_fini(&run->tree);
	}
	if (run->use_context)
		context_fini(&run->context);
	return (!req->tree || tree_init(&run->tree, req->tree)) &&
	       (!run->use_context || context_init(&run->context, req->n_before, req->n_after,
						  !req->json && !req->format));
}

static bool enter_segment(struct run *run, const struct scap_capture_info *segment)
{
	run->segment = segment->n_segments;
	run->past = false;
	memset(run->cpu, CPU_SILENT, sizeof(run->cpu));
	run->n_behind = 0;
	return segment->n_segments == 1 || segment->goes_on || forget_threads(run);
}

/* The last event that was asked for was shown: the range ends here. */
static int enough(struct run *run, uint64_t wall)
{
	if (!run->req->query.to || run->exit == TOOL_FAILED)
		return 1;
	if (wall < run->to_ns)
		run->to_ns = wall;
	return 0;
}

/*
 * What a keyframe says lies beside the order of time, and is no event of a CPU or of a tree. Files
 * are shown by the descriptors that they are introduced for.
 */
static int keyframe_event(struct run *run, const struct scap_event *ev)
{
	uint64_t wall = scap_event_wall_ns(ev);

	if (run->req->tree || wall < run->from_ns || wall > run->to_ns ||
	    (run->req->n_max && run->n_shown >= run->req->n_max) ||
	    (!run->req->all && !strcmp(scap_event_name(ev), "file")) ||
	    (run->filter && !scap_filter_match(run->filter, ev)))
		return 0;
	return run->count_by ? count(run, ev) : match(run, ev);
}

/* 0; 1: nothing more to read. */
static int event(struct run *run, const struct scap_event *ev)
{
	const struct scap_capture_info *segment = scap_reader_segment(run->in.reader);
	uint64_t wall = scap_event_wall_ns(ev);
	uint64_t ignored;
	bool in_tree;
	int rc;

	if (run->segment != segment->n_segments && !enter_segment(run, segment)) {
		run->exit = TOOL_FAILED;
		return 1;
	}
	if (run->past)
		return 0;
	if (scap_event_in_keyframe(ev))
		return keyframe_event(run, ev);
	in_tree = !run->req->tree || tree_step(&run->tree, ev);
	if (run->req->tree && run->tree.failed) {
		run->exit = TOOL_FAILED;
		return 1;
	}
	track_cpu(run, ev);
	if (!scap_event_num(ev) && scap_event_gap(ev, &ignored, &ignored, &ignored) == 0) {
		gap(run, ev);
		return past_range(run, wall) ? leave_segment(run) : 0;
	}
	/* Events come in the order of a clock that never steps; the wall clock may, a little. */
	if (wall > run->to_ns)
		return past_range(run, wall) ? leave_segment(run) : 0;
	if (wall < run->from_ns || !in_tree)
		return 0;
	if ((run->filter && !scap_filter_match(run->filter, ev)) ||
	    (run->req->n_max && run->n_shown >= run->req->n_max))
		rc = run->use_context ? other(run, ev) : 0;
	else
		rc = run->count_by ? count(run, ev) : match(run, ev);
	return rc ? enough(run, wall) : 0;
}

static void read_all(struct run *run)
{
	const struct scap_event *ev;
	int rc;

	for (;;) {
		rc = scap_reader_next(run->in.reader, &ev);
		if (rc > 0)
			return;
		if (rc == 0 && (event(run, ev) || run->out.failed))
			return;
		if (rc < 0 && !run->past)
			damage(run, rc);
		if (rc < 0 && rc != SCAP_EDAMAGED)
			return;
	}
}

/* A table has no place in time: one line for all that is missing of a kind. */
static void print_missing(struct run *run, const struct missing *m)
{
	bool unexplained = m == &run->unexplained;
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	if (run->req->json)
		output_printf(&run->out, "{\"type\":\"gap\",\"lost\":%" PRIu64
			      ",\"first_ns\":%" PRIu64 ",\"last_ns\":%" PRIu64 "%s}\n", m->n,
			      m->first_ns, m->last_ns, unexplained ? ",\"unexplained\":true" : "");
	else
		output_printf(&run->out, "INCOMPLETE %" PRIu64 " events %s between %s and %s%s\n",
			      m->n, unexplained ? "missing" : "lost", time_of_day(m->first_ns, a),
			      time_of_day(m->last_ns, b),
			      unexplained ? ", without a record of what they were" : "");
}

static void print_counts(struct run *run)
{
	counts_sort(&run->counts);
	for (uint32_t i = 0; i < run->counts.n; i++) {
		const struct count *row = &run->counts.rows[i];

		if (run->req->json) {
			output_string(&run->out, "{\"value\":");
			output_json(&run->out, row->text);
			output_printf(&run->out, ",\"count\":%" PRIu64 "}\n", row->n);
		} else {
			output_printf(&run->out, "%12" PRIu64 "  ", row->n);
			output_write(&run->out, row->text, row->bytes);
			output_write(&run->out, "\n", 1);
		}
	}
	if (run->lost.n)
		print_missing(run, &run->lost);
	if (run->unexplained.n)
		print_missing(run, &run->unexplained);
	if (run->n_damages && !run->req->json)
		print_damage(run, NULL, run->ends_early ? ends_early :
			     "is damaged: events may be missing");
}

/* It chooses as the loop does, and writes what it chose. */
static int write_capture(const struct request *req)
{
	static struct export_request x;

	x.query = req->query;
	x.output = strcmp(req->write, "-") ? req->write : NULL;
	x.force = req->force;
	x.tree = req->tree;
	return export_scapz(&x);
}

static int read_run(int argc, char **argv);

const struct verb verb_read = {
	.name = "read",
	.summary = "print the events of a capture",
	.usage = "FILE [FILTER...] [OPTION...]",
	.details = read_details,
	.opts = read_opts,
	.examples = read_examples,
	.run = read_run,
};

static int read_run(int argc, char **argv)
{
	static struct request req;
	static struct run run;
	bool go;

	run.req = &req;
	run.in.fd = -1;
	if (!parse(&req, &verb_read, argc, argv))
		return TOOL_USAGE;
	if (req.write)
		return write_capture(&req);
	counts_init(&run.counts);
	go = prepare(&run) && (run.line_cap || grow_line(&run, 4096));
	if (go) {
		read_all(&run);
		input_clear_progress(&run.in);
		tell_unexplained(&run);
		if (req.tree && !run.tree.failed && !tree_seen(&run.tree) && !run.tree_seen)
			tool_error("no event of process %" PRIu64 " or a child of it was found",
				   req.tree);
		if (run.count_by && (run.exit == TOOL_OK || run.exit == TOOL_DAMAGED))
			print_counts(&run);
		output_flush(&run.out);
		if (run.out.failed)
			run.exit = TOOL_FAILED;
	}
	release(&run);
	return run.exit;
}
