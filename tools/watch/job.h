/* SPDX-License-Identifier: MIT */
/* A capture that is being made, as captures.c and its thread see it. */
#ifndef WATCH_JOB_H
#define WATCH_JOB_H

#include "watch/captures.h"

/* Where a capture is; the second only where its trigger has a filter for what stays. */
enum job_state { JOB_CUTTING, JOB_CHOOSING, JOB_CHOSEN };

/* A capture, from its trigger to its sealed file. Who waits for it holds it, too. */
struct job {
	struct job *next;
	unsigned refs;
	struct scap_trigger trigger;	/* with strings and labels of its own */
	char *text[5];
	struct scap_label *labels;
	uint64_t max_bytes;
	struct scap_cut *cut;		/* NULL: not begun */
	enum trigger_source by;		/* it was asked for */
	uint64_t asked_ns;		/* when its trigger's policy let it begin */
	uint32_t id;			/* in the store */
	/* Where only a part is to stay: all of it, to be read again, and the file of that part. */
	uint32_t whole_id;
	int whole, part;		/* -1: all stays */
	enum job_state state;
	struct scap_trigger outcome;	/* once it is cut: with what happened */
	bool cut_short, part_ok;
	uint64_t end_raw_ns, end_mono_ns;	/* of the window */
	const struct store *store;	/* asked for room */
	char path[STORE_PATH_BYTES];
	bool done;
	bool failed;
	char error[256];
};

/* With a reference; NULL: no memory. */
struct job *job_new(const struct firing *f, const struct trigger_config *t);
/* Under the lock of captures. The last one frees it; job_close() was called by then. */
void job_put(struct job *j);
/* Without that lock: the end of a large file that was deleted takes a while. */
void job_close(struct job *j);

/* NULL for NULL; *failed becomes true without memory. */
char *copy_of(const char *s, bool *failed);
uint64_t add_capped(uint64_t a, uint64_t b);

#endif
