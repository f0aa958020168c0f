/* SPDX-License-Identifier: MIT */
/* Times as people write them, and as they are shown. */
#ifndef SCAP_TOOLS_TIMES_H
#define SCAP_TOOLS_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_BYTES 40

/*
 * HH:MM[:SS[.frac]] (of the day the capture began, or the next), YYYY-MM-DD[ T]HH:MM:SS[.frac],
 * +SECONDS since the start, SECONDS since 1970. The zone is the local one. False: none of these.
 */
bool time_parse(const char *text, uint64_t start_wall_ns, uint64_t *ret_wall_ns);

/* Seconds east of Greenwich at that moment; cheap when asked again for about the same time. */
int32_t time_utc_offset(uint64_t wall_ns);

/* "14:03:07.123456789" and "2026-11-23 14:03:07.123456789". */
const char *time_of_day(uint64_t wall_ns, char buf[TIME_TEXT_BYTES]);
const char *time_and_date(uint64_t wall_ns, char buf[TIME_TEXT_BYTES]);
/* "1.5 s", "3 min 2 s", "2 h 5 min" */
const char *time_span(uint64_t ns, char buf[TIME_TEXT_BYTES]);

#endif
