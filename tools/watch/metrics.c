/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE	/* strerrorname_np */
#include "watch/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "opts.h"

void metrics_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_value(FILE *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		unsigned n = *p == '\\' ? 0 : tool_shown_bytes(p);

		if (!n)
			fprintf(out, "\\\\x%02x", *p);
		else if (*p == '"')
			fputs("\\\"", out);
		else
			fwrite(p, 1, n, out);
		p += n ? n : 1;
	}
}

/* ---- golden signals ------------------------------------------------------------------------- */

static void seconds(FILE *out, uint64_t ns)
{
	fprintf(out, "%" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
}

/* As short as it can be: "0.005", which people write in queries. */
static void bound_text(uint64_t ns, char text[40])
{
	size_t n = (size_t)snprintf(text, 40, "%" PRIu64 ".%09" PRIu64, ns / 1000000000,
				    ns % 1000000000);

	while (text[n - 1] == '0')
		n--;
	n -= text[n - 1] == '.';
	text[n] = 0;
}

/* NAME{comm="...",cgroup="..." */
static void program(FILE *out, const char *name, const struct scap_signals *s)
{
	fprintf(out, "%s{comm=\"", name);
	/* No process has a name as long as that. */
	metrics_value(out, s->comm[0] || s->cgroup_id ? s->comm : "(all other programs)");
	fprintf(out, "\",cgroup=\"%" PRIu64 "\"", s->cgroup_id);
}

static void count(FILE *out, const char *name, const struct scap_signals *s, uint64_t n)
{
	program(out, name, s);
	fprintf(out, "} %" PRIu64 "\n", n);
}

static void count_of(FILE *out, const char *name, const struct scap_signals *s, const char *label,
		     const char *value, uint64_t n)
{
	program(out, name, s);
	fprintf(out, ",%s=\"%s\"} %" PRIu64 "\n", label, value, n);
}

static void print_calls(FILE *out, const char *name, const struct scap_signals *s,
			const struct metrics_source *from)
{
	(void)from;
	count(out, name, s, s->n_calls);
}

static void print_failed(FILE *out, const char *name, const struct scap_signals *s,
			 const struct metrics_source *from)
{
	(void)from;
	for (int i = 0; i < SCAP_SIGNAL_ERRNOS; i++) {
		const char *error = i + 1 < SCAP_SIGNAL_ERRNOS ? strerrorname_np(i) : "other";
		char number[16];

		if (!s->failed[i])
			continue;
		snprintf(number, sizeof(number), "%d", i);
		count_of(out, name, s, "errno", error && i ? error : number, s->failed[i]);
	}
}

static void print_bytes(FILE *out, const char *name, const struct scap_signals *s,
			const struct metrics_source *from)
{
	const struct { const char *kind, *direction; uint64_t n; } rows[] = {
		{ "file", "in", s->file_in }, { "file", "out", s->file_out },
		{ "net", "in", s->net_in }, { "net", "out", s->net_out },
	};

	(void)from;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		program(out, name, s);
		fprintf(out, ",kind=\"%s\",direction=\"%s\"} %" PRIu64 "\n", rows[i].kind,
			rows[i].direction, rows[i].n);
	}
}

static void print_refused(FILE *out, const char *name, const struct scap_signals *s,
			  const struct metrics_source *from)
{
	(void)from;
	count(out, name, s, s->n_refused);
}

/* Most programs speak no HTTP: they have no lines. */
static void print_http(FILE *out, const char *name, const struct scap_signals *s,
		       const struct metrics_source *from)
{
	static const char *const classes[] = { "other", "1xx", "2xx", "3xx", "4xx", "5xx" };
	uint64_t all = 0;

	(void)from;
	for (unsigned i = 0; i < 6; i++)
		all += s->http[i];
	for (unsigned i = 0; all && i < 6; i++)
		count_of(out, name, s, "code", classes[i], s->http[i]);
}

/* Counted here, so that the buckets agree with each other while they are being filled. */
static void print_latency(FILE *out, const char *name, const struct scap_signals *s,
			  const struct metrics_source *from)
{
	char sample[80], le[40];
	uint64_t n = 0;

	if (!s->n_http_latency)
		return;
	snprintf(sample, sizeof(sample), "%s_bucket", name);
	for (unsigned i = 0; i <= SCAP_SIGNAL_BUCKETS; i++) {
		n += s->http_latency[i];
		if (i < SCAP_SIGNAL_BUCKETS)
			bound_text(from->bound(i), le);
		count_of(out, sample, s, "le", i < SCAP_SIGNAL_BUCKETS ? le : "+Inf", n);
	}
	snprintf(sample, sizeof(sample), "%s_sum", name);
	program(out, sample, s);
	fputs("} ", out);
	seconds(out, s->http_latency_ns);
	snprintf(sample, sizeof(sample), "%s_count", name);
	fputc('\n', out);
	count(out, sample, s, n);
}

static const struct signal_family {
	const char *name, *type, *help;
	void (*print)(FILE *out, const char *name, const struct scap_signals *s,
		      const struct metrics_source *from);
} signal_families[] = {
	{ "scap_program_calls_total", "counter", "System calls, by program and cgroup.",
	  print_calls },
	{ "scap_program_failed_calls_total", "counter", "System calls that failed, by error.",
	  print_failed },
	{ "scap_program_bytes_total", "counter", "Bytes read and written, by kind and direction.",
	  print_bytes },
	{ "scap_program_connects_refused_total", "counter", "Connects that were refused.",
	  print_refused },
	{ "scap_program_http_responses_total", "counter", "HTTP responses, by class of status.",
	  print_http },
	{ "scap_program_http_latency_seconds", "histogram",
	  "From the read of a request to the write of its response's status.", print_latency },
};

void metrics_signals(FILE *out, const struct metrics_source *from)
{
	struct scap_signals s;

	for (unsigned i = 0; i < sizeof(signal_families) / sizeof(signal_families[0]); i++) {
		const struct signal_family *f = &signal_families[i];

		metrics_family(out, f->name, f->type, f->help);
		for (uint32_t k = 0; from->get(from->ctx, k, &s) == 0; k++)
			f->print(out, f->name, &s, from);
	}
}

/* ---- the recorder --------------------------------------------------------------------------- */

static void one(FILE *out, const char *name, const char *type, const char *help, uint64_t v)
{
	metrics_family(out, name, type, help);
	fprintf(out, "%s %" PRIu64 "\n", name, v);
}

static void one_ns(FILE *out, const char *name, const char *type, const char *help, uint64_t ns)
{
	metrics_family(out, name, type, help);
	fprintf(out, "%s ", name);
	seconds(out, ns);
	fputc('\n', out);
}

static void print_captures(FILE *out, const struct watch_health *h)
{
	static const char *const outcomes[N_CAPTURE_OUTCOMES] = {
		[CAPTURE_WRITTEN] = "written",
		[CAPTURE_REFUSED_COOLDOWN] = "refused_cooldown",
		[CAPTURE_REFUSED_LIMIT] = "refused_limit",
		[CAPTURE_FAILED] = "failed",
		[CAPTURE_CUT] = "cut",
	};
	static const char *const sources[] = {
		[TRIGGER_HAND] = "hand", [TRIGGER_ALERT] = "alert", [TRIGGER_EVENT] = "event",
	};

	metrics_family(out, "scap_captures_total", "counter", "Captures, by trigger and outcome.");
	for (uint32_t i = 0; i < h->n_triggers; i++)
		for (unsigned k = 0; k < N_CAPTURE_OUTCOMES; k++) {
			fputs("scap_captures_total{trigger=\"", out);
			metrics_value(out, h->triggers[i].name);
			fprintf(out, "\",source=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
				sources[h->triggers[i].source], outcomes[k], h->triggers[i].n[k]);
		}
}

static void print_recording(FILE *out, const struct watch_health *h)
{
	one(out, "scap_events_total", "counter", "Events recorded.", h->n_events);
	one(out, "scap_events_lost_total", "counter",
	    "Events that found no room in the kernel's rings.", h->n_lost);
	one(out, "scap_recorded_bytes_total", "counter", "Bytes written to the ring.", h->bytes);
	one(out, "scap_ring_bytes", "gauge", "Size of the ring.", h->ring_bytes);
	one(out, "scap_ring_used_bytes", "gauge", "Bytes of the ring that are in use.",
	    h->ring_used_bytes);
	one_ns(out, "scap_ring_window_seconds", "gauge", "How far back the ring reaches.",
	       h->ring_window_ns);
	one(out, "scap_ring_groups", "gauge", "Groups in the ring.", h->n_groups);
	one(out, "scap_ring_groups_evicted_total", "counter",
	    "Groups overwritten by later ones.", h->n_groups_evicted);
}

static void print_files(FILE *out, const struct watch_health *h)
{
	one(out, "scap_captures_in_progress", "gauge", "Captures being written.", h->n_capturing);
	one(out, "scap_capture_files", "gauge", "Finished captures in the directory.", h->n_files);
	one(out, "scap_capture_file_bytes", "gauge", "Their size.", h->file_bytes);
	one(out, "scap_captures_deleted_total", "counter", "Captures deleted by retention.",
	    h->n_deleted);
	one(out, "scap_disk_free_bytes", "gauge", "Bytes that captures may still take.",
	    h->disk_free_bytes);
	one(out, "scap_write_errors_total", "counter", "Writes of captures that failed.",
	    h->n_write_errors);
	metrics_family(out, "scap_capture_seal_seconds", "summary",
		       "From the end of a capture's window to its sealed file.");
	fputs("scap_capture_seal_seconds_sum ", out);
	seconds(out, h->seal_ns);
	fprintf(out, "\nscap_capture_seal_seconds_count %" PRIu64 "\n", h->n_sealed);
	one_ns(out, "scap_capture_seal_max_seconds", "gauge", "The most that one took for that.",
	       h->seal_max_ns);
	metrics_family(out, "scap_hooks_total", "counter", "Hook commands, by how they ended.");
	fprintf(out, "scap_hooks_total{outcome=\"ok\"} %" PRIu64 "\n"
		"scap_hooks_total{outcome=\"failed\"} %" PRIu64 "\n"
		"scap_hooks_total{outcome=\"killed\"} %" PRIu64 "\n"
		"scap_hooks_total{outcome=\"skipped\"} %" PRIu64 "\n", h->n_hooks_ok,
		h->n_hooks_failed, h->n_hooks_killed, h->n_hooks_skipped);
}

static void print_process(FILE *out, const struct watch_health *h)
{
	metrics_family(out, "scap_build_info", "gauge", "Version, and the kernel module's ABI.");
	fputs("scap_build_info{version=\"", out);
	metrics_value(out, h->version);
	fprintf(out, "\",abi=\"%u\"} 1\n", h->abi);
	metrics_family(out, "scap_start_time_seconds", "gauge", "When it began, since 1970.");
	fprintf(out, "scap_start_time_seconds %.3f\n", h->start_time);
	one(out, "scap_healthy", "gauge", "Whether /healthz says that all is well.", h->healthy);
	one(out, "scap_resident_memory_bytes", "gauge", "Resident memory.", h->resident_bytes);
	one_ns(out, "scap_cpu_seconds_total", "counter", "CPU time.", h->cpu_ns);
	one(out, "scap_open_descriptors", "gauge", "Descriptors that are open.", h->n_descriptors);
	metrics_family(out, "scap_reloads_total", "counter", "Configurations read again.");
	fprintf(out, "scap_reloads_total{outcome=\"ok\"} %" PRIu64 "\n"
		"scap_reloads_total{outcome=\"failed\"} %" PRIu64 "\n", h->n_reloads,
		h->n_reloads_failed);
}

void metrics_health(FILE *out, const struct watch_health *h)
{
	print_process(out, h);
	print_recording(out, h);
	print_captures(out, h);
	print_files(out, h);
	one(out, "scap_trigger_decoded_events_total", "counter",
	    "Events that triggers and signals looked at more closely.", h->n_decoded);
	one_ns(out, "scap_trigger_evaluation_seconds_total", "counter",
	       "CPU time of triggers and signals.", h->evaluation_ns);
	one(out, "scap_monitor_sockets_dropped_total", "counter",
	    "Sockets whose HTTP was not followed, for there were too many.", h->n_sockets_dropped);
	one(out, "scap_monitor_programs_dropped_total", "counter",
	    "Programs without a place of their own in the signals.", h->n_programs_dropped);
}
