/* SPDX-License-Identifier: MIT */
#include "savefile/sock.h"

#define ACCESS_MODE	3u
#define DIRECTORY	0x10000u
#define TMPFILE		0x400000u
#define PAGE_BYTES	4096u

#define SF_BIT(set, there, here) { SCAP__SF_##set, true, there, here },
#define SF_VALUE(set, there, here) { SCAP__SF_##set, false, there, here },
static const struct number {
	uint8_t conv;
	bool bit;
	uint32_t there, here;
} numbers[] = {
#include "savefile/flags.def"
};
#undef SF_BIT
#undef SF_VALUE

/* Sets are rows next to each other. */
static bool from_table(enum scap__sf_conv conv, uint64_t *v)
{
	uint64_t there = *v, here = 0;
	bool found = false;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct number *n = &numbers[i];

		if (n->conv != conv)
			continue;
		if (n->bit) {
			found = true;
			if (there & n->there)
				here |= n->here;
		} else if (n->there == there) {
			*v = n->here;
			return true;
		}
	}
	*v = here;
	return found;
}

/*
 * There the access mode is one more than here; and O_DIRECTORY cannot be told from O_TMPFILE, which
 * only works for writing, where the former does not.
 */
uint32_t scap__sf_open_flags(uint32_t flags)
{
	uint32_t mode = flags & ACCESS_MODE ? (flags & ACCESS_MODE) - 1 : 0;
	uint64_t here = flags & ~ACCESS_MODE;

	from_table(SCAP__SF_OPEN, &here);
	if ((here & (DIRECTORY | TMPFILE)) == (DIRECTORY | TMPFILE) && !mode)
		here &= ~(uint64_t)TMPFILE;
	return (uint32_t)here | mode;
}

bool scap__sf_translate(enum scap__sf_conv conv, uint64_t *v)
{
	switch (conv) {
	case SCAP__SF_RAW:
		return true;
	case SCAP__SF_PAGES:
		*v *= PAGE_BYTES;
		return true;
	case SCAP__SF_OPEN:
		*v = scap__sf_open_flags((uint32_t)*v);
		return true;
	default:
		return from_table(conv, v);
	}
}
