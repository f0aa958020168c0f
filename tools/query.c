/* SPDX-License-Identifier: MIT */
#include "query.h"

#include "opts.h"
#include "times.h"

#include <scap/trigger.h>

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

uint64_t trigger_clock(const struct scap_reader *r, const struct scap_trigger *t)
{
	const struct scap_capture_info *info = scap_reader_info(r);

	return t->real_ns ? t->real_ns - t->raw_ns : info->start_wall_ns - info->start_raw_ns;
}

#define TRIGGER "trigger"
#define N_TRIGGER (sizeof(TRIGGER) - 1)

/* What follows "trigger": nothing, or a sign and a duration. */
static bool beside_trigger(const char *text, uint64_t trigger_ns, uint64_t *ret_ns)
{
	uint64_t ns = 0;

	if (*text && ((*text != '-' && *text != '+') || !duration_parse_ns(text + 1, &ns)))
		return false;
	if (*text == '-')
		*ret_ns = trigger_ns > ns ? trigger_ns - ns : 0;
	else
		*ret_ns = trigger_ns + ns;
	return true;
}

/* text, of this option, which may be NULL: no limit. */
static bool parse_time(const char *option, const char *text, const struct scap_reader *r,
		       uint64_t *ret_ns)
{
	const struct scap_trigger *t = scap_reader_trigger(r);
	bool relative = text && !strncmp(text, TRIGGER, N_TRIGGER);

	if (!text)
		return true;
	if (relative && !t) {
		tool_usage("%s %s: no trigger is told of in this capture; +SECONDS counts from "
			   "its start", option, text);
		return false;
	}
	if (relative ? beside_trigger(text + N_TRIGGER, trigger_clock(r, t) + t->raw_ns, ret_ns) :
		       time_parse(text, scap_reader_info(r)->start_wall_ns, ret_ns))
		return true;
	tool_usage("%s: '%s' is not a time", option, text);
	return false;
}

bool query_range(const struct query *q, const struct scap_reader *r, uint64_t *ret_from_ns,
		 uint64_t *ret_to_ns)
{
	*ret_from_ns = 0;
	*ret_to_ns = UINT64_MAX;
	if (!parse_time("--from", q->from, r, ret_from_ns) ||
	    !parse_time("--to", q->to, r, ret_to_ns))
		return false;
	if (*ret_from_ns <= *ret_to_ns)
		return true;
	tool_usage("--from %s is later than --to %s", q->from, q->to);
	return false;
}
