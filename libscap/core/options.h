/* SPDX-License-Identifier: MIT */
#ifndef SCAP_CORE_OPTIONS_H
#define SCAP_CORE_OPTIONS_H

#include <stddef.h>

/*
 * Copies an option structure of the caller's, which begins with its size_t size and may be older
 * (shorter) or newer (longer) than ours, to n bytes at dst. NULL: all defaults. 0; -EINVAL: the
 * size makes no sense; -E2BIG: something is set that we do not know.
 */
int scap__options_copy(void *dst, size_t n, const void *src);

#endif
