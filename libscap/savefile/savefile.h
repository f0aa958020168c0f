/* SPDX-License-Identifier: MIT */
/*
 * The .scap files of sysdig and Falco, read as if they were captures of our own: a source that
 * translates them. docs/format-scap.md says what becomes what.
 */
#ifndef SCAP_SAVEFILE_SAVEFILE_H
#define SCAP_SAVEFILE_SAVEFILE_H

#include <scap/reader.h>

#include "core/arena.h"
#include "format/input.h"

struct scap__savefile;

/*
 * Looks at in's first bytes. Where they are those of a .scap file, or compressed, a translator
 * takes over what in read from, and in reads from the translator: *ret is set. Otherwise it stays
 * NULL.
 * 0, -errno, SCAP_ELIMIT. It is gone when in is.
 */
int scap__savefile_open(struct scap__input *in, struct scap__budget *budget,
			struct scap__savefile **ret);
/* After each step of the reader, which returned rc: its own words for an error, and figures. */
void scap__savefile_after(struct scap__savefile *sf, int rc, struct scap_error *err,
			  struct scap_capture_info *info);

/* The number by which .scap files know a call of this name; 0: none. */
unsigned scap__sf_code_of(const char *name);

#endif
