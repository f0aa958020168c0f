/* SPDX-License-Identifier: MIT */
#include "column/heap.h"

#include <errno.h>
#include <string.h>

/* Eight bytes at a time; only ever compared with hashes of this process. */
static uint64_t hash_of(const uint8_t *p, size_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15ull, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word) * 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 29;
}

void scap__heap_init(struct scap__heap *h, struct scap__budget *budget)
{
	*h = (struct scap__heap){
		.budget = budget, .lengths.budget = budget, .starts.budget = budget,
		.bytes.budget = budget,
	};
}

static size_t table_bytes(size_t n)
{
	return n * sizeof(uint32_t);
}

static size_t hash_bytes(size_t n_table)
{
	return n_table / 2 * sizeof(uint64_t);
}

static int grow(struct scap__heap *h)
{
	size_t n = h->n_table ? h->n_table * 2 : 1024;
	uint32_t *table = scap__new(h->budget, table_bytes(n));
	void *hashes = h->hashes;

	if (!table ||
	    scap__realloc(h->budget, &hashes, hash_bytes(h->n_table), hash_bytes(n))) {
		scap__free(h->budget, table, table_bytes(n));
		return -ENOMEM;
	}
	h->hashes = hashes;
	for (size_t i = 0; i < h->lengths.n; i++) {
		size_t at = h->hashes[i] & (n - 1);

		while (table[at])
			at = (at + 1) & (n - 1);
		table[at] = (uint32_t)i + 1;
	}
	scap__free(h->budget, h->table, table_bytes(h->n_table));
	h->table = table;
	h->n_table = n;
	return 0;
}

static int add(struct scap__heap *h, const void *p, size_t n, uint64_t hash, uint32_t *slot)
{
	if (scap__values_add(&h->starts, h->bytes.n) || scap__buffer_add(&h->bytes, p, n) ||
	    scap__values_add(&h->lengths, n))
		return -ENOMEM;
	h->hashes[h->lengths.n - 1] = hash;
	*slot = (uint32_t)h->lengths.n;
	return 0;
}

int scap__heap_place(struct scap__heap *h, const void *p, size_t n, uint64_t *ret_place)
{
	uint64_t hash = hash_of(p, n);
	size_t at;

	if (h->lengths.n >= h->n_table / 2 && grow(h))
		return -ENOMEM;
	for (at = hash & (h->n_table - 1); h->table[at]; at = (at + 1) & (h->n_table - 1)) {
		uint32_t place = h->table[at] - 1;

		if (h->hashes[place] == hash && h->lengths.v[place] == n &&
		    !memcmp(h->bytes.p + h->starts.v[place], p, n)) {
			*ret_place = place;
			return 0;
		}
	}
	*ret_place = h->lengths.n;
	return add(h, p, n, hash, &h->table[at]);
}

void scap__heap_clear(struct scap__heap *h)
{
	h->lengths.n = h->starts.n = h->bytes.n = 0;
	if (h->table)
		memset(h->table, 0, h->n_table * sizeof(*h->table));
}

void scap__heap_fini(struct scap__heap *h)
{
	scap__values_fini(&h->lengths);
	scap__values_fini(&h->starts);
	scap__buffer_fini(&h->bytes);
	scap__free(h->budget, h->table, table_bytes(h->n_table));
	scap__free(h->budget, h->hashes, hash_bytes(h->n_table));
	scap__heap_init(h, h->budget);
}
