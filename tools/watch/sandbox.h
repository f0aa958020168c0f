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
 * All threads: no supplementary groups, uid and gid for good, no capabilities (bounding set too),
 * no_new_privs. Checked afterwards: false and a line in err.
 */
bool sandbox_drop(uint32_t uid, uint32_t gid, char *err, size_t cap);
/* The system calls that are still needed, for all threads (TSYNC); any other kills the process. */
bool sandbox_seccomp(char *err, size_t cap);

/* sd_notify(3): "READY=1", "WATCHDOG=1", "STATUS=..."; without NOTIFY_SOCKET nothing happens. */
void notify(const char *state);
/* How often the watchdog wants to hear from us, ns; 0: never. */
uint64_t notify_interval_ns(void);

#endif
