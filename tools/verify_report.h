/* SPDX-License-Identifier: MIT */
/* What scap verify finds, place by place: lines, or the list in its JSON object. */
#ifndef SCAP_TOOLS_VERIFY_REPORT_H
#define SCAP_TOOLS_VERIFY_REPORT_H

#include "output.h"
#include "selection.h"

struct hole;

struct report {
	struct output out;
	bool json;
	bool selected;		/* a part of the capture is asked for */
	bool several;		/* something is in the list already */
	struct hole *holes;	/* by CPU */
	uint32_t n_holes;
	struct loss sum;	/* of all gaps */
	unsigned n_damages, n_doubts;
};

/* Why events may be missing that no gap tells of. */
enum doubt {
	DOUBT_DAMAGE,		/* of the file, in this range of time */
	DOUBT_NO_END,		/* losses from then on would not be told */
	DOUBT_BEFORE,		/* recording had not begun, or had ended */
	DOUBT_AFTER,
	DOUBT_UNCOUNTED,	/* of this kind of file */
};

/* False, as below: no memory; the message was printed. */
bool report_init(struct report *r, bool json, bool selected);
void report_fini(struct report *r);
bool report_gap(struct report *r, const struct scap_event *ev, const struct loss *l);
void report_damage(struct report *r, const struct scap_error *err);
void report_doubt(struct report *r, enum doubt doubt, uint64_t from_ns, uint64_t to_ns);
/* No more gaps come. */
void report_end(struct report *r);

#endif
