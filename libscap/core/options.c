/* SPDX-License-Identifier: MIT */
#include "core/options.h"

#include <errno.h>
#include <string.h>

#define MAX_BYTES 4096u		/* far more than any version will have */

int scap__options_copy(void *dst, size_t n, const void *src)
{
	size_t size;

	memset(dst, 0, n);
	if (!src)
		return 0;
	memcpy(&size, src, sizeof(size));
	if (size < sizeof(size) || size > MAX_BYTES)
		return -EINVAL;
	for (size_t i = n; i < size; i++)
		if (((const char *)src)[i])
			return -E2BIG;
	memcpy(dst, src, size < n ? size : n);
	return 0;
}

bool scap__options_reach(const void *src, size_t end)
{
	size_t size = 0;

	if (src)
		memcpy(&size, src, sizeof(size));
	return size >= end;
}
