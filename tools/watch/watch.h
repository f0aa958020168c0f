/* SPDX-License-Identifier: MIT */
/* The recorder that scap watch is. */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

struct watch_config;

/*
 * Records until a signal ends it; enum tool_exit. argc and argv are read again, with
 * options_read(), when SIGHUP comes: what is in *c may be another configuration afterwards.
 */
int watch_run(struct watch_config *c, int argc, char **argv);

#endif
