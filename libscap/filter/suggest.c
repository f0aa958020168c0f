/* SPDX-License-Identifier: MIT */
#include "filter/suggest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter/out.h"

#define WORD_MAX 48

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n_a; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n_b; j++) {
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[n_a % 3][n_b];
}

void scap__suggest_try(struct scap__suggest *s, const char *candidate)
{
	size_t n = strlen(candidate);
	unsigned d;

	if (s->n > WORD_MAX || n > WORD_MAX)
		return;
	d = distance(s->word, s->n, candidate, n);
	if (!s->best || d < s->best_distance) {
		s->best = candidate;
		s->best_distance = d;
	}
}

const char *scap__suggest_best(const struct scap__suggest *s)
{
	if (!s->best || s->best_distance > 1 + s->n / 4)
		return NULL;
	return s->best;
}

int scap__syntax_error(struct scap_error *err, size_t column, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return SCAP_ESYNTAX;
	err->code = SCAP_ESYNTAX;
	err->offset = column;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return SCAP_ESYNTAX;
}

int scap__no_memory(struct scap_error *err)
{
	if (err) {
		err->code = -ENOMEM;
		err->offset = SCAP_NO_OFFSET;
		snprintf(err->text, sizeof(err->text), "out of memory");
	}
	return -ENOMEM;
}

const char *scap__shown(char buf[4 * SCAP__SHOWN_MAX + 8], const char *word, size_t n)
{
	struct scap__out o;

	scap__out_init(&o, buf, 4 * SCAP__SHOWN_MAX + 8);
	scap__out_escaped(&o, (const uint8_t *)word, n < SCAP__SHOWN_MAX ? n : SCAP__SHOWN_MAX, 0);
	if (n > SCAP__SHOWN_MAX)
		scap__out_lit(&o, "...");
	scap__out_end(&o);
	return buf;
}
