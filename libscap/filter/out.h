/* SPDX-License-Identifier: MIT */
/*
 * Text into a caller's buffer by snprintf's rule: len is the length of the whole text, what does
 * not fit is cut. No printf: this is the per-event path.
 */
#ifndef SCAP_FILTER_OUT_H
#define SCAP_FILTER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct scap__out {
	char *buf;
	size_t cap;
	size_t len;
};

static inline void scap__out_init(struct scap__out *o, char *buf, size_t cap)
{
	o->buf = buf;
	o->cap = cap;
	o->len = 0;
}

void scap__out_cut(struct scap__out *o, const void *p, size_t n);

static inline void scap__out_bytes(struct scap__out *o, const void *p, size_t n)
{
	if (__builtin_expect(o->len + n < o->cap, 1)) {
		memcpy(o->buf + o->len, p, n);
		o->len += n;
	} else {
		scap__out_cut(o, p, n);
	}
}

static inline void scap__out_char(struct scap__out *o, char c)
{
	if (__builtin_expect(o->len + 1 < o->cap, 1))
		o->buf[o->len] = c;
	o->len++;
}

static inline void scap__out_str(struct scap__out *o, const char *s)
{
	scap__out_bytes(o, s, strlen(s));
}

#define scap__out_lit(o, lit) scap__out_bytes(o, "" lit, sizeof(lit) - 1)

/* Terminates the text and returns its whole length. */
size_t scap__out_end(struct scap__out *o);

void scap__out_uint(struct scap__out *o, uint64_t v);
void scap__out_int(struct scap__out *o, int64_t v);
/* Exactly `width` digits, zeros in front. */
void scap__out_padded(struct scap__out *o, uint64_t v, unsigned width);
void scap__out_hex(struct scap__out *o, uint64_t v);	/* with 0x */
void scap__out_oct(struct scap__out *o, uint64_t v);	/* with a leading 0 */

/* Most of what is printed is ASCII without control characters. */
static inline bool scap__ascii_shown(uint8_t c)
{
	return (uint8_t)(c - 0x20) < 0x5f;
}

/* Bytes of the UTF-8 sequence at p (n > 0 bytes remain); 0: invalid, or a control character. */
unsigned scap__utf8_len(const uint8_t *p, size_t n);
bool scap__utf8_valid(const uint8_t *p, size_t n);	/* control characters allowed */

/*
 * Makes bytes safe for a terminal: control characters and invalid UTF-8 become \n, \r, \t or \xHH,
 * a backslash is doubled, and so is any byte equal to `quote` (0: none) escaped.
 */
void scap__out_escaped(struct scap__out *o, const uint8_t *p, size_t n, char quote);
/* The same in double quotes. */
void scap__out_quoted(struct scap__out *o, const uint8_t *p, size_t n);
/* Quoted only if it is empty or holds anything but printable characters without blanks. */
void scap__out_word(struct scap__out *o, const uint8_t *p, size_t n);

void scap__out_ipv4(struct scap__out *o, const uint8_t *addr);
void scap__out_ipv6(struct scap__out *o, const uint8_t *addr);

/* HH:MM:SS.nnnnnnnnn */
void scap__out_clock(struct scap__out *o, uint64_t wall_ns, int32_t utc_offset_s);
/* YYYY-MM-DD */
void scap__out_date(struct scap__out *o, uint64_t wall_ns, int32_t utc_offset_s);
/* S.nnnnnnnnn */
void scap__out_seconds(struct scap__out *o, uint64_t ns);
/* Three digits and a unit, such as 12.3us. */
void scap__out_duration(struct scap__out *o, uint64_t ns);

#endif
