/* SPDX-License-Identifier: MIT */
/* libc's matcher follows the locale, wants NUL-terminated text and can take for ever. */
#include "filter/program.h"

static uint8_t folded(uint8_t c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/*
 * The bracket expression behind the [ at p[0]: its length up to and with the ], and whether c is
 * in it; 0: there is no ], so the [ stands for itself.
 */
static size_t match_class(const uint8_t *p, size_t n, uint8_t c, bool fold, bool *ret_in)
{
	bool negated = n > 1 && (p[1] == '!' || p[1] == '^'), in = false;
	size_t i = 1 + negated, first = i;

	for (; i < n && (p[i] != ']' || i == first); i++) {
		uint8_t low, high;

		if (p[i] == '\\' && i + 1 < n)
			i++;
		low = high = folded(p[i], fold);
		if (i + 2 < n && p[i + 1] == '-' && p[i + 2] != ']') {
			i += 2;
			if (p[i] == '\\' && i + 1 < n)
				i++;
			high = folded(p[i], fold);
		}
		in |= c >= low && c <= high;
	}
	*ret_in = in != negated;
	return i < n ? i + 1 : 0;
}

/* Length of the pattern's next element if it matches the byte c; 0: it does not. */
static size_t match_one(const uint8_t *p, size_t n, uint8_t c, bool fold)
{
	size_t len;
	bool in;

	c = folded(c, fold);
	if (p[0] == '?')
		return 1;
	if (p[0] == '[') {
		len = match_class(p, n, c, fold, &in);
		if (len)
			return in ? len : 0;
	}
	if (p[0] == '\\' && n > 1)
		return folded(p[1], fold) == c ? 2 : 0;
	return folded(p[0], fold) == c ? 1 : 0;
}

/* Only the last * ever needs to take more: the time is at most pattern times text. */
bool scap__glob(const uint8_t *pattern, size_t n_pattern, const uint8_t *s, size_t n, bool fold)
{
	size_t p = 0, i = 0, star = SIZE_MAX, star_i = 0;

	while (i < n) {
		size_t len = 0;

		if (p < n_pattern && pattern[p] == '*') {
			star = ++p;
			star_i = i;
			continue;
		}
		if (p < n_pattern)
			len = match_one(pattern + p, n_pattern - p, s[i], fold);
		if (len) {
			p += len;
			i++;
		} else if (star != SIZE_MAX) {
			p = star;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (p < n_pattern && pattern[p] == '*')
		p++;
	return p == n_pattern;
}
