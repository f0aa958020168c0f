/* SPDX-License-Identifier: MIT */
#include "filter/lex.h"

#include <string.h>

#include "filter/suggest.h"

/* No isalpha() and friends: they know locales. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool scap__lex_is_blank(const struct scap__cursor *c, size_t pos)
{
	return pos < c->n && is_blank(c->text[pos]);
}

bool scap__lex_blank(struct scap__cursor *c)
{
	size_t start = c->pos;

	while (scap__lex_is_blank(c, c->pos))
		c->pos++;
	return c->pos > start;
}

bool scap__lex_text(struct scap__cursor *c, const char *text)
{
	size_t n = strlen(text);

	if (c->n - c->pos < n || memcmp(c->text + c->pos, text, n))
		return false;
	c->pos += n;
	return true;
}

static size_t ident_end(const struct scap__cursor *c, size_t pos)
{
	if (pos >= c->n || !is_letter(c->text[pos]))
		return pos;
	while (pos < c->n &&
	       (is_letter(c->text[pos]) || is_digit(c->text[pos]) || c->text[pos] == '_'))
		pos++;
	return pos;
}

size_t scap__lex_ident_len(const struct scap__cursor *c)
{
	return ident_end(c, c->pos) - c->pos;
}

size_t scap__lex_fieldname_len(const struct scap__cursor *c)
{
	size_t pos = ident_end(c, c->pos), dots = 0;

	while (pos > c->pos && pos < c->n && c->text[pos] == '.') {
		size_t end = ident_end(c, pos + 1);

		if (end == pos + 1)
			break;
		pos = end;
		dots++;
	}
	return dots ? pos - c->pos : 0;
}

size_t scap__lex_word_len(const struct scap__cursor *c)
{
	size_t pos = c->pos;

	while (pos < c->n && !is_blank(c->text[pos]) && !strchr("()\"'=,", c->text[pos]))
		pos++;
	return pos - c->pos;
}

static size_t digits_end(const struct scap__cursor *c, size_t pos)
{
	while (pos < c->n && is_digit(c->text[pos]))
		pos++;
	return pos;
}

static size_t hex_len(const struct scap__cursor *c)
{
	size_t pos = c->pos + 2;

	if (c->n - c->pos < 3 || c->text[c->pos] != '0' || (c->text[c->pos + 1] | 0x20) != 'x')
		return 0;
	while (pos < c->n && hex_value(c->text[pos]) >= 0)
		pos++;
	return pos > c->pos + 2 ? pos - c->pos : 0;
}

size_t scap__lex_number_len(const struct scap__cursor *c)
{
	size_t start = c->pos, pos, end;

	if (hex_len(c))
		return hex_len(c);
	if (start < c->n && (c->text[start] == '-' || c->text[start] == '+'))
		start++;
	pos = digits_end(c, start);
	if (pos == start)
		return 0;
	if (pos < c->n && c->text[pos] == '.')
		pos = digits_end(c, pos + 1);
	if (pos + 1 < c->n && (c->text[pos] | 0x20) == 'e' &&
	    (c->text[pos + 1] == '-' || c->text[pos + 1] == '+')) {
		end = digits_end(c, pos + 2);
		if (end > pos + 2)
			pos = end;
	}
	return pos - c->pos;
}

size_t scap__lex_transformer_len(const struct scap__cursor *c)
{
	static const char *const names[] = { "tolower(", "toupper(", "b64(", "basename(", "len(",
					     "join(", "concat(", "getopt(", "val(" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);

		if (c->n - c->pos >= n && !memcmp(c->text + c->pos, names[i], n))
			return n;
	}
	return 0;
}

/* ---- quoted strings -------------------------------------------------------------------------- */

/*
 * Position of the closing quote. Only the byte before it is looked at: a string whose last byte is
 * an escaped backslash goes on, as in the language that this one follows.
 */
static int find_close(const struct scap__cursor *c, size_t *ret_end, struct scap_error *err)
{
	char quote = c->text[c->pos];

	for (size_t i = c->pos + 1; i < c->n; i++) {
		if (c->text[i] == quote && c->text[i - 1] != '\\') {
			*ret_end = i;
			return 0;
		}
	}
	return scap__syntax_error(err, c->pos + 1, "this quoted string has no end");
}

static int simple_escape(char c, char quote)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case '\\':
	case '/':
		return c;
	default:
		if (is_blank(c))
			return '\\';
		return c == quote ? c : -1;
	}
}

/* One escape at text[pos] (a backslash), before end; returns its length, or 0 on error. */
static size_t unescape(const struct scap__cursor *c, size_t pos, size_t end, char quote,
		       char *ret_c)
{
	int value;

	if (pos + 1 >= end)
		return 0;
	if (c->text[pos + 1] == 'x') {
		if (pos + 3 >= end || hex_value(c->text[pos + 2]) < 0 ||
		    hex_value(c->text[pos + 3]) < 0)
			return 0;
		*ret_c = (char)(hex_value(c->text[pos + 2]) << 4 | hex_value(c->text[pos + 3]));
		return 4;
	}
	value = simple_escape(c->text[pos + 1], quote);
	if (value < 0)
		return 0;
	*ret_c = (char)value;
	return 2;
}

int scap__lex_quoted(struct scap__cursor *c, char *out, size_t *ret_n, struct scap_error *err)
{
	char quote = c->text[c->pos];
	size_t end, n = 0;
	int rc = find_close(c, &end, err);

	if (rc < 0)
		return rc;
	for (size_t i = c->pos + 1; i < end;) {
		size_t used = 1;

		if (c->text[i] == '\\') {
			used = unescape(c, i, end, quote, &out[n]);
			if (!used)
				return scap__syntax_error(err, i + 1, "unknown escape: known are "
					"\\b \\f \\n \\r \\t \\\\ \\/ \\%c \\xHH", quote);
		} else {
			out[n] = c->text[i];
		}
		n++;
		i += used;
	}
	c->pos = end + 1;
	*ret_n = n;
	return 0;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static size_t argword_len(const struct scap__cursor *c)
{
	size_t pos = c->pos;

	while (pos < c->n && !is_blank(c->text[pos]) && !strchr("[]\"'", c->text[pos]))
		pos++;
	return pos - c->pos;
}

/* What stands in the brackets; a quoted one is taken as it is (no argument needs escapes). */
static int lex_field_arg(struct scap__cursor *c, struct scap__field_token *t,
			 struct scap_error *err)
{
	int quote = scap__lex_peek(c);
	size_t end;

	t->arg_column = scap__lex_column(c);
	if (quote == '"' || quote == '\'') {
		int rc = find_close(c, &end, err);

		if (rc < 0)
			return rc;
		t->arg = c->text + c->pos + 1;
		t->n_arg = end - c->pos - 1;
		c->pos = end + 1;
	} else {
		t->arg = c->text + c->pos;
		t->n_arg = argword_len(c);
		c->pos += t->n_arg;
		if (!t->n_arg)
			return scap__syntax_error(err, scap__lex_column(c),
						  "expected an argument in the brackets");
	}
	if (!scap__lex_text(c, "]"))
		return scap__syntax_error(err, scap__lex_column(c), "expected ']'");
	return 0;
}

int scap__lex_field(struct scap__cursor *c, struct scap__field_token *ret_t,
		    struct scap_error *err)
{
	struct scap__field_token t = { .column = scap__lex_column(c) };

	t.n_name = scap__lex_fieldname_len(c);
	t.name = c->text + c->pos;
	if (!t.n_name) {
		char shown[4 * SCAP__SHOWN_MAX + 8];
		size_t n = scap__lex_ident_len(c);

		if (!n)
			return scap__syntax_error(err, t.column, "expected a field, such as "
								 "proc.name");
		return scap__syntax_error(err, t.column, "'%s' is not a field: fields have a dot, "
			"such as proc.name (macros are not supported yet)",
			scap__shown(shown, t.name, n));
	}
	c->pos += t.n_name;
	if (scap__lex_text(c, "[")) {
		int rc = lex_field_arg(c, &t, err);

		if (rc < 0)
			return rc;
	}
	*ret_t = t;
	return 0;
}
