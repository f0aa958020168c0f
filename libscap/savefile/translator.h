/* SPDX-License-Identifier: MIT */
/* The translator's parts, and what they share. */
#ifndef SCAP_SAVEFILE_TRANSLATOR_H
#define SCAP_SAVEFILE_TRANSLATOR_H

#include <scap/writer.h>

#include "core/bytes.h"
#include "savefile/inflow.h"
#include "savefile/rows.h"
#include "savefile/savefile.h"
#include "savefile/state.h"

#define SCAP__SF_PARAMS_MAX 40
#define SCAP__SF_TYPES_MAX 512

/* An event as it lies in its block. */
struct scap__sf_event {
	uint64_t ts, tid;
	uint32_t cpu;
	uint16_t type;
	bool hidden;		/* it only says what has changed */
	uint32_t n_params;
	struct scap__sf_param {
		const uint8_t *p;
		uint32_t n;
	} params[SCAP__SF_PARAMS_MAX];
};

struct scap__savefile {
	struct scap__inflow in;
	struct scap__budget *budget;
	struct scap_error error;	/* the last one */
	int pending;		/* that error, still to be told; 0: none */
	bool fatal;		/* nothing more comes behind it */
	bool told;		/* told, and not yet given its words */
	bool begun;		/* a section's head was read: it is a .scap file */
	bool in_events;		/* behind the section's lists */
	bool ended;
	uint16_t minor;

	struct scap__sf_state state;
	struct scap__sf_rows rows;
	struct scap_writer *writer;
	struct scap__sf_bytes out;	/* what the writer wrote */
	size_t out_at;			/* and was read from here */
	uint32_t n_keyframes;

	/* From the lists. */
	char hostname[129];
	uint32_t n_cpus;
	uint64_t boot_ns;	/* wall time of the boot; 0: not known */
	uint64_t ahead_ns;	/* raw time less wall time, in the section at hand */
	struct scap__sf_bytes users, groups;

	int16_t nr_of_type[SCAP__SF_TYPES_MAX];	/* plus 2; 0: not looked up yet */
	int16_t nr_of_code[SCAP__SF_TYPES_MAX];
	uint8_t effects[SCAP__SF_TYPES_MAX];	/* of calls, by number: rows of a table */

	uint64_t first_ns, last_ns;
	uint64_t n_untranslated, n_nameless;
};

/* ---- errors -------------------------------------------------------------------------------- */

/* Damage at `offset` of the uncompressed file, after which it goes on: 0. */
int scap__sf_damaged(struct scap__savefile *sf, uint64_t offset, const char *what);
/* An error at its end; returns code. */
int scap__sf_fatal(struct scap__savefile *sf, int code, const char *what);

/* ---- blocks.c ------------------------------------------------------------------------------- */

/* The next block: 0, 1 at the end of the file, or an error. */
int scap__sf_next_block(struct scap__savefile *sf);

/* ---- lists.c: the body of a block of that type; false: it is damaged ------------------------ */

bool scap__sf_machine(struct scap__savefile *sf, struct scap__bytes b);
/*
 * The first entry of a block's body that still has `left` bytes, of which `b` holds the first:
 * how many bytes it was; 0: it is damaged.
 */
size_t scap__sf_process(struct scap__savefile *sf, struct scap__bytes b, uint32_t block);
size_t scap__sf_descriptor(struct scap__savefile *sf, struct scap__bytes b, uint32_t block,
			   uint64_t tid);
size_t scap__sf_user(struct scap__savefile *sf, struct scap__bytes b, uint32_t block);

/* ---- keyframe.c ------------------------------------------------------------------------------ */

/* What the lists said, as a keyframe at time ns. */
int scap__sf_keyframe(struct scap__savefile *sf, uint64_t ns);

/* ---- output.c -------------------------------------------------------------------------------- */

/* The file's header and host, once. */
int scap__sf_begin(struct scap__savefile *sf, uint64_t ns);
/* Writes a slice of all rows there are. */
int scap__sf_flush(struct scap__savefile *sf);
/* Names that were told hold no more: what follows is in another epoch. */
void scap__sf_forget_names(struct scap__savefile *sf);
int scap__sf_end(struct scap__savefile *sf);
/* Before an event at ns: a slice may have to end.. */
int scap__sf_advance(struct scap__savefile *sf, uint64_t ns);

/* ---- effects.c ------------------------------------------------------------------------------- */

void scap__sf_effects_init(struct scap__savefile *sf);

/* ---- events.c ------------------------------------------------------------------------------- */

/* Whether there is a record for such an event; only those are given to scap__sf_event(). */
bool scap__sf_has_record(struct scap__savefile *sf, const struct scap__sf_event *ev);
int scap__sf_event(struct scap__savefile *sf, const struct scap__sf_event *ev);
/* Calls that were still under way at the end. */
int scap__sf_unfinished(struct scap__savefile *sf);
bool scap__sf_type_is_large(unsigned type);
/* Parameters that an event of that type has at most; those of types without a row: 0. */
unsigned scap__sf_type_params(unsigned type);

#endif
