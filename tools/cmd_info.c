/* SPDX-License-Identifier: MIT */
/* scap info: what a capture holds. */
#include "info_trigger.h"
#include "input.h"
#include "opts.h"
#include "times.h"

#include <scap/summary.h>

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { OPT_JSON = 1 };

static const struct opt info_opts[] = {
	{ OPT_JSON, 'j', "json", NULL, "one JSON object, for scripts" },
	{ 0 }
};

/* The names in the object are a promise to scripts: they stay. */
static void print_json_types(struct output *out, const struct scap_summary *s, bool lost)
{
	uint64_t n_stored, n_lost;
	const char *name, *comma = "";

	output_string(out, lost ? ",\"lost_types\":{" : ",\"types\":{");
	for (unsigned i = 0; scap_summary_type(s, i, &name, &n_stored, &n_lost) == 0; i++) {
		uint64_t n = lost ? n_lost : n_stored;

		if (!n)
			continue;
		output_string(out, comma);
		output_json(out, name);
		output_printf(out, ":%" PRIu64, n);
		comma = ",";
	}
	output_string(out, "}");
}

static void print_json_cpus(struct output *out, const struct scap_summary *s)
{
	uint64_t stored, lost;
	uint32_t cpu;

	output_string(out, ",\"cpus\":[");
	for (unsigned i = 0; scap_summary_cpu(s, i, &cpu, &stored, &lost) == 0; i++)
		output_printf(out, "%s{\"cpu\":%" PRIu32 ",\"stored\":%" PRIu64 ",\"lost\":%" PRIu64
			      "}", i ? "," : "", cpu, stored, lost);
	output_string(out, "]");
}

static void print_json_segments(struct output *out, const struct scap_summary *s)
{
	const struct scap_summary_segment *seg;

	output_string(out, ",\"segment_list\":[");
	for (unsigned i = 0; (seg = scap_summary_segment(s, i)); i++)
		output_printf(out, "%s{\"offset\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"start_ns\":%"
			      PRIu64 ",\"end_ns\":%" PRIu64 ",\"events\":%" PRIu64
			      ",\"ended\":%s}", i ? "," : "", seg->offset, seg->bytes,
			      seg->start_wall_ns, seg->end_wall_ns, seg->n_events,
			      seg->complete ? "true" : "false");
	output_string(out, "]");
}

static void json_string(struct output *out, const char *key, const char *value)
{
	output_printf(out, ",\"%s\":", key);
	output_json(out, value ? value : "");
}

static void json_number(struct output *out, const char *key, uint64_t value)
{
	output_printf(out, ",\"%s\":%" PRIu64, key, value);
}

/* Where no end was written, the last event's time stands for it. */
static uint64_t end_wall_ns(const struct scap_capture_info *info,
			    const struct scap_summary_totals *t)
{
	return info->end_wall_ns ? info->end_wall_ns : t->last_wall_ns;
}

static void print_json(struct output *out, const struct scap_reader *r,
		       const struct scap_summary *s, bool damaged)
{
	const struct scap_capture_info *info = scap_reader_info(r);
	const struct scap_summary_totals *t = scap_summary_totals(s);
	bool complete = info->complete && !t->lost && !damaged;

	output_printf(out, "{\"attempted\":%" PRIu64, t->attempted);
	json_number(out, "stored", t->stored);
	json_number(out, "lost", t->lost);
	json_number(out, "unexplained", t->unexplained);
	json_number(out, "gaps", t->n_gaps);
	print_json_types(out, s, false);
	print_json_types(out, s, true);
	json_number(out, "bytes", info->file_bytes);
	json_number(out, "row_bytes", t->row_bytes);
	json_number(out, "start_ns", info->start_wall_ns);
	json_number(out, "end_ns", end_wall_ns(info, t));
	json_number(out, "first_event_ns", t->first_wall_ns);
	json_number(out, "last_event_ns", t->last_wall_ns);
	output_printf(out, ",\"complete\":%s,\"ended\":%s", complete ? "true" : "false",
		      info->complete ? "true" : "false");
	json_number(out, "slices", info->n_slices);
	json_number(out, "bookkeeping", t->bookkeeping);
	json_number(out, "keyframes", info->n_keyframes);
	json_number(out, "keyframe_bytes", info->keyframe_bytes);
	json_number(out, "keyframe_tasks", info->keyframe_tasks);
	json_number(out, "keyframe_fds", info->keyframe_fds);
	json_number(out, "keyframe_calls", info->keyframe_calls);
	json_string(out, "hostname", info->hostname);
	json_string(out, "kernel", info->kernel);
	json_string(out, "machine", info->machine);
	json_string(out, "boot_id", info->boot_id);
	json_string(out, "recorder", info->recorder);
	json_string(out, "filter", info->filter);
	json_number(out, "recorder_pid", info->recorder_tgid);
	json_number(out, "snaplen", info->snaplen);
	json_number(out, "ring_bytes", info->ring_bytes);
	json_number(out, "format_version", info->format_version);
	json_number(out, "n_cpus", info->n_cpus);
	if (info->continues)
		output_string(out, ",\"continues\":true");
	if (info->translated)
		json_number(out, "untranslated", info->n_untranslated);
	if (info->n_unknown)
		json_number(out, "unknown_sections", info->n_unknown);
	print_trigger_json(out, r);
	json_number(out, "segments", info->n_segments);
	if (info->n_segments > 1)
		print_json_segments(out, s);
	print_json_cpus(out, s);
	output_string(out, "}\n");
}

static void print_types(struct output *out, const struct scap_summary *s)
{
	uint64_t stored, lost;
	const char *name;

	output_string(out, "events by type:\n");
	for (unsigned i = 0; scap_summary_type(s, i, &name, &stored, &lost) == 0; i++) {
		output_printf(out, "%12" PRIu64 "  %s", stored, name);
		if (lost)
			output_printf(out, " (%" PRIu64 " lost)", lost);
		output_string(out, "\n");
	}
}

static void print_losses(struct output *out, const struct scap_summary *s)
{
	const struct scap_summary_totals *t = scap_summary_totals(s);
	uint64_t stored, lost;
	uint32_t cpu;

	output_printf(out, "lost        %" PRIu64 " of %" PRIu64 " attempted", t->lost,
		      t->attempted);
	if (t->attempted)
		output_printf(out, " (%.3f%%)", 100.0 * t->lost / t->attempted);
	output_string(out, "\n");
	for (unsigned i = 0; scap_summary_cpu(s, i, &cpu, &stored, &lost) == 0; i++)
		if (lost)
			output_printf(out, "            %" PRIu64 " on cpu %" PRIu32 "\n", lost,
				      cpu);
	if (t->unexplained)
		output_printf(out, "            %" PRIu64 " of these without a record of it, "
			      "some may be book-keeping: see scap verify\n", t->unexplained);
}

static void print_time(struct output *out, const struct scap_capture_info *info,
		       const struct scap_summary_totals *t)
{
	uint64_t start = info->start_wall_ns, end = end_wall_ns(info, t);
	char text[TIME_TEXT_BYTES];

	output_printf(out, "time        %s", time_and_date(start, text));
	if (end >= start) {
		output_printf(out, " to %s", time_and_date(end, text));
		output_printf(out, ", %s", time_span(end - start, text));
	}
	if (!info->complete && info->n_segments == 1)
		output_string(out, "; the file has no end");
	output_string(out, "\n");
	if (info->continues)
		output_string(out, "            goes on where another file ended\n");
}

/* A line for each capture, where the file holds several. */
static void print_segments(struct output *out, const struct scap_capture_info *info,
			   const struct scap_summary *s)
{
	char start[TIME_TEXT_BYTES], end[TIME_TEXT_BYTES];
	const struct scap_summary_segment *seg;
	unsigned i;

	if (info->n_segments < 2)
		return;
	output_printf(out, "segments    %" PRIu64 " captures, one behind the other\n",
		      info->n_segments);
	for (i = 0; (seg = scap_summary_segment(s, i)); i++) {
		output_printf(out, "            %s", time_and_date(seg->start_wall_ns, start));
		if (seg->end_wall_ns >= seg->start_wall_ns)
			output_printf(out, " to %s", time_and_date(seg->end_wall_ns, end));
		output_printf(out, ", %" PRIu64 " events%s\n", seg->n_events,
			      seg->complete ? "" : "; it has no end");
	}
	if (i < info->n_segments)
		output_printf(out, "            and %" PRIu64 " more\n", info->n_segments - i);
}

static void print_keyframes(struct output *out, const struct scap_capture_info *info)
{
	if (!info->n_keyframes)
		return;
	output_printf(out, "keyframes   %" PRIu64, info->n_keyframes);
	if (!info->translated)
		output_printf(out, " in %" PRIu64 " bytes of the file", info->keyframe_bytes);
	output_printf(out, "; the first: %" PRIu64 " threads, %" PRIu64 " descriptors, %" PRIu64
		      " calls under way\n", info->keyframe_tasks, info->keyframe_fds,
		      info->keyframe_calls);
}

static void print_row(struct output *out, const char *head, const char *text)
{
	output_string(out, head);
	output_shown(out, text ? text : "");
}

/* Who made it; a .scap file says little of that. */
static void print_origin(struct output *out, const struct scap_capture_info *info)
{
	print_row(out, "\nhost        ", info->hostname);
	if (!info->translated) {
		print_row(out, ", kernel ", info->kernel);
		print_row(out, ", ", info->machine);
	}
	output_printf(out, ", %" PRIu32 " CPUs", info->n_cpus);
	if (info->translated) {
		output_printf(out, "\nrecorder    not known; a .scap file, %" PRIu64
			      " of whose events have no counterpart\n", info->n_untranslated);
		return;
	}
	print_row(out, "\nrecorder    ", info->recorder);
	output_printf(out, " (pid %" PRIu32 ", not recorded)", info->recorder_tgid);
	print_row(out, "\nfilter      ", info->filter && *info->filter ? info->filter : "none");
	output_string(out, "\n");
}

static void print_text(struct output *out, const char *path, const struct scap_reader *r,
		       const struct scap_summary *s)
{
	const struct scap_capture_info *info = scap_reader_info(r);
	const struct scap_summary_totals *t = scap_summary_totals(s);

	print_row(out, "file        ", path);
	print_origin(out, info);
	print_time(out, info, t);
	print_trigger(out, r);
	output_printf(out, "events      %" PRIu64 " stored in %" PRIu64 " slices\n", t->stored,
		      info->n_slices);
	print_segments(out, info, s);
	print_losses(out, s);
	print_keyframes(out, info);
	if (info->n_unknown)
		output_printf(out, "unknown     %" PRIu64 " sections of kinds new to this scap, "
			      "passed over\n", info->n_unknown);
	output_printf(out, "bytes       %" PRIu64 " in the file, %" PRIu64 " in the rings",
		      info->file_bytes, t->row_bytes);
	if (t->stored)
		output_printf(out, ": %.1f and %.1f per event",
			      (double)info->file_bytes / t->stored,
			      (double)t->row_bytes / t->stored);
	output_string(out, "\n");
	if (!info->translated)
		output_printf(out, "snaplen     %" PRIu32 ", rings of %" PRIu64 " KiB per CPU\n",
			      info->snaplen, info->ring_bytes >> 10);
	print_types(out, s);
}

static int info_run(int argc, char **argv);

const struct verb verb_info = {
	.name = "info",
	.summary = "what a capture holds: host, time range, counts, losses, sizes",
	.usage = "FILE [-j]",
	.details = "Reads the whole file. FILE - is standard input.\n",
	.opts = info_opts,
	.examples = "  scap info shop.scapz\n  scap info -j shop.scapz | jq .lost\n",
	.run = info_run,
};

static int info_file(const char *path, bool json)
{
	struct scap_summary *s = NULL;
	struct output out;
	struct input in;
	int rc, ret;

	if (!output_init(&out, STDOUT_FILENO))
		return TOOL_FAILED;
	if (!input_open(&in, path, 0, NULL, &ret)) {
		output_fini(&out);
		return ret;
	}
	ret = TOOL_OK;
	rc = scap_summary_read(in.reader, &s);
	input_clear_progress(&in);
	if (s && json)
		print_json(&out, in.reader, s, rc < 0);
	else if (s)
		print_text(&out, in.path, in.reader, s);
	output_fini(&out);
	if (rc < 0)
		ret = input_failed(&in, rc, scap_reader_error(in.reader));
	scap_summary_free(s);
	input_close(&in);
	return out.failed ? TOOL_FAILED : ret;
}

static int info_run(int argc, char **argv)
{
	const char *path;
	bool json;

	if (!input_args(&verb_info, argc, argv, OPT_JSON, &path, &json))
		return TOOL_USAGE;
	return info_file(path, json);
}
