/* SPDX-License-Identifier: MIT */
/*
 * Filters: the language of sysdig and Falco (docs/filter.md), compiled once, run on each event.
 * A compiled filter is immutable: any number of threads may match with it.
 */
#ifndef SCAP_FILTER_H
#define SCAP_FILTER_H

#include <scap/error.h>
#include <scap/event.h>
#include <sys/types.h>

struct scap_filter;

/* text must not be empty. On SCAP_ESYNTAX err->offset is the column, from 1. */
SCAP_API int scap_filter_compile(const char *text, struct scap_filter **ret_f,
				 struct scap_error *err);
SCAP_API bool scap_filter_match(const struct scap_filter *f, const struct scap_event *ev);
/*
 * How many of the events that a GAP tells of the filter would have chosen for certain, for their
 * kind alone decides, and how many besides them it may have chosen. f NULL chooses all; where no
 * record says what is missing, nothing is certain. 0, or 1 when the event is no GAP.
 */
SCAP_API int scap_filter_gap(const struct scap_filter *f, const struct scap_event *ev,
			     uint64_t *ret_sure, uint64_t *ret_maybe);
/* NULL is allowed. */
SCAP_API void scap_filter_free(struct scap_filter *f);

/* The fields there are: 0, or 1 when i is past the last. Static strings. */
SCAP_API int scap_field_describe(unsigned i, const char **ret_name, const char **ret_type,
				 const char **ret_text);

/*
 * One field of one event as text, without a filter: "proc.name", "evt.arg.name". A field is
 * looked up once. Thread rule as for filters.
 */
struct scap_field;
SCAP_API int scap_field_compile(const char *name, struct scap_field **ret_f,
				struct scap_error *err);
/*
 * Length of the text (which is cut, NUL-terminated, at cap), or -ENODATA when the event does not
 * have the field. Control bytes are escaped.
 */
SCAP_API ssize_t scap_field_text(const struct scap_field *f, const struct scap_event *ev,
				 char *buf, size_t cap);
SCAP_API void scap_field_free(struct scap_field *f);

#endif
