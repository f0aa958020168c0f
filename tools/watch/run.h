/* SPDX-License-Identifier: MIT */
/* A running scap watch: what its parts share. */
#ifndef WATCH_RUN_H
#define WATCH_RUN_H

#include <pthread.h>
#include <scap/live.h>
#include <scap/monitor.h>
#include <scap/ring.h>
#include <stdatomic.h>

#include "watch/captures.h"
#include "watch/config.h"
#include "watch/server.h"
#include "watch/store.h"

struct watch {
	struct watch_config *c;
	int argc;
	char **argv;
	int signal_fd;
	uint32_t uid, gid;
	bool drops;		/* to uid and gid */
	struct hooks *hooks;
	struct store *store;
	struct scap_live *live;
	struct scap_ring *ring;
	struct scap_writer *writer;	/* until the recorder has it */
	struct scap_recorder *recorder;
	struct scap_monitor *monitor;
	struct scap_field *args;	/* of the event that fires */
	struct captures *captures;
	struct control *control;
	struct http *http;
	uint32_t *conditions;		/* of the monitor: which triggers they are of */
	/* For all threads: what the recorder's thread says of itself. */
	pthread_mutex_t lock;		/* of the configuration, while it is looked at or changed */
	_Atomic uint64_t raw_ahead_ns;	/* of the monotonic clock; it may be behind, and wraps */
	_Atomic uint64_t seen_mono_ns;	/* when the recorder's thread came by last */
	_Atomic uint64_t n_events, n_lost, bytes;
	_Atomic uint64_t n_reloads, n_reloads_failed, start_real_ns;
	uint64_t flushed_mono_ns, keyframe_mono_ns;
};

uint64_t watch_real_ns(void);
/* The raw clock now, from any thread. */
uint64_t watch_raw_ns(struct watch *w);

/* health.c: what servers ask for. */
struct watch_ops watch_make_ops(struct watch *w);

/* rules.c: triggers and what they look for. Messages are printed. */
bool watch_rules_new(struct watch *w);
/* Reads the configuration again; the old one stays in force where the new one is no good. */
void watch_reload(struct watch *w);
/* By hand: SIGUSR1. */
void watch_signalled(struct watch *w);

#endif
