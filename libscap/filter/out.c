/* SPDX-License-Identifier: MIT */
#include "filter/out.h"

static const char hex_digits[] = "0123456789abcdef";

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
	"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

void scap__out_cut(struct scap__out *o, const void *p, size_t n)
{
	if (o->len + 1 < o->cap) {
		size_t room = o->cap - 1 - o->len;

		memcpy(o->buf + o->len, p, n < room ? n : room);
	}
	o->len += n;
}

size_t scap__out_end(struct scap__out *o)
{
	if (o->cap)
		o->buf[o->len < o->cap ? o->len : o->cap - 1] = '\0';
	return o->len;
}

/* Digits of v, right-aligned before end; returns where they begin. */
static char *put_digits(char *end, uint64_t v)
{
	while (v >= 100) {
		unsigned pair = v % 100;

		v /= 100;
		end -= 2;
		memcpy(end, digit_pairs + 2 * pair, 2);
	}
	if (v >= 10) {
		end -= 2;
		memcpy(end, digit_pairs + 2 * v, 2);
	} else {
		*--end = (char)('0' + v);
	}
	return end;
}

void scap__out_uint(struct scap__out *o, uint64_t v)
{
	char tmp[24], *p;

	if (v < 10) {
		scap__out_char(o, (char)('0' + v));
		return;
	}
	p = put_digits(tmp + sizeof(tmp), v);
	scap__out_bytes(o, p, (size_t)(tmp + sizeof(tmp) - p));
}

void scap__out_int(struct scap__out *o, int64_t v)
{
	if (v < 0) {
		scap__out_char(o, '-');
		scap__out_uint(o, -(uint64_t)v);
	} else {
		scap__out_uint(o, (uint64_t)v);
	}
}

void scap__out_padded(struct scap__out *o, uint64_t v, unsigned width)
{
	char tmp[24];
	char *end = tmp + sizeof(tmp), *p = put_digits(end, v);

	while (p > end - width && p > tmp)
		*--p = '0';
	scap__out_bytes(o, p, (size_t)(end - p));
}

void scap__out_hex(struct scap__out *o, uint64_t v)
{
	char tmp[20], *end = tmp + sizeof(tmp), *p = end;

	do {
		*--p = hex_digits[v & 15];
		v >>= 4;
	} while (v);
	*--p = 'x';
	*--p = '0';
	scap__out_bytes(o, p, (size_t)(end - p));
}

void scap__out_oct(struct scap__out *o, uint64_t v)
{
	char tmp[24], *end = tmp + sizeof(tmp), *p = end;

	while (v) {
		*--p = (char)('0' + (v & 7));
		v >>= 3;
	}
	*--p = '0';
	scap__out_bytes(o, p, (size_t)(end - p));
}

/* ---- characters ----------------------------------------------------------------------------- */

static bool continues(const uint8_t *p, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* Length of a well-formed sequence of two or more bytes; 0: there is none. */
static unsigned utf8_multi(const uint8_t *p, size_t n)
{
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	if (p[0] < 0xe0)
		return n >= 2 && continues(p, 2) ? 2 : 0;
	if (p[0] < 0xf0) {
		if (n < 3 || !continues(p, 3))
			return 0;
		/* Overlong forms and surrogates. */
		return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ? 0 : 3;
	}
	if (n < 4 || !continues(p, 4))
		return 0;
	return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90) ? 0 : 4;
}

/*
 * Marks that turn the direction of text or break lines (U+200E.., U+2028.., U+2066..): a name made
 * of them could make a terminal show another name.
 */
static bool misleads(const uint8_t *p, unsigned n)
{
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;	/* C1 controls */
	if (n != 3 || p[0] != 0xe2)
		return false;
	if (p[1] == 0x80)
		return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae);
	return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

unsigned scap__utf8_len(const uint8_t *p, size_t n)
{
	unsigned len;

	if (p[0] < 0x80)
		return scap__ascii_shown(p[0]);
	len = utf8_multi(p, n);
	return len && !misleads(p, len) ? len : 0;
}

bool scap__utf8_valid(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned len = p[i] < 0x80 ? 1 : utf8_multi(p + i, n - i);

		if (!len)
			return false;
		i += len;
	}
	return true;
}

/* At most four bytes. */
static inline char *put_escape(char *to, uint8_t c)
{
	*to++ = '\\';
	if (c == '\n' || c == '\r' || c == '\t') {
		*to++ = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
		return to;
	}
	*to++ = 'x';
	*to++ = hex_digits[c >> 4];
	*to++ = hex_digits[c & 15];
	return to;
}

static void out_escape(struct scap__out *o, uint8_t c)
{
	char tmp[4];

	scap__out_bytes(o, tmp, (size_t)(put_escape(tmp, c) - tmp));
}

/* Bytes from the start that need no escape. */
static size_t plain_run(const uint8_t *p, size_t n, char quote)
{
	size_t i = 0;

	while (i < n) {
		unsigned len;

		if (p[i] == '\\' || (quote && p[i] == (uint8_t)quote))
			break;
		if (scap__ascii_shown(p[i])) {
			i++;
			continue;
		}
		len = scap__utf8_len(p + i, n - i);
		if (!len)
			break;
		i += len;
	}
	return i;
}

/* As scap__out_escaped(), where there is room for four bytes for each. */
static char *put_escaped(char *to, const uint8_t *p, size_t n, char quote)
{
	const uint8_t *end = p + n;

	while (p < end) {
		uint8_t c = *p;
		unsigned len = 1;

		if (c == '\\' || (quote && c == (uint8_t)quote)) {
			*to++ = '\\';
		} else if (!scap__ascii_shown(c)) {
			len = c < 0x80 ? 0 : scap__utf8_len(p, (size_t)(end - p));
			if (!len) {
				to = put_escape(to, c);
				p++;
				continue;
			}
		}
		do
			*to++ = (char)*p++;
		while (--len);
	}
	return to;
}

void scap__out_escaped(struct scap__out *o, const uint8_t *p, size_t n, char quote)
{
	size_t i = 0;

	if (n < (SIZE_MAX - o->len) / 8 && o->len + 4 * n < o->cap) {
		o->len = (size_t)(put_escaped(o->buf + o->len, p, n, quote) - o->buf);
		return;
	}

	while (i < n) {
		size_t run = plain_run(p + i, n - i, quote);

		scap__out_bytes(o, p + i, run);
		i += run;
		if (i == n)
			break;
		if (p[i] == '\\' || (quote && p[i] == (uint8_t)quote)) {
			scap__out_char(o, '\\');
			scap__out_char(o, (char)p[i]);
		} else {
			out_escape(o, p[i]);
		}
		i++;
	}
}

void scap__out_quoted(struct scap__out *o, const uint8_t *p, size_t n)
{
	scap__out_char(o, '"');
	scap__out_escaped(o, p, n, '"');
	scap__out_char(o, '"');
}

void scap__out_word(struct scap__out *o, const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		unsigned len = scap__ascii_shown(p[i]) ? 1 : scap__utf8_len(p + i, n - i);

		if (!len || p[i] == ' ' || p[i] == '"' || p[i] == '\\')
			break;
		i += len;
	}
	if (i == n && n)
		scap__out_bytes(o, p, n);
	else
		scap__out_quoted(o, p, n);
}

/* ---- addresses and times -------------------------------------------------------------------- */

void scap__out_ipv4(struct scap__out *o, const uint8_t *addr)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			scap__out_char(o, '.');
		scap__out_uint(o, addr[i]);
	}
}

static unsigned group_at(const uint8_t *addr, unsigned i)
{
	return (unsigned)addr[2 * i] << 8 | addr[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952). */
static unsigned longest_zeros(const uint8_t *addr, unsigned *ret_at)
{
	unsigned best = 1, at = 8;

	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && !group_at(addr, i + n))
			n++;
		if (n > best) {
			best = n;
			at = i;
		}
		i += n;
	}
	*ret_at = at;
	return best;
}

static void out_hex16(struct scap__out *o, unsigned v)
{
	int shift = v > 0xfff ? 12 : v > 0xff ? 8 : v > 0xf ? 4 : 0;

	for (; shift >= 0; shift -= 4)
		scap__out_char(o, hex_digits[v >> shift & 15]);
}

void scap__out_ipv6(struct scap__out *o, const uint8_t *addr)
{
	unsigned at, n = longest_zeros(addr, &at);

	for (unsigned i = 0; i < 8; i++) {
		if (i == at) {
			scap__out_lit(o, "::");
			i += n - 1;
			continue;
		}
		if (i && i != at + n)
			scap__out_char(o, ':');
		out_hex16(o, group_at(addr, i));
	}
}

static uint64_t shifted(uint64_t wall_ns, int32_t utc_offset_s)
{
	return wall_ns / 1000000000 + (uint64_t)(int64_t)utc_offset_s;
}

void scap__out_clock(struct scap__out *o, uint64_t wall_ns, int32_t utc_offset_s)
{
	uint32_t s = (uint32_t)(shifted(wall_ns, utc_offset_s) % 86400);

	scap__out_padded(o, s / 3600, 2);
	scap__out_char(o, ':');
	scap__out_padded(o, s / 60 % 60, 2);
	scap__out_char(o, ':');
	scap__out_padded(o, s % 60, 2);
	scap__out_char(o, '.');
	scap__out_padded(o, wall_ns % 1000000000, 9);
}

/* Days since 1970 to a date of the Gregorian calendar, counted in years that begin in March. */
void scap__out_date(struct scap__out *o, uint64_t wall_ns, int32_t utc_offset_s)
{
	uint64_t days = shifted(wall_ns, utc_offset_s) / 86400 + 719468;
	uint64_t era = days / 146097, doe = days % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;

	scap__out_padded(o, era * 400 + yoe + (month <= 2), 4);
	scap__out_char(o, '-');
	scap__out_padded(o, month, 2);
	scap__out_char(o, '-');
	scap__out_padded(o, doy - (153 * mp + 2) / 5 + 1, 2);
}

void scap__out_seconds(struct scap__out *o, uint64_t ns)
{
	scap__out_uint(o, ns / 1000000000);
	scap__out_char(o, '.');
	scap__out_padded(o, ns % 1000000000, 9);
}

/* v in tenths of a unit: one decimal below 100 units, none above. */
static void out_tenths(struct scap__out *o, uint64_t v)
{
	scap__out_uint(o, v / 10);
	if (v < 1000) {
		scap__out_char(o, '.');
		scap__out_char(o, (char)('0' + v % 10));
	}
}

void scap__out_duration(struct scap__out *o, uint64_t ns)
{
	if (ns < 1000) {
		scap__out_uint(o, ns);
		scap__out_lit(o, "ns");
	} else if (ns < 1000000) {
		out_tenths(o, ns / 100);
		scap__out_lit(o, "us");
	} else if (ns < 1000000000) {
		out_tenths(o, ns / 100000);
		scap__out_lit(o, "ms");
	} else {
		out_tenths(o, ns / 100000000);
		scap__out_lit(o, "s");
	}
}
