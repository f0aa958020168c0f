/* SPDX-License-Identifier: MIT */
/* What a filter can say of the events that a gap tells of: only their kinds are known. */
#include "core/bytes.h"
#include "filter/program.h"
#include "format/event.h"

static void add_kind(const struct scap_filter *f, uint32_t key, uint64_t n, uint64_t *sure,
		     uint64_t *maybe)
{
	unsigned type = SCAP_TALLY_TYPE(key), abi = SCAP_TALLY_ABI(key);
	int64_t nr = INT64_MIN;
	bool certain = true;

	if (scap__tally_is_other(key)) {
		*maybe += n;
		return;
	}
	if (type == SCAP_REC_CALL || type == SCAP_REC_ENTER)
		nr = SCAP_TALLY_NR(key);
	/* That of a close, which is there, but can't be chosen by its file. */
	if (type == SCAP_REC_FILE) {
		type = SCAP_REC_CALL;
		abi = SCAP_ABI_X86_64;
		nr = scap__syscall_nr(abi, "close");
		certain = false;
	}
	if (!scap__filter_may_end(f, type, abi, nr, SCAP__ACCEPT))
		return;
	if (certain && !scap__filter_may_end(f, type, abi, nr, SCAP__REJECT))
		*sure += n;
	else
		*maybe += n;
}

int scap_filter_gap(const struct scap_filter *f, const struct scap_event *ev, uint64_t *ret_sure,
		    uint64_t *ret_maybe)
{
	if (ev->type != SCAP_REC_GAP)
		return 1;
	*ret_sure = *ret_maybe = 0;
	if (ev->u.gap.unexplained)
		*ret_maybe = ev->u.gap.n_lost;
	else if (!f)
		*ret_sure = ev->u.gap.n_lost;
	else
		for (uint32_t i = 0; i < ev->u.gap.n_tally; i++) {
			const uint8_t *t = ev->u.gap.tally + i * sizeof(struct scap_tally);

			add_kind(f, scap__le32(t), scap__le32(t + 4), ret_sure, ret_maybe);
		}
	return 0;
}
