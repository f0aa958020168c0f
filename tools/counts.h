/* SPDX-License-Identifier: MIT */
/* How often each text came: the table behind --count-by. */
#ifndef SCAP_TOOLS_COUNTS_H
#define SCAP_TOOLS_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNTS_MAX 1000000u	/* different texts */
#define COUNTS_MAX_BYTES (256u << 20)	/* of all texts */

struct count {
	char *text;
	uint32_t hash, bytes;
	uint64_t n;
};

struct counts {
	struct count *rows;
	uint32_t *index;	/* row + 1; 0: free */
	uint32_t n, cap, index_cap;
	size_t text_bytes;
};

void counts_init(struct counts *c);
void counts_fini(struct counts *c);
/* 0, -ENOMEM, or -E2BIG: one text more than the limits allow. */
int counts_add(struct counts *c, const char *text, size_t bytes);
/* By descending count, then text. Nothing may be added afterwards. */
void counts_sort(struct counts *c);

#endif
