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
 * the filter, if there is one, must match the write that completes the status code. docs/monitor.md
 * says what counts as a response.
 */
#define SCAP_CONDITION_HTTP_5XX	1

struct scap_condition {
	uint32_t kind;		/* SCAP_CONDITION_* */
	/*
	 * Fires with the count-th event within window_ns, then counts anew; 0 or 1: with each. At
	 * most 65536, with a window that is not 0.
	 */
	uint32_t count;
	uint64_t window_ns;
	const char *filter;	/* of docs/filter.md; NULL: none, for HTTP_5XX only */
};

struct scap_monitor_options {
	size_t size;		/* sizeof(struct scap_monitor_options) */
	const struct scap_condition *conditions;
	uint32_t n_conditions;	/* at most 1024 */
	uint32_t flags;		/* SCAP_MONITOR_* */
	uint32_t max_programs;	/* of which signals are kept apart; 0: 256; the rest is one. At
				   most 65536 */
	uint32_t max_sockets;	/* whose HTTP is followed at a time; 0: 16384; at most 1048576 */
	/*
	 * A condition fired at ev, whose number is as a reader of the whole recording would count.
	 * Called within scap_monitor_slice(), in the order of the events, of one event's conditions
	 * first those that are filters alone. ev lives until it returns; it must not call a
	 * function of this monitor.
	 */
	void (*fired)(void *ctx, uint32_t condition, const struct scap_event *ev);
	void *ctx;
};

#define SCAP_MONITOR_SIGNALS 0x1	/* keep golden signals */

/*
 * SCAP_ESYNTAX: err->offset is the column; -EINVAL: what err says. Where a condition is at fault,
 * *ret_condition, if not NULL, is which one.
 */
SCAP_API int scap_monitor_new(const struct scap_monitor_options *opt, struct scap_monitor **ret_m,
			      uint32_t *ret_condition, struct scap_error *err);
SCAP_API void scap_monitor_free(struct scap_monitor *m);
/*
 * Other conditions from now on (opt's fired, ctx and conditions alone count); what was counted for
 * the old ones is forgotten, HTTP and signals are not. On an error nothing has changed. From any
 * thread. Where there were none before, names of threads and files may be missing for a second.
 */
SCAP_API int scap_monitor_conditions(struct scap_monitor *m, const struct scap_monitor_options *opt,
				     uint32_t *ret_condition, struct scap_error *err);
/*
 * Goes over a slice; in order, as they are written. SCAP_EDAMAGED: rows that are no records; where
 * they are not even whole, nothing of the slice counts, else all the others do. -ENOMEM: the same
 * of those that there was no memory for, or of whose names there are more than 64 MiB in a second.
 */
SCAP_API int scap_monitor_slice(struct scap_monitor *m, const struct scap_slice *s);

struct scap_monitor_totals {
	uint64_t n_events;	/* gone over */
	uint64_t n_decoded;	/* of these, looked at more closely than their kind */
	uint64_t n_fired;
	uint64_t spent_ns;	/* CPU time of the passes */
	/* That were followed no longer, for there were too many; not those that were closed. */
	uint64_t n_sockets_dropped;
	/* Introductions of threads whose program found no place of its own. */
	uint64_t n_programs_dropped;
};

#define SCAP_SIGNAL_BUCKETS 12	/* upper bounds of latency, s: see scap_signal_bound() */
#define SCAP_SIGNAL_ERRNOS 134	/* by number; 133: all that are larger */

/* Of all processes of one name in one cgroup, since the monitor began. */
struct scap_signals {
	char comm[17];		/* "" with cgroup_id 0: all that found no place of their own */
	uint64_t cgroup_id;
	uint64_t n_calls, n_failed;
	uint64_t failed[SCAP_SIGNAL_ERRNOS];
	/*
	 * Bytes, of regular files and block devices, and of internet, vsock and packet sockets; of
	 * sendmmsg(2) and recvmmsg(2) those of the first message.
	 */
	uint64_t file_in, file_out, net_in, net_out;
	uint64_t n_refused;	/* connect(2) that returned ECONNREFUSED */
	/* Responses written, by hundred of the status; 0: not HTTP's 100 to 599. */
	uint64_t http[6];
	/*
	 * From the first read of the request to the write of the final response's status, on the
	 * same socket.
	 */
	uint64_t http_latency[SCAP_SIGNAL_BUCKETS + 1];	/* last: above all bounds */
	uint64_t n_http_latency, http_latency_ns;	/* how many, and their sum */
};

/* Upper bound of bucket i, which belongs to it, in ns; UINT64_MAX: above all bounds. */
SCAP_API uint64_t scap_signal_bound(unsigned i);
/*
 * Copies; from any thread, while another one is in scap_monitor_slice(). Program i, 0 for the rest:
 * 0, or 1 when i is past the last.
 */
SCAP_API int scap_monitor_signals(struct scap_monitor *m, uint32_t i, struct scap_signals *ret);
SCAP_API void scap_monitor_totals(struct scap_monitor *m, struct scap_monitor_totals *ret);

#endif
