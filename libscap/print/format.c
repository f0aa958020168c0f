/* SPDX-License-Identifier: MIT */
/* Formats of the user's own: text with %fields in it. */
#include <stdlib.h>

#include "filter/field.h"
#include "filter/lex.h"
#include "filter/suggest.h"
#include "print/line.h"

#define FORMAT_MAX_BYTES 65536

/* Literal text, then a field (def NULL: none, at the end). */
struct piece {
	size_t start, n;	/* in text */
	struct scap_field field;
};

struct scap_format {
	char *text;		/* with %% already made % */
	struct piece *pieces;
	size_t n_pieces;
};

/* Moves over text up to the next field, copying it to out; returns the number of bytes copied. */
static size_t take_text(struct scap__cursor *c, char *out)
{
	size_t n = 0;

	while (c->pos < c->n) {
		if (c->text[c->pos] == '%') {
			if (c->pos + 1 >= c->n || c->text[c->pos + 1] != '%')
				break;
			c->pos++;
		}
		out[n++] = c->text[c->pos++];
	}
	return n;
}

static int take_field(struct scap__cursor *c, struct scap_field *field, struct scap_error *err)
{
	struct scap__field_token t;
	int rc;

	c->pos++;
	if (!scap__lex_fieldname_len(c))
		return scap__syntax_error(err, scap__lex_column(c), "expected the name of a field "
			"after %%, such as %%proc.name, or %%%% for a percent sign");
	rc = scap__lex_field(c, &t, err);
	if (rc < 0)
		return rc;
	return scap__field_init(field, t.name, t.n_name, t.column, t.arg, t.n_arg, t.arg_column,
				err);
}

static int compile(struct scap_format *f, struct scap__cursor *c, struct scap_error *err)
{
	size_t used = 0;

	while (c->pos < c->n) {
		struct piece *piece = &f->pieces[f->n_pieces++];
		int rc;

		piece->start = used;
		piece->n = take_text(c, f->text + used);
		used += piece->n;
		if (c->pos == c->n)
			break;
		rc = take_field(c, &piece->field, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int scap_format_compile(const char *text, struct scap_format **ret_f, struct scap_error *err)
{
	struct scap__cursor c = { .text = text, .n = strnlen(text, FORMAT_MAX_BYTES + 1) };
	struct scap_format *f;
	size_t n_fields = 0;
	int rc;

	if (c.n > FORMAT_MAX_BYTES)
		return scap__syntax_error(err, FORMAT_MAX_BYTES + 1,
					  "the format is longer than %d bytes", FORMAT_MAX_BYTES);
	for (size_t i = 0; i < c.n; i++)
		n_fields += text[i] == '%';
	f = calloc(1, sizeof(*f));
	if (!f)
		return scap__no_memory(err);
	f->text = malloc(c.n + 1);
	f->pieces = calloc(n_fields + 1, sizeof(*f->pieces));
	rc = f->text && f->pieces ? compile(f, &c, err) : scap__no_memory(err);
	if (rc < 0)
		scap_format_free(f);
	else
		*ret_f = f;
	return rc;
}

/* evt.time is shown in the way that the caller asks for. */
static bool out_moment_field(struct scap__out *o, const struct scap_field *field,
			     const struct scap_event *ev, const struct scap_print_options *opt)
{
	if (strcmp(field->def->name, "evt.time"))
		return false;
	scap__out_moment(o, ev->wall_ns, opt);
	return true;
}

size_t scap_format_print(const struct scap_format *f, const struct scap_event *ev,
			 const struct scap_print_options *opt, char *buf, size_t cap)
{
	struct scap_print_options options;
	struct scap__out o;

	scap__print_options(&options, opt);
	scap__out_init(&o, buf, cap);
	for (size_t i = 0; i < f->n_pieces; i++) {
		const struct piece *piece = &f->pieces[i];

		scap__out_bytes(&o, f->text + piece->start, piece->n);
		if (!piece->field.def || out_moment_field(&o, &piece->field, ev, &options))
			continue;
		if (!scap__out_field(&o, &piece->field, ev, options.utc_offset_s))
			scap__out_lit(&o, "<NA>");
	}
	return scap__out_end(&o);
}

void scap_format_free(struct scap_format *f)
{
	if (!f)
		return;
	free(f->text);
	free(f->pieces);
	free(f);
}
