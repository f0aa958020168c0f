/* SPDX-License-Identifier: MIT */
/* The command line of `scap record`. */
#include "opts.h"
#include "record.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_OUTPUT = 1, OPT_SNAPLEN, OPT_RING, OPT_DURATION, OPT_EVENTS, OPT_MAX_SIZE, OPT_PID,
	OPT_CGROUP, OPT_SYSCALL, OPT_ALL, OPT_FORCE, OPT_QUIET, OPT_JSON, OPT_ARGV,
	OPT_ENV, OPT_SCHED, OPT_FAULTS, OPT_FSYNC, OPT_ROTATE_SIZE, OPT_ROTATE_TIME,
	OPT_ROTATE_EVENTS, OPT_KEEP,
};

const struct opt record_opts[] = {
	{ OPT_ALL, 'a', "all", NULL, "the whole machine" },
	{ OPT_PID, 0, "pid", "PID,...", "these processes and all that descends from them" },
	{ OPT_CGROUP, 0, "cgroup", "PATH", "only what runs below this cgroup; may be repeated" },
	{ OPT_SYSCALL, 0, "syscall", "NAME,...",
	  "only these system calls; and forks, execs, exits, signals and\n"
	  "changes of identity, which are always recorded" },
	{ OPT_OUTPUT, 'o', "output", "FILE",
	  "default ./scap-DATE-TIME.scapz; - is standard output (the\n"
	  "command's goes to standard error then); /dev/null encodes and\n"
	  "throws away; none only empties the rings" },
	{ OPT_FORCE, 0, "force", NULL, "overwrite FILE" },
	{ OPT_SNAPLEN, 's', "snaplen", "BYTES",
	  "of data kept per read, write, ... (80); CLASS=BYTES,... for\n"
	  "some of file, pipe, socket, tty, other" },
	{ OPT_ARGV, 0, "argv", "BYTES", "of a new program's arguments kept (128K, the most)" },
	{ OPT_ENV, 0, "env", "BYTES", "of its environment kept, at most 32K (0)" },
	{ OPT_SCHED, 0, "sched", NULL, "context switches and wake-ups, too" },
	{ OPT_FAULTS, 0, "faults", NULL, "page faults, too" },
	{ OPT_RING, 0, "ring", "BYTES", "per CPU, a power of two from 64K to 1G (8M)" },
	{ OPT_DURATION, 'd', "duration", "TIME", "stop after 30, 1.5s, 10m, ..." },
	{ OPT_EVENTS, 'n', "events", "N", "stop when N events are recorded, or soon after" },
	{ OPT_MAX_SIZE, 0, "max-size", "BYTES",
	  "stop when FILE is about that large, or all files together are" },
	{ OPT_ROTATE_SIZE, 0, "rotate-size", "BYTES",
	  "go on in another file when this one is that large, or soon\n"
	  "after; files are called FILE-000001, FILE-000002, ... with the\n"
	  "number before the extension, and each can be read by itself" },
	{ OPT_ROTATE_TIME, 0, "rotate-time", "TIME", "the same after this time" },
	{ OPT_ROTATE_EVENTS, 0, "rotate-events", "N", "the same after N events" },
	{ OPT_KEEP, 0, "keep", "N", "only the last N of these files: older ones are deleted" },
	{ OPT_FSYNC, 0, "fsync", NULL, "wait for the disk: a power cut loses a second at most" },
	{ OPT_QUIET, 'q', "quiet", NULL, "say nothing unless it fails" },
	{ OPT_JSON, 'j', "json", NULL,
	  "the closing report as a JSON object on standard output; with\n"
	  "--rotate-... one for each file, too, when it is closed" },
	{ 0 }
};

static bool add_pids(struct record_options *opt, const char *text)
{
	uint32_t *more;
	char *end;

	for (const char *p = text;; p = end + 1) {
		unsigned long pid;

		errno = 0;
		pid = isdigit((unsigned char)*p) ? strtoul(p, &end, 10) : 0;
		if (!pid || errno || pid > INT32_MAX || (*end && *end != ',')) {
			tool_usage("option --pid: '%s' is not a list of process numbers", text);
			return false;
		}
		more = realloc(opt->pids, (opt->n_pids + 1) * sizeof(*more));
		if (!more) {
			tool_error("no memory");
			return false;
		}
		opt->pids = more;
		opt->pids[opt->n_pids++] = (uint32_t)pid;
		if (!*end)
			return true;
	}
}

static bool set_bytes(const struct opt_parser *p, uint64_t least, uint64_t most, uint32_t *ret)
{
	uint64_t v;

	if (!opt_size(p, least, most, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool add_cgroup(struct record_options *opt, const char *path)
{
	const char **more = realloc(opt->cgroups, (opt->n_cgroups + 1) * sizeof(*more));

	if (!more) {
		tool_error("no memory");
		return false;
	}
	opt->cgroups = more;
	opt->cgroups[opt->n_cgroups++] = path;
	return true;
}

static bool set_ring(const struct opt_parser *p, struct record_options *opt)
{
	if (!opt_size(p, 64 << 10, 1 << 30, &opt->ring_bytes))
		return false;
	if (opt->ring_bytes & (opt->ring_bytes - 1)) {
		tool_usage("option --ring: '%s' is not a power of two", p->arg);
		return false;
	}
	return true;
}

/* A filter often comes as several words: all up to the next option, joined by blanks. */
static void join_operands(const struct opt_parser *p, char *buf, size_t cap)
{
	size_t n = snprintf(buf, cap, "%s", p->arg);

	for (int i = p->i; i < p->argc && n < cap; i++) {
		const char *word = p->argv[i];

		if (word[0] == '-' && !isdigit((unsigned char)word[1]))
			break;
		n += snprintf(buf + n, cap - n, " %s", word);
	}
}

static bool is_filter(const char *word)
{
	return strpbrk(word, "=<>! ") || (strchr(word, '.') && !strchr(word, '/'));
}

static bool refuse_operand(const struct opt_parser *p)
{
	const char *word = p->arg;
	char words[1024];

	join_operands(p, words, sizeof(words));
	if (is_filter(word))
		tool_usage("everything chosen is recorded; filter when reading: "
			   "scap read FILE %c%s%c", strchr(words, '\'') ? '"' : '\'', words,
			   strchr(words, '\'') ? '"' : '\'');
	else
		tool_usage("what is '%s'? a command stands behind --, as in: scap record -- %s; "
			   "a filter is for reading: scap read FILE 'evt.type=open'", word, words);
	return false;
}

static bool set_calls(const struct opt_parser *p, struct record_options *opt)
{
	size_t n = strlen(p->arg);

	if (!n || p->arg[0] == ',' || p->arg[n - 1] == ',' || strstr(p->arg, ",,")) {
		tool_usage("option --syscall: there is an empty name in '%s'", p->arg);
		return false;
	}
	opt->calls = p->arg;
	return true;
}

static bool set_rotate_time(const struct opt_parser *p, struct record_options *opt)
{
	if (!opt_duration_ns(p, &opt->rotate_ns))
		return false;
	if (!opt->rotate_ns)
		tool_usage("option --rotate-time: a file cannot end at once");
	return opt->rotate_ns;
}

static bool set_option(int id, const struct opt_parser *p, struct record_options *opt)
{
	switch (id) {
	case OPT_OUTPUT:
		opt->output = p->arg;
		return true;
	case OPT_SNAPLEN:
		return opt_snaplen(p, &opt->snaplen, opt->snaplens);
	case OPT_ARGV:
		return set_bytes(p, 1, 128 << 10, &opt->argv_max);
	case OPT_ENV:
		return set_bytes(p, 0, 32 << 10, &opt->env_max);
	case OPT_SCHED:
		return opt->classes |= SCAP_LIVE_SCHED;
	case OPT_FAULTS:
		return opt->classes |= SCAP_LIVE_FAULT;
	case OPT_RING:
		return set_ring(p, opt);
	case OPT_DURATION:
		return opt_duration_ns(p, &opt->duration_ns);
	case OPT_EVENTS:
		return opt_u64(p, 1, UINT64_MAX, &opt->max_events);
	case OPT_MAX_SIZE:
		return opt_size(p, 1, UINT64_MAX, &opt->max_bytes);
	case OPT_ROTATE_SIZE:
		return opt_size(p, 1, UINT64_MAX, &opt->rotate_bytes);
	case OPT_ROTATE_TIME:
		return set_rotate_time(p, opt);
	case OPT_ROTATE_EVENTS:
		return opt_u64(p, 1, UINT64_MAX, &opt->rotate_events);
	case OPT_KEEP:
		return opt_u64(p, 1, UINT32_MAX, &opt->keep);
	case OPT_PID:
		return add_pids(opt, p->arg);
	case OPT_CGROUP:
		return add_cgroup(opt, p->arg);
	case OPT_SYSCALL:
		return set_calls(p, opt);
	case OPT_ALL:
		return opt->all = true;
	case OPT_FSYNC:
		return opt->fsync = true;
	case OPT_FORCE:
		return opt->force = true;
	case OPT_QUIET:
		return opt->quiet = true;
	case OPT_JSON:
		return opt->json = true;
	default:
		return refuse_operand(p);
	}
}

static bool check_options(const struct record_options *opt)
{
	int n = !!opt->argv + !!opt->n_pids + opt->all;

	if (n > 1)
		tool_usage("only one of a command, --pid and -a is possible");
	else if (!n && !opt->n_cgroups)
		tool_usage("what is to be recorded? a command behind --, --pid PID, or -a for the "
			   "whole machine");
	else if (opt->keep && !record_rotates(opt))
		tool_usage("--keep is for several files: --rotate-size, --rotate-time or "
			   "--rotate-events");
	else if (opt->output && !*opt->output)
		tool_usage("option --output: an empty name");
	else if (opt->json && opt->output && !strcmp(opt->output, "-"))
		tool_usage("--json and the capture cannot both go to standard output");
	else if (opt->output && !strcmp(opt->output, "-") && isatty(STDOUT_FILENO))
		tool_usage("a capture is not for a terminal: name a file with -o, or use a pipe");
	else
		return true;
	return false;
}

bool record_parse(const struct verb *verb, int argc, char **argv, struct record_options *opt)
{
	struct opt_parser p;
	int id;

	opt->snaplen = SCAP_LIVE_SNAPLEN_DEFAULT;
	opt_init(&p, verb, argc, argv);
	while ((id = opt_next(&p)) > 0)
		if (!set_option(id, &p, opt))
			return false;
	if (id < 0)
		return false;
	if (p.rest && !p.n_rest) {
		tool_usage("a command must follow --");
		return false;
	}
	opt->argv = p.rest;
	return check_options(opt);
}
