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
	int exit;
};

static void failed(struct native_run *run, const struct scap_error *err)
{
	input_clear_progress(&run->in);
	tool_error("%s: %s", run->req->output ? run->req->output : "standard output", err->text);
	run->exit = TOOL_FAILED;
}

/*
 * Whether the capture has an end. Without one the copy gets none, either, and then what is not yet
 * packed into a group would be missing: such a copy is one of rows.
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
	while ((rc = scap_reader_next(in.reader, &ev)) <= 0)
		if (rc < 0 && rc != SCAP_EDAMAGED)
			break;
	*ret_end = scap_reader_info(in.reader)->complete;
	input_close(&in);
	return true;
}

static bool open_copy(struct native_run *run, bool groups)
{
	const struct scap_capture_info *info = scap_reader_info(run->in.reader);
	struct scap_writer_options opt = {
		.size = sizeof(opt), .flags = groups ? SCAP_WRITER_GROUPS : SCAP_WRITER_ROWS,
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

	if (!export_open_target(run->req, true, &run->target))
		return false;
	if (scap_writer_open_sink(&sink, &opt, &w, &err)) {
		failed(run, &err);
		return false;
	}
	if (!scap_copy_new(w, &run->copy))
		return true;
	scap_writer_close(w, 0, NULL, 0, NULL);
	tool_error("not enough memory");
	return false;
}

static void copy_all(struct native_run *run)
{
	const struct scap_event *ev;
	int rc;

	while ((rc = scap_reader_next(run->in.reader, &ev)) <= 0) {
		if (rc == 0 && scap_copy_event(run->copy, run->in.reader, ev)) {
			failed(run, scap_copy_error(run->copy));
			return;
		}
		if (rc < 0)
			run->exit = input_failed(&run->in, rc, scap_reader_error(run->in.reader));
		if (rc < 0 && rc != SCAP_EDAMAGED)
			return;
	}
}

static void close_copy(struct native_run *run)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (scap_copy_close(run->copy, scap_reader_info(run->in.reader), &err) &&
	    run->exit != TOOL_FAILED)
		failed(run, &err);
}

int export_scapz(const struct export_request *req)
{
	struct native_run run = { .req = req, .in.fd = -1, .target.fd = -1 };
	uint32_t flags = SCAP_READER_BOOKKEEPING | SCAP_READER_KEYFRAMES;
	bool end;
	int ret;

	if (req->query.filter[0])
		return tool_usage("--to scapz takes no filter: what is missing must not look lost");
	if (!has_end(req, flags, &end, &ret) ||
	    !input_open(&run.in, req->query.path, flags, NULL, &ret))
		return ret;
	if (open_copy(&run, end)) {
		copy_all(&run);
		close_copy(&run);
	} else {
		run.exit = TOOL_FAILED;
	}
	input_clear_progress(&run.in);
	if (!export_close_target(req, &run.target))
		run.exit = TOOL_FAILED;
	input_close(&run.in);
	return run.exit;
}
