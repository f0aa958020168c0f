/* SPDX-License-Identifier: MIT */
/* The directory of captures: names, what is kept, and what is told about them. */
#ifndef WATCH_STORE_H
#define WATCH_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "watch/config.h"

struct store;

#define STORE_PATH_BYTES 512	/* of what store_path() tells, with its end */

struct store_totals {
	uint64_t n_files, bytes;	/* there now, finished ones */
	uint64_t n_deleted;	/* by retention, since the start */
	uint64_t n_adopted;	/* left unfinished by an earlier run, given their names */
	/* Hooks that were started; of these, that did not end with status 0; of these, for their
	   time; and that were never started: too many waited, or too long a command. */
	uint64_t n_hooks, n_hooks_failed, n_hooks_killed, n_hooks_skipped;
	uint64_t n_hooks_ok;	/* ended, with status 0 */
};

/*
 * Makes the directory (0700) where it is missing, gives it to uid and gid (-1: leaves it; so is one
 * with files of others, or behind a link, which must be uid's), takes stock of the captures in it,
 * and gives those that an earlier run left unfinished a name of their own (NAME.cut.scapz); empty
 * ones go. It is locked and held open: everything later happens below that descriptor. NULL and a
 * line in err.
 *
 * All functions are called by one thread at a time, store_configure(), store_totals() and
 * store_disk_ok() by any.
 */
struct store *store_open(const struct watch_config *c, int64_t uid, int64_t gid, char *err,
			 size_t cap);
void store_close(struct store *s);
/*
 * Retention and hook of a new configuration, from any thread; the directory stays. False: no memory
 * for the hook, and the old one stays.
 */
bool store_configure(struct store *s, const struct watch_config *c);

/*
 * A new capture: creates its unfinished file (.NAME.part), 0600, O_EXCL, and gives its descriptor;
 * *ret_id stands for it. Names are TIME-TRIGGER-HOST.scapz, with the time in UTC, to the
 * millisecond (20261126T204900.123Z), and a number behind where one is taken. -errno.
 */
int store_create(struct store *s, const char *trigger, uint64_t real_ns, uint32_t *ret_id);
/* The path that it will have, or has. The string lives until some 1,000 more were created. */
const char *store_path(const struct store *s, uint32_t id);
/*
 * It is whole and synced: gets its name, over no other file. Then retention: the oldest finished
 * captures (by the time of their last change) go until size, age and count hold, but never the one
 * that was finished last. Then, if t is not NULL, the hook runs, with SCAP_FILE, SCAP_TRIGGER,
 * SCAP_SOURCE, SCAP_TIME (RFC 3339), SCAP_WHY, SCAP_LABEL_name in its environment, and nothing but
 * PATH, HOME and LANG besides; SCAP_WHY_CUT=1 and SCAP_LABELS_CUT=1 where these are not all. 0 or
 * -errno: with its name where store_path() is there, else unfinished, until the next store_open().
 */
struct scap_trigger;
int store_finish(struct store *s, uint32_t id, const struct scap_trigger *t);
/* Of two captures that are not finished: each gets the other's file, and keeps its own name. */
void store_swap(struct store *s, uint32_t a, uint32_t b);
/* It came to nothing: the unfinished file goes. */
void store_drop(struct store *s, uint32_t id);
/*
 * Bytes of the disk that are free for us; false: so few that writing must stop. The smaller of 64
 * MiB and 2 % of it stays free.
 */
bool store_disk_ok(const struct store *s, uint64_t *ret_free_bytes);
/* Now and then: what is too old goes. Hooks that hang are killed by their runner. */
void store_tick(struct store *s);
void store_totals(struct store *s, struct store_totals *ret);

/*
 * Hooks run in a child made before privileges are dropped for good and before the seccomp filter,
 * because that would bind them; it runs as the user that the recorder becomes. hooks_start() is
 * called first of all threads; what is to be run comes through a socket pair.
 */
struct hooks;
struct hooks *hooks_start(void);
/* After store_close(). What runs or waits has 5 s to end; then it is killed. NULL is allowed. */
void hooks_stop(struct hooks *h);
/* The child drops to uid and gid before it runs anything. */
int hooks_drop(struct hooks *h, uint32_t uid, uint32_t gid);
void store_use_hooks(struct store *s, struct hooks *h);

#endif
