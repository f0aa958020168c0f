/* SPDX-License-Identifier: MIT */
#include "times.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define S_NS 1000000000ull

/* A run of digits, at most max of them. NULL: there is none. */
static const char *digits(const char *p, unsigned max, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned n = 0;

	while (n < max && isdigit((unsigned char)p[n]))
		v = v * 10 + (p[n++] - '0');
	*ret = v;
	return n ? p + n : NULL;
}

/* ".frac" or nothing, up to the text's end. */
static bool fraction(const char *p, uint64_t *ret_ns)
{
	uint64_t ns = 0, unit = S_NS / 10;

	*ret_ns = 0;
	if (!*p)
		return true;
	if (*p++ != '.' || !*p)
		return false;
	for (; isdigit((unsigned char)*p); p++, unit /= 10)
		ns += (*p - '0') * unit;
	*ret_ns = ns;
	return !*p;
}

static bool seconds(const char *p, uint64_t *ret_ns)
{
	uint64_t s, ns;

	p = digits(p, 10, &s);
	if (!p || !fraction(p, &ns))
		return false;
	*ret_ns = s * S_NS + ns;
	return true;
}

/* HH:MM[:SS[.frac]] into tm. */
static bool clock_time(const char *p, struct tm *tm, uint64_t *ret_ns)
{
	uint64_t h, m, s = 0;

	p = digits(p, 2, &h);
	if (!p || *p++ != ':')
		return false;
	p = digits(p, 2, &m);
	if (p && *p == ':')
		p = digits(p + 1, 2, &s);
	if (!p || h > 23 || m > 59 || s > 60)
		return false;
	tm->tm_hour = h;
	tm->tm_min = m;
	tm->tm_sec = s;
	tm->tm_isdst = -1;
	return fraction(p, ret_ns);
}

static bool date(const char **p, struct tm *tm)
{
	uint64_t y, m, d;
	const char *q = digits(*p, 4, &y);

	if (!q || *q++ != '-')
		return false;
	q = digits(q, 2, &m);
	if (!q || *q++ != '-')
		return false;
	q = digits(q, 2, &d);
	if (!q || (*q != ' ' && *q != 'T') || m < 1 || m > 12 || d < 1 || d > 31 || y < 1970)
		return false;
	tm->tm_year = (int)y - 1900;
	tm->tm_mon = (int)m - 1;
	tm->tm_mday = (int)d;
	*p = q + 1;
	return true;
}

bool time_parse(const char *text, uint64_t start_wall_ns, uint64_t *ret_wall_ns)
{
	time_t start = start_wall_ns / S_NS, t;
	struct tm tm = { 0 };
	uint64_t ns;
	bool dated;

	if (*text == '+') {
		if (!seconds(text + 1, &ns))
			return false;
		*ret_wall_ns = start_wall_ns + ns;
		return true;
	}
	if (!strchr(text, ':'))
		return seconds(text, ret_wall_ns);
	localtime_r(&start, &tm);
	dated = date(&text, &tm);
	if (!clock_time(text, &tm, &ns))
		return false;
	t = mktime(&tm);
	/* A bare time of day may lie behind the midnight after the start. */
	if (!dated && t + 12 * 3600 < start)
		t += 24 * 3600;
	*ret_wall_ns = (uint64_t)t * S_NS + ns;
	return t >= 0;
}

int32_t time_utc_offset(uint64_t wall_ns)
{
	static uint64_t known_quarter = UINT64_MAX;
	static int32_t known;
	uint64_t quarter = wall_ns / (900 * S_NS);	/* no zone changes within a quarter */
	time_t t = wall_ns / S_NS;
	struct tm tm;

	if (quarter != known_quarter && localtime_r(&t, &tm)) {
		known_quarter = quarter;
		known = tm.tm_gmtoff;
	}
	return known;
}

static const char *format(const char *fmt, uint64_t wall_ns, char buf[TIME_TEXT_BYTES])
{
	time_t t = wall_ns / S_NS;
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&t, &tm))
		n = strftime(buf, TIME_TEXT_BYTES, fmt, &tm);
	snprintf(buf + n, TIME_TEXT_BYTES - n, ".%09u", (unsigned)(wall_ns % S_NS));
	return buf;
}

const char *time_of_day(uint64_t wall_ns, char buf[TIME_TEXT_BYTES])
{
	return format("%H:%M:%S", wall_ns, buf);
}

const char *time_and_date(uint64_t wall_ns, char buf[TIME_TEXT_BYTES])
{
	return format("%Y-%m-%d %H:%M:%S", wall_ns, buf);
}

const char *time_span(uint64_t ns, char buf[TIME_TEXT_BYTES])
{
	unsigned long long s = ns / S_NS;

	if (s < 60)
		snprintf(buf, TIME_TEXT_BYTES, "%llu.%03u s", s, (unsigned)(ns % S_NS / 1000000));
	else if (s < 3600)
		snprintf(buf, TIME_TEXT_BYTES, "%llu min %llu s", s / 60, s % 60);
	else
		snprintf(buf, TIME_TEXT_BYTES, "%llu h %llu min", s / 3600, s / 60 % 60);
	return buf;
}
