/* SPDX-License-Identifier: MIT */
/* Hooks: what is sent to the process that runs them, see store.h, and what comes back. */
#ifndef WATCH_HOOKS_H
#define WATCH_HOOKS_H

#include <scap/trigger.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK_BYTES_MAX (64 << 10)	/* of a message */
#define HOOK_QUEUE_MAX 64
#define HOOK_PARALLEL_MAX 64

enum hook_kind { HOOK_RUN = 1, HOOK_DROP };

/* Goes over the socket up to text + used: n_argv, then n_env strings with their ends. */
struct hook_job {
	uint32_t kind, parallel;
	uint64_t timeout_ns;
	uint32_t uid, gid;	/* HOOK_DROP */
	uint32_t n_argv, n_env;
	uint32_t used, pad;
	char text[HOOK_BYTES_MAX - 40];
};

/* Since the start; comes whenever it has changed. */
struct hook_counts {
	uint64_t n_run;		/* started, also those that could not be executed */
	uint64_t n_ok;		/* ended with status 0 */
	uint64_t n_failed;	/* did not end with status 0 */
	uint64_t n_killed;	/* of these: for their time */
	uint64_t n_skipped;	/* never started: too many waited */
	int64_t dropped;	/* answer to HOOK_DROP: 0 or -errno; 1: none yet */
};

/* False: too long. */
bool hook_job_init(struct hook_job *j, char *const argv[]);
/* NAME=VALUE; false: no room is left for it. */
bool hook_job_env(struct hook_job *j, const char *name, const char *value);
/*
 * All that a hook is told. A label whose name is taken (all but [A-Za-z0-9_] becomes _), or which
 * does not fit, is left out, and SCAP_LABELS_CUT=1 is set.
 */
bool hook_job_trigger(struct hook_job *j, const char *file, const struct scap_trigger *t);

struct hooks;
/* Does not wait; a hook that can't be taken is counted as skipped. */
void hooks_run(struct hooks *h, const struct hook_job *j);
void hooks_counts(struct hooks *h, struct hook_counts *ret);

/* The process itself: ends when the other end of fd is closed. */
_Noreturn void hooks_runner(int fd);

#endif
