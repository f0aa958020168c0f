/* SPDX-License-Identifier: MIT */
#include "live/pace.h"

void scap__pace_init(struct scap__pace *p, uint64_t ring_bytes, uint64_t step_bytes)
{
	p->ring_bytes = ring_bytes;
	p->step_bytes = step_bytes;
	p->wait_ms = SCAP__PACE_MIN_MS;
}

/* Time until `room` bytes have come, when `bytes` came in elapsed_ms; at most `most`. */
static double until(double room, double bytes, double elapsed_ms, double most)
{
	return bytes * most > room * elapsed_ms ? room * elapsed_ms / bytes : most;
}

void scap__pace_update(struct scap__pace *p, uint64_t max_bytes, uint64_t sum_bytes,
		       uint64_t elapsed_ns)
{
	double elapsed_ms = (double)elapsed_ns / 1e6;
	/* Rising rates count at once, falling ones step by step: bursts come in rows. */
	double wait = 2.0 * p->wait_ms;

	if (wait > SCAP__PACE_MAX_MS)
		wait = SCAP__PACE_MAX_MS;
	wait = until((double)p->ring_bytes / 8, (double)max_bytes, elapsed_ms, wait);
	wait = until((double)p->step_bytes, (double)sum_bytes, elapsed_ms, wait);
	p->wait_ms = wait > SCAP__PACE_MIN_MS ? (int)wait : SCAP__PACE_MIN_MS;
}
