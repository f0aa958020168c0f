/* SPDX-License-Identifier: MIT */
/* Valid records, made from a seed, and small captures of them. */
#ifndef SUPPORT_ROWS_H
#define SUPPORT_ROWS_H

#include <scap/abi.h>
#include <scap/io.h>
#include <scap/reader.h>
#include <scap/writer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing buffer; it is also what memory sinks write to and memory sources read from. */
struct rows {
	uint8_t *p;
	size_t n, cap;
};

void rows_put(struct rows *r, const void *data, size_t n);
void rows_free(struct rows *r);

uint64_t rows_random(uint64_t *seed);

/* Puts one record's head; rows_end() pads it and fills in its length. */
size_t rows_begin(struct rows *r, uint8_t type, uint8_t flags, uint32_t seq, uint64_t ns);
void rows_end(struct rows *r, size_t at);
void rows_blob(struct rows *r, unsigned slot, unsigned state, const void *data, size_t n,
	       uint32_t orig);

/* Whole records. */
void rows_call(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint16_t nr, int32_t ret);
void rows_call_file(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, uint32_t cookie);
void rows_intro(struct rows *r, uint32_t seq, uint64_t ns, uint32_t tid, const char *comm);
void rows_file(struct rows *r, uint32_t seq, uint64_t ns, uint32_t cookie, const char *path);
void rows_gap(struct rows *r, uint32_t seq, uint64_t ns, uint32_t first_seq,
	      const struct scap_tally *tally, uint32_t n_tally);
/* Any valid record of any type except GAP. */
void rows_any(struct rows *r, uint32_t seq, uint64_t ns, uint64_t *seed);

/* Sinks and sources over a struct rows, which stays the caller's. */
struct scap_sink rows_sink(struct rows *r);
struct rows_reader {
	const uint8_t *p;
	size_t n, at;
	size_t max_read;	/* bytes per call at most; 0: all */
	size_t n_read;		/* bytes given out */
};
struct scap_source rows_source(struct rows_reader *rr, const void *p, size_t n);

/* The seek of such a source, which it has if a test gives it. */
int64_t rows_seek(void *ctx, int64_t offset, int whence);

/* An event as far as tells it from others, with what it knows of its thread and file. */
struct rows_seen {
	uint64_t num, raw_ns, wall_ns, sum;
	uint32_t cpu;
	unsigned type;
};

struct rows_seen rows_see(const struct scap_event *ev);
bool rows_same(const struct rows_seen *a, const struct rows_seen *b);

/* What a capture made by rows_capture() holds, in the order in which it must be read. */
struct expected {
	uint64_t ns, order_ns;
	uint32_t cpu, seq;
	uint8_t type;
	uint32_t at, bytes;	/* of the record in `rows` of the CPU */
};

struct capture_spec {
	uint64_t seed;
	uint32_t n_cpus, n_slices;
	uint32_t per_slice;	/* records per CPU and slice, about */
	uint32_t slices_per_epoch;	/* 0: 1 */
	bool gaps;
	bool keyframes;		/* one of 4 tasks before every second slice */
	bool no_end;
	bool groups;		/* columns, not rows */
	bool trigger;		/* TRIGGERs, at the beginning and at the end */
	uint32_t first_seq;	/* not 0: goes on where another file ended, at this number + CPU */
	int level;
};

struct capture {
	struct rows file;
	struct rows *cpu_rows;	/* everything that each CPU wrote */
	uint32_t n_cpus;
	struct expected *expect;
	size_t n_expect;
	uint64_t n_stored, n_lost, n_gaps, n_bookkeeping;
	struct scap_ring_end *ends;
	uint64_t *slice_ends;	/* file offset behind each slice's section */
	uint32_t n_slices;
};

void rows_capture(struct capture *c, const struct capture_spec *spec);
void capture_free(struct capture *c);
/* Where the section at this offset lies, or, if that is a SCHEMA, the one behind it. */
uint64_t rows_behind_schema(const struct rows *file, uint64_t at);

#endif
