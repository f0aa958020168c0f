/* SPDX-License-Identifier: MIT */
/* What the parts of `scap record` share. */
#ifndef SCAP_TOOLS_RECORD_H
#define SCAP_TOOLS_RECORD_H

#include "command.h"
#include "opts.h"

#include <scap/live.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct record_options {
	const char *output;	/* path, "none", "-"; NULL: a name made of the time */
	uint32_t snaplens[5];	/* SCAP_LIVE_IO_*: bytes + 1; 0: snaplen */
	uint32_t snaplen, argv_max, env_max;
	uint32_t classes;	/* SCAP_LIVE_SCHED, ... */
	uint64_t ring_bytes, duration_ns, max_events, max_bytes;
	uint64_t rotate_bytes, rotate_ns, rotate_events;	/* 0: no limit to a file */
	uint64_t keep;		/* so many files; 0: all */
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

/* One of several. */
struct record_file {
	uint64_t number;
	dev_t dev;
	ino_t ino;
};

struct record {
	struct record_options opt;
	char name_buf[64];
	const char *name;	/* that was asked for; NULL: nothing is written */
	char *path;		/* of the file that is being written, as shown */
	char *next_path;	/* of one that was opened, and into which nothing was written yet */
	struct record_file next;	/* of what was opened last */
	struct record_file *files;	/* those of ours that are there, the oldest first */
	size_t n_files;
	uint64_t last_number, n_begun, n_deleted;
	const char *rotating;	/* why the next file was asked for; NULL: it was not */
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
	uint64_t file_bytes;	/* of the files that are closed */
};

/* record_opts.c */
extern const struct opt record_opts[];
/* What the command line says. False: it is wrong, and the message was printed. */
bool record_parse(const struct verb *verb, int argc, char **argv, struct record_options *opt);

/* record_files.c */
bool record_rotates(const struct record_options *opt);
/* TOOL_OK; TOOL_USAGE: the name is of no use (printed). */
int record_choose_name(struct record *r);
/* Opens the first or only file. False: the message was printed. */
bool record_open(struct record *r);
/* Whether t's files will be that large; what waits is packed before a guess says so. */
bool record_reaches(struct record *r, const struct scap_recorder_totals *t, uint64_t bytes);
/* Asks for the next file when that is due: 0 or an error of the recorder. */
int record_rotate(struct record *r);
/* What was opened and never written into. */
void record_drop_next(struct record *r);
/* After the recorder's finish. */
void record_file_ended(struct record *r);
void record_close(struct record *r);

uint64_t record_now_ns(void);
/* Every call from here on is recorded. */
void record_say_begun(const struct record *r);
/* On a terminal, about once a second. */
void record_live_line(struct record *r);
void record_clear_live_line(struct record *r);
/* A file of several is closed; why NULL: with the recording. */
void record_say_file(struct record *r, const struct scap_recorder_totals *file, uint64_t bytes,
		     const char *why);
/* The closing report. */
void record_report(struct record *r);
/* False: the disk is nearly full, and the message was printed. */
bool record_disk_ok(const struct record *r);

#endif
