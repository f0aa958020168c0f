/* SPDX-License-Identifier: MIT */
#include "verify_report.h"

#include "opts.h"
#include "times.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A CPU's losses less than a second apart are one line. */
#define JOIN_NS 1000000000ull

struct hole {
	struct loss loss;
	uint64_t first_ns, last_ns;
	bool any, unexplained;
};

bool report_init(struct report *r, bool json, bool selected)
{
	*r = (struct report){ .json = json, .selected = selected };
	if (!output_init(&r->out, STDOUT_FILENO))
		return false;
	if (json)
		output_string(&r->out, "{\"gaps\":[");
	return true;
}

void report_fini(struct report *r)
{
	output_fini(&r->out);
	free(r->holes);
}

static void next_in_list(struct report *r)
{
	output_string(&r->out, r->several ? ",{" : "{");
	r->several = true;
}

/* ---- gaps ---------------------------------------------------------------------------------- */

static void print_json(struct report *r, const struct hole *h, uint32_t cpu)
{
	next_in_list(r);
	output_printf(&r->out, "\"cpu\":%" PRIu32 ",\"lost\":%" PRIu64, cpu, h->loss.lost);
	if (r->selected)
		output_printf(&r->out, ",\"unknown\":%" PRIu64, h->loss.unknown);
	if (h->loss.forks)
		output_printf(&r->out, ",\"forks\":%" PRIu64, h->loss.forks);
	output_printf(&r->out, ",\"from_ns\":%" PRIu64 ",\"to_ns\":%" PRIu64 "%s}", h->first_ns,
		      h->last_ns, h->unexplained ? ",\"unexplained\":true" : "");
}

static void print_range(struct report *r, const struct hole *h, uint32_t cpu)
{
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	output_printf(&r->out, " %s between %s and %s on cpu %" PRIu32 "%s",
		      h->unexplained ? "missing" : "lost", time_and_date(h->first_ns, a),
		      time_and_date(h->last_ns, b), cpu,
		      h->unexplained ? ", without a record of it" : "");
}

static void print_text(struct report *r, const struct hole *h, uint32_t cpu)
{
	if (h->loss.lost) {
		output_printf(&r->out, "%" PRIu64, h->loss.lost);
		print_range(r, h, cpu);
		output_string(&r->out, "\n");
	}
	if (h->loss.unknown) {
		output_printf(&r->out, "unknown: %" PRIu64 " events", h->loss.unknown);
		print_range(r, h, cpu);
		output_printf(&r->out, "%s may be among them\n", h->unexplained ? "," : "");
	}
	if (h->loss.forks) {
		output_printf(&r->out, "unknown: %" PRIu64 " events", h->loss.forks);
		print_range(r, h, cpu);
		output_printf(&r->out, "%s may be forks by which the tree grew\n",
			      h->unexplained ? "," : "");
	}
}

static void print_hole(struct report *r, uint32_t cpu)
{
	struct hole *h = &r->holes[cpu];

	if (!h->any)
		return;
	(r->json ? print_json : print_text)(r, h, cpu);
	*h = (struct hole){ 0 };
}

static bool room_for(struct report *r, uint32_t cpu)
{
	struct hole *holes;

	if (cpu < r->n_holes)
		return true;
	holes = realloc(r->holes, ((size_t)cpu + 1) * sizeof(*holes));
	if (!holes) {
		tool_error("not enough memory");
		return false;
	}
	memset(holes + r->n_holes, 0, (cpu + 1 - r->n_holes) * sizeof(*holes));
	r->holes = holes;
	r->n_holes = cpu + 1;
	return true;
}

static void sum_up(struct loss *to, const struct loss *l)
{
	to->lost += l->lost;
	to->unknown += l->unknown;
	to->forks += l->forks;
}

bool report_gap(struct report *r, const struct scap_event *ev, const struct loss *l)
{
	bool unexplained = scap_event_gap_unexplained(ev);
	uint32_t cpu = scap_event_cpu(ev);
	uint64_t n, first, last;
	struct hole *h;

	if (scap_event_gap(ev, &n, &first, &last) || !(l->lost || l->unknown || l->forks))
		return true;
	if (!room_for(r, cpu))
		return false;
	h = &r->holes[cpu];
	if (h->any && (first > h->last_ns + JOIN_NS || h->unexplained != unexplained))
		print_hole(r, cpu);
	/* A CPU has two rings, whose gaps may overlap. */
	if (!h->any || first < h->first_ns)
		h->first_ns = first;
	if (!h->any || last > h->last_ns)
		h->last_ns = last;
	h->any = true;
	h->unexplained = unexplained;
	sum_up(&h->loss, l);
	sum_up(&r->sum, l);
	return true;
}

void report_end(struct report *r)
{
	for (uint32_t cpu = 0; cpu < r->n_holes; cpu++)
		print_hole(r, cpu);
}

/* ---- what is not counted ------------------------------------------------------------------- */

void report_damage(struct report *r, const struct scap_error *err)
{
	r->n_damages++;
	if (r->json)
		return;
	if (err->offset == SCAP_NO_OFFSET)
		output_printf(&r->out, "damaged: %s\n", err->text);
	else
		output_printf(&r->out, "damaged at byte %" PRIu64 ": %s\n", err->offset, err->text);
}

static const struct {
	const char *why;		/* in JSON */
	const char *from, *to, *text;	/* what stands before the times; NULL: no such time */
} doubts[] = {
	[DOUBT_DAMAGE] = { "damage", "events between ", " and ",
			   " may be missing, for the file is damaged" },
	[DOUBT_NO_END] = { "no end", "events after ", NULL,
			   " may be missing, for its recorder left no end that would tell" },
	[DOUBT_BEFORE] = { "not recorded", NULL, "nothing was recorded before ", "" },
	[DOUBT_AFTER] = { "not recorded", "nothing was recorded after ", NULL, "" },
	[DOUBT_UNCOUNTED] = { "not counted", NULL, NULL,
			      "a .scap file does not say what its recorder dropped" },
};

static void doubt_json(struct report *r, enum doubt doubt, uint64_t from_ns, uint64_t to_ns)
{
	next_in_list(r);
	if (doubts[doubt].from)
		output_printf(&r->out, "\"from_ns\":%" PRIu64 ",", from_ns);
	if (doubts[doubt].to)
		output_printf(&r->out, "\"to_ns\":%" PRIu64 ",", to_ns);
	output_printf(&r->out, "\"why\":\"%s\"}", doubts[doubt].why);
}

void report_doubt(struct report *r, enum doubt doubt, uint64_t from_ns, uint64_t to_ns)
{
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	r->n_doubts++;
	if (r->json) {
		doubt_json(r, doubt, from_ns, to_ns);
		return;
	}
	output_string(&r->out, "unknown: ");
	if (doubts[doubt].from)
		output_printf(&r->out, "%s%s", doubts[doubt].from, time_and_date(from_ns, a));
	if (doubts[doubt].to)
		output_printf(&r->out, "%s%s", doubts[doubt].to, time_and_date(to_ns, b));
	output_printf(&r->out, "%s\n", doubts[doubt].text);
}
