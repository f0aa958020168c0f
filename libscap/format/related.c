/* SPDX-License-Identifier: MIT */
#include "core/bytes.h"
#include "format/event.h"

int scap_event_gap(const struct scap_event *ev, uint64_t *ret_n_lost,
		   uint64_t *ret_first_wall_ns, uint64_t *ret_last_wall_ns)
{
	uint64_t wall_of_raw = ev->wall_ns - ev->raw_ns;	/* modulo 2^64, as are the sums */

	if (ev->type != SCAP_REC_GAP)
		return 1;
	*ret_n_lost = ev->u.gap.n_lost;
	*ret_first_wall_ns = ev->u.gap.first_ns + wall_of_raw;
	*ret_last_wall_ns = ev->u.gap.last_ns + wall_of_raw;
	return 0;
}

bool scap_event_gap_unexplained(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_GAP && ev->u.gap.unexplained;
}

bool scap_event_gap_at_end(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_GAP && ev->u.gap.at_end;
}

uint64_t scap_event_gap_forks(const struct scap_event *ev)
{
	uint64_t n = 0;

	if (ev->type != SCAP_REC_GAP)
		return 0;
	if (ev->u.gap.unexplained)
		return ev->u.gap.n_lost;
	for (uint32_t i = 0; i < ev->u.gap.n_tally; i++) {
		const uint8_t *t = ev->u.gap.tally + i * sizeof(struct scap_tally);
		uint32_t key = scap__le32(t);

		if (scap__tally_is_other(key) || SCAP_TALLY_TYPE(key) == SCAP_REC_FORK)
			n += scap__le32(t + 4);
	}
	return n;
}

int scap_event_child(const struct scap_event *ev, uint32_t *ret_tid, uint32_t *ret_tgid)
{
	if (ev->type != SCAP_REC_FORK)
		return 1;
	*ret_tid = ev->u.fork.child_tid;
	*ret_tgid = ev->u.fork.child_tgid;
	return 0;
}
