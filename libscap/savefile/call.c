/* SPDX-License-Identifier: MIT */
/* Records of calls. */
#include "savefile/call.h"

static uint64_t epoch_of(const struct scap__sf_call *c)
{
	return c->sf->rows.start_ns >> SCAP_EPOCH_SHIFT;
}

static void introduce(struct scap__sf_call *c)
{
	struct scap__sf_rows *r = &c->sf->rows;

	scap__sf_introduce(r, c->ev->cpu, c->ev->ts, epoch_of(c), c->t);
	scap__sf_introduce_file(r, c->ev->cpu, c->ev->ts, epoch_of(c), c->file);
	scap__sf_introduce_file(r, c->ev->cpu, c->ev->ts, epoch_of(c), c->file2);
}

static unsigned call_flags(const struct scap__sf_call *c, bool *ret_ret64)
{
	unsigned flags = 0;

	*ret_ret64 = c->ret != (int32_t)c->ret;
	if (*ret_ret64)
		flags |= SCAP_CALL_RET64;
	if (!c->has_entry)
		flags |= SCAP_CALL_NO_ENTRY;
	if (c->latency_ns != SCAP_LATENCY_NONE && c->latency_ns >= SCAP_LATENCY_UNKNOWN)
		flags |= SCAP_CALL_LAT64;
	if (c->file || c->file2)
		flags |= SCAP_CALL_COOKIES;
	if (c->child)
		flags |= SCAP_CALL_CHILD;
	return flags;
}

static void put_args_and_blobs(struct scap__sf_call *c, unsigned nargs)
{
	struct scap__sf_rows *r = &c->sf->rows;

	for (unsigned i = 0; i < nargs; i++)
		scap__sf_row_u64(r, c->known >> i & 1 ? c->args[i] : 0);
	for (unsigned slot = 0; slot < SCAP_SLOTS; slot++) {
		const struct scap__sf_blob *b = &c->blobs[slot];

		if (b->any)
			scap__sf_row_blob(r, slot, b->state, b->p, b->n, b->orig);
	}
}

static void put_numbers(struct scap__sf_call *c, unsigned flags, unsigned nargs)
{
	struct scap__sf_rows *r = &c->sf->rows;
	bool short_latency = c->latency_ns < SCAP_LATENCY_UNKNOWN;
	uint8_t tail[4] = { (uint8_t)c->nr, (uint8_t)(c->nr >> 8),
			    SCAP_SHAPE(SCAP_ABI_X86_64, nargs),
			    (c->has_ret ? 0 : SCAP_MORE_NO_RET) | SCAP_MORE_NO_WORDS };

	scap__sf_row_u32(r, (uint32_t)c->ev->tid);
	scap__sf_row_u32(r, short_latency ? (uint32_t)c->latency_ns : SCAP_LATENCY_UNKNOWN);
	scap__sf_row_u32(r, (uint32_t)c->ret);
	scap__sf_row_put(r, tail, sizeof(tail));
	if (flags & SCAP_CALL_RET64)
		scap__sf_row_u64(r, (uint64_t)c->ret);
	if (flags & SCAP_CALL_LAT64)
		scap__sf_row_u64(r, c->latency_ns);
	if (flags & SCAP_CALL_COOKIES) {
		scap__sf_row_u32(r, c->file ? c->file->cookie : 0);
		scap__sf_row_u32(r, c->file2 ? c->file2->cookie : 0);
	}
}

void scap__sf_put_call(struct scap__sf_call *c)
{
	unsigned nargs = scap__sf_mark_unknown(c), flags;
	bool ret64;

	introduce(c);
	flags = call_flags(c, &ret64);
	scap__sf_row_begin(&c->sf->rows, c->ev->cpu, SCAP_REC_CALL, flags, c->ev->ts);
	put_numbers(c, flags, nargs);
	put_args_and_blobs(c, nargs);
	scap__sf_row_end(&c->sf->rows);
}

void scap__sf_put_enter(struct scap__sf_call *c)
{
	unsigned nargs = scap__sf_mark_unknown(c);
	uint8_t tail[4] = { (uint8_t)c->nr, (uint8_t)(c->nr >> 8),
			    SCAP_SHAPE(SCAP_ABI_X86_64, nargs), SCAP_MORE_NO_WORDS };
	struct scap__sf_rows *r = &c->sf->rows;

	introduce(c);
	scap__sf_row_begin(r, c->ev->cpu, SCAP_REC_ENTER, 0, c->ev->ts);
	scap__sf_row_u32(r, (uint32_t)c->ev->tid);
	scap__sf_row_put(r, tail, sizeof(tail));
	put_args_and_blobs(c, nargs);
	scap__sf_row_end(r);
}
