/* SPDX-License-Identifier: MIT */
/* Bytes from a source, buffered, with a look ahead. */
#ifndef SCAP_FORMAT_INPUT_H
#define SCAP_FORMAT_INPUT_H

#include <stdbool.h>

#include "core/arena.h"

#define SCAP__INPUT_BYTES (64u << 10)	/* also the longest look ahead */

struct scap__input {
	struct scap_source src;
	struct scap__budget *budget;
	uint8_t *buf;
	size_t start, end;
	uint64_t offset;	/* of buf[start], in the file */
	uint8_t *again;		/* what comes before more is read; NULL: nothing */
	size_t again_at, again_end, again_bytes;
	bool eof;
};

/* Takes over src, also on failure: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__input_init(struct scap__input *in, const struct scap_source *src,
		     struct scap__budget *budget);
void scap__input_fini(struct scap__input *in);
/* Up to n bytes ahead: how many there are (fewer only at the end) and where; negative: -errno. */
ssize_t scap__input_peek(struct scap__input *in, size_t n, const uint8_t **ret_p);
/* Goes past bytes that were peeked at. */
void scap__input_skip(struct scap__input *in, size_t n);
/* To another place: 0, -ENOTSUP, -errno. */
int scap__input_seek(struct scap__input *in, uint64_t offset);
/* Size of what is read, or -ENOTSUP, -errno. The place must be sought afterwards. */
int64_t scap__input_size(struct scap__input *in);
/* Copies up to n bytes: how many (fewer only at the end), or -errno. */
ssize_t scap__input_read(struct scap__input *in, void *dst, size_t n);
/* What was read ahead, or put back, and is still to come: so many bytes. */
size_t scap__input_ahead(const struct scap__input *in);
/* Goes back n bytes, if they are still in the buffer. */
bool scap__input_rewind(struct scap__input *in, size_t n);
/*
 * Puts back n bytes that were just read: they come again, then what is ahead. 0; or -ENOMEM,
 * SCAP_ELIMIT, then nothing has changed.
 */
int scap__input_unread(struct scap__input *in, const void *p, size_t n);

#endif
