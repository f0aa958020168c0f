/* SPDX-License-Identifier: MIT */
/*
 * The tokens of the filter language. What a text means depends on where it stands (a bare word may
 * look like a keyword), so the parser asks for what it expects and the cursor moves only if that
 * is there.
 */
#ifndef SCAP_FILTER_LEX_H
#define SCAP_FILTER_LEX_H

#include <scap/error.h>
#include <stdbool.h>
#include <stddef.h>

struct scap__cursor {
	const char *text;
	size_t n;
	size_t pos;
};

struct scap__field_token {
	const char *name, *arg;		/* arg NULL: no brackets */
	size_t n_name, n_arg;
	size_t column, arg_column;
};

/* Skips blanks; whether there were any. */
bool scap__lex_blank(struct scap__cursor *c);
/* Moves over exactly this text. */
bool scap__lex_text(struct scap__cursor *c, const char *text);
bool scap__lex_is_blank(const struct scap__cursor *c, size_t pos);
/* Lengths of the token at the cursor, which stays; 0: it is another. */
size_t scap__lex_ident_len(const struct scap__cursor *c);
size_t scap__lex_fieldname_len(const struct scap__cursor *c);
size_t scap__lex_word_len(const struct scap__cursor *c);
/* A number in decimal, or in hex behind 0x. */
size_t scap__lex_number_len(const struct scap__cursor *c);
/* The name of a transformer with its opening parenthesis behind it. */
size_t scap__lex_transformer_len(const struct scap__cursor *c);

/*
 * A quoted string: its content without escapes goes to out, which has room for the rest of the
 * text. The cursor stands on the quote.
 */
int scap__lex_quoted(struct scap__cursor *c, char *out, size_t *ret_n, struct scap_error *err);
/* FIELDNAME [ARG]. */
int scap__lex_field(struct scap__cursor *c, struct scap__field_token *ret_t,
		    struct scap_error *err);

static inline size_t scap__lex_column(const struct scap__cursor *c)
{
	return c->pos + 1;
}

static inline int scap__lex_peek(const struct scap__cursor *c)
{
	return c->pos < c->n ? (unsigned char)c->text[c->pos] : -1;
}

#endif
