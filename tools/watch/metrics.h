/* SPDX-License-Identifier: MIT */
/* Metrics as Prometheus reads them: text format 0.0.4. */
#ifndef WATCH_METRICS_H
#define WATCH_METRICS_H

#include <scap/monitor.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "watch/config.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* HELP and TYPE; all samples of a metric stand together behind them. */
void metrics_family(FILE *out, const char *name, const char *type, const char *help);
/*
 * A label's value, without quotes. Two texts never become the same: bytes that are no UTF-8,
 * control characters and backslashes are shown as \xNN, that backslash escaped as the format has
 * it.
 */
void metrics_value(FILE *out, const char *s);

/* Where golden signals come from: scap_monitor_signals() and scap_signal_bound(). */
struct metrics_source {
	void *ctx;
	/* Program i, 0 for those without a place of their own: 0, or 1 past the last. */
	int (*get)(void *ctx, uint32_t i, struct scap_signals *ret);
	uint64_t (*bound)(unsigned i);	/* ns */
};

void metrics_signals(FILE *out, const struct metrics_source *from);

enum capture_outcome {
	CAPTURE_WRITTEN, CAPTURE_REFUSED_COOLDOWN, CAPTURE_REFUSED_LIMIT, CAPTURE_FAILED,
	CAPTURE_CUT,		/* its file is there, and lacks some of what was asked for */
	N_CAPTURE_OUTCOMES
};

struct watch_trigger_health {
	const char *name;
	enum trigger_source source;
	uint64_t n[N_CAPTURE_OUTCOMES];
};

/* How the recorder is. Counts are since its start. */
struct watch_health {
	const char *version;
	uint32_t abi;		/* of the kernel module */
	double start_time;	/* seconds since 1970 */
	bool healthy;
	/* what was recorded */
	uint64_t n_events, n_lost;
	uint64_t bytes;		/* of groups, written to the ring */
	/* the ring */
	uint64_t ring_bytes, ring_used_bytes;
	uint64_t ring_window_ns;	/* from the oldest event in it to the newest */
	uint64_t n_groups, n_groups_evicted;
	/* the process */
	uint64_t resident_bytes, cpu_ns;
	uint64_t n_descriptors;
	/* captures */
	const struct watch_trigger_health *triggers;
	uint32_t n_triggers;
	uint32_t n_capturing;	/* at this moment */
	uint64_t n_files, file_bytes;	/* in the directory */
	uint64_t n_deleted;
	uint64_t disk_free_bytes;
	uint64_t n_write_errors;
	uint64_t n_sealed, seal_ns, seal_max_ns;	/* from windows' ends: all, the most */
	/* Each hook and reload is one of these. */
	uint64_t n_hooks_ok, n_hooks_failed, n_hooks_killed, n_hooks_skipped;
	uint64_t n_reloads, n_reloads_failed;
	/* triggers and signals */
	uint64_t n_decoded, evaluation_ns;
	uint64_t n_sockets_dropped, n_programs_dropped;
};

void metrics_health(FILE *out, const struct watch_health *h);

#endif
