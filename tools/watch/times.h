/* SPDX-License-Identifier: MIT */
/* Wall clock times as scap watch writes them: in UTC, to the millisecond. */
#ifndef WATCH_TIMES_H
#define WATCH_TIMES_H

#include <stdint.h>

#define WATCH_TIME_BYTES 32

/* 20261126T204900.123Z, for file names. */
const char *watch_time_compact(uint64_t real_ns, char buf[WATCH_TIME_BYTES]);
/* 2026-11-26T20:49:00.123Z */
const char *watch_time_rfc3339(uint64_t real_ns, char buf[WATCH_TIME_BYTES]);

#endif
