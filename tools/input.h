/* SPDX-License-Identifier: MIT */
/* A capture to be read: a path or "-", with progress on a terminal when reading takes long. */
#ifndef SCAP_TOOLS_INPUT_H
#define SCAP_TOOLS_INPUT_H

#include "output.h"

#include <scap/reader.h>

struct input {
	struct scap_reader *reader;
	const char *path;	/* as shown: "standard input" for "-" */
	int fd;
	bool waits;		/* a pipe or terminal: flush `out` before a read may block */
	bool progress;
	bool shown;		/* a progress line stands on the terminal */
	uint64_t done_bytes, total_bytes;
	uint64_t start_ns, shown_ns;
	struct output *out;	/* may be NULL */
};

/* False: the message was printed; *ret_exit is the exit code. */
bool input_open(struct input *in, const char *path, uint32_t flags, struct output *out,
		int *ret_exit);
void input_close(struct input *in);
/* Takes the progress line away, before anything else is written to the terminal. */
void input_clear_progress(struct input *in);
/* Prints the sentence for a failed scap_reader_*() call; the exit code that goes with it. */
int input_failed(struct input *in, int rc, const struct scap_error *err);

struct verb;
/* The command line of verbs that take one FILE and --json. False: the message was printed. */
bool input_args(const struct verb *verb, int argc, char **argv, int json_id,
		const char **ret_path, bool *ret_json);

#endif
