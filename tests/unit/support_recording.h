/* SPDX-License-Identifier: MIT */
/* A recording that goes into a ring, and whole into memory beside it, to compare captures with. */
#ifndef SUPPORT_RECORDING_H
#define SUPPORT_RECORDING_H

#include <scap/ring.h>
#include <scap/scap.h>

#include "support_rows.h"

#define E0 (1000 * SCAP_EPOCH_NS)
#define MAX_CPUS 4
#define MAX_EVENTS 400000

struct recording {
	struct scap_ring *ring;
	struct scap_writer *w, *whole;
	struct rows file;		/* the whole one */
	unsigned n_cpus;
	uint32_t seq[MAX_CPUS];
	uint64_t now_ns;
	uint64_t n_events, n_lost;
	unsigned payload;		/* bytes of random data per call */
	unsigned per_slice;
	bool gaps;
	bool gap_next;			/* soon */
	uint32_t lose_next;		/* in the first ring, and no record tells of it */
	bool tells;			/* where the rings stand, before each slice */
	unsigned keyframes;
};

extern struct recording rec;
extern uint64_t seed;
extern struct rows_seen *whole_seen, *cut_seen;
extern size_t n_whole, n_cut;
extern uint64_t whole_lost, cut_lost, cut_unexplained;

/* A directory of the test's own, and paths in it. */
void recording_setup(void);
void recording_teardown(void);
const char *in_dir(const char *name);

void rec_open(unsigned n_cpus, uint64_t bytes);
/* A slice from now on, a share of an epoch long; not all CPUs have something. */
void rec_slice(unsigned share);
void rec_keyframe(uint32_t parts);
/* Where the rings stand now: n_cpus of them. */
void rec_ends(struct scap_ring_end *ends);
/* What a recorder does when a window is over. */
void rec_complete(void);
void rec_close(bool clean);

/* The whole recording's events; it ends. */
void see_whole(void);
/* Those of the capture at path, which must be without damage. */
void see_cut(const char *path);
/* The same, and they are those of the whole one between two times: where these begin in it. */
size_t compare(const char *path, uint64_t from_ns, uint64_t to_ns);

#endif
