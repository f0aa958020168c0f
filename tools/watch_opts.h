/* SPDX-License-Identifier: MIT */
/* The options of `scap watch`, for scap, which shows them, and for scap-watch, which takes them. */
#ifndef SCAP_TOOLS_WATCH_OPTS_H
#define SCAP_TOOLS_WATCH_OPTS_H

#include "opts.h"

/* Where scap trigger finds it, if neither is told otherwise. */
#define WATCH_SOCKET "/run/scap/control"

enum watch_opt {
	WATCH_OPT_CONFIG = 1, WATCH_OPT_BEFORE, WATCH_OPT_AFTER, WATCH_OPT_TRIGGER, WATCH_OPT_DIR,
	WATCH_OPT_MEMORY, WATCH_OPT_RING, WATCH_OPT_KERNEL_RING, WATCH_OPT_SNAPLEN,
	WATCH_OPT_SYSCALL, WATCH_OPT_CGROUP, WATCH_OPT_SOCKET, WATCH_OPT_LISTEN,
	WATCH_OPT_TOKEN_FILE, WATCH_OPT_TLS_CERT, WATCH_OPT_TLS_KEY, WATCH_OPT_USER,
	WATCH_OPT_NO_SECCOMP, WATCH_OPT_CHECK, WATCH_OPT_PRINT,
};

extern const struct opt watch_opts[];
extern const char watch_usage[], watch_details[], watch_examples[];

/* A service manager should not start anew what can't be started. */
#define WATCH_EXITS "0 ok, or ended by a signal, 1 wrong usage or configuration, 2 failed"

/* The verb: only what runs is not the same. */
#define WATCH_VERB(how) { \
	.name = "watch", \
	.summary = "record all the time, and write a capture when something triggers it", \
	.usage = watch_usage, .details = watch_details, .opts = watch_opts, \
	.examples = watch_examples, .exits = WATCH_EXITS, .run = (how), \
}

#endif
