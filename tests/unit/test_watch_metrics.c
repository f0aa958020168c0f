/* SPDX-License-Identifier: MIT */
/* Metrics: the text, and what promtool says of it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/metrics.h"

static struct scap_signals programs[5];
static uint32_t n_programs;

static int get(void *ctx, uint32_t i, struct scap_signals *ret)
{
	cr_assert_eq(ctx, programs);
	if (i >= n_programs)
		return 1;
	*ret = programs[i];
	return 0;
}

static uint64_t bound(unsigned i)
{
	static const uint64_t bounds[SCAP_SIGNAL_BUCKETS] = {
		1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000,
		500000000, 1000000000, 2500000000, 10000000000,
	};

	return bounds[i];
}

static const struct metrics_source source = { programs, get, bound };

static char *text;
static size_t n_text;

static FILE *begin(void)
{
	free(text);
	return open_memstream(&text, &n_text);
}

static const char *signals_text(void)
{
	FILE *f = begin();

	metrics_signals(f, &source);
	fclose(f);
	return text;
}

static void has(const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[n] == '\n')
			return;
	cr_expect_fail("no '%s' in:\n%s", line, text);
}

static void has_no(const char *part)
{
	cr_expect_not(strstr(text, part), "'%s' in:\n%s", part, text);
}

static void shop(void)
{
	struct scap_signals *s = &programs[1];

	strcpy(s->comm, "httpd");
	s->cgroup_id = 4711;
	s->n_calls = 1000;
	s->n_failed = 9;
	s->failed[EACCES] = 5;
	s->failed[41] = 3;	/* a number without a name */
	s->failed[SCAP_SIGNAL_ERRNOS - 1] = 1;
	s->file_in = 1;
	s->file_out = 2;
	s->net_in = 3;
	s->net_out = 18446744073709551615u;
	s->n_refused = 7;
	s->http[2] = 90;
	s->http[5] = 10;
	s->http_latency[0] = 60;
	s->http_latency[3] = 38;
	s->http_latency[SCAP_SIGNAL_BUCKETS] = 2;
	s->n_http_latency = 100;
	s->http_latency_ns = 12345678901;
	n_programs = 2;
}

#define OF "{comm=\"httpd\",cgroup=\"4711\""

Test(watch_metrics, signals)
{
	shop();
	signals_text();
	has("# TYPE scap_program_calls_total counter");
	has("scap_program_calls_total{comm=\"(all other programs)\",cgroup=\"0\"} 0");
	has("scap_program_calls_total" OF "} 1000");
	has("scap_program_failed_calls_total" OF ",errno=\"EACCES\"} 5");
	has("scap_program_failed_calls_total" OF ",errno=\"41\"} 3");
	has("scap_program_failed_calls_total" OF ",errno=\"other\"} 1");
	has_no("EPERM");
	has("scap_program_bytes_total" OF ",kind=\"file\",direction=\"in\"} 1");
	has("scap_program_bytes_total" OF ",kind=\"file\",direction=\"out\"} 2");
	has("scap_program_bytes_total" OF ",kind=\"net\",direction=\"in\"} 3");
	has("scap_program_bytes_total" OF ",kind=\"net\",direction=\"out\"} 18446744073709551615");
	has("scap_program_connects_refused_total" OF "} 7");
	has("scap_program_http_responses_total" OF ",code=\"2xx\"} 90");
	has("scap_program_http_responses_total" OF ",code=\"5xx\"} 10");
	has("scap_program_http_responses_total" OF ",code=\"other\"} 0");
	has_no("scap_program_http_responses_total{comm=\"(all");
	has("# TYPE scap_program_http_latency_seconds histogram");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"0.001\"} 60");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"0.0025\"} 60");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"0.01\"} 98");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"1\"} 98");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"10\"} 98");
	has("scap_program_http_latency_seconds_bucket" OF ",le=\"+Inf\"} 100");
	has("scap_program_http_latency_seconds_sum" OF "} 12.345678901");
	has("scap_program_http_latency_seconds_count" OF "} 100");
}

/* Names are the processes' own choice: none breaks the text, no two become the same. */
Test(watch_metrics, hostile_names)
{
	static const char *const names[] = { "a\"b\nc", "\\xff", "\xff", "(all other prog", "" };

	for (unsigned i = 1; i < 5; i++) {
		strcpy(programs[i].comm, names[i - 1]);
		programs[i].n_calls = i;
	}
	n_programs = 5;
	signals_text();
	has("scap_program_calls_total{comm=\"a\\\"b\\\\x0ac\",cgroup=\"0\"} 1");
	has("scap_program_calls_total{comm=\"\\\\x5cxff\",cgroup=\"0\"} 2");
	has("scap_program_calls_total{comm=\"\\\\xff\",cgroup=\"0\"} 3");
	has("scap_program_calls_total{comm=\"(all other prog\",cgroup=\"0\"} 4");
	has("scap_program_calls_total{comm=\"(all other programs)\",cgroup=\"0\"} 0");
	strcpy(programs[1].comm, "");
	programs[1].cgroup_id = 5;
	n_programs = 2;
	signals_text();
	has("scap_program_calls_total{comm=\"\",cgroup=\"5\"} 1");
}

static const struct watch_trigger_health triggers[] = {
	{ "hand", TRIGGER_HAND, { 1, 2, 3, 4, 5 } }, { "http-5xx", TRIGGER_EVENT, { 6 } },
};
static const struct watch_health health = {
	.version = "0.1.0", .abi = 3, .start_time = 1795723000.5, .healthy = true,
	.n_events = 12, .n_lost = 13, .bytes = 14, .ring_bytes = 15, .ring_used_bytes = 16,
	.ring_window_ns = 17500000000, .n_groups = 18, .n_groups_evicted = 19,
	.resident_bytes = 20, .cpu_ns = 21000000001, .n_descriptors = 22, .triggers = triggers,
	.n_triggers = 2, .n_capturing = 23, .n_files = 24, .file_bytes = 25, .n_deleted = 26,
	.disk_free_bytes = 27, .n_write_errors = 28, .n_hooks_ok = 29, .n_hooks_failed = 30,
	.n_hooks_killed = 31, .n_hooks_skipped = 32, .n_reloads = 33, .n_reloads_failed = 34,
	.n_decoded = 35, .evaluation_ns = 36, .n_sockets_dropped = 37, .n_programs_dropped = 38,
	.n_sealed = 39, .seal_ns = 40500000000, .seal_max_ns = 41500000000,
};

Test(watch_metrics, health)
{
	static const char *const lines[] = {
		"scap_build_info{version=\"0.1.0\",abi=\"3\"} 1",
		"scap_start_time_seconds 1795723000.500", "scap_healthy 1", "scap_events_total 12",
		"scap_events_lost_total 13", "scap_recorded_bytes_total 14", "scap_ring_bytes 15",
		"scap_ring_used_bytes 16", "scap_ring_window_seconds 17.500000000",
		"scap_ring_groups 18", "scap_ring_groups_evicted_total 19",
		"scap_resident_memory_bytes 20", "scap_cpu_seconds_total 21.000000001",
		"scap_open_descriptors 22",
		"scap_captures_total{trigger=\"hand\",source=\"hand\",outcome=\"written\"} 1",
		"scap_captures_total{trigger=\"hand\",source=\"hand\",outcome=\"refused_cooldown\"}"
		" 2",
		"scap_captures_total{trigger=\"hand\",source=\"hand\",outcome=\"refused_limit\"} 3",
		"scap_captures_total{trigger=\"hand\",source=\"hand\",outcome=\"failed\"} 4",
		"scap_captures_total{trigger=\"hand\",source=\"hand\",outcome=\"cut\"} 5",
		"scap_captures_total{trigger=\"http-5xx\",source=\"event\",outcome=\"written\"} 6",
		"scap_captures_in_progress 23", "scap_capture_files 24",
		"scap_capture_file_bytes 25", "scap_captures_deleted_total 26",
		"scap_disk_free_bytes 27", "scap_write_errors_total 28",
		"scap_hooks_total{outcome=\"ok\"} 29", "scap_hooks_total{outcome=\"failed\"} 30",
		"scap_hooks_total{outcome=\"killed\"} 31",
		"scap_hooks_total{outcome=\"skipped\"} 32",
		"scap_reloads_total{outcome=\"ok\"} 33",
		"scap_reloads_total{outcome=\"failed\"} 34",
		"scap_trigger_decoded_events_total 35",
		"scap_trigger_evaluation_seconds_total 0.000000036",
		"scap_monitor_sockets_dropped_total 37", "scap_monitor_programs_dropped_total 38",
		"scap_capture_seal_seconds_sum 40.500000000", "scap_capture_seal_seconds_count 39",
		"scap_capture_seal_max_seconds 41.500000000",
	};
	FILE *f = begin();

	metrics_health(f, &health);
	fclose(f);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		has(lines[i]);
}

/* What `promtool check metrics` says of all of it, and that it does find fault. */
static int promtool(const char *more)
{
	FILE *f = popen("promtool check metrics >&2", "w");
	int rc;

	metrics_health(f, &health);
	metrics_signals(f, &source);
	fputs(more, f);
	rc = pclose(f);
	return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

Test(watch_metrics, promtool)
{
	if (system("command -v promtool >/dev/null"))
		cr_skip_test("promtool is not installed (package prometheus)");
	shop();
	strcpy(programs[2].comm, "a\"b\n\\\xff\x80z");
	programs[2].failed[EPERM] = 2;
	n_programs = 3;
	cr_expect_eq(promtool(""), 0);
	cr_expect_neq(promtool("bad{ 1\n"), 0);
}
