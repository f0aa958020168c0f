/* SPDX-License-Identifier: MIT */
/* scap export --to scapz: a capture of our own again. */
#include "export.h"

#include <errno.h>
#include <string.h>

struct native_run {
	const struct export_request *req;
	struct input in;
	struct export_target target;
	struct scap_copy *copy;
	uint64_t segment;	/* that it is of */
	bool groups;
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

static bool open_copy(struct native_run *run)
{
	const struct scap_capture_info *info = scap_reader_segment(run->in.reader);
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = run->groups ? SCAP_WRITER_GROUPS : SCAP_WRITER_ROWS,
		.hostname = info->hostname,
		.kernel = info->kernel, .machine = info->machine, .boot_id = info->boot_id,
		.recorder = info->recorder, .filter = info->filter, .n_cpus = info->n_cpus,
		.snaplen = info->snaplen, .recorder_tgid = info->recorder_tgid,
		.ring_bytes = info->ring_bytes, .raw_ns = info->start_raw_ns,
		.real_ns = info->start_wall_ns, .boot_ns = info->start_raw_ns,
		.group_ns = UINT64_MAX,
	};
	struct scap_sink sink = export_sink(&run->target);
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	struct scap_writer *w;

	run->segment = info->n_segments;
	if (scap_writer_open_sink(&sink, &opt, &w, &err)) {
		failed(run, &err);
		return false;
	}
	if (!scap_copy_new(w, &run->copy))
		return true;
	scap_writer_close(w, 0, NULL, 0, NULL);
	tool_error("not enough memory");
	run->exit = TOOL_FAILED;
	return false;
}

static void close_copy(struct native_run *run)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (run->copy && scap_copy_close(run->copy, scap_reader_segment(run->in.reader), &err) &&
	    run->exit != TOOL_FAILED)
		failed(run, &err);
	run->copy = NULL;
}

/* False: it failed, which was told. */
static bool copy_event(struct native_run *run, const struct scap_event *ev)
{
	if (!scap_copy_event(run->copy, run->in.reader, ev))
		return true;
	failed(run, scap_copy_error(run->copy));
	return false;
}

static void copy_all(struct native_run *run)
{
	const struct scap_event *ev;
	int rc;

	if (!open_copy(run))
		return;
	while ((rc = scap_reader_next(run->in.reader, &ev)) != 1) {
		if (rc < 0)
			run->exit = input_failed(&run->in, rc, scap_reader_error(run->in.reader));
		if (rc < 0 && rc != SCAP_EDAMAGED)
			break;
		if (scap_reader_segment(run->in.reader)->n_segments != run->segment &&
		    !open_copy(run))
			return;
		if (rc == 2)
			close_copy(run);
		if (run->exit == TOOL_FAILED || (rc == 0 && !copy_event(run, ev)))
			break;
	}
	close_copy(run);
}

int export_scapz(const struct export_request *req)
{
	struct native_run run = { .req = req, .in.fd = -1, .target.fd = -1 };
	uint32_t flags = SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES | SCAP_READER_SEGMENTS;
	int ret;

	if (req->query.filter[0])
		return tool_usage("--to scapz takes no filter: what is missing must not look lost");
	if (!has_end(req, flags, &run.groups, &ret) ||
	    !input_open(&run.in, req->query.path, flags, NULL, &ret))
		return ret;
	if (export_open_target(req, true, &run.target))
		copy_all(&run);
	else
		run.exit = TOOL_FAILED;
	input_clear_progress(&run.in);
	if (!export_close_target(req, &run.target))
		run.exit = TOOL_FAILED;
	input_close(&run.in);
	return run.exit;
}
