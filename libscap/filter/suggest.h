/* SPDX-License-Identifier: MIT */
#ifndef SCAP_FILTER_SUGGEST_H
#define SCAP_FILTER_SUGGEST_H

#include <stdarg.h>
#include <stddef.h>
#include <scap/error.h>

/* The candidate nearest to a mistyped word. Begin with a zeroed best and best_distance. */
struct scap__suggest {
	const char *word;
	size_t n;
	const char *best;
	unsigned best_distance;
};

void scap__suggest_try(struct scap__suggest *s, const char *candidate);
/* NULL unless something is near enough to be meant. */
const char *scap__suggest_best(const struct scap__suggest *s);

/* Fills err (may be NULL) with SCAP_ESYNTAX at a column from 1; returns SCAP_ESYNTAX. */
__attribute__((format(printf, 3, 4)))
int scap__syntax_error(struct scap_error *err, size_t column, const char *fmt, ...);
/* The same with -ENOMEM. */
int scap__no_memory(struct scap_error *err);

/* A word for an error text: at most this many bytes of it are shown. */
#define SCAP__SHOWN_MAX 40
/* Makes buf a safe, cut copy of a word. Returns buf. */
const char *scap__shown(char buf[4 * SCAP__SHOWN_MAX + 8], const char *word, size_t n);

#endif
