/* SPDX-License-Identifier: MIT */
#ifndef SCAP_CORE_ERROR_H
#define SCAP_CORE_ERROR_H

#include <scap/error.h>

/* Fills err, which may be NULL, and returns code. */
int scap__fail(struct scap_error *err, int code, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
