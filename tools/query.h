/* SPDX-License-Identifier: MIT */
/* What several verbs take from the command line: FILE [FILTER...], --from, --to. */
#ifndef SCAP_TOOLS_QUERY_H
#define SCAP_TOOLS_QUERY_H

#include <scap/filter.h>
#include <scap/reader.h>

#define QUERY_FILTER_BYTES 65536

struct query {
	const char *path;		/* NULL: not named yet */
	const char *from, *to;		/* NULL: no limit */
	char filter[QUERY_FILTER_BYTES];	/* empty: none */
};

/* All of these print what is wrong, and return false then. */

/* The first operand is FILE, the others are the filter's words. */
bool query_operand(struct query *q, const char *word);
/* *ret_f stays as it is without a filter. */
bool query_compile(const struct query *q, struct scap_filter **ret_f);
/*
 * The range of time in the capture that r has opened, ends included; where there is no limit, 0 and
 * UINT64_MAX. Times are those of time_parse(), and trigger, trigger-DURATION, trigger+DURATION.
 */
bool query_range(const struct query *q, const struct scap_reader *r, uint64_t *ret_from_ns,
		 uint64_t *ret_to_ns);

struct scap_trigger;
/* What wall time is more than raw time, as far as the trigger, or the start, tells. */
uint64_t trigger_clock(const struct scap_reader *r, const struct scap_trigger *t);

#endif
