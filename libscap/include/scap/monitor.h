/* SPDX-License-Identifier: MIT */
/*
 * Watching a recording as it goes: conditions that are looked for in every event, and the golden
 * signals of the programs that run. All of it is one pass over each slice that the recorder is
 * about to write (scap_recorder_options.on_slice), on its thread.
 */
#ifndef SCAP_MONITOR_H
#define SCAP_MONITOR_H

#include <scap/error.h>
#include <scap/event.h>
#include <scap/filter.h>
#include <scap/writer.h>

#include <stddef.h>
#include <stdint.h>

struct scap_monitor;

/* What a condition looks for, where no filter can say it. */
#define SCAP_CONDITION_FILTER	0	/* the filter alone */
/*
 * A response with status 500 to 599, HTTP/1.0 or 1.1, written to a socket in any number of pieces;
 * the filter, if there is one, must match the write that completes the status code.
 */
#define SCAP_CONDITION_HTTP_5XX	1

struct scap_condition {
	uint32_t kind;		/* SCAP_CONDITION_* */
	/* Fires with the count-th event within window_ns, then counts anew; 0 or 1: with each. */
	uint32_t count;
	uint64_t window_ns;
	const char *filter;	/* of docs/filter.md; NULL: none */
};

struct scap_monitor_options {
	size_t size;		/* sizeof(struct scap_monitor_options) */
	const struct scap_condition *conditions;
	uint32_t n_conditions;	/* at most 1024 */
	uint32_t flags;		/* SCAP_MONITOR_* */
	uint32_t max_programs;	/* of which signals are kept apart; 0: 256; the rest is one */
	uint32_t max_sockets;	/* whose HTTP is followed at a time; 0: 16384 */
	/*
	 * A condition fired at ev, whose number is as a reader of the whole recording would count.
	 * Called within scap_monitor_slice(). ev lives until it returns.
	 */
	void (*fired)(void *ctx, uint32_t condition, const struct scap_event *ev);
	void *ctx;
};

#define SCAP_MONITOR_SIGNALS 0x1	/* keep golden signals */

struct scap_monitor_totals {
	uint64_t n_events;	/* gone over */
	uint64_t n_decoded;	/* of these, looked at more closely than their kind */
	uint64_t n_fired;
	uint64_t spent_ns;	/* CPU time of the passes */
	uint64_t n_sockets_dropped;	/* that were followed no longer, for there were too many */
	uint64_t n_programs_dropped;	/* that found no place of their own */
};

#define SCAP_SIGNAL_BUCKETS 12	/* upper bounds of latency, s: see scap_signal_bound() */
#define SCAP_SIGNAL_ERRNOS 134	/* by number; 133: all that are larger */

/* Of all processes of one name in one cgroup, since the monitor began. */
struct scap_signals {
	char comm[17];		/* "" with cgroup_id 0: all that found no place of their own */
	uint64_t cgroup_id;
	uint64_t n_calls, n_failed;
	uint64_t failed[SCAP_SIGNAL_ERRNOS];
	uint64_t file_in, file_out, net_in, net_out;	/* bytes */
	uint64_t n_refused;	/* connects */
	/* Responses written, by hundred of the status; 0: not HTTP's 100 to 599. */
	uint64_t http[6];
	/* From the read of the request to the write of the status, on the same socket. */
	uint64_t http_latency[SCAP_SIGNAL_BUCKETS + 1];	/* last: above all bounds */
	uint64_t n_http_latency, http_latency_ns;	/* how many, and their sum */
};

#endif
