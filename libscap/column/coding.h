/* SPDX-License-Identifier: MIT */
/* What encoder and decoder of columns share. */
#ifndef SCAP_COLUMN_CODING_H
#define SCAP_COLUMN_CODING_H

#include <stdint.h>

/* Small numbers of either sign as small numbers. */
static inline uint64_t scap__zigzag(uint64_t v)
{
	return v << 1 ^ (0 - (v >> 63));
}

static inline uint64_t scap__unzigzag(uint64_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

#endif
