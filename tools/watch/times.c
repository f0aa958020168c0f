/* SPDX-License-Identifier: MIT */
#include "watch/times.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *format(const char *form, uint64_t real_ns, char buf[WATCH_TIME_BYTES])
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(buf, WATCH_TIME_BYTES - 6, form, &tm);
	snprintf(buf + n, WATCH_TIME_BYTES - n, ".%03uZ", (unsigned)(real_ns / 1000000 % 1000));
	return buf;
}

const char *watch_time_compact(uint64_t real_ns, char buf[WATCH_TIME_BYTES])
{
	return format("%Y%m%dT%H%M%S", real_ns, buf);
}

const char *watch_time_rfc3339(uint64_t real_ns, char buf[WATCH_TIME_BYTES])
{
	return format("%Y-%m-%dT%H:%M:%S", real_ns, buf);
}
