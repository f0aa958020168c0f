/* SPDX-License-Identifier: MIT */
#include "info_trigger.h"

#include "query.h"
#include "times.h"

#include <inttypes.h>

/* name: of the member of JSON's list, a promise to scripts; text: for people. */
static const struct {
	uint64_t flag;
	const char *name, *text;
} flags[] = {
	{ SCAP_TRIGGER_SHORT, "short", "the ring did not reach back so far" },
	{ SCAP_TRIGGER_OVERTAKEN, "overtaken", "the ring was overwritten before it was copied" },
	{ SCAP_TRIGGER_CAPPED, "capped", "the file reached its size limit" },
	{ SCAP_TRIGGER_CUT, "cut", "the recorder ended, or the disk was full" },
	{ SCAP_TRIGGER_CHOSEN, "chosen", "only some events were kept" },
	{ SCAP_TRIGGER_KILLED, "killed", "its recorder was killed: its last losses may be untold" },
};

#define N_FLAGS (sizeof(flags) / sizeof(flags[0]))

/* ---- text ---------------------------------------------------------------------------------- */

#define INDENT "            "

static void row(struct output *out, const char *head, const char *text, const char *end)
{
	if (!text || !*text)
		return;
	output_string(out, head);
	output_shown(out, text);
	output_string(out, end);
}

static void print_window(struct output *out, const struct scap_trigger *t, uint64_t clock)
{
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	output_printf(out, INDENT "at %s", time_and_date(t->raw_ns + clock, a));
	if (t->event)
		output_printf(out, ", event %" PRIu64, t->event);
	output_string(out, "\n");
	if (t->before_ns || t->after_ns)
		output_printf(out, INDENT "asked for: %s before it, %s after it\n",
			      time_span(t->before_ns, a), time_span(t->after_ns, b));
	if (!t->from_raw_ns && !t->to_raw_ns)
		return;
	output_printf(out, INDENT "holds %s to %s", time_and_date(t->from_raw_ns + clock, a),
		      time_and_date(t->to_raw_ns + clock, b));
	if (t->n_lost)
		output_printf(out, ", but for %" PRIu64 " lost", t->n_lost);
	output_string(out, "\n");
}

static void print_flags(struct output *out, uint64_t set)
{
	for (unsigned i = 0; i < N_FLAGS; i++) {
		if (set & flags[i].flag)
			output_printf(out, INDENT "not all: %s\n", flags[i].text);
		set &= ~flags[i].flag;
	}
	if (set)
		output_printf(out, INDENT "not all, for reasons new to this scap: 0x%" PRIx64 "\n",
			      set);
}

void print_trigger(struct output *out, const struct scap_reader *r)
{
	const struct scap_trigger *t = scap_reader_trigger(r);

	if (!t)
		return;
	output_string(out, "trigger     ");
	output_shown(out, t->name && *t->name ? t->name : "without a name");
	row(out, " (", t->source, ")");
	row(out, ": ", t->why, "");
	output_string(out, "\n");
	print_window(out, t, trigger_clock(r, t));
	print_flags(out, t->flags);
	row(out, INDENT "kept: ", t->keep, "\n");
	for (uint64_t i = 0; i < t->n_labels; i++) {
		output_string(out, INDENT);
		output_shown(out, t->labels[i].name);
		output_string(out, "=");
		output_shown(out, t->labels[i].value);
		output_string(out, "\n");
	}
	row(out, INDENT "configured: ", t->config, "\n");
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void member(struct output *out, const char *name, const char *text)
{
	output_printf(out, "\"%s\":", name);
	output_json(out, text ? text : "");
	output_string(out, ",");
}

static void number(struct output *out, const char *name, uint64_t v)
{
	output_printf(out, "\"%s\":%" PRIu64 ",", name, v);
}

static void print_lists(struct output *out, const struct scap_trigger *t)
{
	const char *comma = "";

	output_string(out, "\"incomplete\":[");
	for (unsigned i = 0; i < N_FLAGS; i++) {
		if (!(t->flags & flags[i].flag))
			continue;
		output_printf(out, "%s\"%s\"", comma, flags[i].name);
		comma = ",";
	}
	output_string(out, "],\"labels\":{");
	for (uint64_t i = 0; i < t->n_labels; i++) {
		output_string(out, i ? "," : "");
		output_json(out, t->labels[i].name);
		output_string(out, ":");
		output_json(out, t->labels[i].value);
	}
	output_string(out, "}");
}

void print_trigger_json(struct output *out, const struct scap_reader *r)
{
	const struct scap_trigger *t = scap_reader_trigger(r);
	uint64_t clock = t ? trigger_clock(r, t) : 0;
	bool known = t && (t->from_raw_ns || t->to_raw_ns);

	if (!t)
		return;
	output_string(out, ",\"trigger\":{");
	member(out, "name", t->name);
	member(out, "source", t->source);
	member(out, "why", t->why);
	member(out, "config", t->config);
	member(out, "keep", t->keep);
	number(out, "time_ns", t->raw_ns + clock);
	number(out, "raw_ns", t->raw_ns);
	number(out, "event", t->event);
	number(out, "before_ns", t->before_ns);
	number(out, "after_ns", t->after_ns);
	number(out, "from_ns", known ? t->from_raw_ns + clock : 0);
	number(out, "to_ns", known ? t->to_raw_ns + clock : 0);
	number(out, "lost", t->n_lost);
	number(out, "flags", t->flags);
	print_lists(out, t);
	output_string(out, "}");
}
