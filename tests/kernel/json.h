/* SPDX-License-Identifier: MIT */
/* Just enough JSON to look up one value in one line: json_get(line, "args.name", buf, cap). */
#ifndef TESTS_KERNEL_JSON_H
#define TESTS_KERNEL_JSON_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline const char *json_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static inline size_t json_utf8(unsigned c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* One escape sequence behind the backslash at *p. */
static inline size_t json_escape(const char **p, char *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *hit = strchr(from, **p);
	char hex[5] = "";

	if (**p == 'u') {
		memcpy(hex, *p + 1, strnlen(*p + 1, 4));
		*p += 1 + strlen(hex);
		return json_utf8((unsigned)strtoul(hex, NULL, 16), out);
	}
	*out = hit && **p ? to[hit - from] : **p;
	(*p)++;
	return 1;
}

/* Reads the string at p (its opening quote) into buf; returns what follows it. */
static inline const char *json_string(const char *p, char *buf, size_t cap, size_t *ret_len)
{
	char tmp[4];
	size_t n = 0, k;

	for (p++; *p && *p != '"';) {
		if (*p == '\\') {
			p++;
			k = json_escape(&p, tmp);
		} else {
			tmp[0] = *p++;
			k = 1;
		}
		if (n + k < cap)
			memcpy(buf + n, tmp, k);
		n += k;
	}
	if (cap)
		buf[n < cap ? n : cap - 1] = 0;
	if (ret_len)
		*ret_len = n;
	return *p ? p + 1 : p;
}

/* Past the value at p. */
static inline const char *json_skip(const char *p)
{
	int depth = 0;

	do {
		p = json_space(p);
		if (*p == '"') {
			p = json_string(p, NULL, 0, NULL);
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		if (*p == '}' || *p == ']')
			depth--;
		if (!*p)
			return p;
		p++;
		if (depth == 0)
			while (*p && !strchr(",}] \t\n", *p))
				p++;
	} while (depth > 0);
	return p;
}

/* The member with this key (n bytes) of the object at p, or NULL. */
static inline const char *json_member(const char *p, const char *key, size_t n)
{
	char name[128];

	p = json_space(p);
	if (*p != '{')
		return NULL;
	for (p = json_space(p + 1); *p == '"'; p = json_space(p + 1)) {
		p = json_space(json_string(p, name, sizeof(name), NULL));
		if (*p != ':')
			return NULL;
		p = json_space(p + 1);
		if (strlen(name) == n && memcmp(name, key, n) == 0)
			return p;
		p = json_space(json_skip(p));
		if (*p != ',')
			return NULL;
	}
	return NULL;
}

/* The i-th element of the array at p, or NULL. */
static inline const char *json_element(const char *p, unsigned i)
{
	p = json_space(p);
	if (*p != '[')
		return NULL;
	for (p = json_space(p + 1); *p && *p != ']'; i--) {
		if (i == 0)
			return p;
		p = json_space(json_skip(p));
		if (*p == ',')
			p = json_space(p + 1);
	}
	return NULL;
}

/* Where the value of a dotted path begins, or NULL. */
static inline const char *json_find(const char *p, const char *path)
{
	while (p && *path) {
		size_t n = strcspn(path, ".");

		p = *json_space(p) == '[' ? json_element(p, (unsigned)atoi(path))
					  : json_member(p, path, n);
		path += n + (path[n] == '.');
	}
	return p;
}

/* The value as text: strings unescaped, all else as it stands. False when it is not there. */
static inline bool json_get(const char *line, const char *path, char *buf, size_t cap)
{
	const char *p = json_find(line, path);
	size_t n;

	if (cap)
		*buf = 0;
	if (!p)
		return false;
	if (*p == '"') {
		json_string(p, buf, cap, NULL);
		return true;
	}
	n = (size_t)(json_skip(p) - p);
	snprintf(buf, cap, "%.*s", (int)n, p);
	return true;
}

static inline long long json_num(const char *line, const char *path, long long otherwise)
{
	char buf[64];

	return json_get(line, path, buf, sizeof(buf)) && *buf ? strtoll(buf, NULL, 0) : otherwise;
}

#endif
