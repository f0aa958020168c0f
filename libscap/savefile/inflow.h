/* SPDX-License-Identifier: MIT */
/* The bytes of a .scap file, uncompressed, with a look ahead. */
#ifndef SCAP_SAVEFILE_INFLOW_H
#define SCAP_SAVEFILE_INFLOW_H

#include <scap/error.h>

#include "core/arena.h"
#include "format/input.h"

#define SCAP__SF_WINDOW (256u << 10)	/* also the longest look ahead */

struct scap__sf_codec;

struct scap__inflow {
	struct scap__input input;
	struct scap__sf_codec *codec;	/* NULL: it is not compressed */
	uint8_t *window;
	size_t start, end;
	uint64_t offset;		/* of window[start], uncompressed */
	bool eof;
	const char *what;		/* text for an error of the codec's */
};

/* Takes over *from, also on failure: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__inflow_init(struct scap__inflow *in, const struct scap__input *from,
		      struct scap__budget *budget);
void scap__inflow_fini(struct scap__inflow *in, struct scap__budget *budget);
bool scap__inflow_packed(const struct scap__inflow *in);
/* Whether the first bytes, n of them, are those of gzip or zstd. */
bool scap__inflow_is_packed(const uint8_t *p, size_t n);
/*
 * Up to n bytes ahead: how many there are (fewer only at the end) and where. Negative: -errno, or
 * SCAP_EDAMAGED or SCAP_ETRUNCATED where they do not decompress.
 */
ssize_t scap__inflow_peek(struct scap__inflow *in, size_t n, const uint8_t **ret_p);
void scap__inflow_skip(struct scap__inflow *in, size_t n);

#endif
