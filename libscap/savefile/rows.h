/* SPDX-License-Identifier: MIT */
/* Records in the making, by CPU. */
#ifndef SCAP_SAVEFILE_ROWS_H
#define SCAP_SAVEFILE_ROWS_H

#include "savefile/state.h"

struct scap__sf_bytes {
	uint8_t *p;
	size_t n, cap;
};

/* Room for n more bytes: 0, -ENOMEM, SCAP_ELIMIT. */
int scap__sf_bytes_reserve(struct scap__sf_bytes *b, struct scap__budget *budget, size_t n);
void scap__sf_bytes_put(struct scap__sf_bytes *b, const void *p, size_t n);
void scap__sf_bytes_fini(struct scap__sf_bytes *b, struct scap__budget *budget);

struct scap__sf_row {
	struct scap__sf_bytes bytes;
	uint32_t seq;		/* of the next record */
};

/*
 * A record is put between begin and end. Where memory is short, rc says so from then on and
 * nothing more is put: it is looked at once per event.
 */
struct scap__sf_rows {
	struct scap__budget *budget;
	struct scap__sf_row *cpus;
	uint32_t n_cpus;
	size_t bytes;		/* of all rows */
	int rc;
	struct scap__sf_row *row;	/* of the record in the making */
	size_t at;
	uint64_t start_ns, max_ns;	/* of the slice in the making */
	uint64_t end_ns;	/* of the one before */
	bool open;		/* there is one in the making */
};

void scap__sf_rows_init(struct scap__sf_rows *r, struct scap__budget *budget);
void scap__sf_rows_fini(struct scap__sf_rows *r);
/* All rows are written: they begin anew. */
void scap__sf_rows_clear(struct scap__sf_rows *r);

void scap__sf_row_begin(struct scap__sf_rows *r, uint32_t cpu, unsigned type, unsigned flags,
			uint64_t ns);
void scap__sf_row_put(struct scap__sf_rows *r, const void *p, size_t n);
void scap__sf_row_u32(struct scap__sf_rows *r, uint32_t v);
void scap__sf_row_u64(struct scap__sf_rows *r, uint64_t v);
void scap__sf_row_blob(struct scap__sf_rows *r, unsigned slot, unsigned state, const void *p,
		       size_t n, uint32_t orig);
void scap__sf_row_end(struct scap__sf_rows *r);

/* INTRO and FILE where the CPU has not got them yet; t, f may be NULL. */
void scap__sf_introduce(struct scap__sf_rows *r, uint32_t cpu, uint64_t ns, uint64_t epoch,
			struct scap__sf_thread *t);
void scap__sf_introduce_file(struct scap__sf_rows *r, uint32_t cpu, uint64_t ns, uint64_t epoch,
			     struct scap__sf_file *f);

/* The records themselves behind their heads, for keyframes, too. */
void scap__sf_put_thread(struct scap__sf_rows *r, const struct scap__sf_thread *t);
void scap__sf_put_file(struct scap__sf_rows *r, const struct scap__sf_file *f);

#endif
