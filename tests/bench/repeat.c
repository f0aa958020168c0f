/* SPDX-License-Identifier: MIT */
/*
 * repeat N <IN.scap >OUT.scap: a plain capture N times over, each time with later times, so that it
 * is one of a longer while. For benchmarks: blocks are moved about, not checked.
 */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *in;
static size_t n_in;

static uint32_t u32(size_t at)
{
	uint32_t v;

	memcpy(&v, in + at, sizeof(v));
	return le32toh(v);
}

/* Where the block has its time; 0: it is no event. */
static size_t time_at(size_t block)
{
	switch (u32(block)) {
	case 0x204: case 0x216: case 0x221:
		return block + 8 + 2;	/* behind the CPU */
	case 0x208: case 0x217: case 0x222:
		return block + 8 + 6;	/* and flags */
	}
	return 0;
}

static void move_on(uint64_t by, uint64_t *ret_first, uint64_t *ret_last)
{
	for (size_t at = 0; at + 8 <= n_in && u32(at + 4) >= 12; at += u32(at + 4)) {
		size_t t = time_at(at);
		uint64_t ns;

		if (!t || t + 8 > n_in)
			continue;
		memcpy(&ns, in + t, sizeof(ns));
		ns = le64toh(ns) + by;
		*ret_first = ns < *ret_first ? ns : *ret_first;
		*ret_last = ns > *ret_last ? ns : *ret_last;
		ns = htole64(ns);
		memcpy(in + t, &ns, sizeof(ns));
	}
}

int main(int argc, char **argv)
{
	uint64_t first = UINT64_MAX, last = 0, ignored = 0;
	size_t cap = 0, got = 1;

	for (; got; n_in += got) {
		if (n_in + (1 << 20) > cap && !(in = realloc(in, cap = cap * 2 + (2 << 20))))
			return 1;
		got = fread(in + n_in, 1, 1 << 20, stdin);
	}
	move_on(0, &first, &last);
	for (int i = argc > 1 ? atoi(argv[1]) : 1; i > 0; i--) {
		if (fwrite(in, 1, n_in, stdout) != n_in)
			return 1;
		move_on(last - first + 1000000, &ignored, &ignored);
	}
	return 0;
}
