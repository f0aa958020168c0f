/* SPDX-License-Identifier: MIT */
/* The command line of scap watch(1), and the file that it names. */
#ifndef WATCH_OPTIONS_H
#define WATCH_OPTIONS_H

#include <stdbool.h>

struct watch_config;

struct watch_options {
	const char *file;	/* NULL: none */
	bool check, print;
};

/*
 * All that is configured: defaults, the file, and over it the command line; checked, also as a
 * whole. c: any memory; config_fini() is the caller's. Called again it reads the file again, as a
 * reload needs. False: the message was printed, and nothing is in c.
 */
bool options_read(int argc, char **argv, struct watch_options *o, struct watch_config *c);
/* False: the file is a pipe, or standard input: read once, and again would say nothing, or wait. */
bool options_again(int argc, char **argv);
/* What the configuration is called in messages. */
const char *options_file(const struct watch_options *o);

#endif
