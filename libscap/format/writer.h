/* SPDX-License-Identifier: MIT */
/* What the parts of the writer share. */
#ifndef SCAP_FORMAT_WRITER_H
#define SCAP_FORMAT_WRITER_H

#include <scap/writer.h>
#include <zstd.h>

#include "core/buffer.h"
#include "format/layout.h"

struct scap_writer {
	struct scap_sink sink;
	struct scap_error error;	/* the first one */
	int fd;			/* of our own regular file; -1: a caller's sink, or no such file */
	bool refusing;		/* after a failure: takes no more slices */
	bool broken;		/* what was written does not end at a section's end */
	ZSTD_CCtx *zstd;
	struct scap__buffer raw;	/* a section: room for its header, then the payload */
	struct scap__buffer packed;	/* the same, compressed */
	uint64_t file_id;
	uint64_t bytes;		/* of whole sections written */
	uint32_t next_index;
	uint64_t last_end_ns;	/* of the last slice */
	uint64_t n_slices, n_records, row_bytes;
};

/* Begins a section's payload in w->raw. */
int scap__section_begin(struct scap_writer *w);
/* Compresses what w->raw holds and writes it. */
int scap__section_write(struct scap_writer *w, uint16_t type);

/* The payload of the HOST section, into w->raw. */
int scap__host_put(struct scap_writer *w, const struct scap_writer_options *opt);

/* Opens as scap_writer_open_path() promises; *ret_regular: a regular file, *ret_created: new. */
int scap__file_create(const char *path, bool force, int *ret_fd, bool *ret_regular,
		      bool *ret_created, struct scap_error *err);

#endif
