/* SPDX-License-Identifier: MIT */
/* Slices made by hand, and a monitor that they go to. */
#ifndef SUPPORT_MONITOR_H
#define SUPPORT_MONITOR_H

#include <scap/monitor.h>

#include "support_rows.h"

#define MONITOR_T0	(1000 * SCAP_EPOCH_NS)

struct monitor_fired {
	uint32_t condition;
	uint64_t num;
};

/* A monitor with what it told; records for the next slice by ring. */
struct watched {
	struct scap_monitor *m;
	struct monitor_fired *fired;
	size_t n_fired, cap;
	struct rows rings[4];
	uint32_t seq[4];
	uint64_t ns;		/* time of the next record */
};

/* flags of the monitor; maxima 0: the defaults. */
void watched_init(struct watched *w, const struct scap_condition *c, uint32_t n, uint32_t flags,
		  uint32_t max_programs, uint32_t max_sockets);
void watched_fini(struct watched *w);
void watched_fire(void *ctx, uint32_t condition, const struct scap_event *ev);
/* The rings' records as a slice over [start, end), which goes to the monitor. They stay. */
void watched_fill(const struct watched *w, uint64_t start, uint64_t end, struct scap_slice *s,
		  struct scap_slice_part *parts);
/* A slice up to the present time; the rings are empty afterwards. What the monitor returned. */
int watched_slice(struct watched *w);

/* One call; each goes on in time by 1 us. */
struct made_call {
	unsigned ring;
	uint32_t tid;
	unsigned abi;		/* SCAP_ABI_* */
	const char *name;
	int64_t ret;
	uint32_t cookie, cookie2;
	uint64_t args[6];
	unsigned nargs;		/* 0: one */
	const void *data;	/* of slot 1; NULL: none */
	size_t n, orig;		/* orig 0: n */
	unsigned state;
};

void watched_call(struct watched *w, const struct made_call *c);
void watched_intro(struct watched *w, unsigned ring, uint32_t tid, const char *comm,
		   uint64_t cgroup_id);
/* kind: SCAP_KIND_*; a socket is a stream unless it is a datagram's. */
void watched_file(struct watched *w, unsigned ring, uint32_t cookie, unsigned kind, bool datagram);
/* read(2) from and write(2) to a socket, in ring 0 by thread 100. */
void watched_read(struct watched *w, uint32_t cookie, const char *data);
void watched_write(struct watched *w, uint32_t cookie, const char *data);

#endif
