/* SPDX-License-Identifier: MIT */
#include "opts.h"

#include <scap/error.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *current_verb;

void tool_set_verb(const char *name)
{
	current_verb = name;
}

/* ---- messages ----------------------------------------------------------------------------- */

unsigned tool_utf8_bytes(const unsigned char *s)
{
	unsigned n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;

	if (s[0] >= 0xf5)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies behind the last character. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

unsigned tool_shown_bytes(const unsigned char *s)
{
	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	if (s[0] == 0xc2 && s[1] < 0xa0)	/* the other 32 control characters */
		return 0;
	return tool_utf8_bytes(s);
}

const char *tool_shown(const char *s, char *buf, size_t cap)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t used = 0;

	while (*p && used + 5 <= cap) {
		unsigned n = tool_shown_bytes(p);

		memcpy(buf + used, p, n);
		used += n ? n : (unsigned)snprintf(buf + used, cap - used, "\\x%02x", *p);
		p += n ? n : 1;
	}
	buf[used] = 0;
	return buf;
}

bool tool_is_plain(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p && tool_shown_bytes(p))
		p += tool_shown_bytes(p);
	return !*p;
}

static void verror(const char *fmt, va_list ap)
{
	char text[2048], shown[4 * sizeof(text) + 1];

	/* One write, so that lines of several processes do not mix. */
	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "scap%s%s: %s\n", current_verb ? " " : "", current_verb ?: "",
		tool_shown(text, shown, sizeof(shown)));
}

void tool_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verror(fmt, ap);
	va_end(ap);
}

void tool_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verror(fmt, ap);
	va_end(ap);
}

int tool_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verror(fmt, ap);
	va_end(ap);
	fprintf(stderr, "try 'scap %s%s--help'\n", current_verb ?: "", current_verb ? " " : "");
	return TOOL_USAGE;
}

/* ---- the nearest word ------------------------------------------------------------------- */

#define WORD_MAX 64

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b. */
static unsigned edit_distance(const char *a, const char *b)
{
	size_t na = strnlen(a, WORD_MAX), nb = strnlen(b, WORD_MAX);
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		last[j] = j;
	for (size_t i = 1; i <= na; i++) {
		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[nb];
}

void nearest_init(struct nearest *n, const char *word)
{
	*n = (struct nearest){ .word = word, .distance = UINT32_MAX };
}

void nearest_try(struct nearest *n, const char *candidate)
{
	unsigned d = edit_distance(n->word, candidate);
	size_t len = strlen(n->word);

	/* A beginning is near, however much is missing: "stat" for "status". */
	if (len >= 2 && !strncmp(n->word, candidate, len))
		d = 1;
	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *nearest_get(const struct nearest *n)
{
	size_t len = strlen(n->word);

	return n->best && n->distance <= 1 + len / 4 && n->distance < len ? n->best : NULL;
}

/* ---- options ------------------------------------------------------------------------------ */

void opt_init(struct opt_parser *p, const struct verb *verb, int argc, char **argv)
{
	*p = (struct opt_parser){ .verb = verb, .argc = argc, .argv = argv, .i = 1 };
}

static const struct opt *find_short(const struct verb *verb, char c)
{
	for (const struct opt *o = verb->opts; o && o->id; o++)
		if (o->short_name == c)
			return o;
	return NULL;
}

static const struct opt *find_long(const struct verb *verb, const char *name, size_t len)
{
	for (const struct opt *o = verb->opts; o && o->id; o++)
		if (o->long_name && strlen(o->long_name) == len && !memcmp(o->long_name, name, len))
			return o;
	return NULL;
}

static int unknown_long(const struct verb *verb, const char *name, size_t len)
{
	char word[WORD_MAX];
	struct nearest n;
	const char *best;

	snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_MAX ? len : WORD_MAX - 1), name);
	nearest_init(&n, word);
	for (const struct opt *o = verb->opts; o && o->id; o++)
		if (o->long_name)
			nearest_try(&n, o->long_name);
	nearest_try(&n, "help");
	best = nearest_get(&n);
	if (best)
		tool_usage("unknown option --%s; did you mean --%s?", word, best);
	else
		tool_usage("unknown option --%s", word);
	return -1;
}

/* An argument that is a word of its own. */
static int take_argument(struct opt_parser *p, const char *shown)
{
	if (p->i >= p->argc) {
		tool_usage("option %s needs an argument: %s", shown, p->opt->arg);
		return -1;
	}
	p->arg = p->argv[p->i++];
	return p->opt->id;
}

static int next_short(struct opt_parser *p)
{
	char c = *p->cluster++;
	char shown[3] = { '-', c, 0 };

	p->opt = find_short(p->verb, c);
	if (!p->opt) {
		tool_usage("unknown option -%c", isprint((unsigned char)c) ? c : '?');
		return -1;
	}
	p->arg = NULL;
	if (!p->opt->arg)
		return p->opt->id;
	if (*p->cluster) {
		p->arg = p->cluster;
		p->cluster = NULL;
		return p->opt->id;
	}
	return take_argument(p, shown);
}

static int next_long(struct opt_parser *p, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);

	p->opt = find_long(p->verb, name, len);
	if (!p->opt)
		return unknown_long(p->verb, name, len);
	p->arg = NULL;
	if (!p->opt->arg && equals) {
		tool_usage("option --%s takes no argument", p->opt->long_name);
		return -1;
	}
	if (!p->opt->arg)
		return p->opt->id;
	if (equals) {
		p->arg = equals + 1;
		return p->opt->id;
	}
	return take_argument(p, word);
}

int opt_next(struct opt_parser *p)
{
	char *word;

	if (p->cluster && *p->cluster)
		return next_short(p);
	p->cluster = NULL;
	if (p->rest || p->i >= p->argc)
		return 0;
	word = p->argv[p->i++];
	p->opt = NULL;
	p->arg = word;
	if (word[0] != '-' || !word[1] || isdigit((unsigned char)word[1]))
		return OPT_OPERAND;
	if (!strcmp(word, "--")) {
		p->rest = p->argv + p->i;
		p->n_rest = p->argc - p->i;
		return 0;
	}
	if (word[1] == '-')
		return next_long(p, word);
	p->cluster = word + 1;
	return next_short(p);
}

/* ---- values --------------------------------------------------------------------------------- */

static bool bad_value(const struct opt_parser *p, const char *wanted)
{
	char name[WORD_MAX];

	if (p->opt && p->opt->long_name)
		snprintf(name, sizeof(name), "--%s", p->opt->long_name);
	else
		snprintf(name, sizeof(name), "-%c", p->opt ? p->opt->short_name : '?');
	tool_usage("option %s: '%s' is not %s", name, p->arg, wanted);
	return false;
}

static bool parse_u64(const char *text, uint64_t *ret, const char **ret_end)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	*ret_end = end;
	return !errno;
}

static bool in_range(const struct opt_parser *p, uint64_t v, uint64_t min, uint64_t max)
{
	char wanted[96];

	if (v >= min && v <= max)
		return true;
	snprintf(wanted, sizeof(wanted), "between %llu and %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return bad_value(p, wanted);
}

bool opt_u64(const struct opt_parser *p, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;

	if (!parse_u64(p->arg, &v, &end) || *end)
		return bad_value(p, "a whole number");
	if (!in_range(p, v, min, max))
		return false;
	*ret = v;
	return true;
}

bool size_parse(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMGT";
	const char *end, *suffix;
	unsigned shift = 0;
	uint64_t v;

	if (!parse_u64(text, &v, &end))
		return false;
	suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
	if (suffix) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		end++;
	}
	if (*end || v << shift >> shift != v)
		return false;
	*ret = v << shift;
	return true;
}

bool opt_size(const struct opt_parser *p, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;

	if (!size_parse(p->arg, &v))
		return bad_value(p, SIZE_WANTED);
	if (!in_range(p, v, min, max))
		return false;
	*ret = v;
	return true;
}

bool duration_parse_ns(const char *text, uint64_t *ret)
{
	static const struct { const char *unit; double seconds; } units[] = {
		{ "", 1 }, { "s", 1 }, { "ms", 1e-3 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 },
	};
	char *end;
	double v;

	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return false;
	v = strtod(text, &end);
	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		v *= units[i].seconds;
		if (!(v >= 0 && v < 1e9))
			break;
		*ret = (uint64_t)(v * 1e9 + 0.5);
		return true;
	}
	return false;
}

bool opt_duration_ns(const struct opt_parser *p, uint64_t *ret)
{
	return duration_parse_ns(p->arg, ret) || bad_value(p, DURATION_WANTED);
}

const char *const io_classes[N_IO_CLASSES] = { "file", "pipe", "socket", "tty", "other" };

bool opt_snaplen(const struct opt_parser *p, uint32_t *ret_all, uint32_t ret_classes[])
{
	char words[128], *word, *rest = words, *value;
	struct opt_parser part = *p;
	uint64_t v;

	if (strlen(p->arg) >= sizeof(words)) {
		tool_usage("option --snaplen: '%s' is too long", p->arg);
		return false;
	}
	strcpy(words, p->arg);
	while ((word = strsep(&rest, ","))) {
		int k = 0;

		value = strchr(word, '=');
		if (value)
			*value++ = 0;
		while (value && k < N_IO_CLASSES && strcmp(word, io_classes[k]))
			k++;
		if (k == N_IO_CLASSES) {
			tool_usage("option --snaplen: '%s' is none of file, pipe, socket, tty, "
				   "other", word);
			return false;
		}
		part.arg = value ? value : word;
		if (!opt_size(&part, 0, SNAPLEN_MOST, &v))
			return false;
		if (value)
			ret_classes[k] = (uint32_t)v + 1;
		else
			*ret_all = (uint32_t)v;
	}
	return true;
}

bool tool_color(const struct opt_parser *p, const char *when, int fd, bool *ret_color)
{
	const char *no_color = getenv("NO_COLOR");

	if (!strcmp(when, "auto"))
		*ret_color = isatty(fd) && !(no_color && *no_color);
	else if (!strcmp(when, "always") || !strcmp(when, "never"))
		*ret_color = when[0] == 'a';
	else
		return bad_value(p, "auto, always or never");
	return true;
}

/* ---- help ------------------------------------------------------------------------------------ */

bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return true;
	return false;
}

static void print_opt(char short_name, const char *long_name, const char *arg, const char *help)
{
	char left[WORD_MAX];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%s%s%s%s%s", short_name ? '-' : ' ',
		     short_name ? short_name : ' ', short_name && long_name ? "," : " ",
		     long_name ? " --" : "", long_name ?: "", arg ? " " : "", arg ?: "");
	printf("%s%*s", left, n < 26 ? 26 - n : 1, "");
	for (; *help; help++) {
		putchar(*help);
		if (*help == '\n')
			printf("%26s", "");
	}
	putchar('\n');
}

void verb_help(const struct verb *verb)
{
	printf("usage: scap %s %s\n\n%s\n", verb->name, verb->usage, verb->summary);
	if (verb->details)
		printf("\n%s", verb->details);
	printf("\noptions:\n");
	for (const struct opt *o = verb->opts; o && o->id; o++)
		print_opt(o->short_name, o->long_name, o->arg, o->help);
	print_opt('h', "help", NULL, "this text");
	if (verb->examples)
		printf("\nexamples:\n%s", verb->examples);
	printf("\nexit status: %s\n", verb->exits ?: "0 ok, 1 wrong usage, 2 could not read, write "
	       "or attach, 3 file damaged");
}

bool tool_bad_text(const char *what, const char *text, const struct scap_error *err)
{
	if (err->offset == SCAP_NO_OFFSET || err->offset < 1 || err->offset > strlen(text) + 1) {
		tool_error("%s: %s", what, err->text);
		return false;
	}
	tool_error("%s, column %" PRIu64 ": %s", what, err->offset, err->text);
	if (strlen(text) < 200 && tool_is_plain(text))
		fprintf(stderr, "  %s\n  %*s^\n", text, (int)err->offset - 1, "");
	return false;
}
