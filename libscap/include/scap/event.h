/* SPDX-License-Identifier: MIT */
/*
 * One event of a capture. An event is owned by the reader that delivered it and lives until the
 * next call on that reader; so do all pointers that these functions return. Accessors never fail:
 * what an event does not have is 0, NULL or the value named.
 */
#ifndef SCAP_EVENT_H
#define SCAP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <scap/error.h>

struct scap_event;

#define SCAP_LATENCY_NONE UINT64_MAX

/* Running number in the capture, from 1; book-keeping records have none (0). */
SCAP_API uint64_t scap_event_num(const struct scap_event *ev);
/* Raw monotonic time and wall-clock time, ns. */
SCAP_API uint64_t scap_event_raw_ns(const struct scap_event *ev);
SCAP_API uint64_t scap_event_wall_ns(const struct scap_event *ev);
SCAP_API uint32_t scap_event_cpu(const struct scap_event *ev);
/* SCAP_REC_* of events.def. */
SCAP_API unsigned scap_event_type(const struct scap_event *ev);
/* It tells of the state of things at its time, not of a change: see SCAP_READER_KEYFRAMES. */
SCAP_API bool scap_event_in_keyframe(const struct scap_event *ev);
/* "openat", "execve_enter", "procexit", "gap"; "syscall_999" for unknown numbers. */
SCAP_API const char *scap_event_name(const struct scap_event *ev);
/* SCAP_ABI_*, system-call number (INT64_MIN: not a call). */
SCAP_API unsigned scap_event_abi(const struct scap_event *ev);
SCAP_API int64_t scap_event_nr(const struct scap_event *ev);
SCAP_API uint32_t scap_event_tid(const struct scap_event *ev);
/* From the thread's introduction; 0 and NULL when it is missing. */
SCAP_API uint32_t scap_event_tgid(const struct scap_event *ev);
SCAP_API uint32_t scap_event_ppid(const struct scap_event *ev);
SCAP_API const char *scap_event_comm(const struct scap_event *ev);
/* ns; SCAP_LATENCY_NONE when unknown. */
SCAP_API uint64_t scap_event_latency_ns(const struct scap_event *ev);
/* Whether the event has a result, and that result. */
SCAP_API bool scap_event_has_ret(const struct scap_event *ev);
SCAP_API int64_t scap_event_ret(const struct scap_event *ev);
/* Raw argument words. */
SCAP_API unsigned scap_event_n_args(const struct scap_event *ev);
SCAP_API uint64_t scap_event_arg(const struct scap_event *ev, unsigned i);
/* Bytes that a slot holds (SCAP_SLOT_*, or an argument's index): 0, or 1 when there are none. */
SCAP_API int scap_event_bytes(const struct scap_event *ev, unsigned slot, const void **ret_data,
			      size_t *ret_bytes, size_t *ret_orig_bytes, unsigned *ret_state);
/*
 * What a GAP says is missing: n events of this CPU, between two wall-clock times. 0, or 1 when the
 * event is no GAP.
 */
SCAP_API int scap_event_gap(const struct scap_event *ev, uint64_t *ret_n_lost,
			    uint64_t *ret_first_wall_ns, uint64_t *ret_last_wall_ns);
/*
 * Whether the event is a gap that the reader found in the sequence numbers: no record says what is
 * missing. Book-keeping records may be among the n; the times are those of the records around it.
 */
SCAP_API bool scap_event_gap_unexplained(const struct scap_event *ev);
/*
 * Whether that one is no sign of damage: the capture was cut out of a ring (it has a TRIGGER), and
 * its end says that a CPU's last events were lost, of which only a later record would tell more.
 */
SCAP_API bool scap_event_gap_at_end(const struct scap_event *ev);
/* How many of what a GAP tells of may have been procforks: a tree may have grown by them. */
SCAP_API uint64_t scap_event_gap_forks(const struct scap_event *ev);
/* The thread that a procfork made, and its process. 0, or 1 when the event is no procfork. */
SCAP_API int scap_event_child(const struct scap_event *ev, uint32_t *ret_tid, uint32_t *ret_tgid);

#endif
