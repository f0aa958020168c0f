/* SPDX-License-Identifier: MIT */
/* scap verify: is the file sound, and is anything missing? */
#include "input.h"
#include "opts.h"
#include "times.h"

#include <scap/summary.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_JSON = 1 };

static const struct opt verify_opts[] = {
	{ OPT_JSON, 'j', "json", NULL, "one JSON object" },
	{ 0 }
};

static const char verify_details[] =
	"Checks structure, checksums, seals, keyframes and the sequence numbers of each CPU, and\n"
	"says which events are missing. 'sealed' is the digest of the last seal: kept in another\n"
	"place, it proves later that the file was not changed.\n"
	"Exit status 0: sound; what is missing is accounted for.\n"
	"3: damaged, cut short, or events are missing without a record of it.\n"
	"FILE - is standard input; losses are then only summed up.\n";

/* A CPU's losses less than a second apart are one line. */
#define JOIN_NS 1000000000ull
#define MAX_CPUS 65536u

struct hole {
	uint64_t n, first_ns, last_ns;	/* n 0: none */
	bool unexplained;
};

struct verify {
	struct input in;
	struct output out;
	const char *path;
	bool json, several;	/* several: a hole or damage was already printed */
	struct hole *holes;	/* by CPU */
	uint32_t n_holes;
	unsigned n_damages;
	struct scap_seal_info seals;
};

#define READ_FLAGS (SCAP_READER_KEYFRAMES | SCAP_READER_SEALS)

static void print_hole(struct verify *v, uint32_t cpu)
{
	struct hole *h = &v->holes[cpu];
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	if (!h->n)
		return;
	if (v->json)
		output_printf(&v->out, "%s{\"cpu\":%" PRIu32 ",\"lost\":%" PRIu64 ",\"from_ns\":%"
			      PRIu64 ",\"to_ns\":%" PRIu64 "%s}", v->several ? "," : "", cpu, h->n,
			      h->first_ns, h->last_ns,
			      h->unexplained ? ",\"unexplained\":true" : "");
	else
		output_printf(&v->out, "%" PRIu64 " %s between %s and %s on cpu %" PRIu32 "%s\n",
			      h->n, h->unexplained ? "missing" : "lost",
			      time_and_date(h->first_ns, a), time_and_date(h->last_ns, b), cpu,
			      h->unexplained ? ", without a record of it" : "");
	v->several = true;
	h->n = 0;
}

static bool room_for(struct verify *v, uint32_t cpu)
{
	struct hole *holes;

	if (cpu < v->n_holes)
		return true;
	holes = cpu < MAX_CPUS ? realloc(v->holes, (cpu + 1) * sizeof(*holes)) : NULL;
	if (!holes)
		return false;
	memset(holes + v->n_holes, 0, (cpu + 1 - v->n_holes) * sizeof(*holes));
	v->holes = holes;
	v->n_holes = cpu + 1;
	return true;
}

static void add_gap(struct verify *v, const struct scap_event *ev)
{
	bool unexplained = scap_event_gap_unexplained(ev);
	uint64_t n, first, last;
	uint32_t cpu = scap_event_cpu(ev);
	struct hole *h;

	if (scap_event_gap(ev, &n, &first, &last) || !room_for(v, cpu))
		return;
	h = &v->holes[cpu];
	if (h->n && (first > h->last_ns + JOIN_NS || h->unexplained != unexplained))
		print_hole(v, cpu);
	if (!h->n)
		h->first_ns = first;
	h->unexplained = unexplained;
	h->n += n;
	h->last_ns = last;
}

static void print_damage(struct verify *v, const struct scap_error *err)
{
	v->n_damages++;
	if (v->json)
		return;
	if (err->offset == SCAP_NO_OFFSET)
		output_printf(&v->out, "damaged: %s\n", err->text);
	else
		output_printf(&v->out, "damaged at byte %" PRIu64 ": %s\n", err->offset, err->text);
}

/* The first way through a file: every gap, every damage. */
static int list(struct verify *v)
{
	const struct scap_event *ev;
	int rc, ret;

	if (!input_open(&v->in, v->path, READ_FLAGS, NULL, &ret))
		return ret;
	while ((rc = scap_reader_next(v->in.reader, &ev)) <= 0) {
		if (rc == 0) {
			if (!scap_event_num(ev))
				add_gap(v, ev);
			continue;
		}
		print_damage(v, scap_reader_error(v->in.reader));
		if (rc != SCAP_EDAMAGED)
			break;
	}
	for (uint32_t cpu = 0; cpu < v->n_holes; cpu++)
		print_hole(v, cpu);
	v->seals = *scap_reader_seals(v->in.reader);
	input_close(&v->in);
	return TOOL_OK;
}

#define SEAL_TEXT_BYTES (2 * sizeof(((struct scap_seal_info *)0)->last) + 1)

static const char *seal_text(const struct verify *v, char *buf)
{
	for (size_t i = 0; i < sizeof(v->seals.last); i++)
		snprintf(buf + 2 * i, 3, "%02x", v->seals.last[i]);
	return buf;
}

/* Captures as rows have none; .scap files neither. */
static void print_seals(struct verify *v)
{
	char buf[SEAL_TEXT_BYTES];

	if (v->seals.n_sealed)
		output_printf(&v->out, "sealed: %s\n", seal_text(v, buf));
	if (v->seals.n_sealed && v->seals.n_open)
		output_printf(&v->out, "not sealed: %" PRIu64 " sections at its end\n",
			      v->seals.n_open);
}

static void print_seals_json(struct verify *v)
{
	char buf[SEAL_TEXT_BYTES];

	output_printf(&v->out, ",\"sections_sealed\":%" PRIu64 ",\"sections_open\":%" PRIu64,
		      v->seals.n_sealed, v->seals.n_open);
	if (v->seals.n_sealed)
		output_printf(&v->out, ",\"seal\":\"%s\"", seal_text(v, buf));
}

static void print_json(struct verify *v, const char *verdict, const struct scap_summary_totals *t,
		       const struct scap_error *err)
{
	output_printf(&v->out, "],\"verdict\":\"%s\",\"attempted\":%" PRIu64 ",\"stored\":%" PRIu64
		      ",\"lost\":%" PRIu64 ",\"unexplained\":%" PRIu64, verdict, t->attempted,
		      t->stored, t->lost, t->unexplained);
	print_seals_json(v);
	output_string(&v->out, ",\"damage\":");
	if (err) {
		output_string(&v->out, "{\"text\":");
		output_json(&v->out, err->text);
		if (err->offset != SCAP_NO_OFFSET)
			output_printf(&v->out, ",\"offset\":%" PRIu64, err->offset);
		output_string(&v->out, "}}\n");
	} else {
		output_string(&v->out, "null}\n");
	}
}

static void print_text(struct verify *v, const char *verdict, const struct scap_summary_totals *t,
		       const struct scap_error *err)
{
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES];

	if (err && !v->n_damages)
		print_damage(v, err);
	if (t->unexplained)
		output_printf(&v->out, "%" PRIu64 " events are missing without a record of it\n",
			      t->unexplained);
	if (!strcmp(verdict, "lost"))
		output_printf(&v->out, "sound, not complete: %" PRIu64 " lost of %" PRIu64
			      " events, all accounted for", t->lost, t->attempted);
	else if (!strcmp(verdict, "damaged"))
		output_printf(&v->out, "not sound: %" PRIu64 " events could be read", t->stored);
	else
		output_printf(&v->out, "complete: %" PRIu64 " events", t->stored);
	if (t->stored)
		output_printf(&v->out, ", from %s to %s", time_and_date(t->first_wall_ns, a),
			      time_and_date(t->last_wall_ns, b));
	output_string(&v->out, "\n");
	print_seals(v);
}

/* The second way: the sequence numbers. Standard input has only this one. */
static int judge(struct verify *v)
{
	const struct scap_summary_totals *t;
	const struct scap_error *err = NULL;
	struct scap_summary *s = NULL;
	const char *verdict = "complete";
	int rc, ret;

	if (!input_open(&v->in, v->path, READ_FLAGS, NULL, &ret))
		return ret;
	rc = scap_summary_read(v->in.reader, &s);
	input_clear_progress(&v->in);
	if (rc < 0)
		err = scap_reader_error(v->in.reader);
	if (rc < 0 && (!s || (rc != SCAP_EDAMAGED && rc != SCAP_ETRUNCATED))) {
		ret = input_failed(&v->in, rc, err);
		scap_summary_free(s);
		return ret;
	}
	v->seals = *scap_reader_seals(v->in.reader);
	t = scap_summary_totals(s);
	if (t->lost)
		verdict = "lost";
	if (rc < 0 || t->unexplained || !scap_reader_info(v->in.reader)->complete)
		verdict = "damaged";
	(v->json ? print_json : print_text)(v, verdict, t, err);
	scap_summary_free(s);
	return strcmp(verdict, "damaged") ? TOOL_OK : TOOL_DAMAGED;
}

static int verify_file(const char *path, bool json)
{
	struct verify v = { .path = path, .json = json, .in.fd = -1 };
	int ret = TOOL_OK;

	if (!output_init(&v.out, STDOUT_FILENO))
		return TOOL_FAILED;
	if (json)
		output_string(&v.out, "{\"gaps\":[");
	if (strcmp(path, "-"))
		ret = list(&v);
	if (ret == TOOL_OK)
		ret = judge(&v);
	if (ret == TOOL_FAILED || v.out.failed)
		v.out.used = 0;	/* half an object helps nobody */
	input_close(&v.in);
	output_fini(&v.out);
	free(v.holes);
	return v.out.failed ? TOOL_FAILED : ret;
}

static int verify_run(int argc, char **argv);

const struct verb verb_verify = {
	.name = "verify",
	.summary = "is the file sound, and is anything missing?",
	.usage = "FILE [-j]",
	.details = verify_details,
	.opts = verify_opts,
	.examples = "  scap verify shop.scapz\n  scap verify shop.scapz && echo sound\n",
	.run = verify_run,
};

static int verify_run(int argc, char **argv)
{
	const char *path;
	bool json;

	if (!input_args(&verb_verify, argc, argv, OPT_JSON, &path, &json))
		return TOOL_USAGE;
	return verify_file(path, json);
}
