/* SPDX-License-Identifier: MIT */
#include "column/column.h"

#include <errno.h>
#include <scap/error.h>
#include <stdlib.h>

#include "column/coding.h"
#include "core/bytes.h"

/* Planes of n numbers, for each width a loop that goes through memory once. */
#define PLANE(w) (uint64_t)p[(w) * n + i] << 8 * (w)
#define PLANES(width, value)                                                                     \
	case width:                                                                              \
		for (size_t i = 0; i < n; i++)                                                   \
			v[i] = base + (value);                                                   \
		break;

/* width is at most 8. */
static void get_planes(const uint8_t *restrict p, unsigned width, uint64_t base,
		       uint64_t *restrict v, size_t n)
{
	switch (width) {
	PLANES(0, 0)
	PLANES(1, PLANE(0))
	PLANES(2, (PLANE(0) | PLANE(1)))
	PLANES(3, (PLANE(0) | PLANE(1) | PLANE(2)))
	PLANES(4, (PLANE(0) | PLANE(1) | PLANE(2) | PLANE(3)))
	default:
		for (size_t i = 0; i < n; i++)
			v[i] = p[i];
		for (unsigned w = 1; w < width; w++)
			for (size_t i = 0; i < n; i++)
				v[i] |= PLANE(w);
		for (size_t i = 0; i < n; i++)
			v[i] += base;
	}
}
#undef PLANES
#undef PLANE

static const uint8_t *take_planes(struct scap__bytes *b, unsigned width, size_t n)
{
	if (n && width > b->n / n) {
		b->bad = true;
		return NULL;
	}
	return scap__take(b, n * width);
}

/* The exceptions stand in front of the planes: they are read twice. */
static void get_fixed(struct scap__bytes *b, uint64_t *v, size_t n)
{
	unsigned width = scap__get_u8(b);
	uint64_t base = scap__get_varint(b), n_left_out = scap__get_varint(b);
	struct scap__bytes left_out = *b;
	const uint8_t *planes;
	uint64_t at = 0;

	if (width > 8 || n_left_out > b->n / 2)
		b->bad = true;
	for (uint64_t i = 0; !b->bad && i < n_left_out; i++) {
		scap__get_varint(b);
		scap__get_varint(b);
	}
	planes = take_planes(b, width, n);
	if (!planes)
		return;
	get_planes(planes, width, base, v, n);
	for (uint64_t i = 0; i < n_left_out; i++) {
		uint64_t skip = scap__get_varint(&left_out), value = scap__get_varint(&left_out);

		if (skip >= n - at) {
			b->bad = true;
			return;
		}
		at += skip;
		v[at] = base + value;
	}
}

static void get_delta(struct scap__bytes *b, uint64_t *v, size_t n)
{
	uint64_t last = 0;

	get_fixed(b, v, n);
	for (size_t i = 0; !b->bad && i < n; i++)
		last = v[i] = last + scap__unzigzag(v[i]);
}

static void get_delta2(struct scap__bytes *b, uint64_t *v, size_t n)
{
	uint64_t last = 0, diff = 0;

	get_fixed(b, v, n);
	for (size_t i = 0; !b->bad && i < n; i++) {
		diff += scap__unzigzag(v[i]);
		last = v[i] = last + diff;
	}
}

static void get_const(struct scap__bytes *b, uint64_t *v, size_t n)
{
	uint64_t value = scap__get_varint(b);

	for (size_t i = 0; i < n; i++)
		v[i] = value;
}

static void get_dict(struct scap__bytes *b, uint64_t *v, size_t n)
{
	unsigned width = scap__get_u8(b);
	uint64_t n_dict = scap__get_varint(b), dict[SCAP__DICT_MAX];
	const uint8_t *planes;

	if (!width || width > 2 || n_dict > SCAP__DICT_MAX)
		b->bad = true;
	for (uint64_t i = 0; !b->bad && i < n_dict; i++)
		dict[i] = scap__get_varint(b);
	planes = take_planes(b, width, n);
	if (!planes)
		return;
	get_planes(planes, width, 0, v, n);
	for (size_t i = 0; i < n; i++) {
		if (v[i] >= n_dict) {
			b->bad = true;
			return;
		}
		v[i] = dict[v[i]];
	}
}

/* A run of each value; they must fill v exactly. */
static void expand(struct scap__bytes *b, const uint64_t *value, const uint64_t *length,
		   size_t n_runs, uint64_t *v, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n_runs; i++) {
		uint64_t one = value[i], times = length[i];

		if (times > n - at) {
			b->bad = true;
			return;
		}
		for (; times; times--)
			v[at++] = one;
	}
	if (at != n)
		b->bad = true;
}

static int get_runs(struct scap__budget *budget, struct scap__bytes *b, uint64_t *v, size_t n)
{
	uint64_t n_runs = scap__get_varint(b), *runs;
	size_t bytes = (size_t)n_runs * 2 * sizeof(*runs);
	void *room;
	int rc;

	if (n_runs > n) {
		b->bad = true;
		return 0;
	}
	rc = scap__alloc(budget, bytes + 1, &room);
	if (rc)
		return rc;
	runs = room;
	for (unsigned i = 0; i < 2; i++) {
		if (scap__get_u8(b) != SCAP__ENC_PLAIN)
			b->bad = true;
		get_fixed(b, runs + i * n_runs, (size_t)n_runs);
	}
	if (!b->bad)
		expand(b, runs, runs + n_runs, (size_t)n_runs, v, n);
	scap__free(budget, runs, bytes + 1);
	return 0;
}

int scap__column_get(struct scap__budget *budget, const uint8_t *p, size_t bytes, uint64_t *v,
		     size_t n)
{
	struct scap__bytes b = { p, bytes, false };
	int rc = 0;

	switch (scap__get_u8(&b)) {
	case SCAP__ENC_CONST:
		get_const(&b, v, n);
		break;
	case SCAP__ENC_PLAIN:
		get_fixed(&b, v, n);
		break;
	case SCAP__ENC_DELTA:
		get_delta(&b, v, n);
		break;
	case SCAP__ENC_DELTA2:
		get_delta2(&b, v, n);
		break;
	case SCAP__ENC_DICT:
		get_dict(&b, v, n);
		break;
	case SCAP__ENC_RUNS:
		rc = get_runs(budget, &b, v, n);
		break;
	default:
		b.bad = true;
	}
	return rc ? rc : b.bad || b.n ? SCAP_EDAMAGED : 0;
}

int scap__column_narrow(const uint64_t *restrict v, size_t n, uint32_t limit,
			uint16_t *restrict out)
{
	uint64_t all = 0;
	uint16_t most = 0;

	for (size_t i = 0; i < n; i++) {
		all |= v[i];
		out[i] = (uint16_t)v[i];
	}
	for (size_t i = 0; i < n; i++)
		most = out[i] > most ? out[i] : most;
	return all > UINT16_MAX || (n && most >= limit) ? -1 : 0;
}
