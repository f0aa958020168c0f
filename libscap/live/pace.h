/* SPDX-License-Identifier: MIT */
/*
 * How long the recorder may sleep: as long as it can while the fullest ring stays below an eighth
 * at the rate last seen (the kernel wakes it at a quarter), and no longer than 250 ms.
 */
#ifndef SCAP_LIVE_PACE_H
#define SCAP_LIVE_PACE_H

#include <stdint.h>

#define SCAP__PACE_MIN_MS 2
#define SCAP__PACE_MAX_MS 250

struct scap__pace {
	uint64_t ring_bytes;
	uint64_t step_bytes;	/* of all rings together, what one step should bring at most */
	int wait_ms;
};

void scap__pace_init(struct scap__pace *p, uint64_t ring_bytes, uint64_t step_bytes);
/* What a step brought after elapsed_ns: the fullest ring, and all of them. Sets wait_ms. */
void scap__pace_update(struct scap__pace *p, uint64_t max_bytes, uint64_t sum_bytes,
		       uint64_t elapsed_ns);

#endif
