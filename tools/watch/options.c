/* SPDX-License-Identifier: MIT */
#include "watch/options.h"

#include <scap/filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "watch/config_part.h"
#include "watch_opts.h"

/* Options that are a key of the file by another name. */
static const struct {
	int id;
	const char *path;
} keys[] = {
	{ WATCH_OPT_BEFORE, "before" },
	{ WATCH_OPT_AFTER, "after" },
	{ WATCH_OPT_DIR, "captures.directory" },
	{ WATCH_OPT_MEMORY, "recording.memory" },
	{ WATCH_OPT_RING, "recording.ring" },
	{ WATCH_OPT_KERNEL_RING, "recording.kernel-ring" },
	{ WATCH_OPT_SYSCALL, "recording.syscalls" },
	{ WATCH_OPT_SOCKET, "control.socket" },
	{ WATCH_OPT_LISTEN, "http.listen" },
	{ WATCH_OPT_TOKEN_FILE, "http.token-file" },
	{ WATCH_OPT_TLS_CERT, "http.tls.cert" },
	{ WATCH_OPT_TLS_KEY, "http.tls.key" },
	{ WATCH_OPT_USER, "privileges.user" },
};

static const struct verb verb = WATCH_VERB(NULL);

static bool no_memory(void)
{
	tool_error("no memory");
	return false;
}

/* FILE:LINE:COLUMN: text, which editors understand. */
static void say_error(const char *file, const struct config_error *err)
{
	char place[64] = "", shown[sizeof(err->text) * 4 + 1], name[1024];

	if (err->line && err->column)
		snprintf(place, sizeof(place), ":%u:%u", err->line, err->column);
	else if (err->line)
		snprintf(place, sizeof(place), ":%u", err->line);
	fprintf(stderr, "%s%s: %s\n", tool_shown(file, name, sizeof(name)), place,
		tool_shown(err->text, shown, sizeof(shown)));
}

const char *options_file(const struct watch_options *o)
{
	if (!o->file)
		return "command line";
	return strcmp(o->file, "-") ? o->file : "standard input";
}

/* ---- triggers ------------------------------------------------------------------------------- */

static bool set_filter(struct trigger_config *t, const char *filter)
{
	struct scap_filter *f;
	struct scap_error err;
	char what[128];

	snprintf(what, sizeof(what), "option --trigger: filter of '%s'", t->name);
	if (scap_filter_compile(filter, &f, &err) < 0)
		return tool_bad_text(what, filter, &err);
	scap_filter_free(f);
	t->filter = strdup(filter);
	return t->filter || no_memory();
}

/* NAME=FILTER. What stands before a filter's own '=' is no name, for it has dots. */
static bool set_named(struct trigger_config *t, const char *arg)
{
	const char *equals = strchr(arg, '=');
	char name[64];

	snprintf(name, sizeof(name), "%.*s", equals ? (int)(equals - arg) : 63, arg);
	if (!equals) {
		tool_usage("option --trigger: '%s' is not http-5xx, crash or oom, and has no "
			   "filter, as in NAME=FILTER", arg);
		return false;
	}
	if (equals - arg > 40 || !config_trigger_name_ok(name)) {
		tool_usage("option --trigger: '%s' is not a name: at most 40 of a to z, 0 to 9 "
			   "and -, with no - in front", name);
		return false;
	}
	t->name = strdup(name);
	if (!t->name)
		return no_memory();
	return set_filter(t, equals + 1);
}

static bool is_builtin(const char *name)
{
	for (const struct builtin *b = config_builtins; b->name; b++)
		if (!strcmp(b->name, name))
			return true;
	return false;
}

static bool add_trigger(struct watch_config *c, const char *arg)
{
	struct trigger_config t;
	bool ok;

	config_trigger_init(&t, TRIGGER_EVENT);
	if (is_builtin(arg))
		ok = config_trigger_builtin(&t, arg) || no_memory();
	else
		ok = set_named(&t, arg);
	if (ok && !config_put_trigger(c, &t)) {
		tool_error("more than %u triggers, or no memory", CONFIG_TRIGGERS_MOST);
		ok = false;
	}
	if (!ok)
		config_trigger_fini(&t);
	return ok;
}

/* ---- the command line ----------------------------------------------------------------------- */

static bool set_key(struct watch_config *c, const struct opt_parser *p, const char *path)
{
	char why[300];

	if (key_set(c, key_find(config_keys, path), p->arg, why, sizeof(why)))
		return true;
	tool_usage("option --%s: %s", p->opt->long_name, why);
	return false;
}

/* The first takes the place of those that the file has. */
static bool add_cgroup(struct watch_config *c, const char *path, bool first)
{
	const struct key *key = key_find(config_keys, "recording.cgroups");

	if (first)
		key_clear(c, key);
	if (!*path || words_count(c->cgroups) >= key->max) {
		tool_usage("option --cgroup: %s",
			   *path ? "there are more than 16" : "an empty name");
		return false;
	}
	return words_add(&c->cgroups, path) || no_memory();
}

static bool set_option(int id, const struct opt_parser *p, struct watch_config *c,
		       uint32_t *n_cgroups)
{
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].id == id)
			return set_key(c, p, keys[i].path);
	switch (id) {
	case WATCH_OPT_TRIGGER:
		return add_trigger(c, p->arg);
	case WATCH_OPT_SNAPLEN:
		return opt_snaplen(p, &c->snaplen, c->snaplens);
	case WATCH_OPT_CGROUP:
		return add_cgroup(c, p->arg, !(*n_cgroups)++);
	case WATCH_OPT_NO_SECCOMP:
		c->seccomp = false;
		return true;
	default:
		return true;	/* find_file() had it */
	}
}

/* What comes before the file is read: which one, and what for. */
static bool find_file(int argc, char **argv, struct watch_options *o)
{
	struct opt_parser p;
	int id;

	opt_init(&p, &verb, argc, argv);
	while ((id = opt_next(&p)) > 0) {
		if (id == WATCH_OPT_CONFIG)
			o->file = p.arg;
		o->check |= id == WATCH_OPT_CHECK;
		o->print |= id == WATCH_OPT_PRINT;
		if (id == OPT_OPERAND) {
			tool_usage("what is '%s'? there is nothing but options", p.arg);
			return false;
		}
	}
	if (!id && p.n_rest)
		tool_usage("what is '%s'? there is nothing but options", p.rest[0]);
	return !id && !p.n_rest;
}

static bool set_options(int argc, char **argv, struct watch_config *c)
{
	struct opt_parser p;
	uint32_t n_cgroups = 0;
	int id;

	opt_init(&p, &verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		if (!set_option(id, &p, c, &n_cgroups))
			return false;
	return true;
}

static bool read_all(int argc, char **argv, struct watch_options *o, struct watch_config *c)
{
	struct config_error err;

	if (o->file && !config_read(c, o->file, &err)) {
		say_error(options_file(o), &err);
		return false;
	}
	if (!set_options(argc, argv, c))
		return false;
	if (!config_settle(c))
		return no_memory();
	if (!config_check(c, &err)) {
		say_error(options_file(o), &err);
		return false;
	}
	return true;
}

bool options_again(int argc, char **argv)
{
	struct watch_options o = { 0 };
	struct stat st;

	if (!find_file(argc, argv, &o) || (o.file && !strcmp(o.file, "-")))
		return false;
	/* What is missing is told of by who opens it. */
	return !o.file || stat(o.file, &st) < 0 || S_ISREG(st.st_mode);
}

bool options_read(int argc, char **argv, struct watch_options *o, struct watch_config *c)
{
	*o = (struct watch_options){ 0 };
	if (!find_file(argc, argv, o))
		return false;
	config_init(c);
	if (read_all(argc, argv, o, c))
		return true;
	config_fini(c);
	return false;
}
