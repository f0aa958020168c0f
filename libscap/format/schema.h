/* SPDX-License-Identifier: MIT */
/* What of a capture's records was described already, and what is still to be. */
#ifndef SCAP_FORMAT_SCHEMA_H
#define SCAP_FORMAT_SCHEMA_H

#include <scap/abi.h>

#include "core/buffer.h"

#define SCAP__SCHEMA_CALLS SCAP_NR_BITMAP

struct scap__schema {
	uint64_t types[256 / 64];
	uint64_t calls[SCAP_ABIS][SCAP__SCHEMA_CALLS / 64];
	struct scap__buffer text;
};

struct scap_writer;

/* A kind of records that there will be: 0 or -ENOMEM. */
int scap__schema_kind(struct scap__schema *s, unsigned type, unsigned abi, unsigned nr);
/* A whole record, of a length that was checked: 0 or -ENOMEM. */
int scap__schema_note(struct scap__schema *s, const uint8_t *rec);
/* Writes what was noted since the last time: 0 or an error. */
int scap__schema_write(struct scap_writer *w);

#endif
