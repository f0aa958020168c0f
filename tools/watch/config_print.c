/* SPDX-License-Identifier: MIT */
/* A configuration as YAML. */
#include "watch/config_part.h"

#include <string.h>

#include "opts.h"

static void print_size(uint64_t v, FILE *out)
{
	char buf[SHOW_BYTES];

	fputs(show_size(v, buf), out);
}

static void print_duration(uint64_t ns, FILE *out)
{
	char buf[SHOW_BYTES];

	fputs(show_duration(ns, buf), out);
}

static uint32_t code_point(const unsigned char *s, unsigned n)
{
	uint32_t v = s[0] & (0x7f >> n);

	for (unsigned i = 1; i < n; i++)
		v = v << 6 | (s[i] & 0x3f);
	return v;
}

/* What YAML takes for a line's end, or refuses. */
static bool must_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       c == 0xfffe || c == 0xffff;
}

static void print_quoted(const char *text, FILE *out)
{
	const unsigned char *p = (const unsigned char *)text;

	fputc('"', out);
	while (*p) {
		unsigned n = *p < 0x80 ? 1 : tool_utf8_bytes(p);
		uint32_t c = n > 1 ? code_point(p, n) : *p;

		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (!n || must_escape(c))
			fprintf(out, c > 0xff ? "\\u%04x" : "\\x%02x", c);
		else
			fwrite(p, 1, n, out);
		p += n ? n : 1;
	}
	fputc('"', out);
}

/* Quotes are left out where the text can mean nothing else, in [a, b], too. */
static void print_text(const char *text, FILE *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789/._-";
	size_t n = text ? strlen(text) : 0;

	if (!text)
		fputc('~', out);
	else if (n && text[0] != '-' && text[0] != '.' && strspn(text, letters) == n &&
		 strcmp(text, "null"))
		fwrite(text, 1, n, out);
	else
		print_quoted(text, out);
}

static void print_words(char *const *words, FILE *out)
{
	fputc('[', out);
	for (uint32_t i = 0; i < words_count(words); i++) {
		fputs(i ? ", " : "", out);
		print_text(words[i], out);
	}
	fputc(']', out);
}

static void print_calls(const char *calls, FILE *out)
{
	fputc('[', out);
	for (const char *p = calls ? calls : ""; *p; p++)
		if (*p == ',')
			fputs(", ", out);
		else
			fputc(*p, out);
	fputc(']', out);
}

static void print_snaplen(const struct watch_config *c, FILE *out)
{
	fputs("{default: ", out);
	if (c->snaplen == UINT32_MAX)
		fputc('~', out);
	else
		print_size(c->snaplen, out);
	for (unsigned i = 0; i < N_IO_CLASSES; i++)
		if (c->snaplens[i]) {
			fprintf(out, ", %s: ", io_classes[i]);
			print_size(c->snaplens[i] - 1, out);
		}
	fputc('}', out);
}

static void print_value(const void *base, const struct key *key, FILE *out)
{
	const void *slot = (const char *)base + key->offset;

	switch (key->kind) {
	case KEY_SIZE:
	case KEY_RING:
		print_size(*(const uint64_t *)slot, out);
		break;
	case KEY_DURATION:
		print_duration(*(const uint64_t *)slot, out);
		break;
	case KEY_NUMBER:
		fprintf(out, "%u", *(const uint32_t *)slot);
		break;
	case KEY_BOOL:
		fputs(*(const bool *)slot ? "true" : "false", out);
		break;
	case KEY_MODE:
		fprintf(out, "%04o", *(const uint32_t *)slot);
		break;
	case KEY_WORDS:
		print_words(*(char *const *const *)slot, out);
		break;
	case KEY_CALLS:
		print_calls(*(const char *const *)slot, out);
		break;
	case KEY_SNAPLEN:
		print_snaplen(base, out);
		break;
	case KEY_SOURCE:
		fputs(trigger_sources[*(const enum trigger_source *)slot], out);
		break;
	default:
		print_text(*(const char *const *)slot, out);
	}
}

/* ---- triggers ------------------------------------------------------------------------------- */

/* Whether a key says anything of this one. */
static bool is_said(const struct trigger_reading *r, const struct key *key)
{
	if (key->kind == KEY_BUILTIN)
		return r->builtin;
	if (key->offset == offsetof(struct trigger_reading, t.filter))
		return r->t.filter;
	if (key->offset == offsetof(struct trigger_reading, t.count) ||
	    key->offset == offsetof(struct trigger_reading, t.within_ns))
		return r->t.count > 1;
	return true;
}

static void print_trigger(const struct trigger_config *t, const char *between, FILE *out)
{
	/* The other built-in ones are filters. */
	struct trigger_reading r = { *t, t->http_5xx ? "http-5xx" : NULL };
	bool first = true;

	for (const struct key *k = trigger_keys; k->path; k++) {
		if (!is_said(&r, k))
			continue;
		fprintf(out, "%s%s: ", first ? "" : between, k->path);
		print_value(&r, k, out);
		first = false;
	}
}

void config_print_trigger(const struct trigger_config *t, FILE *out)
{
	print_trigger(t, ", ", out);
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Headings of the sections that path is in and the key before it was not; how deep it lies. */
static unsigned print_headings(const char *before, const char *path, FILE *out)
{
	unsigned depth = 0;
	bool same = true;

	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1, depth++) {
		size_t n = (size_t)(dot - path) + 1;

		same = same && !strncmp(before, path, n);
		if (same)
			before += n;
		else
			fprintf(out, "%*s%.*s:\n", 2 * (int)depth, "", (int)n - 1, path);
	}
	return depth;
}

static const char *last_word(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

void config_print(const struct watch_config *c, FILE *out)
{
	const char *before = "";

	for (const struct key *k = config_keys; k->path; k++) {
		unsigned depth = print_headings(before, k->path, out);

		fprintf(out, "%*s%s: ", 2 * (int)depth, "", last_word(k->path));
		print_value(c, k, out);
		fputc('\n', out);
		before = k->path;
	}
	fputs("triggers:\n", out);
	for (uint32_t i = 0; i < c->n_triggers; i++) {
		fputs("  - ", out);
		print_trigger(&c->triggers[i], "\n    ", out);
		fputc('\n', out);
	}
}
