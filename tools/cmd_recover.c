/* SPDX-License-Identifier: MIT */
/* scap recover: what a flight recorder that was killed left behind becomes a capture. */
#include "opts.h"
#include "output.h"
#include "times.h"

#include <scap/reader.h>
#include <scap/ring.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_OUT = 1, OPT_FORCE, OPT_JSON };

static const struct opt recover_opts[] = {
	{ OPT_OUT, 'o', "output", "FILE", "the capture; by default RING's name with\n"
	  "-recovered.scapz, in the current directory" },
	{ OPT_FORCE, 0, "force", NULL, "overwrite an existing FILE" },
	{ OPT_JSON, 'j', "json", NULL, "one JSON object, for scripts" },
	{ 0 }
};

static const char recover_details[] =
	"RING is the file that scap watch records into; its journals lie beside it. It may be\n"
	"damaged or cut: all of it that is whole is taken. It is not changed.\n"
	"A recorder that was killed may have lost events just before: scap verify says that it is\n"
	"unknown, exit status 5, also where nothing else is wrong with the capture.\n";

static int recover_run(int argc, char **argv);

const struct verb verb_recover = {
	.name = "recover",
	.summary = "make a capture of what a flight recorder left when it was killed",
	.usage = "RING [-o FILE] [--force] [-j]",
	.details = recover_details,
	.opts = recover_opts,
	.examples = "  scap recover /run/scap/ring\n"
		    "  scap recover ring -o crash.scapz && scap read crash.scapz | tail\n",
	.exits = "0 recovered, 1 wrong usage, 2 nothing recovered, and no file is left",
	.run = recover_run,
};

struct recover {
	const char *ring, *out;
	bool force, json;
	char name[PATH_MAX];		/* where none was given */
	struct scap_ring_recovered got;
	enum scap_ring_state state;
	uint64_t wall_offset_ns;	/* between raw time and wall time; 0: not known */
};

/* ---- what it is ------------------------------------------------------------------------------ */

static bool parse(struct recover *v, int argc, char **argv)
{
	struct opt_parser p;
	int id;

	opt_init(&p, &verb_recover, argc, argv);
	while ((id = opt_next(&p)) > 0) {
		switch (id) {
		case OPT_OUT: v->out = p.arg; break;
		case OPT_FORCE: v->force = true; break;
		case OPT_JSON: v->json = true; break;
		default:
			if (v->ring) {
				tool_usage("one RING at a time: '%s' is too much", p.arg);
				return false;
			}
			v->ring = p.arg;
		}
	}
	if (id < 0)
		return false;
	if (!v->ring && p.n_rest == 1)
		v->ring = p.rest[0];
	if (!v->ring)
		tool_usage("which ring? Name the file that scap watch recorded into");
	return v->ring;
}

static bool choose_name(struct recover *v)
{
	const char *slash = strrchr(v->ring, '/');

	if (v->out)
		return true;
	v->out = v->name;
	if (snprintf(v->name, sizeof(v->name), "%s-recovered.scapz", slash ? slash + 1 : v->ring) <
	    (int)sizeof(v->name))
		return true;
	tool_error("the ring's name is too long; name the capture with -o");
	return false;
}

/* --force must not take what is to be recovered. */
static bool is_part_of_ring(const struct recover *v)
{
	static const char *const suffixes[] = { "", ".journal", ".journal2" };
	struct stat out, part;
	char path[PATH_MAX];

	if (stat(v->out, &out) < 0)
		return false;
	for (unsigned i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (snprintf(path, sizeof(path), "%s%s", v->ring, suffixes[i]) < PATH_MAX &&
		    stat(path, &part) == 0 && part.st_dev == out.st_dev &&
		    part.st_ino == out.st_ino)
			return true;
	return false;
}

/* Before a file is made: whether there is a ring that nobody uses. */
static bool check_ring(struct recover *v)
{
	v->state = scap_ring_state(v->ring);
	switch (v->state) {
	case SCAP_RING_NONE:
		tool_error("%s does not exist, or is empty; the option --ring of scap watch, or "
			   "ring: in its configuration, says where the ring is", v->ring);
		return false;
	case SCAP_RING_IN_USE:
		tool_error("%s is in use by a recorder; scap trigger cuts captures out of it",
			   v->ring);
		return false;
	default:
		return true;
	}
}

/* ---- what was saved -------------------------------------------------------------------------- */

/* The first event knows both clocks, also where the description of the host is lost. */
static void look_at_clock(struct recover *v)
{
	const struct scap_event *ev;
	struct scap_reader *r;

	if (scap_reader_open_path(v->out, NULL, &r, NULL) < 0)
		return;
	if (scap_reader_next(r, &ev) == 0)
		v->wall_offset_ns = scap_event_wall_ns(ev) - scap_event_raw_ns(ev);
	scap_reader_close(r);
}

static void print_time(struct output *out, const struct recover *v)
{
	uint64_t start = v->got.start_raw_ns, end = v->got.end_raw_ns;
	char a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES], span[TIME_TEXT_BYTES];

	time_span(end - start, span);
	if (v->wall_offset_ns)
		output_printf(out, "time        %s to %s, %s\n",
			      time_and_date(start + v->wall_offset_ns, a),
			      time_and_date(end + v->wall_offset_ns, b), span);
	else
		output_printf(out, "time        %" PRIu64 " to %" PRIu64 " ns on the recorder's "
			      "clock, %s\n", start, end, span);
}

static void print_text(struct output *out, const struct recover *v)
{
	output_string(out, "capture     ");
	output_shown(out, v->out);
	output_string(out, v->state == SCAP_RING_CLOSED ?
		      "\nring        its recorder ended as it should\n" :
		      v->state == SCAP_RING_ABANDONED ?
		      "\nring        abandoned by its recorder\n" :
		      "\nring        its beginning is damaged\n");
	print_time(out, v);
	output_printf(out, "events      %" PRIu64 "\n", v->got.n_events);
	output_printf(out, "sections    %" PRIu64 " of the ring, and %" PRIu64
		      " slices of its journals\n", v->got.n_sections, v->got.n_slices);
	if (v->got.n_damaged)
		output_printf(out, "damaged     %" PRIu64 " place%s; events that lay there are "
			      "missing in the capture, and show as lost\n", v->got.n_damaged,
			      v->got.n_damaged == 1 ? "" : "s");
	output_printf(out, "bytes       %" PRIu64 "\n", v->got.bytes);
}

/* The names in the object are a promise to scripts: they stay. */
static void print_json(struct output *out, const struct recover *v)
{
	output_string(out, "{\"file\":");
	output_json(out, v->out);
	output_printf(out, ",\"ring\":\"%s\"", v->state == SCAP_RING_CLOSED ? "closed" :
		      v->state == SCAP_RING_ABANDONED ? "abandoned" : "damaged");
	if (v->wall_offset_ns)
		output_printf(out, ",\"start_ns\":%" PRIu64 ",\"end_ns\":%" PRIu64,
			      v->got.start_raw_ns + v->wall_offset_ns,
			      v->got.end_raw_ns + v->wall_offset_ns);
	output_printf(out, ",\"start_raw_ns\":%" PRIu64 ",\"end_raw_ns\":%" PRIu64
		      ",\"events\":%" PRIu64 ",\"sections\":%" PRIu64 ",\"slices\":%" PRIu64
		      ",\"damaged\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", v->got.start_raw_ns,
		      v->got.end_raw_ns, v->got.n_events, v->got.n_sections, v->got.n_slices,
		      v->got.n_damaged, v->got.bytes);
}

static int report(const struct recover *v)
{
	struct output out;

	if (!output_init(&out, STDOUT_FILENO))
		return TOOL_FAILED;
	(v->json ? print_json : print_text)(&out, v);
	output_fini(&out);
	return out.failed ? TOOL_FAILED : TOOL_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool recover(struct recover *v)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };
	int fd, rc = scap_file_create(v->out, v->force, &fd, &err);

	if (rc == -EEXIST)
		tool_error("%s exists; choose another name with -o, or overwrite it with --force",
			   v->out);
	else if (rc)
		tool_error("%s", err.text);
	if (rc)
		return false;
	rc = scap_ring_recover(v->ring, fd, &v->got, &err);
	if (!rc)
		return true;
	unlink(v->out);
	if (rc == SCAP_EDAMAGED && v->state == SCAP_RING_FOREIGN)
		tool_error("%s is no ring, or nothing in it is whole", v->ring);
	else
		tool_error("%s", err.text);
	return false;
}

static int recover_run(int argc, char **argv)
{
	struct recover v = { 0 };

	if (!parse(&v, argc, argv))
		return TOOL_USAGE;
	if (!choose_name(&v) || !check_ring(&v))
		return TOOL_FAILED;
	if (is_part_of_ring(&v))
		return tool_usage("'%s' is the ring itself; name another file", v.out);
	if (!recover(&v))
		return TOOL_FAILED;
	look_at_clock(&v);
	return report(&v);
}
