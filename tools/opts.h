/* SPDX-License-Identifier: MIT */
/*
 * What all verbs share: the command table's row, options as tables, messages, exit codes.
 *
 *	enum { OPT_OUT = 1, OPT_ALL };
 *	static const struct opt record_opts[] = {
 *		{ OPT_OUT, 'o', "output", "FILE", "write the capture to FILE" },
 *		{ OPT_ALL, 'a', "all", NULL, "the whole machine" },
 *		{ 0 }
 *	};
 *	const struct verb verb_record = {
 *		.name = "record", .summary = "record system calls to a file",
 *		.usage = "[OPTION...] [-- CMD ARG...]", .opts = record_opts, .run = record_run,
 *		.examples = "  scap record -a -o x.scapz\n",
 *	};
 *
 *	opt_init(&p, &verb_record, argc, argv);
 *	while ((id = opt_next(&p)) > 0)
 *		switch (id) {
 *		case OPT_OUT: out = p.arg; break;
 *		case OPT_OPERAND: ...p.arg...; break;
 *		}
 *	if (id < 0)
 *		return TOOL_USAGE;
 *	(p.rest, p.n_rest is what stood behind "--")
 *
 * -h and --help never reach a verb. Options and operands mix freely. A word such as -13 is an
 * operand: no option is a digit.
 */
#ifndef SCAP_TOOLS_OPTS_H
#define SCAP_TOOLS_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes, the same for all verbs; man pages list them. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_USAGE = 1,		/* the command line is wrong */
	TOOL_FAILED = 2,	/* could not read, write or attach */
	TOOL_DAMAGED = 3,	/* the file is damaged; what could be read was read */
	TOOL_REFUSED = 3,	/* trigger: scap watch would not, because of a cool-down or limit */
	TOOL_LOST = 4,		/* verify: events are missing */
	TOOL_UNKNOWN = 5,	/* verify: nobody can tell whether events are missing */
	TOOL_UNFIT = 1,		/* doctor: recording will not work here */
};

struct opt {
	int id;			/* 1 and up; 0 ends the table */
	char short_name;	/* 0: none */
	const char *long_name;	/* NULL: none */
	const char *arg;	/* name of the argument in help texts; NULL: takes none */
	const char *help;	/* may hold line ends */
};

struct verb {
	const char *name;
	const char *summary;	/* one line, lower case, no full stop */
	const char *usage;	/* what follows "scap NAME" */
	const char *details;	/* whole lines between usage and options; NULL: none */
	const struct opt *opts;
	const char *examples;	/* whole lines, indented by two blanks */
	const char *exits;	/* what exit codes mean, where there are others or other words */
	int (*run)(int argc, char **argv);	/* argv[0] is the verb; enum tool_exit */
};

#define OPT_OPERAND 10000	/* opt_next: p->arg is an operand */

struct opt_parser {
	const struct verb *verb;
	int argc, i;
	char **argv;
	const char *cluster;	/* what is left of "-abc" */
	const struct opt *opt;	/* the row just delivered */
	const char *arg;	/* its argument, or the operand */
	char **rest;		/* behind "--"; NULL: there was none */
	int n_rest;
};

void opt_init(struct opt_parser *p, const struct verb *verb, int argc, char **argv);
/* A row's id or OPT_OPERAND; 0: end; -1: wrong, and the message was printed. */
int opt_next(struct opt_parser *p);

/* p->arg as a value. False: the message was printed. */
bool opt_u64(const struct opt_parser *p, uint64_t min, uint64_t max, uint64_t *ret);
/* Bytes with an optional suffix K, M, G, T (powers of 1024). */
bool opt_size(const struct opt_parser *p, uint64_t min, uint64_t max, uint64_t *ret);
/* Seconds such as 1.5, or with a unit: ms, s, m, h, d. */
bool opt_duration_ns(const struct opt_parser *p, uint64_t *ret);
/*
 * Bytes kept of data, or CLASS=BYTES,... for some of what data goes through; by class, it is bytes
 * + 1, so that 0 says nothing.
 */
#define SNAPLEN_MOST 65536
#define N_IO_CLASSES 5
extern const char *const io_classes[N_IO_CLASSES];	/* by SCAP_LIVE_IO_* */
bool opt_snaplen(const struct opt_parser *p, uint32_t *ret_all, uint32_t ret_classes[]);

/* The same values from elsewhere: false if it is none, *ret untouched. */
#define SIZE_WANTED "a size such as 4096, 64K or 16M"
#define DURATION_WANTED "a duration such as 30, 1.5s, 200ms or 10m"
bool size_parse(const char *text, uint64_t *ret);
bool duration_parse_ns(const char *text, uint64_t *ret);

/* Whether -h or --help stands before any "--": it wins over all else. */
bool wants_help(int argc, char **argv);
/* Help to standard output. */
void verb_help(const struct verb *verb);

/*
 * "scap VERB: sentence" and a line end to standard error. What a terminal would act on is escaped:
 * names come from anywhere.
 */
void tool_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, of what is no error. */
void tool_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, then "try 'scap VERB --help'"; returns TOOL_USAGE. */
int tool_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct scap_error;
/* What is wrong with a text, and a mark below the column that the library names; false. */
bool tool_bad_text(const char *what, const char *text, const struct scap_error *err);
/* s with such bytes as \xNN, in buf, cut to cap bytes. */
const char *tool_shown(const char *s, char *buf, size_t cap);
/* Whether that is s itself. */
bool tool_is_plain(const char *s);
/* Bytes of the character at s if a terminal only shows it; 0: it may act on it. */
unsigned tool_shown_bytes(const unsigned char *s);
/* Bytes of the UTF-8 character at s, 0 if there is none. s[0] is not ASCII. */
unsigned tool_utf8_bytes(const unsigned char *s);
/* Set by main. NULL: no verb yet. */
void tool_set_verb(const char *name);

/* The word nearest to `word` among those tried, if any is near enough to be meant. */
struct nearest {
	const char *word, *best;
	unsigned distance;
};
void nearest_init(struct nearest *n, const char *word);
void nearest_try(struct nearest *n, const char *candidate);
const char *nearest_get(const struct nearest *n);	/* NULL: none */

/* --color auto|always|never for descriptor fd, NO_COLOR heeded. False: no such word (printed). */
bool tool_color(const struct opt_parser *p, const char *when, int fd, bool *ret_color);

#endif
