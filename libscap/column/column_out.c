/* SPDX-License-Identifier: MIT */
#include "column/column.h"

#include <errno.h>
#include <string.h>

#include "column/coding.h"

#define TRIAL_VALUES 1024	/* of which an encoding is chosen */
#define SMALL_BYTES 40
#define TABLE_BITS 14	/* four times a full dictionary */
#define TABLE_BYTES (sizeof(uint32_t) << TABLE_BITS)
#define DICT_BYTES (SCAP__DICT_MAX * sizeof(uint64_t))
#define HEAD_MAX_BYTES (2 + 3 * SCAP__VARINT_MAX_BYTES)

static int grow(struct scap__values *c, size_t cap)
{
	void *v = c->v;
	int rc = scap__realloc(c->budget, &v, c->cap * sizeof(*c->v), cap * sizeof(*c->v));

	if (rc)
		return rc;
	c->v = v;
	c->cap = cap;
	return 0;
}

int scap__values_grow(struct scap__values *c)
{
	return grow(c, c->cap ? c->cap + c->cap / 2 : 64);
}

void scap__values_fini(struct scap__values *c)
{
	scap__free(c->budget, c->v, c->cap * sizeof(*c->v));
	*c = (struct scap__values){ .budget = c->budget };
}

static int reserve(struct scap__values *c, size_t n)
{
	return n <= c->cap ? 0 : grow(c, n);
}

int scap__trial_init(struct scap__trial *t, struct scap__budget *budget)
{
	*t = (struct scap__trial){
		.budget = budget, .zstd = ZSTD_createCCtx(), .coded.budget = budget,
		.packed.budget = budget, .a.budget = budget, .b.budget = budget,
		.dict = scap__new(budget, DICT_BYTES), .table = scap__new(budget, TABLE_BYTES),
	};
	if (!t->zstd || !t->dict || !t->table) {
		scap__trial_fini(t);
		return -ENOMEM;
	}
	ZSTD_CCtx_setParameter(t->zstd, ZSTD_c_compressionLevel, 1);
	return 0;
}

void scap__trial_fini(struct scap__trial *t)
{
	ZSTD_freeCCtx(t->zstd);
	scap__buffer_fini(&t->coded);
	scap__buffer_fini(&t->packed);
	scap__values_fini(&t->a);
	scap__values_fini(&t->b);
	scap__free(t->budget, t->dict, DICT_BYTES);
	scap__free(t->budget, t->table, TABLE_BYTES);
	*t = (struct scap__trial){ 0 };
}

/* ---- fixed width ---------------------------------------------------------------------------- */

static unsigned width_of(uint64_t v)
{
	return v ? (71 - (unsigned)__builtin_clzll(v)) / 8 : 0;
}

/* The least width that leaves few numbers out; an exception takes some 6 bytes. */
static unsigned choose_width(const uint64_t *v, size_t n, uint64_t base, size_t *ret_left_out)
{
	size_t of_width[9] = { 0 }, best = SIZE_MAX, wider = 0;
	unsigned width = 8;

	for (size_t i = 0; i < n; i++)
		of_width[width_of(v[i] - base)]++;
	for (unsigned w = 8;; w--) {
		size_t cost = n * w + wider * 6;

		if (wider > n / 16)
			break;
		if (cost <= best) {
			best = cost;
			width = w;
			*ret_left_out = wider;
		}
		if (!w)
			break;
		wider += of_width[w];
	}
	return width;
}

/* A byte of each number, then the next byte of each: like lies beside like. */
static void put_planes(struct scap__buffer *out, const uint64_t *v, size_t n, uint64_t base,
		       unsigned width)
{
	uint8_t *p = out->p + out->n;

	for (unsigned w = 0; w < width; w++)
		for (size_t i = 0; i < n; i++)
			*p++ = (uint8_t)((v[i] - base) >> 8 * w);
	out->n += n * width;
}

static int put_fixed(enum scap__encoding enc, const uint64_t *v, size_t n,
		     struct scap__buffer *out)
{
	size_t left_out = 0, last = 0;
	uint64_t base = UINT64_MAX, most = 0;
	unsigned width;

	for (size_t i = 0; i < n; i++) {
		base = v[i] < base ? v[i] : base;
		most = v[i] > most ? v[i] : most;
	}
	width = n ? width_of(most - base) : 0;
	if (width > 1)
		width = choose_width(v, n, base, &left_out);
	if (scap__buffer_reserve(out, HEAD_MAX_BYTES + left_out * 2 * SCAP__VARINT_MAX_BYTES +
				 n * width))
		return -ENOMEM;
	out->p[out->n++] = (uint8_t)enc;
	out->p[out->n++] = (uint8_t)width;
	scap__buffer_put_varint(out, base);
	scap__buffer_put_varint(out, left_out);
	for (size_t i = 0; left_out && i < n; i++) {
		if (width_of(v[i] - base) <= width)
			continue;
		scap__buffer_put_varint(out, i - last);
		scap__buffer_put_varint(out, v[i] - base);
		last = i;
	}
	put_planes(out, v, n, base, width);
	return 0;
}

/* ---- the others ------------------------------------------------------------------------------ */

static int put_const(const uint64_t *v, size_t n, struct scap__buffer *out)
{
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return 1;
	if (!n || scap__buffer_reserve(out, HEAD_MAX_BYTES))
		return n ? -ENOMEM : 1;
	out->p[out->n++] = SCAP__ENC_CONST;
	scap__buffer_put_varint(out, v[0]);
	return 0;
}

static int put_delta(struct scap__trial *t, enum scap__encoding enc, const uint64_t *v, size_t n,
		     struct scap__buffer *out)
{
	uint64_t last = 0, last_diff = 0;

	if (reserve(&t->a, n))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint64_t diff = v[i] - last;

		t->a.v[i] = scap__zigzag(enc == SCAP__ENC_DELTA2 ? diff - last_diff : diff);
		last = v[i];
		last_diff = diff;
	}
	return put_fixed(enc, t->a.v, n, out);
}

/* Its place in the dictionary, to which it is added if there is room; else SCAP__DICT_MAX. */
static uint32_t dict_place(struct scap__trial *t, unsigned table_bits, uint64_t v,
			   uint32_t *n_dict)
{
	uint32_t at = (uint32_t)(v * 0x9e3779b97f4a7c15ull >> (64 - table_bits));

	for (;; at = (at + 1) & ((1u << table_bits) - 1)) {
		uint32_t place = t->table[at];

		if (place < *n_dict && t->dict[place] == v)
			return place;
		if (place < *n_dict)
			continue;
		if (*n_dict == SCAP__DICT_MAX)
			return SCAP__DICT_MAX;
		t->dict[*n_dict] = v;
		t->table[at] = *n_dict;
		return (*n_dict)++;
	}
}

static int put_dict(struct scap__trial *t, const uint64_t *v, size_t n, struct scap__buffer *out)
{
	uint32_t n_dict = 0;
	unsigned width, table_bits = 4;

	while (table_bits < TABLE_BITS && n > 1u << (table_bits - 1))
		table_bits++;
	if (reserve(&t->a, n))
		return -ENOMEM;
	memset(t->table, 0xff, sizeof(*t->table) << table_bits);
	for (size_t i = 0; i < n; i++) {
		t->a.v[i] = dict_place(t, table_bits, v[i], &n_dict);
		if (t->a.v[i] == SCAP__DICT_MAX)
			return 1;
	}
	width = n_dict > 256 ? 2 : 1;
	if (scap__buffer_reserve(out, HEAD_MAX_BYTES + (size_t)n_dict * SCAP__VARINT_MAX_BYTES +
				 n * width))
		return -ENOMEM;
	out->p[out->n++] = SCAP__ENC_DICT;
	out->p[out->n++] = (uint8_t)width;
	scap__buffer_put_varint(out, n_dict);
	for (uint32_t i = 0; i < n_dict; i++)
		scap__buffer_put_varint(out, t->dict[i]);
	put_planes(out, t->a.v, n, 0, width);
	return 0;
}

/* The values of runs in t->a, their lengths in t->b. */
static int find_runs(struct scap__trial *t, const uint64_t *v, size_t n)
{
	t->a.n = t->b.n = 0;
	for (size_t i = 0; i < n; i++) {
		if (i && v[i] == v[i - 1]) {
			t->b.v[t->b.n - 1]++;
			continue;
		}
		if (t->a.n > n / 2)
			return 1;
		if (scap__values_add(&t->a, v[i]) || scap__values_add(&t->b, 1))
			return -ENOMEM;
	}
	return 0;
}

static int put_runs(struct scap__trial *t, const uint64_t *v, size_t n, struct scap__buffer *out)
{
	int rc = find_runs(t, v, n);

	if (rc)
		return rc;
	if (scap__buffer_reserve(out, HEAD_MAX_BYTES))
		return -ENOMEM;
	out->p[out->n++] = SCAP__ENC_RUNS;
	scap__buffer_put_varint(out, t->a.n);
	rc = put_fixed(SCAP__ENC_PLAIN, t->a.v, t->a.n, out);
	return rc ? rc : put_fixed(SCAP__ENC_PLAIN, t->b.v, t->b.n, out);
}

int scap__column_put_as(struct scap__trial *t, enum scap__encoding enc, const uint64_t *v, size_t n,
			struct scap__buffer *out)
{
	switch (enc) {
	case SCAP__ENC_CONST:
		return put_const(v, n, out);
	case SCAP__ENC_DELTA:
	case SCAP__ENC_DELTA2:
		return put_delta(t, enc, v, n, out);
	case SCAP__ENC_DICT:
		return put_dict(t, v, n, out);
	case SCAP__ENC_RUNS:
		return put_runs(t, v, n, out);
	default:
		return put_fixed(SCAP__ENC_PLAIN, v, n, out);
	}
}

/* ---- the choice ------------------------------------------------------------------------------ */

/* What the sample takes in this encoding, compressed; SIZE_MAX: it can't hold it. */
static size_t try(struct scap__trial *t, enum scap__encoding enc, const uint64_t *v, size_t n)
{
	size_t got;

	t->coded.n = 0;
	if (scap__column_put_as(t, enc, v, n, &t->coded))
		return SIZE_MAX;
	if (scap__buffer_reserve(&t->packed, ZSTD_compressBound(t->coded.n)))
		return SIZE_MAX;
	got = ZSTD_compress2(t->zstd, t->packed.p, t->packed.cap, t->coded.p, t->coded.n);
	return ZSTD_isError(got) || got > t->coded.n ? t->coded.n : got;
}

/* The sample is taken from the middle: how a group begins is not how it goes on. */
static enum scap__encoding choose(struct scap__trial *t, const uint64_t *v, size_t n)
{
	size_t n_try = n < TRIAL_VALUES ? n : TRIAL_VALUES, best = SIZE_MAX;
	enum scap__encoding enc = SCAP__ENC_PLAIN;

	for (int e = SCAP__ENC_PLAIN; e < SCAP__ENCODINGS; e++) {
		size_t bytes;

		/* Small enough: nothing can save what another trial takes. */
		if (best < SMALL_BYTES)
			break;
		bytes = try(t, (enum scap__encoding)e, v + (n - n_try) / 2, n_try);
		if (bytes < best) {
			best = bytes;
			enc = (enum scap__encoding)e;
		}
	}
	return enc;
}

int scap__column_put(struct scap__trial *t, const uint64_t *v, size_t n, struct scap__buffer *out)
{
	size_t begin = out->n;
	int rc = put_const(v, n, out);

	if (rc <= 0)
		return rc;
	rc = scap__column_put_as(t, choose(t, v, n), v, n, out);
	if (rc <= 0)
		return rc;
	/* The sample had fewer values than a dictionary holds, or longer runs. */
	out->n = begin;
	return put_fixed(SCAP__ENC_PLAIN, v, n, out);
}
