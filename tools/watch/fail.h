/* SPDX-License-Identifier: MIT */
#ifndef WATCH_FAIL_H
#define WATCH_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* Says in err what went wrong: false. */
bool fail(char *err, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
