/* SPDX-License-Identifier: MIT */
/* What scap watch gives up once it records. */
#ifndef WATCH_SANDBOX_H
#define WATCH_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The user and its group: false and a line in err. */
bool sandbox_user(const char *user, uint32_t *ret_uid, uint32_t *ret_gid, char *err, size_t cap);
/*
 * Before the first thread is made, but after hooks_start(): what can only be given up thread by
 * thread, and is of use to nobody who executes nothing: the bounding, inheritable and ambient sets
 * of capabilities. And no_new_privs. What the process may do itself stays.
 */
bool sandbox_early(char *err, size_t cap);
/*
 * All threads: no supplementary groups, uid and gid for good, no capabilities. Read back from
 * /proc for each thread, with what sandbox_early() does, which need not have been called when there
 * is only one. False and a line in err: what was dropped stays so.
 */
bool sandbox_drop(uint32_t uid, uint32_t gid, char *err, size_t cap);
/* The system calls that are still needed, for all threads (TSYNC); any other kills the process. */
bool sandbox_seccomp(char *err, size_t cap);

/*
 * Opens the socket that NOTIFY_SOCKET names; before sandbox_seccomp(), which forbids it. Without
 * one, or before, notify() does nothing.
 */
void notify_open(void);
/* sd_notify(3): "READY=1", "WATCHDOG=1", "STATUS=...". Never waits. */
void notify(const char *state);
/* How often the watchdog wants to hear from us, ns; 0: never. */
uint64_t notify_interval_ns(void);

#endif
