/* SPDX-License-Identifier: MIT */
/* What `scap record` says while it runs and at its end. */
#include "opts.h"
#include "output.h"
#include "record.h"
#include "times.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS 1000000000ull
#define NAME_BYTES 1024

static const char *const end_names[] = {
	[RECORD_END_COMMAND] = "command",
	[RECORD_END_DURATION] = "duration",
	[RECORD_END_EVENTS] = "events",
	[RECORD_END_SIZE] = "size",
	[RECORD_END_SIGNAL] = "signal",
	[RECORD_END_DISK] = "disk",
	[RECORD_END_ERROR] = "error",
};

static const char *size_text(uint64_t bytes, char *buf, size_t cap)
{
	static const char units[] = "KMGT";
	double v = (double)bytes;
	int unit = -1;

	while (v >= 1024 && unit < 3) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, cap, "%" PRIu64 " bytes", bytes);
	else
		snprintf(buf, cap, "%.1f %ciB", v, units[unit]);
	return buf;
}

/* ---- while it runs -------------------------------------------------------------------------- */

void record_say_begun(const struct record *r)
{
	char name[NAME_BYTES];

	/* A command says itself that it runs. */
	if (r->opt.quiet || r->opt.json || r->command.pid)
		return;
	fprintf(stderr, "recording%s%s%s; Ctrl-C ends it\n", r->path ? " to " : "",
		tool_shown(r->path ?: "", name, sizeof(name)),
		record_rotates(&r->opt) ? " and further files" : "");
}

void record_live_line(struct record *r)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(r->recorder);
	uint64_t now = record_now_ns(), span = now - r->shown_ns;
	char size[32];

	if (r->opt.quiet || span < SECOND_NS || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%.0f events/s, %" PRIu64 " stored, %" PRIu64 " lost, %s",
		(double)(t->n_stored - r->shown_events) * 1e9 / (double)span, t->n_stored,
		t->n_lost, size_text(r->path ? t->file_bytes : t->row_bytes, size, sizeof(size)));
	r->shown_ns = now;
	r->shown_events = t->n_stored;
}

void record_clear_live_line(struct record *r)
{
	if (!r->opt.quiet && r->shown_events && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* ---- a file of several ---------------------------------------------------------------------- */

static void file_text(const struct record *r, const struct scap_recorder_totals *file,
		      uint64_t bytes)
{
	char span[TIME_TEXT_BYTES], size[32], name[NAME_BYTES];

	fprintf(stderr, "%s: %" PRIu64 " events in %s, %s, ",
		tool_shown(r->path, name, sizeof(name)), file->n_stored,
		time_span(file->end_raw_ns - file->start_raw_ns, span),
		size_text(bytes, size, sizeof(size)));
	if (file->n_lost)
		fprintf(stderr, "lost %" PRIu64 " events\n", file->n_lost);
	else
		fprintf(stderr, "lost nothing\n");
}

static void file_json(const struct record *r, const struct scap_recorder_totals *file,
		      uint64_t bytes, const char *why)
{
	struct output out;

	if (!output_init(&out, STDOUT_FILENO))
		return;
	output_string(&out, "{\"file\":");
	output_json(&out, r->path);
	output_printf(&out, ",\"stored\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"bookkeeping\":%" PRIu64
		      ",\"bytes\":%" PRIu64 ",\"row_bytes\":%" PRIu64 ",\"slices\":%" PRIu64
		      ",\"keyframes\":%" PRIu64 ",\"duration_ns\":%" PRIu64
		      ",\"ended_by\":\"%s\"}\n", file->n_stored, file->n_lost,
		      file->n_bookkeeping, bytes, file->row_bytes, file->n_slices,
		      file->n_keyframes, file->end_raw_ns - file->start_raw_ns, why);
	output_fini(&out);
}

void record_say_file(struct record *r, const struct scap_recorder_totals *file, uint64_t bytes,
		     const char *why)
{
	record_clear_live_line(r);
	if (r->opt.json)
		file_json(r, file, bytes, why ? why : end_names[r->end]);
	else if (!r->opt.quiet)
		file_text(r, file, bytes);
}

/* ---- at the end ----------------------------------------------------------------------------- */

static void report_lost(const struct record *r, uint64_t n_lost)
{
	const char *comma = "";

	if (!n_lost) {
		fprintf(stderr, "lost nothing\n");
		return;
	}
	fprintf(stderr, "lost %" PRIu64 " events (", n_lost);
	for (uint32_t cpu = 0; cpu < scap_live_info(r->live)->n_cpus; cpu++) {
		uint64_t n = scap_recorder_lost(r->recorder, cpu);

		if (!n)
			continue;
		fprintf(stderr, "%scpu %" PRIu32 ": %" PRIu64, comma, cpu, n);
		comma = ", ";
	}
	fprintf(stderr, "): larger rings (--ring) or a narrower choice lose less\n");
}

static void report_bytes(const struct record *r, const struct scap_recorder_totals *t)
{
	double n = t->n_stored ? (double)t->n_stored : 1;
	char a[32], b[32];

	if (r->path)
		fprintf(stderr, "%s in the file%s, %s in the rings: %.1f and %.1f bytes per call\n",
			size_text(r->file_bytes, a, sizeof(a)), record_rotates(&r->opt) ? "s" : "",
			size_text(t->row_bytes, b, sizeof(b)), (double)r->file_bytes / n,
			(double)t->row_bytes / n);
	else
		fprintf(stderr, "%s in the rings: %.1f bytes per call\n",
			size_text(t->row_bytes, b, sizeof(b)), (double)t->row_bytes / n);
}

static void report_command(const struct record *r)
{
	const struct command *c = &r->command;
	char name[NAME_BYTES];

	if (!c->pid)
		return;
	tool_shown(r->opt.argv[0], name, sizeof(name));
	if (c->running)
		fprintf(stderr, "%s (%d) still runs\n", name, (int)c->pid);
	else if (WIFSIGNALED(c->status))
		fprintf(stderr, "%s was killed by signal %d\n", name, WTERMSIG(c->status));
	else
		fprintf(stderr, "%s ended with exit status %d\n", name, WEXITSTATUS(c->status));
}

static void report_files(const struct record *r)
{
	char name[NAME_BYTES];

	fprintf(stderr, " to %" PRIu64 " file%s, the last one %s", r->n_begun,
		r->n_begun == 1 ? "" : "s", tool_shown(r->path, name, sizeof(name)));
	if (r->n_deleted)
		fprintf(stderr, "; %" PRIu64 " of them deleted", r->n_deleted);
}

static void report_text(const struct record *r)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(r->recorder);
	char span[TIME_TEXT_BYTES], name[NAME_BYTES];

	report_command(r);
	fprintf(stderr, "recorded %" PRIu64 " events in %s", t->n_stored,
		time_span(r->end_ns - r->start_ns, span));
	if (record_rotates(&r->opt))
		report_files(r);
	else if (r->path)
		fprintf(stderr, " to %s", tool_shown(r->path, name, sizeof(name)));
	fprintf(stderr, "\n");
	report_lost(r, t->n_lost);
	report_bytes(r, t);
}

static void report_json(const struct record *r)
{
	const struct scap_recorder_totals *t = scap_recorder_totals(r->recorder);
	const struct command *c = &r->command;
	const char *comma = "";
	struct output out;

	if (!output_init(&out, STDOUT_FILENO))
		return;
	output_string(&out, "{");
	if (record_rotates(&r->opt)) {
		output_printf(&out, "\"files\":%" PRIu64 ",\"deleted\":%" PRIu64, r->n_begun,
			      r->n_deleted);
	} else if (r->path) {
		output_string(&out, "\"file\":");
		output_json(&out, r->path);
	} else {
		output_string(&out, "\"file\":null");
	}
	output_printf(&out, ",\"stored\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"lost_by_cpu\":{",
		      t->n_stored, t->n_lost);
	for (uint32_t cpu = 0; cpu < scap_live_info(r->live)->n_cpus; cpu++) {
		uint64_t n = scap_recorder_lost(r->recorder, cpu);

		if (n) {
			output_printf(&out, "%s\"%" PRIu32 "\":%" PRIu64, comma, cpu, n);
			comma = ",";
		}
	}
	output_printf(&out, "},\"bookkeeping\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"row_bytes\":%"
		      PRIu64 ",\"bytes_per_call\":%.2f,\"slices\":%" PRIu64 ",\"wakeups\":%" PRIu64,
		      t->n_bookkeeping, r->file_bytes, t->row_bytes,
		      t->n_stored ? (double)r->file_bytes / (double)t->n_stored : 0.0, t->n_slices,
		      t->n_wakeups);
	output_printf(&out, ",\"duration_ns\":%" PRIu64 ",\"ended_by\":\"%s\"",
		      r->end_ns - r->start_ns, end_names[r->end]);
	if (c->pid && !c->running && WIFEXITED(c->status))
		output_printf(&out, ",\"exit_status\":%d", WEXITSTATUS(c->status));
	else if (c->pid && !c->running)
		output_printf(&out, ",\"signal\":%d", WTERMSIG(c->status));
	output_string(&out, "}\n");
	output_fini(&out);
}

void record_report(struct record *r)
{
	record_clear_live_line(r);
	if (r->opt.json)
		report_json(r);
	else if (!r->opt.quiet)
		report_text(r);
}
