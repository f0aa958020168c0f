/* SPDX-License-Identifier: MIT */
/* scap verify: is the file sound, and is anything missing? Of all of it, or of what is chosen. */
#include "input.h"
#include "opts.h"
#include "query.h"
#include "times.h"
#include "verify_report.h"

#include <scap/summary.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_FROM = 1, OPT_TO, OPT_TREE, OPT_JSON };

static const struct opt verify_opts[] = {
	{ OPT_FROM, 0, "from", "T", "the events from this time on, as in scap read" },
	{ OPT_TO, 0, "to", "T", "those up to this time" },
	{ OPT_TREE, 0, "tree", "PID", "those of this process and its descendants" },
	{ OPT_JSON, 'j', "json", NULL, "one JSON object" },
	{ 0 }
};

static const char verify_details[] =
	"Checks structure, checksums, seals, keyframes and the sequence numbers of each CPU, and\n"
	"says which events are missing. 'sealed' is the digest of the last seal: kept in another\n"
	"place, it proves later that the file was not changed; captures one behind the other\n"
	"have one each. FILE - is standard input.\n"
	"With a FILTER, --tree, --from or --to: whether anything is missing of the events chosen\n"
	"so. What was lost is known by its kind, CPU and time, not by its process or its values.\n"
	"Exit status 0: complete.\n"
	"3: damaged, cut short, or events are missing without a record of it.\n"
	"4: events were lost, and that is accounted for.\n"
	"5: unknown: it can't be told whether any is missing. When events are chosen, damage that\n"
	"may have to do with them is unknown, too, and all other damage does not count.\n";

#define READ_FLAGS (SCAP_READER_KEYFRAMES | SCAP_READER_SEALS | SCAP_READER_SEGMENTS)

struct verify {
	struct query query;
	uint64_t pid;			/* 0: no tree */
	bool json, selected;
	struct input in;
	struct report report;
	struct selection sel;
	struct scap_summary *summary;	/* of all; NULL: events are chosen */
	uint64_t n_at_end;	/* missing, as the end of a flight recorder's capture says */
	uint64_t stored, first_ns, last_ns;	/* of the chosen events */
	struct scap_error damage;	/* the first one */
	uint64_t now_ns;		/* wall time of the last event */
	uint64_t n_sealed, sealed_ns;	/* the last seal that held, and what lay before it */
	uint64_t damage_ns;		/* since when the last damage may have hidden something */
	uint64_t first_damage_ns;	/* and the first one */
	bool in_damage;
};

/* ---- reading ------------------------------------------------------------------------------- */

/* What damage took lies before the next event; a later one is told by its own gap. */
static void leave_damage(struct verify *v, uint64_t until_ns)
{
	if (!v->in_damage)
		return;
	v->in_damage = false;
	if (v->selected && selection_touched(&v->sel, v->damage_ns, until_ns))
		report_doubt(&v->report, DOUBT_DAMAGE, v->damage_ns, until_ns);
}

static void enter_damage(struct verify *v)
{
	const struct scap_error *err = scap_reader_error(v->in.reader);

	report_damage(&v->report, err);
	if (!v->damage.code)
		v->damage = *err;
	if (!v->in_damage)
		v->damage_ns = v->now_ns;
	v->in_damage = true;
	/* No section waits for a seal: one is broken, and all since the last is in doubt. */
	if (!scap_reader_seals(v->in.reader)->n_open)
		v->damage_ns = v->sealed_ns;
	if (v->damage_ns < v->first_damage_ns)
		v->first_damage_ns = v->damage_ns;
}

static void note_time(struct verify *v, const struct scap_event *ev)
{
	uint64_t n_sealed = scap_reader_seals(v->in.reader)->n_sealed;

	leave_damage(v, scap_event_wall_ns(ev));
	if (n_sealed != v->n_sealed)
		v->sealed_ns = v->now_ns;
	v->n_sealed = n_sealed;
	v->now_ns = scap_event_wall_ns(ev);
}

static void count(struct verify *v, uint64_t wall)
{
	if (!v->stored || wall < v->first_ns)
		v->first_ns = wall;
	if (wall > v->last_ns)
		v->last_ns = wall;
	v->stored++;
}

static bool gap(struct verify *v, const struct scap_event *ev)
{
	uint64_t ignored;
	struct loss l = { 0 };

	if (v->selected)
		selection_gap(&v->sel, ev, &l);
	else
		scap_event_gap(ev, &l.lost, &ignored, &ignored);
	v->n_at_end += scap_event_gap_at_end(ev) ? l.lost : 0;
	return report_gap(&v->report, ev, &l);
}

/* False: no memory. */
static bool event(struct verify *v, const struct scap_event *ev)
{
	if (v->summary && scap_summary_add(v->summary, ev)) {
		tool_error("not enough memory");
		return false;
	}
	if (scap_event_in_keyframe(ev))
		return true;
	note_time(v, ev);
	if (!scap_event_num(ev))
		return gap(v, ev);
	if (v->selected && selection_has(&v->sel, ev))
		count(v, scap_event_wall_ns(ev));
	return !v->sel.tree.failed;
}

/* Of a file of several, each of which has a seal of its own. */
static bool end_segment(struct verify *v)
{
	if (!v->summary || !scap_summary_end_segment(v->summary, v->in.reader))
		return true;
	tool_error("not enough memory");
	return false;
}

/* TOOL_OK, also of a damaged capture; or what else it was. */
static int read_all(struct verify *v)
{
	const struct scap_event *ev;
	int rc;

	for (;;) {
		rc = scap_reader_next(v->in.reader, &ev);
		if (rc == 1)
			return TOOL_OK;
		if (rc > 1 && !end_segment(v))
			return TOOL_FAILED;
		if (rc == 0 && !event(v, ev))
			return TOOL_FAILED;
		if (rc == SCAP_EDAMAGED)
			enter_damage(v);
		if (rc >= 0 || rc == SCAP_EDAMAGED)
			continue;
		if (rc != SCAP_ETRUNCATED)
			return input_failed(&v->in, rc, scap_reader_error(v->in.reader));
		report_damage(&v->report, scap_reader_error(v->in.reader));
		if (!v->damage.code)
			v->damage = *scap_reader_error(v->in.reader);
		return TOOL_OK;
	}
}

/* What of the chosen range no gap could tell of. */
static void doubt_range(struct verify *v)
{
	const struct scap_capture_info *info = scap_reader_info(v->in.reader);
	uint64_t told = scap_reader_told_wall_ns(v->in.reader), from = v->sel.from_ns;

	leave_damage(v, info->complete ? info->end_wall_ns : v->now_ns);
	/* A CPU may have had all of its records in what is damaged, and nothing names it. */
	if (told != UINT64_MAX && told > v->first_damage_ns)
		told = v->first_damage_ns;
	if (info->translated)
		return;
	if (info->start_wall_ns && from && from < info->start_wall_ns)
		report_doubt(&v->report, DOUBT_BEFORE, 0, info->start_wall_ns);
	if (told != UINT64_MAX && selection_touched(&v->sel, told, UINT64_MAX))
		report_doubt(&v->report, DOUBT_NO_END, told > from ? told : from, 0);
	if (info->complete && v->sel.to_ns != UINT64_MAX && v->sel.to_ns > info->end_wall_ns)
		report_doubt(&v->report, DOUBT_AFTER, info->end_wall_ns, 0);
}

/* The same of the whole file, whose end somebody else wrote. */
static void doubt_end(struct verify *v)
{
	uint64_t told = scap_reader_told_wall_ns(v->in.reader);

	if (scap_reader_info(v->in.reader)->complete && told != UINT64_MAX)
		report_doubt(&v->report, DOUBT_NO_END, told, 0);
}

/* ---- the verdict --------------------------------------------------------------------------- */

static const struct verdict {
	const char *name;
	int exit;
} complete = { "complete", TOOL_OK }, damaged = { "damaged", TOOL_DAMAGED },
  lost = { "lost", TOOL_LOST }, unknown = { "unknown", TOOL_UNKNOWN };

static const struct verdict *judge(const struct verify *v)
{
	const struct report *r = &v->report;
	const struct scap_summary_totals *t;

	if (v->selected)
		return r->sum.lost ? &lost :
		       r->sum.unknown || r->sum.forks || r->n_doubts ? &unknown : &complete;
	t = scap_summary_totals(v->summary);
	if (r->n_damages || t->unexplained > v->n_at_end ||
	    !scap_reader_info(v->in.reader)->complete)
		return &damaged;
	return t->lost ? &lost : r->n_doubts ? &unknown : &complete;
}

#define SEAL_BYTES sizeof(((struct scap_seal_info *)0)->last)
#define SEAL_TEXT_BYTES (2 * SEAL_BYTES + 1)

static const char *seal_text(const uint8_t seal[SEAL_BYTES], char *buf)
{
	for (size_t i = 0; i < SEAL_BYTES; i++)
		snprintf(buf + 2 * i, 3, "%02x", seal[i]);
	return buf;
}

/* Captures as rows have none; .scap files neither. */
static void print_seals(struct verify *v)
{
	const struct scap_seal_info *seals = scap_reader_seals(v->in.reader);
	const struct scap_summary_segment *seg;
	struct output *out = &v->report.out;
	char buf[SEAL_TEXT_BYTES];

	for (unsigned i = 0; v->summary && (seg = scap_summary_segment(v->summary, i)); i++)
		if (seg->sealed)
			output_printf(out, "sealed: %s\n", seal_text(seg->seal, buf));
	if (!v->summary && seals->n_sealed)
		output_printf(out, "sealed: %s\n", seal_text(seals->last, buf));
	if (seals->n_sealed && seals->n_open)
		output_printf(out, "not sealed: %" PRIu64 " sections at its end\n", seals->n_open);
}

static void print_seals_json(struct verify *v)
{
	const struct scap_seal_info *seals = scap_reader_seals(v->in.reader);
	const struct scap_summary_segment *seg;
	struct output *out = &v->report.out;
	char buf[SEAL_TEXT_BYTES];

	output_printf(out, ",\"sections_sealed\":%" PRIu64 ",\"sections_open\":%" PRIu64,
		      seals->n_sealed, seals->n_open);
	if (seals->n_sealed)
		output_printf(out, ",\"seal\":\"%s\"", seal_text(seals->last, buf));
	if (!v->summary || !scap_summary_segment(v->summary, 1))
		return;
	output_string(out, ",\"segment_seals\":[");
	for (unsigned i = 0; (seg = scap_summary_segment(v->summary, i)); i++)
		output_printf(out, "%s\"%s\"", i ? "," : "",
			      seg->sealed ? seal_text(seg->seal, buf) : "");
	output_string(out, "]");
}

static void print_damage_json(struct output *out, const struct scap_error *err)
{
	output_string(out, ",\"damage\":");
	if (!err->code) {
		output_string(out, "null}\n");
		return;
	}
	output_string(out, "{\"text\":");
	output_json(out, err->text);
	if (err->offset != SCAP_NO_OFFSET)
		output_printf(out, ",\"offset\":%" PRIu64, err->offset);
	output_string(out, "}}\n");
}

static void print_json(struct verify *v, const struct verdict *verdict)
{
	struct output *out = &v->report.out;
	const struct loss *sum = &v->report.sum;

	output_printf(out, "],\"verdict\":\"%s\"", verdict->name);
	if (v->selected) {
		output_printf(out, ",\"stored\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"unknown\":%"
			      PRIu64, v->stored, sum->lost, sum->unknown);
	} else {
		const struct scap_summary_totals *t = scap_summary_totals(v->summary);

		output_printf(out, ",\"attempted\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"lost\":%"
			      PRIu64 ",\"unexplained\":%" PRIu64, t->attempted, t->stored, t->lost,
			      t->unexplained);
	}
	print_seals_json(v);
	print_damage_json(out, &v->damage);
}

static void print_all(struct verify *v, const struct verdict *verdict)
{
	const struct scap_summary_totals *t = scap_summary_totals(v->summary);
	struct output *out = &v->report.out;

	if (t->unexplained > v->n_at_end)
		output_printf(out, "%" PRIu64 " events are missing without a record of it\n",
			      t->unexplained - v->n_at_end);
	if (verdict == &lost)
		output_printf(out, "sound, not complete: %" PRIu64 " lost of %" PRIu64
			      " events, all accounted for", t->lost, t->attempted);
	else if (verdict == &damaged)
		output_printf(out, "not sound: %" PRIu64 " events could be read", t->stored);
	else
		output_printf(out, "%s: %" PRIu64 " events",
			      verdict == &complete ? "complete" : "sound", t->stored);
	v->stored = t->stored;
	v->first_ns = t->first_wall_ns;
	v->last_ns = t->last_wall_ns;
}

static void print_selected(struct verify *v, const struct verdict *verdict)
{
	const struct loss *sum = &v->report.sum;
	struct output *out = &v->report.out;

	if (verdict == &lost)
		output_printf(out, "not complete: %" PRIu64 " lost, ", sum->lost);
	else
		output_printf(out, "%s: ", verdict->name);
	if (sum->unknown)
		output_printf(out, "%" PRIu64 "%s may be missing, ", sum->unknown,
			      verdict == &lost ? " more" : "");
	output_printf(out, "%" PRIu64 " events%s", v->stored,
		      verdict == &complete ? "" : " are there");
}

static void print_text(struct verify *v, const struct verdict *verdict)
{
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];
	struct output *out = &v->report.out;

	(v->selected ? print_selected : print_all)(v, verdict);
	if (v->stored)
		output_printf(out, ", from %s to %s", time_and_date(v->first_ns, a),
			      time_and_date(v->last_ns, b));
	output_string(out, "\n");
	print_seals(v);
}

static int conclude(struct verify *v)
{
	const struct verdict *verdict;

	if (v->summary && scap_summary_finish(v->summary, v->in.reader)) {
		tool_error("not enough memory");
		return TOOL_FAILED;
	}
	report_end(&v->report);
	if (v->selected)
		doubt_range(v);
	else
		doubt_end(v);
	if (scap_reader_info(v->in.reader)->translated)
		report_doubt(&v->report, DOUBT_UNCOUNTED, 0, 0);
	input_clear_progress(&v->in);
	verdict = judge(v);
	(v->json ? print_json : print_text)(v, verdict);
	if (v->pid && !tree_seen(&v->sel.tree))
		tool_error("no event of process %" PRIu64 " or a child of it was found", v->pid);
	return verdict->exit;
}

/* ---- the command line ---------------------------------------------------------------------- */

static bool apply(struct verify *v, const struct opt_parser *p, int id)
{
	switch (id) {
	case OPT_OPERAND: return query_operand(&v->query, p->arg);
	case OPT_FROM: v->query.from = p->arg; return true;
	case OPT_TO: v->query.to = p->arg; return true;
	case OPT_TREE: return opt_u64(p, 1, UINT32_MAX, &v->pid);
	case OPT_JSON: v->json = true; return true;
	}
	return false;
}

static bool parse(struct verify *v, const struct verb *verb, int argc, char **argv)
{
	struct opt_parser p;
	int id;

	opt_init(&p, verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		if (!apply(v, &p, id))
			return false;
	for (int i = 0; id == 0 && i < p.n_rest; i++)
		if (!query_operand(&v->query, p.rest[i]))
			return false;
	if (id < 0)
		return false;
	if (!v->query.path)
		tool_usage("which capture? Name a FILE, or - for standard input");
	v->selected = v->query.filter[0] || v->query.from || v->query.to || v->pid;
	return v->query.path;
}

/* TOOL_OK, or what went wrong, which was printed. */
static int prepare(struct verify *v)
{
	struct selection *s = &v->sel;
	int ret;

	if (!query_compile(&v->query, &s->filter))
		return TOOL_USAGE;
	if (!input_open(&v->in, v->query.path, READ_FLAGS, NULL, &ret))
		return ret;
	v->first_damage_ns = UINT64_MAX;
	v->now_ns = v->sealed_ns = scap_reader_info(v->in.reader)->start_wall_ns;
	if (!query_range(&v->query, v->in.reader, &s->from_ns, &s->to_ns))
		return TOOL_USAGE;
	if (v->pid && !tree_init(&s->tree, v->pid))
		return TOOL_FAILED;
	s->has_tree = v->pid;
	if (!v->selected && scap_summary_new(&v->summary)) {
		tool_error("not enough memory");
		return TOOL_FAILED;
	}
	return report_init(&v->report, v->json, v->selected) ? TOOL_OK : TOOL_FAILED;
}

static int verify_run(int argc, char **argv);

const struct verb verb_verify = {
	.name = "verify",
	.summary = "is the file sound, and is anything missing?",
	.usage = "FILE [FILTER...] [OPTION...]",
	.details = verify_details,
	.opts = verify_opts,
	.examples = "  scap verify shop.scapz && echo complete\n"
		    "  scap verify shop.scapz --tree 4711 --from 14:03:07 --to 14:03:08.5\n"
		    "  scap verify shop.scapz evt.type=connect and proc.name=httpd\n",
	.run = verify_run,
};

static int verify_run(int argc, char **argv)
{
	static struct verify v;
	int ret;

	v.in.fd = -1;
	selection_init(&v.sel);
	if (!parse(&v, &verb_verify, argc, argv))
		return TOOL_USAGE;
	ret = prepare(&v);
	if (ret == TOOL_OK)
		ret = read_all(&v);
	if (ret == TOOL_OK)
		ret = conclude(&v);
	if (ret == TOOL_FAILED || v.report.out.failed)
		v.report.out.used = 0;	/* half an object helps nobody */
	input_close(&v.in);
	if (v.report.out.buf)
		report_fini(&v.report);
	scap_summary_free(v.summary);
	selection_fini(&v.sel);
	return v.report.out.failed ? TOOL_FAILED : ret;
}
