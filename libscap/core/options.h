/* SPDX-License-Identifier: MIT */
#ifndef SCAP_CORE_OPTIONS_H
#define SCAP_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies an option structure of the caller's, which begins with its size_t size and may be older
 * (shorter) or newer (longer) than ours, to n bytes at dst. NULL: all defaults. 0; -EINVAL: the
 * size makes no sense; -E2BIG: something is set that we do not know.
 */
int scap__options_copy(void *dst, size_t n, const void *src);
/*
 * Whether the caller's structure has a member that ends at `end`. Without it, or of NULL, the
 * default may be another value than 0.
 */
bool scap__options_reach(const void *src, size_t end);
#define scap__options_has(src, member) \
	scap__options_reach(src, offsetof(__typeof__(*(src)), member) + sizeof((src)->member))

#endif
