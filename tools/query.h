/* SPDX-License-Identifier: MIT */
/* What several verbs take from the command line: FILE [FILTER...], --from, --to. */
#ifndef SCAP_TOOLS_QUERY_H
#define SCAP_TOOLS_QUERY_H

#include <scap/filter.h>

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
/* The range of time, ends included; where there is no limit, 0 and UINT64_MAX. */
bool query_range(const struct query *q, uint64_t start_wall_ns, uint64_t *ret_from_ns,
		 uint64_t *ret_to_ns);

#endif
