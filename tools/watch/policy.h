/* SPDX-License-Identifier: MIT */
/* Whether a trigger that fires makes a capture: cool-downs and limits. */
#ifndef WATCH_POLICY_H
#define WATCH_POLICY_H

#include "watch/metrics.h"

#define POLICY_FINGERPRINTS 256
#define HOUR_NS (3600 * 1000000000ull)

/* Of one trigger. */
struct policy {
	struct watch_trigger_health health;
	uint64_t last_ns;		/* of its last capture; 0: none */
	uint64_t hour_ns;		/* when the hour began that is counted */
	uint32_t n_hour;
	/* Alerts that were met last: within the cool-down the same one fires no more. */
	struct { uint64_t hash, ns; } seen[POLICY_FINGERPRINTS];
};

/*
 * Asks at a time of the monotonic clock (not 0): CAPTURE_WRITTEN: it may, and is counted for the
 * limits; or why not, with a line of text.
 */
enum capture_outcome policy_ask(struct policy *p, const struct trigger_config *c, uint64_t now_ns,
				const char *fingerprint, char *why, size_t cap);
/* Nothing came of the capture that was asked for at this time: the next one repeats nothing. */
void policy_forget(struct policy *p, uint64_t asked_ns);

#endif
