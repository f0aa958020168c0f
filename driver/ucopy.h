/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every read of user memory. From probes, in atomic context: page faults are disabled, a page
 * that is not there ends the copy. Addresses are those of current->mm.
 */
#ifndef KSCAP_UCOPY_H
#define KSCAP_UCOPY_H

#include <linux/types.h>

/* Bytes copied, at most n; fewer: the memory faulted there. */
u32 kscap_ucopy(void *dst, u64 src, u32 n);
/*
 * A string without its NUL, at most max bytes: its length, *ret_state = SCAP_STATE_*
 * (TRUNCATED: max reached before the NUL; UNREADABLE: faulted behind the bytes returned).
 */
u32 kscap_ucopy_str(char *dst, u64 src, u32 max, unsigned int *ret_state);

#endif
