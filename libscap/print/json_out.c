/* SPDX-License-Identifier: MIT */
/* JSON as such: strings, base64, members of objects. */
#include "print/json.h"

static void out_control(struct scap__out *o, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	char tmp[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	switch (c) {
	case '\n':
		scap__out_lit(o, "\\n");
		break;
	case '\r':
		scap__out_lit(o, "\\r");
		break;
	case '\t':
		scap__out_lit(o, "\\t");
		break;
	case '"':
	case '\\':
		scap__out_char(o, '\\');
		scap__out_char(o, (char)c);
		break;
	default:
		scap__out_bytes(o, tmp, 6);
	}
}

/*
 * A character that would act on a terminal goes out by its number, also where JSON would not ask
 * for it: output is often looked at as it is.
 */
static unsigned out_odd(struct scap__out *o, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t c;

	if (p[0] < 0x80) {
		out_control(o, p[0]);
		return 1;
	}
	if (p[0] == 0xc2 && n >= 2 && (p[1] & 0xc0) == 0x80) {
		out_control(o, p[1]);
		return 2;
	}
	if (p[0] == 0xe2 && n >= 3 && scap__utf8_valid(p, 3)) {
		c = 0x2000 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f);
		scap__out_lit(o, "\\u");
		for (int shift = 12; shift >= 0; shift -= 4)
			scap__out_char(o, digits[c >> shift & 15]);
		return 3;
	}
	scap__out_lit(o, "\\ufffd");
	return 1;
}

void scap__json_text(struct scap__out *o, const uint8_t *p, size_t n)
{
	size_t i = 0, run = 0;

	scap__out_char(o, '"');
	while (i < n) {
		unsigned len = 0;

		if (p[i] != '"' && p[i] != '\\')
			len = scap__ascii_shown(p[i]) ? 1 : scap__utf8_len(p + i, n - i);
		if (len) {
			i += len;
			continue;
		}
		scap__out_bytes(o, p + run, i - run);
		i += out_odd(o, p + i, n - i);
		run = i;
	}
	scap__out_bytes(o, p + run, i - run);
	scap__out_char(o, '"');
}

static void out_base64(struct scap__out *o, const uint8_t *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	scap__out_char(o, '"');
	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0);
		char tmp[4] = { digits[v >> 18], digits[v >> 12 & 63],
				left > 1 ? digits[v >> 6 & 63] : '=',
				left > 2 ? digits[v & 63] : '=' };

		scap__out_bytes(o, tmp, 4);
	}
	scap__out_char(o, '"');
}

void scap__json_key(struct scap__json *j, const char *name, const char *suffix)
{
	if (j->more)
		scap__out_char(&j->o, ',');
	scap__out_char(&j->o, '"');
	scap__out_str(&j->o, name);
	scap__out_str(&j->o, suffix);
	scap__out_lit(&j->o, "\":");
	j->more = true;
}

void scap__json_open(struct scap__json *j, const char *name)
{
	scap__json_key(j, name, "");
	scap__out_char(&j->o, '{');
	j->more = false;
}

void scap__json_close(struct scap__json *j)
{
	scap__out_char(&j->o, '}');
	j->more = true;
}

void scap__json_uint(struct scap__json *j, const char *name, uint64_t v)
{
	scap__json_key(j, name, "");
	scap__out_uint(&j->o, v);
}

void scap__json_string(struct scap__json *j, const char *name, const char *s)
{
	scap__json_key(j, name, "");
	scap__json_text(&j->o, (const uint8_t *)s, strlen(s));
}

void scap__json_bytes(struct scap__json *j, const char *name, const uint8_t *p, size_t n)
{
	if (scap__utf8_valid(p, n)) {
		scap__json_key(j, name, "");
		scap__json_text(&j->o, p, n);
	} else {
		scap__json_key(j, name, "_b64");
		out_base64(&j->o, p, n);
	}
}

void scap__json_strings(struct scap__json *j, const char *name, const struct scap__blob *b)
{
	size_t i = 0;

	scap__json_key(j, name, "");
	scap__out_char(&j->o, '[');
	while (i < b->bytes) {
		size_t len = strnlen((const char *)b->data + i, b->bytes - i);

		if (i)
			scap__out_char(&j->o, ',');
		scap__json_text(&j->o, b->data + i, len);
		i += len + 1;
	}
	scap__out_char(&j->o, ']');
}
