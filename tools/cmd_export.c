/* SPDX-License-Identifier: MIT */
/* scap export: a capture in another form. */
#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPT_TO = 1, OPT_PROFILE, OPT_OUTPUT, OPT_FORCE, OPT_PLAIN, OPT_JSON };

static const struct opt export_opts[] = {
	{ OPT_TO, 0, "to", "FORM", "scap, csv, ndjson or scapz" },
	{ OPT_PROFILE, 0, "profile", "NAME", "for whom a .scap file is: sysdig (pairs of enter\n"
	  "and exit events) or falco (exit events)" },
	{ OPT_OUTPUT, 'o', "output", "OUT", "write to OUT, a new file; -: standard output" },
	{ OPT_FORCE, 'f', "force", NULL, "overwrite OUT" },
	{ OPT_PLAIN, 0, "plain", NULL, "a .scap file without compression" },
	{ OPT_JSON, 'j', "json", NULL, "what was left out, as one JSON object" },
	{ 0 }
};

static const char export_details[] =
	"Writes the events that match FILTER in another form:\n"
	"  scap     for sysdig, Falco's libraries, and Wireshark\n"
	"  csv      a line per event (RFC 4180), with a line of names first\n"
	"  ndjson   as scap read -j\n"
	"  scapz    a capture again; with a FILTER, scap read -w can do more\n"
	"What cannot be carried over is counted on standard error.\n";

static const char export_examples[] =
	"  scap export --to scap -o shop.scap shop.scapz && sysdig -r shop.scap\n"
	"  scap export --to scap --profile falco -o shop.scap shop.scapz proc.name=httpd\n"
	"  scap export --to csv shop.scapz evt.type=connect > connects.csv\n";

/* ---- where it goes ------------------------------------------------------------------------- */

bool export_open_target(const struct export_request *req, bool binary, struct export_target *ret)
{
	struct scap_error err = { .offset = SCAP_NO_OFFSET };

	*ret = (struct export_target){ .fd = STDOUT_FILENO };
	if (!req->output) {
		if (!binary || !isatty(STDOUT_FILENO))
			return true;
		tool_error("standard output is a terminal: name a file with -o, or pipe it");
		ret->fd = -1;
		return false;
	}
	if (!scap_export_create(req->output, req->force, &ret->fd, &ret->created, &err))
		return true;
	tool_error("%s", err.text);
	ret->fd = -1;
	return false;
}

bool export_close_target(const struct export_request *req, struct export_target *t)
{
	int rc = 0;

	if (t->fd < 0)
		return true;
	if (t->fd != STDOUT_FILENO)
		rc = close(t->fd);
	t->fd = -1;
	if (t->created && !t->bytes)
		unlink(req->output);
	if (rc < 0)
		tool_error("%s: %s", req->output, strerror(errno));
	return rc == 0;
}

static int target_write(void *ctx, const void *buf, size_t n)
{
	struct export_target *t = ctx;
	const char *p = buf;

	while (n) {
		ssize_t got = write(t->fd, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		p += got;
		n -= (size_t)got;
		t->bytes += (uint64_t)got;
	}
	return 0;
}

struct scap_sink export_sink(struct export_target *t)
{
	return (struct scap_sink){ .ctx = t, .write = target_write };
}

/* ---- the command line ---------------------------------------------------------------------- */

static const struct form {
	const char *name;
	int (*run)(const struct export_request *req);
} forms[] = {
	{ "scap", export_scap }, { "csv", export_csv }, { "ndjson", export_ndjson },
	{ "scapz", export_scapz },
};

static const struct form *find_form(const char *name)
{
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	tool_usage("option --to: '%s' is not scap, csv, ndjson or scapz", name);
	return NULL;
}

static bool set_profile(struct export_request *req, const char *name)
{
	if (!strcmp(name, "sysdig"))
		req->profile = SCAP_EXPORT_SYSDIG;
	else if (!strcmp(name, "falco"))
		req->profile = SCAP_EXPORT_FALCO;
	else
		tool_usage("option --profile: '%s' is not sysdig or falco", name);
	return !strcmp(name, "sysdig") || !strcmp(name, "falco");
}

struct words {
	const char *to, *profile;
};

static bool apply(struct export_request *req, struct words *w, int id, const char *arg)
{
	switch (id) {
	case OPT_TO: w->to = arg; return true;
	case OPT_PROFILE: w->profile = arg; return set_profile(req, arg);
	case OPT_OUTPUT: req->output = strcmp(arg, "-") ? arg : NULL; return true;
	case OPT_FORCE: req->force = true; return true;
	case OPT_PLAIN: req->flags |= SCAP_EXPORT_PLAIN; return true;
	case OPT_JSON: req->json = true; return true;
	}
	return query_operand(&req->query, arg);
}

static const struct form *parse(struct export_request *req, const struct verb *verb, int argc,
				char **argv)
{
	struct words w = { 0 };
	struct opt_parser p;
	int id;

	opt_init(&p, verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		if (!apply(req, &w, id, p.arg))
			return NULL;
	for (int i = 0; id == 0 && i < p.n_rest; i++)
		if (!query_operand(&req->query, p.rest[i]))
			return NULL;
	if (id < 0)
		return NULL;
	if (!w.to)
		tool_usage("in which form? --to scap, csv, ndjson or scapz");
	else if (!req->query.path)
		tool_usage("which capture? Name a FILE, or - for standard input");
	else if (strcmp(w.to, "scap") && (w.profile || req->flags || req->json))
		tool_usage("--profile, --plain and --json are for --to scap");
	else
		return find_form(w.to);
	return NULL;
}

static int export_run(int argc, char **argv);

const struct verb verb_export = {
	.name = "export",
	.summary = "write a capture in another form: .scap, CSV, JSON",
	.usage = "--to FORM [OPTION...] FILE [FILTER...]",
	.details = export_details,
	.opts = export_opts,
	.examples = export_examples,
	.run = export_run,
};

static int export_run(int argc, char **argv)
{
	static struct export_request req;
	const struct form *form = parse(&req, &verb_export, argc, argv);

	return form ? form->run(&req) : TOOL_USAGE;
}
