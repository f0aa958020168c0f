/* SPDX-License-Identifier: MIT */
/* Pieces that the ways of printing share. */
#ifndef SCAP_PRINT_LINE_H
#define SCAP_PRINT_LINE_H

#include <scap/print.h>

#include "filter/out.h"
#include "format/event.h"

/* A copy of opt in which what the caller's (possibly shorter) structure lacks is 0. */
void scap__print_options(struct scap_print_options *out, const struct scap_print_options *opt);
/* A moment on the wall clock, in the form that opt asks for. */
void scap__out_moment(struct scap__out *o, uint64_t wall_ns, const struct scap_print_options *opt);
/* Whether the event has a result worth showing (calls and entries do). */
static inline bool scap__shows_result(const struct scap_event *ev)
{
	return ev->type == SCAP_REC_CALL || ev->type == SCAP_REC_ENTER;
}

/* What a gap says in words: "1234 events lost on cpu 1 between T1 and T2: read 1000, ...". */
void scap__out_gap(struct scap__out *o, const struct scap_event *ev,
		   const struct scap_print_options *opt);

struct scap__tally_item {
	const char *name;
	char name_buf[32];
	uint32_t count;
};

#define SCAP__TALLY_SHOWN 16

/*
 * The most frequent kinds of what a gap lost, up to SCAP__TALLY_SHOWN; returns their number, and
 * in *ret_rest how many events the other kinds hold.
 */
unsigned scap__gap_tally(const struct scap_event *ev, struct scap__tally_item *items,
			 uint64_t *ret_rest);
uint64_t scap__gap_wall_ns(const struct scap_event *ev, uint64_t raw_ns);

#endif
