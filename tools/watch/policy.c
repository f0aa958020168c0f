/* SPDX-License-Identifier: MIT */
#include "watch/policy.h"

#include <inttypes.h>
#include <stdio.h>

/* FNV-1a; never 0. */
static uint64_t hash_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3ull;
	return h | 1;
}

static enum capture_outcome cooling(uint64_t left_ns, const char *what, char *why, size_t cap)
{
	snprintf(why, cap, "%s fired a short while ago: the cool-down lasts %" PRIu64 ".%03" PRIu64
		 " s more", what, left_ns / 1000000000, left_ns / 1000000 % 1000);
	return CAPTURE_REFUSED_COOLDOWN;
}

/* The place of a fingerprint: its own, or the one that was not used for longest. */
static unsigned place_of(const struct policy *p, uint64_t hash)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < POLICY_FINGERPRINTS; i++) {
		if (p->seen[i].hash == hash)
			return i;
		if (p->seen[i].ns < p->seen[oldest].ns)
			oldest = i;
	}
	return oldest;
}

enum capture_outcome policy_ask(struct policy *p, const struct trigger_config *c, uint64_t now_ns,
				const char *fingerprint, char *why, size_t cap)
{
	uint64_t hash = fingerprint ? hash_of(fingerprint) : 0;
	unsigned at = fingerprint ? place_of(p, hash) : 0;
	uint64_t last_ns = !fingerprint ? p->last_ns :
			   p->seen[at].hash == hash ? p->seen[at].ns : 0;

	if (last_ns && now_ns - last_ns < c->cooldown_ns)
		return cooling(c->cooldown_ns - (now_ns - last_ns), fingerprint ? "this alert" :
			       "the trigger", why, cap);
	if (!p->hour_ns || now_ns - p->hour_ns >= HOUR_NS) {
		p->hour_ns = now_ns;
		p->n_hour = 0;
	}
	if (c->per_hour && p->n_hour >= c->per_hour) {
		snprintf(why, cap, "the trigger made %" PRIu32 " captures within this hour, "
			 "which is its limit", p->n_hour);
		return CAPTURE_REFUSED_LIMIT;
	}
	p->n_hour++;
	p->last_ns = now_ns;
	if (fingerprint) {
		p->seen[at].hash = hash;
		p->seen[at].ns = now_ns;
	}
	return CAPTURE_WRITTEN;
}

void policy_forget(struct policy *p, uint64_t asked_ns)
{
	if (p->last_ns == asked_ns)
		p->last_ns = 0;
	for (unsigned i = 0; i < POLICY_FINGERPRINTS; i++)
		if (p->seen[i].ns == asked_ns)
			p->seen[i].hash = p->seen[i].ns = 0;
	if (p->n_hour && asked_ns >= p->hour_ns)
		p->n_hour--;
}
