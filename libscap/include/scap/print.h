/* SPDX-License-Identifier: MIT */
/* Events as text and JSON, into the caller's buffer. No global state, no locale. */
#ifndef SCAP_PRINT_H
#define SCAP_PRINT_H

#include <scap/error.h>
#include <scap/event.h>
#include <sys/types.h>

enum scap_time_format {
	SCAP_TIME_ABSOLUTE,	/* wall clock, HH:MM:SS.nnnnnnnnn in the zone of utc_offset_s */
	SCAP_TIME_RELATIVE,	/* since start_wall_ns */
	SCAP_TIME_DELTA,	/* since prev_wall_ns */
};

#define SCAP_PRINT_COLOR 0x1	/* ANSI colours */

struct scap_print_options {
	size_t size;
	uint32_t flags;
	uint32_t time_format;	/* enum scap_time_format */
	uint64_t start_wall_ns, prev_wall_ns;
	int32_t utc_offset_s;
	uint32_t max_bytes;	/* of a payload or string shown; 0: all */
};

/*
 * All three return the length of the whole text; what did not fit in cap was cut, and the buffer
 * is NUL-terminated if cap > 0 (snprintf's rule). No line end.
 *
 * Text:  12 14:03:07.123456789 1 httpd (4711) openat 12.3us name=/srv/x ... res=EACCES(-13)
 */
SCAP_API size_t scap_print_text(const struct scap_event *ev, const struct scap_print_options *opt,
				char *buf, size_t cap);
/* One object: num, time_ns, cpu, proc, pid, tid, type, latency_ns, args {...}, res, ... */
SCAP_API size_t scap_print_json(const struct scap_event *ev, const struct scap_print_options *opt,
				char *buf, size_t cap);

/* A format such as "%evt.num %evt.time %proc.name: %evt.args", compiled once. */
struct scap_format;
SCAP_API int scap_format_compile(const char *text, struct scap_format **ret_f,
				 struct scap_error *err);
/* A missing field prints as <NA>. */
SCAP_API size_t scap_format_print(const struct scap_format *f, const struct scap_event *ev,
				  const struct scap_print_options *opt, char *buf, size_t cap);
SCAP_API void scap_format_free(struct scap_format *f);

#endif
