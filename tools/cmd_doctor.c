/* SPDX-License-Identifier: MIT */
/* scap doctor: what this host allows, and what can be done where it does not. */
#include "doctor.h"
#include "opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_MODULE = 1, OPT_DIR, OPT_ROOT, OPT_JSON };

#define CAPTURES_DIR "/var/lib/scap"

static const struct opt doctor_opts[] = {
	{ OPT_MODULE, 0, "module", "FILE", "the kscap.ko that would be loaded; otherwise it is\n"
	  "looked for beside scap and in /lib/modules" },
	{ OPT_DIR, 0, "dir", "DIR", "the directory of captures, instead of\n" CAPTURES_DIR },
	{ OPT_ROOT, 0, "root", "DIR", "look below DIR: an image, or a copy of another\n"
	  "host's /proc, /sys, /boot, /lib/modules" },
	{ OPT_JSON, 'j', "json", NULL, "one JSON object" },
	{ 0 }
};

static const char doctor_details[] =
	"Looks at what recording needs and prints a line for each: 'ok', 'warn' (it will do, with\n"
	"a loss that the line names) or 'fail' (recording will not work before that is mended),\n"
	"then what was looked at, what was found, and the way out. Changes nothing.\n"
	"Exit status 0: nothing fails. 1: something does.\n";

/* ---- files ---------------------------------------------------------------------------------- */

const char *doctor_path(const struct doctor *d, char buf[PATH_MAX], const char *fmt, ...)
{
	size_t n = strlen(d->root);
	va_list ap;

	if (n >= PATH_MAX)
		n = 0;
	memcpy(buf, d->root, n);
	va_start(ap, fmt);
	vsnprintf(buf + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	return buf;
}

bool doctor_has(const struct doctor *d, const char *path)
{
	char buf[PATH_MAX];

	return !access(doctor_path(d, buf, "%s", path), F_OK);
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && strchr(" \t\n", s[n - 1]))
		s[--n] = 0;
}

bool doctor_read(const struct doctor *d, const char *path, char *buf, size_t cap)
{
	char full[PATH_MAX];
	FILE *f = fopen(doctor_path(d, full, "%s", path), "re");
	size_t n;
	bool ok;

	*buf = 0;
	if (!f)
		return false;
	n = fread(buf, 1, cap - 1, f);
	ok = !ferror(f);
	fclose(f);
	buf[n] = 0;
	trim(buf);
	return ok;
}

bool doctor_line(const struct doctor *d, const char *path, const char *begin, char *buf, size_t cap)
{
	char full[PATH_MAX], line[1024];
	FILE *f = fopen(doctor_path(d, full, "%s", path), "re");
	size_t n = strlen(begin);
	bool found = false;

	*buf = 0;
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, begin, n);
		trim(line);
		if (found)
			snprintf(buf, cap, "%s", line + n + strspn(line + n, " \t"));
	}
	if (f)
		fclose(f);
	return found;
}

bool doctor_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p++)
		if ((p == text || strchr(" \t\n", p[-1])) && (!p[n] || strchr(" \t\n", p[n])))
			return true;
	return false;
}

const char *doctor_config(const struct doctor *d, const char *name, char buf[64])
{
	char path[200], begin[100];

	snprintf(path, sizeof(path), "/boot/config-%s", d->release);
	snprintf(begin, sizeof(begin), "CONFIG_%s=", name);
	if (!*d->release || !doctor_has(d, path))
		return strcpy(buf, "");
	return doctor_line(d, path, begin, buf, 64) ? buf : strcpy(buf, "n");
}

bool doctor_beside(const struct doctor *d, const char *name, char buf[PATH_MAX])
{
	char exe[PATH_MAX];
	ssize_t n = *d->root ? -1 : readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = 0;
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	*slash = 0;
	return snprintf(buf, PATH_MAX, "%s/%s", exe, name) < PATH_MAX;
}

/* ---- findings ------------------------------------------------------------------------------- */

static const char *const findings[] = { "ok", "warn", "fail" };

void doctor_say(struct doctor *d, enum finding f, const char *name, const char *way_out,
		const char *fmt, ...)
{
	uint32_t n = d->n[0] + d->n[1] + d->n[2];
	char text[2 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->n[f]++;
	if (d->json) {
		output_printf(&d->out, "%s{\"name\":\"%s\",\"finding\":\"%s\",\"text\":",
			      n ? "," : "", name, findings[f]);
		output_json(&d->out, text);
		output_string(&d->out, ",\"way_out\":");
		if (way_out)
			output_json(&d->out, way_out);
		else
			output_string(&d->out, "null");
		output_string(&d->out, "}");
		return;
	}
	output_printf(&d->out, "%-5s%s: ", findings[f], name);
	output_shown(&d->out, text);
	if (way_out) {
		output_string(&d->out, "; ");
		output_shown(&d->out, way_out);
	}
	output_string(&d->out, "\n");
}

static void examine(struct doctor *d)
{
	char text[256];

	d->loaded = doctor_line(d, "/proc/modules", "kscap ", text, sizeof(text));
	doctor_kernel(d);
	doctor_signatures(d);
	doctor_headers(d);
	doctor_module(d);
	doctor_permissions(d);
	doctor_device(d);
	doctor_room(d);
	doctor_clock(d);
}

/* ---- the command line ----------------------------------------------------------------------- */

static int doctor_run(int argc, char **argv);

const struct verb verb_doctor = {
	.name = "doctor",
	.summary = "what this host allows, and the way out where it does not",
	.usage = "[OPTION...]",
	.details = doctor_details,
	.opts = doctor_opts,
	.examples = "  sudo scap doctor\n"
		    "  scap doctor --module build/kscap.ko\n"
		    "  scap doctor -j | jq -r '.checks[] | select(.finding != \"ok\") | .text'\n",
	.run = doctor_run,
};

static bool parse(struct doctor *d, int argc, char **argv)
{
	struct opt_parser p;
	int id;

	opt_init(&p, &verb_doctor, argc, argv);
	while ((id = opt_next(&p)) > 0) {
		switch (id) {
		case OPT_MODULE: d->module = p.arg; break;
		case OPT_DIR: d->dir = p.arg; break;
		case OPT_ROOT: d->root = p.arg; break;
		case OPT_JSON: d->json = true; break;
		default:
			tool_usage("'%s': doctor takes no argument", p.arg);
			return false;
		}
	}
	if (id == 0 && p.n_rest)
		tool_usage("'%s': doctor takes no argument", p.rest[0]);
	return id == 0 && !p.n_rest;
}

static int doctor_run(int argc, char **argv)
{
	static struct doctor d = { .root = "", .dir = CAPTURES_DIR };
	bool failed;

	if (!parse(&d, argc, argv))
		return TOOL_USAGE;
	if (access(*d.root ? d.root : "/", X_OK) < 0) {
		tool_error("cannot look into %s: %s", d.root, strerror(errno));
		return TOOL_FAILED;
	}
	if (!output_init(&d.out, STDOUT_FILENO))
		return TOOL_FAILED;
	if (d.json)
		output_string(&d.out, "{\"checks\":[");
	examine(&d);
	if (d.json)
		output_printf(&d.out, "],\"ok\":%u,\"warn\":%u,\"fail\":%u}\n", d.n[FINDING_OK],
			      d.n[FINDING_WARN], d.n[FINDING_FAIL]);
	output_fini(&d.out);
	failed = d.out.failed;
	return failed ? TOOL_FAILED : d.n[FINDING_FAIL] ? TOOL_UNFIT : TOOL_OK;
}
