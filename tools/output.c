/* SPDX-License-Identifier: MIT */
#include "output.h"

#include "opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_BYTES (1 << 20)

bool output_init(struct output *out, int fd)
{
	*out = (struct output){ .fd = fd, .buf = malloc(OUTPUT_BYTES), .cap = OUTPUT_BYTES };
	if (!out->buf)
		tool_error("not enough memory");
	return out->buf;
}

void output_fini(struct output *out)
{
	output_flush(out);
	free(out->buf);
	out->buf = NULL;
}

static void write_all(struct output *out, const char *data, size_t n)
{
	while (n && !out->failed) {
		ssize_t done = write(out->fd, data, n);

		if (done > 0) {
			data += done;
			n -= done;
		} else if (done < 0 && errno != EINTR) {
			out->failed = true;
			tool_error("writing to %s failed: %s", out->fd == STDOUT_FILENO ?
				   "standard output" : "the file", strerror(errno));
		}
	}
}

void output_flush(struct output *out)
{
	write_all(out, out->buf, out->used);
	out->used = 0;
}

char *output_room(struct output *out, size_t n)
{
	if (n > out->cap - out->used)
		output_flush(out);
	return n <= out->cap ? out->buf + out->used : NULL;
}

void output_write(struct output *out, const void *data, size_t n)
{
	char *room = output_room(out, n);

	if (!room) {
		write_all(out, data, n);
		return;
	}
	memcpy(room, data, n);
	out->used += n;
}

void output_string(struct output *out, const char *s)
{
	output_write(out, s, strlen(s));
}

void output_printf(struct output *out, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		output_write(out, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void output_shown(struct output *out, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		unsigned n = tool_shown_bytes(p);

		if (n)
			output_write(out, p, n);
		else
			output_printf(out, "\\x%02x", *p);
		p += n ? n : 1;
	}
}

void output_json(struct output *out, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	output_write(out, "\"", 1);
	while (*p) {
		unsigned n = *p < 0x80 ? 1 : tool_utf8_bytes(p);

		if (!n)
			output_string(out, "\xef\xbf\xbd");
		else if (*p == '"' || *p == '\\')
			output_printf(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			output_printf(out, "\\u%04x", *p);
		else
			output_write(out, p, n);
		p += n ? n : 1;
	}
	output_write(out, "\"", 1);
}
