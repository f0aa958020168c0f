/* SPDX-License-Identifier: MIT */
/* What the parts of `scap record` share. */
#ifndef SCAP_TOOLS_RECORD_H
#define SCAP_TOOLS_RECORD_H

#include "command.h"
#include "opts.h"

#include <scap/live.h>

#include <stdbool.h>
#include <stdint.h>

struct record_options {
	const char *output;	/* path, "none", "-"; NULL: a name made of the time */
	uint32_t snaplens[5];	/* SCAP_LIVE_IO_*: bytes + 1; 0: snaplen */
	uint32_t snaplen, argv_max, env_max;
	uint32_t classes;	/* SCAP_LIVE_SCHED, ... */
	uint64_t ring_bytes, duration_ns, max_events, max_bytes;
	const char *calls;
	const char **cgroups;
	uint32_t n_cgroups;
	uint32_t *pids;
	uint32_t n_pids;
	bool all, force, quiet, json, fsync;
	char **argv;		/* the command; NULL: none */
};

enum record_end {
	RECORD_END_COMMAND,
	RECORD_END_DURATION,
	RECORD_END_EVENTS,
	RECORD_END_SIZE,
	RECORD_END_SIGNAL,
	RECORD_END_DISK,
	RECORD_END_ERROR,
};

struct record {
	struct record_options opt;
	char path_buf[64];
	const char *path;	/* as shown; NULL: nothing is written */
	bool created;		/* by us: goes if the recording could not start */
	bool regular;
	struct command command;
	struct scap_live *live;
	struct scap_writer *writer;	/* until the recorder has it */
	struct scap_recorder *recorder;
	int signal_fd;
	uint64_t start_ns;	/* CLOCK_MONOTONIC */
	uint64_t end_ns;
	enum record_end end;
	uint64_t shown_ns, shown_events;	/* of the live line */
	uint64_t file_bytes;	/* after the end */
};

/* record_opts.c */
extern const struct opt record_opts[];
/* What the command line says. False: it is wrong, and the message was printed. */
bool record_parse(const struct verb *verb, int argc, char **argv, struct record_options *opt);

uint64_t record_now_ns(void);
/* Every call from here on is recorded. */
void record_say_begun(const struct record *r);
/* On a terminal, about once a second. */
void record_live_line(struct record *r);
void record_clear_live_line(struct record *r);
/* The closing report. */
void record_report(struct record *r);
/* False: the disk is nearly full, and the message was printed. */
bool record_disk_ok(const struct record *r);

#endif
