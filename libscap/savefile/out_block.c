/* SPDX-License-Identifier: MIT */
/*
 * Blocks, and their order. A heap of finished blocks holds back as many bytes as the window has;
 * the earliest goes first, of equal times the one that was put first. So the enter of a call comes
 * before its exit, and behind the exit before it of the same thread.
 */
#include "savefile/out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_EVENT 0x216u
#define BLOCK_EVENT_FLAGS 0x217u
#define FLAG_STATE_ONLY 1u
#define EVENT_HEAD 26u		/* of the event, before its lengths */
/* Type, length, CPU, flags, and the length again behind the padding. */
#define BLOCK_OVERHEAD (8u + 2u + 4u + 3u + 4u)

static uint8_t *put_u16(uint8_t *p, uint16_t v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_u64(uint8_t *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

/* The event as a block, at p; how many bytes it takes. */
static uint32_t build(const struct scap_export *x, const struct scap__export_event *e, uint8_t *p)
{
	const struct scap__export_params *params = &x->params;
	uint32_t event = EVENT_HEAD + params->n * 2 + params->used;
	uint32_t body = 2 + (e->state_only ? 4 : 0) + event;
	uint32_t total = 12 + ((body + 3) & ~3u);
	uint8_t *end = p + total - 4;

	p = put_u32(p, e->state_only ? BLOCK_EVENT_FLAGS : BLOCK_EVENT);
	p = put_u32(p, total);
	p = put_u16(p, (uint16_t)e->cpu);
	if (e->state_only)
		p = put_u32(p, FLAG_STATE_ONLY);
	p = put_u64(p, e->ns);
	p = put_u64(p, e->tid);
	p = put_u32(p, event);
	p = put_u16(p, e->type);
	p = put_u32(p, params->n);
	for (unsigned i = 0; i < params->n; i++)
		p = put_u16(p, params->lens[i]);
	memcpy(p, params->data, params->used);
	p += params->used;
	while (p < end)
		*p++ = 0;
	put_u32(end, total);
	return total;
}

/* ---- the order ----------------------------------------------------------------------------- */

static bool before(const struct scap__export_held *a, const struct scap__export_held *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static int push(struct scap_export *x, struct scap__export_held held)
{
	uint32_t i = x->n_heap;

	if (i == x->heap_cap) {
		uint32_t cap = x->heap_cap ? x->heap_cap * 2 : 1024;
		void *heap = realloc(x->heap, cap * sizeof(*x->heap));

		if (!heap)
			return -ENOMEM;
		x->heap = heap;
		x->heap_cap = cap;
	}
	for (; i && before(&held, &x->heap[(i - 1) / 2]); i = (i - 1) / 2)
		x->heap[i] = x->heap[(i - 1) / 2];
	x->heap[i] = held;
	x->n_heap++;
	x->held_bytes += held.ahead ? 0 : held.bytes;
	return 0;
}

static struct scap__export_held pop(struct scap_export *x)
{
	struct scap__export_held top = x->heap[0], last = x->heap[--x->n_heap];
	uint32_t i = 0, child;

	for (; (child = 2 * i + 1) < x->n_heap; i = child) {
		if (child + 1 < x->n_heap && before(&x->heap[child + 1], &x->heap[child]))
			child++;
		if (!before(&x->heap[child], &last))
			break;
		x->heap[i] = x->heap[child];
	}
	x->heap[i] = last;
	x->held_bytes -= top.ahead ? 0 : top.bytes;
	return top;
}

static int write_top(struct scap_export *x)
{
	struct scap__export_held top = pop(x);
	int rc = scap__export_write(x, top.block, top.bytes);

	x->last_ns = top.ns;
	free(top.block);
	return rc;
}

int scap__export_flush(struct scap_export *x)
{
	int rc = 0;

	while (x->n_heap) {
		int one = write_top(x);

		rc = rc ? rc : one;
	}
	return rc;
}

int scap_export_flush(struct scap_export *x)
{
	if (!x->failed && !scap__export_flush(x))
		x->last_ns = 0;
	return x->failed;
}

uint32_t scap__export_block_bytes(const struct scap_export *x)
{
	return BLOCK_OVERHEAD + EVENT_HEAD + x->params.n * 2 + x->params.used;
}

int scap__export_hold(struct scap_export *x, const struct scap__export_event *e, bool ahead)
{
	struct scap__export_held held = { .ns = e->ns, .order = x->next_order++, .ahead = ahead };

	held.block = malloc(scap__export_block_bytes(x));
	if (!held.block)
		return scap__export_fail(x, -ENOMEM, "out of memory");
	held.bytes = build(x, e, held.block);
	x->counts.n_written++;
	x->counts.n_cut += x->params.cut;
	if (!push(x, held))
		return 0;
	free(held.block);
	return scap__export_fail(x, -ENOMEM, "out of memory");
}

int scap__export_emit(struct scap_export *x, const struct scap__export_event *event)
{
	struct scap__export_event e = *event;

	if (x->failed)
		return x->failed;
	if (e.ns < x->last_ns) {
		x->counts.n_late_enters += e.early;
		e.ns = x->last_ns;
	}
	if (scap__export_hold(x, &e, false))
		return x->failed;
	while (x->held_bytes > x->window_bytes)
		if (write_top(x))
			return x->failed;
	return 0;
}

int scap__export_block(struct scap_export *x, uint32_t type)
{
	uint32_t pad = (uint32_t)(-x->block.n & 3), total = (uint32_t)x->block.n + pad + 12;
	uint8_t head[8], tail[8] = { 0 };

	put_u32(put_u32(head, type), total);
	put_u32(tail + pad, total);
	if (scap__export_write(x, head, sizeof(head)) ||
	    scap__export_write(x, x->block.p, x->block.n) ||
	    scap__export_write(x, tail, pad + 4))
		return x->failed;
	return 0;
}
