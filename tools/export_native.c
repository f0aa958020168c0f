/* SPDX-License-Identifier: MIT */
/* A capture of our own again: scap export --to scapz, and scap read --write. */
#include "export.h"
#include "selection.h"
#include "times.h"

#include <scap/copy.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What explains an event was told in its epoch of 2^30 ns; the wall clock may step a little. */
#define EXPLAINS_NS ((1ull << 30) + 4000000000ull)
#define KEEP_BYTES (QUERY_FILTER_BYTES + 8192)

struct native_run {
	const struct export_request *req;
	struct input in;
	struct export_target target;
	struct scap_copy *copy;
	uint64_t segment;	/* that it is of */
	bool groups;
	bool part;		/* not all events are asked for */
	struct selection sel;
	bool in_keyframe, keyframe_wanted;
	bool triggered;		/* this segment's trigger was written */
	const struct scap_trigger *trigger;	/* the first one that was met */
	uint64_t trigger_event;	/* its number in the copy; 0: it is not in it */
	uint64_t num, before;	/* of the last event; events before this segment */
	char *keep;		/* what is asked for, in words */
	int exit;
};

static void failed(struct native_run *run, const struct scap_error *err)
{
	input_clear_progress(&run->in);
	tool_error("%s: %s", run->req->output ? run->req->output : "standard output", err->text);
	run->exit = TOOL_FAILED;
}

/*
 * Whether the capture has an end, in each of its segments. Without one the copy gets none, either,
 * and then what is not yet packed into a group would be missing: such a copy is one of rows.
 */
static bool has_end(const struct export_request *req, uint32_t flags, bool *ret_end,
		    int *ret_exit)
{
	const struct scap_event *ev;
	struct input in;
	int rc;

	*ret_end = false;
	if (!strcmp(req->query.path, "-"))
		return true;
	if (!input_open(&in, req->query.path, flags, NULL, ret_exit))
		return false;
	while ((rc = scap_reader_next(in.reader, &ev)) != 1)
		if (rc < 0 && rc != SCAP_EDAMAGED)
			break;
	*ret_end = scap_reader_info(in.reader)->complete;
	input_close(&in);
	return true;
}

/* ---- what the copy says about itself -------------------------------------------------------- */

/* What was asked for before, and now. */
static const char *describe(struct native_run *run, const char *before, const char *lead)
{
	const struct query *q = &run->req->query;
	char text[TIME_TEXT_BYTES];
	int n = 0;

	if (!run->part)
		return before;
	run->keep[0] = 0;
#define ADD(...) (n += snprintf(run->keep + n, KEEP_BYTES - (size_t)n, __VA_ARGS__))
	if (before && *before)
		ADD("%.4096s; ", before);
	ADD("%s%s", lead, q->filter[0] ? q->filter : "all");
	if (q->from)
		ADD(", from %s", time_and_date(run->sel.from_ns, text));
	if (q->to)
		ADD(", to %s", time_and_date(run->sel.to_ns, text));
	if (run->sel.has_tree)
		ADD(", of process %" PRIu64 " and its descendants", run->req->tree);
#undef ADD
	return run->keep;
}

static uint64_t clamp(const struct selection *sel, uint64_t raw_ns, uint64_t clock)
{
	uint64_t wall = raw_ns + clock;

	if (wall < sel->from_ns)
		return sel->from_ns - clock;
	return wall > sel->to_ns ? sel->to_ns - clock : raw_ns;
}

/* At the copy's beginning, and at its end, when its event's number is known. */
static bool write_trigger(struct native_run *run, bool end)
{
	struct scap_trigger t = *run->trigger;
	uint64_t clock = trigger_clock(run->in.reader, &t);

	if (run->part) {
		t.keep = describe(run, t.keep, "");
		t.flags |= SCAP_TRIGGER_CHOSEN;
		t.event = end ? run->trigger_event : 0;
		if (t.from_raw_ns || t.to_raw_ns) {
			t.from_raw_ns = clamp(&run->sel, t.from_raw_ns, clock);
			t.to_raw_ns = clamp(&run->sel, t.to_raw_ns, clock);
		}
	}
	return !scap_copy_trigger(run->copy, run->in.reader, &t);
}

/* The first segment that has one tells why; it was read with the segment's beginning. */
static bool begin_trigger(struct native_run *run)
{
	const struct scap_trigger *t = scap_reader_trigger(run->in.reader);

	run->triggered = t && !run->trigger;
	run->trigger = t;
	return !run->triggered || write_trigger(run, false);
}

/* ---- one copy for each segment -------------------------------------------------------------- */

static bool forget_tree(struct native_run *run, const struct scap_capture_info *info)
{
	if (!run->sel.has_tree || info->n_segments == 1 || info->goes_on)
		return true;
	tree_fini(&run->sel.tree);
	return tree_init(&run->sel.tree, (uint32_t)run->req->tree);
}

static struct scap_writer *open_writer(struct native_run *run,
				       const struct scap_capture_info *info,
				       struct scap_error *err)
{
	uint64_t clock = info->start_wall_ns - info->start_raw_ns;
	uint64_t raw_ns = run->sel.from_ns > info->start_wall_ns ? run->sel.from_ns - clock :
			  info->start_raw_ns;
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = run->groups ? SCAP_WRITER_GROUPS : SCAP_WRITER_ROWS,
		.hostname = info->hostname,
		.kernel = info->kernel, .machine = info->machine, .boot_id = info->boot_id,
		.recorder = info->recorder, .filter = describe(run, info->filter, "copied: "),
		.n_cpus = info->n_cpus, .snaplen = info->snaplen,
		.recorder_tgid = info->recorder_tgid, .ring_bytes = info->ring_bytes,
		.raw_ns = raw_ns, .real_ns = raw_ns + clock, .boot_ns = raw_ns,
		.group_ns = UINT64_MAX,
	};
	struct scap_sink sink = export_sink(&run->target);
	struct scap_writer *w;

	return scap_writer_open_sink(&sink, &opt, &w, err) ? NULL : w;
}

static bool open_copy(struct native_run *run)
{
	const struct scap_capture_info *info = scap_reader_segment(run->in.reader);
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	struct scap_writer *w = open_writer(run, info, &err);

	run->segment = info->n_segments;
	run->trigger_event = 0;
	run->before = run->num;
	if (!w) {
		failed(run, &err);
		return false;
	}
	if (scap_copy_new(w, &run->copy)) {
		scap_writer_close(w, 0, NULL, 0, NULL);
		tool_error("not enough memory");
		run->exit = TOOL_FAILED;
		return false;
	}
	if (run->part)
		scap_copy_choose(run->copy);
	if (!begin_trigger(run)) {
		failed(run, scap_copy_error(run->copy));
		return false;
	}
	if (!forget_tree(run, info))
		run->exit = TOOL_FAILED;
	return run->exit != TOOL_FAILED;
}

static void close_copy(struct native_run *run)
{
	struct scap_capture_info info = *scap_reader_segment(run->in.reader);
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (!run->copy)
		return;
	if (info.complete && run->triggered)
		write_trigger(run, true);
	if (run->sel.to_ns < info.end_wall_ns)
		info.end_raw_ns -= info.end_wall_ns - run->sel.to_ns;
	if (scap_copy_close(run->copy, &info, &err) && run->exit != TOOL_FAILED)
		failed(run, &err);
	run->copy = NULL;
}

/* ---- what belongs into it ------------------------------------------------------------------- */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static bool is_near(const struct selection *sel, uint64_t first_ns, uint64_t last_ns)
{
	return later(last_ns, EXPLAINS_NS) >= sel->from_ns &&
	       first_ns <= later(sel->to_ns, EXPLAINS_NS);
}

/* All of one, or nothing. */
static bool keyframe_wanted(struct native_run *run, const struct scap_event *ev)
{
	uint64_t wall = scap_event_wall_ns(ev);

	if (!run->in_keyframe)
		run->keyframe_wanted = is_near(&run->sel, wall, wall);
	run->in_keyframe = strcmp(scap_event_name(ev), "keyend");
	return run->keyframe_wanted;
}

/* A gap, or what says who a thread is, or which file a cookie stands for. */
static bool explains(const struct native_run *run, const struct scap_event *ev)
{
	uint64_t n, first, last, wall = scap_event_wall_ns(ev);

	if (scap_event_gap(ev, &n, &first, &last))
		return is_near(&run->sel, wall, wall);
	return last >= run->sel.from_ns && first <= run->sel.to_ns;
}

static bool is_wanted(struct native_run *run, const struct scap_event *ev)
{
	if (scap_event_in_keyframe(ev))
		return keyframe_wanted(run, ev);
	return scap_event_num(ev) ? selection_has(&run->sel, ev) : explains(run, ev);
}

/* False: it failed, which was told. */
static bool copy_event(struct native_run *run, const struct scap_event *ev)
{
	bool all = !run->part || is_wanted(run, ev);
	int rc = all ? scap_copy_event(run->copy, run->in.reader, ev) :
		 scap_copy_skip(run->copy, run->in.reader, ev);

	if (rc)
		failed(run, scap_copy_error(run->copy));
	if (run->sel.tree.failed)
		run->exit = TOOL_FAILED;
	if (scap_event_num(ev))
		run->num = scap_event_num(ev);
	if (all && run->triggered && scap_event_num(ev) == run->before + run->trigger->event)
		run->trigger_event = scap_copy_events(run->copy);
	return run->exit != TOOL_FAILED;
}

static void copy_all(struct native_run *run)
{
	const struct scap_event *ev;
	int rc;

	if (!open_copy(run)) {
		close_copy(run);
		return;
	}
	while ((rc = scap_reader_next(run->in.reader, &ev)) != 1) {
		if (rc < 0)
			run->exit = input_failed(&run->in, rc, scap_reader_error(run->in.reader));
		if (rc < 0 && rc != SCAP_EDAMAGED)
			break;
		if (scap_reader_segment(run->in.reader)->n_segments != run->segment &&
		    !open_copy(run))
			break;
		if (rc == 2)
			close_copy(run);
		if (run->exit == TOOL_FAILED || (rc == 0 && !copy_event(run, ev)))
			break;
	}
	close_copy(run);
}

/* False: it is wrong, and was told; run->exit says how. */
static bool choose(struct native_run *run)
{
	const struct export_request *req = run->req;

	run->exit = TOOL_USAGE;
	if (!query_range(&req->query, run->in.reader, &run->sel.from_ns, &run->sel.to_ns))
		return false;
	run->exit = TOOL_FAILED;
	run->part = run->sel.filter || req->query.from || req->query.to || req->tree;
	run->sel.has_tree = req->tree;
	if (req->tree && !tree_init(&run->sel.tree, (uint32_t)req->tree))
		return false;
	run->keep = malloc(KEEP_BYTES);
	if (!run->keep)
		tool_error("not enough memory");
	else
		run->exit = TOOL_OK;
	return run->keep;
}

static void copy_capture(struct native_run *run, uint32_t flags)
{
	const struct export_request *req = run->req;

	if (!has_end(req, flags, &run->groups, &run->exit) ||
	    !input_open(&run->in, req->query.path, flags, NULL, &run->exit))
		return;
	run->exit = TOOL_OK;
	if (!choose(run))
		return;
	if (export_open_target(req, true, &run->target))
		copy_all(run);
	else
		run->exit = TOOL_FAILED;
	input_clear_progress(&run->in);
	if (!export_close_target(req, &run->target))
		run->exit = TOOL_FAILED;
}

int export_scapz(const struct export_request *req)
{
	struct native_run run = { .req = req, .in.fd = -1, .target.fd = -1 };
	uint32_t flags = SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES | SCAP_READER_SEGMENTS;

	selection_init(&run.sel);
	run.exit = TOOL_USAGE;
	if (query_compile(&req->query, &run.sel.filter))
		copy_capture(&run, flags);
	input_close(&run.in);
	selection_fini(&run.sel);
	free(run.keep);
	return run.exit;
}
