/* SPDX-License-Identifier: MIT */
#include "query.h"

#include "opts.h"
#include "times.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool query_operand(struct query *q, const char *word)
{
	size_t used = strlen(q->filter), n = strlen(word);

	if (!q->path) {
		q->path = word;
		return true;
	}
	if (used + n + 2 > sizeof(q->filter)) {
		tool_usage("the filter is longer than %d bytes", QUERY_FILTER_BYTES - 2);
		return false;
	}
	if (used)
		q->filter[used++] = ' ';
	memcpy(q->filter + used, word, n + 1);
	return true;
}

bool query_compile(const struct query *q, struct scap_filter **ret_f)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	if (!q->filter[0] || scap_filter_compile(q->filter, ret_f, &err) >= 0)
		return true;
	return tool_bad_text("filter", q->filter, &err);
}

bool query_range(const struct query *q, uint64_t start_wall_ns, uint64_t *ret_from_ns,
		 uint64_t *ret_to_ns)
{
	*ret_from_ns = 0;
	*ret_to_ns = UINT64_MAX;
	if (q->from && !time_parse(q->from, start_wall_ns, ret_from_ns))
		tool_usage("--from: '%s' is not a time", q->from);
	else if (q->to && !time_parse(q->to, start_wall_ns, ret_to_ns))
		tool_usage("--to: '%s' is not a time", q->to);
	else if (*ret_from_ns > *ret_to_ns)
		tool_usage("--from %s is later than --to %s", q->from, q->to);
	else
		return true;
	return false;
}
