/* SPDX-License-Identifier: MIT */
/* scap VERB: finds the verb and hands over. */
#include "opts.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#ifndef SCAP_VERSION
#define SCAP_VERSION "unknown"
#endif

extern const struct verb verb_record;
extern const struct verb verb_read;
extern const struct verb verb_info;
extern const struct verb verb_verify;
extern const struct verb verb_export;
extern const struct verb verb_watch;
extern const struct verb verb_trigger;
extern const struct verb verb_doctor;
extern const struct verb verb_recover;

static const struct verb *const verbs[] = {
	&verb_record, &verb_read, &verb_info, &verb_verify, &verb_export,
	&verb_watch, &verb_trigger, &verb_doctor, &verb_recover,
};

#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

static const struct verb *find_verb(const char *name)
{
	for (unsigned i = 0; i < N_VERBS; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static void print_help(FILE *to)
{
	fprintf(to, "usage: scap VERB [OPTION...] [ARGUMENT...]\n\n"
		"A flight recorder for Linux system calls.\n\nverbs:\n");
	for (unsigned i = 0; i < N_VERBS; i++)
		fprintf(to, "  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
	fprintf(to, "  %-10s%s\n", "help", "this text, or that of a verb: scap help VERB");
	fprintf(to, "\n'scap VERB --help' shows options and examples; "
		"'scap --version' the version.\n");
}

static int unknown_verb(const char *name)
{
	struct nearest n;
	const char *best;

	nearest_init(&n, name);
	for (unsigned i = 0; i < N_VERBS; i++)
		nearest_try(&n, verbs[i]->name);
	nearest_try(&n, "help");
	best = nearest_get(&n);
	if (best)
		return tool_usage("'%s' is not a verb; did you mean '%s'?", name, best);
	return tool_usage("'%s' is not a verb", name);
}

static int help(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2) {
		print_help(stdout);
		return TOOL_OK;
	}
	verb = find_verb(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	verb_help(verb);
	return TOOL_OK;
}

static int run_verb(int argc, char **argv)
{
	const struct verb *verb;

	if (!strcmp(argv[0], "help"))
		return help(argc, argv);
	verb = find_verb(argv[0]);
	if (!verb)
		return unknown_verb(argv[0]);
	tool_set_verb(verb->name);
	if (wants_help(argc, argv)) {
		verb_help(verb);
		return TOOL_OK;
	}
	return verb->run(argc, argv);
}

/* What sat in the buffer may fail as late as now: a full disk must not look like success. */
static int finish(int rc)
{
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	tool_error("writing to standard output failed");
	return rc ? rc : TOOL_FAILED;
}

int main(int argc, char **argv)
{
	/* A reader that closed the pipe ends us quietly, also if we inherited "ignored". */
	signal(SIGPIPE, SIG_DFL);
	if (argc < 2) {
		print_help(stderr);
		return TOOL_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		print_help(stdout);
		return finish(TOOL_OK);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("scap %s\n", SCAP_VERSION);
		return finish(TOOL_OK);
	}
	return finish(run_verb(argc - 1, argv + 1));
}
