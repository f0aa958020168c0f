/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that come into a probe: an interrupt sends a signal, or wakes a thread, while a record is
 * being built on this CPU, perhaps in the very place in the ring that the event would take. They
 * wait in a short queue beside the scratch memory until that probe ends. Whoever interrupts ends
 * before the interrupted goes on, so that what the queue holds is always whole when it is emptied.
 */
#ifndef KSCAP_LATE_H
#define KSCAP_LATE_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <scap/abi.h>

#include "consumer.h"

struct kscap_scratch;

#define KSCAP_LATE_RECS		32
#define KSCAP_LATE_BYTES	96	/* the largest record that can wait */

/* How all records that can wait begin. */
struct kscap_late_head {
	struct scap_rec h;
	u32 tid;
	u32 late_ns;
};

struct kscap_late_rec {
	u64 time_ns;		/* when it happened */
	u32 mask;		/* the consumers that want it */
	u32 bytes;
	union {
		struct kscap_late_head head;
		u8 rec[KSCAP_LATE_BYTES];
	};
};

struct kscap_late {
	atomic_t lost[KSCAP_MAX_CONSUMERS][SCAP_REC_INTRO];	/* by record type */
	struct kscap_late_rec recs[KSCAP_LATE_RECS];
};

/* Any context, preemption off: the record goes to those of the mask, now or when it can. */
void kscap_event_emit(const void *rec, u32 bytes, u32 mask);
/* A probe has given its scratch memory back, and something waits. */
void kscap_late_flush(struct kscap_scratch *s);

#endif
